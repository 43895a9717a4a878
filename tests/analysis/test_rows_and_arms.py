"""What is read once a row, and what was read in any case before something else: in both languages."""

import pytest
from django.template.engine import Engine
from jinja2 import DictLoader, Environment

from atemplates.analysis.django import access_paths
from atemplates.analysis.jinja2 import jinja2_paths
from atemplates.relations.paths import AccessPath, distinct

PAGE = """{{ title }}
{% for b in books %}
{{ b.name }}{{ site }}
{% if b.is_new %}
{{ b.author.name }}
{{ b.author.born }}
{% else %}
{{ b.author.died }}
{% endif %}
{% include "card.html" %}
{% endfor %}
{{ books|join:", " }}
{% include "card.html" %}
"""
CARD = "{{ card }}"


def paths_in(language: str) -> list[AccessPath]:
    if language == "django":
        loaders = [("django.template.loaders.locmem.Loader", {"p": PAGE, "card.html": CARD})]
        engine = Engine(loaders=loaders)
        return access_paths(engine.get_template("p"))
    page = PAGE.replace('join:", "', 'join(", ", attribute="name")')
    return jinja2_paths(Environment(loader=DictLoader({"p": page, "card.html": CARD})), "p")


@pytest.fixture(params=["django", "jinja2"])
def paths(request: pytest.FixtureRequest) -> list[AccessPath]:
    return paths_in(request.param)


def at(paths: list[AccessPath], line: int, expression: str, template: str = "p") -> AccessPath:
    wanted = (template, line)
    return next(p for p in paths if (p.template, p.line) == wanted and p.expression == expression)


def test_what_stands_in_a_loop_is_read_once_a_row(paths: list[AccessPath]) -> None:
    assert not at(paths, 1, "title").in_rows
    assert not at(paths, 2, "books").in_rows
    assert at(paths, 3, "site").in_rows
    assert at(paths, 5, "b.author.name").in_rows


def test_a_filter_that_goes_through_items_reads_once_a_row(paths: list[AccessPath]) -> None:
    items = [p for p in paths if p.line == 12 and "[]" in p.path]
    assert items
    assert all(p.in_rows for p in items)


def test_an_include_that_stands_in_a_loop_and_beside_it_counts_as_in_the_loop(
    paths: list[AccessPath],
) -> None:
    assert at(paths, 1, "card", "card.html").in_rows


def test_of_one_arm_the_first_was_read_before_the_second(paths: list[AccessPath]) -> None:
    name, born = at(paths, 5, "b.author.name"), at(paths, 6, "b.author.born")
    died = at(paths, 8, "b.author.died")
    assert name.arms
    assert name.arms == born.arms
    assert died.arms != name.arms
    assert at(paths, 3, "b.name").arms == ()


def test_neither_is_written_down_or_compared() -> None:
    path = AccessPath("t", 1, "a", "a", in_rows=True, arms=(1, 2))
    assert AccessPath.from_data(path.as_data()) == path
    assert not AccessPath.from_data(path.as_data()).in_rows


def test_of_several_in_the_same_place_one_in_a_loop_is_enough() -> None:
    first = AccessPath("t", 1, "a", "a", conditional=True, arms=(1,))
    second = AccessPath("t", 1, "a", "a", in_rows=True)
    (found,) = distinct([first, second])
    assert found.in_rows
    assert not found.conditional
    assert found.arms == ()
    (found,) = distinct([second, first])
    assert found.in_rows
