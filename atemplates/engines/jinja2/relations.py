"""What the renders of Jinja2 templates do about relations, as their environment says."""

from __future__ import annotations

from typing import Any

from ...relations import fetching
from ...relations.events import observers
from ...relations.loop_peers import Loop
from ...relations.models import is_missing, relations_of
from ...relations.policy import current_policy
from ...relations.render_relations import RenderRelations
from ..recording import RECORDER, observers_for

POLICY = "atemplates_relations"
"""The attribute of an environment that holds ``OPTIONS["relations"]``."""


class LoopingRelations(RenderRelations):
    """What one render does about relations, told of its loops only when they matter."""

    def see_loops(self, loops: list[list[Any]]) -> None:
        """Bring the loops up to the present: ``[rows, root, site, None or a Loop]`` for each."""
        stack = self.loops.stack
        stack.clear()
        for entry in loops:
            values, root, site, loop = entry
            if type(values) is not list and type(values) is not tuple:
                continue
            if loop is None or loop.values is not values:
                loop = entry[3] = new_loop(values, root, site)
            stack.append(loop)


def new_loop(values: Any, root: Any, site: Any) -> Loop:
    if site is None:
        return Loop(values, None, (), "")
    if root is None:
        return Loop(values, None, (), site.text)
    return Loop(values, root, site.bits[1:], site.bits[0])


class ConfiguredRelations:
    """Makes what a render does about relations, with its environment's policy and recorder."""

    def of_render(self, context: Any) -> LoopingRelations:
        """Begin the render of a context."""
        policy = current_policy(getattr(context.environment, POLICY, "batch"))
        recorder = getattr(context.environment, RECORDER, None)
        told, view = observers_for(recorder, context.name or "", lambda: context.get("request"))
        return LoopingRelations(policy, told, view)

    def outside(self) -> LoopingRelations:
        """What plans do that Python code runs outside of any render."""
        return LoopingRelations(current_policy("batch"), observers())

    def may_query(self, instance: Any, name: str) -> bool:
        """Whether reading an attribute of a model instance that is not in its dict may query."""
        model: Any = type(instance)
        relation = relations_of(model).get(name)
        return fetching.AVAILABLE if relation is None else is_missing(instance, relation)
