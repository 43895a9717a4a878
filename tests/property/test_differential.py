"""Generated templates and contexts: stock Django, our ``render`` and our ``arender`` agree.

Where objects or tags of `keeping` ask the database, `arender` is compared in three states: cold,
with code that is trusted from the beginning, and with code that has earned it and asks then.

The suite runs a few hundred examples, the same each time. ``scripts/fuzz`` runs as many as you
like, each time others: it sets FUZZ_EXAMPLES and FUZZ_SEED.
"""

import os
import traceback
from collections import Counter

import pytest
from hypothesis import HealthCheck, Phase, given, reject, seed, settings
from hypothesis import strategies as st

from .contexts import contexts
from .routes import Case, NotParsed, outcomes, repeatable
from .templates import template_sets

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "250"))
SEED = int(os.environ.get("FUZZ_SEED", "0"))
ROUND = 500
ROUNDS = [min(ROUND, EXAMPLES - start) for start in range(0, EXAMPLES, ROUND)]
LANGUAGES = ["en-us", "en-us", "de", "fr", "ar", "pl", "hi", "de-ch", "ja"]


@st.composite
def cases(draw):
    """A case with everything in it."""
    asynchronous = draw(st.integers(0, 3)) == 3
    return Case(
        templates=draw(template_sets(asynchronous)),
        context=draw(contexts(promises=asynchronous)),
        string_if_invalid=draw(st.sampled_from(["", "", "", "INVALID", "<no %s>", "%s"])),
        debug=draw(st.booleans()),
        autoescape=draw(st.integers(0, 4)) < 4,
        cached=draw(st.booleans()),
        language=draw(st.sampled_from(LANGUAGES)),
        use_l10n=draw(st.sampled_from([None, None, True, False])),
        use_tz=draw(st.sampled_from([None, None, True, False])),
        thousands=draw(st.integers(0, 3)) == 3,
        request=draw(st.booleans()),
        asynchronous=asynchronous,
        logs=draw(st.integers(0, 2)) == 2,
    )


def begun(journal):
    """A journal that says where iterations began, and not when each further row was read.

    Stock reads the rows of an object of a class of its own one by one while the loop runs; we read
    all of them before, so that what they lack is loaded for all at once (docs/django.md). A spy
    has two rows; a reversed loop over it reads them by their index, the last first.
    """
    kept = []
    reversed_loops = Counter()
    before = ""
    for note in journal:
        spy, _, asked = note.partition(": ")
        # Where a template names an index, it is asked as a text first.
        by_name = before == f"{spy}: ['{asked[1:-1]}']"
        before = note
        if asked == "[1]" and not by_name:
            reversed_loops[spy] += 1
        if asked == "[0]" and not by_name and reversed_loops[spy]:
            reversed_loops[spy] -= 1
        elif asked != "row 1":
            kept.append(note)
    return kept


def disagreement(found, updates=False):
    """Return the route that differs from stock, and what differs, as text; None if none does.

    Args:
        updates: whether a tag leaves dicts behind in the context on purpose.
    """
    stock = found["stock"]
    if stock.error.startswith("builtins.StopIteration"):
        # Python turns it into a RuntimeError when it leaves a generator or a coroutine.
        return None
    if not stock.balanced and not updates:
        # An exception in a loop with several variables, swallowed further out ({{ block.super }}
        # takes a VariableDoesNotExist for its own): stock's context has a dict too many then.
        return None
    for route in [route for route in found if not route.startswith("stock")]:
        oracle = stock if route in ("render", "eager") else found["stock again"]
        for name in ("output", "output_type", "error", "debug", "left", "records", "journal"):
            expected, got = getattr(oracle, name), getattr(found[route], name)
            if name == "journal":
                if route in ("trusted", "surprised"):
                    continue  # a class attribute: what a trial leaves there is not put back
                expected, got = begun(expected), begun(got)
            if expected != got:
                return route, f"{route}: {name}\n  stock: {expected!r}\n  ours:  {got!r}"
    return None


def check(case, loop):
    """Render a case on every route and compare."""
    try:
        found = outcomes(case, loop)
    except NotParsed:
        reject()
    different = disagreement(found)
    if different is not None and repeatable(case):
        route, text = different
        error = found[route].exception or found["stock"].exception
        # As text: pytest-xdist cannot send a report with an exception's own kinds of strings in it.
        trace = "".join(traceback.format_exception(error)) if error else ""
        raise AssertionError(str(f"{text}\n{trace}"))


@pytest.mark.exhaustive
@pytest.mark.usefixtures("urls", "a_group")
@pytest.mark.parametrize("number", range(len(ROUNDS)))
def test_every_route_gives_the_same(number, loop):
    @seed(SEED + number)
    @settings(
        max_examples=ROUNDS[number],
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate, Phase.shrink],
    )
    @given(cases())
    def examples(case):
        check(case, loop)

    examples()
