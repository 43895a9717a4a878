"""Django's test runner, writing each test's outcome to a file: what the suites here share.

``CONFORMANCE_RESULT`` is the JSON file to write: ``{"outcomes": {test id: "passed" | "failed" |
"skipped"}, "details": {test id: traceback}, "routed": {what took the route: how often}}``.
"""

import json
import os
import unittest
from pathlib import Path
from typing import Any

from django.test.runner import DiscoverRunner


class RecordingResult(unittest.TextTestResult):
    """Prints as ever, and remembers the outcome of each test by its id."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.outcomes: dict[str, str] = {}
        self.details: dict[str, str] = {}

    def _failed(self, test: Any, error: Any) -> None:
        self.outcomes[test.id()] = "failed"
        self.details[test.id()] = self._exc_info_to_string(error, test)

    def addSuccess(self, test: Any) -> None:
        super().addSuccess(test)
        self.outcomes[test.id()] = "passed"

    def addError(self, test: Any, err: Any) -> None:
        super().addError(test, err)
        self._failed(test, err)

    def addFailure(self, test: Any, err: Any) -> None:
        super().addFailure(test, err)
        self._failed(test, err)

    def addSubTest(self, test: Any, subtest: Any, err: Any) -> None:
        super().addSubTest(test, subtest, err)
        if err is not None:
            self._failed(subtest, err)

    def addSkip(self, test: Any, reason: str) -> None:
        super().addSkip(test, reason)
        self.outcomes[test.id()] = "skipped"

    def addExpectedFailure(self, test: Any, err: Any) -> None:
        super().addExpectedFailure(test, err)
        self.outcomes[test.id()] = "passed"

    def addUnexpectedSuccess(self, test: Any) -> None:
        super().addUnexpectedSuccess(test)
        self.outcomes[test.id()] = "failed"
        self.details[test.id()] = "passed, but is marked as an expected failure"


class RecordingRunner(DiscoverRunner):
    """Django's runner, which writes the outcomes to a file.

    Attributes:
        routed: how often each kind of thing took the route under test; a route that nothing takes
            proves nothing.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.routed: dict[str, int] = {}

    def get_resultclass(self) -> type[unittest.TextTestResult]:
        return RecordingResult

    def run_suite(self, suite: Any, **kwargs: Any) -> Any:
        result = super().run_suite(suite, **kwargs)
        record = {"outcomes": result.outcomes, "details": result.details, "routed": self.routed}
        Path(os.environ["CONFORMANCE_RESULT"]).write_text(json.dumps(record), "utf-8")
        return result
