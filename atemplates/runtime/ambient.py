"""What the thread or task around a render has set: the language, the time zone, the addresses.

Django keeps these in asgiref's ``Local``, which is asked anew for every date, message and address
of a page and costs more than the rest of the step, most of all where nothing is set. All of them
live in context variables. Comparing the present variables with those of before takes hardly any
time as long as nobody has set one, and then what was found out before still holds.

Django's own functions are what is asked; nothing is kept beyond the render.
"""

from __future__ import annotations

from contextvars import Context, copy_context
from datetime import tzinfo
from threading import get_ident
from typing import Any

from django.urls import get_resolver, get_script_prefix, get_urlconf
from django.utils import formats, timezone, translation
from django.utils.safestring import SafeString

MOST_MESSAGES = 5000
"""How many messages one render remembers; a template may translate what it is given."""

NOT_ASKED = "(not asked)"
"""Stands for a language, of which there may be none."""


MESSAGES = frozenset({str, SafeString})


class Ambient:
    """What was found out while no context variable was set. `now` gives those that hold."""

    __slots__ = (
        "_context",
        "_doubled",
        "_language",
        "_lazy",
        "_site",
        "_texts",
        "_thread",
        "_zone",
        "addresses",
        "caches",
        "formats",
        "groups_digits",
        "known",
        "messages",
        "plain_numbers",
    )

    def __init__(self, groups_digits: bool = False) -> None:
        self.groups_digits = groups_digits
        """Whether thousand separators are configured."""
        self._context: Context | None = None
        self._thread = 0

    def _forget(self) -> None:
        self._zone: tzinfo | None = None
        self._language: str | None = NOT_ASKED
        self._site: tuple[Any, ...] | None = None
        self._texts: dict[int, tuple[Any, str]] = {}
        self.addresses: dict[Any, str] = {}
        """Addresses that were made, by what they were made from."""
        self._lazy: dict[Any, str] = {}
        self.caches: dict[str, Any] = {}
        """Django's caches, by alias: each thread or task has its own."""
        self._doubled: dict[tuple[str, str | None], Any] = {}
        self.messages: dict[str, str] = {}
        """Messages in the present language."""
        self.formats: dict[tuple[str, bool | None], Any] = {}
        """Formats of the present language, by what `format` was asked for."""
        self.plain_numbers: bool | None = None
        """Whether the present language writes numbers as Python does; None if nobody has asked."""
        self.known: dict[Any, Any] = {}
        """What else depends on the present language alone. Keys tell who has put it there."""

    def now(self) -> Ambient:
        """Forget what may not hold any more; return this very object."""
        context = copy_context()
        try:
            same = context == self._context
        except Exception:  # Variables of others that were set are compared by their values.
            same = False
        # A thread may see the variables of another, but not what a ``Local`` of Django holds.
        thread = get_ident()
        if not same or thread != self._thread:
            self._context, self._thread = context, thread
            self._forget()
        return self

    @property
    def zone(self) -> tzinfo:
        """The current time zone."""
        zone = self._zone
        if zone is None:
            zone = self._zone = timezone.get_current_timezone()
        return zone

    @property
    def language(self) -> str | None:
        """The current language; None where translations are deactivated."""
        language = self._language
        if language is NOT_ASKED:
            language = self._language = translation.get_language()
        return language

    @property
    def site(self) -> tuple[Any, ...]:
        """What addresses depend on: the resolver, the script prefix, the language."""
        site = self._site
        if site is None:
            resolver = get_resolver(get_urlconf())
            site = self._site = (resolver, get_script_prefix(), self.language)
        return site

    def format(self, name: str, use_l10n: bool | None = None) -> Any:
        """Return what ``django.utils.formats.get_format(name, use_l10n=use_l10n)`` returns."""
        key = (name, use_l10n)
        found = self.formats.get(key)
        if found is None:
            localized = use_l10n is None or use_l10n
            language = self.language if localized else None
            found = self.formats[key] = formats.get_format(name, language, use_l10n)
        return found

    def message(self, message: str) -> str:
        """Translate a message whose percent signs are doubled, as ``{% translate %}`` does it."""
        text = self.messages.get(message)
        if text is None:
            text = self.messages[message] = translation.gettext(message).replace("%%", "%")
        return text

    def doubled_message(self, message: str, message_context: Any = None) -> Any:
        """Translate a message whose percent signs are doubled, and leave them so.

        Args:
            message_context: an empty one is none.
        """
        key = (message, message_context or None)
        if message_context and type(message_context) not in (str, SafeString):
            return translation.pgettext(message_context, message)
        text = self._doubled.get(key)
        if text is None:
            if message_context:
                text = translation.pgettext(message_context, message)
            else:
                text = translation.gettext(message)
            if len(self._doubled) < MOST_MESSAGES:
                self._doubled[key] = text
        return text

    def translated(self, lazy: Any) -> str | None:
        """Return ``str()`` of what ``gettext_lazy`` gave; None where that is left to Django."""
        _, args, kwargs, *_ = lazy.__reduce__()[1]
        if kwargs or len(args) != 1 or type(args[0]) not in MESSAGES:
            return None
        message = args[0]
        # The text of a message that is safe is safe, too.
        key = message if type(message) is str else (SafeString, message)
        text = self._lazy.get(key)
        if text is None:
            found = translation.gettext(message)
            if type(found) is not type(message):
                return None
            text = self._lazy[key] = found
        return text

    def text(self, lazy: Any) -> str:
        """Return ``str(lazy)`` of a lazy message that is the same object each time."""
        known = self._texts.get(id(lazy))
        if known is None:
            known = self._texts[id(lazy)] = (lazy, str(lazy))
        return known[1]
