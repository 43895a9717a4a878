"""Tags of a third party whose own code renders what stands inside; for tests of turns."""

from django import template

register = template.Library()


class Framed(template.Node):
    """Has only sync code."""

    def __init__(self, nodelist):
        self.nodelist = nodelist

    def render(self, context):
        return f"[{self.nodelist.render(context)}]"


class FramedHere(Framed):
    """Is awaited, and renders by sync code."""

    async def render_async(self, context):
        return self.render(context)


class FramedAwaiting(Framed):
    """Is awaited, and awaits."""

    async def render_async(self, context):
        return f"[{await self.nodelist.render_async(context)}]"


def registered(name, node):
    @register.tag(name)
    def parse(parser, token):
        nodelist = parser.parse(("end",))
        parser.delete_first_token()
        return node(nodelist)


registered("framed", Framed)
registered("framedhere", FramedHere)
registered("framedawaiting", FramedAwaiting)
