"""A report as text, as JSON, as SARIF 2.1.0 and as annotations of GitHub's workflow log."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

from ..problems import Problem, printable, relative, serious
from .findings import (
    CONFIRMED,
    HIDDEN,
    MEANING,
    POSSIBLE,
    STATUSES,
    Finding,
    Report,
    TemplatePlace,
    call_of,
)
from .github import workflow_command
from .lost import by_reason
from .sarif import distinct_locations, location, sarif_log

SHOWN_PLACES = 3
USER_NAMES = frozenset({"user", "request.user"})
"""What the user of the request is called in templates."""
LEVELS = {CONFIRMED: "warning", HIDDEN: "warning", POSSIBLE: "note"}
RULES = {
    CONFIRMED: ("lazy-access", "A template loads a relation that its view did not load."),
    HIDDEN: ("lazy-access-in-python", "Python behind a template loads what the view did not."),
    POSSIBLE: ("possible-lazy-access", "A template reads a relation that its view does not load."),
}
PROBLEM_RULE = ("not-analysed", "Something could not be analysed.")

OPTIONAL = "Could not be analysed, in packages of others, which is no failure"

New = frozenset[tuple[str, ...]]


# -- text ------------------------------------------------------------------------------------------


def as_text(report: Report, new: New | None = None, *, all_lost: bool = False) -> str:
    """The report for people: grouped by view and template, with the call to add.

    Args:
        new: the keys of the findings that a baseline does not have, to mark them.
        all_lost: list every path that cannot be followed.
    """
    lines: list[str] = []
    before: tuple[str, str] | None = None
    for (view, template, variable), findings in report.groups().items():
        if before != (view, template):
            before = (view, template)
            who = f"view {view}, " if view else ""
            lines += ["", f"{who}template {template}"] if lines else [f"{who}template {template}"]
        lines += _group(report, (view, template, variable), findings, new)
    lines += _lost(report, all_lost)
    failing = serious(report.problems)
    if failing:
        lines += ["", "Could not be analysed:", *(f"  {each}" for each in failing)]
    optional = [each for each in report.problems if each.is_optional]
    if optional:
        lines += ["", f"{OPTIONAL}:", *(f"  {each}" for each in optional)]
    lines += ["", summary(report, new)]
    return "\n".join(map(printable, lines)).lstrip("\n")


def _group(
    report: Report, key: tuple[str, str, str], findings: list[Finding], new: New | None
) -> list[str]:
    lines = [f"  {key[2]} ({findings[0].model})"]
    lines += [f"    {each}" for each in changes(report, key, findings)]
    width = max(len(each.what) for each in findings)
    for each in findings:
        mark = "*" if new is not None and each.key in new else " "
        counted = f"  {each.times}x" if each.times else ""
        lines.append(f"   {mark}{each.status:<10} {each.what:<{width}}{counted}".rstrip())
        places = [f"{place}  {{{{ {place.expression} }}}}" for place in each.places]
        lines += [f"        {place}" for place in places[:SHOWN_PLACES]]
        if len(places) > SHOWN_PLACES:
            lines.append(f"        and {len(places) - SHOWN_PLACES} more")
        lines += [f"        Python: {relative_source(source)}" for source in each.sources]
        if each.advice and (each.need is None or each.kind in ("count", "exists")):
            lines.append(f"        {each.advice}")
        if each.also:
            lines.append(f"        also {each.also}")
    return lines


def relative_source(source: str) -> str:
    """A ``file:line`` from the current folder."""
    file, colon, line = source.rpartition(":")
    return f"{relative(file)}{colon}{line}"


def changes(report: Report, key: tuple[str, str, str], findings: list[Finding]) -> list[str]:
    """Say what to write, and where, to load what some findings of one variable name.

    Returns:
        A line for each place in the views; none where no call loads it.
    """
    call = call_of(findings)
    if not call:
        return []
    found: dict[str, None] = {}
    for origin in report.origins.get(key, ()):
        missing = call_of(findings, but=origin.data.loads)
        if missing:
            place = f"  # {relative(origin.file)}:{origin.line}" if origin.is_shown else ""
            found.setdefault(f"{origin.advice(missing)}{place}")
    return list(found) or [f"add {call}{source_of(report, key, findings[0])}"]


def source_of(report: Report, key: tuple[str, str, str], finding: Finding) -> str:
    """Say where something is loaded of which no view shows a queryset."""
    user = report.user
    if user is not None and finding.model == user.model and key[2] in USER_NAMES:
        place = f"  # {relative_source(user.file)}" if user.file else ""
        return f" {user.where}{place}"
    if finding.is_of_rows and not finding.owner:
        return ""
    return f" where {key[2]!r} is loaded"


def _lost(report: Report, all_lost: bool) -> list[str]:
    told = [each for each in report.lost if all_lost or each.is_known]
    lines: list[str] = []
    if told:
        lines = ["", "Paths that cannot be followed:"]
    for reason, places in by_reason(told).items():
        shown = places if all_lost else places[:SHOWN_PLACES]
        lines.append(f"  {reason}:")
        lines += [f"    {place}  {{{{ {place.expression} }}}}" for place in shown]
        if len(places) > len(shown):
            lines.append(f"    and {len(places) - len(shown)} more")
    rest = {(each.place, each.reason) for each in report.lost if each not in told}
    if rest:
        where = counted(len({place.template for place, _ in rest}), "template")
        lines += [
            "",
            f"{counted(len(rest), 'path')} more in {where} cannot be followed, from names of which "
            "nothing is known: --lost lists them.",
        ]
    return lines


def summary(report: Report, new: New | None = None) -> str:
    """One line with the numbers."""
    counts = Counter(finding.status for finding in report.findings)
    numbers = ", ".join(f"{counts[each]} {each}" for each in STATUSES if counts[each])
    found = counted(len(report.findings), "finding") + (f" ({numbers})" if numbers else "")
    fresh = f", {len(new)} of them new" if new is not None else ""
    failing = len(serious(report.problems))
    problems = f"; {counted(failing, 'problem')}" if failing else ""
    return (
        f"{found}{fresh} in {counted(report.templates, 'template')}, "
        f"{counted(report.views, 'view')}, {counted(report.records, 'record')}{problems}."
    )


def counted(number: int, noun: str) -> str:
    """A number and its noun: ``1 view``, ``2 views``."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


