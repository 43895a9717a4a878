"""Rendering a template three ways: stock Jinja2 (the oracle), our sync and our async."""

import inspect
from contextlib import asynccontextmanager

import jinja2
import pytest
from asgiref.sync import sync_to_async
from django.db import connections
from django.test.utils import CaptureQueriesContext

from atemplates.engines.jinja2 import Jinja2
from tests.testapp.data import zoo

__all__ = ["zoo"]

OPTIONS = {"extensions": ["jinja2.ext.do", "jinja2.ext.loopcontrols"]}


def stock_environment(**options):
    return jinja2.Environment(**options)


def make_backend(templates=None, environment=f"{__name__}.stock_environment", **options):
    """Return a backend over templates in memory, on a plain Jinja2 environment."""
    options = {**OPTIONS, "loader": jinja2.DictLoader(templates or {}), **options}
    if environment is not None:
        options["environment"] = environment
    params = {"NAME": "jinja2", "DIRS": [], "APP_DIRS": False, "OPTIONS": options}
    return Jinja2(params)


def made(context):
    """Make a context: a function is called, so that iterators are new for each render."""
    return context() if inspect.isfunction(context) else dict(context or {})


class Outcome:
    """What a render gave: an output, or an exception."""

    def __init__(self, output=None, error=None):
        self.output = output
        self.error = error

    def __eq__(self, other):
        if self.error is None and other.error is None:
            return self.output == other.output
        return type(self.error) is type(other.error)

    def __repr__(self):
        return repr(self.output if self.error is None else self.error)


async def outcome(render, *args):
    try:
        output = render(*args)
        if inspect.isawaitable(output):
            output = await output
    except Exception as error:
        return Outcome(error=error)
    return Outcome(output)


@pytest.fixture
def backend():
    return make_backend


@pytest.fixture
def render():
    """Return a coroutine function: render on the loop only."""

    async def render(source, context=None, templates=None, **options):
        template = make_backend(templates, **options).from_string(source)
        return await template.render_async(made(context))

    return render


@pytest.fixture
def same():
    """Return a coroutine function: render by all three ways, which have to agree.

    The sync ways run in the request's thread, where queries are allowed.
    """

    async def same(source, context=None, templates=None, expected=None, **options):
        one = make_backend(templates, **options)
        template = one.from_string(source)
        stock = one.env.from_string(source)
        oracle = await sync_to_async(run)(stock.render, context)
        ours = await sync_to_async(run)(template.render, context)
        on_loop = await outcome(template.render_async, made(context))
        assert ours == oracle, "our sync differs from stock"
        assert on_loop == oracle, "our async differs from stock"
        if expected is not None:
            assert oracle.output == expected
        if oracle.error is not None:
            assert str(ours.error) == str(oracle.error)
            raise on_loop.error
        return oracle.output

    return same


def run(render, context):
    try:
        return Outcome(render(made(context)))
    except Exception as error:
        return Outcome(error=error)


@asynccontextmanager
async def queries(alias="default"):
    """Count the queries of the request's thread: the list is filled at the end of the block."""
    found = []
    captured = await sync_to_async(lambda: CaptureQueriesContext(connections[alias]))()
    await sync_to_async(captured.__enter__)()
    try:
        yield found
    finally:
        await sync_to_async(captured.__exit__)(None, None, None)
        found.extend(query["sql"] for query in captured.captured_queries)
