"""The worker as the server sees it: asked, replaced, and gone when it is not needed any more."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from itertools import count
from typing import Any, TypeAlias

LONGEST_ANSWER = 2**26
"""The longest answer."""
PATIENCE = 60.0
"""Seconds that a question may take before the worker is replaced."""
PAUSE = 2.0
"""Seconds after a worker that could not start before another is tried."""
MOST_TRIES = 3
"""How many workers one question may be asked: files of Python may be saved one after another."""
LAST_LINES = 12
"""How many of the last lines of a worker that ends are shown."""


Waiting: TypeAlias = "dict[int, asyncio.Future[dict[str, Any]]]"
"""The number of a question -> who waits for its answer."""


class WorkerError(Exception):
    """A question that was not answered; the text says why."""


class WorkerProcess:
    """Asks a worker process, and starts another when that one has ended.

    Args:
        command: the command line of a worker.
    """

    def __init__(self, command: Sequence[str]) -> None:
        self.command = list(command)
        self._process: asyncio.subprocess.Process | None = None
        self._said: deque[str] = deque(maxlen=LAST_LINES)
        self._waiting: Waiting = {}
        """Who waits for the process that runs now."""
        self._numbers = count(1)
        self._turn = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()
        self._failed_at = float("-inf")
        self._failure = ""

    async def ask(self, what: str, **details: Any) -> Any:
        """Ask the worker, after those who have asked before.

        Raises:
            WorkerError: it gave no answer, or an error.
        """
        asked_at = time.monotonic()
        async with self._turn:
            if asked_at <= self._failed_at:
                raise WorkerError(self._failure)
            answer = await self._ask_once(what, details)
            for _ in range(MOST_TRIES - 1):
                if "changed" in answer:
                    await self.stop()
                    answer = await self._ask_once(what, details)
        if "result" not in answer:
            raise WorkerError(answer.get("error") or "Python files change all the time.")
        return answer["result"]

    async def stop(self) -> None:
        """End the worker; the next question starts another."""
        process, self._process = self._process, None
        if process is None or process.returncode is not None:
            return
        if process.stdin is not None:
            process.stdin.close()
        try:
            await asyncio.wait_for(process.wait(), 0.5)
        except TimeoutError:
            process.kill()
            await process.wait()

    async def replace(self) -> None:
        """End the worker when it has answered what was asked."""
        async with self._turn:
            await self.stop()

    async def _ask_once(self, what: str, details: dict[str, Any]) -> dict[str, Any]:
        process = await self._running()
        number = next(self._numbers)
        question = json.dumps({"id": number, "ask": what, **details})
        asked = self._waiting
        waiting = asked[number] = asyncio.get_running_loop().create_future()
        try:
            assert process.stdin is not None
            # One that has ended before it took the question says why in its last words.
            with suppress(BrokenPipeError, ConnectionResetError):
                process.stdin.write(f"{question}\n".encode())
                await process.stdin.drain()
            return await asyncio.wait_for(waiting, PATIENCE)
        except TimeoutError:
            process.kill()
            raise WorkerError(f"no answer to {what!r} for {PATIENCE:.0f} seconds") from None
        finally:
            asked.pop(number, None)

    async def _running(self) -> asyncio.subprocess.Process:
        process = self._process
        if process is not None and process.returncode is None:
            return process
        # The site may have been mended since: a question is never dropped, but waits to be tried.
        await asyncio.sleep(self._failed_at + PAUSE - time.monotonic())
        self._said.clear()
        pipe = asyncio.subprocess.PIPE
        process = self._process = await asyncio.create_subprocess_exec(
            *self.command, stdin=pipe, stdout=pipe, stderr=pipe, limit=LONGEST_ANSWER
        )
        self._waiting = {}
        for work in (self._listen(process, self._waiting), self._note_words(process)):
            task = asyncio.ensure_future(work)
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return process

    async def _listen(self, process: asyncio.subprocess.Process, asked: Waiting) -> None:
        assert process.stdout is not None
        async for line in process.stdout:
            try:
                answer = json.loads(line)
            except ValueError:
                # What the settings have printed, where Python sends each line at once.
                print(line.decode(errors="replace").rstrip(), file=sys.stderr, flush=True)
                continue
            waiting = asked.pop(answer["id"], None)
            if waiting is not None and not waiting.done():
                waiting.set_result(answer)
        await process.wait()
        await asyncio.sleep(0.05)  # what it said last is on the way
        if process is self._process:
            self._failed_at, self._failure = time.monotonic(), self._last_words()
        for waiting in asked.values():
            if not waiting.done():
                waiting.set_exception(WorkerError(self._last_words()))

    async def _note_words(self, process: asyncio.subprocess.Process) -> None:
        """Hand on what a worker prints, and remember the end of it."""
        assert process.stderr is not None
        async for line in process.stderr:
            text = line.decode(errors="replace").rstrip()
            self._said.append(text)
            print(text, file=sys.stderr, flush=True)

    def _last_words(self) -> str:
        said = [line for line in self._said if line.strip()]
        return said[-1] if said else "the process that reads the site has ended"
