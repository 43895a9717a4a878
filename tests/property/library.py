"""Tags and filters of a third party: simple, inclusion and block tags, and whole nodes.

The library exists twice, with the same names. In one the tags called ``later_…`` are coroutine
functions, in the other plain functions, so that stock Django can tell what comes out.
"""

from __future__ import annotations

import functools
from typing import Any

from asgiref.sync import sync_to_async
from django.core.exceptions import SynchronousOnlyOperation
from django.template import Context, Library, Node
from django.template.base import FilterExpression, NodeList, Parser, Token
from django.template.defaulttags import ForNode, IfNode, TemplateLiteral
from django.utils.html import conditional_escape, format_html
from django.utils.safestring import mark_safe

from . import keeping
from .objects import fail

MOST_REPEATS = 3


class Upper(Node):
    """A block tag that changes what stands inside it."""

    def __init__(self, nodelist: NodeList) -> None:
        self.nodelist = nodelist

    def render(self, context: Any) -> str:
        return self.nodelist.render(context).upper()


class Repeat(Node):
    """A block tag that renders its contents several times, with a variable of its own."""

    def __init__(self, count: FilterExpression, nodelist: NodeList) -> None:
        self.count, self.nodelist = count, nodelist

    def render(self, context: Any) -> str:
        count = self.count.resolve(context, ignore_failures=True)
        times = min(count, MOST_REPEATS) if isinstance(count, int) else 2
        parts = []
        for number in range(times):
            with context.push(x=number):
                parts.append(self.nodelist.render(context))
        return mark_safe("|".join(parts))


class Unsafe(Node):
    """A block tag that makes an unsafe string of what stands inside it."""

    def __init__(self, nodelist: NodeList) -> None:
        self.nodelist = nodelist

    def render(self, context: Any) -> str:
        return str(self.nodelist.render(context)) + "<&>"


class SetVariable(Node):
    """Sets a variable, wherever the tag stands."""

    def __init__(self, name: str, value: FilterExpression) -> None:
        self.name, self.value = name, value

    def render(self, context: Any) -> str:
        context[self.name] = self.value.resolve(context)
        return ""


class Names(Node):
    """Writes which names there are, innermost last, as only a look at every dict can tell."""

    def render(self, context: Any) -> str:
        return "; ".join(",".join(sorted(map(str, scope))) for scope in context.dicts[1:])


class Probe(Node):
    """Writes a variable that it looks up by itself."""

    def __init__(self, name: str) -> None:
        self.name = name

    def render(self, context: Any) -> str:
        if self.name not in context:
            return f"no {self.name}"
        value = context[self.name]
        return f"[{conditional_escape(value)}]" if isinstance(value, (str, int)) else "[something]"


class Turns(Node):
    """Counts its renders, in the render context."""

    def render(self, context: Any) -> str:
        turn = context.render_context[self] = context.render_context.get(self, 0) + 1
        return str(turn)


class ListedLists(Node):
    """Keeps the node lists of its branches in a list of pairs."""

    def __init__(self, branches: list[tuple[str, NodeList]]) -> None:
        self.branches = branches

    def render(self, context: Any) -> str:
        return "".join(f"{name}={nodelist.render(context)};" for name, nodelist in self.branches)


class Attempt(Node):
    """A block tag that catches what is raised inside it."""

    def __init__(self, nodelist: NodeList) -> None:
        self.nodelist = nodelist

    def render(self, context: Any) -> str:
        try:
            return self.nodelist.render(context)
        except Exception as error:
            return f"({type(error).__name__})"


class LaterUpper(Upper):
    """The same as `Upper`, with a render for the event loop."""

    async def render_async(self, context: Any) -> str:
        return (await self.nodelist.render_async(context)).upper()


class OwnFor(ForNode):
    """A loop with a ``render`` of its own: foreign, although its base is not."""

    def render(self, context: Any) -> str:
        return f"({super().render(context)})"


