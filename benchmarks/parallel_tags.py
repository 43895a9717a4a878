"""Tags that wait, for the pages of `parallel_cases`: built into their engines."""

from __future__ import annotations

import asyncio

from django import template

register = template.Library()


@register.simple_tag
async def pause(milliseconds: int) -> str:
    """Wait on the event loop."""
    await asyncio.sleep(milliseconds / 1000)
    return f"{milliseconds} ms"


@register.simple_tag
def ask(milliseconds: int, name: str) -> int:
    """Ask the database, as a site's own tag does."""
    from .parallel_cases import rows

    return len(rows(milliseconds, name))
