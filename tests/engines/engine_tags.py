"""A library of tags, as a third party would write it."""

from django import template

register = template.Library()


@register.simple_tag(takes_context=True)
def from_context(context):
    """Read a variable that the template's text does not name."""
    return context["x"]


@register.inclusion_tag("included", takes_context=True)
def included(context):
    return {"x": context["x"]}


class ForeignNode(template.Node):
    def render(self, context):
        return context["x"]


@register.tag
def foreign(parser, token):
    return ForeignNode()