class OwnIf(IfNode):
    """A condition that is the other way round."""

    def render(self, context: Any) -> str:
        return super().render(context) or "(nothing)"


def _block(kind: type[Node], end: str) -> Any:
    def compile_function(parser: Parser, token: Token) -> Node:
        nodelist = parser.parse((end,))
        parser.delete_first_token()
        return kind(nodelist)

    return compile_function


def repeat(parser: Parser, token: Token) -> Node:
    """``{% repeat count %}…{% endrepeat %}``."""
    _, count = token.split_contents()
    nodelist = parser.parse(("endrepeat",))
    parser.delete_first_token()
    return Repeat(parser.compile_filter(count), nodelist)


def set_variable(parser: Parser, token: Token) -> Node:
    """``{% set_variable name value %}``."""
    _, name, value = token.split_contents()
    return SetVariable(name, parser.compile_filter(value))


def probe(parser: Parser, token: Token) -> Node:
    """``{% probe name %}``."""
    _, name = token.split_contents()
    return Probe(name)


def branches(parser: Parser, token: Token) -> Node:
    """``{% branches %}…{% or %}…{% endbranches %}``."""
    first = parser.parse(("or", "endbranches"))
    found = [("first", first)]
    if parser.next_token().contents == "or":
        found.append(("second", parser.parse(("endbranches",))))
        parser.delete_first_token()
    return ListedLists(found)


def own_for(parser: Parser, token: Token) -> Node:
    """``{% own_for x in values %}…{% endown_for %}``."""
    _, name, _, values = token.split_contents()
    nodelist = parser.parse(("endown_for",))
    parser.delete_first_token()
    return OwnFor([name], parser.compile_filter(values), False, nodelist)


def own_if(parser: Parser, token: Token) -> Node:
    """``{% own_if value %}…{% endown_if %}``."""
    _, value = token.split_contents()
    nodelist = parser.parse(("endown_if",))
    parser.delete_first_token()
    return OwnIf([(TemplateLiteral(parser.compile_filter(value), value), nodelist)])


def _joined(args: tuple[Any, ...], kwargs: dict[str, Any]) -> str:
    return "-".join([*map(str, args), *(f"{name}={value}" for name, value in kwargs.items())])


def build_library(asynchronous: bool) -> Library:
    """Make the library.

    Args:
        asynchronous: whether what is called ``later_…`` is a coroutine function.
    """
    register = Library()
    register.tag("upper", _block(Upper, "endupper"))
    register.tag("unsafe", _block(Unsafe, "endunsafe"))
    register.tag("attempt", _block(Attempt, "endattempt"))
    register.tag("later_upper", _block(LaterUpper, "endlater_upper"))
    register.tag("names", lambda parser, token: Names())
    register.tag("turns", lambda parser, token: Turns())
    for function in (repeat, set_variable, probe, branches, own_for, own_if):
        register.tag(function.__name__, function)

    def both(name: str, function: Any) -> Any:
        """The function under a name; a coroutine function if the name says ``later``."""
        if not (asynchronous and name.startswith("later_")):
            return function

        @functools.wraps(function)
        async def coroutine_function(*args: Any, **kwargs: Any) -> Any:
            if keeping.Asking.around:
                return await sync_to_async(function)(*args, **kwargs)
            try:
                return function(*args, **kwargs)
            except SynchronousOnlyOperation:  # what is asynchronous has to see to that by itself
                return await sync_to_async(function)(*args, **kwargs)

        return coroutine_function

    for prefix in ("", "later_"):
        register.simple_tag(both(f"{prefix}joined", joined), name=f"{prefix}joined")
        register.simple_tag(both(f"{prefix}wrapped", wrapped), name=f"{prefix}wrapped")
        register.simple_tag(
            both(f"{prefix}looked", looked), name=f"{prefix}looked", takes_context=True
        )
        register.simple_tag(both(f"{prefix}put", put), name=f"{prefix}put", takes_context=True)
        register.simple_tag(both(f"{prefix}refuse", refuse), name=f"{prefix}refuse")
        register.simple_tag(
            both(f"{prefix}update", update), name=f"{prefix}update", takes_context=True
        )
        register.inclusion_tag("card.html", name=f"{prefix}card")(both(f"{prefix}card", card))
        register.inclusion_tag("card.html", name=f"{prefix}context_card", takes_context=True)(
            both(f"{prefix}context_card", context_card)
        )
        register.simple_block_tag(both(f"{prefix}boxed", boxed), name=f"{prefix}boxed")
    register.simple_tag(nested, takes_context=True)
    register.simple_tag(keeping.answer)
    register.simple_tag(keeping.answer_in, takes_context=True)
    register.simple_tag(keeping.asking, takes_context=True)
    register.tag("answer_node", keeping.answer_node)
    register.filter("answered", keeping.answered)
    register.filter("shout", shout, is_safe=True)
    register.filter("bold", bold, needs_autoescape=True)
    register.filter("local_hour", local_hour, expects_localtime=True)
    register.filter("refuse", refuse)
    register.filter("kind", kind)
    register.filter("later_shout", both("later_shout", shout), is_safe=True)
    register.filter("later_kind", both("later_kind", kind))
    return register


