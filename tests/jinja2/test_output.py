"""What is printed: the text of each type of value, escaped as stock Jinja2 escapes it."""

import datetime
import decimal
import subprocess
import sys
import uuid
from pathlib import Path

import jinja2
import pytest
from django.utils.safestring import SafeString, mark_safe
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup

from .conftest import make_backend

SOURCE = (
    "{{ x }}{% for i in [1] %}{{ x }}{% endfor %}{{ x ~ '<' }}{% set y %}{{ x }}{% endset %}{{ y }}"
    "{% autoescape flag %}{{ x }}{% endautoescape %}{% autoescape false %}{{ x }}{% endautoescape %}"
)


class Text(str):
    """Not markup, and with a text of its own."""

    __slots__ = ()

    def __str__(self):
        return f"<{super().__str__()}>"


class Marked(Markup):
    """Markup with another idea of itself."""

    __slots__ = ()

    def __html__(self):
        return "<own>"


class Number(int):
    """A number whose text needs escaping."""

    __slots__ = ()

    def __str__(self):
        return "<number>"


class Html:
    """Something that knows its markup."""

    def __html__(self):
        return "<b>"

    def __str__(self):
        return "<text>"


VALUES = [
    "plain",
    "<&>'\"",
    "ä<\U0001f600",
    "",
    b"<'\"",
    Markup("<&>"),
    SafeString("<&>"),
    mark_safe("<'>"),
    Text("&"),
    Marked("&"),
    Number(3),
    Html(),
    0,
    -(10**30),
    True,
    None,
    1.5,
    float("nan"),
    float("-inf"),
    decimal.Decimal("-1E+3"),
    datetime.date(2020, 1, 2),
    datetime.datetime(2020, 1, 2, 3, 4, tzinfo=datetime.UTC),
    datetime.time(1, 2, 3, 4),
    datetime.timedelta(days=-1, seconds=3),
    uuid.UUID(int=5),
    ["<", Markup("<")],
    ("<",),
    {"<": "&"},
    {"<"},
    range(3),
    object,
    Ellipsis,
    NotImplemented,
    1j,
]


@pytest.mark.parametrize("autoescape", [True, False])
@pytest.mark.parametrize("value", VALUES, ids=lambda value: f"{type(value).__name__}")
async def test_each_type(same, value, autoescape):
    for flag in (True, False):
        await same(SOURCE, {"x": value, "flag": flag}, autoescape=autoescape)


def finalizing(**options):
    return jinja2.Environment(
        finalize=lambda value: "<none>" if value is None else value, **options
    )


@pytest.mark.parametrize("autoescape", [True, False])
async def test_finalize(same, autoescape):
    options = {"environment": f"{__name__}.finalizing", "autoescape": autoescape}
    for value in (None, "<", Markup("<"), 3):
        await same(SOURCE + "{{ none }}{{ '<' }}", {"x": value, "flag": True}, **options)


@given(st.text())
def test_any_text(text):
    ours = make_backend(autoescape=True).from_string("{{ x }}").render({"x": text})
    assert ours == jinja2.Environment(autoescape=True).from_string("{{ x }}").render(x=text)


def test_without_markupsafes_speedups():
    """In a process of its own, where they cannot be imported."""
    code = """
import sys
sys.modules["markupsafe._speedups"] = None
from django.conf import settings
settings.configure()
import jinja2
from atemplates.runtime import escaping
from atemplates.engines.jinja2.plans import Environment
assert escaping.markup_escaped is not escaping.scan
for source in ("{{ x }}", "{% macro m(a) %}<{{ a }}>{% endmacro %}{{ m(x) }}"):
    ours = Environment(autoescape=True).from_string(source)
    for x in ("<&>'", "plain", 5, b"<"):
        assert ours.render(x=x) == jinja2.Environment(autoescape=True).from_string(source).render(x=x)
print("fine")
"""
    result = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[2],
        check=False,
    )
    assert (result.returncode, result.stdout) == (0, "fine\n"), result.stderr
