"""Where stock Django's time goes: in its template engine, or in what a template asks for."""

from __future__ import annotations

import cProfile
import pstats
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

FEW = 3
RENDERS = 3
BUILT_IN = "~"
"""What a profile has for the file of a function that is not written in Python."""

Function = tuple[str, int, str]


@dataclass(frozen=True)
class Work:
    """What a render does besides parsing, looking up and joining."""

    share: float
    """How much of the time goes to functions outside of the template engine."""
    most: list[tuple[str, float]]
    """Those that take most of it, with the share of each."""

    def __str__(self) -> str:
        most = ", ".join(f"{name} {share:.0%}" for name, share in self.most)
        return f"{self.share:.0%}" + (f" ({most})" if most else "")


PRINTING = (
    ("django/utils/functional.py", "wrapper"),
    ("django/utils/html.py", "escape"),
    ("django/utils/html.py", "conditional_escape"),
    ("django/utils/formats.py", "localize"),
    ("django/utils/timezone.py", "template_localtime"),
    ("django/utils/safestring.py", "mark_safe"),
    ("django/utils/safestring.py", "__init__"),
)
"""What the template engine calls to print a value."""


def is_machinery(file: str, name: str) -> bool:
    """Whether a function is of Django's template engine, whose work every other engine replaces.

    The functions of filters are not: they are what the template asks for.
    """
    path = file.replace("\\", "/")
    if path.endswith("django/template/defaultfilters.py"):
        return False
    if any(path.endswith(module) and name == function for module, function in PRINTING):
        return True
    return "/django/template/" in path or "/django/templatetags/" in path


def profiled_work(render: Callable[[], Any]) -> Work:
    """Profile a render."""
    profile = cProfile.Profile()
    profile.enable()
    try:
        for _ in range(RENDERS):
            render()
    finally:
        profile.disable()
    return work_in(pstats.Stats(profile).stats)  # type: ignore[attr-defined]


def work_in(stats: Mapping[Function, tuple[Any, ...]]) -> Work:
    """Return the work in the figures of a profile.

    The time of built-in functions is that of their callers: an ``append`` is the engine's when the
    engine appends.
    """
    own: Counter[Function] = Counter()
    for function, (_, _, alone, _, callers) in stats.items():
        if function[0] != BUILT_IN:
            own[function] += alone
            continue
        for caller, (_, _, in_it, _) in callers.items():
            own[caller] += in_it
    total = sum(own.values()) or 1.0
    work: Counter[str] = Counter()
    for (file, _, name), taken in own.items():
        if not is_machinery(file, name):
            work[f"{name}()"] += taken
    most = [(name, taken / total) for name, taken in work.most_common(FEW) if taken > 0]
    return Work(sum(work.values()) / total, most)
