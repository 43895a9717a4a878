"""A ``{% url %}`` in the place of Django's, as libraries for several hosts register one."""

from __future__ import annotations

from django import template
from django.template.base import FilterExpression, Parser, Token
from django.template.context import Context
from django.template.defaulttags import url as django_url
from django.urls import reverse
from django.utils.html import conditional_escape

register = template.Library()


class HostURLNode(template.Node):
    """An address with the name of the host before it."""

    def __init__(
        self,
        view_name: FilterExpression,
        args: list[FilterExpression],
        kwargs: dict[str, FilterExpression],
        variable: str | None,
    ) -> None:
        self.view_name = view_name
        self.args = args
        self.kwargs = kwargs
        self.variable = variable

    def render(self, context: Context) -> str:
        """Find the address of the view."""
        args = [argument.resolve(context) for argument in self.args]
        kwargs = {name: argument.resolve(context) for name, argument in self.kwargs.items()}
        path = reverse(self.view_name.resolve(context), args=args, kwargs=kwargs)
        request = context.get("request")
        address = path if request is None else f"//{request.get_host()}{path}"
        if self.variable is not None:
            context[self.variable] = address
            return ""
        return conditional_escape(address) if context.autoescape else address


@register.tag
def url(parser: Parser, token: Token) -> HostURLNode:
    """Parse what Django's ``{% url %}`` parses."""
    node = django_url(parser, token)
    return HostURLNode(node.view_name, node.args, node.kwargs, node.asvar)
