"""Tags and filters of a third party that raise ``StopIteration``, or catch it."""

from django import template

register = template.Library()


def stop(*args, **kwargs):
    raise StopIteration("stop")


register.filter("stopping", lambda value, arg=None: stop())
register.simple_tag(stop, name="stop_simple")
register.simple_tag(lambda context: stop(), takes_context=True, name="stop_context")
register.simple_block_tag(lambda content: stop(), name="stop_block")
register.inclusion_tag("part", name="stop_inclusion")(lambda *args: stop())


class Around(template.Node):
    def __init__(self, nodelist):
        self.nodelist = nodelist

    def render(self, context):
        return self.nodelist.render(context)


class Catching(Around):
    def render(self, context):
        try:
            return self.nodelist.render(context)
        except StopIteration as stopped:
            return f"caught {stopped}"


class Stopping(Around):
    def render(self, context):
        self.nodelist.render(context)
        stop()


def block(name, kind):
    def compile_block(parser, token):
        nodelist = parser.parse([f"end{name}"])
        parser.delete_first_token()
        return kind(nodelist)

    register.tag(name, compile_block)


block("around", Around)
block("catching", Catching)
block("stopping_around", Stopping)
