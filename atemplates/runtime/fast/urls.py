"""``reverse()``, without computing the same things anew for every address of a page.

For each address Django builds a regular expression from the script prefix and the pattern, and
quotes the result. Here the first pattern that Django would try is remembered, ready to use.
Whatever is unusual - namespaces, defaults, arguments that do not fit, characters to quote - is
left to Django, which also raises the errors.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple
from uuid import UUID

from django.urls import URLResolver
from django.urls import reverse as stock_reverse
from django.urls.converters import IntConverter
from django.utils.safestring import SafeString

from ..ambient import Ambient

MOST_ROUTES = 5000
"""How many routes are remembered."""

MOST_ADDRESSES = 1000
"""How many addresses one render remembers."""

USUAL = frozenset({str, int, SafeString, UUID})
"""Arguments of other types are left to Django, which asks them for their text more than once."""

# What ``quote()`` leaves as it is in Django's call, RFC 3986's pchar and "/"; not "//" first.
unquoted = re.compile(r"(?!//)[A-Za-z0-9_.\-~!$&'()*+,;=/:@]*").fullmatch


class UrlRoute(NamedTuple):
    """The first pattern that fits a view's name and the arguments' number or names."""

    text: str
    """The address with ``%(name)s`` where arguments stand."""
    names: tuple[str, ...]
    converters: dict[str, Any]
    regex: re.Pattern[str]
    lasting: bool
    """Whether the same arguments always give the same address: all converters are Django's own."""


# Any thread may add, or empty it: all find the same for a key, and what is gone is found again.
routes: dict[Any, UrlRoute | None] = {}


def reverse(
    ambient: Ambient,
    view_name: Any,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    current_app: str | None,
) -> str:
    """Return the address of a view, as ``django.urls.reverse`` does.

    Raises:
        NoReverseMatch: there is none.
    """
    values = args or tuple(kwargs.values())
    usual = isinstance(view_name, str) and USUAL.issuperset(map(type, values))
    if usual and not (args and kwargs):
        known = ambient.now()
        names = tuple(kwargs)
        given = (view_name, names, values)
        url = known.addresses.get(given)
        if url is not None:
            return url
        route = route_to(known, view_name, names or len(args))
        if route is not None:
            url = fill_in(route, kwargs or dict(zip(route.names, args, strict=True)))
            if url is not None:
                if route.lasting and len(known.addresses) < MOST_ADDRESSES:
                    known.addresses[given] = url
                return url
    return stock_reverse(view_name, args=args, kwargs=kwargs, current_app=current_app)


def route_to(known: Ambient, view_name: str, shape: int | tuple[str, ...]) -> UrlRoute | None:
    """Find a route, or remember it; None when the address is left to Django.

    Args:
        shape: the names of the arguments, or the number of those without names.
    """
    key = (view_name, shape, *known.site)
    try:
        return routes[key]
    except KeyError:
        resolver, prefix, _ = known.site
        return remember_route(key, find_route(resolver, prefix, view_name, shape))


def remember_route(key: Any, route: UrlRoute | None) -> UrlRoute | None:
    """Keep a route."""
    if len(routes) >= MOST_ROUTES:
        routes.clear()
    routes[key] = route
    return route


def find_route(
    resolver: URLResolver, prefix: str, view_name: str, shape: int | tuple[str, ...]
) -> UrlRoute | None:
    """Find the first pattern that Django would try; None when it is left to Django."""
    if type(resolver) is not URLResolver or ":" in view_name:
        return None
    for possibility, pattern, defaults, converters in resolver.reverse_dict.getlist(view_name):
        for text, names in possibility:
            if defaults:
                return None
            if len(names) == shape or (isinstance(shape, tuple) and set(names) == set(shape)):
                return UrlRoute(
                    prefix.replace("%", "%%") + text,
                    tuple(names),
                    converters,
                    re.compile(f"^{re.escape(prefix)}{pattern}"),
                    all(
                        type(one).__module__ == IntConverter.__module__
                        for one in converters.values()
                    ),
                )
    return None


def fill_in(route: UrlRoute, values: dict[str, Any]) -> str | None:
    """Put the arguments in; None when they do not fit or have to be quoted."""
    texts = {}
    for name, value in values.items():
        if name in route.converters:
            try:
                texts[name] = route.converters[name].to_url(value)
            except ValueError:
                return None
        else:
            texts[name] = str(value)
    url = route.text % texts
    if unquoted(url) is None or route.regex.search(url) is None:
        return None
    return url
