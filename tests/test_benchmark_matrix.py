"""The benchmark's matrix has every construct, runs, and compares runs. No time is asserted."""

import json
import pkgutil
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest
from django import templatetags
from django.template.engine import Engine

from benchmarks.matrix import measuring
from benchmarks.matrix.catalogue import ALL, installed_constructs
from benchmarks.matrix.construct import Construct, NoSuchConstruct, chosen, used_names
from benchmarks.matrix.measuring import Measured, measure_construct, medians
from benchmarks.matrix.report import left_out_lines, matrix_markdown, matrix_table, summary
from benchmarks.matrix.saved import NoResults, changes, comparison, matrix_json, read_results
from benchmarks.matrix.work import profiled_work, work_in
from benchmarks.measure import Effort, Variant
from benchmarks.outputs import OutputsDiffer
from benchmarks.results import JINJA2, MINIJINJA, OURS, OURS_ASYNC, STOCK

ROOT = Path(__file__).resolve().parent.parent

# What Django brings: its modules, so that a library of a later version is seen as well.
LIBRARIES = [
    *Engine.default_builtins,
    *(f"django.templatetags.{found.name}" for found in pkgutil.iter_modules(templatetags.__path__)),
    "django.contrib.humanize.templatetags.humanize",
]


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    # A process of its own: it has settings of its own.
    return subprocess.run(
        [sys.executable, "-m", "benchmarks", "--matrix", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("library", LIBRARIES)
def test_every_tag_and_filter_of_django_has_its_line(library):
    used = {name for each in installed_constructs() for name in used_names(each.django_source)}
    register = import_module(library).register
    brought = {("tag", name) for name in register.tags}
    brought |= {("filter", name) for name in register.filters}
    assert brought
    assert brought - used == set()


def test_what_a_source_uses():
    source = "{% if a|length > 2 %}{{ b|cut:'|x'|default:\"|y\" }}{% endif %}{# {{ c|d }} #}|e"
    assert set(used_names(source)) == {
        *(("tag", "if"), ("tag", "endif")),
        *(("filter", "length"), ("filter", "cut"), ("filter", "default")),
    }


def test_labels_are_unique():
    labels = [each.label for each in ALL]
    assert len(labels) == len(set(labels))


def test_a_loop_stands_around_what_has_none():
    assert Construct("x", "{{ a }}", load="i18n").django_source == (
        "{% load i18n %}{% for row in rows %}{{ a }}{% endfor %}"
    )
    looped = "{% for row in rows %}{% block a %}{% endblock %}{% endfor %}"
    assert Construct("x", looped).django_source == looped
    extending = '{% extends "a.html" %}{% block b %}{% endblock %}'
    assert Construct("x", extending, extending).jinja2_source == extending
    assert Construct("x", "{{ a }}").jinja2_source is None


def test_constructs_are_chosen_by_patterns():
    constructs = installed_constructs()
    assert chosen(constructs, []) == constructs
    assert [each.label for each in chosen(constructs, ["value.None", "i18n.translate"])] == [
        *("value.None", "i18n.translate"),
    ]
    assert {each.family for each in chosen(constructs, ["l10n.*"])} == {"l10n"}
    assert {each.label for each in chosen(constructs, ["localtime*"])} == {
        *("tz.localtime", "tz.localtime filter"),
    }
    with pytest.raises(NoSuchConstruct, match=r"'filter\.uper'.*filter\.upper.*--list"):
        chosen(constructs, ["filter.upper", "filter.uper"])


@pytest.mark.processes
def test_every_construct_runs_and_gives_equal_outputs(tmp_path):
    file, page = tmp_path / "results.json", tmp_path / "matrix.md"
    done = run("--quick", "--json", str(file), "--markdown", str(page))
    assert done.returncode == 0, done.stderr
    results = json.loads(file.read_text())
    assert results["quick"] is True
    assert "Django" in results["versions"]
    assert set(results["constructs"]) == {each.label for each in installed_constructs()}
    markdown = page.read_text()
    for label, line in results["constructs"].items():
        assert label in done.stdout
        assert f"| {label} |" in markdown
        assert {STOCK, OURS, OURS_ASYNC} <= set(line["milliseconds"])
        assert (JINJA2 in line["milliseconds"]) is (line["jinja2"] is not None)
        assert all(value > 0 for value in line["milliseconds"].values())
    assert read_results(file)["value.None"] == results["constructs"]["value.None"]["times_stock"]


@pytest.mark.processes
def test_a_construct_that_does_not_exist_is_named():
    done = run("--construct", "filter.uper")
    assert done.returncode == 2
    assert done.stderr.startswith("There is no construct 'filter.uper' in the matrix; near it are")
    assert "Traceback" not in done.stderr


# -- one construct ---------------------------------------------------------------------------------

VALUES = {"rows": [1, 2]}
ROW = Construct("row", "{{ row }}", "{{ row }}", family="test")


def test_a_peer_that_differs_or_fails_has_no_figure(monkeypatch):
    class Panic(BaseException):
        """As native code raises one."""

    def fails() -> Variant:
        raise Panic

    def fails_late() -> str:
        raise ValueError("no")

    peers = {
        "Equal": lambda: Variant(lambda: "12"),
        "Different": lambda: Variant(lambda: " 12"),
        MINIJINJA: lambda: Variant(lambda: " 12"),  # of another language: space may differ
        "Panicking": fails,
        "Failing": lambda: Variant(fails_late),
    }
    monkeypatch.setattr(measuring, "peer_variants", lambda *_: peers)
    line = measure_construct(ROW, VALUES, Effort(quick=True))
    assert set(line.cells) == {STOCK, OURS, OURS_ASYNC, JINJA2, "Equal", MINIJINJA}
    assert line.left_out == {
        "Different": "differs",
        "Panicking": "fails: Panic",
        "Failing": "fails: ValueError",
    }


def test_a_round_is_compared_with_stock_in_the_same_round():
    samples = {STOCK: [0.002, 0.004, 0.002, 0.0], OURS: [0.001, 0.002, 0.002, 0.002]}
    assert medians(samples) == ({STOCK: 2.0, OURS: 2.0}, {STOCK: 1.0, OURS: 1.5})


def test_ours_has_to_be_what_stock_gives(monkeypatch):
    variants = {STOCK: Variant(lambda: "12"), OURS: Variant(lambda: "12 ")}
    monkeypatch.setattr(measuring, "own_variants", lambda *_: variants)
    with pytest.raises(OutputsDiffer, match=r"test\.row: outputs differ"):
        measure_construct(ROW, VALUES, Effort(quick=True))


def test_only_what_prints_nothing_may_be_empty(monkeypatch):
    silent = Construct("silent", "{{ nothing }}", prints=False)
    assert measure_construct(silent, VALUES, Effort(quick=True)).cells
    with pytest.raises(OutputsDiffer, match="gave nothing"):
        measure_construct(Construct("silent", "{{ nothing }}"), VALUES, Effort(quick=True))


# -- what stock does -------------------------------------------------------------------------------


def test_the_work_in_a_profile():
    render = ("/lib/django/template/base.py", 1, "render")
    upper = ("/lib/django/template/defaultfilters.py", 2, "upper")
    tag = ("/site/tags.py", 3, "mine")
    stats = {
        render: (1, 1, 0.4, 1.0, {}),
        upper: (1, 1, 0.1, 0.3, {render: (1, 1, 0.1, 0.3)}),
        tag: (1, 1, 0.0, 0.2, {render: (1, 1, 0.0, 0.2)}),
        ("~", 0, "<built-in>"): (
            *(3, 3, 0.5, 0.5),
            {render: (1, 1, 0.1, 0.1), upper: (1, 1, 0.2, 0.2), tag: (1, 1, 0.2, 0.2)},
        ),
    }
    assert str(work_in(stats)) == "50% (upper() 30%, mine() 20%)"
    assert work_in({}).share == 0


def test_a_render_is_profiled():
    work = profiled_work(lambda: sorted([3, 1, 2]))
    assert 0 <= work.share <= 1


# -- reports ---------------------------------------------------------------------------------------


def measured(name: str, ours: float, ours_async: float, **more: object) -> Measured:
    construct = Construct(name, "{{ a|b }}", "{{ a }}", family="test")
    ratios = {STOCK: 1.0, OURS: ours, OURS_ASYNC: ours_async, JINJA2: 3.0}
    cells = {engine: 6.0 / ratio for engine, ratio in ratios.items()}
    return Measured(construct, cells, ratios, **more)


LINES = [
    measured("fast", 8.0, 6.0),
    measured("slow", 1.2, 0.5, left_out={"Rust": "differs"}),
    measured("middle", 2.0, 1.6, left_out={"Rust": "fails: ValueError"}),
]


def test_the_table_begins_with_the_worst():
    rows = [line.split() for line in matrix_table(LINES).splitlines()]
    assert rows[0] == ["construct", "stock,", "ms", "ours", "ours", "async", "Jinja2", "Rust"]
    assert rows[2:] == [
        ["test.slow", "6.000", "1.20", "0.50", "3.00", "differs"],
        ["test.middle", "6.000", "2.00", "1.60", "3.00", "fails"],
        ["test.fast", "6.000", "8.00", "6.00", "3.00", "-"],
    ]
    assert left_out_lines(LINES) == [
        "Rust differs: test.slow",
        "Rust fails: ValueError: test.middle",
    ]


def test_the_summary():
    assert summary(LINES) == [
        "3 constructs; times stock Django:",
        "ours: median 2.00, lowest 1.20, 0 below 1, 1 below 1.5, 1 below 2",
        "ours async: median 1.60, lowest 0.50, 1 below 1, 1 below 1.5, 2 below 2",
        "Jinja2: median 3.00; ahead of it in 1 (ours) and 1 (ours async) of 3",
        "Rust: 1 differ and 1 fail",
    ]


def test_the_page_of_markdown():
    page = matrix_markdown(LINES).splitlines()
    assert "| construct | stock, ms | ours | ours async | Jinja2 | Rust |" in page
    assert "| test.slow | 6.000 | 1.20 | 0.50 | 3.00 | differs |" in page
    assert "| test.slow | `{{ a\\|b }}` | `{{ a }}` |" in page
    assert "* 3 constructs; times stock Django:" in page


def test_two_runs_are_compared(tmp_path):
    file = tmp_path / "earlier.json"
    earlier = [measured("fast", 8.0, 3.0), measured("slow", 1.2, 1.0), measured("gone", 1, 1)]
    file.write_text(matrix_json(earlier, quick=False))
    found = changes(LINES, read_results(file))
    assert [(label, round(change, 3)) for change, label, _, _ in found] == [
        ("test.slow", 0.5),
        ("test.fast", 2.0),
    ]
    lines = comparison(LINES, read_results(file)).splitlines()
    assert lines[1].split() == ["test.slow", "1.00", "0.50", "x0.50"]
    assert lines[2].split() == ["test.fast", "3.00", "6.00", "x2.00"]
    assert lines[3:] == [
        "2 constructs in both; median change: x1.00 ours, x1.25 ours async",
        "only now: test.middle",
        "only before: test.gone",
    ]
    assert comparison(LINES, {}) == "The two runs have no construct in common."


@pytest.mark.parametrize("text", ["", "[]", '{"rows": []}', '{"constructs": {"a": 1}}'])
def test_another_file_is_no_earlier_run(tmp_path, text):
    file = tmp_path / "other.json"
    file.write_text(text)
    with pytest.raises(NoResults, match=r"other\.json holds no results of the matrix"):
        read_results(file)
    with pytest.raises(NoResults, match="No such file"):
        read_results(tmp_path / "missing.json")
