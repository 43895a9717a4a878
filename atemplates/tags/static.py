"""``{% static %}`` and the prefixes of addresses."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote

from django.apps import apps
from django.templatetags.static import PrefixNode, StaticNode
from django.utils.html import conditional_escape
from django.utils.safestring import SafeString

from ..compiler.expressions import write_expression
from ..compiler.nodes import NodeWriting, TagFamily
from ..compiler.scope import assigns
from ..compiler.writer import Writer
from ..runtime.escaping import escape
from ..runtime.fast.urls import MOST_ADDRESSES
from ..runtime.state import State
from ..runtime.types import is_django

PATH_TYPES = frozenset({str, SafeString})

# No empty segment and none that begins with a dot: joining such a path to a base adds it.
usual_path = re.compile(r"(?:[^./\\][^/\\]*/)*[^./\\][^/\\]*").fullmatch
plain_path = re.compile(r"[A-Za-z0-9_./-]*").fullmatch
plain_base = re.compile(r"(?:https?://[A-Za-z0-9_.-]+)?/(?:[A-Za-z0-9_-]+/)*").fullmatch


def write_static(w: Writer, node: StaticNode) -> None:
    path = write_expression(w, node.path)
    url, name = w.temporary("s"), w.constant(node, "node_")
    w.line(f"{url} = static_address(state, context, {name}, {path})")
    with w.branch(f"if {url} is None:"):
        w.wait_for(url, f"call_or_wait(state, static_url_text, context, {name}, {path})")
    if node.varname is None:
        w.append(url)
    else:
        w.line(f"context[{w.constant(node.varname)}] = {url}")


def static_address(state: State, context: Any, node: StaticNode, path: Any) -> Any:
    """Return what ``{% static %}`` writes or sets, for a storage that always says the same.

    Returns:
        None where that is left to `static_url_text`.
    """
    if type(path) not in PATH_TYPES:
        return None
    addresses = state.ambient.now().addresses
    base = addresses.get(BASE)
    if base is None:
        base, addresses[QUOTED] = static_base()
        addresses[BASE] = base
    if base is ASK_ALWAYS:
        return None
    if base and usual_path(path):
        if not plain_path(path):
            path = quote(path, safe=addresses[QUOTED])
        url = base + path
        return SafeString(escape(url)) if context.autoescape else url
    key = (BASE, path, type(path), bool(context.autoescape))
    url = addresses.get(key)
    if url is None:
        url = static_url_text(context, node, path)
        if len(addresses) < MOST_ADDRESSES:
            addresses[key] = url
    return url


BASE = "static"
"""Stands for the base of static addresses among those that a render remembers."""

QUOTED = "static safe"
"""Stands for the characters of paths that are not quoted."""

ASK_ALWAYS = "(ask always)"
"""A storage that is not Django's: it may do I/O, or say something else each time."""


def static_base() -> tuple[str, str]:
    """Return what a usual path is added to, and the characters in it that are not quoted.

    The base is the empty text where only the storage knows.
    """
    base: Any
    if not apps.is_installed("django.contrib.staticfiles"):
        base = PrefixNode.handle_simple("STATIC_URL")
        return base if type(base) is str and plain_base(base) else "", "/"
    # Not at the top: a site without the app has no settings for it.
    from django.contrib.staticfiles import storage

    files: Any = storage.staticfiles_storage
    kind = files.__class__  # a lazy object that says what it stands for
    if not is_django(kind.__module__):
        return ASK_ALWAYS, ""
    base = files.base_url
    usual = kind is storage.StaticFilesStorage and type(base) is str and plain_base(base)
    return base if usual else "", "/~!*()'"


def static_url_text(context: Any, node: StaticNode, path: Any) -> str:
    """Return what ``{% static %}`` writes or sets."""
    url = node.handle_simple(path)
    return conditional_escape(url) if context.autoescape else url


def write_prefix(w: Writer, node: PrefixNode) -> None:
    text = w.temporary("s")
    w.line(f"{text} = address_prefix(state, {w.constant(node, 'node_')})")
    if node.varname is None:
        w.append(text)
    else:
        w.line(f"context[{w.constant(node.varname)}] = {text}")


def address_prefix(state: State, node: PrefixNode) -> Any:
    """Return a setting as an address; it begins with the script's prefix, which is ambient."""
    addresses = state.ambient.now().addresses
    key = ("prefix", node.name)
    prefix = addresses.get(key)
    if prefix is None:
        prefix = addresses[key] = node.handle_simple(node.name)
    return prefix


STATIC_TAGS = TagFamily(
    nodes={
        StaticNode: NodeWriting(write_static, lambda node: assigns(node.varname)),
        PrefixNode: NodeWriting(write_prefix, lambda node: assigns(node.varname)),
    },
    names={
        "address_prefix": address_prefix,
        "static_address": static_address,
        "static_url_text": static_url_text,
    },
)
