"""``python -m benchmarks.call_trail``: the way of a warm render through the package, to be read.

Prints each of our functions that a render calls, in order, under the file it stands in, and counts
the files and how often the way changes from one to another. The fewer there are, the easier it is
to follow what a render does.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from collections.abc import Awaitable, Callable
from itertools import pairwise
from pathlib import Path
from types import FrameType
from typing import Any, NamedTuple

from asgiref.sync import sync_to_async

ROOT = Path(__file__).resolve().parent.parent / "atemplates"
WARM = 10
"""How many renders come before the one that is shown: all that is learned is learned by then."""

Values = Callable[[], Awaitable[dict[str, Any]]]


class Call(NamedTuple):
    """One call of a function of ours."""

    file: str
    """Below the package: ``runtime/output.py``."""
    function: str


class Trail(NamedTuple):
    """What one render called."""

    title: str
    calls: list[Call]
    most_files: int
    """How many files it may pass."""

    @property
    def files(self) -> list[str]:
        """The files in the order in which they are entered first."""
        return list(dict.fromkeys(call.file for call in self.calls))

    @property
    def changes(self) -> int:
        """How often the next call is in another file."""
        files = [call.file for call in self.calls]
        return sum(here != there for here, there in pairwise(files))

    def text(self) -> str:
        """The trail for people: calls that repeat each other are counted, not listed."""
        lines = [f"{self.title}: {len(self.files)} files (at most {self.most_files})"]
        file, repeated, last = "", 1, None
        for call in [*self.calls, None]:
            if call == last:
                repeated += 1
                continue
            if last is not None and repeated > 1:
                lines[-1] += f"  x{repeated}"
            if call is not None:
                if call.file != file:
                    file = call.file
                    lines.append(f"  {file}")
                lines.append(f"      {call.function}")
            last, repeated = call, 1
        lines.append(f"  changes from file to file: {self.changes}")
        return "\n".join(lines)


class Recorder:
    """Notes calls of functions of the package, on the loop and in the request's thread."""

    def __init__(self) -> None:
        self.calls: list[Call] = []

    def _called(self, frame: FrameType, event: str, argument: Any) -> None:
        if event == "call":
            file = frame.f_code.co_filename
            if file.startswith(f"{ROOT}{os.sep}"):
                self.calls.append(
                    Call(Path(file).relative_to(ROOT).as_posix(), frame.f_code.co_name)
                )

    async def __aenter__(self) -> Recorder:
        # The request's thread is there already; before Python 3.12 it has to set this by itself.
        await sync_to_async(sys.setprofile)(self._called)
        sys.setprofile(self._called)
        return self

    async def __aexit__(self, *details: Any) -> None:
        sys.setprofile(None)
        await sync_to_async(sys.setprofile)(None)


async def trail_of(title: str, source: str, values: Values, most_files: int) -> Trail:
    """Render a template until it is warm, and once more with its calls noted.

    Args:
        values: makes the context of one render.
    """
    from .engines import our_backend

    template = our_backend().from_string(source)
    for _ in range(WARM):
        await template.render_async(await values())
    context = await values()
    async with Recorder() as recorder:
        await template.render_async(context)
    return Trail(title, recorder.calls, most_files)


async def a_name() -> dict[str, Any]:
    return {"name": "Ada"}


async def five_books() -> dict[str, Any]:
    from .models import Book

    return {"books": [book async for book in Book.objects.order_by("pk")]}


async def trails() -> list[Trail]:
    """The two trails that are counted."""
    return [
        await trail_of("Hello {{ name }}", "Hello {{ name }}", a_name, 14),
        await trail_of(
            "a lazy foreign key over five rows",
            "{% for book in books %}{{ book.author.name }} {% endfor %}",
            five_books,
            22,
        ),
    ]


def main(arguments: list[str] | None = None) -> int:
    """Print the trails; 1 when one passes more files than it may, else 0."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.call_trail", description=__doc__)
    parser.add_argument("--counts", action="store_true", help="only the files, not each call")
    options = parser.parse_args(arguments)
    os.environ["DJANGO_SETTINGS_MODULE"] = "benchmarks.settings"
    import django

    django.setup()
    from .library import fill

    fill(5)
    found = asyncio.run(trails())
    for trail in found:
        if options.counts:
            print(f"{trail.title}: {len(trail.files)} files: {', '.join(trail.files)}")
        else:
            print(trail.text())
    return int(any(len(trail.files) > trail.most_files for trail in found))


if __name__ == "__main__":
    sys.exit(main())
