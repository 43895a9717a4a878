"""Where a view's code runs, and how many hops it takes to the request's thread."""

import asyncio
import threading

import pytest
from asgiref.sync import SyncToAsync, sync_to_async
from django.test import AsyncClient, override_settings
from django.urls import path

from atemplates import views
from tests.testapp.models import Region, Species
from tests.views import site

pytestmark = pytest.mark.usefixtures("filled")

OURS = site.generic_views(views)


@pytest.fixture
def hops(monkeypatch):
    """Every call that somebody makes in the request's thread from the loop."""
    made = []
    call = SyncToAsync.__call__

    async def counted(self, *args, **kwargs):
        made.append(getattr(self.func, "__qualname__", ""))
        return await call(self, *args, **kwargs)

    monkeypatch.setattr(SyncToAsync, "__call__", counted)
    return made


async def respond(view, rf, hops, method="get", data=None, **kwargs):
    """Call a view on the loop; give its response, not rendered, and the hops it took."""
    request = getattr(rf, method)("/page/", data or {})
    hops.clear()
    response = await view.as_view()(request, **kwargs)
    taken = list(hops)
    await sync_to_async(lambda: None)()
    return response, taken


class TestPlainViews:
    @pytest.mark.parametrize("name", ["Plain", "List", "Items"])
    async def test_no_hop_where_nothing_is_asked(self, name, rf, hops):
        response, taken = await respond(OURS[name], rf, hops)
        assert response.status_code == 200
        assert taken == []

    async def test_a_redirect_takes_no_hop(self, rf, hops):
        assert (await respond(OURS["Redirect"], rf, hops, pk=1))[1] == []

    async def test_a_detail_view_asks_the_async_orm_only(self, rf, hops):
        response, taken = await respond(OURS["Detail"], rf, hops, pk=2)
        assert response.context_data["object"].pk == 2
        assert taken == ["QuerySet.get"]

    async def test_pages_are_counted_by_the_async_orm(self, rf, hops):
        class Pages(views.ListView):
            queryset = Region.objects.order_by("pk")
            paginate_by = 2

        response, taken = await respond(Pages, rf, hops)
        assert response.context_data["paginator"].count == 5
        assert taken == ["QuerySet.count"]

    async def test_the_list_stays_a_queryset_that_is_not_loaded(self, rf, hops):
        response, _ = await respond(OURS["List"], rf, hops)
        assert response.context_data["object_list"]._result_cache is None

    async def test_a_queryset_that_is_loaded_is_not_counted_again(self, rf, hops):
        loaded = Region.objects.order_by("pk")
        await sync_to_async(len)(loaded)

        class Pages(views.ListView):
            paginate_by = 2

            async def get_queryset(self):
                return loaded

        response, taken = await respond(Pages, rf, hops)
        assert response.context_data["paginator"].count == 5
        assert taken == []


