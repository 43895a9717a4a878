"""A tag that says where it is rendered."""

from django import template

from tests.engines.loaders import where

register = template.Library()
rendered_on_loop: list[bool] = []
"""Whether a loop was running each time that ``{% place %}`` was rendered."""


@register.simple_tag
def place() -> str:
    rendered_on_loop.append(where()[0])
    return ""
