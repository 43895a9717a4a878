"""Tags of a third party, for the tests of the native renderer."""

from django import template

register = template.Library()


class NamesNode(template.Node):
    """Lists the names of the whole context."""

    def render(self, context):
        return ",".join(sorted(context.flatten()))


@register.tag
def names(parser, token):
    return NamesNode()


class SetNode(template.Node):
    """Sets a name in the innermost frame, or in the outermost one."""

    def __init__(self, name, value, everywhere):
        self.name = name
        self.value = value
        self.everywhere = everywhere

    def render(self, context):
        value = self.value.resolve(context)
        if self.everywhere:
            context.dicts[1][self.name] = value
        else:
            context[self.name] = value
        return ""


@register.tag
@register.tag("set_global")
def set(parser, token):
    tag, name, value = token.split_contents()
    return SetNode(name, parser.compile_filter(value), tag == "set_global")


class WrapNode(template.Node):
    """Renders its contents once for each value of a list, between marks."""

    def __init__(self, times, nodelist):
        self.times = times
        self.nodelist = nodelist

    def render(self, context):
        parts = []
        for number in range(int(self.times.resolve(context))):
            with context.push(number=number):
                parts.append(f"<{self.nodelist.render(context)}>")
        return "".join(parts)


@register.tag
def wrap(parser, token):
    _, times = token.split_contents()
    nodelist = parser.parse(["endwrap"])
    parser.delete_first_token()
    return WrapNode(parser.compile_filter(times), nodelist)
