"""Filters and tags of the site's own: who knows what they do with what they are given."""

from django import template

register = template.Library()


@register.filter
def pretty(value):
    return f"<{value}>"


@register.simple_tag
def badge(value):
    return f"[{value}]"
