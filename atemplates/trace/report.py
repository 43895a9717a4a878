"""A trace as text for people."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from .records import LoadRecord, RenderTrace


def report(renders: Sequence[RenderTrace], loads: Sequence[LoadRecord] = ()) -> str:
    """Return what renders did: for each a line, and below it what took time, in its order.

    Args:
        loads: what was loaded outside of them.
    """
    lines = [line for render in renders for line in lines_of(render)]
    lines += [line_of_load(load) for load in loads]
    return "\n".join(lines) or "nothing was rendered"


def lines_of(render: RenderTrace) -> Iterator[str]:
    """Give the lines of one render."""
    depth, outer = "", render.parent
    while outer is not None:
        depth, outer = depth + "  ", outer.parent
    yield depth + heading(render)
    for at, text in sorted(timed_lines(render), key=lambda step: step[0]):
        begun = "" if text.startswith(" ") else f"{at:.2f}"
        yield f"{depth}  {begun:>8}  {text}"
    for text in summaries(render):
        yield f"{depth}            {text}"


def heading(render: RenderTrace) -> str:
    """Say which render it is, and what it took in all."""
    took = "goes on" if render.ms is None else f"{render.ms:.2f} ms"
    known = [each for each in (render.engine, render.view and f"view {render.view}") if each]
    thread = "" if render.is_native else ", by Django's own code in the thread"
    said = f"{render.title} ({', '.join(known)}): " if known else f"{render.title}: "
    said += f"{took}, {render.mode}{thread}; " + ", ".join(
        (
            number_of(len(render.waits), "wait"),
            number_of(len(render.queries), "query", "queries"),
            number_of(len(render.hops), "hop"),
        )
    )
    return f"{said}; {render.error}" if render.error else said


def timed_lines(render: RenderTrace) -> Iterator[tuple[float, str]]:
    """Give what took place at a time of its own: milliseconds after the beginning, and a text."""
    for wait in render.waits:
        rows = "" if wait.rows is None else f", {number_of(wait.rows, 'row')}"
        error = f", {wait.error}" if wait.error else ""
        yield (
            wait.at_ms,
            f"wait   {place(wait)} {wait.kind} {wait.what} "
            f"({wait.ms:.2f} ms, {wait.where}{rows}{error})",
        )
    for hop in render.hops:
        yield hop.at_ms, f"hop    {place(hop)} ({hop.ms:.2f} ms in the thread)"
    for query in render.queries:
        batch = ", in batch" if query.batch else ""
        model = f" {query.model}" if query.model else ""
        yield (
            query.at_ms,
            f"query  {place(query)} {query.kind}{model} "
            f"({query.ms:.2f} ms, {number_of(query.rows, 'row')}{batch})",
        )
        if query.suggestion:
            yield query.at_ms, f"       {query.suggestion}"
    for load in render.loads:
        yield load.at_ms, line_of_load(load)


def line_of_load(load: LoadRecord) -> str:
    """Say what was loaded beside a page."""
    where = f"in the thread: {load.reason}" if load.reason else "in parallel"
    rows = number_of(load.rows, "row")
    return f"load   {load.expression} {load.model} ({load.ms:.2f} ms, {rows}, {where})"


def summaries(render: RenderTrace) -> Iterator[str]:
    """Give what is known in sums."""
    for part in render.parts:
        took = "" if part.ms is None else f", {part.ms:.2f} ms"
        yield f"{part.kind} {part.name!r} {place(part)} ({times(part.count)}{took})"
    for code in render.code:
        yield (
            f"{code.kind} {code.name} {place(code)} "
            f"({times(code.count)} on the {code.place}, {code.ms:.2f} ms)"
        )
    for cached in render.cache:
        hits = f"{number_of(cached.hits, 'hit')}, {number_of(cached.misses, 'miss', 'misses')}"
        yield f"cache {cached.fragment!r} {place(cached)} ({hits})"
    yield (
        f"computing {render.computing_ms:.2f} ms, of these {render.loop_ms:.2f} ms on the loop; "
        f"longest without a turn {render.longest.ms:.2f} ms"
    )
    if render.first_byte_ms is not None and render.last_byte_ms is not None:
        yield (
            f"first byte after {render.first_byte_ms:.2f} ms, last after "
            f"{render.last_byte_ms:.2f} ms, {number_of(render.chunks, 'chunk')}"
        )


def place(record: Any) -> str:
    """Say where in a template something was."""
    line = "" if record.line is None else f":{record.line}"
    said = f"{record.template or '-'}{line}"
    expression = getattr(record, "expression", "")
    return f"{said} {expression}" if expression else said


def number_of(number: int, one: str, several: str = "") -> str:
    """Say how many there are."""
    return f"{number} {one if number == 1 else several or one + 's'}"


def times(number: int) -> str:
    """Say how often."""
    return "once" if number == 1 else f"{number} times"


def reports(renders: Iterable[RenderTrace]) -> list[str]:
    """Return the report of each render by itself."""
    return ["\n".join(lines_of(render)) for render in renders]