def joined(*args: Any, **kwargs: Any) -> str:
    """The arguments as unsafe text."""
    return _joined(args, kwargs)


def wrapped(*args: Any, **kwargs: Any) -> str:
    """The arguments as safe text."""
    return format_html("<u>{}</u>", _joined(args, kwargs))


def looked(context: Any, name: Any = "x") -> Any:
    """A variable of the context, named by the argument."""
    try:
        value = context.get(name, "<none>")
    except TypeError:
        return "<unhashable>"
    return value if isinstance(value, (str, int)) else "<something>"


def put(context: Any, value: Any, name: str = "y") -> str:
    """Set a variable of the context."""
    context[str(name)] = value
    return ""


def update(context: Any, value: Any, name: str = "y") -> str:
    """Set a variable in a dict of its own, which is left behind."""
    context.update({name: value})
    return ""


def nested(context: Any, name: str, how: str = "same") -> str:
    """Render another template by its own ``render``, as a tag may."""
    template = context.template.engine.get_template(name)
    if how == "same":
        return template.render(context)
    if how == "new":
        return template.render(context.new({"a": "new"}))
    return template.render(Context({"a": "other"}, autoescape=context.autoescape))


def refuse(value: Any = "RuntimeError") -> Any:
    """Raise the exception that the argument names."""
    return fail(value) if isinstance(value, str) and value in ("RuntimeError", "Silent") else "ok"


def card(*args: Any, **kwargs: Any) -> dict[str, Any]:
    """The variables of the card."""
    return {"x": args[0] if args else "<nothing>", **kwargs}


def context_card(context: Any, value: Any = "<nothing>") -> dict[str, Any]:
    """The variables of the card, one from the outer context."""
    outer = context.get("y")
    return {"x": value, "outer": outer if isinstance(outer, (str, int)) else "<something>"}


def boxed(content: Any, *args: Any, **kwargs: Any) -> Any:
    """The content in a box, with the arguments before it."""
    return format_html("[{}:{}]", _joined(args, kwargs), content)


def shout(value: Any) -> Any:
    """A filter that keeps safe text safe."""
    return str(value).upper() + "!"


def bold(value: Any, autoescape: bool = True) -> Any:
    """A filter that wants to know whether text is escaped."""
    text = conditional_escape(value) if autoescape else str(value)
    return mark_safe(f"<b>{text}</b>")


def local_hour(value: Any) -> Any:
    """A filter that wants local time."""
    return getattr(value, "hour", "no hour")


def kind(value: Any, argument: Any = None) -> str:
    """The name of the value's type."""
    return type(value).__name__ + ("" if argument is None else f" {type(argument).__name__}")
