"""The observers that the setting ``ATEMPLATES = {"trace": [...]}`` names."""

from __future__ import annotations

from collections.abc import Callable
from inspect import isclass
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string

from ..site_settings import SITE_SETTING, site_setting
from .observers import subscribe

# Changed where Django's apps are made ready, and by tests that change the setting.
_ends: list[Callable[[], None]] = []


def subscribe_configured() -> None:
    """Have the observers of the setting told of every render, and no others that it named before.

    Raises:
        ImproperlyConfigured: the setting is wrong, or an observer cannot be made.
    """
    observers = [observer_of(entry) for entry in site_setting("trace")]
    while _ends:
        _ends.pop()()
    _ends.extend(subscribe(observer) for observer in observers)


def observer_of(entry: Any) -> Any:
    """Make the observer that an entry of the setting names.

    Args:
        entry: a dotted path, or a dict with the path and options: the arguments to make it with.

    Raises:
        ImproperlyConfigured: there is nothing by the path, or what is there does not observe.
    """
    path = entry["observer"] if isinstance(entry, dict) else entry
    options = entry.get("options", {}) if isinstance(entry, dict) else {}
    try:
        found = import_string(path)
    except ImportError as error:
        raise ImproperlyConfigured(
            f"{SITE_SETTING}['trace'] names {path!r}, which cannot be imported: {error}."
        ) from error
    try:
        made = found(**options) if isclass(found) or options else found
    except TypeError as error:
        raise ImproperlyConfigured(
            f"{SITE_SETTING}['trace'] names {path!r}, which cannot be made with the options "
            f"{options!r}: {error}."
        ) from error
    if not callable(made) and not (hasattr(made, "begin") and hasattr(made, "end")):
        raise ImproperlyConfigured(
            f"{SITE_SETTING}['trace'] names {path!r}, which does not observe renders: expected a "
            f"function, or a class whose objects have begin(render) and end(render)."
        )
    return made
