"""A site's own tags and filters, one of each kind, for the matrix."""

from __future__ import annotations

from typing import Any

from django import template
from django.template.base import FilterExpression, NodeList, Parser, Token
from django.template.context import Context
from django.template.defaultfilters import stringfilter
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

register = template.Library()


@register.filter
def shouted(text: str) -> str:
    """Write in capitals."""
    return text.upper()


@register.filter
def tail(text: str, end: str) -> str:
    """Append."""
    return f"{text}{end}"


@register.filter
@stringfilter
def initial(text: str) -> str:
    """Return the first letter."""
    return text[:1]


@register.simple_tag
def greeting() -> str:
    """Return a constant."""
    return "hello"


@register.simple_tag
def labelled(name: str, size: int = 1) -> str:
    """Join two values."""
    return f"{name}: {size}"


@register.simple_tag(takes_context=True)
def shown(context: Context, name: str) -> str:
    """Read the context."""
    return f"{context['word']} {name}"


@register.inclusion_tag("matrix/card.html")
def card(row: Any) -> dict[str, Any]:
    """Show a row."""
    return {"row": row}


@register.inclusion_tag("matrix/card.html", takes_context=True)
def context_card(context: Context) -> dict[str, Any]:
    """Show the row of the context."""
    return {"row": context["row"]}


@register.simple_block_tag
def box(content: str, title: str) -> str:
    """Put a box around."""
    return format_html('<div title="{}">{}</div>', title, content)


class RepeatedNode(template.Node):
    """``{% repeated 2 %} … {% endrepeated %}``."""

    def __init__(self, times: FilterExpression, nodelist: NodeList) -> None:
        self.times = times
        self.nodelist = nodelist

    def render(self, context: Context) -> SafeString:
        """Write what stands inside several times."""
        inner = self.nodelist.render(context)
        return mark_safe(inner * int(self.times.resolve(context)))


@register.tag
def repeated(parser: Parser, token: Token) -> RepeatedNode:
    """Parse ``{% repeated %}``."""
    times = parser.compile_filter(token.split_contents()[1])
    nodelist = parser.parse(("endrepeated",))
    parser.delete_first_token()
    return RepeatedNode(times, nodelist)


class DescribedNode(template.Node):
    """``{% described row %}``."""

    def __init__(self, row: FilterExpression) -> None:
        self.row = row

    def render(self, context: Context) -> str:
        """Read an attribute."""
        return f"<b>{self.row.resolve(context).number}</b>"


@register.tag
def described(parser: Parser, token: Token) -> DescribedNode:
    """Parse ``{% described %}``."""
    return DescribedNode(parser.compile_filter(token.split_contents()[1]))


class RememberedNode(template.Node):
    """``{% remembered value as variable %}``."""

    def __init__(self, value: FilterExpression, variable: str) -> None:
        self.value = value
        self.variable = variable

    def render(self, context: Context) -> str:
        """Set a variable."""
        context[self.variable] = self.value.resolve(context)
        return ""


@register.tag
def remembered(parser: Parser, token: Token) -> RememberedNode:
    """Parse ``{% remembered %}``."""
    _, value, _, variable = token.split_contents()
    return RememberedNode(parser.compile_filter(value), variable)
