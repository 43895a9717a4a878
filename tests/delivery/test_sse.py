"""``sse``: its arguments, what it sends, and what it leaves behind, without a server."""

import asyncio
import contextvars
import gc
import gzip
import logging
import threading
import zlib

import django
import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import Group
from django.core.exceptions import ImproperlyConfigured
from django.core.signals import got_request_exception, request_finished
from django.template import TemplateDoesNotExist
from django.test import AsyncClient, AsyncRequestFactory, Client, RequestFactory
from django.urls import path
from django.utils import translation

from atemplates import EventStream, SseEvent, aget_template, sse
from tests.delivery.conftest import messages_of, these, until
from tests.delivery.event_stream import Message, Reader, read
from tests.event_loop import PATIENCE, turns

pytestmark = pytest.mark.usefixtures("engines")


@pytest.fixture
def request_():
    return AsyncRequestFactory().get("/events/")


async def listen(request):
    return listen.view(request)


def listen_in_the_thread(request):
    return listen.view(request)


urlpatterns = [path("events/", listen), path("sync/", listen_in_the_thread)]


@pytest.fixture
def site(settings):
    """Return a function: sets what the addresses answer with."""
    settings.ROOT_URLCONF = __name__

    def answer_with(view):
        listen.view = view

    return answer_with


def tasks():
    return asyncio.all_tasks() - {asyncio.current_task()}


class TestEvents:
    @pytest.mark.parametrize("using", ["django", "jinja2", "stock"])
    async def test_each_item_is_rendered(self, request_, using):
        response = sse(request_, "row", these({"name": "<a>"}, {"name": "b"}), using=using)
        assert type(response) is EventStream
        # Jinja2 ends lines by LF.
        assert await messages_of(response) == [
            Message("<p>\n&lt;a&gt;\n</p>"),
            Message("<p>\nb\n</p>"),
        ]

    @pytest.mark.parametrize("using", ["django", "jinja2"])
    async def test_context_processors_run_and_awaitables_are_awaited(self, request_, using):
        async def name():
            return "awaited"

        events = these({"name": name()})
        [message] = await messages_of(sse(request_, "path", events, using=using))
        assert message.data == "/events/ awaited"

    @pytest.mark.django_db
    @pytest.mark.parametrize("using", ["django", "jinja2"])
    async def test_a_template_may_need_the_request_thread(self, request_, using):
        await Group.objects.acreate(name="readers")
        events = these(*({"groups": Group.objects.all()} for _ in range(3)))
        messages = await messages_of(sse(request_, "groups", events, using=using))
        assert [each.data for each in messages] == ["readers "] * 3

    @pytest.mark.skipif(django.VERSION < (6, 0), reason="partials are new in Django 6.0")
    async def test_a_partial(self, request_, settings):
        page = "page {% partialdef card %}[{{ name }}]{% endpartialdef %}"
        settings.TEMPLATES[0]["OPTIONS"]["loaders"][0][1][0][1]["page"] = page
        messages = await messages_of(sse(request_, "page#card", these({"name": 1}, {"name": 2})))
        assert [each.data for each in messages] == ["[1]", "[2]"]

    async def test_the_fields_of_an_event(self, request_):
        events = these(
            {"name": 1},
            SseEvent({"name": 2}, event="own", id=5, retry=7),
            SseEvent({"name": 3}, template_name="path"),
            SseEvent({"name": 4}, template_name="path"),
            SseEvent(data="as it <is>", event="end"),
            SseEvent(),
        )
        response = sse(request_, "other", events, event="row", retry=300)
        assert b"".join([chunk async for chunk in response]).decode() == (
            ": \nretry: 300\n\n"
            "event: row\ndata: other 1\n\n"
            "event: own\nid: 5\nretry: 7\ndata: other 2\n\n"
            "event: row\ndata: /events/ 3\n\n"
            "event: row\ndata: /events/ 4\n\n"
            "event: end\ndata: as it <is>\n\n"
            "event: row\ndata: other \n\n"
        )

    async def test_other_ways_to_name_the_template(self, request_):
        for template in (["none", "other"], ("other",), await aget_template("other")):
            [message] = await messages_of(sse(request_, template, these({"name": 1})))
            assert message.data == "other 1"

    async def test_without_a_request(self):
        assert await messages_of(sse(None, "other", these({"name": 1}))) == [Message("other 1")]

    async def test_no_events(self, request_):
        assert await messages_of(sse(request_, "other", these())) == []

    async def test_an_iterator_that_is_no_generator(self, request_):
        class Once:
            left = 2

            def __aiter__(self):
                return self

            async def __anext__(self):
                self.left -= 1
                if self.left < 0:
                    raise StopAsyncIteration
                return {"name": self.left}

        messages = await messages_of(sse(request_, "other", Once()))
        assert [each.data for each in messages] == ["other 1", "other 0"]

    async def test_what_is_sent_first(self, request_, feed):
        content = aiter(sse(request_, "other", feed))
        assert await anext(content) == b": \n\n"
        assert not feed.begun.is_set()
        await content.aclose()

    async def test_the_headers(self, request_):
        response = sse(request_, "other", these())
        assert response.status_code == 200
        encoding = {"Content-Encoding": "identity"} if django.VERSION[:2] == (6, 0) else {}
        assert dict(response.headers) == {
            "Content-Type": "text/event-stream; charset=utf-8",
            "Cache-Control": "no-cache, no-transform",
            "X-Accel-Buffering": "no",
            **encoding,
        }
        headers = {"Cache-Control": "no-store", "X-Own": "1"}
        response = sse(request_, "other", these(), headers=headers)
        assert response["Cache-Control"] == "no-store"
        assert response["X-Own"] == "1"
        assert response["X-Accel-Buffering"] == "no"


