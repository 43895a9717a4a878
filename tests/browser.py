"""Headless Chromium, driven by Playwright, for tests that look at a page while it arrives.

Playwright comes with the tests' requirements, the browser does not: it is the machine's own. While
one runs, Playwright's loop runs in the test's thread, so Django takes that for an async context:
start browsers for a module at most, and touch no database in its tests.
"""

import asyncio
import os
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
# What browsers lack that do not know the standard of out-of-order parts: <template for>, and
# processing instructions, which are comments for them.
STANDARD = ("DocumentPatching", "HTMLProcessingInstruction")


def why_there_is_none() -> str | None:
    """Why no browser can be started here, or None where one can."""
    try:
        import playwright  # noqa: F401
    except ImportError:
        return "playwright is not installed, which drives the browser"
    if find_browser() is None:
        return f"no Chromium is on this machine (looked for {', '.join(BROWSERS)})"
    return None


def find_browser() -> str | None:
    """The path of the browser: ``TEST_BROWSER`` if that is set, else what is on the ``PATH``."""
    given = os.environ.get("TEST_BROWSER")
    return shutil.which(given) if given else next(filter(None, map(shutil.which, BROWSERS)), None)


def require_browser() -> None:
    """Leave a module of tests out, with the reason, where no browser can be started."""
    reason = why_there_is_none()
    if reason is not None:
        pytest.skip(f"browser tests: {reason}", allow_module_level=True)


@contextmanager
def browsers() -> Iterator[Callable[..., Any]]:
    """Yield what starts a browser, for as long as a ``with`` block; one such block at a time.

    Its arguments are Chromium's names of features to switch off, such as those of `STANDARD`. The
    browser has no sandbox, because tests may run as root.
    """
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:

        def start(*lacks: str) -> Any:
            arguments = ["--no-sandbox"]
            if lacks:
                arguments.append(f"--disable-blink-features={','.join(lacks)}")
            return playwright.chromium.launch(executable_path=find_browser(), args=arguments)

        yield start


class Page:
    """One page that a server sends in pieces, each when the test says so.

    Attributes:
        url: its address.
    """

    def __init__(self, url: str, loop: asyncio.AbstractEventLoop, headers: dict[str, str]) -> None:
        self.url = url
        self.headers = headers
        self._loop = loop
        self.pieces: asyncio.Queue[str | None] = asyncio.Queue()

    def send(self, piece: str) -> None:
        """Send the next piece of the body."""
        self._loop.call_soon_threadsafe(self.pieces.put_nowait, piece)

    def end(self) -> None:
        """End the body."""
        self._loop.call_soon_threadsafe(self.pieces.put_nowait, None)


class ChunkServer:
    """A server on a free port of this machine whose pages arrive in the pieces of a test."""

    def __init__(self) -> None:
        self._pages: dict[str, Page] = {}
        # Not in the test's thread, in which Playwright has a loop of its own running.
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="chunk server")
        self._thread.start()
        self._server = asyncio.run_coroutine_threadsafe(
            asyncio.start_server(self._answer, "127.0.0.1", 0), self._loop
        ).result()
        self._site = "http://127.0.0.1:{1}".format(*self._server.sockets[0].getsockname())

    def page(self, **headers: str) -> Page:
        """A new page. ``Content_Security_Policy="..."`` gives it that header."""
        path = f"/{len(self._pages)}"
        page = Page(self._site + path, self._loop, headers)
        self._pages[path] = page
        return page

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            request = (await reader.readuntil(b"\r\n\r\n")).decode()
            page = self._pages.get(request.split()[1])
            if page is None:
                # An icon, which the console would complain about.
                writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")
                return
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\n")
            writer.write(b"Connection: close\r\nTransfer-Encoding: chunked\r\n")
            for name, value in page.headers.items():
                writer.write(f"{name.replace('_', '-')}: {value}\r\n".encode())
            writer.write(b"\r\n")
            while (piece := await page.pieces.get()) is not None:
                body = piece.encode()
                if body:
                    writer.write(b"%x\r\n%b\r\n" % (len(body), body))
                await writer.drain()
            writer.write(b"0\r\n\r\n")
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # The browser has left.
        finally:
            writer.close()

    def close(self) -> None:
        """Stop serving, and cut what is still being sent."""

        async def end() -> None:
            self._server.close()
            others = asyncio.all_tasks() - {asyncio.current_task()}
            for task in others:
                task.cancel()
            await asyncio.gather(*others, return_exceptions=True)

        asyncio.run_coroutine_threadsafe(end(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


@contextmanager
def chunk_server() -> Iterator[ChunkServer]:
    """A `ChunkServer` for as long as a ``with`` block."""
    server = ChunkServer()
    try:
        yield server
    finally:
        server.close()
