"""What the context of one render holds: the variables of a view, and what is known without it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ..analysis.values import PathValue
from ..inference.faults import Fault
from ..inference.steps import call, called_by_django, step
from ..inference.types import ANYTHING, ValueType

NEVER_MISSING = frozenset({"csrf_token", "csrf_input", "request"})
"""Names that the backends give, or that a request in the context does."""


@dataclass(slots=True)
class KnownContext:
    """What is known of the context that a template is rendered with.

    Without anything given, nothing is known: any name may be there, of any type.
    """

    variables: Mapping[str, ValueType] = field(default_factory=dict)
    """What the view gives."""
    others: Mapping[str, ValueType] | None = None
    """What context processors and the environment give; None if that cannot be told."""
    is_complete: bool = False
    """Whether the view gives no other names than its variables."""
    is_rendered: bool = False
    """Whether a view is known that renders the template with it."""
    _found: dict[tuple[str, tuple[str, ...]], ValueType | None] = field(default_factory=dict)

    def knows_all_names(self) -> bool:
        """Whether a name that is not here is not there."""
        return self.is_complete and self.others is not None

    def type_at(self, place: PathValue) -> ValueType | None:
        """Return the type of what is at a path; None if there is no such variable.

        A path that fails on the way is one of unknown type: who wrote it is told where it stands.
        """
        return self._at(place.root, place.path)

    def _at(self, root: str, path: tuple[str, ...]) -> ValueType | None:
        key = (root, path)
        if key not in self._found:
            self._found[key] = self._follow(root, path)
        return self._found[key]

    def _follow(self, root: str, path: tuple[str, ...]) -> ValueType | None:
        if not path:
            return self._given(root)
        before = self._at(root, path[:-1])
        if before is None:
            return None
        if len(path) == 1:
            called = called_by_django(before)
            before = ANYTHING if isinstance(called, Fault) else called
        found = step(before, path[-1])
        if isinstance(found, Fault) and found.code == "needs-arguments":
            # Jinja2 gives them, and a path does not say so.
            uncalled = step(before, path[-1], calls=False)
            found = uncalled
            if not isinstance(uncalled, Fault):
                found = call(uncalled, has_arguments=True)
        return ANYTHING if isinstance(found, Fault) else found

    def _given(self, name: str) -> ValueType | None:
        if name in self.variables:
            return self.variables[name]
        if self.others is not None and name in self.others:
            return self.others[name]
        if name in NEVER_MISSING or not self.knows_all_names():
            return ANYTHING
        return None
