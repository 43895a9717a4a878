"""Static access paths: what a template reads from its context, found without rendering it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.template.base import Origin

from ...relations.paths import AccessPath, distinct
from . import nodes as nodes  # fills the table of tags
from . import templates
from .walker import Follow, NodeWalker, register_access

__all__ = ["Follow", "access_paths", "following", "register_access"]


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
    walker = NodeWalker(follow or following(template.engine), templates.walk_foreign)
    walker.walk_template(template)
    return distinct(walker.records)


def following(engine: Any) -> Follow:
    """Return a function that loads templates through an engine, as rendering does."""

    def follow(name: str, skip: Sequence[Origin] = ()) -> Any:
        if skip:
            return engine.find_template(name, skip=list(skip))[0]
        return engine.get_template(name)

    return follow
