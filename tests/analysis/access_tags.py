"""Tags and filters of a third party, as far as the analysis of templates is concerned."""

from django.template import Library, Node
from django.template.base import token_kwargs
from django.template.defaulttags import IfNode, TemplateIfParser

register = Library()


@register.filter
def reading(value, arg=None):
    return value


@register.simple_tag
def show(*args, **kwargs):
    return ""


@register.simple_tag(takes_context=True)
def look(context):
    return ""


@register.inclusion_tag("results.html")
def results(poll):
    return {"choices": []}


@register.simple_block_tag
def boxed(content, value):
    return content


class ForeignNode(Node):
    def __init__(self, nodelist, value, extra, target):
        self.body = nodelist
        self.value = value
        self.extra = extra
        self.target = target


@register.tag
def foreign(parser, token):
    _, value, *rest = token.split_contents()
    extra = token_kwargs(rest, parser)
    nodelist = parser.parse(("endforeign",))
    parser.delete_first_token()
    return ForeignNode(nodelist, parser.compile_filter(value), extra, rest[-1])


class WordyNode(Node):
    def __init__(self, words):
        self.words = words


@register.tag
def wordy(parser, token):
    return WordyNode(token.split_contents()[1:])


class UnlessNode(IfNode):
    """Overrides ``render``: the condition and the nodes are not used as in its base class."""

    def render(self, context):
        return ""


@register.tag
def unless(parser, token):
    condition = TemplateIfParser(parser, token.split_contents()[1:]).parse()
    nodelist = parser.parse(("endunless",))
    parser.delete_first_token()
    return UnlessNode([(condition, nodelist)])