# -- JSON ------------------------------------------------------------------------------------------


def report_as_json(report: Report, new: New | None = None) -> str:
    """The whole report as one JSON object."""
    groups = [
        {
            "view": view,
            "template": template,
            "variable": variable,
            "model": findings[0].model,
            "call": call_of(findings),
            "origin": _origin(report, (view, template, variable)),
            "changes": changes(report, (view, template, variable), findings),
            "findings": [
                {**each.as_data(), "new": None if new is None else each.key in new}
                for each in findings
            ],
        }
        for (view, template, variable), findings in report.groups().items()
    ]
    data = {
        "version": 1,
        "groups": groups,
        "lost": [
            {
                "template": each.template,
                "place": str(each.place),
                "expression": each.place.expression,
                "reason": each.reason,
                "known": each.is_known,
            }
            for each in report.lost
        ],
        "problems": [
            {
                "file": each.file,
                "line": each.line,
                "message": each.message,
                "optional": each.is_optional,
            }
            for each in report.problems
        ],
        "templates": report.templates,
        "views": report.views,
        "records": report.records,
    }
    return json.dumps(data, indent=2)


def _origin(report: Report, key: tuple[str, str, str]) -> str:
    """The first place in a view where a variable is made: ``file:line``."""
    shown = [each for each in report.origins.get(key, ()) if each.is_shown]
    return f"{relative(shown[0].file)}:{shown[0].line}" if shown else ""


