"""``TemplateResponse`` and ``SimpleTemplateResponse``: rendered on the loop or in a thread, once."""

import asyncio
import pickle
import threading
from inspect import iscoroutinefunction

import pytest
from asgiref.sync import async_to_sync, sync_to_async
from django.contrib.auth.models import Group
from django.http import HttpResponse
from django.template import TemplateDoesNotExist, engines
from django.template import response as stock
from django.template.response import ContentNotRenderedError
from django.test import AsyncClient, Client, override_settings
from django.urls import path

from atemplates.response import SimpleTemplateResponse, TemplateResponse

PAGE = "{{ x }}{% for each in groups %} {{ each.name }}{% endfor %} {{ request.path }}"
LOADERS = [
    (
        "django.template.loaders.locmem.Loader",
        {"page": PAGE, "other": "other {{ x }}", "wrong": "{{ x.y.z|add }}", "fails": "{{ fail }}"},
    )
]


@pytest.fixture(autouse=True)
def templates(settings):
    settings.TEMPLATES = [
        {
            "BACKEND": "atemplates.engines.django.DjangoTemplates",
            "OPTIONS": {
                "loaders": LOADERS,
                "context_processors": ["django.template.context_processors.request"],
            },
        },
        {
            "NAME": "stock",
            "BACKEND": "django.template.backends.django.DjangoTemplates",
            "OPTIONS": {"loaders": LOADERS},
        },
    ]


