"""How parts of a page that are rendered at the same time begin to load, for both engines."""

from __future__ import annotations

from typing import Any

from ..runtime.loading import Beside, Loading

# The workers are imported when something is loaded: many a site never does.


def load_beside() -> None:
    """Let parts load beside each other. Called where an engine is imported, and nowhere else."""
    Beside.rows = _begin_rows
    Beside.call = _begin_call


def _begin_rows(queryset: Any) -> None:
    from ..parallel.loads import load_rows

    load_rows(queryset)


def _begin_call(function: Any) -> Loading:
    from ..parallel.loads import load_result

    return load_result(function)
