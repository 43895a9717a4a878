"""A construct as a variant of each engine."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from typing import Any

import jinja2
from django.test import RequestFactory
from django.utils import translation

from atemplates.engines.django import DjangoTemplates

from ..engines import (
    FILTERS,
    GLOBALS,
    TEMPLATES,
    has_minijinja,
    our_backend,
    parameters,
    stock_backend,
)
from ..measure import Variant
from ..results import MINIJINJA, OURS, OURS_ASYNC, STOCK
from ..templatetags import matrix_tags
from .construct import Construct
from .own_tags import LIBRARY
from .peers import installed_peers, peer_render

JINJA2_FUNCTIONS = {
    **GLOBALS,
    "_": translation.gettext,
    "pgettext": translation.pgettext,
    "greeting": matrix_tags.greeting,
    "labelled": matrix_tags.labelled,
}
JINJA2_FILTERS = {
    **FILTERS,
    "shouted": matrix_tags.shouted,
    "tail": matrix_tags.tail,
    "initial": matrix_tags.initial,
}


@cache
def inline_backend() -> DjangoTemplates:
    """Our backend, with the site's own tags on the loop."""
    given = parameters("inline")
    given["OPTIONS"] = {**given["OPTIONS"], "inline_tags": [LIBRARY]}
    return DjangoTemplates(given)


@cache
def matrix_jinja2() -> jinja2.Environment:
    """Jinja2, with what the constructs use."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES / "jinja2"),
        autoescape=True,
        auto_reload=False,
        extensions=["jinja2.ext.i18n"],
    )
    environment.globals.update(JINJA2_FUNCTIONS)
    environment.filters.update(JINJA2_FILTERS)
    environment.install_gettext_callables(  # type: ignore[attr-defined]
        translation.gettext,
        translation.ngettext,
        newstyle=True,
        pgettext=translation.pgettext,
        npgettext=translation.npgettext,
    )
    return environment


@cache
def matrix_minijinja() -> Any:
    """minijinja, with the same."""
    import minijinja

    return minijinja.Environment(
        loader=lambda path: (TEMPLATES / "jinja2" / path).read_text(encoding="utf-8"),
        filters=JINJA2_FILTERS,
        globals=JINJA2_FUNCTIONS,
        auto_escape_callback=lambda name: True,
    )


def own_variants(construct: Construct, values: dict[str, Any]) -> dict[str, Variant]:
    """Return a construct as stock Django and as our engine render it."""
    source = construct.django_source
    request = RequestFactory().get("/list/?q=word&page=1") if construct.request else None
    stock = stock_backend().from_string(source)
    backend = inline_backend() if construct.inline else our_backend()
    ours = backend.from_string(source)

    async def render_async() -> str:
        return await ours.render_async(dict(values), request)

    return {
        STOCK: Variant(lambda: stock.render(dict(values), request)),
        OURS: Variant(lambda: ours.render(dict(values), request)),
        OURS_ASYNC: Variant(render_async=render_async),
    }


def jinja2_variant(construct: Construct, values: dict[str, Any]) -> Variant | None:
    """Return the like in Jinja2, if it has one."""
    source = construct.jinja2_source
    if source is None:
        return None
    return Variant(partial(matrix_jinja2().from_string(source).render, values))


def peer_variants(construct: Construct, values: dict[str, Any]) -> dict[str, Callable[[], Variant]]:
    """Return, for each peer that is installed, the function that makes its variant; it may fail."""
    makers: dict[str, Callable[[], Variant]] = {}
    if has_minijinja() and construct.jinja2_source is not None:
        makers[MINIJINJA] = partial(minijinja_variant, construct.jinja2_source, values)
    request = RequestFactory().get("/list/?q=word&page=1") if construct.request else None
    for peer in installed_peers():

        def make(peer: Any = peer) -> Variant:
            render = peer_render(peer, construct.django_source)
            return Variant(lambda: render(dict(values), request))

        makers[peer.name] = make
    return makers


def minijinja_variant(source: str, values: dict[str, Any]) -> Variant:
    """Return the variant of minijinja."""
    render = partial(matrix_minijinja().render_str, source, **values)
    return Variant(render)
