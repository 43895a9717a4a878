"""How the panel writes its numbers: template filters of its own engine."""

from __future__ import annotations

from django.template import Library

register = Library()


@register.filter
def milliseconds(value: float | None) -> str:
    """Write milliseconds: nothing for none, two digits below one."""
    if not value:
        return ""
    if value < 0.005:
        return "0"
    return f"{value:.2f}" if value < 1 else f"{value:.1f}" if value < 100 else f"{value:.0f}"


@register.filter
def number(value: int | None) -> str:
    """Write how many: nothing for none."""
    return str(value) if value else ""


@register.filter("counted")
def how_many(value: int, noun: str) -> str:
    """Write how many of something: ``1 query``, ``2 queries``."""
    if value == 1:
        return f"1 {noun}"
    return f"{value} {noun[:-1]}ies" if noun.endswith("y") else f"{value} {noun}s"
