"""Generated templates that are sent piece by piece: joined, they are the page as a whole.

FUZZ_EXAMPLES asks for more examples, FUZZ_SEED for others.
"""

import warnings
from contextlib import ExitStack

import jinja2
import pytest
from hypothesis import HealthCheck, Phase, given, note, reject, seed, settings
from hypothesis import strategies as st

from atemplates.engines.jinja2.plans import use_plans
from atemplates.runtime.drivers import close_awaitable

from .eager import eager, pausing
from .test_differential import (
    ADDRESS,
    ROUNDS,
    SEED,
    cases,
    copied,
    loop,
    make,
    result,
    to_be_awaited,
)

__all__ = ["loop"]


@pytest.mark.exhaustive
@pytest.mark.parametrize("mode", ["", "anywhere"])
@pytest.mark.parametrize(("number", "examples"), list(enumerate(ROUNDS)))
def test_joined_pieces_are_the_page(loop, number, examples, mode):
    @seed(SEED + number)
    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=cases(mode), often=st.booleans(), pauses=st.booleans())
    def compare(case, often, pauses):
        note(case[1]["page"])
        with warnings.catch_warnings(record=True) as forgotten, ExitStack() as stack:
            warnings.simplefilter("always", RuntimeWarning)
            if often:
                stack.enter_context(eager())
            if pauses:
                stack.enter_context(pausing())
            found = outcomes(case, loop)
        assert [str(warning.message) for warning in forgotten] == []  # coroutines never awaited
        if mode:  # of the errors of several parts, another one may come first
            found = [Exception if issubclass(each[0], Exception) else each for each in found]
        whole, *others = [ADDRESS.sub("@", repr(each)) for each in found]
        for other in others:
            assert other == whole

    compare()


def outcomes(case, loop):
    """Render whole and by pieces: async, sync, and with all to be awaited."""
    kind, templates, options, values = case
    if kind is jinja2.nativetypes.NativeEnvironment:
        reject()  # it has values and no text
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SyntaxWarning)
        asynchronous = use_plans(make(kind, templates, options, enable_async=True))
        sync = use_plans(make(kind, templates, options))

        def on_loop(work):
            return result(lambda: loop.run_until_complete(work()))

        async def whole():
            return await asynchronous.get_template("page").render_async(copied(values))

        async def pieces():
            template = asynchronous.get_template("page")
            return "".join([x async for x in template.generate_async(copied(values))])

        async def awaited():
            template = asynchronous.get_template("page")
            return "".join([x async for x in template.generate_async(waiting)])

        waiting = to_be_awaited(copied(values))
        try:
            found = [on_loop(whole)]
            found += [on_loop(pieces), on_loop(pieces)]
            found.append(
                result(lambda: "".join(sync.get_template("page").generate(copied(values))))
            )
            found.append(on_loop(awaited))
        except RecursionError:
            reject()
        finally:
            for value in waiting.values():
                close_awaitable(value)
        return found
