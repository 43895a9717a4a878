"""What each line may cost, compared with what renders really send."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from django.template import engines
from django.test import AsyncClient

from atemplates.analysis.site.jinja2_templates import read_jinja2_site
from atemplates.analysis.site.templates import SiteTemplates, read_site
from atemplates.inference.views import ViewRendering, renderings
from atemplates.management.line_costs import LineCost, line_costs
from atemplates.testing import Event, record, relations
from shop.pages import PAGES, Page
from tests.example.conftest import shelf, site

__all__ = ["shelf", "site"]

pytestmark = pytest.mark.django_db(databases=["default", "other"])

READ_PAGES = [page for page in PAGES if page.is_async and "/dashboard/" not in page.path]


def costs_of_view(view: str, engine: str) -> dict[str, dict[int, LineCost]]:
    found = [each for each in renderings()[0] if each.view == view]
    assert found
    return line_costs(read_templates(engine), found, policy_of(engine))


def read_templates(engine: str) -> SiteTemplates:
    backend: Any = engines[engine]
    if engine == "jinja2":
        return read_jinja2_site(backend.sync_env)
    return read_site(backend.engine)


def policy_of(engine: str) -> Any:
    return getattr(engines[engine], "policy", None) if engine != "jinja2" else None


def events_by_line(log: list[Event]) -> dict[tuple[str, int | None], list[Event]]:
    """By place. A filter of Jinja2 that reads a queryset is told without one; so are the choices of
    a form's field, which the view makes."""
    found: dict[tuple[str, int | None], list[Event]] = {}
    for event in log:
        if event.line is None or event.root == "form":
            continue
        found.setdefault((event.template, event.line), []).append(event)
    return found


@pytest.mark.parametrize("policy", ["fetch", "batch"])
@pytest.mark.parametrize("page", READ_PAGES, ids=lambda page: page.path)
async def test_the_demos_pages_send_what_their_lines_may_cost(
    db: None, shelf: None, site: Any, page: Page, policy: str
) -> None:
    """In its lazy state: no line sends more, and what is sent in any case is sent."""
    site.SHOP_LAZY = True
    async with record() as log:
        with relations(policy):
            response = await AsyncClient().get(page.path)
    assert response.status_code == 200
    sent = events_by_line(log)
    costs = costs_of_view(response.resolver_match.view_name, page.engine)
    lines = {
        (name, line): cost
        for name, of in costs.items()
        for line, cost in of.items()
        if cost.queries
    }
    assert set(sent) <= set(lines)
    for place, cost in lines.items():
        count = len(sent.get(place, ()))
        if policy == "batch":
            assert count <= cost.in_batch or cost.per_row_in_batch, place
        elif not cost.per_row:
            assert count <= cost.once, place
        certain = [each for each in cost.queries if not each.conditional and not each.per_row]
        if certain and len(sent) == len([each for each in log if each.line]):
            assert count, place
    assert lines


async def test_the_demo_as_it_is_costs_only_its_own_querysets(
    db: None, shelf: None, site: Any
) -> None:
    costs = costs_of_view("shop:book_list", "django")
    lines = [cost for of in costs.values() for cost in of.values() if cost.queries]
    assert [(cost.template, cost.line, cost.once, cost.per_row) for cost in lines] == [
        ("shop/book_list.html", 8, 1, 0)
    ]
