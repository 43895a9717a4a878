"""A response whose headers have left takes no others."""

from __future__ import annotations

from typing import Any

from django.http.response import HttpResponseBase

from ..errors import LateWrite
from .guarded import ANYBODY, LateChecks, guard_object

SENT_MARK = "atemplates_sent"
"""Where a response notes that its headers have left."""


class HeadersLeave(HttpResponseBase):
    """A response that is sent piece by piece: after the first piece it takes no headers."""

    def mark_sent(self) -> None:
        """Say that the first piece is given out: from now on setting a header, a cookie or the
        status raises `LateWrite`."""
        if SENT_MARK not in self.__dict__:
            guard_object(self.headers, ANYBODY, HEADERS_CHECKS)
            guard_object(self.cookies, ANYBODY, COOKIES_CHECKS)
            self.__dict__[SENT_MARK] = True

    def __setattr__(self, name: str, value: Any) -> None:
        if SENT_MARK in self.__dict__ and name in SENT_ATTRIBUTES:
            raise LateWrite(f"response.{name} = {value!r}")
        super().__setattr__(name, value)

    def set_cookie(self, key: str, *args: Any, **kwargs: Any) -> None:
        """Set a cookie, as any response does."""
        if SENT_MARK in self.__dict__:
            raise LateWrite(f"response.set_cookie({key!r}, ...)")
        super().set_cookie(key, *args, **kwargs)

    def delete_cookie(self, key: str, *args: Any, **kwargs: Any) -> None:
        """Delete a cookie, as any response does."""
        if SENT_MARK in self.__dict__:
            raise LateWrite(f"response.delete_cookie({key!r})")
        super().delete_cookie(key, *args, **kwargs)


SENT_ATTRIBUTES = frozenset({"status_code", "reason_phrase", "headers", "cookies", "charset"})


def set_header(headers: Any, name: Any, value: Any = None) -> LateWrite:
    return LateWrite(f"response.headers[{name!r}] = {value!r}")


def delete_header(headers: Any, name: Any, *default: Any) -> LateWrite | None:
    return LateWrite(f"del response.headers[{name!r}]") if name in headers else None


def set_header_if_missing(headers: Any, name: Any, value: Any) -> LateWrite | None:
    return None if name in headers else set_header(headers, name, value)


HEADERS_CHECKS: LateChecks = (
    ("__setitem__", set_header),
    ("__delitem__", delete_header),
    ("pop", delete_header),
    ("setdefault", set_header_if_missing),
)


def set_cookies(cookies: Any, *args: Any, **kwargs: Any) -> LateWrite:
    return LateWrite(f"response.cookies is changed: {', '.join(map(repr, args))}")


COOKIES_CHECKS: LateChecks = tuple(
    (name, set_cookies)
    for name in (
        *("__setitem__", "__delitem__", "pop", "popitem", "setdefault", "update", "clear", "load"),
        "__ior__",
    )
)
