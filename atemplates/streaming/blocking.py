"""Chunks for sync code: an event loop runs while one of them is waited for."""

from __future__ import annotations

from asyncio import Runner
from collections.abc import AsyncGenerator, Callable, Iterator
from threading import Thread

from ..runtime.drivers import on_event_loop


def chunks_in_loop(begin: Callable[[], AsyncGenerator[str, object]]) -> Iterator[str]:
    """Give chunks on an event loop of their own, which runs only while one is waited for.

    Args:
        begin: begins to read them, once the loop is there.

    Raises:
        RuntimeError: an event loop runs in this thread.
    """
    if on_event_loop():
        raise RuntimeError(
            "A template of an async environment was read by sync code with a running event loop in "
            "its thread. Write `async for piece in template.generate_async(...)`."
        )
    runner = Runner()
    chunks = begin()

    def close() -> None:
        with runner:
            runner.run(chunks.aclose())

    try:
        while (chunk := runner.run(anext(chunks, None))) is not None:
            yield chunk
    finally:
        if on_event_loop():  # what is not read to its end may be freed anywhere
            thread = Thread(target=close)
            thread.start()
            thread.join()
        else:
            close()
