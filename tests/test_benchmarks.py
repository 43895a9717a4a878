"""The benchmarks run, and refuse to time outputs that differ. No time is asserted."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.call_trail import Call, Trail
from benchmarks.measure import Effort, Variant, milliseconds, peak_megabytes
from benchmarks.outputs import OutputsDiffer, check_outputs, normalise
from benchmarks.report import table, verdicts
from benchmarks.results import JINJA2, OURS, OURS_ASYNC, STOCK, Row, Target, judge

ROOT = Path(__file__).resolve().parent.parent


@pytest.mark.processes
def test_every_page_runs_and_gives_equal_outputs(tmp_path):
    file = tmp_path / "results.json"
    # A process of its own: it has settings of its own.
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", "--quick", "--json", str(file)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    results = json.loads(file.read_text())
    assert results["quick"] is True
    assert "Django" in results["versions"]
    pages = {row["page"] for row in results["rows"]}
    assert {"table", "dicts", "realistic", "tiny", "compiling", "growth"} <= pages
    assert {"relations", "nested", "inheritance", "columns", "loaded"} <= pages
    assert {"foreign", "hundred-tags", "admin"} <= pages
    assert {"parents", "methods", "code", "forms"} <= pages
    assert {"text", "rows", "parts"} <= pages
    assert {"parallel", "overlaps"} <= pages
    assert {"stream", "sending", "turns"} <= pages
    for row in results["rows"]:
        assert row["page"] in done.stdout
        assert all(value > 0 for value in row["cells"].values())
        for outcome in row["outcomes"]:
            assert outcome["limit"]


@pytest.mark.processes
def test_the_trail_of_a_render_is_short():
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.call_trail"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith("Hello {{ name }}: ")
    assert "\n  engines/django.py\n      render_async\n" in done.stdout
    # What runs in the request's thread is seen as well.
    assert "\n  relations/batch_loading.py\n" in done.stdout


def test_a_trail():
    calls = [Call(*each.split()) for each in ("a.py f", "a.py g", "a.py g", "b.py h", "a.py f")]
    trail = Trail("Page", calls, 1)
    assert trail.files == ["a.py", "b.py"]
    assert trail.changes == 2
    assert trail.text() == (
        "Page: 2 files (at most 1)\n"
        "  a.py\n      f\n      g  x2\n  b.py\n      h\n  a.py\n      f\n"
        "  changes from file to file: 2"
    )


async def same() -> str:
    return "<p>&#x27;</p>"


def test_equal_outputs_are_let_through():
    variants = {
        STOCK: Variant(lambda: "<p>&#x27;</p>"),
        OURS_ASYNC: Variant(render_async=same),
        JINJA2: Variant(lambda: "<p> &#39; </p>\n"),
    }
    assert check_outputs("page", variants) == "<p>&#x27;</p>"


def test_django_engines_have_to_agree_byte_for_byte():
    variants = {STOCK: Variant(lambda: "<p>a</p>"), OURS: Variant(lambda: "<p>a</p>\n")}
    with pytest.raises(OutputsDiffer, match=r"page: outputs differ\n--- stock"):
        check_outputs("page", variants)


@pytest.mark.parametrize("other", ["<p>b</p>", "<p>&lt;</p>", "<p>a b</p>"])
def test_other_engines_have_to_agree_but_for_space_and_quotes(other):
    variants = {STOCK: Variant(lambda: "<p>a</p>"), JINJA2: Variant(lambda: other)}
    with pytest.raises(OutputsDiffer):
        check_outputs("page", variants)


def test_an_empty_output_is_no_page():
    with pytest.raises(OutputsDiffer, match="gave nothing"):
        check_outputs("page", {STOCK: Variant(lambda: " ")})


def test_normalising_keeps_what_escaping_is_about():
    assert normalise("<b>&lt;</b>") != normalise("<b><</b>")
    assert normalise("<b>&amp;lt;</b>") != normalise("<b>&lt;</b>")


def test_targets():
    assert judge("x", 6.0, at_least=6).met
    assert not judge("x", 5.9, at_least=6).met
    assert judge("x", 1.1, at_most=1.1).met
    assert not judge("x", 1.2, at_most=1.1).met
    cells = {STOCK: 12.0, OURS_ASYNC: 3.0, OURS: 3.6}
    row = Row("page", "rows", "ms", cells)
    row.hold_against((Target(STOCK, OURS_ASYNC, at_least=4), Target(OURS, OURS_ASYNC, at_most=1.1)))
    assert [(outcome.value, outcome.met) for outcome in row.outcomes] == [(4.0, True), (1.2, False)]
    assert verdicts([row]) == (
        "page: met: stock / ours async is 4.00 (at least 4)\n"
        "page: MISSED: ours / ours async is 1.20 (at most 1.1)"
    )
    assert table([row]).splitlines()[2].split() == [
        *("page", "rows,", "ms", "12.00", "(4.00x)"),
        *("3.600", "(1.20x)", "3.000"),
    ]


def test_measuring_calls_what_it_measures():
    calls = []

    async def render_async() -> None:
        calls.append("async")

    variants = {
        OURS: Variant(lambda: calls.append("sync")),
        OURS_ASYNC: Variant(render_async=render_async),
    }
    times = milliseconds(variants, Effort(quick=True))
    assert set(times) == {OURS, OURS_ASYNC}
    assert all(time > 0 for time in times.values())
    assert calls.count("sync") == calls.count("async") > 1


def test_memory_is_the_peak_of_one_render():
    peaks = peak_megabytes({OURS: Variant(lambda: len(bytes(5_000_000)))})
    assert 4.9 < peaks[OURS] < 5.5
