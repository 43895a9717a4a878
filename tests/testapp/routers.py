"""Where the rows of each model of the zoo are kept."""

from __future__ import annotations

from typing import Any


class ArchiveRouter:
    """Sends archives to the database ``other``; keys of other models may point there."""

    def db_for_read(self, model: type[Any], **hints: Any) -> str | None:
        return self._database(model, hints.get("instance"))

    def db_for_write(self, model: type[Any], **hints: Any) -> str | None:
        return self._database(model, hints.get("instance"))

    def allow_relation(self, first: Any, second: Any, **hints: Any) -> bool | None:
        return True if is_archive(first) or is_archive(second) else None

    def _database(self, model: Any, instance: Any) -> str | None:
        if is_archive(model):
            return "other"
        # Django would stay in the database of the instance that the query starts from. What
        # points to an archive is not there.
        return "default" if is_archive(instance) else None


def is_archive(thing: Any) -> bool:
    """Whether this is the model, or a row, that is kept in the other database."""
    return thing is not None and thing._meta.label == "testapp.Archive"
