"""What a page uses that the headers of its response tell, made before these leave.

Its CSRF token and its CSP nonce, that it depends on the visitor's cookies, the messages that it has
shown: middleware reads all that between the shell of a page and its first byte.
"""

from __future__ import annotations

from collections.abc import Iterator, Set
from typing import Any

from django.contrib.messages.api import get_messages
from django.contrib.messages.storage.cookie import CookieStorage
from django.contrib.messages.storage.fallback import FallbackStorage
from django.middleware import csrf

try:
    from django.middleware import csp as csp_middleware  # pyright: ignore[reportMissingModuleSource]
except ImportError:  # before Django 6.0
    csp_middleware: Any = None  # type: ignore[no-redef]

from ..runtime.drivers import in_request_thread
from .guarded import is_unmade, when_made

TOKEN_WORDS = frozenset({"csrf_token", "csrf_input", "get_token"})
"""What a template mentions that uses the CSRF token."""
SESSION_WORDS = frozenset({"request", "session", "user", "auser", "perms", "view"}) | TOKEN_WORDS
"""What a template mentions that may read the session."""


def own_request(request: Any) -> Any:
    """Return Django's own request: Django REST framework's holds it."""
    return getattr(request, "_request", request)


def prepare_request(request: Any, words: Set[str] | None) -> None:
    """Make what the rest of a page may use, and the headers of its response have to tell.

    Asks no database. To be called just before the shell of the page leaves.

    Args:
        request: the request.
        words: the words of the page's templates; None: they are not known.
    """
    request = own_request(request)
    if mentions(words, TOKEN_WORDS):
        csrf.get_token(request)
    if mentions_part(words, "csp_nonce"):
        for nonce in nonces_of(request):
            str(nonce)
    may_read = mentions(words, SESSION_WORDS) or mentions_part(words, "messages")
    session = getattr(request, "session", None)
    if is_unmade(session):
        when_made(session, lambda made: vary_by_session(made, may_read))
    else:
        vary_by_session(session, may_read)


def vary_by_session(session: Any, may_read: bool) -> None:
    """Have the response vary by cookies, if its page may read the session.

    One that has a key may hold somebody's data: the page must be shown to nobody else, also where
    it reads the session in a way that its words do not tell.
    """
    if hasattr(session, "accessed") and (may_read or getattr(session, "session_key", None)):
        session.accessed = True


def mentions(words: Set[str] | None, names: frozenset[str]) -> bool:
    """Whether templates mention one of the names, as far as that is known."""
    return words is None or not names.isdisjoint(words)


def mentions_part(words: Set[str] | None, part: str) -> bool:
    """Whether templates mention a name that contains a text, such as a tag that is named so."""
    return words is None or any(part in word for word in words)


def nonces_of(request: Any) -> Iterator[Any]:
    """The CSP nonces of a request: Django's own, and that of django-csp."""
    if csp_middleware is not None and csp_middleware.get_nonce(request) is not None:
        yield csp_middleware.get_nonce(request)
    if getattr(request, "csp_nonce", None) is not None:
        yield request.csp_nonce


# -- messages --------------------------------------------------------------------------------------


async def load_messages(request: Any, words: Set[str] | None) -> None:
    """Load the messages of a request that its page may show, in the request's thread.

    Then `messages_hold_shell` can tell whether there are any. To be called before the page is
    rendered. Asks nothing where a cookie says that there are none, as it does by default.

    Args:
        request: the request.
        words: the words of the page's templates; None: they are not known.
    """
    storage = storage_of(request)
    if storage is None or are_loaded(storage) or not mentions_part(words, "messages"):
        return
    if is_without_cookie(storage):
        len(storage)
    else:
        await in_request_thread(len, storage)


def messages_hold_shell(request: Any, words: Set[str] | None) -> bool:
    """Whether the shell of a page has to last until the page has shown the messages.

    Middleware stores messages that were not shown, for the next page. Those that are shown later
    would be shown twice.

    Asks no database. To be called each time that the shell could leave.

    Args:
        request: the request.
        words: the words of the page's templates; None: they are not known.
    """
    storage = storage_of(request)
    if storage is None or getattr(storage, "used", False):
        return False
    if are_loaded(storage) and not len(storage):
        return False
    return mentions_part(words, "messages")


def storage_of(request: Any) -> Any:
    """Return what holds the messages of a request; None where no middleware has brought it."""
    storage: Any = get_messages(own_request(request))
    return None if isinstance(storage, list) else storage


def are_loaded(storage: Any) -> bool:
    """Whether the messages of a storage are at hand."""
    return "_loaded_data" in storage.__dict__


def is_without_cookie(storage: Any) -> bool:
    """Whether a storage is one of Django's that has none if their cookie is not there."""
    if type(storage) is FallbackStorage:
        first, _ = storage.storages
        return type(first) is CookieStorage and is_without_cookie(first)
    return type(storage) is CookieStorage and storage.cookie_name not in storage.request.COOKIES
