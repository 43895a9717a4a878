"""Tags for the tests of ``{% defer %}``."""

import time

from django import template

from atemplates.runtime.state import state_of

register = template.Library()


class Ready(template.Node):
    """Waits until the event of that name is set, where the page is awaited."""

    def __init__(self, name, text):
        self.name, self.text = name, text

    async def render_async(self, context):
        events = context.get("events")
        if events is not None:
            await events[self.name].wait()
        return self.text

    def render(self, context):
        return self.text


@register.tag
def ready(parser, token):
    """``{% ready name text %}``."""
    _, name, text = token.split_contents()
    return Ready(name, text)


@register.filter
def broken(value):
    raise ValueError(value)


class Block(template.Node):
    """Blocks its thread until an event of ``threading`` is set, or for some seconds."""

    def __init__(self, seconds, text):
        self.seconds, self.text = seconds, text

    def render(self, context):
        time.sleep(self.seconds)
        return self.text


@register.tag
def blocks(parser, token):
    """``{% blocks 0.1 text %}``: in the request's thread."""
    _, seconds, text = token.split_contents()
    return Block(float(seconds), text)


@register.simple_tag(takes_context=True)
def depth(context):
    """How many loops the render believes to be in."""
    state = state_of(context)
    return 0 if state is None else len(state.loops)
