"""Templates for the relation tests, made for the types of a context's names."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st

from .relation_contexts import (
    SCALAR,
    Context,
    Draw,
    Manager,
    One,
    Record,
    Rows,
    attributes,
    chance,
    columns,
)

Scope = dict[str, Any]
NAMES = ("a", "b", "c", "rows")
"""What loops and ``with`` call their values: few names, so that they often hide each other."""

MANAGER_STEPS: tuple[tuple[str, Callable[[Manager], Any]], ...] = (
    ("all", lambda manager: Rows(One(manager.model), queryset=True)),
    ("all", lambda manager: Rows(One(manager.model), queryset=True)),
    ("all", lambda manager: Rows(One(manager.model), queryset=True)),
    ("count", lambda manager: SCALAR),
    ("exists", lambda manager: SCALAR),
    ("first", lambda manager: One(manager.model)),
    ("last", lambda manager: One(manager.model)),
    ("get", lambda manager: One(manager.model)),
    ("reverse", lambda manager: Rows(One(manager.model), queryset=True)),
    ("none", lambda manager: Rows(One(manager.model), queryset=True)),
    ("distinct", lambda manager: Rows(One(manager.model), queryset=True)),
    ("values", lambda manager: Rows(Record(_columns(manager.model)), queryset=True)),
)
QUERYSET_STEPS: tuple[tuple[str, Callable[[Rows], Any]], ...] = (
    ("all", lambda rows: rows),
    ("count", lambda rows: SCALAR),
    ("exists", lambda rows: SCALAR),
    ("first", lambda rows: rows.item),
    ("last", lambda rows: rows.item),
    ("distinct", lambda rows: rows),
)
TO_TEXT = (
    "|length",
    '|join:", "',
    '|slice:":2"|join:"-"',
    '|slice:"1:"|length',
    '|first|default:"none"',
    '|last|default:"none"',
    '|dictsort:"pk"|join:"+"',
    "|unordered_list",
    '|yesno:"some,no"',
    '|default_if_none:"none"',
    "",
)
TO_ROWS = ('|slice:":2"', '|slice:"1:"', '|dictsort:"name"', '|dictsortreversed:"pk"', "|safeseq")
OF_ONE = (
    "",
    "",
    '|default:"none"',
    '|default_if_none:"null"',
    '|stringformat:"s"',
    "|upper",
    "|yesno",
)
OPERATORS = ("==", "!=", "<", ">=", "and", "or", "is", "is not", "in", "not in")


def _columns(model: str) -> tuple[tuple[str, Any], ...]:
    return tuple((name, SCALAR) for name in columns(model))


@dataclass
class Page:
    """The templates of one page; ``"page"`` is the one that is rendered."""

    sources: dict[str, str] = field(default_factory=dict)

    def __repr__(self) -> str:
        return "\n".join(f"Template {name}: {source}" for name, source in self.sources.items())


def steps_of(kind: Any) -> list[tuple[str, Any]]:
    """Return the bits that lead on from a type, with the types they lead to."""
    if isinstance(kind, One):
        # Relations more often than columns.
        found = [*attributes(kind.model), *kind.extra]
        return [*found, *((name, to) for name, to in found if to != SCALAR)]
    if isinstance(kind, Manager):
        return [(name, to(kind)) for name, to in MANAGER_STEPS]
    if isinstance(kind, Record):
        return list(kind.entries)
    if isinstance(kind, Rows):
        found = [("0", kind.item), ("1", kind.item)]
        if kind.queryset:
            found += [(name, to(kind)) for name, to in QUERYSET_STEPS]
        return found
    return []


class Writer:
    """Draws the text of templates; knows what each name stands for where it writes."""

    def __init__(self, draw: Draw) -> None:
        self.draw = draw
        self.page = Page()
        self.left = draw(st.integers(3, 14))
        """How many more nodes to write."""

    def choose(self, *values: Any) -> Any:
        return self.draw(st.sampled_from(values))

    def chance(self, one_in: int) -> bool:
        return chance(self.draw, one_in)

    # -- paths ---------------------------------------------------------------------------------

    def path(self, scope: Scope, *wanted: type) -> tuple[str, Any]:
        """Draw a path from a name of the scope, which ends in a type that is wanted if one can."""
        innermost = next(iter(scope))
        name = self.choose(innermost, innermost, *scope)
        kind = scope[name]
        bits = [name]
        for _ in range(self.choose(0, 1, 1, 2, 2, 3, 4)):
            following = steps_of(kind)
            if not following:
                break
            bit, kind = self.choose(*following)
            bits.append(bit)
        return self._finish(bits, kind, wanted)

    def _finish(self, bits: list[str], kind: Any, wanted: tuple[type, ...]) -> tuple[str, Any]:
        """Go on until the type is wanted, for at most two steps."""
        for _ in range(2):
            if not wanted or isinstance(kind, wanted):
                break
            following = steps_of(kind)
            right = [step for step in following if isinstance(step[1], wanted)]
            nearer = [step for step in following if isinstance(step[1], (Manager, One))]
            if not (right or nearer):
                break
            bit, kind = self.choose(*(right or nearer))
            bits.append(bit)
        return ".".join(bits), kind

    def rows(self, scope: Scope) -> tuple[str, Any]:
        """Draw a path to rows; seldom to something that cannot be gone through."""
        text, kind = self.path(scope, Rows)
        if isinstance(kind, Rows) or self.chance(30):
            return text, kind
        known = [name for name, kind in scope.items() if isinstance(kind, Rows)]
        if known:
            name = self.choose(*known)
            return name, scope[name]
        return '""', Rows(SCALAR)

    def value(self, scope: Scope) -> str:
        """Draw an expression for the value of a condition or an argument."""
        if self.chance(5):
            return str(self.choose("None", "3", '"Leo"', "True", "0"))
        text, kind = self.path(scope)
        if isinstance(kind, Rows) and self.chance(3):
            text += self.choose("|length", "|first", '|slice:":1"')
        return text

    def condition(self, scope: Scope) -> str:
        """Draw a condition."""
        text = self.value(scope)
        if self.chance(2):
            text = f"{text} {self.choose(*OPERATORS)} {self.value(scope)}"
        return f"not {text}" if self.chance(6) else text

    # -- nodes ---------------------------------------------------------------------------------

    def body(self, scope: Scope, depth: int) -> str:
        """Draw a few nodes."""
        parts = []
        for _ in range(self.choose(1, 2, 3)):
            if self.left <= 0 and parts:
                break
            self.left -= 1
            loop = depth < 3 and self.choose(True, depth == 0)
            node = self.loop if loop else self.choose(*NODES).__get__(self)
            if depth >= 5 or self.left <= 0:
                node = self.output
            parts.append(node(scope, depth))
        return " ".join(parts)

    def output(self, scope: Scope, depth: int) -> str:
        # An animal's text needs its species, which may be hidden: often a column instead.
        wanted = (type(SCALAR),) if self.chance(2) else ()
        text, kind = self.path(scope, *wanted)
        if isinstance(kind, Rows):
            text += self.choose(*TO_TEXT)
        elif isinstance(kind, One):
            text += self.choose(*OF_ONE)
        elif self.chance(6):
            text += f"|default:{self.path(scope, type(SCALAR))[0]}"
        return f"{{{{ {text} }}}}"

    def loop(self, scope: Scope, depth: int) -> str:
        text, kind = self.rows(scope)
        item = kind.item if isinstance(kind, Rows) else SCALAR
        if isinstance(kind, Rows) and kind.queryset and self.chance(12):
            text += ".iterator"
        elif isinstance(kind, Rows) and self.chance(6):
            text += self.choose(*TO_ROWS)
        inner = dict(scope)
        if isinstance(item, Record) and item.tuple and self.chance(2):
            targets = [f"{self.choose(*NAMES)}{place}" for place in range(len(item.entries))]
            inner.update((name, to) for name, (_, to) in zip(targets, item.entries, strict=True))
            target = ", ".join(targets)
        else:
            target = self.choose(*NAMES)
            inner[target] = item
        inner = self._prefer(inner, target)
        order = " reversed" if self.chance(8) else ""
        prefix = self.choose("", "", "", "{{ forloop.counter }}:", "{{ forloop.last }} ")
        empty = f"{{% empty %}}{self.output(scope, depth)}" if self.chance(5) else ""
        if self.chance(8):
            inner_body = f"{{% if forloop.{self.choose('first', 'last')} %}}"
            inner_body += f"{self.body(inner, depth + 1)}{{% endif %}}"
        else:
            inner_body = self.body(inner, depth + 1)
        return f"{{% for {target} in {text}{order} %}}{prefix}{inner_body};{empty}{{% endfor %}}"

    def _prefer(self, scope: Scope, target: str) -> Scope:
        """Make a loop's own variable the first, which is what examples shrink to."""
        names = [name.strip() for name in target.split(",")]
        return {**{name: scope[name] for name in names}, **scope}

    def if_(self, scope: Scope, depth: int) -> str:
        text = f"{{% if {self.condition(scope)} %}}{self.body(scope, depth + 1)}"
        if self.chance(3):
            text += f"{{% elif {self.condition(scope)} %}}{self.body(scope, depth + 1)}"
        if self.chance(2):
            text += f"{{% else %}}{self.body(scope, depth + 1)}"
        return text + "{% endif %}"

    def with_(self, scope: Scope, depth: int) -> str:
        inner, text = self._named(scope)
        return f"{{% with {text} %}}{self.body(inner, depth + 1)}{{% endwith %}}"

    def _named(self, scope: Scope) -> tuple[Scope, str]:
        """Draw one or two names for values: the scope with them, and the text."""
        named: Scope = {}
        texts = []
        for name in self.draw(
            st.lists(st.sampled_from(NAMES), min_size=1, max_size=2, unique=True)
        ):
            text, named[name] = self.path(scope, One, Manager, Rows)
            texts.append(f"{name}={text}")
        return {**named, **{k: v for k, v in scope.items() if k not in named}}, " ".join(texts)

    def include(self, scope: Scope, depth: int) -> str:
        name = f"part{len(self.page.sources)}"
        self.page.sources[name] = ""
        if self.chance(3):
            self.page.sources[name] = self.body(scope, depth + 1)
            return f'{{% include "{name}" %}}'
        inner, text = self._named(scope)
        only = ""
        if self.chance(2):
            only = " only"
            inner = {k: v for k, v in inner.items() if f"{k}=" in f" {text}"}
        self.page.sources[name] = self.body(inner, depth + 1)
        return f'{{% include "{name}" with {text}{only} %}}'

    def regroup(self, scope: Scope, depth: int) -> str:
        text, kind = self.rows(scope)
        item = kind.item if isinstance(kind, Rows) else SCALAR
        by, to = self._finish(["x"], item, (type(SCALAR), One)) if self.chance(2) else ("x", item)
        if by == "x":
            following = steps_of(item)
            if following:
                bit, to = self.choose(*following)
                by = f"x.{bit}"
        grouped = by.removeprefix("x.") if by != "x" else "pk"
        group = Record((("grouper", to), ("list", Rows(item))))
        name = self.choose(*NAMES)
        start = f"{{% regroup {text} by {grouped} as groups %}}"
        if self.chance(2):
            inner = {
                "members": Rows(item),
                name: to,
                **{k: v for k, v in scope.items() if k != name},
            }
            target = f"{name}, members"
        else:
            inner = {name: group, **{k: v for k, v in scope.items() if k != name}}
            target = name
        return f"{start}{{% for {target} in groups %}}{self.body(inner, depth + 1)};{{% endfor %}}"

    def ifchanged(self, scope: Scope, depth: int) -> str:
        argument = f" {self.path(scope)[0]}" if self.chance(2) else ""
        return f"{{% ifchanged{argument} %}}{self.body(scope, depth + 1)}{{% endifchanged %}}"

    def firstof(self, scope: Scope, depth: int) -> str:
        return f'{{% firstof {self.path(scope)[0]} {self.path(scope)[0]} "neither" %}}'

    def cycle(self, scope: Scope, depth: int) -> str:
        return f'{{% cycle {self.path(scope)[0]} "odd" %}}'

    def again(self, scope: Scope, depth: int) -> str:
        """The same relation from two places: what the first loads, the second must find."""
        text = self.loop(scope, depth)
        return text + text


NODES = (
    Writer.output,
    Writer.output,
    Writer.output,
    Writer.if_,
    Writer.with_,
    Writer.include,
    Writer.regroup,
    Writer.ifchanged,
    Writer.firstof,
    Writer.cycle,
    Writer.again,
)


@st.composite
def pages(draw: Draw, context: Context) -> Page:
    """Pages for a context: one template, what it includes, and sometimes what it extends."""
    writer = Writer(draw)
    body = writer.body(context.types, 0)
    if writer.chance(6):
        first = writer.body(context.types, 1)
        writer.page.sources["base"] = f"[{{% block one %}}{first}{{% endblock %}}]"
        body = f'{{% extends "base" %}}{{% block one %}}{body}{{{{ block.super }}}}{{% endblock %}}'
    writer.page.sources["page"] = body
    return writer.page