class TestArguments:
    @pytest.mark.parametrize(
        ("events", "found"),
        [
            ([{}], "It got a list"),
            (({} for _ in ()), "It got a generator"),
            ({"name": 1}, "It got a dict"),
            (None, "It got a NoneType"),
            (these, r"call it: these\(\)"),
        ],
    )
    async def test_what_is_no_asynchronous_iterable(self, request_, events, found):
        with pytest.raises(TypeError, match=f"asynchronous iterable.*{found}"):
            sse(request_, "other", events)

    async def test_a_coroutine(self, request_):
        async def without_yield():
            return []

        with pytest.raises(TypeError, match=r"without_yield\(\).* has no yield"):
            sse(request_, "other", without_yield())

    @pytest.mark.parametrize(
        ("arguments", "error", "message"),
        [
            ({"heartbeat": 0}, ValueError, "heartbeat must be more than 0 seconds"),
            ({"heartbeat": -1}, ValueError, "heartbeat"),
            ({"heartbeat": float("nan")}, ValueError, "heartbeat"),
            ({"heartbeat": "15"}, TypeError, "heartbeat must be a number of seconds"),
            ({"heartbeat": True}, TypeError, "heartbeat"),
            ({"retry": -1}, ValueError, "retry"),
            ({"retry": 0.5}, TypeError, "retry"),
            ({"event": "a\nb"}, ValueError, "name of an event"),
            ({"event": 1}, TypeError, "name of an event"),
        ],
    )
    async def test_wrong_arguments(self, request_, arguments, error, message):
        with pytest.raises(error, match=message):
            sse(request_, "other", these(), **arguments)

    async def test_a_missing_template_that_the_view_loads(self):
        with pytest.raises(TemplateDoesNotExist, match="none"):
            await aget_template("none")


