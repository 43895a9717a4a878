"""Tags of ours for environments of any kind: a site's own tag of the same name stays its own."""

from __future__ import annotations

from typing import ClassVar

from jinja2.ext import Extension


class OwnTagExtension(Extension):
    """An extension behind all others, where it is in nobody's way."""

    priority = 1000
    own_tags: ClassVar[frozenset[str]] = frozenset()
    """The tags, unless another extension has one of that name."""

    @property
    def tags(self) -> set[str]:  # type: ignore[override] # pyright: ignore[reportIncompatibleVariableOverride]
        """Those that are nobody else's."""
        taken: set[str] = set()
        for each in self.environment.extensions.values():
            if not isinstance(each, OwnTagExtension):
                taken |= each.tags
        return set(self.own_tags - taken)
