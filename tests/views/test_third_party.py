"""`AsyncRenderMixin` in front of the views of django-filter and django-tables2.

Each view is there twice, with the mixin and without it; the latter says what is right, asked by
the sync client.
"""

import pytest
from django.core.paginator import Paginator
from django.urls import path
from django_filters import CharFilter, FilterSet, ModelChoiceFilter
from django_filters.views import FilterView
from django_tables2 import (
    Column,
    LazyPaginator,
    MultiTableMixin,
    SingleTableMixin,
    SingleTableView,
    Table,
)

from atemplates.views import AsyncRenderMixin
from tests.testapp.data import zoo
from tests.testapp.models import Animal, Region, Species
from tests.views import noting_tags
from tests.views.serving import Visitor, place, site, template_settings

pytestmark = pytest.mark.django_db(databases=["default", "other"])
__all__ = ["zoo"]

TEMPLATES = {
    "plain.html": "{% load noting %}{% place %}<p>{{ title }}</p>",
    "filter.html": """{% load noting %}{% place %}{{ user }}
        <form>{{ filter.form.as_p }}</form>{{ filter.form.errors }}
        {% for animal in object_list %}<li>{{ animal.name }}: {{ animal.species.name }}</li>
        {% empty %}none{% endfor %}
        {% if is_paginated %}{{ page_obj }} {{ paginator.count }}{% endif %}""",
    "table.html": "{% load noting django_tables2 %}{% place %}{% render_table table %}{{ title }}",
    "tables.html": "{% load django_tables2 %}{% for t in tables %}{% render_table t %}{% endfor %}",
    "both.html": """{% load noting django_tables2 %}{% place %}{{ filter.form }}
        {% render_table table %}{{ object_list|length }}""",
}


class AnimalFilter(FilterSet):
    name = CharFilter(lookup_expr="icontains")
    species = ModelChoiceFilter(queryset=lambda request: Species.everything.exclude(hidden=True))

    class Meta:
        model = Animal
        fields = {"weight": ["lt", "gte"]}


class AnimalTable(Table):
    species = Column(accessor="species__name", order_by=("species__name", "-pk"))
    region = Column(accessor="home__region__name", empty_values=())
    foods = Column(empty_values=(), orderable=False)

    class Meta:
        model = Animal
        fields = ("name", "weight")
        attrs = {"class": "animals"}
        empty_text = "no animals"

    def render_foods(self, record):
        return record.food_names()


class RegionTable(Table):
    parent = Column(linkify=lambda record: f"/regions/{record.pk}/")

    class Meta:
        model = Region
        fields = ("name",)


class Filtered(FilterView):
    filterset_class = AnimalFilter
    queryset = Animal.objects.order_by("-weight", "pk")
    template_name = "filter.html"


class FilteredLeniently(Filtered):
    strict = False


class FilteredInPages(Filtered):
    paginate_by = 2


class Tabled(SingleTableView):
    table_class = AnimalTable
    model = Animal
    template_name = "table.html"
    table_pagination = {"per_page": 3}


class TabledInDjangosPages(Tabled):
    table_pagination = None
    paginate_by = 2


class TabledLazily(Tabled):
    paginator_class = LazyPaginator


class TabledWithRows(Tabled):
    table_pagination = False

    def get_table_data(self):
        return [{"name": "a dict", "weight": 2}, {"name": "another", "weight": 1}]

    def get_table_kwargs(self):
        return {"exclude": ("foods", "region", "species")}


class TabledTwice(MultiTableMixin, FilterView):
    filterset_class = AnimalFilter
    template_name = "tables.html"

    def get_tables(self):
        return [AnimalTable(self.object_list), RegionTable(Region.objects.all())]


class Both(SingleTableMixin, FilterView):
    filterset_class = AnimalFilter
    table_class = AnimalTable
    template_name = "both.html"
    table_pagination = {"per_page": 2}

    def get_context_data(self, **kwargs):
        return super().get_context_data(title="both", **kwargs)


class CountedPaginator(Paginator):
    """One of the site."""


class BothWithTheSitesPaginator(Both):
    paginator_class = CountedPaginator
    paginate_by = 2


