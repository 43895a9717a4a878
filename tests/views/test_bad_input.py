"""Wrong use of hooks: Django's own answer, or an error that names the view, the hook and what to write."""

import asyncio
import inspect
from functools import partialmethod, wraps
from unittest import mock

import pytest
from asgiref.sync import async_to_sync, iscoroutinefunction, sync_to_async
from django.core.exceptions import ImproperlyConfigured, PermissionDenied
from django.http import Http404, HttpResponse
from django.utils.decorators import method_decorator
from django.views import generic

from atemplates import views
from atemplates.errors import NotAwaited
from tests.testapp.models import Region
from tests.views import site
from tests.views.asking import ask

pytestmark = pytest.mark.usefixtures("filled")


async def later(value):
    return value


async def respond(view, rf, **kwargs):
    return await view.as_view()(rf.get("/page/"), **kwargs)


class Page(views.TemplateView):
    template_name = "page.html"


class TestNotAwaited:
    """An ``async def`` calls a hook and forgets to await it."""

    @pytest.mark.parametrize(
        "misuse",
        [
            lambda context: context.update(a=1),
            lambda context: context["a"],
            lambda context: context.__setitem__("a", 1),
            lambda context: {**context},
            lambda context: context | {"a": 1},
            lambda context: list(context),
            lambda context: len(context),
            lambda context: bool(context),
            lambda context: "a" in context,
            lambda context: str(context),
            lambda context: f"{context}",
            lambda context: context.filter(pk=1),
            lambda context: context(),
        ],
        ids=range(13),
    )
    async def test_says_what_to_write(self, misuse, rf):
        class Forgetful(Page):
            async def get_context_data(self, **kwargs):
                return misuse(super().get_context_data(**kwargs))

        with pytest.raises(NotAwaited) as caught:
            await respond(Forgetful, rf)
        text = str(caught.value)
        assert "Forgetful.get_context_data()" in text
        assert "await super().get_context_data(...)" in text

    async def test_handed_on(self, rf):
        class Forgetful(Page):
            async def get_context_data(self, **kwargs):
                return super().get_context_data(**kwargs)

        with pytest.raises(
            NotAwaited, match=r"Forgetful\.get_context_data\(\) returned a coroutine"
        ):
            await respond(Forgetful, rf)

    async def test_handed_to_another_hook(self, rf):
        class Forgetful(Page):
            async def get(self, request):
                return await self.render_to_response(self.get_context_data())

        with pytest.raises(NotAwaited, match=r"await self\.get_context_data"):
            await respond(Forgetful, rf)

    async def test_a_response_may_be_handed_on(self, rf):
        class Page(views.TemplateView):
            template_name = "page.html"

            async def get(self, request):
                return self.render_to_response(await self.get_context_data())

        assert (await respond(Page, rf)).template_name == ["page.html"]

    async def test_thrown_away(self, rf):
        class Forgetful(Page):
            async def get_context_data(self, **kwargs):
                super().get_context_data(**kwargs)
                return {}

        with pytest.warns(RuntimeWarning, match=r"Forgetful\.get_context_data.*never awaited"):
            await respond(Forgetful, rf)

    async def test_what_asyncio_does_with_coroutines_works(self, rf):
        class Page(views.TemplateView):
            template_name = "page.html"

            async def get_context_data(self, **kwargs):
                call = super().get_context_data(**kwargs)
                assert inspect.iscoroutine(call) is False
                assert asyncio.iscoroutine(call)
                assert "get_context_data" in repr(call)
                first, second = await asyncio.gather(asyncio.create_task(call), later(2))
                return first | {"second": second}

        assert (await respond(Page, rf)).context_data["second"] == 2

    async def test_a_call_is_closed_without_a_warning(self, rf):
        class Page(views.TemplateView):
            template_name = "page.html"

            async def get_context_data(self, **kwargs):
                super().get_context_data(**kwargs).close()
                return {}

        assert (await respond(Page, rf)).context_data == {}


