"""What errors and notes say about the hooks of a view."""

from __future__ import annotations

from typing import Any

from ..runtime.hops import iscoroutinefunction
from .colours import Colour, colour_of

OURS = __name__.rpartition(".")[0]
"""The package whose classes stand for Django's."""


def hook_name(view: Any, name: str) -> str:
    """A hook as errors call it: ``BookList.get_queryset()``."""
    return f"{type(view).__qualname__}.{name}()"


def what_to_write(view: Any, name: str) -> str:
    """Say how a hook is called on the event loop."""
    return (
        f"{hook_name(view, name)} was called on the event loop, where it has to be awaited. Write "
        f"`await self.{name}(...)`, or `await super().{name}(...)`, in an `async def`."
    )


def explain_super(error: Exception, view: Any, owner: type, name: str, colour: Colour) -> None:
    """Add a note to an error if the next class's hook is written in the other colour.

    That class does not derive from ours, or its hook would have been adopted.
    """
    order = type(view).__mro__
    after = order[order.index(owner) + 1 :] if owner in order else ()
    for other in after:
        function = vars(other).get(name)
        if function is None:
            continue
        is_async = iscoroutinefunction(getattr(function, "__func__", function))
        if colour_of(function) is None and is_async is (colour is Colour.SYNC):
            ours, theirs = ("async def", "def") if is_async else ("def", "async def")
            error.add_note(
                f"{hook_name(view, name)} is written as `{theirs}` in {owner.__qualname__} and as "
                f"`{ours}` in {other.__qualname__}, whose class does not derive from a class of "
                f"{OURS}, so super() cannot pass from one to the other. Write both alike, or "
                f"derive {other.__qualname__} from {OURS}.ContextMixin."
            )
        return
