"""The report of ``check`` for people."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from typing import Any

from ..migration.formats import counted
from ..problems import Problem, printable, relative
from .checking import Checked, as_shown, level_of
from .compiling import ONE_HOP, RENDER_ASYNC, Compiled, TagPlaces

MOST_SHOWN_PLACES = 3
WIDEST_SOURCE = 120
"""Characters of a source line that are shown; a longer one is cut around what is meant."""


def report_lines(checked: Checked) -> Iterator[str]:
    """The whole report, line by line; the problems come first."""
    for each in checked.problems:
        yield from problem_lines(each, checked)
    for alias, compiled in checked.compiled.items():
        yield from _swallower_lines(alias, compiled)
    for alias, compiled in checked.compiled.items():
        yield from _engine_lines(alias, compiled)
    if checked.left_out:
        templates = counted(checked.left_out, "template")
        yield f"Left out: {templates} of installed packages or excluded; --all looks at the former."
    names = ", ".join(
        f"{counted(compiled.templates, 'template')} of {alias!r}"
        for alias, compiled in checked.compiled.items()
    )
    yield f"Compiled: {names}; {tally(checked, '. ')}."


def tally(checked: Checked, end: str) -> str:
    """The numbers of a check.

    Args:
        end: what stands between the problems and the functions that catch everything.
    """
    failing = len(checked.failing)
    possible = sum(level_of(each, checked.wanted) == "warning" for each in checked.problems)
    optional = len(checked.problems) - failing - possible
    text = counted(failing, "problem")
    text += f", {possible} possible" if possible else ""
    text += f", {optional} in packages of others" if optional else ""
    uses, tags = hops_of(checked.compiled)
    return (
        f"{text}{end}{caught(checked.compiled, end)}{counted(uses, 'use')} of "
        f"{counted(tags, 'tag')} and "
        f"{counted(processors_of(checked.compiled), 'context processor')} "
        "run in the request's thread"
    )


def problem_lines(problem: Problem, checked: Checked) -> Iterator[str]:
    """A problem as compilers print one: the place, the line with a caret, and what to do."""
    level = level_of(problem, checked.wanted)
    word = "possible" if level == "warning" and problem.is_possible else level
    each = as_shown(problem)
    place = each.file
    if each.line is not None:
        place += f":{each.line}"
        place += f":{each.column}" if each.column is not None else ""
    text = printable(f"{place}: " if place else "")
    yield f"{text}{word}[{each.rule}]: {each.message}"
    if each.line is not None and each.column is not None:
        lines = checked.sources(problem).replace("\r\n", "\n").split("\n")
        if 0 < each.line <= len(lines):
            yield from marked(lines[each.line - 1], each.column, each.width)
    if each.hint:
        yield printable(f"    {each.hint}")


def marked(line: str, column: int, width: int) -> Iterator[str]:
    """A line of a template, and carets under what is meant; a long line is cut.

    Args:
        column: in characters, from 1.
        width: in characters.
    """
    indent = min(len(line) - len(line.lstrip()), column - 1)
    line, at = line[indent:], column - 1 - indent
    start = max(0, at - WIDEST_SOURCE // 2) if len(line) > WIDEST_SOURCE else 0
    part = line[start : start + WIDEST_SOURCE]
    before, meant = part[: at - start], part[at - start : at - start + width]
    yield f"    {_visible(part).rstrip()}"
    carets = "^" * max(1, cells(_visible(meant)))
    yield f"    {' ' * cells(_visible(before))}{carets}"


def _visible(text: str) -> str:
    """A part of a line without tabs, whose width depends on where they stand."""
    return printable(text.replace("\t", "    "))


def cells(text: str) -> int:
    """How many cells of a terminal a text takes."""
    return sum(
        0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1
        for char in text
    )


def _engine_lines(alias: str, compiled: Compiled) -> Iterator[str]:
    if compiled.in_thread:
        yield f"{alias}: each render is one hop, as async_mode='thread' says."
    yield from _tag_lines(
        f"{alias}: tags of others that run in the request's thread:", compiled.hops
    )
    if compiled.hops:
        yield f"  {ONE_HOP} {RENDER_ASYNC}"
    if compiled.hops_of_packages:
        uses = counted(compiled.hops_of_packages, "use")
        yield f"{alias}: {uses} of tags in installed packages' templates, in the request's thread."
    yield from _tag_lines(
        f"{alias}: tags of others that run on the event loop (one that turns out to query goes "
        "to the thread, for good):",
        compiled.inline,
    )
    if compiled.processors:
        yield f"{alias}: context processors that run in the request's thread:"
        for processor, where in compiled.processors.items():
            yield printable(f"  {processor}: {where}")


def _swallower_lines(alias: str, compiled: Compiled) -> Iterator[str]:
    if not compiled.swallowers:
        return
    yield (
        f"{alias}: Python that catches every exception, also the one by which Django says "
        "on the event loop that a query is needed. A render notices that; `async def` code "
        "that calls it by itself gets a wrong answer:"
    )
    for each in compiled.swallowers:
        places = f": {some(each.places)}" if each.places else ""
        yield printable(f"  {each.name}, {relative(each.file)}:{each.line}{places}")
    yield (
        "  Catch what is expected, or raise SynchronousOnlyOperation again; what answers the "
        "same on the loop can be named with --ignore."
    )


def _tag_lines(title: str, tags: TagPlaces) -> Iterator[str]:
    if tags:
        yield title
    for tag, places in sorted(tags.items(), key=lambda each: -len(each[1])):
        yield printable(
            f"  {{% {tag.name} %}} of {tag.module}: {len(places)}x, {some(places)}: {tag.where}"
        )


def some(places: Any) -> str:
    """The first of some places, and how many more there are."""
    text = ", ".join(places[:MOST_SHOWN_PLACES])
    return (
        text
        if len(places) <= MOST_SHOWN_PLACES
        else f"{text} and {len(places) - MOST_SHOWN_PLACES} more"
    )


def hops_of(found: dict[str, Compiled]) -> tuple[int, int]:
    """How often tags run in the request's thread, and how many tags do."""
    tags = {tag for compiled in found.values() for tag in compiled.hops}
    places = [place for each in found.values() for some in each.hops.values() for place in some]
    return len(places), len(tags)


def swallowers_of(found: dict[str, Compiled]) -> int:
    """How many functions catch every exception."""
    return len({(one.file, one.line) for each in found.values() for one in each.swallowers})


def caught(found: dict[str, Compiled], end: str) -> str:
    """Say how many functions catch every exception; nothing when there are none."""
    count = swallowers_of(found)
    verb = "catches" if count == 1 else "catch"
    return f"{counted(count, 'function')} {verb} every exception{end}" if count else ""


def processors_of(found: dict[str, Compiled]) -> int:
    """How many context processors run in the request's thread."""
    return len({name for compiled in found.values() for name in compiled.processors})
