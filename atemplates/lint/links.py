"""Addresses and static files that Django templates name."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.template.base import FilterExpression, Variable
from django.template.defaulttags import TemplateLiteral, URLNode
from django.template.smartif import TokenBase
from django.templatetags.static import StaticNode

from ..analysis.django.placed_nodes import PlacedNode, placed_nodes
from ..analysis.django.templates import literal_name, node_tag_name
from ..analysis.site.templates import SiteTemplates
from ..analysis.site.words import place_of_words
from ..problems import Problem
from .static_files import StaticFiles
from .urls import UNSAID, SiteUrls, UrlFault

NO_SUCH_URL = "no-such-url"
NO_SUCH_STATIC_FILE = "no-such-static-file"

FLAG_OWNERS = frozenset({"config", "constance", "features", "flags", "settings", "waffle"})
"""Names under which templates see what is switched on where a site runs."""


def link_problems(
    site: SiteTemplates, name: str, urls: SiteUrls | None, files: StaticFiles | None
) -> Iterator[Problem]:
    """Return the addresses and static files that a Django template names, and that are not there.

    ``{% url … as name %}`` is for addresses that may be missing, so nothing is said of these.

    Args:
        name: one of the templates in ``site.parsed``.
        urls: the site's addresses; None when it is not known which URLconf a request has.
        files: the site's static files; None when nothing is known of them.
    """
    template = site.parsed[name]
    for place in placed_nodes(template):
        kind = type(place.node)
        if kind is URLNode and urls is not None:
            yield from _url_problems(site, name, place, urls)
        elif kind is StaticNode and files is not None:
            yield from _static_problems(site, name, place, files)


def _url_problems(
    site: SiteTemplates, name: str, place: PlacedNode, urls: SiteUrls
) -> Iterator[Problem]:
    node = place.node
    wanted = literal_name(node.view_name)
    mixed = bool(node.args and node.kwargs)
    if wanted is None or (node.asvar and not mixed):
        return
    args = [literal_value(each) for each in node.args]
    kwargs = {key: literal_value(each) for key, each in node.kwargs.items()}
    fault = urls.fault(wanted, args, kwargs)
    if fault is None:
        return
    is_flagged = any(tests_a_flag(each) for each in place.conditions)
    yield from url_problem(site, name, place.line, (node_tag_name(node), wanted), fault, is_flagged)


def url_problem(
    site: SiteTemplates,
    name: str,
    line: int | None,
    words: tuple[str, str],
    fault: UrlFault,
    is_flagged: bool,
) -> Iterator[Problem]:
    """Say why an address cannot be made, if that is a fault of the site.

    A package's template that names an address which does not exist belongs to views that the site
    does not use.

    Args:
        words: the tag or function, and the name that it is given.
        is_flagged: whether it stands inside of a condition that may be false wherever the address
            does not exist.
    """
    function, wanted = words
    source = site.sources.get(name, "")
    column, width = place_of_words(source, line, function, f"'{wanted}'")
    problem = Problem(
        fault.message,
        name,
        line,
        path=site.files.get(name, ""),
        code=NO_SUCH_URL,
        column=column,
        width=width,
        hint=fault.hint,
        is_possible=fault.is_unknown and is_flagged,
    )
    if not (fault.is_unknown and problem.is_optional):
        yield problem


def _static_problems(
    site: SiteTemplates, name: str, place: PlacedNode, files: StaticFiles
) -> Iterator[Problem]:
    wanted = literal_name(place.node.path)
    if wanted is not None:
        yield from static_problem(
            site, name, place.line, (node_tag_name(place.node), wanted), files
        )


def static_problem(
    site: SiteTemplates,
    name: str,
    line: int | None,
    words: tuple[str, str],
    files: StaticFiles,
) -> Iterator[Problem]:
    """Say that a static file is not there, if it is not.

    Args:
        words: the tag or function, and the path that it is given.
    """
    function, wanted = words
    fault = files.fault(wanted)
    if fault is None:
        return
    column, width = place_of_words(site.sources.get(name, ""), line, function, f"'{wanted}'")
    yield Problem(
        fault.message,
        name,
        line,
        path=site.files.get(name, ""),
        code=NO_SUCH_STATIC_FILE,
        column=column,
        width=width,
        hint=fault.hint,
        is_possible=fault.is_possible,
    )


def literal_value(expression: Any) -> Any:
    """Return what an argument is, if that stands in the template; else `UNSAID`."""
    if not isinstance(expression, FilterExpression) or expression.filters:
        return UNSAID
    if isinstance(expression.var, str):
        return UNSAID if expression.token.startswith("_(") else expression.var
    if isinstance(expression.var, Variable) and expression.var.literal is not None:
        return UNSAID if expression.var.translate else expression.var.literal
    return UNSAID


def tests_a_flag(condition: Any) -> bool:
    """Whether the condition of an ``{% if %}`` asks for what may be switched off for a whole site.

    That is a name by itself, an attribute in capitals, or one of the settings.
    """
    if type(condition) is TemplateLiteral:
        variable = getattr(condition.value, "var", None)
        lookups = getattr(variable, "lookups", None)
        return lookups is not None and is_flag(lookups)
    if isinstance(condition, TokenBase):
        operands = (getattr(condition, part, None) for part in ("first", "second"))
        return any(tests_a_flag(each) for each in operands)
    return False


def is_flag(bits: tuple[str, ...] | list[str]) -> bool:
    """Whether a path looks like a switch of the site: ``use_payments``, ``settings.debug``."""
    return len(bits) == 1 or bits[0] in FLAG_OWNERS or any(bit.isupper() for bit in bits)
