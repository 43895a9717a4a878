"""Streamed pages over sockets, from the servers that Django's documentation names.

Each serves `served_site` from a process of its own. Times are the best of some tries: a busy machine
makes any of them longer, and none shorter.
"""

import json
import os
import re
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.event_loop import PATIENCE
from tests.tags.deferring import filled

pytestmark = pytest.mark.processes

ROOT = Path(__file__).resolve().parents[2]
SECONDS = 0.3
"""How long the slowest part of a page takes."""


class Answer:
    """What came of one request, and when.

    Attributes:
        times: of each piece: the seconds since the request reached the view, and the content.
    """

    def __init__(self):
        self.head = ""
        self.times = []
        self.is_complete = False
        self.ended = False
        """Whether the server has closed the connection."""
        self.raw = b""
        self.received = b""

    @property
    def text(self):
        return b"".join(content for _, content in self.times).decode()

    def header(self, name):
        found = re.search(rf"^{name}: (.*)\r$", self.head, re.M | re.I)
        return found and found[1]

    def take(self, data):
        now = time.monotonic()
        self.raw += data
        if not self.head:
            if b"\r\n\r\n" not in self.raw:
                return
            head, _, self.raw = self.raw.partition(b"\r\n\r\n")
            self.head = head.decode() + "\r\n"
        begun = float(self.header("X-Begun") or now)
        if "chunked" not in (self.header("Transfer-Encoding") or ""):
            self.times.append((now - begun, self.raw))
            self.raw = b""
            length = self.header("Content-Length")
            self.is_complete = length is not None and len(self.text) == int(length)
            return
        while b"\r\n" in self.raw:
            size, _, rest = self.raw.partition(b"\r\n")
            length = int(size, 16)
            if len(rest) < length + 2:
                return
            self.raw = rest[length + 2 :]
            if length:
                self.times.append((now - begun, rest[:length]))
            else:
                self.is_complete = True


class Server:
    def __init__(self, name, port):
        self.name = name
        self.port = port

    @contextmanager
    def asking(self, path, method="GET", version="1.1", **headers):
        headers = {"Host": "localhost", "Connection": "close", **headers}
        lines = [f"{method} {path} HTTP/{version}", *(f"{k}: {v}" for k, v in headers.items())]
        with socket.create_connection(("127.0.0.1", self.port), PATIENCE) as connection:
            connection.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
            yield connection

    def ask(self, path, method="GET", patience=PATIENCE, **options):
        """Ask for a page, and read until the connection is closed or ``patience`` is over."""
        answer = Answer()
        given_up = time.monotonic() + patience
        with self.asking(path, method, **options) as connection:
            while True:
                connection.settimeout(max(0.01, given_up - time.monotonic()))
                try:
                    data = connection.recv(65536)
                except TimeoutError:
                    return answer
                except ConnectionError:
                    data = b""
                if not data:
                    answer.ended = True
                    return answer
                answer.take(data)

    def left(self):
        return json.loads(self.ask("/left/").text)

    def until_nothing_is_left(self):
        given_up = time.monotonic() + PATIENCE
        while True:
            left = self.left()
            if not left["tasks"] and not left["running"] and not left["connections"]:
                return
            assert time.monotonic() < given_up, left
            time.sleep(0.02)


@contextmanager
def running(name, folder, *how):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "tests.delivery.served_site", name, str(port), str(folder)]
    log = Path(folder, "log")
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*command, *how], cwd=ROOT, stdout=output, stderr=subprocess.STDOUT, env={**os.environ}
        )
        try:
            server = Server(name, port)
            given_up = time.monotonic() + PATIENCE
            while True:
                assert process.poll() is None, log.read_text()
                assert time.monotonic() < given_up, log.read_text()
                try:
                    server.ask("/forget/")
                except ConnectionError:
                    time.sleep(0.02)
                else:
                    break
            if name != "wsgi":
                for page in ("parts", "in_order", "error", "queries"):
                    server.ask(f"/{page}/?seconds=0.01", patience=2)
                server.ask("/forget/")
            yield server
        finally:
            process.kill()
            process.wait()


SITES = [(name, how) for name in ("uvicorn", "hypercorn", "daphne") for how in ("", "sync")]


@pytest.fixture(scope="module", params=SITES, ids=lambda site: "-".join(filter(None, site)))
def server(request, tmp_path_factory):
    name, how = request.param
    with running(name, tmp_path_factory.mktemp("served"), *filter(None, [how])) as server:
        server.is_sync = bool(how)
        yield server


@pytest.fixture(autouse=True)
def nothing_is_logged(request):
    if "server" in request.fixturenames:
        request.getfixturevalue("server").ask("/forget/")


def best(times, holds, make):
    """Make something until it holds, some times at most; return the last."""
    for _ in range(times):
        made = make()
        if holds(made):
            break
    return made


