"""Threads and the event loop that need the same plan, or different ones, at a time."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.template import Library
from django.template.base import Node
from django.template.context import Context

from atemplates.compiler.module import Module
from atemplates.compiler.plan import compiling, plan_of
from atemplates.engines.django import arender_template
from tests.rendering import parse

LONG = 20
"""Seconds after which a test gives up."""


class Gate:
    """Compiling of one node list waits until it is let through; others are counted only."""

    def __init__(self, monkeypatch):
        self.held = None
        self.began = threading.Event()
        self.opened = threading.Event()
        self.compiled = []
        function = Module.function
        gate = self

        def held(module):
            gate.compiled.append((module.nodelist, threading.get_ident()))
            if module.nodelist is gate.held and not gate.began.is_set():
                gate.began.set()
                assert gate.opened.wait(LONG)
            return function(module)

        monkeypatch.setattr(Module, "function", held)

    def times(self, nodelist):
        return sum(each is nodelist for each, _ in self.compiled)


@pytest.fixture
def gate(monkeypatch):
    gate = Gate(monkeypatch)
    yield gate
    gate.opened.set()


def test_threads_that_want_one_plan_compile_it_once(gate):
    nodelist = gate.held = parse("{{ a }}").nodelist
    with ThreadPoolExecutor(8) as pool:
        futures = [pool.submit(plan_of, nodelist) for _ in range(8)]
        assert gate.began.wait(LONG)
        gate.opened.set()
        plans = {future.result(LONG) for future in futures}
    assert len(plans) == 1
    assert gate.times(nodelist) == 1
    assert id(nodelist) not in compiling


def test_threads_that_want_others_do_not_wait(gate):
    nodelist = gate.held = parse("{{ a }}").nodelist
    other = parse("{{ b }}").nodelist
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(plan_of, nodelist)
        assert gate.began.wait(LONG)
        pool.submit(plan_of, other).result(LONG)
        assert not first.done()
        gate.opened.set()
        assert first.result(LONG) is plan_of(nodelist)


def test_who_may_not_wait_compiles_too(gate):
    nodelist = gate.held = parse("{{ a }}").nodelist
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(plan_of, nodelist)
        assert gate.began.wait(LONG)
        assert plan_of(nodelist, may_wait=False) is not None
        gate.opened.set()
        assert first.result(LONG) is plan_of(nodelist)
    assert gate.times(nodelist) == 2


def test_one_that_cannot_be_compiled_keeps_nobody(monkeypatch):
    def fails(module):
        raise ZeroDivisionError

    nodelist = parse("{{ a }}").nodelist
    with monkeypatch.context() as patch:
        patch.setattr(Module, "function", fails)
        with pytest.raises(ZeroDivisionError):
            plan_of(nodelist)
    assert id(nodelist) not in compiling
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(plan_of, nodelist).result(LONG) is plan_of(nodelist)


register = Library()


class Native(Node):
    """A tag that renders what stands in it on the event loop."""

    def __init__(self, nodelist):
        self.nodelist = nodelist

    async def render_async(self, context):
        return await self.nodelist.render_async(context)


@register.tag
def native(parser, token):
    nodelist = parser.parse(("endnative",))
    parser.delete_first_token()
    return Native(nodelist)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "source", ["a{{ x }}", "{% load native %}{% native %}{{ x }}{% endnative %}"]
)
def test_the_loop_goes_on_while_a_thread_compiles(gate, source):
    """Also for what stands in a tag: it is compiled in the thread, as a template is."""
    libraries = {"native": "tests.compiler.test_compiling_at_a_time"}
    template = parse(source, libraries=libraries)
    gate.held = getattr(template.nodelist[-1], "nodelist", template.nodelist)

    async def main():
        loop_thread = threading.get_ident()
        rendering = asyncio.create_task(arender_template(template, Context({"x": "y"})))
        assert await asyncio.to_thread(gate.began.wait, LONG)
        for _ in range(3):  # the loop is free
            await asyncio.sleep(0.001)
        assert not rendering.done()
        gate.opened.set()
        html = await rendering
        return html, loop_thread

    html, loop_thread = asyncio.run(asyncio.wait_for(main(), LONG))
    assert html.endswith("y")
    assert all(thread != loop_thread for _, thread in gate.compiled)
