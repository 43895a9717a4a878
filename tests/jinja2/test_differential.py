"""Generated templates and contexts: stock Jinja2, our sync and our async agree.

The suite runs a few hundred examples, the same each time; FUZZ_EXAMPLES asks for more, FUZZ_SEED
for others.
"""

import asyncio
import copy
import os
import re
import warnings

import jinja2
import jinja2.nativetypes
import jinja2.sandbox
import pytest
from hypothesis import HealthCheck, Phase, given, note, reject, seed, settings
from hypothesis import strategies as st

from atemplates.engines.jinja2.plans import use_plans
from atemplates.runtime.drivers import close_awaitable

from .generated import contexts, function, template_sets

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "60"))
SEED = int(os.environ.get("FUZZ_SEED", "0"))
ROUND = 250
ROUNDS = [min(ROUND, EXAMPLES - start) for start in range(0, EXAMPLES, ROUND)]
ADDRESS = re.compile(r"0x[0-9a-f]+|<template>, line \d+", re.IGNORECASE)
"""Of an object, or a line of the Python code that a template became, which is code of ours here."""
UNDEFINED = [
    jinja2.Undefined,
    jinja2.Undefined,
    jinja2.StrictUndefined,
    jinja2.ChainableUndefined,
    jinja2.DebugUndefined,
]
CLASSES = [
    jinja2.Environment,
    jinja2.Environment,
    jinja2.sandbox.SandboxedEnvironment,
    jinja2.sandbox.ImmutableSandboxedEnvironment,
    jinja2.nativetypes.NativeEnvironment,
]


@pytest.fixture(scope="module")
def loop():
    """A loop for the whole module: each example would pay for one of its own."""
    loop = asyncio.new_event_loop()
    yield loop
    loop.run_until_complete(loop.shutdown_default_executor())
    loop.close()


@st.composite
def cases(draw, mode=""):
    templates = draw(template_sets(mode))
    options = {
        "autoescape": draw(st.integers(0, 3)) < 3,
        "undefined": draw(st.sampled_from(UNDEFINED)),
        "trim_blocks": draw(st.booleans()),
        "optimized": draw(st.integers(0, 4)) < 4,
        "finalize": draw(st.sampled_from([None, None, None, finalize])),
    }
    return draw(st.sampled_from(CLASSES)), templates, options, draw(contexts())


def finalize(value):
    return "-" if value is None else value


def make(kind, templates, options, **more):
    env = kind(
        loader=jinja2.DictLoader(templates),
        extensions=["jinja2.ext.do", "jinja2.ext.loopcontrols"],
        **options,
        **more,
    )
    env.globals["site"] = "S"
    env.filters["boom"] = boom
    return env


def boom(value):
    if value == 2:
        raise ZeroDivisionError("boom")
    return value


def result(render):
    """Return a render's output and its type, or the exception's type and text."""
    try:
        output = render()
    except RecursionError:
        raise
    except Exception as error:
        return type(error), str(error)
    return type(output), output


def same(one, other):
    """Compare outcomes; addresses differ: each render gets a copy of the context, and other code."""
    return ADDRESS.sub("@", repr(one)) == ADDRESS.sub("@", repr(other))


@pytest.mark.exhaustive
@pytest.mark.parametrize(("number", "examples"), list(enumerate(ROUNDS)))
def test_stock_and_ours_agree(loop, number, examples):
    @seed(SEED + number)
    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=cases())
    def compare(case):
        note(case[1]["page"])
        with warnings.catch_warnings(record=True) as forgotten:
            warnings.simplefilter("always", RuntimeWarning)
            stock, ours, on_loop, awaited = outcomes(case, loop)
        assert [str(warning.message) for warning in forgotten] == []  # coroutines never awaited
        if case[0] is jinja2.nativetypes.NativeEnvironment:
            # Its texts are made while the output is put together, by stock when the third value is
            # asked for: of two errors, another one comes first.
            stock, ours, on_loop, awaited = map(kind_of_error, (stock, ours, on_loop, awaited))
        assert same(ours, stock)
        assert same(on_loop, stock)
        assert same(awaited, stock)

    compare()


def kind_of_error(outcome):
    """Leave out which error it was: one about something undefined comes when texts are made."""
    return jinja2.TemplateError if issubclass(outcome[0], Exception) else outcome


def outcomes(case, loop):
    """Render by stock Jinja2, by our sync, by our async, and once more with all to be awaited."""
    kind, templates, options, values = case
    with warnings.catch_warnings():
        # "is" with a literal, calling a number: Python's compiler says so of stock's code.
        warnings.simplefilter("ignore", SyntaxWarning)
        try:
            stock = result(
                lambda: make(kind, templates, options).get_template("page").render(copied(values))
            )
        except RecursionError:
            reject()  # a template that includes itself
        if stock[0] is RuntimeError and "during iteration" in stock[1]:
            reject()  # a default dict grows under a loop; ours goes over the rows it began with
        sync = use_plans(make(kind, templates, options))
        ours = result(lambda: sync.get_template("page").render(copied(values)))
        asynchronous = use_plans(make(kind, templates, options, enable_async=True))
        on_loop = result(
            lambda: loop.run_until_complete(
                asynchronous.get_template("page").render_async(copied(values))
            )
        )
        waiting = to_be_awaited(copied(values))
        awaited = result(
            lambda: loop.run_until_complete(asynchronous.get_template("page").render_async(waiting))
        )
        for value in waiting.values():
            close_awaitable(value)  # those of a template that could not be loaded
    return stock, ours, on_loop, awaited


def to_be_awaited(values):
    """The same variables, but each one is an awaitable, and the function a coroutine function."""

    async def give(value):
        return value

    async def waiting_function(*args, **kwargs):
        await asyncio.sleep(0)
        return function(*args, **kwargs)

    waiting = {name: give(value) for name, value in values.items() if name != "function"}
    return {**waiting, "function": waiting_function}


def copied(values):
    return copy.deepcopy(values)


@pytest.mark.parametrize("count", [3, 20, 60])
@pytest.mark.parametrize(
    "source", ["+".join, " ~ ".join, " or ".join, " and ".join, " * ".join, "|upper ~".join]
)
def test_long_chains(count, source):
    text = "{{ " + source(["1", "a"] * count) + " }}"
    env = jinja2.Environment()
    expected = env.from_string(text).render(a=2)
    assert use_plans(jinja2.Environment()).from_string(text).render(a=2) == expected


@pytest.mark.parametrize("depth", [1, 30])
def test_deep_paths_and_filters(depth):
    for text in (
        "{{ a" + ".a" * depth + ".b }}",
        "{{ a" + "['a']" * depth + ".b }}",
        "{{ 'x'" + "|upper|lower" * depth + " }}",
    ):
        value = {"b": "found"}
        for _ in range(depth):
            value = {"a": value}
        env = jinja2.Environment()
        expected = env.from_string(text).render(a=value)
        assert use_plans(jinja2.Environment()).from_string(text).render(a=value) == expected