@pytest.mark.parametrize("page", ["parts", "in_order"])
def test_the_first_bytes_leave_at_once_and_the_last_with_the_slowest_part(server, page):
    def is_quick(answer):
        return answer.times[0][0] < 0.02 and answer.times[-1][0] < 1.1 * SECONDS

    answer = best(10, is_quick, lambda: server.ask(f"/{page}/"))
    assert answer.is_complete
    assert answer.header("X-Accel-Buffering") == "no"
    first, last = answer.times[0], answer.times[-1]
    assert b"shell" in first[1]
    assert first[0] < 0.02
    assert SECONDS <= last[0] < 1.1 * SECONDS
    if page == "parts":
        parts = [seconds for seconds, text in answer.times if b"<template for" in text]
        assert SECONDS / 3 <= parts[0] < SECONDS
        assert filled(answer.text).endswith("<h1>shell</h1>onetwo</body></html>")
    else:
        assert answer.text.endswith("shell one two</body></html>")


@pytest.mark.parametrize("kind", ["", "&type"])
def test_an_error_after_the_first_bytes_leaves_the_response_incomplete(server, kind):
    # Daphne cannot be made to close the connection.
    patience = 1 if server.name == "daphne" else PATIENCE
    answer = server.ask(f"/error/?seconds=0.01{kind}", patience=patience)
    assert answer.head.split()[1] == "200"
    assert "shell one" in answer.text
    assert "rest" not in answer.text
    assert "wrong" not in answer.text
    assert not answer.is_complete
    assert answer.ended == (server.name != "daphne")
    error = "TypeError('wrong')" if kind else "ValueError('wrong')"
    left = server.left()
    [message] = left["logged"]
    assert message.startswith("django.request: The response was cut")
    assert "error, line 2" in message
    assert message.endswith(error)
    assert left["signals"] == ["/error/"]
    server.until_nothing_is_left()


def test_where_the_site_is_debugged_the_error_is_shown_at_the_end(server):
    patience = 1 if server.name == "daphne" else PATIENCE
    answer = server.ask("/error/?seconds=0.01&debug", patience=patience)
    assert "ValueError: wrong" in answer.text
    assert "Traceback" in answer.text
    assert not answer.is_complete


def test_a_client_that_leaves_while_the_page_waits(server):
    for path in ("/waits/", "/parts/?seconds=600"):
        with server.asking(path) as connection:
            assert connection.recv(1)
        server.until_nothing_is_left()
    assert server.left()["logged"] == []


def test_a_client_that_leaves_before_anything_was_sent(server):
    with server.asking("/waits/"):
        pass
    server.until_nothing_is_left()
    assert server.left()["logged"] == []


def test_a_client_that_leaves_between_two_chunks(server):
    for _ in range(5):
        with server.asking("/many/?rows=100000") as connection:
            received = 0
            while received < 5000:
                received += len(connection.recv(65536))
        server.until_nothing_is_left()
    assert server.left()["logged"] == []


def test_a_client_that_leaves_while_the_page_is_in_the_thread(server):
    for _ in range(3):
        with server.asking("/queries/?seconds=600") as connection:
            assert connection.recv(1)
        server.until_nothing_is_left()
    assert server.left()["logged"] == []


def test_a_stream_that_a_middleware_has_replaced(server):
    if server.is_sync:
        pytest.skip("the middleware is the other one")
    assert server.ask("/replaced/").text == "replaced"
    server.until_nothing_is_left()
    assert server.left()["logged"] == []


def test_what_is_asked_of_the_database_is_asked_in_the_requests_thread(server):
    for _ in range(4):
        answer = server.ask("/queries/?seconds=0.02")
        assert answer.is_complete
        threads = set(re.findall(r"thread-\d+", answer.text))
        assert len(threads) == 1, answer.text
        text = filled(re.sub(r"thread-\d+", "T", answer.text))
        assert text.endswith("<body>T one Tone T</body></html>")
    assert server.left()["logged"] == []
    server.until_nothing_is_left()


def test_head(server):
    """Nothing of the page is sent, and nothing is rendered behind its shell."""
    answer = server.ask("/waits/", "HEAD")
    assert answer.head.split()[1] == "200"
    assert answer.text == ""
    server.until_nothing_is_left()
    assert server.left()["logged"] == []


def test_http_1_0(server):
    answer = server.ask("/parts/?seconds=0.05", version="1.0")
    assert answer.head.split()[1] == "200"
    assert answer.header("Transfer-Encoding") is None
    assert filled(answer.text).endswith("<h1>shell</h1>onetwo</body></html>")
    assert answer.ended


def test_many_at_the_same_time(server):
    """Some of which leave."""
    with server.asking("/parts/?seconds=0.2"), server.asking("/waits/"):
        answers = [server.ask("/parts/?seconds=0.05") for _ in range(5)]
    assert all(filled(answer.text).endswith("onetwo</body></html>") for answer in answers)
    server.until_nothing_is_left()
    assert server.left()["logged"] == []


def test_under_wsgi_the_page_is_complete(tmp_path):
    with running("wsgi", tmp_path, "wsgi") as server:
        for _ in range(2):
            answer = server.ask("/parts/?seconds=0.05")
            assert answer.head.split()[1] == "200"
            assert answer.text.endswith("<h1>shell</h1>onetwo</body></html>")
            assert server.ask("/error/?seconds=0.01").head.split()[1] == "500"
            answer = server.ask("/queries/?seconds=0.02")
            threads = set(re.findall(r"thread-\d+", answer.text))
            assert len(threads) == 1, answer.text
