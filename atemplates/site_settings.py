"""The site's setting ``ATEMPLATES``: a dict whose keys are listed here, each with what it takes.

It holds what belongs to the whole site. What belongs to one backend stands in its OPTIONS.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

SITE_SETTING = "ATEMPLATES"


class SiteKey(NamedTuple):
    """One key of the setting."""

    default: Any
    accepts: Callable[[Any], bool]
    """Whether a value is one that the key takes."""
    expected: str
    """What it takes, for the error of a wrong value."""


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


SITE_KEYS: dict[str, SiteKey] = {
    "check": SiteKey({}, is_options, "a dict"),
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
    for name, value in given.items():
        known = SITE_KEYS.get(name)
        if known is None:
            raise ImproperlyConfigured(
                f"{SITE_SETTING} has an unknown key {name!r}.{_hint(name)} "
                f"Allowed: {', '.join(SITE_KEYS)}."
            )
        if not known.accepts(value):
            raise ImproperlyConfigured(
                f"{SITE_SETTING}[{name!r}] is {value!r}; expected {known.expected}."
            )
    return given.get(key, SITE_KEYS[key].default)


def _hint(name: Any) -> str:
    from difflib import get_close_matches  # only for the message

    close = get_close_matches(str(name), SITE_KEYS, n=1)
    return f" Did you mean {close[0]!r}?" if close else ""
