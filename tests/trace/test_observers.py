"""Observers of all renders: `subscribe`, the setting ``ATEMPLATES``, and the JSON log."""

import json
import logging

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.test import RequestFactory

from atemplates import trace
from atemplates.trace import subscribe
from atemplates.trace.json_log import JsonLog

RENDERS = []


def note(render):
    RENDERS.append(render)


class Noting:
    """An observer that takes options."""

    def __init__(self, label="none"):
        self.label = label

    def begin(self, render):
        RENDERS.append((self.label, "begin", render.name))

    def leave(self, render):
        RENDERS.append((self.label, "leave", render.is_done))

    def end(self, render):
        RENDERS.append((self.label, "end", render.is_done))


@pytest.fixture(autouse=True)
def renders():
    RENDERS.clear()
    return RENDERS


def test_an_observer_is_told_of_each_render_until_it_ends(sites, renders):
    page = sites({"page.html": "{{ x }}"}).get_template("page.html")
    end = subscribe(note)
    page.render({})
    end()
    page.render({})
    assert [render.name for render in renders] == ["page.html"]


async def test_it_may_be_told_of_the_beginning_too(sites, renders):
    page = sites({"page.html": "{{ x }}"}).get_template("page.html")
    end = subscribe(Noting("a"))
    try:
        await page.render_async({})
    finally:
        end()
    assert renders == [("a", "begin", "page.html"), ("a", "leave", True), ("a", "end", True)]


def test_several_share_one_trace(sites, renders):
    page = sites({"page.html": "{{ x }}"}).get_template("page.html")
    end = subscribe(note)
    try:
        with trace() as outer, trace() as inner:
            page.render({})
    finally:
        end()
    assert [*outer] == [*inner] == renders


@pytest.mark.parametrize("engine", ["traced", "jinja"])
async def test_one_that_fails_is_logged_once_and_breaks_no_page(sites, caplog, engine):
    templates = {"page.html": "{{ x }}"}
    page = await sites(templates, engine, templates).aget_template("page.html")

    class Failing:
        def begin(self, render):
            raise ValueError("begin")

        leave = end = begin

    end = subscribe(Failing())
    try:
        with caplog.at_level(logging.ERROR), trace() as found:
            for _ in range(3):
                assert await page.render_async({"x": 1}) == "1"
    finally:
        end()
    assert len(found) == 3
    (record,) = caplog.records
    assert "Failing" in record.getMessage()


def test_what_cannot_observe_is_refused():
    with pytest.raises(TypeError, match=r"expected an object with begin\(render\)"):
        subscribe(7)


def test_the_setting_names_observers(sites, settings, renders):
    page = sites({"page.html": "{{ x }}"}).get_template("page.html")
    here = "tests.trace.test_observers"
    settings.ATEMPLATES = {
        "trace": [f"{here}.note", {"observer": f"{here}.Noting", "options": {"label": "b"}}]
    }
    page.render({})
    assert renders[0] == ("b", "begin", "page.html")
    assert renders[-1] == ("b", "end", True)
    assert [each.name for each in renders if hasattr(each, "name")] == ["page.html"]
    settings.ATEMPLATES = {}
    renders.clear()
    page.render({})
    assert renders == []


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ("no.such.module", r"'no\.such\.module', which cannot be imported"),
        ("tests.trace.test_observers.RENDERS", "does not observe renders"),
        (
            {"observer": "tests.trace.test_observers.Noting", "options": {"name": 1}},
            "cannot be made with the options",
        ),
        (
            {"observer": "atemplates.trace.json_log.JsonLog", "options": {"rate": 2}},
            "JsonLog: rate is 2; expected a number from 0 to 1",
        ),
    ],
)
def test_a_wrong_entry_is_refused_with_its_name(settings, entry, said):
    from atemplates.trace.configured import observer_of

    with pytest.raises(ImproperlyConfigured, match=said):
        observer_of(entry)


def log_lines(caplog):
    return [json.loads(record.getMessage()) for record in caplog.records]


@pytest.fixture
def logged(caplog):
    with caplog.at_level(logging.INFO, logger="atemplates.trace"):
        yield caplog


def test_the_log_has_a_line_for_each_render(sites, logged):
    page = sites({"page.html": "{{ x }}\n{{ y }}"}).get_template("page.html")
    end = subscribe(JsonLog())
    try:
        page.render({"x": 1}, RequestFactory().get("/"))
    finally:
        end()
    (line,) = log_lines(logged)
    assert line["template"] == "page.html"
    assert line["engine"] == "traced"
    assert line["mode"] == "sync"
    assert line["ms"] > 0
    assert line["queries"] == 0
    assert "\n" not in logged.records[0].getMessage()


def test_only_slow_ones_and_those_that_fail(sites, logged):
    def fail():
        raise ValueError("broken")

    backend = sites({"page.html": "{{ x }}"})
    page = backend.get_template("page.html")
    end = subscribe(JsonLog(slow_ms=10_000))
    try:
        page.render({"x": 1})
        with pytest.raises(ValueError, match="broken"):
            page.render({"x": fail})
    finally:
        end()
    (line,) = log_lines(logged)
    assert line["error"] == "ValueError: broken"
    assert logged.records[0].levelno == logging.ERROR


def test_a_share_of_them(sites, logged, monkeypatch):
    page = sites({"page.html": "{{ x }}"}).get_template("page.html")
    chances = iter([0.05, 0.5, 0.2, 0.09])
    monkeypatch.setattr("atemplates.trace.json_log.random", lambda: next(chances))
    end = subscribe(JsonLog(rate=0.1, detail=True))
    try:
        for _ in range(4):
            page.render({"x": 1})
    finally:
        end()
    lines = log_lines(logged)
    assert len(lines) == 2
    assert lines[0]["name"] == "page.html"
    assert lines[0]["waits"] == []


@pytest.mark.parametrize(
    "options", [{"slow_ms": -1}, {"slow_ms": "1"}, {"rate": 1.5}, {"rate": True}]
)
def test_wrong_options_of_the_log(options):
    with pytest.raises(ImproperlyConfigured, match="expected a number"):
        JsonLog(**options)
