"""``python -m benchmarks --matrix``: one line for each construct of the template language.

Each construct stands in a loop over 500 rows. The figures say how many times as fast as stock
Django an engine is: outputs are compared first, then CPU times are taken by turns in one process.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from django.utils import translation

from ..engines import has_minijinja
from ..measure import Effort
from ..outputs import OutputsDiffer
from ..results import OURS_ASYNC, STOCK
from .catalogue import installed_constructs
from .construct import NoSuchConstruct, chosen
from .measuring import Measured, frozen_heap, measure_construct
from .report import (
    absent,
    left_out_lines,
    matrix_markdown,
    matrix_table,
    matrix_versions,
    summary,
    worst_first,
)
from .rows import matrix_values
from .saved import NoResults, comparison, matrix_json, read_results
from .variants import own_variants
from .work import profiled_work

ROWS = 500
FASTER = 2.0
"""Constructs that are less than so many times as fast as stock are looked into."""
QUICK_ROWS = 3


def run_matrix(arguments: Sequence[str]) -> int:
    """Measure; 0 when every construct had the same output as stock Django, 1 when one had not."""
    options = parsed(arguments)
    constructs = installed_constructs()
    try:
        constructs = chosen(constructs, options.construct or ())
        earlier = read_results(options.compare) if options.compare else None
    except (NoSuchConstruct, NoResults) as error:
        print(error, file=sys.stderr)
        return 2
    if options.list:
        print("\n".join(f"{each.label:40} {each.django}" for each in constructs))
        return 0
    effort = Effort(quick=options.quick)
    values = matrix_values(effort.size(ROWS, QUICK_ROWS))
    lines: list[Measured] = []
    wrong = []
    with translation.override("en-us"), frozen_heap():
        for place, construct in enumerate(constructs, 1):
            progress(f"{place}/{len(constructs)} {construct.label}")
            try:
                lines.append(measure_construct(construct, values, effort))
            except OutputsDiffer as error:
                wrong.append(str(error))
            except Exception as error:  # the others are measured all the same
                wrong.append(f"{construct.label}: {type(error).__name__}: {error}")
    progress("")
    if lines:
        show(lines, options)
    if options.work:
        print("\n".join(work_lines(lines, values)))
    if earlier is not None:
        print()
        print(comparison(lines, earlier))
    for text in wrong:
        print(text, file=sys.stderr)
    return 1 if wrong else 0


def parsed(arguments: Sequence[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks --matrix",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--matrix", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument(
        "--construct",
        action="append",
        metavar="NAME",
        help="only this construct, like i18n.translate, or 'i18n.*' (may be repeated)",
    )
    parser.add_argument("--list", action="store_true", help="only list the constructs")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the results there")
    parser.add_argument(
        "--compare", type=Path, metavar="OLD.json", help="show what changed since this run"
    )
    parser.add_argument(
        "--markdown", type=Path, metavar="FILE", help="write the matrix as a page of Markdown"
    )
    parser.add_argument(
        "--work",
        action="store_true",
        help=f"show what stock Django does in the constructs below {FASTER:g}, by a profile",
    )
    parser.add_argument(
        "--quick", action="store_true", help="a few rows, once: shows that everything runs"
    )
    return parser.parse_args(arguments)


def show(lines: Sequence[Measured], options: argparse.Namespace) -> None:
    """Print the results, and write the files that were asked for."""
    print(", ".join(f"{name} {found}" for name, found in matrix_versions().items()))
    print(matrix_table(lines))
    print("\n".join(left_out_lines(lines)))
    print("\n".join(summary(lines)))
    print("\n".join(absent()))
    if not has_minijinja():
        print("minijinja is left out: it is not installed (pip install minijinja)")
    if options.quick:
        print("--quick: that everything runs is all that this shows")
    if options.json:
        options.json.write_text(matrix_json(lines, quick=options.quick), encoding="utf-8")
    if options.markdown:
        options.markdown.write_text(matrix_markdown(lines), encoding="utf-8")


def work_lines(lines: Sequence[Measured], values: dict[str, Any]) -> Iterator[str]:
    """Say what stock Django does outside of its template engine in the slow constructs."""
    yield f"\nWhat takes stock Django's time in the constructs below {FASTER:g}, by a profile:"
    for line in worst_first(lines):
        ratio = line.ratios[OURS_ASYNC]
        if ratio < FASTER:
            render = own_variants(line.construct, values)[STOCK].render
            assert render is not None
            render()
            yield f"{line.construct.label:40} {ratio:5.2f}  {profiled_work(render)}"


def progress(text: str) -> None:
    """Say on a terminal what is being measured."""
    if sys.stderr.isatty():
        print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)
