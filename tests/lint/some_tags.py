"""Tags and filters of a site, for what a tag of others may set or take."""

from django import template

register = template.Library()


@register.simple_tag(takes_context=True)
def reading(context):
    return context.get("user", context.get("request", ""))


@register.simple_tag(takes_context=True)
def setting(context):
    context["bokos"] = 1
    return ""


@register.simple_tag
def given(value):
    return value


@register.inclusion_tag("card.html")
def card(book):
    return {"book": book}


class ForeignNode(template.Node):
    def __init__(self, nodelist, value):
        self.nodelist = nodelist
        self.value = value

    def render(self, context):
        return self.nodelist.render(context)


@register.tag
def foreign(parser, token):
    nodelist = parser.parse(["endforeign"])
    parser.delete_first_token()
    return ForeignNode(nodelist, parser.compile_filter(token.split_contents()[1]))
