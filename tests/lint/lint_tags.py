"""Tags and filters of a site."""

from django import template

register = template.Library()


@register.simple_tag
def greet(name, greeting="Hello"):
    """A tag with one argument that it needs."""
    return f"{greeting} {name}"


@register.simple_tag(takes_context=True)
def own_greet(context, name, *, loud):
    """A tag that needs an argument by its name."""
    return name


@register.inclusion_tag("gone.html")
def gone():
    """A tag whose template is not there."""
    return {}


@register.inclusion_tag(["gone.html", "there.html"])
def one_of_two():
    """A tag with one template that is there."""
    return {}


@register.filter
def shout(value, times=1):
    """A filter with an argument that may be left out."""
    return str(value).upper() + "!" * times
