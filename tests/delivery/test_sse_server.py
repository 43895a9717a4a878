"""``sse`` over a socket: when events leave, and what a client that goes away leaves behind."""

import logging
import socket
import time
import zlib
from contextlib import contextmanager

import django
import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import Group
from django.core.handlers.asgi import ASGIHandler
from django.core.signals import request_finished
from django.db import close_old_connections, connections
from django.urls import path
from django.utils import translation

from atemplates import sse
from tests.delivery.event_stream import Message, Reader
from tests.event_loop import PATIENCE
from tests.server import serve

AT_ONCE = 0.5
"""Seconds within which an event is there that nothing holds back, on a busy machine."""


async def listen(request):
    return await listen.view(request)


urlpatterns = [path("events/", listen)]


@pytest.fixture
def middleware():
    return []


@pytest.fixture
def address(engines, settings, transactional_db, middleware):
    settings.ROOT_URLCONF = __name__
    settings.MIDDLEWARE = middleware
    request_finished.connect(close_old_connections)
    with serve(ASGIHandler()) as address:
        yield address
    request_finished.disconnect(close_old_connections)


class Client:
    """A client that speaks HTTP/1.1 over a socket, and knows when each byte came."""

    def __init__(self, connection):
        self.connection = connection
        self.connection.settimeout(PATIENCE)
        self.raw = b""
        self.head = None
        self.reader = Reader()
        self.is_complete = False

    def ask(self, method="GET", **headers):
        lines = [f"{method} /events/ HTTP/1.1", "Host: localhost"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        self.connection.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
        while b"\r\n\r\n" not in self.raw:
            self.raw += self.receive()
        head, _, self.raw = self.raw.partition(b"\r\n\r\n")
        self.head = head.decode()
        self.unpack()

    def receive(self):
        received = self.connection.recv(65536)
        if not received:
            raise EOFError
        return received

    def unpack(self):
        """Take the chunks of the transfer coding off."""
        while b"\r\n" in self.raw:
            size, _, rest = self.raw.partition(b"\r\n")
            length = int(size, 16)
            if len(rest) < length + 2:
                return
            self.reader.feed(rest[:length])
            self.raw = rest[length + 2 :]
            if not length:
                self.is_complete = True

    def read(self):
        self.raw += self.receive()
        self.unpack()

    def messages(self, number):
        """Read until there are so many messages."""
        while len(self.reader.messages) < number:
            self.read()
        return self.reader.messages

    def to_the_end(self):
        try:
            while not self.is_complete:
                self.read()
        except EOFError:
            pass
        return self.reader.messages


@contextmanager
def connected(address):
    host, port = address.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))) as connection:
        yield Client(connection)


@pytest.fixture
def client(address):
    with connected(address) as client:
        yield client


def answer_with(make):
    async def view(request):
        return make(request)

    listen.view = view


def wait_until(holds):
    given_up = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < given_up
        time.sleep(0.005)


@pytest.mark.parametrize("using", ["django", "jinja2", "stock"])
def test_an_event_leaves_at_once(client, feed, using):
    answer_with(lambda request: sse(request, "other", feed, using=using, heartbeat=None))
    client.ask()
    assert client.head.startswith("HTTP/1.1 200")
    assert "content-type: text/event-stream; charset=utf-8" in client.head.lower()
    assert feed.begun.wait(PATIENCE)
    for number in range(3):
        begun = time.monotonic()
        feed.put({"name": number})
        assert client.messages(number + 1)[number] == Message(f"other {number}")
        assert time.monotonic() - begun < AT_ONCE
    feed.put(None)
    client.to_the_end()
    assert client.is_complete


def test_the_client_knows_at_once_that_it_is_connected(client, feed):
    answer_with(lambda request: sse(request, "other", feed, heartbeat=None, retry=1234))
    client.ask()
    while not client.reader.comments:
        client.read()
    assert client.reader.messages == []
    assert client.reader.retry == 1234


def test_heartbeats(client, feed):
    answer_with(lambda request: sse(request, "other", feed, heartbeat=0.05))
    client.ask()
    times = []
    while client.reader.comments < 5:
        client.read()
        times.append(time.monotonic())
    assert feed.asked == 1
    assert times[-1] - times[0] > 0.1
    feed.put({"name": 1})
    assert client.messages(1) == [Message("other 1")]


@pytest.mark.parametrize("middleware", [["django.middleware.gzip.GZipMiddleware"]])
def test_gzip(client, feed):
    answer_with(lambda request: sse(request, "other", feed, heartbeat=None))
    is_zipped = django.VERSION[:2] != (6, 0)  # that of 6.0 would hold events back
    unzip, reader = Unzip(), client.reader
    if is_zipped:
        client.reader = unzip
        reader = unzip.reader
    client.ask(Accept_Encoding="gzip")
    encoding = "gzip" if is_zipped else "identity"
    assert f"content-encoding: {encoding}" in client.head.lower()
    for number in range(3):
        begun = time.monotonic()
        feed.put({"name": number})
        while len(reader.messages) <= number:
            client.read()
        assert time.monotonic() - begun < AT_ONCE
    client.connection.close()
    assert feed.ended.wait(PATIENCE)