class TestOrder:
    async def test_an_event_is_asked_for_when_the_last_is_sent(self, request_, feed):
        content = aiter(sse(request_, "other", feed))
        feed.put({"name": 1}, {"name": 2}, {"name": 3})
        await anext(content)
        for number in (1, 2, 3):
            assert f"other {number}".encode() in await anext(content)
            await turns(20)
            assert feed.asked == number
        await content.aclose()

    async def test_heartbeats_leave_the_wait_alone(self, request_, feed):
        content = aiter(sse(request_, "other", feed, heartbeat=0.005))
        for _ in range(5):
            assert await anext(content) == b": \n\n"
        assert feed.asked == 1
        feed.put({"name": 1})
        chunk = b": \n\n"
        while chunk == b": \n\n":
            chunk = await anext(content)
        assert chunk == b"data: other 1\n\n"
        assert feed.how is None
        await content.aclose()
        assert feed.ended.is_set()

    async def test_heartbeats_while_an_event_is_rendered(self, request_):
        come = asyncio.Event()

        async def name():
            await come.wait()
            return "late"

        content = aiter(sse(request_, "other", these({"name": name()}), heartbeat=0.005))
        for _ in range(4):
            assert await anext(content) == b": \n\n"
        come.set()
        chunk = b": \n\n"
        while chunk == b": \n\n":
            chunk = await anext(content)
        assert chunk == b"data: other late\n\n"
        assert [chunk async for chunk in content] == []

    async def test_no_heartbeats(self, request_, feed):
        content = aiter(sse(request_, "other", feed, heartbeat=None))
        await anext(content)
        waiting = asyncio.ensure_future(anext(content))
        await until(feed.begun.is_set)
        await asyncio.sleep(0.02)
        assert not waiting.done()
        feed.put(None)
        with pytest.raises(StopAsyncIteration):
            await waiting

    async def test_the_iterable_stays_in_one_task(self, request_):
        found = []

        async def events():
            async with asyncio.timeout(PATIENCE), asyncio.TaskGroup():
                for name in "ab":
                    found.append(asyncio.current_task())
                    yield {"name": name}
            found.append(asyncio.current_task())

        assert len(await messages_of(sse(request_, "other", events(), heartbeat=0.005))) == 2
        assert len(found) == 3
        assert len(set(found)) == 1


class TestContextVariables:
    async def test_they_are_those_of_the_view(self, request_):
        own = contextvars.ContextVar("own", default="nothing")

        async def events():
            for _ in range(2):
                yield {"name": f"{translation.get_language()} {own.get()}"}
                own.set("changed")
                translation.activate("fr")

        own.set("view")
        with translation.override("de"):
            response = sse(request_, "other", events())
        own.set("later")
        messages = await messages_of(response)
        assert [each.data for each in messages] == ["other de view", "other fr changed"]
        assert own.get() == "later"
        assert translation.get_language() != "fr"

    async def test_templates_have_them_too(self, request_, settings):
        template = "{% get_current_language as code %}{{ code }}"
        settings.TEMPLATES[0]["OPTIONS"]["loaders"][0][1][0][1]["language"] = template
        with translation.override("de"):
            response = sse(request_, "language", these({}, {}))
        assert [each.data for each in await messages_of(response)] == ["de", "de"]


def sync_middleware(get_response):
    def middleware(request):
        return get_response(request)

    return middleware


class TestSyncSurroundings:
    """The thread in which a sync view or middleware ran has ended when the stream begins."""

    @pytest.mark.parametrize("url", ["/events/", "/sync/"])
    @pytest.mark.parametrize("middleware", [[], [f"{__name__}.sync_middleware"]])
    def test_hops_still_work(self, site, settings, url, middleware):
        settings.MIDDLEWARE = middleware
        calls = []

        def hop():
            calls.append(threading.current_thread())
            return len(calls)

        async def events():
            for _ in range(2):
                await sync_to_async(hop)()
                yield {"name": hop}

        site(lambda request: sse(request, "path", events(), using="django"))

        async def ask():
            response = await AsyncClient().get(url)
            content = response.streaming_content
            return read(b"".join([chunk async for chunk in content]))

        # On an ordinary loop, as under a server: tests/event_loop.py has threads of its own.
        messages = asyncio.run(ask())
        assert [each.data for each in messages] == [f"{url} 2", f"{url} 4"]


