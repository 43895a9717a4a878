"""Where a load may not leave the request's thread, and why: asked in that thread."""

from __future__ import annotations

from typing import Any

from django.db import connections


def reason_to_stay(alias: str) -> str:
    """Return why what this thread asks of a database must be asked on this thread's connection.

    Returns:
        The reason in words; empty when another connection would show the same.
    """
    connection: Any = connections[alias]
    module = type(connection).__module__
    if connection.in_atomic_block:
        return f"a transaction is open on {alias!r}"
    if not connection.settings_dict.get("AUTOCOMMIT", True) or (
        connection.connection is not None and not connection.autocommit
    ):
        return f"autocommit is off on {alias!r}, so that a transaction may be open"
    if connection.vendor == "sqlite" and connection.is_in_memory_db():
        return f"{alias!r} is an SQLite database in memory"
    if not module.startswith("django."):
        return (
            f"{alias!r} has a backend that is not Django's own ({module}): whether it has a "
            "connection to spare, and what its connections were told, cannot be asked"
        )
    if connection.vendor == "oracle" and connection.settings_dict["OPTIONS"].get("pool"):
        return f"the pool of {alias!r} cannot be asked whether a connection is idle"
    replaced = replaced_methods(connection)
    if replaced:
        return f"{', '.join(replaced)} of the connection {alias!r} was replaced in this thread"
    own = connections.settings[alias]
    if connection.settings_dict is not own and connection.settings_dict != own:
        return f"the connection {alias!r} of this thread has settings of its own"
    return ""


def replaced_methods(connection: Any) -> list[str]:
    """Return the names of a connection's methods that somebody has replaced on the object.

    A test that forbids a database does so, and django-debug-toolbar.
    """
    kind = type(connection)
    found = []
    for name, value in vars(connection).items():
        own = getattr(kind, name, None)
        if not callable(value) or not callable(own) or isinstance(value, type):
            continue
        if getattr(value, "__func__", None) is not own:  # or a test has put it back on the object
            found.append(name)
    return found
