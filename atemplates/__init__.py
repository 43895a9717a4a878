"""An async-capable template engine backend for Django."""

from typing import TYPE_CHECKING, Any

from .shortcuts import aget_template, arender, arender_to_string, aselect_template

if TYPE_CHECKING:
    from .parallel.batched import batched
    from .parallel.loads import aload

__all__ = [
    "aget_template",
    "aload",
    "arender",
    "arender_to_string",
    "aselect_template",
    "batched",
]
__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    """Import what loads at the same time when it is first asked for: many a site never does."""
    found: Any
    if name == "aload":
        from .parallel.loads import aload

        found = aload
    elif name == "batched":
        from .parallel.batched import batched

        found = batched
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