VIEWS = [
    *(Filtered, FilteredLeniently, FilteredInPages),
    *(Tabled, TabledInDjangosPages, TabledLazily, TabledWithRows, TabledTwice),
    *(Both, BothWithTheSitesPaginator),
]
QUERIES = [
    "",
    "?name=a&weight__gte=2",
    "?name=nobody",
    "?name=<script>",
    "?weight__lt=many",
    "?species=99999&name=a",
    "?sort=-weight",
    "?sort=species,-name",
    "?sort=nothing",
    "?page=2",
    "?page=2&sort=name&name=a",
    "?page=0",
    "?page=last",
    "?page=999",
    "?page=words",
    "?per_page=1",
]


@pytest.fixture(autouse=True)
def installed(settings, zoo):
    settings.INSTALLED_APPS = [*settings.INSTALLED_APPS, "django_filters", "django_tables2"]
    settings.TEMPLATES = template_settings(TEMPLATES)
    noting_tags.rendered_on_loop.clear()


def with_mixin(view, **attributes):
    return type(view.__name__, (AsyncRenderMixin, view), attributes)


def ask(settings, view, *queries, on_loop=False, **options):
    """What the view answers to each query."""
    settings.ROOT_URLCONF = site(path("page/", view.as_view()))
    visitor = Visitor(on_loop=on_loop)
    return [visitor.ask(f"/page/{query}", **options) for query in queries or [""]]


def ask_all(settings, view, ours, *queries, **options):
    """The stock view by the sync client, and ours by both."""
    return (
        ask(settings, view, *queries, **options),
        ask(settings, ours, *queries, **options),
        ask(settings, ours, *queries, on_loop=True, **options),
    )


def facts(answers):
    return [answer.facts for answer in answers]


class TestTheSameAnswer:
    @pytest.mark.parametrize("view", VIEWS)
    def test_for_every_query(self, settings, view):
        stock, in_thread, on_loop = ask_all(settings, view, with_mixin(view), *QUERIES)
        assert facts(in_thread) == facts(on_loop) == facts(stock)
        for each, ours, awaited in zip(stock, in_thread, on_loop, strict=True):
            assert ours.queries == each.queries
            assert len(awaited.queries) <= len(each.queries)

    @pytest.mark.parametrize("view", [Filtered, Tabled, Both])
    @pytest.mark.parametrize("method", ["head", "options", "post", "delete"])
    def test_for_other_methods(self, settings, view, method):
        stock, in_thread, on_loop = ask_all(settings, view, with_mixin(view), method=method)
        assert facts(in_thread) == facts(on_loop) == facts(stock)

    def test_the_queries_do_something(self, settings):
        """What is compared is not one and the same page, nor an error."""
        answers = ask(settings, Both, *QUERIES)
        assert {each.facts["status"] for each in answers} == {200}
        assert len({each.facts["content"] for each in answers}) > len(QUERIES) * 0.8
        statuses = {each.facts["status"] for each in ask(settings, FilteredInPages, *QUERIES)}
        assert statuses == {200, 404}

    @pytest.mark.parametrize("view", VIEWS)
    def test_many_times(self, settings, view):
        """Tags of others that were quick often enough run elsewhere then."""
        query = "?sort=-name"
        (stock,) = ask(settings, view, query)
        answers = ask(settings, with_mixin(view), *[query] * 12, on_loop=True)
        assert facts(answers) == [stock.facts] * 12


HOOKS = ["dispatch", "get", "get_queryset", "get_context_data", "render_to_response"]
MORE_HOOKS = {
    Filtered: ["get_filterset_class", "get_filterset", "get_filterset_kwargs", "get_strict"],
    Tabled: ["get_table", "get_table_class", "get_table_data", "get_table_kwargs"],
    Both: ["get_filterset", "get_table", "get_table_class", "get_table_data", "get_strict"],
}


def noting(view, names, places):
    """Methods that note where they run and call the view's own."""

    def noted(name):
        def method(self, *args, **kwargs):
            places[name] = place()
            return getattr(super(view, self), name)(*args, **kwargs)

        return method

    return {name: noted(name) for name in names}


