"""A tag whose ``IfNode`` holds a condition that Django's parser does not make."""

from django import template
from django.template.defaulttags import IfNode

register = template.Library()


class Even:
    def __init__(self, value):
        self.value = value

    def eval(self, context):
        return self.value.resolve(context) % 2 == 0


@register.tag
def if_even(parser, token):
    _, value = token.split_contents()
    yes = parser.parse(["else", "endif_even"])
    branches = [(Even(parser.compile_filter(value)), yes)]
    if parser.next_token().contents == "else":
        branches.append((None, parser.parse(["endif_even"])))
        parser.delete_first_token()
    return IfNode(branches)
