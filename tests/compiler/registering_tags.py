"""A tag library whose nodes and functions are all defined elsewhere."""

from django import template

from tests.compiler.foreign_tags import Noted
from tests.tags.library_tags import exclaim

register = template.Library()
register.filter("shouted", exclaim)


@register.tag
def elsewhere(parser, token):
    return Noted()
