"""The HTML of the panel, made by an engine of its own: no setting of the site has a say in it."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

from django.template.context import Context
from django.template.engine import Engine
from django.urls import reverse
from django.utils.safestring import SafeString

from .plans import plans_of

FOLDER = Path(__file__).parent / "html"


@lru_cache(1)
def page_engine() -> Engine:
    """The engine of the panel's own templates."""
    return Engine(
        dirs=[str(FOLDER)],
        debug=False,
        libraries={"panel_numbers": f"{__package__}.numbers"},
        builtins=[f"{__package__}.numbers"],
    )


def panel_page(stats: dict[str, Any], style: str) -> SafeString:
    """Return the panel's page.

    Args:
        stats: what `RequestReport.as_data` gave, perhaps from the toolbar's store.
        style: the name of the style sheet's address.
    """
    templates = []
    for template in stats.get("templates", ()):
        plans, reason = plans_of(template)
        templates.append({**template, "plans": plans, "no_plan": reason})
    values = {
        **stats,
        "templates": templates,
        "costly": costliest(stats),
        "style": reverse(style),
    }
    return page_engine().get_template("panel.html").render(Context(values))


def costliest(stats: dict[str, Any], most: int = 8) -> list[dict[str, Any]]:
    """Return the lines that took most, the first of them first."""
    found = [
        {**line, "template": template["name"], "cost": cost_of(line)}
        for template in stats.get("templates", ())
        for line in template["lines"]
        if line["heat"]
    ]
    return sorted(found, key=lambda line: -line["cost"])[:most]


def cost_of(line: dict[str, Any]) -> float:
    """Return how many milliseconds a line took altogether."""
    waited: float = max(line["wait_ms"] - line["inside_ms"], line["query_ms"])
    return float(line["ms"]) + waited


@lru_cache(1)
def style_sheet() -> str:
    """Return the style sheet of the panel."""
    return (FOLDER / "panel.css").read_text(encoding="utf-8")
