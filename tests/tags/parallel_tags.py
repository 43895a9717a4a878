"""Tags for the tests of ``{% parallel %}``."""

import asyncio
from contextvars import ContextVar

from django import template

register = template.Library()

request_local = ContextVar("request_local", default="outside")
running = []
"""How many nodes wait at present."""
most = []
"""How many waited at the same time."""


@register.simple_tag(takes_context=True)
def set_name(context, name, value):
    """Set a name in the innermost frame of the context."""
    context[name] = value
    return ""


@register.simple_tag
def set_local(value):
    request_local.set(value)
    return ""


@register.simple_tag
def local():
    return request_local.get()


@register.simple_tag
def fail(message):
    raise ValueError(message)


class Slow(template.Node):
    """Waits, then gives a text."""

    def __init__(self, seconds, text, fails=False):
        self.seconds, self.text, self.fails = seconds, text, fails

    async def render_async(self, context):
        running.append(self)
        most.append(len(running))
        try:
            await asyncio.sleep(self.seconds)
        finally:
            running.remove(self)
        if self.fails:
            raise ValueError(self.text)
        return self.text

    def render(self, context):
        if self.fails:
            raise ValueError(self.text)
        return self.text


@register.tag
def slow(parser, token):
    """``{% slow 0.1 text %}``."""
    _, seconds, text = token.split_contents()
    return Slow(float(seconds), text)


@register.tag
def slow_fail(parser, token):
    _, seconds, text = token.split_contents()
    return Slow(float(seconds), text, fails=True)


class Swallowing(template.Node):
    """Gives what stands inside, or the name of the exception."""

    def __init__(self, nodelist):
        self.nodelist = nodelist

    async def render_async(self, context):
        try:
            return await self.nodelist.render_async(context)
        except Exception as error:
            return type(error).__name__

    def render(self, context):
        try:
            return self.nodelist.render(context)
        except Exception as error:
            return type(error).__name__


@register.tag
def swallowing(parser, token):
    nodelist = parser.parse(("endswallowing",))
    parser.delete_first_token()
    return Swallowing(nodelist)


class Around(template.Node):
    """A block tag without anything async: it runs in the request's thread."""

    def __init__(self, nodelist):
        self.nodelist = nodelist

    def render(self, context):
        return f"<{self.nodelist.render(context)}>"


@register.tag
def around(parser, token):
    nodelist = parser.parse(("endaround",))
    parser.delete_first_token()
    return Around(nodelist)
