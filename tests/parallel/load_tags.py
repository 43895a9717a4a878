"""A tag of others, which cannot await: it gets the context as it is."""

from django import template

register = template.Library()


class NamesNode(template.Node):
    def render(self, context):
        return ",".join(each.name for each in context["load"])


@register.tag
def names(parser, token):
    return NamesNode()


class QuietNode(template.Node):
    def render(self, context):
        return "quiet"


@register.tag
def quiet(parser, token):
    return QuietNode()
