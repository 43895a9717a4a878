"""What lines of templates may cost, for people and for programs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeAlias

from ..migration.path_costs import QueryCost
from ..problems import Problem, printable, relative
from .line_costs import LineCost

Costs: TypeAlias = dict[str, dict[int, LineCost]]
"""Template -> line -> its cost."""
SourceOf: TypeAlias = Callable[[str], str]
"""Returns the text of a template."""

QUERIES_WIDTH = 30
SOURCE_WIDTH = 80
COST_LEGEND = (
    "T: code of others runs in the request's thread. S: the plan may wait here, and a streamed "
    "page is sent up to here. W: it may wait, and the page is held back."
)
UNPLANNED = "Where plans of Jinja2 hop and wait is not known line by line."
COST_CODE = "line-cost"
"""The code of a line's cost among the problems."""


def queries_text(cost: LineCost) -> str:
    """Say how many queries a line may cost: ``"2 per row; 2 in batch"``; empty for none."""
    parts = []
    if cost.once:
        parts.append("1 query" if cost.once == 1 else f"{cost.once} queries")
    if cost.per_row:
        parts.append(f"{cost.per_row} per row")
    text = " + ".join(parts)
    if not cost.per_row:
        return text
    left = []
    if cost.in_batch or not cost.per_row_in_batch:
        left.append(str(cost.in_batch))
    if cost.per_row_in_batch:
        left.append(f"{cost.per_row_in_batch} per row")
    return f"{text}; {' + '.join(left)} in batch"


def marks_of(cost: LineCost) -> str:
    """Return the column of marks, see `COST_LEGEND`."""
    waits = ("S" if cost.flushes else "W") if cost.waits else " "
    return f"{'T' if cost.hops else ' '}{waits}"


def details_of(cost: LineCost) -> Iterator[str]:
    """Say what makes a line cost that."""
    if cost.queries:
        text = ", ".join(dict.fromkeys(map(_read_text, cost.queries)))
        if cost.views:
            text += f"; in {', '.join(cost.views)}"
        yield text
    for hop in cost.hops:
        yield f"{hop.tag} ({hop.module}): {hop.why}"
    if cost.held_by and not cost.flushes:
        yield f"a streamed page is held back by {cost.held_by}"
    yield from cost.notes


def _read_text(query: QueryCost) -> str:
    note = query.kind if not query.note else f"{query.kind}, {query.note}"
    return f"{query.what} ({note})"


def cost_lines(costs: Costs, source_of: SourceOf, *, whole: Iterable[str] = ()) -> Iterator[str]:
    """Print the lines of templates that cost something, beside their source.

    Args:
        whole: the templates of which every line is printed.
    """
    whole = set(whole)
    for name, lines in costs.items():
        if name not in whole and not any(cost.costs for cost in lines.values()):
            continue
        yield f"\n{name}"
        texts = source_of(name).splitlines()
        shown = range(1, len(texts) + 1) if name in whole else lines
        for number in shown:
            cost = lines.get(number) or LineCost(name, "", number)
            if name not in whole and not cost.costs:
                continue
            source = texts[number - 1] if 0 < number <= len(texts) else ""
            source = source.strip() if name not in whole else source
            if len(source) > SOURCE_WIDTH:
                source = f"{source[: SOURCE_WIDTH - 1]}…"
            margin = f"{number:>5}  {queries_text(cost):<{QUERIES_WIDTH}} {marks_of(cost)}| "
            yield printable(f"{margin}{source}").rstrip()
            for text in details_of(cost):
                yield printable(f"{'':>9}{text}")


def summary_line(costs: Costs) -> str:
    """Say in one line what the lines cost together."""
    lines = [cost for each in costs.values() for cost in each.values() if cost.costs]
    asking = sum(bool(cost.queries) for cost in lines)
    rows = sum(bool(cost.per_row) for cost in lines)
    hops = sum(bool(cost.hops) for cost in lines)
    return (
        f"{asking} lines may send queries, {rows} of them for each row where nothing is loaded in "
        f"batch; {hops} run code of others in the request's thread."
    )


def cost_data(costs: Costs) -> list[dict[str, Any]]:
    """Return what JSON can hold: one object for each line that costs something or may wait."""
    return [_line_data(cost) for lines in costs.values() for cost in lines.values()]


def _line_data(cost: LineCost) -> dict[str, Any]:
    return {
        "template": cost.template,
        "file": relative(cost.file),
        "line": cost.line,
        "queries": cost.once,
        "queries_per_row": cost.per_row,
        "queries_in_batch": cost.in_batch,
        "queries_per_row_in_batch": cost.per_row_in_batch,
        "reads": [
            {
                "expression": each.expression,
                "what": each.what,
                "kind": each.kind,
                "per_row": each.per_row,
                "conditional": each.conditional,
                "note": each.note,
            }
            for each in cost.queries
        ],
        "views": cost.views,
        "hops": [{"tag": hop.tag, "module": hop.module, "why": hop.why} for hop in cost.hops],
        "waits": cost.waits,
        "flushes": cost.flushes,
        "held_by": cost.held_by,
        "notes": cost.notes,
    }


def cost_problems(costs: Costs) -> list[Problem]:
    """Return the lines that cost something as remarks, for formats that know only such."""
    return [
        Problem(
            message=cost_message(cost),
            file=cost.template,
            line=cost.line or None,
            path=cost.file,
            code=COST_CODE,
            is_possible=True,
        )
        for lines in costs.values()
        for cost in lines.values()
        if cost.costs
    ]


def cost_message(cost: LineCost) -> str:
    """Say in one text what a line may cost, and why."""
    text = queries_text(cost)
    return ". ".join([*([f"queries: {text}"] if text else []), *details_of(cost)])
