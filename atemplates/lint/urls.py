"""Which addresses a site has, by name, and whether some arguments fit one of them.

Asks what Django's `reverse` looks at: names, namespaces, parameters, converters. No view runs, and
no converter that is not Django's own.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property
from typing import Any

from django.urls import URLResolver, get_resolver
from django.urls.resolvers import get_ns_resolver
from django.utils.module_loading import import_string

from ..runtime.types import is_django

UNSAID = object()
"""Stands for an argument that is known only when the template renders."""
MOST_SHOWN = 3
"""How many addresses are named that may be meant."""
MOST_NAMESPACES = 32
"""How deep namespaces are followed: an include of itself never ends."""


@dataclass(frozen=True, slots=True)
class UrlFault:
    """Why an address cannot be made."""

    message: str
    hint: str = ""
    is_unknown: bool = False
    """Whether there is no address of the name, with whatever arguments."""


class SiteUrls:
    """The addresses of a URLconf.

    Args:
        resolver: that of the URLconf.
    """

    def __init__(self, resolver: URLResolver) -> None:
        self.resolver: Any = resolver

    @classmethod
    def of_site(cls, middleware: Iterable[str] = ()) -> SiteUrls | None:
        """Return those of the site's own URLconf; None when requests may have another one.

        Args:
            middleware: the paths of the site's middleware; one may choose by the host, say.

        Raises:
            Exception: the URLconf cannot be imported, for whatever reason.
        """
        choosing = [each for each in middleware if sets_urlconf(each)]  # which imports each
        if choosing:
            return None
        resolver = get_resolver()
        resolver.url_patterns  # noqa: B018  what is wrong with it shows here
        return cls(resolver)

    @cached_property
    def names(self) -> list[str]:
        """Every name, with its namespaces."""
        return sorted(dict.fromkeys(_names(self.resolver, "", 0)))

    def fault(self, name: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> UrlFault | None:
        """Return why ``reverse(name, args=args, kwargs=kwargs)`` surely fails; None if it may work.

        Args:
            args, kwargs: the arguments, each a value or `UNSAID`.
        """
        if args and kwargs:
            return UrlFault(
                "gives an address both positional and keyword arguments, which Django refuses",
                "name all arguments, or none",
            )
        *spaces, view = name.split(":")
        found = [each for resolver in self._resolvers(spaces) for each in _patterns(resolver, view)]
        if not found:
            return UrlFault(f"there is no address named {name!r}", self._meant(name), True)
        if any(pattern.may_take(args, kwargs) for pattern in found):
            return None
        found.sort(key=lambda each: len(each.parameters))
        taken = list(dict.fromkeys(pattern.in_words() for pattern in found))
        given = in_words(args, kwargs)
        return UrlFault(
            f"the address {name!r} cannot be made with {given}", f"expected: {' or '.join(taken)}"
        )

    def _resolvers(self, spaces: Sequence[str]) -> Iterator[Any]:
        """Those that a name with some namespaces may be looked up in, whichever app is current."""
        # Each: a resolver, the pattern that leads to it and the converters of that.
        reached: list[tuple[Any, str, dict[str, Any]]] = [(self.resolver, "", {})]
        for space in spaces:
            following = []
            for resolver, prefix, known in reached:
                for instance in dict.fromkeys((space, *resolver.app_dict.get(space, ()))):
                    if instance in resolver.namespace_dict:
                        extra, inner = resolver.namespace_dict[instance]
                        more = {**known, **inner.pattern.converters}
                        following.append((inner, prefix + extra, more))
            reached = following
        for resolver, prefix, known in reached:
            yield get_ns_resolver(prefix, resolver, tuple(known.items())) if prefix else resolver

    def _meant(self, name: str) -> str:
        """What was perhaps meant by a name that does not exist."""
        *spaces, view = name.split(":")
        of_view = [each for each in self.names if each.rpartition(":")[2] == view]
        nearest = min((each.count(":") for each in of_view), default=0)
        of_view = [each for each in of_view if each.count(":") == nearest]
        if of_view and len(of_view) <= MOST_SHOWN:
            return f"did you mean {' or '.join(map(repr, of_view))}?"
        close = get_close_matches(name, self.names, n=1, cutoff=0.7)
        if not close and spaces:
            by_view = {each.rpartition(":")[2]: each for each in self.names}
            close = [by_view[each] for each in get_close_matches(view, by_view, n=1, cutoff=0.8)]
        if close:
            return f"did you mean {close[0]!r}?"
        if spaces and next(self._resolvers(spaces), None) is None:
            return f"no namespace {':'.join(spaces)!r} is included in the URLconf"
        return ""


@dataclass(frozen=True, slots=True)
class UrlPattern:
    """One way to write an address: what it takes."""

    text: str
    """The address with ``%(name)s`` for each parameter."""
    parameters: tuple[str, ...]
    regex: str
    defaults: Mapping[str, Any]
    converters: Mapping[str, Any]

    def may_take(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> bool:
        """Whether some arguments may fit."""
        if args:
            if len(args) != len(self.parameters):
                return False
            given = dict(zip(self.parameters, args, strict=True))
        else:
            if (kwargs.keys() ^ set(self.parameters)) - self.defaults.keys():
                return False
            given = dict(kwargs)
            for name, default in self.defaults.items():
                value = given.get(name, default)
                if name not in self.parameters and value is not UNSAID and value != default:
                    return False
        return self._may_match(given)

    def _may_match(self, given: Mapping[str, Any]) -> bool:
        texts: dict[str, str] = {}
        for name, value in given.items():
            converter = self.converters.get(name)
            if value is UNSAID or (converter is not None and not writes_as_django(converter)):
                continue
            try:
                texts[name] = str(value) if converter is None else converter.to_url(value)
            except ValueError:
                return False
            if converter is not None and not re.fullmatch(converter.regex, texts[name]):
                return False
        if texts.keys() < given.keys():
            return True
        return re.search(f"^/{self.regex}", f"/{self.text}" % texts) is not None

    def in_words(self) -> str:
        """What it takes."""
        count = len(self.parameters)
        if any(re.fullmatch(r"_\d+", each) for each in self.parameters):
            return "1 argument" if count == 1 else f"{count} arguments"  # groups without names
        return ", ".join(self.parameters) or "no arguments"


SETS_URLCONF = re.compile(
    r"\.urlconf\s*=(?!=)|\bset_urlconf\(|setattr\(\s*\w+\s*,\s*['\"]urlconf['\"]"
)


def sets_urlconf(middleware: str) -> bool:
    """Whether the module of a middleware gives requests a URLconf of their own.

    Args:
        middleware: the path to import it by.
    """
    try:
        found: Any = inspect.unwrap(import_string(middleware))
        module = inspect.getmodule(found)
        if module is None or is_django(module.__name__):
            return False
        return SETS_URLCONF.search(inspect.getsource(module)) is not None
    except (ImportError, OSError, TypeError):
        return False  # It has no source; one that is not there, the site does not start with.


def writes_as_django(converter: Any) -> bool:
    """Whether the converter of a path writes an argument as one of Django's own does."""
    return is_django(getattr(type(converter).to_url, "__module__", ""))


def in_words(args: Sequence[Any], kwargs: Mapping[str, Any]) -> str:
    """Name arguments of a template: their number, or their names."""
    if not args and not kwargs:
        return "no arguments"
    words = "arguments" if len(args) + len(kwargs) > 1 else "argument"
    if kwargs:
        said = [key if each is UNSAID else f"{key}={each!s}" for key, each in kwargs.items()]
    elif UNSAID in args:
        return f"{len(args)} {words}"
    else:
        said = [repr(str(each)) for each in args]
    return f"the {words} {', '.join(said)}"


def _patterns(resolver: Any, view: str) -> Iterator[UrlPattern]:
    for ways, regex, defaults, known in resolver.reverse_dict.getlist(view):
        for text, parameters in ways:
            yield UrlPattern(text, tuple(parameters), regex, defaults, known)


def _names(resolver: Any, prefix: str, depth: int) -> Iterator[str]:
    yield from (prefix + name for name in resolver.reverse_dict if isinstance(name, str))
    if depth < MOST_NAMESPACES:
        for space, (_, inner) in resolver.namespace_dict.items():
            yield from _names(inner, f"{prefix}{space}:", depth + 1)