class TestACoroutineByAccident:
    """A ``def`` that returns a coroutine, of the site's own function or of ``super()``."""

    @pytest.mark.parametrize("asgi", [True, False])
    @pytest.mark.parametrize(
        ("base", "name", "kwargs"),
        [
            (views.ListView, "get_queryset", {}),
            (views.ListView, "get_paginate_by", {}),
            (views.DetailView, "get_object", {"pk": 1}),
            (views.TemplateView, "get_context_data", {}),
            (views.TemplateView, "get_template_names", {}),
            (views.RedirectView, "get_redirect_url", {}),
        ],
    )
    def test_names_view_and_hook(self, base, name, kwargs, asgi):
        hook = {name: lambda self, *args, **kwargs: later(None)}
        view = type("Accident", (base,), {"template_name": "page.html", "model": Region, **hook})
        outcome = ask(view.as_view(), site.Asked("get", kwargs), asgi=asgi)
        assert outcome.error.startswith(f"NotAwaited: Accident.{name}() returned a coroutine")
        assert f"async def {name}(self, ...)" in outcome.error

    async def test_of_a_coroutine_function(self, rf):
        class Accident(views.ListView):
            async def get_queryset(self):
                return later([])

        with pytest.raises(NotAwaited, match=r"Accident\.get_queryset\(\) returned a coroutine"):
            await respond(Accident, rf)

    async def test_form_valid_that_saves_is_called_once(self, rf):
        saved = []

        class Create(views.FormView):
            form_class = site.SearchForm

            def form_valid(self, form):
                saved.append(form)
                return later(HttpResponse())

        with pytest.raises(NotAwaited, match=r"Create\.form_valid"):
            await Create.as_view()(rf.post("/page/", {"region": 1}))
        assert len(saved) == 1


class TestSuperOfTheOtherColour:
    def classes(self):
        class Sync(views.TemplateView):
            template_name = "page.html"

            def get_context_data(self, **kwargs):
                return super().get_context_data(sync=1, **kwargs)

        class Async(views.TemplateView):
            template_name = "page.html"

            async def get_context_data(self, **kwargs):
                return await super().get_context_data(coroutine=1, **kwargs)

        class SyncOverAsync(Async):
            def get_context_data(self, **kwargs):
                return super().get_context_data(sync=1, **kwargs)

        class AsyncOverSync(Sync):
            async def get_context_data(self, **kwargs):
                return await super().get_context_data(coroutine=1, **kwargs)

        return [SyncOverAsync, AsyncOverSync]

    @pytest.mark.parametrize("number", [0, 1])
    async def test_works_between_classes_that_derive_from_ours(self, number, rf):
        response = await respond(self.classes()[number], rf)
        assert {"sync", "coroutine"} <= response.context_data.keys()

    @pytest.mark.parametrize("number", [0, 1])
    def test_and_without_a_loop(self, number, rf):
        response = self.classes()[number].as_view()(rf.get("/page/"))
        assert {"sync", "coroutine"} <= response.context_data.keys()

    async def test_a_mixin_that_is_nobodys_works_in_front(self, rf):
        class SyncMixin:
            def get_context_data(self, **kwargs):
                return {**super().get_context_data(**kwargs), "sync": 1}

        class AsyncMixin:
            async def get_context_data(self, **kwargs):
                return {**(await super().get_context_data(**kwargs)), "coroutine": 1}

        for mixin, key in ((SyncMixin, "sync"), (AsyncMixin, "coroutine")):

            class Page(mixin, views.TemplateView):
                template_name = "page.html"

            assert (await respond(Page, rf)).context_data[key] == 1

    async def test_a_mixin_that_is_nobodys_is_named_where_super_cannot_pass(self, rf):
        class AsyncMixin:
            async def get_context_data(self, **kwargs):
                return await super().get_context_data(**kwargs)

        class Page(AsyncMixin, views.TemplateView):
            template_name = "page.html"

            def get_context_data(self, **kwargs):
                context = super().get_context_data(**kwargs)
                try:
                    context["a"] = 1
                finally:
                    context.close()
                return context

        with pytest.raises(TypeError) as caught:
            await respond(Page, rf)
        (note,) = caught.value.__notes__
        assert "Page.get_context_data() is written as `def` in" in note
        assert "AsyncMixin" in note


