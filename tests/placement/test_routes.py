"""Where a page begins, and how soon its functions have their place."""

import pytest
from django.template import Context, Library
from django.template.base import Node

from atemplates.engines.django import arender_template
from atemplates.placement import records
from atemplates.placement.records import FORGIVEN, QUICK, STRIKES, TRUSTED_AFTER, FunctionRecord
from atemplates.placement.routes import LESSONS, SELDOM, PageRoute
from atemplates.runtime.drivers import on_event_loop
from tests.rendering import new_engine

register = Library()
THREADS: list[str] = []


def where() -> str:
    place = "loop" if on_event_loop() else "thread"
    THREADS.append(place)
    return place


@register.simple_tag
def one():
    return where()


@register.simple_tag
def two():
    return where()


@register.filter
def three(value):
    return where()


@register.tag
def four(parser, token):
    class FourNode(Node):
        def render(self, context):
            return where()

    return FourNode()


class Thing:
    @property
    def five(self):
        return where()

    def six(self):
        return where()

    def __str__(self):
        return where()


@pytest.fixture(autouse=True)
def nothing_is_learned():
    records.RECORDS.clear()
    THREADS.clear()
    yield
    records.RECORDS.clear()


def template_of(source):
    libraries = {"routes": "tests.placement.test_routes"}
    return new_engine({"main": "{% load routes %}" + source}, libraries=libraries).get_template(
        "main"
    )


ALL = "{% one %} {% two %} {{ 'x'|three }} {% four %} {{ t.five }} {{ t.six }} {{ t }}"


async def test_a_whole_page_is_learned_in_three_renders():
    template = template_of(ALL)
    for _ in range(TRUSTED_AFTER):
        await arender_template(template, Context({"t": Thing()}))
    assert set(THREADS) == {"thread"}
    THREADS.clear()
    text = await arender_template(template, Context({"t": Thing()}))
    assert text == " ".join(["loop"] * 7)


async def test_a_page_that_needs_the_thread_anyway_begins_there():
    template = template_of("{% one %} {{ q.six }}")
    thing = Thing()
    for _ in range(TRUSTED_AFTER + 1):
        await arender_template(template, Context({"q": thing}))
    records.function_record(Thing.six).asked = True
    await arender_template(template, Context({"q": thing}))
    assert THREADS[-2:] == ["loop", "thread"]
    await arender_template(template, Context({"q": thing}))
    assert THREADS[-2:] == ["thread", "thread"]
    await arender_template(template, Context({"q": thing}))
    assert THREADS[-2:] == ["loop", "thread"]


def begun(route, renders, went, learning=False):
    """Return where some renders begin."""
    places = []
    for _ in range(renders):
        in_thread = route.begins_in_thread()
        places.append("thread" if in_thread else "loop")
        if not in_thread:
            route.note(went, learning)
    return places


def test_the_loop_is_tried_less_and_less_often():
    route = PageRoute()
    begun(route, TRUSTED_AFTER, went=True)
    places = "".join(place[0] for place in begun(route, 1000, went=True))
    gaps = [len(gap) for gap in places.split("l")]
    assert gaps[1:7] == [1, 2, 4, 8, 16, 32]
    assert max(gaps) == SELDOM
    while route.begins_in_thread():
        pass
    route.note(False, False)
    assert begun(route, 10, went=False) == ["loop"] * 10


def test_lessons_do_not_go_on_for_ever():
    route = PageRoute()
    assert route.is_lesson()
    begun(route, TRUSTED_AFTER, went=True, learning=True)
    assert begun(route, LESSONS, went=True, learning=True) == ["loop"] * LESSONS
    begun(route, 1, went=True, learning=True)
    assert not route.is_lesson()
    assert route.begins_in_thread()


def test_code_that_is_slow_at_times_keeps_its_place():
    record = FunctionRecord()
    for _ in range(TRUSTED_AFTER):
        record.note(0, False)
    for _ in range(20):
        record.note(QUICK * 2, False)
        assert record.place == "loop"
        for _ in range(FORGIVEN):
            record.note(0, False)


def test_code_that_is_slow_again_and_again_does_not(monkeypatch):
    monkeypatch.setattr(records, "QUICK", QUICK)
    record = FunctionRecord()
    for _ in range(TRUSTED_AFTER):
        record.note(0, False)
    for _ in range(STRIKES):
        record.note(QUICK * 2, False)
        record.note(0, False)
    assert record.place == "thread"