class TestWhere:
    @pytest.mark.parametrize("view", [Filtered, Tabled, Both])
    def test_the_whole_view_runs_in_one_hop(self, settings, view):
        places = {}
        names = [*HOOKS, *MORE_HOOKS[view]]
        middle = type(view.__name__, (view,), {})
        for name, method in noting(middle, names, places).items():
            setattr(middle, name, method)
        query = "?weight__lt=many"  # so that `get_strict` is asked
        stock, _, on_loop = ask_all(settings, view, with_mixin(middle), query)
        assert facts(on_loop) == facts(stock)
        assert set(places) == set(names)
        ((loop_runs, _, hop),) = set(places.values())
        assert not loop_runs
        assert hop > 0

    @pytest.mark.parametrize("view", [Filtered, Tabled, Both])
    def test_the_template_is_rendered_on_the_loop(self, settings, view):
        ask_all(settings, view, with_mixin(view))
        assert noting_tags.rendered_on_loop == [False, False, True]

    @pytest.mark.parametrize("view", [Filtered, Tabled, Both])
    def test_it_takes_one_hop_less_than_djangos(self, settings, view):
        """Where the template needs nothing of the thread: Django renders in a hop of its own."""
        quiet = type(view.__name__, (view,), {"template_name": "plain.html"})
        stock = ask(settings, quiet, "", "", on_loop=True)
        ours = ask(settings, with_mixin(quiet), "", "", on_loop=True)
        # The first time, the template is compiled.
        assert ours[1].hops == stock[1].hops - 1

    @pytest.mark.parametrize("view", VIEWS)
    def test_it_never_takes_more_hops_than_djangos(self, settings, view):
        """Rows that the template loads, and tags of others, are one hop, as the render is there."""
        stock = ask(settings, view, "", "", on_loop=True)
        ours = ask(settings, with_mixin(view), "", "", on_loop=True)
        assert ours[1].hops <= stock[1].hops


class TestAsyncHooks:
    @pytest.mark.parametrize("view", [Filtered, Tabled, Both])
    def test_one_that_asks_for_nothing_of_the_class(self, settings, view):
        class Light(view):
            def get_queryset(self):
                return Animal.objects.filter(weight__lt=100)

        class Ours(AsyncRenderMixin, view):
            async def get_queryset(self):
                places.append(place()[0])
                return Animal.objects.filter(weight__lt=100)

        places = []
        stock, in_thread, on_loop = ask_all(settings, Light, Ours, *QUERIES)
        assert facts(in_thread) == facts(on_loop) == facts(stock)
        assert set(places) == {True}

    @pytest.mark.parametrize("view", [Filtered, Tabled, Both])
    def test_one_that_extends_the_classs(self, settings, view):
        places = []

        class Light(view):
            def get_queryset(self):
                return super().get_queryset().filter(weight__lt=100)

            def get_context_data(self, **kwargs):
                return super().get_context_data(heavy=Animal.objects.count(), **kwargs)

        class Ours(AsyncRenderMixin, view):
            async def get_queryset(self):
                places.append(place()[0])
                queryset = await super().get_queryset()
                return queryset.filter(weight__lt=100)

            async def get_context_data(self, **kwargs):
                places.append(place()[0])
                heavy = await Animal.objects.acount()
                return await super().get_context_data(heavy=heavy, **kwargs)

        stock, in_thread, on_loop = ask_all(settings, Light, Ours, *QUERIES)
        assert facts(in_thread) == facts(on_loop) == facts(stock)
        assert set(places) == {True}

    @pytest.mark.parametrize("view", [Filtered, Tabled, Both])
    def test_one_that_raises(self, settings, view):
        class Raising(view):
            def get_queryset(self):
                raise PermissionError

        class Ours(AsyncRenderMixin, view):
            async def get_queryset(self):
                raise PermissionError

        stock, in_thread, on_loop = ask_all(settings, Raising, Ours)
        assert stock[0].facts["status"] == 500
        assert facts(in_thread) == facts(on_loop) == facts(stock)

    def test_a_plain_def_between(self, settings):
        """A ``def`` of a mixin of the site, whose super() is an ``async def``."""

        class AsyncPart(AsyncRenderMixin):
            async def get_context_data(self, **kwargs):
                return await super().get_context_data(title="async", **kwargs)

        class SyncPart(AsyncRenderMixin):
            def get_context_data(self, **kwargs):
                return super().get_context_data(**kwargs)

        class Titled(Tabled):
            def get_context_data(self, **kwargs):
                return super().get_context_data(title="async", **kwargs)

        class Ours(SyncPart, AsyncPart, Tabled):
            pass

        stock, in_thread, on_loop = ask_all(settings, Titled, Ours)
        assert "async" in stock[0].facts["content"]
        assert facts(in_thread) == facts(on_loop) == facts(stock)
