"""What each line may cost, compared with what renders really send."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.template import engines
from django.test import AsyncClient
from jinja2 import DictLoader

from atemplates.analysis.site.jinja2_templates import read_jinja2_site
from atemplates.analysis.site.templates import SiteTemplates, read_site
from atemplates.engines.jinja2 import Jinja2
from atemplates.inference.data import Data
from atemplates.inference.types import type_of_data
from atemplates.inference.views import ViewRendering, renderings
from atemplates.management.line_costs import LineCost, line_costs
from atemplates.testing import Event, record, relations
from shop.models import Author, Book, Country, Publisher, Tag
from shop.pages import PAGES, Page
from tests.example.committed_books import shelf
from tests.example.conftest import site
from tests.relations.pages import NAME, backend, counting

__all__ = ["shelf", "site"]

pytestmark = pytest.mark.django_db(databases=["default", "other"])

WANTED = {
    *("/", "/books/pride-and-prejudice/", "/authors/", "/authors/saki/", "/search/?tag=gothic"),
    *("/jinja2/", "/jinja2/books/pride-and-prejudice/"),
}
READ_PAGES = [page for page in PAGES if page.path in WANTED]


def costs_of_view(view: str, engine: str) -> dict[str, dict[int, LineCost]]:
    found = [each for each in renderings()[0] if each.view == view]
    assert found
    names = [each.template for each in found]
    return line_costs(read_templates(engine, names), found, policy_of(engine))


def read_templates(engine: str, names: list[str]) -> SiteTemplates:
    backend: Any = engines[engine]
    if engine == "jinja2":
        return read_jinja2_site(backend.sync_env, names)
    return read_site(backend.engine, names)


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
        if certain and all(event.line is not None for event in log):
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


# -- one line, and what it sends -------------------------------------------------------------------

ROWS = 3
BODIES = [
    # (what stands in the loop, how many queries stock Django sends for it in a row, how many are
    # left in batch, and in batch for each row)
    ("{{ b.title }}", 0, 0, 0),
    ("{{ b.author.name }}", 1, 1, 0),
    ("{{ b.author.name }}{{ b.author.born }}", 1, 1, 0),
    ("{{ b.publisher.country.name }}", 2, 2, 0),
    ("{% for t in b.tags.all %}{{ t.name }}{% endfor %}", 1, 1, 0),
    ("{% for t in b.tags.all %}{% endfor %}{{ b.tags.all|length }}", 2, 1, 0),
    ("{% with ts=b.tags.all %}{% for t in ts %}{% endfor %}{{ ts|length }}{% endwith %}", 1, 1, 0),
    ("{{ b.reviews.count }}", 1, 1, 0),
    ("{% with n=b.reviews.count %}{{ n }}{% if n %}{{ n }}{% endif %}{% endwith %}", 1, 1, 0),
    ("{% if b.reviews.exists %}yes{% endif %}", 1, 1, 0),
    ("{{ b.reviews.first.rating }}", 1, 0, 1),
    ("{{ b.tags.all.0.name }}", 1, 0, 1),
    ("{% for r in b.reviews.all|slice:':1' %}{{ r.rating }}{% endfor %}", 1, 0, 1),
    ("{% for r in b.reviews.all %}{{ r.user.username }}{% endfor %}", 2, 2, 0),
    ("{% if b.year %}{{ b.author.name }}{% endif %}{{ b.author.born }}", 1, 1, 0),
    ("{{ others.count }}", 1, 0, 1),
    ("{% for o in others %}{{ o.title }}{% endfor %}", 0, 0, 0),
    ("{{ b.century }}", 0, 0, 0),
]


@pytest.fixture
def books(db: None) -> None:
    """Three books with all that a book can have, each with its own."""
    user = get_user_model().objects.create(username="reader")
    for number in range(ROWS):
        country = Country.objects.create(code=f"C{number}", name=f"country {number}")
        book = Book.objects.create(
            title=f"book {number}",
            slug=f"mine-{number}",
            year=1900 + number,
            author=Author.objects.create(name="an author", slug=f"author-{number}"),
            publisher=Publisher.objects.create(name=f"house {number}", country=country),
        )
        book.tags.add(Tag.objects.create(name=f"tag {number}", slug=f"tag-{number}"))
        book.reviews.create(user=user, rating=3, text="good")


def given() -> dict[str, Any]:
    return {
        "books": Book.objects.filter(slug__startswith="mine-"),
        "others": Book.objects.filter(slug="mine-1"),
    }


def rendering_of(values: dict[str, Any]) -> ViewRendering:
    types = {name: type_of_data(Data(value)) for name, value in values.items()}
    return ViewRendering("page", NAME, "views.py", 1, types)


def in_jinja2(body: str) -> str:
    """The same in Jinja2, where what is called has brackets."""
    calls = r"\.(all|count|exists|first)\b"
    body = re.sub(r"\.all\.0", ".all()[0]", body)
    body = re.sub(calls + r"(?!\()", r".\1()", body)
    return body.replace("|slice:':1'", "[:1]")


def page_with(language: str, body: str) -> tuple[Any, SiteTemplates, Any]:
    """A backend with a page that has a line of its own for the loop, and the one to measure."""
    if language == "django":
        source = f"{{% for b in books %}}\n{body}\n{{% endfor %}}"
        made: Any = backend(source)
        return made, read_site(made.engine, [NAME]), made.policy
    source = f"{{% for b in books %}}\n{in_jinja2(body)}\n{{% endfor %}}"
    options = {"environment": "jinja2.Environment", "loader": DictLoader({NAME: source})}
    made = Jinja2({"NAME": "j", "DIRS": [], "APP_DIRS": False, "OPTIONS": options})
    return made, read_jinja2_site(made.sync_env, [NAME]), None


@pytest.mark.parametrize("language", ["django", "jinja2"])
@pytest.mark.parametrize(("body", "stock", "batch", "row_in_batch"), BODIES)
def test_a_line_in_a_loop(
    books: None, language: str, body: str, stock: int, batch: int, row_in_batch: int
) -> None:
    made, templates, policy = page_with(language, body)
    costs = line_costs(templates, [rendering_of(given())], policy)[NAME]
    assert (costs[1].once, costs[1].per_row) == (1, 0)
    line = costs.get(2) or LineCost(NAME, "", 2)
    assert (line.per_row, line.in_batch, line.per_row_in_batch) == (
        stock,
        batch + line.once,
        row_in_batch,
    )
    for relations_policy, expected in (
        ("fetch", stock * ROWS),
        ("batch", batch + row_in_batch * ROWS),
    ):
        sent: list[str] = []
        with relations(relations_policy), counting(sent):
            made.get_template(NAME).render(given())
        assert len(sent) - 1 - line.once == expected, sent
