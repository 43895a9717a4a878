"""``check --cost`` as text, as JSON, and as notes of the other formats."""

from __future__ import annotations

import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command

from tests.example.conftest import site

__all__ = ["site"]

CARD = "shop/_book_card.html"


@pytest.fixture
def lazy(site: Any) -> None:
    """The demo in its lazy state."""
    site.SHOP_LAZY = True


def printed(*arguments: str) -> str:
    output = StringIO()
    call_command("atemplates", "check", "--cost", *arguments, stdout=output)
    return output.getvalue()


def test_lines_that_cost_something_stand_beside_their_source(lazy: None) -> None:
    text = printed("--engine", "django")
    part = text.partition(f"\n{CARD}\n")[2].partition("\n\n")[0].splitlines()
    assert part[0].startswith("    6  2 per row; 2 in batch           S| {% if book.publisher %}")
    assert part[1].strip().startswith("books[].publisher (relation), books[].publisher.country")
    assert "shop:book_list" in part[1]
    assert len(part) == 6
    assert "lines may send queries" in text


def test_of_a_template_that_is_named_every_line_is_shown(lazy: None) -> None:
    text = printed("--engine", "django", "--template", CARD)
    part = text.partition(f"\n{CARD}\n")[2].partition("\n\n")[0].splitlines()
    numbers = [int(line[:5]) for line in part if line[:5].strip().isdecimal()]
    assert numbers == list(range(1, 13))
    assert "shop/_cover.html\n" not in text


def test_json_has_a_line_for_each(lazy: None) -> None:
    data = json.loads(printed("--format", "json"))
    (line,) = [
        each for each in data["costs"]["django"] if (each["template"], each["line"]) == (CARD, 7)
    ]
    assert line["queries_per_row"] == line["queries_in_batch"] == 1
    assert line["queries_per_row_in_batch"] == line["queries"] == 0
    assert [each["what"] for each in line["reads"]] == ["books[].reviews.count"]
    assert "shop:book_list" in line["views"]
    assert line["flushes"] is True
    in_jinja2 = data["costs"]["jinja2"]
    assert in_jinja2
    assert {each["waits"] for each in in_jinja2} == {None}


def test_other_formats_have_notes(lazy: None) -> None:
    assert "title=line-cost::Queries: 1 per row; 1 in batch. " in printed("--format", "github")
    results = json.loads(printed("--format", "sarif"))["runs"][0]["results"]
    assert {each["level"] for each in results if each["ruleId"] == "line-cost"} == {"note"}


def test_an_engine_without_the_template_that_is_named_is_left_out(lazy: None) -> None:
    text = printed("--template", CARD)
    assert "django: what lines cost. " in text
    assert "jinja2: what lines cost. " not in text


def test_a_template_that_is_named_is_shown_though_it_costs_nothing(site: Any) -> None:
    text = printed("--template", "shop/_cover.html")
    assert "\nshop/_cover.html\n    1 " in text
