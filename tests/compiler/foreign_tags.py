"""Block tags of a third party, sync and async, that note where they run."""

import asyncio

from django import template
from django.core.exceptions import SynchronousOnlyOperation
from django.template.base import VariableNode
from django.template.defaulttags import IfNode

from tests.tags.places import note, on_loop

register = template.Library()


class Block(template.Node):
    """The usual shape: contents between two tags."""

    def __init__(self, nodelist):
        self.nodelist = nodelist


def block(name, kind, *arguments):
    """Register a block tag; its arguments are expressions."""

    def compile_block(parser, token):
        expressions = [parser.compile_filter(bit) for bit in token.split_contents()[1:]]
        nodelist = parser.parse([f"end{name}"])
        parser.delete_first_token()
        return kind(nodelist, *expressions)

    register.tag(name, compile_block)


class Upper(Block):
    def render(self, context):
        note("upper")
        return self.nodelist.render(context).upper()


class Repeat(Block):
    """Renders its contents several times, in a frame of its own."""

    def __init__(self, nodelist, times):
        super().__init__(nodelist)
        self.times = times

    def render(self, context):
        note("repeat")
        parts = []
        with context.push():
            for number in range(self.times.resolve(context)):
                context["number"] = number
                parts.append(self.nodelist.render(context))
        return "".join(parts)


class Cases(template.Node):
    """Keeps its node lists in a dict, as tags with several branches do."""

    def __init__(self, value, branches):
        self.value = value
        self.branches = branches

    def render(self, context):
        return self.branches[str(self.value.resolve(context))].render(context)


class Noted(template.Node):
    """Renders itself, as most tags of a library do."""

    def render(self, context):
        note("noted")
        return "noted"


class Never(Block):
    def render(self, context):
        return ""


class Later(Block):
    """An async tag: awaits something, then renders its contents."""

    def render(self, context):
        raise AssertionError("render_async() is there")

    async def render_async(self, context):
        note("later")
        await asyncio.sleep(0)
        with context.push(later="later"):
            return f"<{await self.nodelist.render_async(context)}>"


class LaterSelf(template.Node):
    """An async tag without contents that sets a name."""

    async def render_async(self, context):
        await asyncio.sleep(0)
        context["set_later"] = "set"
        return ""


class Together(Block):
    """Renders its contents through the sync method from an async tag."""

    async def render_async(self, context):
        return self.nodelist.render(context)


class LaterFails(Block):
    async def render_async(self, context):
        await asyncio.sleep(0)
        raise ZeroDivisionError("in an async tag")


for name, kind in (
    ("upper", Upper),
    ("repeat", Repeat),
    ("never", Never),
    ("later", Later),
    ("together", Together),
    ("later_fails", LaterFails),
):
    block(name, kind)


@register.tag
def later_self(parser, token):
    return LaterSelf()


@register.tag
def noted(parser, token):
    return Noted()


@register.tag
def cases(parser, token):
    _, value = token.split_contents()
    branches = {}
    parser.parse(["when"])
    while (token := parser.next_token()).contents != "endcases":
        branches[token.split_contents()[1]] = parser.parse(["when", "endcases"])
    return Cases(parser.compile_filter(value), branches)


# -- tags that meet Django's guard -----------------------------------------------------------------


def guard(what):
    """As Django's: nothing is done on the event loop."""
    note(what)
    if on_loop():
        raise SynchronousOnlyOperation("no database on the loop")


class Guarded(template.Node):
    def render(self, context):
        guard("guarded")
        return "guarded"


class SetsFirst(template.Node):
    def render(self, context):
        before = context.get("x", "")
        context["x"] = f"{before}changed"
        guard("sets_first")
        return f"{before}:"


class SetsAutoescape(template.Node):
    def render(self, context):
        before = context.autoescape
        context.autoescape = not before
        guard("sets_autoescape")
        return f"{before}:"


class SetsState(template.Node):
    """Keeps something for its next render, as {% cycle %} does."""

    def render(self, context):
        context.render_context[self] = context.render_context.get(self, 0) + 1
        guard("sets_state")
        return str(context.render_context[self])


class SameValue(template.Node):
    """Sets what is there already: nobody can tell."""

    def render(self, context):
        if "x" in context:
            context["x"] = context["x"]
        guard("same_value")
        return "same"


class GuardedBlock(Block):
    def render(self, context):
        text = self.nodelist.render(context)
        guard("guarded_block")
        return text


@register.tag
def guarded(parser, token):
    return Guarded()


@register.tag
def sets_first(parser, token):
    return SetsFirst()


@register.tag
def sets_autoescape(parser, token):
    return SetsAutoescape()


@register.tag
def sets_state(parser, token):
    return SetsState()


@register.tag
def same_value(parser, token):
    return SameValue()


block("guarded_block", GuardedBlock)


@register.simple_tag(takes_context=True)
def guarded_simple(context):
    guard("guarded_simple")
    return "simple"


@register.simple_tag(takes_context=True)
def sets_simple(context):
    before = context["x"]
    context["x"] = f"{before}changed"
    guard("sets_simple")
    return f"{before}:"


@register.inclusion_tag("part")
def guarded_inclusion():
    guard("guarded_inclusion")
    return {"x": "inclusion"}


# -- subclasses of Django's nodes ------------------------------------------------------------------


class LoudIf(IfNode):
    def render(self, context):
        note("loud_if")
        return super().render(context) + "!"


class LoudVariable(VariableNode):
    def render(self, context):
        return super().render(context) + "!"


@register.tag
def loud_if(parser, token):
    condition = parser.compile_filter(token.split_contents()[1])
    nodelist = parser.parse(["endloud_if"])
    parser.delete_first_token()

    class Condition:
        def eval(self, context):
            return condition.resolve(context, ignore_failures=True)

    return LoudIf([(Condition(), nodelist)])


@register.tag
def loud(parser, token):
    return LoudVariable(parser.compile_filter(token.split_contents()[1]))


class Odd(template.Node):
    """Gives what is no text."""

    def render(self, context):
        return 5


@register.tag
def odd(parser, token):
    return Odd()


class Fails(Block):
    def render(self, context):
        self.nodelist.render(context)
        raise ZeroDivisionError("in a foreign tag")


block("fails", Fails)
