"""A test runner for Django's own suite: routes the renders and records each test's outcome.

``CONFORMANCE_ROUTE`` says where each ``Template.render`` goes:

* ``stock``: nowhere else; this is what the others are compared with;
* ``async``: ``arender_template`` on a running event loop. A render that begins while a loop
  already runs in its thread (a form printed by a template, say) cannot wait for that loop, and
  takes the sync driver, as it does in a real site;
* ``sync``: ``render_template``.

``CONFORMANCE_RESULT`` is the JSON file to write: ``{"outcomes": {test id: "passed" | "failed" |
"skipped"}, "details": {test id: traceback}, "renders": how many renders were routed}``.
"""

import asyncio
import json
import os
import unittest
from collections.abc import Callable
from pathlib import Path
from typing import Any

from asgiref.sync import async_to_sync
from django.template.base import Template
from django.test.runner import DiscoverRunner

Render = Callable[[Template, Any], Any]


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
    """Django's runner, with the renders routed and the outcomes written to a file."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.renders = Counter()
        render = ROUTES[os.environ["CONFORMANCE_ROUTE"]]()
        Template.render = counted(render, self.renders)  # type: ignore[method-assign]

    def get_resultclass(self) -> type[unittest.TextTestResult]:
        return RecordingResult

    def run_suite(self, suite: Any, **kwargs: Any) -> Any:
        result = super().run_suite(suite, **kwargs)
        record = {
            "outcomes": result.outcomes,
            "details": result.details,
            "renders": self.renders.count,
        }
        Path(os.environ["CONFORMANCE_RESULT"]).write_text(json.dumps(record), "utf-8")
        return result


class Counter:
    """How many renders took the route; a route that nothing takes proves nothing."""

    count = 0


def counted(render: Render, counter: Counter) -> Render:
    """The same render, counted."""

    def render_and_count(self: Template, context: Any) -> Any:
        counter.count += 1
        return render(self, context)

    if render is not Template.render:
        from atemplates.compiler import templates

        templates.OUR_REPLACEMENTS.add(
            render_and_count
        )  # which would else be a site's own, to be asked first
    return render_and_count


def stock() -> Render:
    """Django's own render."""
    return Template.render


def through_sync_driver() -> Render:
    """Our plan under the sync driver."""
    from atemplates.engines.django import render_template

    return render_template


def through_async_driver() -> Render:
    """Our plan under the async driver, on an event loop that runs for this render."""
    from atemplates.engines.django import arender_template, render_template

    # asgiref's bridge runs the loop in another thread and brings sync work back to this one, so
    # that the test's connection, language and time zone are those of its templates.
    render_and_wait = async_to_sync(arender_template)

    def render(template: Template, context: Any) -> Any:
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            return render_and_wait(template, context)
        return render_template(template, context)

    return render


ROUTES: dict[str, Callable[[], Render]] = {
    "stock": stock,
    "async": through_async_driver,
    "sync": through_sync_driver,
}
