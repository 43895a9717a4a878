"""Once a response's headers have left, its rendering may not write what goes with them.

The session, its messages and the CSRF token are stored by middleware while the rest of the page is
rendered: what the page wrote to them then would be lost. Middleware itself goes on writing them.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from django.utils.functional import LazyObject

from ..errors import LateWrite, logger
from .guarded import LateChecks, forbid_making, guard_object, mark_of
from .header_values import nonces_of, own_request, storage_of


def guard_request(request: Any) -> None:
    """From now on let the rendering write nothing that would have to leave with the headers.

    A write raises `LateWrite`. `begin_rendering` has said which code the rendering is. Asks no
    database; any thread may call it.

    Args:
        request: the request. What it does not have (a session, messages) is not guarded.
    """
    request = own_request(request)
    mark = mark_of(request)
    session = getattr(request, "session", None)
    # What no middleware saves may be written at any time.
    if hasattr(type(session), "save") or issubclass(type(session), LazyObject):
        guard_object(session, mark, SESSION_CHECKS)
    messages = storage_of(request)
    if messages is not None:
        guard_object(messages, mark, MESSAGES_CHECKS)
    guard_meta(request, mark)
    for nonce in nonces_of(request):
        forbid_making(nonce, mark, partial(LateWrite, "the CSP nonce is made"))


# -- the session -----------------------------------------------------------------------------------


def set_item(session: Any, key: Any, value: Any) -> LateWrite:
    return LateWrite(f"request.session[{key!r}] = ...")


def delete_item(session: Any, key: Any) -> LateWrite | None:
    return LateWrite(f"del request.session[{key!r}]") if key in session else None


def pop_item(session: Any, key: Any, *default: Any, **named: Any) -> LateWrite | None:
    return LateWrite(f"request.session.pop({key!r})") if key in session else None


def set_missing(session: Any, key: Any, value: Any = None) -> LateWrite | None:
    return None if key in session else LateWrite(f"request.session.setdefault({key!r}, ...)")


async def pop_item_async(session: Any, key: Any, *default: Any, **named: Any) -> LateWrite | None:
    present = await session.ahas_key(key)
    return LateWrite(f"request.session.apop({key!r})") if present else None


async def set_missing_async(session: Any, key: Any, value: Any = None) -> LateWrite | None:
    present = await session.ahas_key(key)
    return None if present else LateWrite(f"request.session.asetdefault({key!r}, ...)")


def set_session_attribute(session: Any, name: str, value: Any) -> LateWrite | None:
    if name == "modified" and value:
        return LateWrite("request.session.modified = True")
    if name == "accessed" and value and not getattr(session, "accessed", True):
        logger.warning(
            "A template read request.session for the first time after the headers of the response "
            'had left: "Vary: Cookie" is missing in them, so that a shared cache may show the page '
            "to others. Read the session in the view, before `await astream(...)`.",
            stack_info=True,
        )
    return None


def own_business(session: Any) -> None:
    """A session that is loaded may begin a new one, and write whatever it wants."""


def writes(name: str) -> tuple[str, Any]:
    """Return the entry of a method that writes whatever its arguments are."""

    def write(session: Any, *args: Any, **kwargs: Any) -> LateWrite:
        return LateWrite(f"request.session.{name}({', '.join(map(repr, args[:1]))})")

    return name, write


SESSION_CHECKS: LateChecks = (
    ("__setattr__", set_session_attribute),
    ("__setitem__", set_item),
    ("__delitem__", delete_item),
    ("pop", pop_item),
    ("setdefault", set_missing),
    ("apop", pop_item_async),
    ("asetdefault", set_missing_async),
    ("load", own_business),
    ("aload", own_business),
    *map(writes, ["update", "clear", "flush", "cycle_key", "create", "save", "delete"]),
    *map(writes, ["aupdate", "aflush", "acycle_key", "acreate", "asave", "adelete"]),
    *map(writes, ["aset", "set_test_cookie", "aset_test_cookie"]),
    *map(writes, ["delete_test_cookie", "adelete_test_cookie"]),
)
"""What writes a session, in Django's names: those that a store has of them are checked."""


# -- messages --------------------------------------------------------------------------------------


def add_message(
    storage: Any, level: Any, message: Any, *args: Any, **kwargs: Any
) -> LateWrite | None:
    if not message or int(level) < storage.level:
        return None  # nothing is added
    return LateWrite(f"messages.add_message(request, {level}, {message!r})")


def show_messages(storage: Any) -> LateWrite | None:
    stored = storage._queued_messages if storage.used else storage
    if not len(stored):
        return None
    return LateWrite(
        "messages are read", consequence="they are stored again, and would be shown a second time"
    )


def store_messages(storage: Any, response: Any) -> LateWrite:
    return LateWrite("messages are stored")


def set_storage_attribute(storage: Any, name: str, value: Any) -> LateWrite | None:
    if name == "used" and not value and storage.used:
        return LateWrite("messages.used = False")
    return None


MESSAGES_CHECKS: LateChecks = (
    ("__setattr__", set_storage_attribute),
    ("__iter__", show_messages),
    ("add", add_message),
    ("update", store_messages),
)


# -- the CSRF token --------------------------------------------------------------------------------


class RequestMeta(dict[str, Any]):
    """The ``META`` of a request: by two of its keys the CSRF middleware knows of a new token."""


def guard_meta(request: Any, mark: object) -> None:
    """Guard the ``META`` of a request.

    A plain dict cannot be given another class, so that another one takes its place.
    """
    if type(request.META) is dict:
        request.META = RequestMeta(request.META)
        guard_object(request.META, mark, META_CHECKS)


def change_meta(meta: Any, *args: Any, **kwargs: Any) -> LateWrite | None:
    changes = dict(*args, **kwargs)
    secret = meta.get("CSRF_COOKIE")
    if changes.get("CSRF_COOKIE", secret) != secret:
        return LateWrite("a new CSRF token is made")
    # Set to true by each use of the token, and to false by the middleware that has seen to it.
    if changes.get("CSRF_COOKIE_NEEDS_UPDATE") and "CSRF_COOKIE_NEEDS_UPDATE" not in meta:
        return LateWrite("a CSRF token is used")
    return None


def set_meta(meta: Any, key: Any, value: Any) -> LateWrite | None:
    return change_meta(meta, {key: value})


META_CHECKS: LateChecks = (
    ("__setitem__", set_meta),
    ("setdefault", set_meta),
    ("update", change_meta),
)
