"""What ``forloop`` is in Django's templates, and ``loop`` in those of Jinja2."""

from __future__ import annotations

import sys
from typing import Any

from django.template import Context, Engine
from django.template.base import Node, NodeList, TextNode

from .cached import found_once
from .known_results import BOOL, INT
from .types import ANYTHING, DictType, ObjectType, ValueType

DEEPEST_LOOP = 4
"""How many loops around one are told apart."""


class _Look(Node):
    """A node that notes which names ``forloop`` has."""

    def __init__(self) -> None:
        self.found: dict[str, Any] = {}

    def render(self, context: Context) -> Any:
        self.found = dict(context["forloop"])
        return ""


@found_once
def forloop_names() -> frozenset[str]:
    """Return the names that ``forloop`` has in the installed Django, as its own loop says."""
    template = Engine().from_string("{% for each in many %}.{% endfor %}")
    look = _Look()
    loop: Any = template.nodelist[0]
    loop.nodelist_loop = NodeList([look, TextNode("")])
    template.nodelist.render(Context({"many": "1"}))
    return frozenset(look.found)


def _forloop(depth: int) -> DictType:
    members: dict[str, ValueType] = dict.fromkeys(forloop_names(), INT)
    members["first"] = members["last"] = BOOL
    members["parentloop"] = _forloop(depth - 1) if depth else ANYTHING
    return DictType(members, is_complete=True, name="forloop")


@found_once
def forloop_type() -> DictType:
    """Return the type of ``forloop`` in a loop; what is around the loop may be another."""
    return _forloop(DEEPEST_LOOP)


def loop_type(item: ValueType = ANYTHING) -> ValueType:
    """Return the type of ``loop`` in a template of Jinja2, where that is in use."""
    runtime = sys.modules.get("jinja2.runtime")
    found = vars(runtime).get("LoopContext") if runtime is not None else None
    return ObjectType(found, item=item) if isinstance(found, type) else ANYTHING
