"""Generated pages over the model zoo: stock Django, ``fetch`` and ``batch`` give the same, also sent
in pieces.

The suite runs a hundred examples, the same each time; ``scripts/fuzz`` runs more, and others.
"""

import os

import django
import pytest
from django.core.exceptions import FieldError, ObjectDoesNotExist
from hypothesis import HealthCheck, Phase, given, note, reject, seed, settings
from hypothesis import strategies as st

from atemplates.testing import LazyAccessError
from tests.testapp.data import fill
from tests.testapp.models import Animal, Archive

from .relation_contexts import contexts
from .relation_runs import Traces, render, warm_content_types
from .relation_templates import pages

pytestmark = pytest.mark.django_db(databases=["default", "other"])

# A page is rendered eight times, with its queries: one takes as long as twenty without.
EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "2000")) // 20
SEED = int(os.environ.get("FUZZ_SEED", "0"))
ROUND = 250
ROUNDS = [min(ROUND, EXAMPLES - start) for start in range(0, EXAMPLES, ROUND)]
WAYS = [
    (policy, way)
    for policy in ("fetch", "batch")
    for way in ({}, {"on_loop": True}, {"streamed": True})
    if (policy, way) != ("fetch", {"streamed": True})
]


@pytest.fixture
def traces(db):
    fill()
    warm_content_types()
    return Traces()


@pytest.mark.exhaustive
@pytest.mark.parametrize("number", range(len(ROUNDS)))
def test_a_page_is_the_same_in_every_way(number, traces):
    @seed(SEED + number)
    @settings(
        max_examples=ROUNDS[number],
        deadline=None,
        database=None,
        phases=(Phase.generate, Phase.shrink),
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
    )
    @given(data=st.data())
    def check(data):
        context = data.draw(contexts())
        page = data.draw(pages(context))
        note(repr(context))
        note(repr(page))
        check_page(context, page, traces)

    check()


def check_page(context, page, traces):
    """Render a page in every way and compare."""
    try:
        context.make()
    except (FieldError, ObjectDoesNotExist, TypeError, ValueError):
        # only() left out what select_related() follows; two prefetches contradict; a prefetch
        # reads a column of a hidden row.
        reject()
    stock = render(page, context, None)
    for policy, how in WAYS:
        way = f"relations={policy!r}, {how}"
        ours = render(page, context, policy, **how)
        assert (way, ours.result) == (way, stock.result)
        assert (way, len(ours.queries)) <= (way, len(stock.queries)), "\n".join(ours.queries)
        if "FETCH_PEERS" not in repr(context):  # which leaves wrong traces itself
            traces.check(ours, context)
    for on_loop in (False, True):
        check_raise(stock, render(page, context, "raise", on_loop=on_loop), context)
    assert Animal.objects.exists()
    assert Archive.objects.exists()


def check_raise(stock, ours, context):
    """Check that ``relations="raise"`` raised if stock Django has sent queries for relations."""
    causes = stock.causes
    lazy = {name for name in causes if name not in ("context", "content type")}
    certain = {"template", "field"} if django.VERSION >= (6, 1) else {"template"}
    if isinstance(ours.error, LazyAccessError):
        assert lazy, f"raised without need: {ours.error}"
        assert ours.error.location is not None
        assert ours.error.location.line == 1
        assert ours.error.suggestion
        return
    if "FETCH_PEERS" not in repr(context):  # which loads in its own way, under any policy
        assert not lazy & certain, f"did not raise: stock sent queries because of {dict(causes)}"
    assert ours.result == stock.result
