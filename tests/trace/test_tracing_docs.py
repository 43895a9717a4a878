"""What docs/tracing.md says is there: fields, kinds, options, and examples that run."""

import re
from dataclasses import fields
from inspect import signature
from pathlib import Path

import pytest

from atemplates.trace import records
from atemplates.trace.blocks import SCHEMA
from atemplates.trace.configured import observer_of
from atemplates.trace.json_log import JsonLog, render_summary
from atemplates.trace.records import RenderTrace
from atemplates.trace.server_timing import header_value

TEXT = (Path(__file__).resolve().parents[2] / "docs" / "tracing.md").read_text(encoding="utf-8")
NAMED = set(re.findall(r"`\.?([a-z_]+)`", TEXT))


def test_every_field_is_documented():
    names = {each.name for each in fields(RenderTrace)} - {
        "exception",
        "variables",
        "noted_parts",
    }
    assert names <= NAMED
    for kind in ("WaitRecord", "QueryRecord", "LoadRecord", "CodeRecord", "CacheRecord"):
        missing = {each.name for each in fields(getattr(records, kind))} - NAMED
        assert not missing, (kind, missing)


def test_every_kind_of_wait_is_documented():
    from atemplates.runtime.waits import Kind

    assert {kind.name.lower() for kind in Kind} <= NAMED


def test_every_option_and_key_of_the_log_is_documented():
    assert set(signature(JsonLog).parameters) <= NAMED
    render = RenderTrace("page.html", "", "django", "", "sync", True, 0.0)
    assert set(render_summary(render)) <= NAMED | {"template"}


def test_the_metrics_of_the_header_are_documented():
    render = RenderTrace("page.html", "", "django", "", "sync", True, 0.0)
    names = [each.partition(";")[0] for each in header_value([render]).split(", ")]
    for name in names:
        assert f"`{name}`" in TEXT


def test_the_schema_is_documented():
    assert f'`{{"schema": {SCHEMA}, "renders": [...], "loads": [...]}}`' in TEXT


@pytest.mark.parametrize(
    "path", sorted(set(re.findall(r'"(atemplates\.trace\.[a-z_]+\.[A-Z]\w+)"', TEXT)))
)
def test_what_settings_name_is_there(path):
    if "Middleware" not in path:
        assert observer_of(path) is not None


async def test_the_middleware_of_the_example(sites, settings, caplog):
    import logging

    from django.http import HttpRequest, HttpResponse

    from atemplates.trace.middleware import TraceMiddleware

    (example,) = re.findall(r"```python\n(class SlowPages.*?)```", TEXT, re.DOTALL)
    known = {"TraceMiddleware": TraceMiddleware, "logger": logging.getLogger("slow")}
    exec(compile(example, "docs/tracing.md", "exec"), known)
    page = sites({"page.html": "{{ x }}"}).get_template("page.html")

    async def view(request):
        text = await page.render_async({})
        request.atemplates_trace[0].ms = 501.0
        return HttpResponse(text)

    request = HttpRequest()
    request.path = "/slow/"
    await known["SlowPages"](view)(request)
    assert caplog.records[0].getMessage().startswith("/slow/\npage.html (traced): 501.00 ms")
