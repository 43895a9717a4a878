"""Inclusion tags for loops."""

from django import template

register = template.Library()


@register.inclusion_tag("tags.html")
def shown(value):
    return {"value": value}


@register.inclusion_tag("tags.html", takes_context=True)
def shown_with(context, value):
    return {"value": value, "x": context.get("x", "none")}
