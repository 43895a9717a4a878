"""A tag that awaits, and leaves an awaitable in a frame that is not its own."""

from django import template

register = template.Library()


async def awaited():
    return "awaited"


class ApartNode(template.Node):
    def __init__(self, name):
        self.name = name

    async def render_async(self, context):
        context.set_upward(self.name, awaited())
        return ""


@register.tag
def apart(parser, token):
    return ApartNode(token.split_contents()[1].strip("'"))
