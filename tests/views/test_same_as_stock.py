"""Each generic view of ours answers as Django's does: status, headers, bytes, context, queries."""

import pytest
from django.views import generic

from atemplates import views
from tests.views import site
from tests.views.asking import ask, without_savepoints

pytestmark = pytest.mark.usefixtures("filled")

STOCK = site.generic_views(generic)
OURS = site.generic_views(views)


@pytest.mark.parametrize("asgi", [True, False], ids=["asgi", "wsgi"])
@pytest.mark.parametrize(
    ("name", "asked"), [case[:2] for case in site.CASES], ids=[case[2] for case in site.CASES]
)
@pytest.mark.filterwarnings("ignore::django.core.paginator.UnorderedObjectListWarning")
def test_a_view_answers_as_djangos_does(name, asked, asgi):
    stock = ask(STOCK[name].as_view(), asked, asgi=False)
    ours = ask(OURS[name].as_view(), asked, asgi=asgi)
    assert (stock.error, stock.status) != ("", 0)
    sent, expected = without_savepoints(ours.queries), without_savepoints(stock.queries)
    stock.queries = ours.queries = []
    assert ours == stock
    assert len(sent) <= len(expected)
