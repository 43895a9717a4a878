"""The matrix as a table for people: as text, and as a page of Markdown."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence

from ..report import number
from ..report import versions as page_versions
from ..results import ENGINES, JINJA2, MINIJINJA, OURS, OURS_ASYNC, STOCK
from .measuring import Measured
from .peers import PEERS, installed_peers

LIMITS = (1.0, 1.5, 2.0)


def matrix_versions() -> dict[str, str]:
    """Return what was measured, and on what; a peer that is not installed is named as such."""
    found = page_versions()
    for peer in PEERS:
        found[peer.distribution] = peer.version if peer.is_here else "not installed"
    return found


def engines_of(lines: Iterable[Measured]) -> list[str]:
    """Return the engines that have a figure anywhere or were left out, but for stock."""
    present = {name for line in lines for name in (*line.ratios, *line.left_out)}
    order = [name for name in ENGINES if name != STOCK]
    # Ours first: it is what the matrix is about.
    order.sort(key=lambda name: name not in (OURS, OURS_ASYNC))
    order += [peer.name for peer in PEERS]
    return [name for name in order if name in present]


def worst_first(lines: Iterable[Measured]) -> list[Measured]:
    """Sort by how many times as fast as stock ours is, on the loop."""
    return sorted(lines, key=lambda line: line.ratios[OURS_ASYNC])


def figure(line: Measured, engine: str) -> str:
    """Write how many times as fast as stock an engine is, or why that is not known."""
    ratio = line.ratios.get(engine)
    if ratio is not None:
        return f"{ratio:.2f}"
    return line.left_out.get(engine, "-").partition(":")[0]


def table_rows(lines: Sequence[Measured]) -> list[list[str]]:
    """Return the cells of the table, its head first."""
    engines = engines_of(lines)
    rows = [["construct", "stock, ms", *engines]]
    rows += [
        [
            line.construct.label,
            number(line.cells[STOCK]),
            *(figure(line, engine) for engine in engines),
        ]
        for line in worst_first(lines)
    ]
    return rows


def matrix_table(lines: Sequence[Measured]) -> str:
    """Return the table as text."""
    rows = table_rows(lines)
    widths = [max(len(row[index]) for row in rows) for index in range(len(rows[0]))]
    text = [
        "  ".join(
            cell.rjust(width) if place else cell.ljust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
    text.insert(1, "-" * max(map(len, text)))
    return "\n".join(text)


def summary(lines: Sequence[Measured]) -> list[str]:
    """Return the matrix in a few lines."""
    sentences = [f"{len(lines)} constructs; times stock Django:"]
    for engine in (OURS, OURS_ASYNC):
        ratios = [line.ratios[engine] for line in lines]
        below = ", ".join(
            f"{sum(ratio < limit for ratio in ratios)} below {limit:g}" for limit in LIMITS
        )
        sentences.append(
            f"{engine}: median {statistics.median(ratios):.2f}, lowest {min(ratios):.2f}, {below}"
        )
    sentences += [against(engine, lines) for engine in engines_of(lines)[2:]]
    return sentences


def against(engine: str, lines: Sequence[Measured]) -> str:
    """Say how ours stands beside another engine, where both have a figure."""
    both = [line for line in lines if engine in line.ratios]
    left = [line.left_out[engine] for line in lines if engine in line.left_out]
    sentence = f"{engine}: "
    if both:
        ratios = [line.ratios[engine] for line in both]
        ahead = {
            ours: sum(line.ratios[ours] > line.ratios[engine] for line in both)
            for ours in (OURS, OURS_ASYNC)
        }
        sentence += (
            f"median {statistics.median(ratios):.2f}; ahead of it in {ahead[OURS]} (ours) and "
            f"{ahead[OURS_ASYNC]} (ours async) of {len(both)}"
        )
    if left:
        differs = left.count("differs")
        sentence += f"{', ' if both else ''}{differs} differ and {len(left) - differs} fail"
    return sentence


def absent() -> list[str]:
    """Say which engines were left out, and what would install them."""
    here = installed_peers()
    return [
        f"{peer.name} is left out: it is not installed (pip install {peer.distribution})"
        for peer in PEERS
        if peer not in here
    ]


def left_out_lines(lines: Sequence[Measured]) -> list[str]:
    """Name the constructs where an engine has no figure, and why."""
    reasons: dict[tuple[str, str], list[str]] = {}
    for line in lines:
        for engine, reason in line.left_out.items():
            reasons.setdefault((engine, reason), []).append(line.construct.label)
    return [
        f"{engine} {reason}: {', '.join(labels)}" for (engine, reason), labels in reasons.items()
    ]


INTRODUCTION = f"""\
Each line is one construct of the template language in a loop over 500 rows. A figure says how many
times as fast as stock Django an engine renders it: above 1 is faster. Outputs are compared first.
CPU times are taken by turns in one process; a figure is the median of what each round gave.
*{OURS}* is `render()`, *{OURS_ASYNC}* `render_async()`. The lines of forms have Django's default
`FORM_RENDERER`; `own inline` is `own` with `OPTIONS["inline_tags"]`."""


def matrix_markdown(lines: Sequence[Measured]) -> str:
    """Return the whole matrix as a page of the documentation."""
    rows = [[cell.replace("|", "\\|") for cell in row] for row in table_rows(lines)]
    head, *body = rows
    rule = ["---", *["---:"] * (len(head) - 1)]
    names = ", ".join(
        f"{name} {found}" for name, found in matrix_versions().items() if found != "not installed"
    )
    others = [name for name in engines_of(lines) if name not in (OURS, OURS_ASYNC)]
    return "\n".join(
        [
            "# Every construct, measured",
            "",
            INTRODUCTION,
            "",
            "`scripts/benchmarks --matrix --markdown docs/matrix.md` writes this page. Measured "
            f"with {names}.",
            "",
            *(f"* {sentence}" for sentence in summary(lines)),
            "",
            f"{JINJA2} and {MINIJINJA} have a figure where they have the like of the construct; "
            "`differs` stands where an engine gives another output than Django, `fails` where it "
            "raises an error."
            if others
            else "",
            "",
            *("| " + " | ".join(row) + " |" for row in (head, rule, *body)),
            "",
            "## What the constructs are",
            "",
            "| construct | Django | Jinja2 |",
            "| --- | --- | --- |",
            *(
                f"| {line.construct.label} | {code(line.construct.django)} | "
                f"{code(line.construct.jinja2)} |"
                for line in sorted(lines, key=lambda line: line.construct.label)
            ),
            "",
        ]
    )


def code(source: str | None) -> str:
    """Write a source as code in a cell of a table."""
    if source is None:
        return ""
    text = source.replace("\n", " ").replace("|", "\\|")
    return f"``{text}``" if "`" in text else f"`{text}`"
