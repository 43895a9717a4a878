"""Lists in pages: Django's paginators and those of a site."""

import pytest
from django.core import paginator as paginators
from django.core.paginator import Paginator
from django.views import generic

from atemplates import views
from tests.testapp.models import Region
from tests.views import site
from tests.views.asking import ask

pytestmark = pytest.mark.usefixtures("filled")
NUMBERS = ["1", "2", "3", "last", "0", "-1", "9", "x", ""]
has_async_paginator = pytest.mark.skipif(
    not hasattr(paginators, "AsyncPaginator"), reason="Django 5.2 has no AsyncPaginator"
)


class Estimating(Paginator):
    """Asks the database when it is made, for the count, and for a page."""

    def __init__(self, *args, **kwargs):
        self.first = Region.objects.first()
        super().__init__(*args, **kwargs)

    @property
    def count(self):
        return Region.objects.count()

    def page(self, number):
        assert Region.objects.exists()
        return super().page(number)


def pages(generic, paginator_class, **hooks):
    body = {
        "queryset": Region.objects.order_by("pk"),
        "paginate_by": 2,
        "paginate_orphans": 1,
        "paginator_class": paginator_class,
        "template_name": "page.html",
        **hooks,
    }
    return type("Pages", (generic.ListView,), body).as_view()


def sync_hook(self, **kwargs):
    return views.ListView.get_context_data(self, **kwargs)


async def async_hook(self, **kwargs):
    return await views.ListView.get_context_data(self, **kwargs)


HOOKS = [{}, {"get_context_data": sync_hook}, {"get_context_data": async_hook}]


@pytest.mark.parametrize("number", NUMBERS)
@pytest.mark.parametrize("hooks", HOOKS, ids=["plain", "def", "async def"])
@pytest.mark.parametrize("asgi", [True, False], ids=["asgi", "wsgi"])
class TestPages:
    def test_of_a_paginator_of_the_site(self, number, hooks, asgi):
        asked = site.Asked("get", {}, {"page": number})
        stock = ask(pages(generic, Estimating), asked, asgi=False)
        ours = ask(pages(views, Estimating, **hooks), asked, asgi=asgi)
        assert len(ours.queries) <= len(stock.queries)
        ours.queries = stock.queries = []
        assert ours == stock

    @has_async_paginator
    def test_of_the_async_paginator(self, number, hooks, asgi):
        asked = site.Asked("get", {}, {"page": number})
        stock = ask(pages(generic, Paginator), asked, asgi=False)
        ours = ask(pages(views, paginators.AsyncPaginator, **hooks), asked, asgi=asgi)
        assert len(ours.queries) <= len(stock.queries)
        ours.queries = stock.queries = []
        assert ours == stock
