"""Which names a template may use, as far as its text can tell."""

from __future__ import annotations

from typing import Any

from django.template.base import Node, Template
from django.template.defaulttags import DebugNode
from django.template.engine import Engine
from django.template.library import InclusionNode
from django.template.loader_tags import ExtendsNode, IncludeNode

from ..compiler.mentions import words_of

KNOWN_MODULES = ("django.template.", "django.templatetags.")
"""Where the nodes come from that use no name but those in the template's text."""


def names_used(template: Any, engine: Engine) -> set[str] | None:
    """Return every name that the template, its parents and its includes could use.

    A word anywhere in a template's source counts as used. None means that it cannot be told:
    a parent or an include whose name is computed or that does not load, or a tag that may read
    the whole context. May load templates, so it belongs in the request's thread.

    Args:
        template: a parsed template, or a partial of one.
        engine: where its parents and includes are looked up.
    """
    names: set[str] = set()
    seen: set[str] = set()
    waiting = [template]
    while waiting:
        current = waiting.pop()
        try:
            current = _whole(current, engine)
            seen.add(current.name)
            names |= words_of(current.source)
            for node in current.nodelist.get_nodes_by_type(Node):
                if not isinstance(node, (ExtendsNode, IncludeNode)):
                    if _reads_the_context(node):
                        return None
                    continue
                name = _literal_name(node)
                if name is None or (isinstance(node, ExtendsNode) and name in seen):
                    # A template that extends its own name means the next one of that name.
                    return None
                if name not in seen:
                    seen.add(name)
                    waiting.append(engine.get_template(name))
        except Exception:
            # The render will raise it at the right place, or never come there.
            return None
    return names


def _whole(template: Any, engine: Engine) -> Any:
    """Return the template that a partial is part of: its source holds the other partials too."""
    if isinstance(template, Template):
        return template
    return engine.get_template(template.origin.template_name)


def _literal_name(node: ExtendsNode | IncludeNode) -> str | None:
    expression: Any = node.parent_name if isinstance(node, ExtendsNode) else node.template
    name = expression.var
    return name if isinstance(name, str) and not expression.filters else None


def _reads_the_context(node: Node) -> bool:
    return (
        isinstance(node, (DebugNode, InclusionNode))
        or getattr(node, "takes_context", False)
        or not type(node).__module__.startswith(KNOWN_MODULES)
    )
