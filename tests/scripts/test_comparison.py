"""scripts/conformance: what counts as a difference from the stock library."""

import json

import pytest
from comparison import Excuse, Outcomes, compare

STOCK = Outcomes({"a": "passed", "b": "passed", "c": "failed", "d": "skipped"})


def test_the_same_outcomes_hold():
    comparison = compare(STOCK, STOCK)
    assert comparison.holds
    assert (comparison.ran, comparison.passed) == (3, 2)
    assert comparison.shared == {"c"}


def test_a_failure_that_stock_does_not_show_is_ours():
    comparison = compare(STOCK, Outcomes({**STOCK.outcomes, "b": "failed"}))
    assert not comparison.holds
    assert comparison.ours == {"b"}
    assert comparison.shared == {"c"}


def test_a_failure_that_only_stock_shows_is_no_difference():
    assert compare(STOCK, Outcomes({**STOCK.outcomes, "c": "passed"})).holds


def test_a_test_that_no_longer_runs_is_a_difference():
    skipped = Outcomes({**STOCK.outcomes, "b": "skipped"})
    gone = Outcomes({"a": "passed", "c": "failed"})
    for routed in (skipped, gone):
        comparison = compare(STOCK, routed)
        assert not comparison.holds
        assert comparison.missing == {"b"}


def test_a_failing_subtest_counts_once_and_its_test_is_not_missing():
    routed = Outcomes({"a": "passed", "b (n=1)": "failed", "c": "failed", "d": "skipped"})
    comparison = compare(STOCK, routed)
    assert comparison.ours == {"b (n=1)"}
    assert not comparison.missing


def test_outcomes_are_read_from_a_runners_file(tmp_path):
    file = tmp_path / "result.json"
    file.write_text(
        json.dumps({"outcomes": {"a": "passed"}, "details": {}, "routed": {"renders": 7}})
    )
    assert Outcomes.read(file) == Outcomes({"a": "passed"}, {}, {"renders": 7})


def test_what_takes_no_route_shows_nothing():
    assert Outcomes({}, {}, {"views": 3, "responses": 0}).untaken == ["responses"]
    assert Outcomes({}, {}, {"views": 3}).untaken == []
    assert Outcomes({}).untaken, "nothing was counted at all"


@pytest.mark.parametrize(
    ("failed", "error", "is_excused"),
    [
        ("b", "AssertionError: it is a coroutine function", True),
        ("b (n=1)", "AssertionError: it is a coroutine function", True),
        ("b", "AssertionError: 404 is not 200", False),
        ("a", "AssertionError: it is a coroutine function", False),
    ],
)
def test_a_test_is_excused_for_the_error_that_its_excuse_names(failed, error, is_excused):
    excuses = {"b": Excuse("AssertionError: it is", "Ours is a coroutine function.")}
    traceback = f"Traceback (most recent call last):\n  ...\n{error}\n"
    routed = Outcomes({**STOCK.outcomes, failed: "failed"}, {failed: traceback})
    comparison = compare(STOCK, routed, excuses)
    assert comparison.holds is is_excused
    assert comparison.excused == ({failed: "Ours is a coroutine function."} if is_excused else {})
    assert comparison.ours == (set() if is_excused else {failed})
