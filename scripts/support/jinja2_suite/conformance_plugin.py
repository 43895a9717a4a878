"""A pytest plugin for Jinja2's own suite: makes environments ours, records each test's outcome.

``CONFORMANCE_ROUTE`` says what every ``jinja2.Environment`` becomes, sandboxed and native ones and
those of the tests' own classes included:

* ``stock``: what it is;
* ``stock-async``: the same, in async mode unless the test says otherwise;
* ``sync``: one whose templates are plans;
* ``async``: the same, in async mode unless the test says otherwise;
* ``pieces``, ``pieces-async``: the same as the two, and what is rendered whole is joined from the
  pieces that it is sent in.

``CONFORMANCE_RESULT`` is the JSON file to write, as for Django's suite.
"""

import functools
import inspect
import json
import os
from pathlib import Path
from typing import Any

import django
import jinja2
import pytest
from django.conf import settings
from jinja2.environment import Environment

ROUTE = os.environ["CONFORMANCE_ROUTE"]
stock_init = Environment.__init__
parameters = inspect.signature(stock_init)
outcomes: dict[str, str] = {}
details: dict[str, str] = {}
renders = 0


@functools.wraps(stock_init)
def init(self: Environment, *args: Any, **kwargs: Any) -> None:
    """Make an environment, and turn it into what the route asks for."""
    given = parameters.bind(self, *args, **kwargs).arguments
    if ROUTE.endswith("async") and "enable_async" not in given:
        kwargs["enable_async"] = True
    stock_init(self, *args, **kwargs)
    if not ROUTE.startswith("stock"):
        from atemplates.engines.jinja2.plans import use_plans

        use_plans(self)


def replace_classes() -> None:
    """Put our environment and template in the place of Jinja2's."""
    settings.configure()
    django.setup()
    Environment.__init__ = init  # type: ignore[method-assign]
    if ROUTE.startswith("stock"):
        return
    from atemplates.jinja2.templates import PlanTemplate

    PlanTemplate.environment_class = Environment
    jinja2.Template = jinja2.environment.Template = PlanTemplate  # type: ignore[misc]
    pieces = PlanTemplate._pieces

    def counted(self: PlanTemplate, context: Any) -> Any:
        global renders
        renders += 1
        return pieces(self, context)

    PlanTemplate._pieces = counted  # type: ignore[method-assign]
    if ROUTE.startswith("pieces"):
        send_pieces(PlanTemplate)


def send_pieces(kind: Any) -> None:
    """Have templates whose output is text sent in pieces, and these joined."""
    render, render_async, sent = kind.render, kind.render_async, kind._sent

    def counted(self: Any, *args: Any) -> Any:
        global renders
        renders += 1
        return sent(self, *args)

    def joined(self: Any, *args: Any, **kwargs: Any) -> Any:
        if self._is_whole() or self.environment.is_async:
            return render(self, *args, **kwargs)
        return "".join(self.generate(*args, **kwargs))

    async def joined_async(self: Any, *args: Any, **kwargs: Any) -> Any:
        if self._is_whole():
            return await render_async(self, *args, **kwargs)
        return "".join([piece async for piece in self.generate_async(*args, **kwargs)])

    kind.render, kind.render_async, kind._sent = joined, joined_async, counted


replace_classes()


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Note the outcome of a test."""
    if report.failed:
        outcomes[report.nodeid] = "failed"
        details[report.nodeid] = report.longreprtext
    elif report.skipped:
        outcomes[report.nodeid] = "skipped"
    elif report.when == "call":
        outcomes.setdefault(report.nodeid, "passed")


def pytest_collectreport(report: pytest.CollectReport) -> None:
    """Note a file that could not even be read."""
    if report.failed:
        outcomes[report.nodeid] = "failed"
        details[report.nodeid] = report.longreprtext


def pytest_sessionfinish() -> None:
    """Write the outcomes."""
    result = {"outcomes": outcomes, "details": details, "routed": {"renders": renders}}
    Path(os.environ["CONFORMANCE_RESULT"]).write_text(json.dumps(result), "utf-8")
