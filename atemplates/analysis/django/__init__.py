"""What a Django template reads from its context, found without rendering it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.template.base import Origin

from ...relations.paths import AccessPath, distinct
from ..reads import TemplateWalk
from .tags import TAG_HANDLERS
from .templates import TEMPLATE_HANDLERS, walk_foreign
from .walker import Follow, NodeWalker

__all__ = ["NODE_HANDLERS", "Follow", "access_paths", "following", "remembering", "walk_of"]

NODE_HANDLERS = {**TAG_HANDLERS, **TEMPLATE_HANDLERS}
"""What each type of node reads, and which names it sets."""


def access_paths(template: Any, *, follow: Follow | None = None) -> list[AccessPath]:
    """Return what a template reads when it is rendered, one record for each expression.

    Inheritance, includes by a literal name, partials and the templates of inclusion tags are
    followed, so the records may name other templates. A block counts as rendered if this template
    renders it: what another one might override is seen when that other one is asked about.

    Args:
        template: a parsed ``django.template.base.Template`` or partial.
        follow: loads other templates, by default through the template's engine.

    Returns:
        The records in the order in which a render meets them, none of them twice.
    """
    return walk_of(template, follow=follow).paths


def walk_of(template: Any, *, follow: Follow | None = None) -> TemplateWalk:
    """Return what `access_paths` returns, with the reads behind it.

    Args:
        template: a parsed template or partial.
        follow: loads other templates, by default through the template's engine.
    """
    walker = NodeWalker(follow or following(template.engine), NODE_HANDLERS, walk_foreign)
    walker.walk_template(template)
    return TemplateWalk(distinct(walker.records), walker.reads, walker.templates_by_file(template))


def remembering(engine: Any) -> Follow:
    """Return what loads templates as `following` does, each once: loaders need not cache."""
    load = following(engine)
    loaded: dict[tuple[str, ...], Any] = {}

    def follow(name: str, skip: Sequence[Origin] = ()) -> Any:
        # What is passed over matters where it has this name: a template that extends its own.
        key = (name, *(str(each.name) for each in skip if each.template_name == name))
        if key not in loaded:
            loaded[key] = load(name, skip)
        return loaded[key]

    return follow


def following(engine: Any) -> Follow:
    """Return a function that loads templates through an engine, as rendering does."""

    def follow(name: str, skip: Sequence[Origin] = ()) -> Any:
        if skip:
            return engine.find_template(name, skip=list(skip))[0]
        return engine.get_template(name)

    return follow
