"""``{# atemplates: ignore #}``: problems that a template's author knows of.

It counts for its line, or, where it stands alone, for the next line that is no such comment.
``ignore[unknown-attribute, no-such-url]`` is for these rules only.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from ..problems import Problem

DJANGO_COMMENTS = ("{#", "#}")
IGNORE = r"{start}[-+]?\s*atemplates:\s*ignore\s*(?:\[(?P<rules>[^\]]*)\])?\s*[-+]?{end}"

Ignores = dict[int, frozenset[str]]
"""Line -> the rules whose problems are not said there; an empty set for all."""


def ignores_of(source: str, comments: tuple[str, str] = DJANGO_COMMENTS) -> Ignores:
    """Read which problems a template's comments ignore.

    Args:
        source: the template's text.
        comments: how a comment begins and ends.
    """
    start, end = map(re.escape, comments)
    pattern = re.compile(IGNORE.format(start=start, end=end))
    found: Ignores = {}
    waiting: list[frozenset[str]] = []
    for number, line in enumerate(source.split("\n"), 1):
        here = [_rules(each["rules"]) for each in pattern.finditer(line)]
        if here and not pattern.sub("", line).strip():
            waiting += here
            continue
        rules = [*waiting, *here]
        waiting = []
        if rules:
            found[number] = frozenset() if frozenset() in rules else frozenset().union(*rules)
    return found


def _rules(text: str | None) -> frozenset[str]:
    return frozenset(each.strip() for each in (text or "").split(",") if each.strip())


def heeding(problems: Iterable[Problem], ignores: Callable[[Problem], Ignores]) -> list[Problem]:
    """Leave out the problems that a comment ignores.

    Args:
        ignores: returns what the comments of a problem's template ignore.
    """
    return [each for each in problems if not _is_ignored(each, ignores)]


def _is_ignored(problem: Problem, ignores: Callable[[Problem], Ignores]) -> bool:
    if problem.line is None:
        return False
    rules = ignores(problem).get(problem.line)
    return rules is not None and (not rules or problem.rule in rules)