class TestEnd:
    async def test_closed_while_it_waits_for_an_event(self, request_, feed):
        content = aiter(sse(request_, "other", feed))
        await anext(content)
        waiting = asyncio.ensure_future(anext(content))
        await until(feed.begun.is_set)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert feed.how == "CancelledError"
        assert feed.ended.is_set()
        assert not tasks()

    async def test_closed_between_events(self, request_, feed):
        feed.put({"name": 1})
        await messages_of(sse(request_, "other", feed), 1)
        assert feed.how == "GeneratorExit"
        assert feed.ended.is_set()
        assert not tasks()

    async def test_closed_while_it_renders(self, request_):
        begun, ended = asyncio.Event(), []

        async def name():
            try:
                begun.set()
                await asyncio.Event().wait()
            finally:
                ended.append("name")

        async def events():
            try:
                yield {"name": name()}
            finally:
                ended.append("events")

        content = aiter(sse(request_, "other", events(), heartbeat=0.005))
        await anext(content)
        while not begun.is_set():
            assert await anext(content) == b": \n\n"
        await content.aclose()
        assert ended == ["name", "events"]
        assert not tasks()

    async def test_never_read(self, request_, feed):
        response = sse(request_, "other", feed)
        response.close()
        del response
        await turns(5)
        assert not feed.begun.is_set()
        assert not tasks()

    async def test_a_generator_that_is_never_read(self, request_, recwarn):
        response = sse(request_, "other", these({}))
        del response
        gc.collect()
        assert not recwarn.list

    async def test_closed_before_it_is_read(self, request_, feed):
        response = sse(request_, "other", feed)
        response.close()
        assert [chunk async for chunk in response] == []
        assert not feed.begun.is_set()

    async def test_dropped_in_the_middle(self, request_, feed):
        chunks = sse(request_, "other", feed)._chunks
        await anext(chunks)
        feed.put({"name": 1})
        await anext(chunks)
        del chunks
        gc.collect()
        await until(feed.ended.is_set)
        await turns(5)
        assert not tasks()

    async def test_the_response_is_closed_from_another_thread(self, request_, feed):
        response = sse(request_, "other", feed)
        content = aiter(response)
        feed.put({"name": 1})
        await anext(content)
        await anext(content)
        thread = threading.Thread(target=response.close)
        thread.start()
        await until(feed.ended.is_set)
        thread.join()
        assert [chunk async for chunk in content] == []
        await turns(5)
        assert not tasks()

    async def test_a_second_close_does_nothing(self, request_):
        finished = []
        response = sse(request_, "other", these())

        def note(**kwargs):
            finished.append(True)

        request_finished.connect(note)
        try:
            response.close()
            response.close()
        finally:
            request_finished.disconnect(note)
        assert finished == [True]

    async def test_an_iterable_that_ignores_its_cancellation(self, request_):
        begun, ended = asyncio.Event(), []

        async def events():
            try:
                while True:
                    try:
                        begun.set()
                        await asyncio.Event().wait()
                    except asyncio.CancelledError:
                        pass
                    yield {"name": lambda: ended.append("rendered")}
            finally:
                ended.append(True)

        content = aiter(sse(request_, "other", events(), heartbeat=0.005))
        await anext(content)
        while not begun.is_set():
            await anext(content)
        await content.aclose()
        assert ended == [True]
        assert not tasks()

    async def test_an_iterable_that_cannot_be_closed_is_logged(self, request_, caplog):
        async def events():
            try:
                yield {"name": 1}
            finally:
                raise ZeroDivisionError("in finally")

        await messages_of(sse(request_, "other", events()), 1)
        [record] = caplog.records
        assert record.name == "atemplates"
        assert "could not be closed" in record.message
        assert "in finally" in str(record.exc_info[1])


@pytest.fixture
def noted():
    """What `got_request_exception` was sent for."""
    found = []

    def note(request, **kwargs):
        found.append(request)

    got_request_exception.connect(note)
    yield found
    got_request_exception.disconnect(note)


