"""``python -m benchmarks``: measure the pages, print one table, and write the same as JSON.

The outputs of all variants of a page are compared before anything is timed. Times are medians of
repetitions that take turns in one process; only the ratios within one run mean anything.

``--matrix`` measures every construct of the template language instead: see ``--matrix --help``.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

RESULTS = Path("benchmarks.json")


def main(arguments: list[str] | None = None) -> int:
    """Measure; 0 when everything ran, whether or not the targets were met, else 1."""
    arguments = sys.argv[1:] if arguments is None else arguments
    matrix = "--matrix" in arguments
    settings = "benchmarks.matrix.settings" if matrix else "benchmarks.settings"
    os.environ["DJANGO_SETTINGS_MODULE"] = settings
    import django

    django.setup()
    if matrix:
        from .matrix.run import run_matrix

        return run_matrix(arguments)
    from .engines import has_minijinja
    from .measure import Effort
    from .outputs import OutputsDiffer
    from .registry import load_pages
    from .report import as_json, table, verdicts, versions

    pages = load_pages()
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "--page", action="append", choices=sorted(pages), help="only this page (may be repeated)"
    )
    parser.add_argument(
        "--json", type=Path, metavar="FILE", default=RESULTS, help=f"default: {RESULTS.name}, here"
    )
    parser.add_argument(
        "--quick", action="store_true", help="tiny sizes: shows that everything runs"
    )
    options = parser.parse_args(arguments)
    effort = Effort(quick=options.quick)
    rows = []
    for name in options.page or pages:
        print(f"measuring {name}: {pages[name].description}", file=sys.stderr, flush=True)
        try:
            rows += pages[name].measure(effort)
        except OutputsDiffer as error:
            print(error, file=sys.stderr)
            return 1
    print(", ".join(f"{name} {found}" for name, found in versions().items()))
    print(table(rows))
    print("(in brackets: the time over that of ours async)")
    if not has_minijinja():
        print("minijinja is left out: it is not installed (pip install minijinja)")
    if options.quick:
        print("--quick: that everything runs is all that this shows")
    else:
        print(verdicts(rows))
    options.json.write_text(as_json(rows, quick=options.quick), encoding="utf-8")
    print(f"The same as JSON: {options.json}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
