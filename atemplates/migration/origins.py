"""Where the objects of a variable are loaded in a site's source, and what to write there."""

from __future__ import annotations

import ast
from dataclasses import dataclass

from ..inference.data import Data


@dataclass(frozen=True, slots=True)
class LoadingPlace:
    """Where a view makes a queryset, or loads an object."""

    data: Data
    view_file: str
    view_line: int
    """Where the template is rendered."""

    @property
    def file(self) -> str:
        """The file of the queryset's expression, or of the view that does not show it."""
        return self.data.file or self.view_file

    @property
    def line(self) -> int:
        """The line there."""
        shown = self.data.expression or self.data.call
        return shown.lineno if shown is not None else self.view_line

    @property
    def is_shown(self) -> bool:
        """Whether the queryset, or the call that loads the object, is seen in the source."""
        return self.data.expression is not None or self.data.call is not None

    @property
    def manager(self) -> str:
        """The name of the default manager, which stands for a model where a queryset is taken."""
        manager = self.data.model._default_manager
        named = getattr(self.data.model, manager.name or "", None)
        return manager.name if type(named) is type(manager) else "_default_manager"

    def addition(self, call: str) -> str:
        """What is written behind the expression, where that is the queryset or the model."""
        return call if self.data.form == "queryset" else f".{self.manager}{call}"

    def advice(self, call: str) -> str:
        """Say what to write there, in one line.

        Args:
            call: ``.select_related(...)`` and the like.
        """
        data = self.data
        if data.expression is None:
            if data.call is None:
                return f"add {call}"
            return f"add {call} to the queryset of {_shortened(data.call)}"
        if data.form == "queryset":
            return f"add {call}"
        written = f"{ast.unparse(data.expression)}{self.addition(call)}"
        if data.form == "attribute":
            return f"add queryset = {written}"
        if isinstance(data.call, ast.Call):
            return f"write {_shortened(data.call, data.expression, written)}"
        return f"write {written} in place of {ast.unparse(data.expression)}"


@dataclass(frozen=True, slots=True)
class UserSource:
    """Where the user of a request is loaded."""

    model: str
    """The label of the user model."""
    where: str
    """In words: whose ``get_user()`` does it."""
    file: str = ""
    """``file:line`` of that method, when it is the site's own."""


def _shortened(node: ast.expr, changed: ast.expr | None = None, written: str = "") -> str:
    """A call with what it loads from, and ``…`` for its other arguments."""
    call = node.value if isinstance(node, ast.Await) else node
    if not isinstance(call, ast.Call):
        return ast.unparse(call)
    shown = []
    for each in (*call.args, *(each.value for each in call.keywords)):
        if each is changed:
            named = next((one.arg for one in call.keywords if one.value is each), None)
            shown.append(f"{named}={written}" if named else written)
        elif not shown and changed is None and call.args[:1] == [each]:
            shown.append(ast.unparse(each))
        elif shown[-1:] != ["…"]:
            shown.append("…")
    return f"{ast.unparse(call.func)}({', '.join(shown)})"
