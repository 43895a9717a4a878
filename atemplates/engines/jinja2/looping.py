"""What a render of a Jinja2 template does about relations: told of its loops when they matter.

Not imported before a render meets a relation, or somebody wants to know of all queries.
"""

from __future__ import annotations

from typing import Any

from ...relations.branch_relations import BranchRelations
from ...relations.loop_peers import Loop
from ...relations.render_relations import RenderRelations


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

    def for_branch(self) -> LoopingRelations:
        """Make the same for a part of the render that runs while others do."""
        made = super().for_branch()
        assert isinstance(made, BranchRelations)
        return LoopingBranchRelations(self, made.underway)


class LoopingBranchRelations(BranchRelations, LoopingRelations):
    """The same of such a part."""

    def for_branch(self) -> LoopingRelations:
        """Make the same for a part inside this one."""
        return LoopingBranchRelations(self, self.underway)


def new_loop(values: Any, root: Any, site: Any) -> Loop:
    if site is None:
        return Loop(values, None, (), "")
    if root is None:
        return Loop(values, None, (), site.text)
    return Loop(values, root, site.bits[1:], site.bits[0])
