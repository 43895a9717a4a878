"""Exceptions of atemplates. Each says what, where, what was expected and what to do next."""

from __future__ import annotations

import logging
from typing import Any

from django.core import exceptions
from django.core.exceptions import SynchronousOnlyOperation

logger = logging.getLogger("atemplates")
"""Where faults go that must not fail a page: of observers, of files that cannot be written."""


class Location:
    """A place in a template: its name, its line (from 1), the source of that line, and its file.

    Several apps may have a template of one name: what is shown is the file, as Django's debug page
    does it.
    """

    __slots__ = ("file", "line", "source", "template")

    def __init__(self, template: str, line: int | None, source: str = "", file: str = "") -> None:
        self.template = template
        self.line = line
        self.source = source
        self.file = file

    def __str__(self) -> str:
        name = self.file or self.template
        place = name if self.line is None else f"{name}, line {self.line}"
        return f"{place}: {self.source.strip()}" if self.source.strip() else place


class LocatedError(Exception):
    """An error of ours that carries the template's line.

    The plan fills in `location` as the error passes through, so that whoever raises it need
    not know where in the template it stands.
    """

    def __init__(self, message: str, location: Location | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.location = location

    def __str__(self) -> str:
        if self.location is None:
            return self.message
        return f"{self.message}\n  in {self.location}"


class RenderBlocked(LocatedError, SynchronousOnlyOperation):
    """A synchronous ``render()`` on a running event loop met something that needs I/O."""

    def __init__(self, what: Any, location: Location | None = None) -> None:
        super().__init__(
            f"render() was called on a running event loop and met {what}, which cannot be had "
            "without blocking the loop. Write `await arender(request, template_name, context)` "
            "(or `await template.render_async(context, request)`), or call render() in a thread.",
            location,
        )


class NotRepeatable(LocatedError, SynchronousOnlyOperation):
    """Code on the event loop needed the database after it had used up what it would need again."""


class LateWrite(LocatedError):
    """Something that belongs to a response's headers was written when these had left.

    Args:
        what: what was written, as code.
        consequence: what would become of it.
    """

    def __init__(
        self,
        what: str,
        location: Location | None = None,
        *,
        consequence: str = "it would be lost without a word",
    ) -> None:
        super().__init__(
            f"{what}: the headers of the response have left, so {consequence}. Do it in the view, "
            "before `await astream(...)`; or before the end of the page's <head>; or send the page "
            'as a whole, by `await arender(...)` or OPTIONS["stream"]["complete_for"].',
            location,
        )


class NotAwaited(TypeError):
    """Something is used, or handed on, that has to be awaited first."""


FetchBlocked: type[Exception] = getattr(exceptions, "FieldFetchBlocked", LocatedError)
"""What Django 6.1 raises for a field whose fetch mode is ``RAISE``."""

UNSWALLOWED: tuple[type[BaseException], ...] = (
    SynchronousOnlyOperation,
    LocatedError,
    FetchBlocked,
)
"""What ``{% if %}`` never takes for "false", although stock Django swallows every exception."""
