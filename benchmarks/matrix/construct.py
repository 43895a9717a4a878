"""A construct: a piece of a template that is measured by itself, and where it can run."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from fnmatch import fnmatchcase

import django
from django.template.base import Lexer, TokenType

BEGIN = "{% for row in rows %}"
END = "{% endfor %}"
names_of_filters = re.compile(r"\|\s*(\w+)")
constant = re.compile(r"\"[^\"]*\"|'[^']*'")


@dataclass(frozen=True)
class Construct:
    """A construct in the languages that have it. A loop over the rows stands around each source
    that is without one of its own."""

    name: str
    django: str
    jinja2: str | None = None
    """The like in Jinja2, with the same output but for space and quotes; None where it has none."""
    load: str = ""
    """The tag libraries to load, outside of the loop."""
    since: tuple[int, int] = (5, 2)
    """The first Django version that has it."""
    request: bool = False
    """Whether it needs the request."""
    inline: bool = False
    """Whether our engine has ``OPTIONS["inline_tags"]`` for it."""
    prints: bool = True
    """Whether anything is printed; what is not printed cannot be compared."""
    family: str = ""
    """Set by `named`."""

    @property
    def label(self) -> str:
        """What the construct is called in results and on the command line."""
        return f"{self.family}.{self.name}"

    @property
    def is_here(self) -> bool:
        """Whether the installed Django has it."""
        return django.VERSION[:2] >= self.since

    @property
    def django_source(self) -> str:
        """The whole template in Django's language."""
        if self.django.startswith("{% extends"):
            return self.django
        load = f"{{% load {self.load} %}}" if self.load else ""
        return load + looped(self.django)

    @property
    def jinja2_source(self) -> str | None:
        """The whole template in Jinja2's language."""
        return None if self.jinja2 is None else looped(self.jinja2)


def looped(source: str) -> str:
    """Put a loop over the rows around a source that has none."""
    if " in rows %}" in source or source.startswith("{% extends"):
        return source
    return BEGIN + source + END


def used_names(source: str) -> Iterator[tuple[str, str]]:
    """Yield what a Django source uses, as ``("tag", name)`` and ``("filter", name)``."""
    for token in Lexer(source).tokenize():
        if token.token_type == TokenType.BLOCK:
            yield "tag", token.contents.split()[0]
        elif token.token_type != TokenType.VAR:
            continue
        for name in names_of_filters.findall(constant.sub("", token.contents)):
            yield "filter", name


class NoSuchConstruct(Exception):
    """A pattern matches no construct."""


def chosen(constructs: Sequence[Construct], patterns: Sequence[str]) -> list[Construct]:
    """Return the constructs whose label or name matches one of the patterns; without any, all.

    Raises:
        NoSuchConstruct: a pattern matches none; the message names those that are near.
    """
    found: dict[str, Construct] = {}
    for pattern in patterns:
        matching = {
            each.label: each
            for each in constructs
            if fnmatchcase(each.label, pattern) or fnmatchcase(each.name, pattern)
        }
        if not matching:
            near = get_close_matches(pattern, [each.label for each in constructs], 3, 0.4)
            raise NoSuchConstruct(
                f"There is no construct {pattern!r} in the matrix"
                + (f"; near it are: {', '.join(near)}" if near else "")
                + " (--list shows all; * stands for anything)."
            )
        found.update(matching)
    return [each for each in constructs if not patterns or each.label in found]