class TestErrors:
    async def fails(self, response, error, message):
        chunks = []

        async def read_on():
            async for chunk in response:
                chunks.append(chunk)

        with pytest.raises(error, match=message):
            await read_on()
        assert not tasks()
        return read(b"".join(chunks))

    @pytest.mark.parametrize("error", [ValueError, TypeError, LookupError])
    async def test_the_iterable_raises(self, request_, feed, error, caplog, noted):
        feed.put({"name": 1}, error("the feed is broken"))
        response = sse(request_, "other", feed)
        assert await self.fails(response, error, "the feed is broken") == [Message("other 1")]
        [record] = caplog.records
        assert (record.name, record.levelno) == ("django.request", logging.ERROR)
        assert "/events/" in record.message
        assert "the feed is broken" in str(record.exc_info[1])
        assert record.request is request_
        assert noted == [request_]
        assert response.closed

    @pytest.mark.parametrize("using", ["django", "jinja2"])
    async def test_a_template_raises(self, request_, using, caplog, noted):
        class Bomb:
            @property
            def boom(self):
                raise ValueError("no such thing")

        ended = []

        async def events():
            try:
                yield {"name": {"boom": "fine"}}
                yield {"name": Bomb()}
            finally:
                ended.append(True)

        response = sse(request_, "fails", events(), using=using)
        messages = await self.fails(response, ValueError, "no such thing")
        assert messages == [Message("one\nfine")]
        [record] = caplog.records
        assert "line 2" in record.message
        assert noted == [request_]
        assert ended

    async def test_a_type_error_is_the_templates_own(self, request_, caplog):
        class Bomb:
            @property
            def boom(self):
                raise TypeError("not this")

        await self.fails(sse(request_, "fails", these({"name": Bomb()})), TypeError, "not this")

    @pytest.mark.parametrize("item", [None, "text", ["a"], 1])
    async def test_an_item_of_another_type(self, request_, item, caplog):
        message = f"a dict.*or an SseEvent. It gave a {type(item).__name__}"
        await self.fails(sse(request_, "other", these(item)), TypeError, message)

    async def test_a_missing_template(self, request_, feed, caplog):
        await self.fails(sse(request_, "none", feed), TemplateDoesNotExist, "none")
        assert not feed.begun.is_set()

    async def test_an_iterable_that_cancels_itself(self, request_, feed, caplog):
        feed.put(asyncio.CancelledError())
        await self.fails(sse(request_, "other", feed), RuntimeError, "CancelledError by itself")

    async def test_what_would_pass_for_the_end(self, request_, caplog):
        class Bomb:
            @property
            def boom(self):
                raise StopAsyncIteration

        response = sse(request_, "fails", these({"name": Bomb()}))
        await self.fails(response, RuntimeError, "StopAsyncIteration")

    async def test_text_that_is_no_text(self, request_, caplog):
        response = sse(request_, "other", these({"name": "\ud800"}))
        await self.fails(response, UnicodeEncodeError, "surrogates")


class TestUnderWSGI:
    def test_the_test_client(self, site, caplog):
        site(lambda request: sse(request, "other", these({"name": 1})))
        for url in ("/events/", "/sync/"):
            with pytest.raises(ImproperlyConfigured, match=r"ASGI server.*AsyncClient"):
                Client().get(url)

    def test_a_sync_view_with_the_request_factory(self):
        with pytest.raises(ImproperlyConfigured):
            sse(RequestFactory().get("/"), "other", these())

    async def test_an_async_view_with_the_request_factory(self):
        response = sse(RequestFactory().get("/"), "other", these({"name": 1}))
        assert await messages_of(response) == [Message("other 1")]

    async def test_a_response_that_is_read_by_sync_code(self, request_):
        response = sse(request_, "other", these())
        with pytest.raises(ImproperlyConfigured):
            list(response)


