"""Objects, filters and tags that keep state, ask the database, and hide that they were refused.

They are those of `tests.swallowing`, which one law is about; here anything may be done with them.
"""

from __future__ import annotations

from typing import Any

from django.template import Node
from django.template.base import Parser, Token
from django.utils.html import conditional_escape

from tests.swallowing import CLASSES, HIDING, STATES, ask

HIDERS = {function.__name__: function for function in HIDING}
KINDS = ("o", "s", "h")
"""How a template may ask: in every way; also by a subscript; also for HTML."""


def at_once(kind: Any) -> Any:
    """A class whose objects make all their rows when a loop begins.

    Stock reads the rows of an object of a class of its own one by one while a loop runs; we read
    all of them before (docs/django.md).
    """

    def __iter__(self: Any) -> Any:
        return iter([self.answer(), self.answer()])

    return type(kind.__name__, (kind,), {"__slots__": (), "__hash__": None, "__iter__": __iter__})


KEPT = {state.__name__: {kind: at_once(CLASSES[state][kind]) for kind in KINDS} for state in STATES}


def kept(state: str, kind: str, hide: str, asks: bool = True) -> Any:
    """A new object: what it keeps, how it can be asked, who hides that it was refused."""
    return KEPT[state][kind](HIDERS[hide], asks)


def answer_of(value: Any) -> str:
    """What an object of this kind answers; of others, that they are none."""
    return str(value.answer()) if isinstance(value, tuple(STATES)) else "no answer"


def answered(value: Any) -> str:
    """A filter that has an object answer."""
    return answer_of(value)


def answer(value: Any = None, **values: Any) -> str:
    """A tag that has objects answer."""
    return "-".join(map(answer_of, (value, *values.values())))


def answer_in(context: Any, name: Any = "a") -> str:
    """A tag that counts in the context, and has an object of it answer."""
    context["y"] = len(str(context.get("y"))) % 7
    try:
        return f"{context['y']} {answer_of(context.get(name))}"
    except TypeError:
        return "<unhashable>"


def asking(context: Any, hide: Any = "by_nobody") -> str:
    """A tag that sets a variable, asks the database, and hides that it was refused."""
    hider = HIDERS.get(hide) if isinstance(hide, str) else None
    before = context.get("z")
    context["z"] = "asking"
    found = "nothing" if hider is None else hider(asks)
    context["z"] = "asked"
    return f"{before if isinstance(before, str) else 'none'} {found}"


def asks() -> Any:
    """Ask the database, unless the objects of a render do not either."""
    return ask() if Asking.does else 0


class Asking:
    """Whether the database is asked in the render that runs now."""

    does = True
    """Whether tags ask it."""
    around = False
    """Whether something in the case may: an ``async def`` cannot see it where that is hidden."""


class AnswerNode(Node):
    """Counts its renders, in the render context, and has an object answer."""

    def __init__(self, name: str) -> None:
        self.name = name

    def render(self, context: Any) -> str:
        turn = context.render_context[self] = context.render_context.get(self, 0) + 1
        return conditional_escape(f"{turn} {answer_of(context.get(self.name))}")


def answer_node(parser: Parser, token: Token) -> Node:
    """``{% answer_node name %}``."""
    _, name = token.split_contents()
    return AnswerNode(name)
