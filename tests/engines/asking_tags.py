"""Tags of a third party that ask the database."""

from django import template

from tests.testapp.models import Animal

register = template.Library()


@register.simple_tag
def count_animals():
    return Animal.objects.count()


class CountingNode(template.Node):
    def render(self, context):
        return str(Animal.objects.count())


@register.tag
def counting(parser, token):
    return CountingNode()
