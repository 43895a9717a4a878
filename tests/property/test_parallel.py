"""Generated pages over the model zoo with ``{% parallel %}`` around them show what they show without."""

import pytest
from django.core.exceptions import FieldError, ObjectDoesNotExist
from django.template import TemplateSyntaxError
from hypothesis import HealthCheck, Phase, given, note, reject, seed, settings
from hypothesis import strategies as st

from .relation_contexts import contexts
from .relation_runs import render
from .relation_templates import Page, pages
from .test_relations import ROUNDS, SEED, traces

__all__ = ["traces"]

pytestmark = pytest.mark.django_db(databases=["default", "other"])

BY_TURNS = (".first", ".last", ".exists", ".count", "|first", "|last", ".0", ".1", "|slice", ".get")
"""What takes no query where an earlier part has loaded the same queryset: parts have no order."""

REFUSED = "cannot stand inside {% parallel %}"


@pytest.mark.exhaustive
@pytest.mark.parametrize("number", range(len(ROUNDS)))
def test_a_page_in_parts_is_the_same(number, traces):
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
        if "(_row for" in repr(context):
            reject()  # the part that comes first goes through an iterator, whichever that is
        whole = "base" if "base" in page.sources else "page"
        inside = f"{{% load atemplates %}}{{% parallel %}}{page.sources[whole]}{{% endparallel %}}"
        parts = Page({**page.sources, whole: inside})
        note(repr(context))
        note(repr(parts))
        check_parts(context, page, parts, traces)

    check()


def check_parts(context, page, parts, traces):
    try:
        context.make()
        ours = render(parts, context, "batch", on_loop=True)
    except (FieldError, ObjectDoesNotExist, TypeError, ValueError):
        reject()  # as in test_relations.py
    except TemplateSyntaxError as error:
        if REFUSED not in str(error):
            raise
        reject()
    if type(ours.error) is TemplateSyntaxError and REFUSED in str(ours.error):
        reject()  # what another template brings is refused when it is rendered
    stock = render(page, context, None)
    if stock.error is not None:
        assert ours.error is not None  # of two that fail, the one that is first
        return
    assert ours.result == stock.result
    if not any(step in repr(page) for step in BY_TURNS):
        plain = render(page, context, "batch", on_loop=True)
        assert len(ours.queries) == len(plain.queries), "\n".join(ours.queries)
    if "FETCH_PEERS" not in repr(context):  # which leaves wrong traces itself
        traces.check(ours, context)
