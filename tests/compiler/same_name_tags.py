"""A tag library with a tag of the same name as one of ``registering_tags``."""

from django import template

from tests.compiler.foreign_tags import Noted

register = template.Library()


@register.tag
def elsewhere(parser, token):
    return Noted()
