"""Where a variable stands, and what is in the place of one that does not exist."""

from __future__ import annotations

from enum import Enum


class Missing:
    """The type of `MISSING`: a name that is in no dict of the context."""

    def __repr__(self) -> str:
        return "MISSING"


MISSING = Missing()


class Invalid:
    """``string_if_invalid`` in the place of a value: filters must not be applied to it."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text


class SiteMode(Enum):
    """What a variable gives that does not exist."""

    OUTPUT = "output"
    """``string_if_invalid``."""

    TEXT = "text"
    """The same; and where a lookup raises ``UnicodeDecodeError`` nothing is written."""

    NONE = "none"
    """``None``, as ``ignore_failures`` in Django."""

    RAISE = "raise"
    """It raises ``VariableDoesNotExist``."""


class Site:
    """Where in a template a variable stands, and what happens when it cannot be resolved."""

    __slots__ = ("bits", "file", "filtered", "line", "mode", "template", "text")

    def __init__(
        self,
        bits: tuple[str, ...],
        text: str,
        mode: SiteMode = SiteMode.OUTPUT,
        *,
        filtered: bool = False,
        template: str = "",
        line: int | None = None,
        file: str = "",
    ) -> None:
        self.bits = bits
        self.text = text
        self.mode = mode
        self.filtered = filtered
        self.template = template
        self.line = line
        self.file = file
        """The template's, for errors: several apps may have a template of one name."""