class TestHandlers:
    def test_a_sync_handler_in_an_async_view(self):
        class Mixed(views.UpdateView):
            def post(self, request):
                return HttpResponse()

        with pytest.raises(ImproperlyConfigured) as caught:
            Mixed.as_view()
        text = str(caught.value)
        assert "must either be all sync or all async" in text
        assert "Mixed.post()" in text
        assert "`async def post(self, request, ...)`" in text
        assert "AsyncRenderMixin" in text

    def test_both_of_the_sites_own(self):
        class Mixed(views.View):
            async def get(self, request):
                return HttpResponse()

            def post(self, request):
                return HttpResponse()

        with pytest.raises(ImproperlyConfigured, match=r"Sync: .*Mixed\.post.*Async: .*Mixed\.get"):
            Mixed.as_view()

    def test_async_render_mixin_takes_both(self, rf):
        class Mixed(views.AsyncRenderMixin, views.DetailView):
            model = Region

            def post(self, request, **kwargs):
                return HttpResponse(str(self.get_object()))

        assert Mixed.as_view()(rf.post("/page/"), pk=1).content == b"north"
        assert Mixed.as_view()(rf.get("/page/"), pk=1).context_data["object"].name == "north"

    async def test_only_sync_handlers_make_a_sync_view(self, rf):
        class Sync(views.TemplateView):
            template_name = "page.html"

            def get(self, request):
                return super().get(request)

        view = Sync.as_view()
        assert not inspect.iscoroutinefunction(view)
        assert not Sync.view_is_async
        with pytest.raises(NotAwaited, match=r"Sync has sync handlers.*sync_to_async"):
            view(rf.get("/page/"))
        response = await sync_to_async(view)(rf.get("/page/"))
        assert response.template_name == ["page.html"]

    @pytest.mark.parametrize("colour", ["sync", "async"])
    @pytest.mark.parametrize("asgi", [True, False])
    @pytest.mark.parametrize("method", ["get", "head", "post", "options", "put"])
    def test_method_names_and_options(self, method, asgi, colour):
        def handler(self, request):
            return HttpResponse("found")

        async def ahandler(self, request):
            return HttpResponse("found")

        body = {"get": handler, "http_method_names": ["get", "head", "options", "put"]}
        stock = type("Some", (generic.View,), body)
        ours = type(
            "Some", (views.View,), {**body, "get": handler if colour == "sync" else ahandler}
        )
        asked = site.Asked(method, {})
        assert ask(ours.as_view(), asked, asgi=asgi) == ask(stock.as_view(), asked, asgi=False)

    async def test_a_method_of_its_own(self, rf):
        class Own(views.TemplateView):
            http_method_names = ["get", "purge"]
            template_name = "page.html"

            async def purge(self, request):
                return HttpResponse("purged")

        assert (await Own.as_view()(rf.generic("PURGE", "/"))).content == b"purged"