def gzip_pieces(chunks):
    """Decompress pieces as they come: what is known after each."""
    unzip, known = zlib.decompressobj(31), []
    for chunk in chunks:
        text = b""
        while chunk:
            text += unzip.decompress(chunk)
            chunk = unzip.unused_data
            if unzip.eof:
                unzip = zlib.decompressobj(31)
        known.append(text)
    return known


class TestMiddleware:
    async def test_async_client(self, site, feed):
        site(lambda request: sse(request, "path", feed))
        feed.put({"name": 1}, {"name": 2}, None)
        response = await AsyncClient().get("/events/")
        content = b"".join([chunk async for chunk in response.streaming_content])
        assert [each.data for each in read(content)] == ["/events/ 1", "/events/ 2"]
        assert feed.ended.is_set()

    async def test_a_sync_view_under_asgi(self, site):
        site(lambda request: sse(request, "path", these({"name": 1})))
        response = await AsyncClient().get("/sync/")
        content = b"".join([chunk async for chunk in response.streaming_content])
        assert read(content) == [Message("/sync/ 1")]

    async def test_head(self, site, feed):
        site(lambda request: sse(request, "other", feed))
        response = await AsyncClient().head("/events/")
        assert response["Content-Type"] == "text/event-stream; charset=utf-8"
        assert not feed.begun.is_set()

    async def test_head_without_a_client(self, feed):
        response = sse(AsyncRequestFactory().head("/"), "other", feed)
        assert [chunk async for chunk in response] == []
        assert not feed.begun.is_set()

    async def test_gzip_holds_nothing_back(self, site, settings, feed):
        settings.MIDDLEWARE = ["django.middleware.gzip.GZipMiddleware"]
        site(lambda request: sse(request, "path", feed, heartbeat=0.02))
        response = await AsyncClient().get("/events/", headers={"accept-encoding": "gzip"})
        # That of 6.0 would hold them back.
        is_zipped = django.VERSION[:2] != (6, 0)
        assert response["Content-Encoding"] == ("gzip" if is_zipped else "identity")
        reader, raw = Reader(), []
        content = response.streaming_content
        for number in (1, 2):
            feed.put({"name": number})
            while len(reader.messages) < number:
                raw.append(await anext(content))
                reader.feed(gzip_pieces(raw)[-1] if is_zipped else raw[-1])
        assert [each.data for each in reader.messages] == ["/events/ 1", "/events/ 2"]
        feed.put(None)
        raw += [chunk async for chunk in content]
        whole = b"".join(raw)
        assert read(gzip.decompress(whole) if is_zipped else whole) == reader.messages

    async def test_others_that_look_at_responses(self, site, settings):
        settings.MIDDLEWARE = [
            "django.middleware.cache.UpdateCacheMiddleware",
            "django.middleware.security.SecurityMiddleware",
            "django.middleware.http.ConditionalGetMiddleware",
            "django.middleware.locale.LocaleMiddleware",
            "django.middleware.common.CommonMiddleware",
            "django.middleware.clickjacking.XFrameOptionsMiddleware",
            "django.middleware.cache.FetchFromCacheMiddleware",
        ]
        site(lambda request: sse(request, "path", these({"name": 1})))
        for _ in range(2):
            response = await AsyncClient().get("/events/")
            assert isinstance(response, EventStream)
            content = b"".join([chunk async for chunk in response.streaming_content])
            assert [each.data for each in read(content)] == ["/events/ 1"]
            assert response["Cache-Control"] == "no-cache, no-transform"
            assert not response.has_header("ETag")
            assert not response.has_header("Content-Length")

    async def test_the_last_id_of_a_client_that_comes_back(self, site):
        def view(request):
            return sse(request, "other", these({"name": request.headers.get("Last-Event-ID")}))

        site(view)
        response = await AsyncClient().get("/events/", headers={"last-event-id": "41"})
        content = b"".join([chunk async for chunk in response.streaming_content])
        assert read(content) == [Message("other 41")]