class Unzip:
    """Reads a stream that is compressed; Django 5.2 makes of each piece a member of its own."""

    def __init__(self):
        self.unzip = None
        self.reader = Reader()

    def feed(self, chunk):
        while chunk:
            if self.unzip is None:
                self.unzip = zlib.decompressobj(31)
            self.reader.feed(self.unzip.decompress(chunk))
            chunk = self.unzip.unused_data
            if self.unzip.eof:
                self.unzip = None


class TestClientsThatLeave:
    def left(self, feed):
        """Wait until nothing of the stream is left."""
        assert feed.ended.wait(PATIENCE)
        wait_until(lambda: not feed.running())

    @pytest.mark.parametrize("heartbeat", [None, 0.02])
    def test_while_it_waits_for_an_event(self, client, feed, heartbeat):
        answer_with(lambda request: sse(request, "other", feed, heartbeat=heartbeat))
        client.ask()
        assert feed.begun.wait(PATIENCE)
        client.connection.close()
        self.left(feed)
        assert feed.how in {"CancelledError", "GeneratorExit"}

    def test_after_some_events(self, client, feed):
        answer_with(lambda request: sse(request, "other", feed))
        client.ask()
        feed.put(*({"name": number} for number in range(10)))
        client.messages(3)
        client.connection.close()
        self.left(feed)

    def test_that_do_not_read(self, client, feed):
        """What they have not read is held by the server, and nothing more is asked for."""
        answer_with(lambda request: sse(request, "other", feed))
        client.ask()
        feed.put(*({"name": "x" * 200_000} for _ in range(200)))
        asked = -1
        while asked != feed.asked:
            asked = feed.asked
            time.sleep(0.2)
        assert asked < 150
        client.connection.close()
        self.left(feed)
        assert feed.asked <= asked + 1

    def test_while_a_template_is_in_the_thread(self, client, feed):
        ended = []

        class Slow:
            def boom(self):
                Group.objects.count()
                feed.in_thread = True
                time.sleep(0.05)
                ended.append(True)
                return "done"

        feed.in_thread = False
        answer_with(lambda request: sse(request, "fails", feed, using="django"))
        client.ask()
        feed.put({"name": Slow()})
        wait_until(lambda: feed.in_thread)
        client.connection.close()
        self.left(feed)
        assert ended == [True]

    def test_many(self, address, feed):
        """Their iterables are all closed, and the next client is served."""
        feeds = []

        def make(request):
            feeds.append(type(feed)())
            return sse(request, "other", feeds[-1], heartbeat=0.02)

        answer_with(make)
        for _ in range(10):
            with connected(address) as client:
                client.ask()
                wait_until(lambda: feeds[-1].begun.is_set())
        for each in feeds:
            self.left(each)
        with connected(address) as client:
            client.ask()
            feeds[-1].put({"name": "last"})
            assert client.messages(1) == [Message("other last")]

    def test_the_connection_of_the_thread_is_closed(self, client, feed):
        opened = []

        def query():
            Group.objects.count()
            opened.append(connections["default"])

        async def events():
            await sync_to_async(query)()
            async for event in feed:
                yield event

        answer_with(lambda request: sse(request, "other", events()))
        client.ask()
        assert feed.begun.wait(PATIENCE)
        [used] = opened
        assert used.connection is not None
        client.connection.close()
        self.left(feed)
        wait_until(lambda: used.connection is None)


def test_head(client, feed):
    answer_with(lambda request: sse(request, "other", feed))
    client.ask("HEAD", Connection="close")
    assert client.head.startswith("HTTP/1.1 200")
    client.to_the_end()
    assert not feed.begun.is_set()


@pytest.mark.parametrize("error", [ValueError("broken"), TypeError("broken")])
def test_an_error_cuts_the_stream(client, feed, error, caplog):
    caplog.set_level(logging.ERROR)
    answer_with(lambda request: sse(request, "other", feed))
    client.ask()
    feed.put({"name": 1}, error)
    assert client.to_the_end() == [Message("other 1")]
    assert not client.is_complete, "a client takes the stream for whole"
    wait_until(lambda: not feed.running())
    logged = [record for record in caplog.records if record.name == "django.request"]
    assert [record.exc_info[1] for record in logged] == [error]


def test_the_end_of_the_iterable_ends_the_response(client, feed):
    answer_with(lambda request: sse(request, "other", feed))
    client.ask()
    feed.put({"name": 1}, None)
    assert client.to_the_end() == [Message("other 1")]
    assert client.is_complete


@pytest.mark.parametrize("middleware", [["django.middleware.locale.LocaleMiddleware"]])
def test_the_language_of_the_request(client, feed):
    async def events():
        async for _ in feed:
            yield {"name": translation.get_language()}

    answer_with(lambda request: sse(request, "other", events()))
    client.ask(Accept_Language="de")
    feed.put(1, 2)
    assert [each.data for each in client.messages(2)] == ["other de", "other de"]
