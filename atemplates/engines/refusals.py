"""Wrong OPTIONS as an error of the system checks, besides the exception.

Django's checks make every engine, its own and the admin's alike; an exception there ends
``manage.py check`` and each command that begins with it. So a backend that is made inside of a
check, and refuses its OPTIONS, is there all the same: it says in its ``check()`` what is wrong, and
whoever wants a template of it gets the exception.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.core.checks import CheckMessage, Error
from django.core.checks.registry import CheckRegistry
from django.core.exceptions import ImproperlyConfigured
from django.template.backends.base import BaseEngine
from django.template.backends.django import DjangoTemplates
from django.template.engine import Engine

ID = "atemplates.E001"
REFUSAL = "atemplates_refusal"
"""The attribute of a backend that holds what is wrong with its OPTIONS."""

RUN_CHECKS = CheckRegistry.run_checks.__code__


def is_checking() -> bool:
    """Whether system checks run in this thread; only asked when something is wrong."""
    frame = sys._getframe(1)
    while frame is not None:
        if frame.f_code is RUN_CHECKS:
            return True
        frame = frame.f_back  # type: ignore[assignment]
    return False


def told_by_checks(
    init: Callable[[Any, dict[str, Any]], None],
) -> Callable[[Any, dict[str, Any]], None]:
    """Decorate a backend's ``__init__``: inside of system checks it does not raise."""

    @wraps(init)
    def __init__(self: Any, params: dict[str, Any]) -> None:
        try:
            init(self, params)
        except Exception as error:
            # An environment of the site may raise anything.
            if not is_checking():
                raise
            vars(self).clear()
            stand_in(self, params, error)

    return __init__


def stand_in(backend: Any, params: dict[str, Any], error: Exception) -> None:
    """Make a backend that gives no template, but the exception."""

    def refuse(*args: Any) -> Any:
        raise error

    async def arefuse(*args: Any) -> Any:
        raise error

    BaseEngine.__init__(backend, {k: v for k, v in params.items() if k != "OPTIONS"})
    setattr(backend, REFUSAL, message_of(backend, error))
    if isinstance(backend, DjangoTemplates):
        # The admin's checks read which context processors there are.
        options = params["OPTIONS"] if isinstance(params["OPTIONS"], dict) else {}
        processors = options.get("context_processors")
        listed = processors if isinstance(processors, (list, tuple)) else None
        backend.engine = Engine(backend.dirs, backend.app_dirs, context_processors=listed)
    vars(backend).update(get_template=refuse, from_string=refuse, aget_template=arefuse)


def message_of(backend: Any, error: Exception) -> CheckMessage:
    """Return the error of the system checks for what a backend refuses."""
    path = f"{type(backend).__module__}.{type(backend).__qualname__}"
    if isinstance(error, ImproperlyConfigured):
        return Error(str(error), hint=f"See the OPTIONS of {path}.", id=ID)
    return Error(
        f"TEMPLATES engine {backend.name!r} cannot be made: {type(error).__name__}: {error}.",
        hint=f"See the OPTIONS of {path}.",
        id=ID,
    )


def refusal_of(backend: Any) -> list[CheckMessage] | None:
    """What a backend's ``check()`` says when it has refused its OPTIONS; None when it has not."""
    found = vars(backend).get(REFUSAL)
    return None if found is None else [found]
