"""scripts/conformance: what counts as a difference from the stock library."""

import json

from comparison import Outcomes, compare

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
    file.write_text(json.dumps({"outcomes": {"a": "passed"}, "details": {}, "renders": 7}))
    assert Outcomes.read(file) == Outcomes({"a": "passed"}, {}, 7)
