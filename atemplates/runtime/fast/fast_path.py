"""What a fast path of a filter is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple


class Inlined(NamedTuple):
    """What compiled code has in the place of a call for a constant argument.

    Values that it is not for go to the function.
    """

    source: str
    """An expression that gives what the function does, or None."""
    types: frozenset[type]
    """The exact types of the values that it is for."""
    constant: Callable[[Any], Any] | None = None
    """Makes of the argument what ``source`` calls ``{constant}``."""


class FastPath(NamedTuple):
    """A quicker function for the usual values of one of Django's filters."""

    function: Callable[..., Any]
    """Called with the value and the filter's arguments. Gives what resolving the filter gives, of
    the very type, or None: then Django's function is asked."""
    types: frozenset[type]
    """The exact types of the values that it is asked for."""
    ambient: bool = False
    """Whether it takes the render's `Ambient` before the value."""
    autoescape: bool = False
    """Whether it takes the context's setting after the value."""
    source: str = ""
    """An expression over ``{value}`` that compiled code has in the place of a call."""
    inlined: Callable[[str, Any], Inlined | None] | None = None
    """What there is in that place for the name of a value and a constant argument (None without
    one); None if there is nothing."""

    def arguments(
        self, ambient: str, value: str, autoescape: str, arguments: tuple[str, ...]
    ) -> tuple[str, ...]:
        """Return the arguments of the function's call as source, in order."""
        before = (ambient,) if self.ambient else ()
        after = (autoescape,) if self.autoescape else ()
        return (*before, value, *after, *arguments)
