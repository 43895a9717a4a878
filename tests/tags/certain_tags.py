"""A site's tags and filters: what gets the context, or a value of it."""

from django import template

register = template.Library()


class AnythingNode(template.Node):
    def __init__(self, nodelist=None):
        self.nodelist = nodelist or template.NodeList()

    def render(self, context):
        return self.nodelist.render(context)


@register.tag
def anything(parser, token):
    return AnythingNode()


@register.tag
def wrapped(parser, token):
    nodelist = parser.parse(("endwrapped",))
    parser.delete_first_token()
    return AnythingNode(nodelist)


@register.simple_tag(takes_context=True)
def with_context(context):
    return ""


@register.simple_tag
def without_context(*values):
    """Load what it is given, as code that knows of no template does."""
    return sum(len(list(value)) for value in values if hasattr(value, "__iter__"))


@register.simple_tag
async def awaited(*values):
    found = [value for value in values if hasattr(value, "__aiter__")]
    return len([each for value in found async for each in value])


@register.simple_tag(takes_context=True)
async def awaited_with_context(context):
    return ""


@register.inclusion_tag("harmless")
def shown_apart(*values):
    return {}


@register.filter
def own(value):
    return len(list(value)) if hasattr(value, "__iter__") else ""


@register.filter
def without(value, other):
    return f"{value}{own(other)}"
