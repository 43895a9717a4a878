"""Names and attributes that Jinja2 templates read and that are not there."""

import pytest
from jinja2.runtime import LoopContext

from atemplates.inference.types import ObjectType, RowsType
from atemplates.lint.made import MADE
from shop.models import Author, Book

from .linting import given, jinja2_lint, said

BOOK = ObjectType(Book)
AUTHOR = ObjectType(Author)
BOOKS = RowsType(type(Book.objects.all()), BOOK)


def page(source, *, others="", **options):
    templates = {"a.html": source, "c.html": others}
    return said(jinja2_lint(templates, {"a.html": given(book=BOOK, books=BOOKS)}, **options))


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("{{ book.titel }}", "1:9 unknown-attribute"),
        ("{{ book['titel'] }}", "1:9 unknown-attribute"),
        ("\n\t{{- book.author.nmae|upper -}}", "2:18 unknown-attribute"),
        ("{{ book\n  .author\n  .nmae }}", "3:4 unknown-attribute"),
        ("{{ books[0].titel }}", "1:13 unknown-attribute"),
        ("{{ books.first().titel }}", "1:18 unknown-attribute"),
        ("{{ (books|first).titel }}", "1:18 unknown-attribute"),
        ("{% if book.titel %}{% elif book.pk %}{% endif %}", "1:12 unknown-attribute"),
        ("{% for b in books if b.titel %}{% endfor %}", "1:24 unknown-attribute"),
        ("{% for b in book.tags.all() %}{{ b.nmae }}{% endfor %}", "1:36 unknown-attribute"),
        ("{% for b in books %}{{ loop.idx }}{% endfor %}", "1:29 unknown-attribute"),
        ("{% set b = book.author %}{{ b.nmae }}", "1:31 unknown-attribute"),
        ("{% macro m(b) %}{{ b.nmae }}{% endmacro %}{{ m(book.author) }}", "1:22 unknown-attribute"),
        ("{% raw %}{{ book.titel }}{% endraw %}{{ book.titel }}", "1:46 unknown-attribute"),
        ("{# {{ book.titel }} #}{{ book.titel }}", "1:31 unknown-attribute"),
        ("{{ book.delete() }}", "1:9 alters-data"),
        ("{{ book.title() }}", "1:9 not-callable"),
        ("{{ book.get_absolute_url() }}", None),
        ("{{ bokos }}", "1:4 unknown-name"),
        ("{{ range(3) }}{{ bokos(1) }}", "1:18 unknown-name"),
        # What is right.
        ("{{ book.title }}{{ books.count() }}{{ book.title.upper() }}", None),
        ("{% for b in books %}{{ loop.index }}{{ loop.cycle('a', 'b') }}{% endfor %}", None),
        ("{{ x is defined }}{{ x|default(1) }}{{ x or 1 }}{% if x %}{{ x }}{% endif %}", None),
        ("{% set x = 1 %}{{ x }}{% macro m(a) %}{{ a }}{{ varargs }}{% endmacro %}{{ m(1) }}", None),
        ("{% set n = namespace(a=1) %}{% set n.b = 2 %}{{ n.b }}{{ n.c }}", None),
        ("{% for g in books|groupby('author.name') %}{{ g.grouper }}{{ g.list }}{% endfor %}", None),
        ("{{ request.user }}{{ csrf_input }}", None),
    ],
)  # fmt: skip
def test_one_page(source, expected):
    assert page(source) == ([] if expected is None else [f"a.html:{expected}"])


def test_both_ends_of_a_line_are_told_apart():
    source = "{{ b.title }}{% for b in books[0].tags.all() %}{{ b.title }}{% endfor %}"
    found = jinja2_lint({"a.html": source}, {"a.html": given(b=BOOK, books=BOOKS)})
    assert said(found) == ["a.html:1:53 unknown-attribute"]


def test_lines_that_end_otherwise():
    assert page("{{ book.title }}\r\n{{ book.titel }}") == ["a.html:2:9 unknown-attribute"]


def test_white_space_that_is_cut():
    source = "a\n   {%- if book -%}   \n  {{ book.titel }}\n{% endif %}\n  {{ book.nmae }}"
    for options in ({}, {"trim_blocks": True, "lstrip_blocks": True}):
        assert page(source, **options) == [
            "a.html:3:11 unknown-attribute",
            "a.html:5:11 unknown-attribute",
        ]


def test_delimiters_of_the_environment():
    options = {"variable_start_string": "[[", "variable_end_string": "]]"}
    assert page("{{ book.titel }}[[ book.titel ]]", **options) == ["a.html:1:25 unknown-attribute"]


def test_included_with_and_without_context():
    with_context = page("{% include 'c.html' %}", others="{{ book.titel }}{{ bokos }}")
    assert with_context == ["c.html:1:20 unknown-name", "c.html:1:9 unknown-attribute"]
    assert page("{% include 'c.html' without context %}", others="{{ bokos }}") == []


def test_a_macro_that_is_imported():
    macro = "{% macro card(b) %}{{ b.titel }}{{ anything }}{% endmacro %}"
    source = "{% from 'c.html' import card %}{{ card(book) }}"
    assert page(source, others=macro) == ["c.html:1:25 unknown-attribute"]


def test_globals_of_the_environment_are_given():
    found = jinja2_lint({"a.html": "{{ range }}{{ lipsum }}{{ rnage }}"}, {"a.html": given()})
    assert said(found) == ["a.html:1:27 unknown-name"]


def test_the_loop_has_what_jinja2_gives_it():
    public = {name for name in dir(LoopContext) if not name.startswith("_")}
    assert set(MADE["loop"].members) == public | {"depth0"}
