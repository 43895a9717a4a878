"""The site's setting ``ATEMPLATES``: a dict whose keys are listed here, each with what it takes.

It holds what belongs to the whole site. What belongs to one backend stands in its OPTIONS.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from .problems import PROBLEM_RULES

SITE_SETTING = "ATEMPLATES"


class SiteKey(NamedTuple):
    """One key of the setting."""

    default: Any
    accepts: Callable[[Any], bool]
    """Whether a value is one that the key takes."""
    expected: str
    """What it takes, for the error of a wrong value."""
    keys: Mapping[str, SiteKey] = MappingProxyType({})
    """The keys of a value that is a dict; empty where it may have any."""


def is_options(value: Any) -> bool:
    """Whether ``value`` is a dict whose keys are strings."""
    return isinstance(value, dict) and all(isinstance(key, str) for key in value)


def is_list_of_observers(value: Any) -> bool:
    """Whether ``value`` is a list of dotted paths, or of dicts with path and options."""
    return isinstance(value, (list, tuple)) and all(map(_names_observer, value))


def _names_observer(entry: Any) -> bool:
    if isinstance(entry, dict):
        path, options = entry.get("observer"), entry.get("options", {})
        return set(entry) <= {"observer", "options"} and _is_path(path) and is_options(options)
    return _is_path(entry)


def _is_path(value: Any) -> bool:
    return isinstance(value, str) and "." in value.strip(".")


def is_list_of_patterns(value: Any) -> bool:
    """Whether ``value`` is a list of texts, none of them empty."""
    return isinstance(value, (list, tuple)) and all(
        isinstance(each, str) and each for each in value
    )


def is_list_of_ignored(value: Any) -> bool:
    """Whether ``value`` is a list of rules of ``check`` and of dotted names of functions."""
    return is_list_of_patterns(value) and all(
        each in PROBLEM_RULES or _is_path(each) for each in value
    )


CHECK_KEYS: dict[str, SiteKey] = {
    "exclude": SiteKey(
        (),
        is_list_of_patterns,
        "a list of patterns of templates' names or files, such as 'legacy/*'",
    ),
    "ignore": SiteKey(
        (),
        is_list_of_ignored,
        "a list of dotted names of functions that may catch every exception, and of rules: "
        + ", ".join(PROBLEM_RULES),
    ),
}
"""What the key ``check`` may hold."""

SITE_KEYS: dict[str, SiteKey] = {
    "check": SiteKey({}, is_options, "a dict", CHECK_KEYS),
    "trace": SiteKey(
        (),
        is_list_of_observers,
        "a list whose items are the dotted path of an observer, or "
        "{'observer': path, 'options': {...}}",
    ),
}
"""What the setting may hold."""


def site_setting(key: str) -> Any:
    """Return what the site has set for a key, or the default.

    The whole setting is looked at, so that a mistake in it is noticed by whoever reads any key.

    Args:
        key: one of `SITE_KEYS`.

    Raises:
        ImproperlyConfigured: the setting is no dict, or has an unknown key or a wrong value.
    """
    given = getattr(settings, SITE_SETTING, {})
    if not isinstance(given, dict):
        raise ImproperlyConfigured(f"{SITE_SETTING} is {given!r}; expected a dict.")
    _look_at(given, SITE_KEYS, SITE_SETTING)
    return given.get(key, SITE_KEYS[key].default)


def _look_at(given: Mapping[Any, Any], keys: Mapping[str, SiteKey], what: str) -> None:
    for name, value in given.items():
        known = keys.get(name)
        if known is None:
            raise ImproperlyConfigured(
                f"{what} has an unknown key {name!r}.{_hint(name, keys)} "
                f"Allowed: {', '.join(keys)}."
            )
        if not known.accepts(value):
            raise ImproperlyConfigured(f"{what}[{name!r}] is {value!r}; expected {known.expected}.")
        if known.keys:
            _look_at(value, known.keys, f"{what}[{name!r}]")


def _hint(name: Any, keys: Mapping[str, SiteKey]) -> str:
    from difflib import get_close_matches  # only for the message

    close = get_close_matches(str(name), keys, n=1)
    return f" Did you mean {close[0]!r}?" if close else ""