class TestOneHop:
    @pytest.mark.parametrize(
        ("name", "method", "kwargs", "data"),
        [
            ("Form", "get", {}, None),
            ("Form", "post", {}, {"region": 1}),
            ("Create", "post", {}, {"name": "new", "parent": 1}),
            ("Create", "post", {}, {"name": ""}),
            ("Update", "get", {"pk": 2}, None),
            ("Update", "post", {"pk": 2}, {"name": "new"}),
            ("Delete", "post", {"pk": 2}, None),
        ],
    )
    async def test_of_a_form_view(self, name, method, kwargs, data, rf, hops):
        _, taken = await respond(OURS[name], rf, hops, method, data, **kwargs)
        assert len(taken) == 1

    @pytest.mark.parametrize(
        ("name", "kwargs"),
        [("Index", {}), ("Year", {"year": 2024}), ("Day", site.DATE)],
    )
    async def test_of_a_date_view(self, name, kwargs, rf, hops):
        assert len((await respond(OURS[name], rf, hops, **kwargs))[1]) == 1

    @pytest.mark.parametrize("hook", ["get_queryset", "get_context_data", "setup", "dispatch"])
    async def test_of_a_view_with_a_sync_hook(self, hook, rf, hops):
        seen = []

        def passing(self, *args, **kwargs):
            seen.append(threading.current_thread())
            return getattr(super(Pages, self), hook)(*args, **kwargs)

        Pages = type(
            "Pages", (OURS["Pages"],), {hook: passing, "get_allow_empty": lambda self: False}
        )
        _, taken = await respond(Pages, rf, hops)
        assert len(taken) == 1
        # In the thread that queries go to.
        assert seen == [await sync_to_async(threading.current_thread)()]

    async def test_of_a_view_with_many_sync_hooks(self, rf, hops):
        class Many(views.UpdateView):
            model = Region
            fields = ["name", "parent"]

            def setup(self, request, *args, **kwargs):
                super().setup(request, *args, **kwargs)
                self.first = Region.objects.first()

            def get_object(self, queryset=None):
                return super().get_object(queryset)

            def get_initial(self):
                return {**super().get_initial(), "name": Region.objects.last().name}

            def get_context_data(self, **kwargs):
                return {**super().get_context_data(**kwargs), "count": Region.objects.count()}

            def get_template_names(self):
                return [f"{Region.objects.count()}.html", *super().get_template_names()]

        response, taken = await respond(Many, rf, hops, pk=2)
        assert response.context_data["count"] == 5
        assert response.template_name == ["5.html", "testapp/region_form.html"]
        assert len(taken) == 1

    async def test_where_the_manager_is_the_sites(self, rf, hops):
        class Animals(views.ListView):
            model = Species
            allow_empty = False

        Species._meta.default_manager_name  # noqa: B018 the plain one
        with pytest.raises(Exception, match="Empty list"):
            await respond(Animals, rf, hops)
        plain = list(hops)

        class Visible(Animals):
            model = type("Visible", (Species,), {"__module__": __name__, "Meta": VisibleMeta})

        with pytest.raises(Exception, match="Empty list"):
            await respond(Visible, rf, hops)
        assert (plain, len(hops)) == (["QuerySet._fetch_all"], 1)
        assert hops != plain

    async def test_where_an_attribute_is_a_property(self, rf, hops):
        class Own(views.ListView):
            @property
            def queryset(self):
                return Region.objects.filter(pk__in=[Region.objects.first().pk])

        response, taken = await respond(Own, rf, hops)
        assert len(taken) == 1
        assert [each.pk async for each in response.context_data["object_list"]] == [1]


class VisibleMeta:
    proxy = True
    app_label = "testapp"
    default_manager_name = "visible"


class TestAsyncHooks:
    async def test_they_take_no_hop(self, rf, hops):
        class Both(views.ListView):
            async def get_queryset(self):
                return Region.objects.order_by("pk")

            async def get_context_data(self, **kwargs):
                context = await super().get_context_data(**kwargs)
                return context | {"task": asyncio.current_task()}

        response, taken = await respond(Both, rf, hops)
        assert response.context_data["task"] is asyncio.current_task()
        assert taken == []

    async def test_beside_them_each_sync_hook_takes_one(self, rf, hops):
        class Mixed(views.ListView):
            def get_queryset(self):
                return Region.objects.filter(pk__gt=Region.objects.first().pk)

            async def get_context_data(self, **kwargs):
                return await super().get_context_data(**kwargs)

        response, taken = await respond(Mixed, rf, hops)
        assert len(taken) == 1
        assert [each.pk async for each in response.context_data["object_list"]] == [2, 3, 4, 5]

    async def test_an_async_form_valid_leaves_one_hop_for_the_form_and_one_to_save(self, rf, hops):
        class Create(OURS["Create"]):
            async def form_valid(self, form):
                return await super().form_valid(form)

        response, taken = await respond(Create, rf, hops, "post", {"name": "new"})
        assert response.status_code == 302
        assert len(taken) == 2


async def test_the_template_is_rendered_on_the_loop(monkeypatch):
    seen = []

    class Page(views.TemplateView):
        template_name = "page.html"

        def get_context_data(self, **kwargs):
            async def extra():
                seen.append(threading.current_thread())
                return "e"

            return super().get_context_data(extra=extra())

    urls = type("Urls", (), {"urlpatterns": [path("page/", Page.as_view())]})
    with override_settings(ROOT_URLCONF=urls):
        await AsyncClient().get("/page/")
    assert seen == [threading.current_thread()]