# -- SARIF -----------------------------------------------------------------------------------------


def as_sarif(report: Report, new: New | None = None, version: str = "") -> str:
    """The report as a SARIF 2.1.0 log (OASIS standard), one result a finding.

    Args:
        version: of this package.
    """
    results = [_result(each, new) for each in report.findings]
    notes = [
        {
            "level": "note" if each.is_optional else "error",
            "message": {"text": str(each)},
            **_notified(each),
        }
        for each in report.problems
    ]
    return sarif_log(
        dict([*RULES.values(), PROBLEM_RULE]),
        results,
        notes,
        is_successful=not serious(report.problems),
        version=version,
    )


def _result(finding: Finding, new: New | None) -> dict[str, Any]:
    names = [name for name, _ in RULES.values()]
    rule = RULES[finding.status][0]
    places = [location(*located(each), each.expression) for each in finding.places]
    first, *related = [each for each in places if each] or [{}]
    result: dict[str, Any] = {
        "ruleId": rule,
        "ruleIndex": names.index(rule),
        "level": LEVELS[finding.status],
        "message": {"text": sentence(finding)},
        "locations": [first] if first else [],
        "partialFingerprints": {"atemplates/v1": "|".join(finding.key)},
    }
    beside = distinct_locations([*related, *(location(*_split(each)) for each in finding.sources)])
    if beside:
        result["relatedLocations"] = beside
    if new is not None:
        result["baselineState"] = "new" if finding.key in new else "unchanged"
    return result


def located(place: TemplatePlace) -> tuple[str, int | None]:
    """The file and line of a place."""
    return place.file or place.template, place.line


def _split(source: str) -> tuple[str, int | None]:
    file, _, line = source.rpartition(":")
    return file, int(line) if line.isdecimal() else None


def _notified(problem: Problem) -> dict[str, Any]:
    found = location(problem.file, problem.line)
    return {"locations": [found]} if found else {}


def sentence(finding: Finding) -> str:
    """One sentence that says what, whether it was seen, and what to do; it is one line."""
    who = f"the view {finding.view}" if finding.view else f"the template {finding.template}"
    text = f"{finding.what} ({finding.model}), for {who}: {MEANING[finding.status]}."
    if finding.sources:
        text += f" Reached at {', '.join(map(relative_source, finding.sources))}."
    if finding.call:
        text += f" Add {finding.call} {where_loaded(finding)}."
    elif finding.advice:
        text += f" {finding.advice[0].upper()}{finding.advice[1:]}."
    if finding.also:
        text += f" Also {finding.also}."
    return printable(text)


def where_loaded(finding: Finding) -> str:
    """Say whose queryset a call is added to, or what is loaded elsewhere than from one."""
    if finding.owner or not finding.is_of_rows:
        return f"where {finding.variable!r} is loaded"
    return f"to the queryset of {finding.variable!r}"


# -- GitHub ----------------------------------------------------------------------------------------


def as_github(report: Report, new: New | None = None) -> str:
    """Workflow commands, which GitHub shows at the lines of a pull request."""
    lines = []
    for finding in report.findings:
        if new is not None and finding.key not in new:
            continue
        level = "warning" if LEVELS[finding.status] == "warning" else "notice"
        for place in finding.places[:1]:
            file, line = located(place)
            lines.append(workflow_command(level, file, line, sentence(finding)))
    lines += [
        workflow_command("error", each.file, each.line, printable(each.message))
        for each in serious(report.problems)
    ]
    return "\n".join(lines)


FORMATS: dict[str, Callable[[Report, New | None], str]] = {
    "text": as_text,
    "json": report_as_json,
    "sarif": as_sarif,
    "github": as_github,
}


def new_keys(findings: Iterable[Finding], known: New) -> New:
    """The keys of the findings that a baseline does not have."""
    return frozenset(finding.key for finding in findings) - known
