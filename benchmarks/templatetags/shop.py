"""A site's own tags and filters: code that atemplates does not know, and has to place."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import template
from django.template.base import FilterExpression, NodeList, Parser, Token
from django.template.context import Context
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

register = template.Library()

PRICES = {"small": 3, "middle": 5, "large": 8}
ICONS = ("home", "user", "star", "cart")


@register.simple_tag
def shop_name() -> str:
    """Return what most pages begin with."""
    return "The <Shop>"


@register.simple_tag
def version() -> str:
    """Return a constant."""
    return "4.2"


@register.simple_tag
def icon(name: str, size: int = 16) -> str:
    """Return a picture."""
    return format_html('<svg class="icon" width="{}"><use href="#{}"></use></svg>', size, name)


@register.simple_tag
def price(size: str) -> int:
    """Look something up."""
    return PRICES[size]


@register.simple_tag
def plus(first: int, second: int) -> int:
    """Add."""
    return first + second


@register.simple_tag
def percent(part: int, whole: int) -> str:
    """Divide."""
    return f"{100 * part / whole:.0f} %"


@register.simple_tag
def classes(*names: str) -> str:
    """Join names."""
    return " ".join(name for name in names if name)


@register.simple_tag
def attributes(**values: Any) -> SafeString:
    """Write attributes."""
    return mark_safe(" ".join(f'data-{name}="{value}"' for name, value in values.items()))


@register.simple_tag
def initials(name: str) -> str:
    """Return the first letters."""
    return "".join(word[0] for word in name.split())


@register.simple_tag
def shortened(text: str, length: int = 20) -> str:
    """Cut a text."""
    return text if len(text) <= length else text[: length - 1] + "…"


@register.simple_tag
def label(record: Any) -> str:
    """Read attributes of what the view gave."""
    return f"{record.title} ({record.number})"


@register.simple_tag
def is_new(record: Any) -> bool:
    """Compare an attribute."""
    return bool(record.number > 40)


@register.simple_tag
def entry(values: Mapping[str, Any], key: str) -> Any:
    """Look a key up."""
    return values.get(key, "")


@register.simple_tag
def longest(*texts: str) -> str:
    """Compare texts."""
    return max(texts, key=len)


@register.simple_tag
def icons() -> str:
    """Write several pictures."""
    return mark_safe("".join(icon(name) for name in ICONS))


@register.simple_tag
def money(amount: float, currency: str = "EUR") -> str:
    """Write an amount."""
    return f"{amount:,.2f} {currency}"


@register.simple_tag
def plural(number: int, one: str, many: str) -> str:
    """Choose a word."""
    return f"{number} {one if number == 1 else many}"


@register.simple_tag
def joined(names: list[str]) -> str:
    """Join a list."""
    return ", ".join(names)


@register.simple_tag(takes_context=True)
def is_active(context: Context, prefix: str) -> str:
    """Ask the request."""
    return "active" if context["request"].path.startswith(prefix) else ""


@register.simple_tag(takes_context=True)
def page_address(context: Context, number: int) -> str:
    """Write the query of the request anew."""
    query = context["request"].GET.copy()
    query["page"] = number
    return f"?{query.urlencode()}"


@register.filter
def stars(rating: float) -> str:
    """Draw a rating."""
    return "★" * round(rating) + "☆" * (5 - round(rating))


@register.inclusion_tag("foreign/_card.html")
def card(record: Any, heading: str = "h3") -> dict[str, Any]:
    """Show a record."""
    return {"record": record, "heading": heading}


class PanelNode(template.Node):
    """``{% panel title %} … {% endpanel %}``."""

    def __init__(self, title: FilterExpression, nodelist: NodeList) -> None:
        self.title = title
        self.nodelist = nodelist

    def render(self, context: Context) -> SafeString:
        """Render what stands inside with a variable more."""
        title = self.title.resolve(context)
        with context.push(panel=title):
            inner = self.nodelist.render(context)
        return format_html("<section><h2>{}</h2>{}</section>", title, inner)


@register.tag
def panel(parser: Parser, token: Token) -> PanelNode:
    """Parse ``{% panel %}``."""
    title = parser.compile_filter(token.split_contents()[1])
    nodelist = parser.parse(("endpanel",))
    parser.delete_first_token()
    return PanelNode(title, nodelist)


class SettingNode(template.Node):
    """``{% setting name as variable %}``."""

    def __init__(self, name: str, variable: str) -> None:
        self.name = name
        self.variable = variable

    def render(self, context: Context) -> str:
        """Set a variable."""
        context[self.variable] = PRICES.get(self.name, self.name)
        return ""


@register.tag
def setting(parser: Parser, token: Token) -> SettingNode:
    """Parse ``{% setting %}``."""
    _, name, _, variable = token.split_contents()
    return SettingNode(name, variable)
