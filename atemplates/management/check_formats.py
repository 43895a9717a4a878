"""The report of ``check`` for programs: JSON, SARIF 2.1.0, annotations of GitHub's log."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from ..migration.github import workflow_command
from ..migration.sarif import location, sarif_log
from ..problems import PROBLEM_RULES, Problem, printable, relative
from .checking import Checked, as_shown, level_of
from .compiling import Compiled, Tag

CHECK_JSON_VERSION = 2
"""Of the JSON of ``check``; a field that goes, or means something else, makes a new one."""


def check_as_json(checked: Checked, costs: dict[str, Any] | None = None) -> str:
    """All of it as one JSON object."""
    data: dict[str, Any] = {
        "version": CHECK_JSON_VERSION,
        "engines": {alias: _engine_data(each) for alias, each in checked.compiled.items()},
        "problems": [problem_data(each, checked) for each in checked.problems],
        "left_out": checked.left_out,
    }
    if costs:
        data["costs"] = costs
    return json.dumps(data, indent=2)


def problem_data(problem: Problem, checked: Checked) -> dict[str, Any]:
    """A problem as JSON can hold it."""
    each = as_shown(problem)
    return {
        "file": each.file,
        "template": problem.file if problem.path else "",
        "line": each.line,
        "column": each.column,
        "width": each.width,
        "rule": each.rule,
        "level": level_of(problem, checked.wanted),
        "message": problem.message,
        "hint": each.hint,
        "possible": each.is_possible,
        "optional": each.is_optional,
    }


def _engine_data(compiled: Compiled) -> dict[str, Any]:
    return {
        "templates": compiled.templates,
        "waits": compiled.waits,
        "in_thread": compiled.in_thread,
        "hops": [_tag_data(tag, places) for tag, places in compiled.hops.items()],
        "inline": [_tag_data(tag, places) for tag, places in compiled.inline.items()],
        "processors": list(compiled.processors),
        "processors_where": compiled.processors,
        "swallowers": [
            {
                "name": each.name,
                "file": relative(each.file),
                "line": each.line,
                "places": list(each.places),
            }
            for each in compiled.swallowers
        ],
    }


def _tag_data(tag: Tag, places: list[str]) -> dict[str, Any]:
    return {"tag": tag.name, "module": tag.module, "where": tag.where, "places": places}


def check_as_sarif(checked: Checked, others: Iterable[Problem] = (), version: str = "") -> str:
    """The problems as a SARIF 2.1.0 log, one result each.

    Args:
        others: what is no problem of a template, and is said as well.
        version: of this package.
    """
    problems = [*checked.problems, *others]
    rules = {
        name: text for name, text in PROBLEM_RULES.items() if name in {p.rule for p in problems}
    }
    results = [_sarif_result(each, checked, list(rules)) for each in problems]
    return sarif_log(rules, results, [], is_successful=True, version=version)


def _sarif_result(problem: Problem, checked: Checked, rules: list[str]) -> dict[str, Any]:
    file = problem.path or problem.file
    place = location(file, problem.line, column=problem.column, width=problem.width)
    at = problem.line if problem.line is not None else ""
    return {
        "ruleId": problem.rule,
        "ruleIndex": rules.index(problem.rule),
        "level": level_of(problem, checked.wanted),
        "message": {"text": sentence_of(problem)},
        "locations": [place] if place else [],
        "partialFingerprints": {
            "atemplates/v1": f"{problem.rule}|{problem.file}|{at}|{problem.message}"
        },
    }


def check_as_github(checked: Checked, others: Iterable[Problem] = ()) -> str:
    """Workflow commands, which GitHub shows at the lines of a pull request."""
    levels = {"error": "error", "warning": "warning", "note": "notice"}
    return "\n".join(
        workflow_command(
            levels[level_of(each, checked.wanted)],
            each.path or each.file,
            each.line,
            sentence_of(each),
            column=each.column,
            width=each.width,
            title=each.rule,
        )
        for each in [*checked.problems, *others]
    )


def sentence_of(problem: Problem) -> str:
    """A problem and what to do about it, in one line."""
    text = problem.message[:1].upper() + problem.message[1:]
    hint = f" {problem.hint[:1].upper()}{problem.hint[1:]}" if problem.hint else ""
    ends = "" if text.endswith((".", "?", "!")) else "."
    hint_ends = "?" if problem.hint.startswith("did you mean") else "."
    return printable(text + ends + hint + (hint_ends if hint and hint[-1] not in ".?!" else ""))