class TestAsView:
    @pytest.mark.parametrize("initkwargs", [{"get": 1}, {"nothing": 1}, {"post": 1}])
    def test_refuses_what_djangos_refuses(self, initkwargs):
        with pytest.raises(TypeError) as stock:
            generic.TemplateView.as_view(**initkwargs)
        with pytest.raises(TypeError) as ours:
            views.TemplateView.as_view(**initkwargs)
        assert str(ours.value) == str(stock.value)

    def test_has_the_attributes_of_djangos(self):
        view = views.TemplateView.as_view(template_name="a")
        stock = generic.TemplateView.as_view(template_name="a")
        assert view.view_class is views.TemplateView
        assert view.view_initkwargs == {"template_name": "a"}
        assert vars(stock).keys() <= vars(view).keys()
        assert (view.__name__, view.__qualname__) == (stock.__name__, stock.__qualname__)
        assert view.__module__ == views.TemplateView.__module__
        assert view.__doc__ == views.TemplateView.__doc__

    def test_wraps_does_not_make_a_sync_function_a_coroutine_function(self):
        view = views.TemplateView.as_view()
        assert iscoroutinefunction(view)
        assert not iscoroutinefunction(wraps(view)(lambda request: view(request)))

    @pytest.mark.parametrize("colour", ["def", "async def"])
    async def test_a_hook_as_an_argument(self, colour, rf):
        async def coroutine():
            return Region.objects.filter(pk=1)

        hook = (lambda: Region.objects.filter(pk=1)) if colour == "def" else coroutine
        response = await views.ListView.as_view(get_queryset=hook)(rf.get("/"))
        assert [each.pk async for each in response.context_data["object_list"]] == [1]

    async def test_a_hook_that_is_replaced_later(self, rf, monkeypatch):
        class Some(views.ListView):
            model = Region

        monkeypatch.setattr(Some, "get_queryset", lambda self: Region.objects.filter(pk=2))
        response = await respond(Some, rf)
        assert [each.pk async for each in response.context_data["object_list"]] == [2]

    @pytest.mark.parametrize("kind", [mock.MagicMock, mock.AsyncMock])
    @pytest.mark.parametrize("base", [views.ListView, views.View])
    async def test_a_mock(self, kind, base, rf):
        class Some(base):
            model = Region
            template_name = "page.html"

            async def get(self, request):
                return HttpResponse(str(len(await self.get_queryset())))

            async def get_queryset(self):
                return None

        with mock.patch.object(Some, "get_queryset", kind(return_value=[1, 2])):
            assert (await respond(Some, rf)).content == b"2"

    async def test_a_partialmethod(self, rf):
        class Some(views.ListView):
            async def having(self, key):
                return Region.objects.filter(pk=key)

            get_queryset = partialmethod(having, 3)

        response = await respond(Some, rf)
        assert [each.pk async for each in response.context_data["object_list"]] == [3]

    @pytest.mark.parametrize("kind", [staticmethod, classmethod])
    async def test_a_hook_that_is_no_function(self, kind, rf):
        class Some(views.ListView):
            get_queryset = kind(lambda *_: Region.objects.filter(pk=3))

        response = await respond(Some, rf)
        assert [each.pk async for each in response.context_data["object_list"]] == [3]

    async def test_setup_that_forgets_super(self, rf):
        class Some(views.TemplateView):
            def setup(self, request):
                pass

        with pytest.raises(AttributeError, match="Did you override setup"):
            await respond(Some, rf)


class TestErrorsOfHooks:
    @pytest.mark.parametrize("colour", ["def", "async def"])
    @pytest.mark.parametrize("error", [Http404("gone"), PermissionDenied("no"), ValueError("x")])
    def test_reach_djangos_handler(self, error, colour):
        class Sync(views.DetailView):
            def get_object(self):
                raise error

        class Async(views.DetailView):
            async def get_object(self):
                raise error

        class Stock(generic.DetailView):
            def get_object(self):
                raise error

        ours = {"def": Sync, "async def": Async}[colour]
        asked = site.Asked("get", {})
        assert ask(ours.as_view(), asked, asgi=True) == ask(Stock.as_view(), asked, asgi=False)

    def test_a_list_for_a_queryset(self):
        async def get_queryset(self):
            return ["a", "b"]

        ours = type("Some", (views.ListView,), {"get_queryset": get_queryset})
        stock = type("Some", (generic.ListView,), {"get_queryset": lambda self: ["a", "b"]})
        for view in (ours, stock):
            view.template_name, view.allow_empty = "page.html", False
        asked = site.Asked("get", {})
        assert ask(ours.as_view(), asked, asgi=True) == ask(stock.as_view(), asked, asgi=False)


def test_a_coroutine_function_for_async_to_sync(rf):
    response = async_to_sync(Page.as_view())(rf.get("/"))
    assert response.template_name == ["page.html"]


@pytest.mark.parametrize("asgi", [True, False])
def test_a_decorated_handler_of_djangos_stays_async(asgi):
    def stamped(view):
        @wraps(view)
        def stamp(request, *args, **kwargs):
            response = view(request, *args, **kwargs)
            response["X-Stamp"] = "1"
            return response

        return stamp

    class Stamped(views.UpdateView):
        model = Region
        fields = ["name"]
        template_name = "page.html"
        get = method_decorator(stamped)(views.UpdateView.get)
        post = method_decorator(stamped)(views.UpdateView.post)

    assert Stamped.view_is_async
    assert views.UpdateView.view_is_async
    outcome = ask(Stamped.as_view(), site.Asked("get", {"pk": 1}), asgi=asgi)
    assert (outcome.status, outcome.headers["X-Stamp"]) == (200, "1")
    outcome = ask(Stamped.as_view(), site.Asked("post", {"pk": 1}, {"name": ""}), asgi=asgi)
    assert (outcome.status, outcome.headers["X-Stamp"]) == (200, "1")