def thread():
    """The name of this thread if no event loop runs in it, else "loop"."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return threading.current_thread().name
    return "loop"


async def later(value):
    await asyncio.sleep(0)
    return value


class TestRender:
    @pytest.mark.parametrize("using", [None, "django", "stock"])
    @pytest.mark.parametrize("name", ["page", ["none", "page"], ("page",)])
    async def test_on_the_loop_and_in_a_thread(self, name, using, rf):
        def make():
            return TemplateResponse(rf.get("/a/"), name, {"x": "<1>"}, using=using)

        ours, other = make(), make()
        assert await ours.render() is ours
        await sync_to_async(lambda: other.render())()
        stocks = stock.TemplateResponse(rf.get("/a/"), name, {"x": "<1>"}, using=using)
        expected = (await sync_to_async(stocks.render)()).content
        assert ours.content == other.content == expected

    async def test_a_template_object(self, rf):
        for using in ("django", "stock"):
            template = engines[using].from_string("{{ x }}")
            response = await SimpleTemplateResponse(template, {"x": 1}).render()
            assert response.content == b"1"

    async def test_awaitables_in_the_context(self, rf):
        response = TemplateResponse(rf.get("/"), "page", {"x": later("awaited")})
        assert (await response.render()).content == b"awaited /"

    def test_awaitables_without_a_loop(self, rf):
        response = TemplateResponse(rf.get("/"), "page", {"x": later("awaited")})
        assert response.render().content == b"awaited /"

    @pytest.mark.django_db
    async def test_a_queryset_in_the_context(self, rf):
        await Group.objects.acreate(name="g")
        response = TemplateResponse(rf.get("/"), "page", {"x": 1, "groups": Group.objects.all()})
        assert (await response.render()).content == b"1 g /"

    async def test_no_context(self, rf):
        assert (await TemplateResponse(rf.get("/"), "other").render()).content == b"other "

    async def test_is_a_coroutine_function_where_a_loop_runs(self, rf):
        response = TemplateResponse(rf.get("/"), "other")
        assert iscoroutinefunction(response.render)
        assert not await sync_to_async(lambda: iscoroutinefunction(response.render))()

    async def test_twice_renders_once(self, rf):
        response = SimpleTemplateResponse("other", {"x": later(1)})
        assert await response.render() is await response.render() is response

    async def test_at_the_same_time_renders_once(self):
        called = []

        async def x():
            called.append(1)
            return await later(1)

        response = SimpleTemplateResponse("other", {"x": x})
        response.add_post_render_callback(lambda _: called.append("callback"))
        await asyncio.gather(*(response.render() for _ in range(3)))
        assert called == [1, "callback"]
        assert response.content == b"other 1"

    async def test_after_an_error_it_renders_again(self):
        response = SimpleTemplateResponse("none")
        with pytest.raises(TemplateDoesNotExist):
            await response.render()
        assert not response.is_rendered
        response.template_name = "other"
        assert (await response.render()).content == b"other "

    async def test_after_a_cancelled_one_it_renders_again(self):
        never = asyncio.Event()
        response = SimpleTemplateResponse("other", {"x": never.wait})
        task = asyncio.create_task(response.render())
        await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        response.context_data = {"x": 2}
        assert (await response.render()).content == b"other 2"

    async def test_content_that_was_set_is_not_rendered(self):
        response = SimpleTemplateResponse("none")
        response.content = "given"
        assert (await response.render()).content == b"given"

    async def test_rendered_content(self):
        response = SimpleTemplateResponse("other", {"x": 1})
        assert response.rendered_content == "other 1"
        assert not response.is_rendered


class TestLikeDjangos:
    async def test_content_before_it_is_rendered(self):
        response = SimpleTemplateResponse("other")
        with pytest.raises(ContentNotRenderedError):
            response.content  # noqa: B018 it is a property
        with pytest.raises(ContentNotRenderedError):
            iter(response)
        with pytest.raises(ContentNotRenderedError):
            pickle.dumps(response)

    @pytest.mark.parametrize("kind", [SimpleTemplateResponse, TemplateResponse])
    async def test_pickling(self, kind, rf):
        arguments = ("other",) if kind is SimpleTemplateResponse else (rf.get("/"), "other")
        response = kind(*arguments, {"x": later(1)}, status=201)
        response.add_post_render_callback(print)
        response["X"] = "1"
        await response.render()
        copied = pickle.loads(pickle.dumps(response))
        assert (copied.content, copied.status_code, copied["X"]) == (b"other 1", 201, "1")
        assert (await copied.render()).content == b"other 1"
        assert not {"_lock", *kind.rendering_attrs} & vars(copied).keys()

    def test_they_are_djangos(self):
        assert issubclass(TemplateResponse, stock.TemplateResponse)
        assert issubclass(TemplateResponse, SimpleTemplateResponse)
        assert [
            *SimpleTemplateResponse.rendering_attrs,
            "_request",
        ] == TemplateResponse.rendering_attrs


class TestCallbacks:
    async def test_sync_ones_run_in_the_thread_and_async_ones_on_the_loop_in_order(self):
        seen = []
        response = SimpleTemplateResponse("other")

        async def coroutine(_):
            seen.append(("async", await later(thread())))

        for name in "ab":
            response.add_post_render_callback(lambda _, name=name: seen.append((name, thread())))
        response.add_post_render_callback(coroutine)
        response.add_post_render_callback(lambda _: seen.append(("c", thread())))
        assert await response.render() is response
        own = await sync_to_async(thread)()
        assert seen == [("a", own), ("b", own), ("async", "loop"), ("c", own)]

    def test_without_a_loop(self):
        seen = []
        response = SimpleTemplateResponse("other")

        async def coroutine(given):
            seen.append(await later(given))

        response.add_post_render_callback(coroutine)
        response.add_post_render_callback(seen.append)
        response.render()
        assert seen == [response, response]

    @pytest.mark.parametrize("colour", ["sync", "async"])
    @pytest.mark.parametrize("on_loop", [True, False])
    def test_what_one_returns_is_the_response(self, colour, on_loop):
        other, seen = HttpResponse("other"), []

        async def coroutine(_):
            return other

        response = SimpleTemplateResponse("other")
        response.add_post_render_callback(coroutine if colour == "async" else lambda _: other)
        response.add_post_render_callback(seen.append)

        async def render():
            return await response.render()

        assert (async_to_sync(render)() if on_loop else response.render()) is other
        assert seen == [other]

    async def test_one_that_comes_late_is_called_at_once(self):
        seen = []
        response = await SimpleTemplateResponse("other").render()

        async def coroutine(given):
            seen.append(given)
            return "result"

        assert response.add_post_render_callback(seen.append) is None
        assert seen == [response]
        assert await response.add_post_render_callback(coroutine) == "result"
        assert seen == [response, response]

    def test_one_that_comes_late_without_a_loop(self):
        seen = []
        response = SimpleTemplateResponse("other").render()

        async def coroutine(given):
            seen.append(given)

        response.add_post_render_callback(coroutine)
        assert seen == [response]


class TestSubclasses:
    async def test_sync_overrides_run_in_the_thread(self):
        seen = []

        class Own(SimpleTemplateResponse):
            def resolve_template(self, template):
                seen.append(thread())
                return super().resolve_template("other")

            def resolve_context(self, context):
                seen.append(thread())
                return {"x": "own"}

        assert (await Own("none").render()).content == b"other own"
        assert (await sync_to_async(lambda: Own("none").render())()).content == b"other own"
        own = await sync_to_async(thread)()
        assert seen == [own] * 4

    async def test_async_overrides_are_awaited(self):
        class Own(SimpleTemplateResponse):
            async def resolve_template(self, template):
                return await sync_to_async(super().resolve_template)("other")

            async def resolve_context(self, context):
                return {"x": await later("own")}

        assert (await Own("none").render()).content == b"other own"
        assert (await sync_to_async(lambda: Own("none").render())()).content == b"other own"

    @pytest.mark.django_db
    async def test_rendered_content_of_a_subclass_runs_in_the_thread(self):
        class Shouting(SimpleTemplateResponse):
            @property
            def rendered_content(self):
                return f"{super().rendered_content} {Group.objects.count()}".upper()

        assert (await Shouting("other", {"x": 1}).render()).content == b"OTHER 1 0"

    async def test_render_of_a_subclass(self):
        class Sync(SimpleTemplateResponse):
            def render(self):
                response = super().render()
                response["X"] = thread()
                return response

        class Async(SimpleTemplateResponse):
            async def render(self):
                response = await super().render()
                response["X"] = thread()
                return response

        assert (await Async("other").render())["X"] == "loop"
        assert (await sync_to_async(Sync("other").render)())["X"] != "loop"


class Middleware:
    """Of both kinds: what it gives for an async site is a coroutine that it passes on."""

    async_capable = sync_capable = True

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        return self.get_response(request)


class NameChanged(Middleware):
    """Changes responses before they are rendered."""

    def process_template_response(self, request, response):
        assert not response.is_rendered
        response.template_name = "other"
        response.context_data = {"x": f"changed {response.context_data['x']}"}
        return response


class Catching(Middleware):
    """Answers exceptions."""

    def process_exception(self, request, exception):
        return HttpResponse(f"caught {type(exception).__name__}", status=418)


class AsyncNameChanged:
    """The same for async views only."""

    async_capable, sync_capable = True, False

    def __init__(self, get_response):
        self.get_response = get_response

    async def __call__(self, request):
        return await self.get_response(request)

    async def process_template_response(self, request, response):
        response.template_name = "other"
        response.context_data = {"x": await later("changed 1")}
        return response


async def async_view(request):
    return TemplateResponse(request, "page", {"x": 1})


def sync_view(request):
    return TemplateResponse(request, "page", {"x": 1})


async def failing_view(request):
    async def fail():
        raise ValueError("x")

    return TemplateResponse(request, "fails", {"fail": fail})


class Urls:
    urlpatterns = [
        path("async/", async_view),
        path("sync/", sync_view),
        path("fails/", failing_view),
    ]


def answer(address, asgi):
    if asgi:
        return async_to_sync(AsyncClient().get)(address)
    return Client().get(address)


@pytest.fixture
def urls(settings):
    settings.ROOT_URLCONF = Urls
    settings.MIDDLEWARE = []


@pytest.mark.usefixtures("urls")
class TestHandlers:
    @pytest.mark.parametrize("asgi", [True, False])
    @pytest.mark.parametrize("address", ["/async/", "/sync/"])
    def test_asgi_and_wsgi(self, address, asgi):
        response = answer(address, asgi)
        assert response.content == f"1 {address}".encode()
        assert [each.name for each in response.templates] == ["page"]
        assert response.context["x"] == 1

    @pytest.mark.parametrize("asgi", [True, False])
    @pytest.mark.parametrize("address", ["/async/", "/sync/"])
    def test_middleware_sees_and_changes_name_and_context(self, address, asgi):
        with override_settings(MIDDLEWARE=[f"{__name__}.NameChanged"]):
            assert answer(address, asgi).content == b"other changed 1"

    def test_async_middleware(self):
        with override_settings(MIDDLEWARE=[f"{__name__}.AsyncNameChanged"]):
            assert answer("/async/", True).content == b"other changed 1"

    @pytest.mark.parametrize("asgi", [True, False])
    def test_exception_middleware_gets_what_rendering_raises(self, asgi):
        with override_settings(MIDDLEWARE=[f"{__name__}.Catching"]):
            response = answer("/fails/", asgi)
        assert (response.status_code, response.content) == (418, b"caught ValueError")

    @pytest.mark.parametrize("asgi", [True, False])
    def test_and_without_it_the_client(self, asgi):
        with pytest.raises(ValueError, match="x"):
            answer("/fails/", asgi)
