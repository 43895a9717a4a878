"""Names and attributes that Django templates read and that are not there: what is sure, what not."""

import pytest
from django.template.context_processors import request as request_processor

from atemplates.inference.types import ANYTHING, ObjectType, RowsType, one_of
from atemplates.lint.attributes_set import ANY_ON_REQUESTS
from atemplates.lint.processors import names_of_processors
from shop.models import Author, Book

from .linting import given, lint, said

BOOK = ObjectType(Book)
AUTHOR = ObjectType(Author)
BOOKS = RowsType(type(Book.objects.all()), BOOK)


def page(source, **templates):
    """What is said of one page that is given ``book`` and ``books``."""
    names = {name.replace("_", "."): text for name, text in templates.items()}
    return said(lint({"a.html": source, **names}, {"a.html": given(book=BOOK, books=BOOKS)}))


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("{{ book.titel }}", "1:9 unknown-attribute"),
        ("\n\t{{ book.author.nmae|upper }}", "2:17 unknown-attribute"),
        ("日本 {{ book.titel }}", "1:12 unknown-attribute"),
        ("{% if book.titel %}{% endif %}", "1:12 unknown-attribute"),
        ("{% if book.pk %}\n{% elif book.titel %}{% endif %}", "2:14 unknown-attribute"),
        ("{% for b in books %}{{ b.titel }}{% endfor %}", "1:26 unknown-attribute"),
        ("{% for b in books.all.x %}{% endfor %}", "1:23 unknown-attribute"),
        ("{% with b=book.author %}{{ b.nmae }}{% endwith %}", "1:30 unknown-attribute"),
        ("{% regroup books by author.nam as l %}", "1:28 unknown-attribute"),
        ("{{ book.pk|add:book.titel }}", "1:21 unknown-attribute"),
        ("{{ 'book.titel'|add:book.titel }}", "1:26 unknown-attribute"),
        ("{% verbatim %}{{ book.titel }}{% endverbatim %}{{ book.titel }}", "1:56 unknown-attribute"),
        ("{# {{ book.titel }} #}{{ book.titel }}", "1:31 unknown-attribute"),
        ("{% comment %}{{ book.titel }}{% endcomment %}{{ book.titel }}", "1:54 unknown-attribute"),
        ("{% for b in books %}{{ forloop.countr }}{% endfor %}", "1:32 unknown-attribute"),
        ("{% with t='x' %}{{ t.upperr }}{% endwith %}", "1:22 unknown-attribute"),
        ("{% cycle 'a' 'b' as c %}{{ c.x }}", "1:30 unknown-attribute"),
        ("{% url 'x' as address %}{{ address.x }}", "1:36 unknown-attribute"),
        ("{% block a %}{{ block.supper }}{% endblock %}", "1:23 unknown-attribute"),
        ("{{ book.delete }}", "1:9 alters-data"),
        ("{{ books.get_or_create }}", "1:10 alters-data"),
        ("{{ bokos }}", "1:4 unknown-name"),
        ("{% include 'c.html' with b=book only %}", "c.html:1:4 unknown-name"),
        ("{% load i18n %}{% blocktranslate %}x {{ bokos }}{% endblocktranslate %}", "1:41 unknown-name"),
        # What is right.
        ("{{ book.title }}{{ book.pk }}{{ book.author_id }}{{ books.0.title }}{{ books.count }}", None),
        ("{% for b in books %}{{ forloop.parentloop.counter }}{{ forloop.counter }}{% endfor %}", None),
        ("{% block a %}{{ block.super }}{% endblock %}{{ True }}{{ None }}{{ 1.5 }}", None),
        ("{% regroup books by author as l %}{% for g in l %}{{ g.grouper.name }}{% for b in g.list %}"
         "{{ b.title }}{% endfor %}{% endfor %}", None),
        # Who names a default, or asks, knows that a name may be missing.
        ("{{ anything|default:1 }}{% firstof anything 'x' %}", None),
        ("{% if anything %}{{ anything.x }}{% endif %}", None),
        ("{{ csrf_token }}{{ request.user }}", None),
        # A misspelt name that is only asked for is possible.
        ("{% if boks %}x{% endif %}", "1:7 unknown-name?"),
        ("{{ book.titel|default:1 }}", "1:9 unknown-attribute?"),
    ],
)  # fmt: skip
def test_one_page(source, expected):
    found = page(source, c_html="{{ c }}")
    assert found == ([] if expected is None else [f"{place_in(expected)}{expected}"])


def place_in(expected):
    """The template of an expected place, where it does not say."""
    return "" if expected.startswith("c.html") else "a.html:"


def test_the_message_says_what_was_meant():
    (problem,) = lint({"a.html": "{{ book.titel }}"}, {"a.html": given(book=BOOK)})
    assert problem.message == "Book has no attribute 'titel'"
    assert problem.hint == "did you mean 'title'?"
    assert (problem.width, problem.path) == (5, "a.html")
    (problem,) = lint({"a.html": "{{ bokos }}"}, {"a.html": given(books=BOOKS)})
    assert "no view gives 'bokos'" in problem.message
    assert problem.hint == "did you mean 'books'?"


def test_equal_tags_of_one_line_are_told_apart():
    source = "{{ b.name }}{% for b in books %}{{ b.name }}{% endfor %}{{ b.name }}"
    found = lint({"a.html": source}, {"a.html": given(b=AUTHOR, books=BOOKS)})
    assert said(found) == ["a.html:1:38 unknown-attribute"]


def test_the_same_text_twice_in_one_tag():
    source = "{% if book.titel and book.titel %}x{% endif %}"
    assert page(source) == ["a.html:1:12 unknown-attribute", "a.html:1:27 unknown-attribute"]


CARD = "{{ item.title }}"
PAGES = {"a.html": "{% include 'c.html' %}", "b.html": "{% include 'c.html' %}"}


def test_a_part_that_several_pages_include_is_said_once():
    pages = {f"{number}.html": "{% include 'c.html' %}" for number in range(5)}
    contexts = {name: given(item=BOOK) for name in pages}
    found = lint({**pages, "c.html": "{{ item.titel }}"}, contexts)
    assert said(found) == ["c.html:1:9 unknown-attribute"]


def test_what_fails_on_some_ways_is_possible():
    contexts = {"a.html": given(item=BOOK), "b.html": given(item=AUTHOR)}
    assert said(lint({**PAGES, "c.html": CARD}, contexts)) == ["c.html:1:9 unknown-attribute?"]
    conditional = "{% if item.title %}{{ item.title }}{% endif %}"
    assert said(lint({**PAGES, "c.html": conditional}, contexts)) == []
    neither = "{{ item.titel }}"
    assert said(lint({**PAGES, "c.html": neither}, contexts)) == ["c.html:1:9 unknown-attribute"]


def test_what_something_unknown_comes_by_is_possible():
    templates = {**PAGES, "c.html": "{{ item.titel }}"}
    contexts = {"a.html": given(item=BOOK), "b.html": given(item=ANYTHING)}
    assert said(lint(templates, contexts)) == ["c.html:1:9 unknown-attribute?"]
    # Nobody knows who renders the other page.
    assert said(lint(templates, {"a.html": given(item=BOOK)})) == ["c.html:1:9 unknown-attribute?"]


def test_one_of_several_types():
    either = one_of([BOOK, AUTHOR])
    assert said(lint({"a.html": CARD}, {"a.html": given(item=either)})) == []
    found = lint({"a.html": "{{ item.titel }}"}, {"a.html": given(item=either)})
    assert said(found) == ["a.html:1:9 unknown-attribute"]


def test_one_of_several_values():
    source = "{% if book %}{% cycle book author as it silent %}{% endif %}{{ it.title }}{{ it.x }}"
    found = lint({"a.html": source}, {"a.html": given(book=BOOK, author=AUTHOR)})
    assert all(each.is_possible for each in found)


def test_a_view_that_may_give_more():
    source = "{{ bokos }}{{ book.titel }}"
    some = given(is_complete=False, book=BOOK)
    assert said(lint({"a.html": source}, {"a.html": some})) == ["a.html:1:20 unknown-attribute"]
    both = [given(book=BOOK), given(is_complete=False, book=BOOK)]
    assert said(lint({"a.html": source}, {"a.html": both})) == ["a.html:1:20 unknown-attribute"]
    other = [given(book=BOOK), given(book=BOOK, bokos=BOOKS)]
    assert said(lint({"a.html": source}, {"a.html": other})) == ["a.html:1:20 unknown-attribute"]


def test_context_processors_give_names():
    context = given(others={"user": AUTHOR})
    assert said(lint({"a.html": "{{ user.name }}{{ user.nmae }}"}, {"a.html": context})) == [
        "a.html:1:24 unknown-attribute"
    ]


REQUEST = names_of_processors([request_processor])["request"]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (
            "{{ request.path }}{{ request.GET.q }}{{ request.META.HTTP_HOST }}{{ request.scheme }}",
            [],
        ),
        (
            "{{ request.resolver_match.view_name }}{{ request.get_full_path }}{{ request.headers.a }}",
            [],
        ),
        ("{{ request.user.username }}{{ request.content_type }}{{ request.environ.x }}", []),
        ("{{ request.pth }}", ["a.html:1:12 unknown-attribute"]),
        ("{{ request.user.usernam }}", ["a.html:1:17 unknown-attribute"]),
        ("{{ request.shop }}", ["a.html:1:12 unknown-attribute"]),
    ],
)
def test_a_request_has_what_django_and_code_give_it(source, expected):
    context = given(others={"request": REQUEST})
    assert said(lint({"a.html": source}, {"a.html": context})) == expected
    for there in ({"shop", "pth", "usernam"}, {ANY_ON_REQUESTS}):
        found = said(lint({"a.html": source}, {"a.html": context}, set_by_code=lambda names: there))  # noqa: B023
        assert found == ([] if "usernam" in there or ".user" not in source else expected)


def test_a_base_template_is_judged_through_its_pages():
    templates = {
        "base.html": "{{ section }}{{ nothing }}{% block a %}{% endblock %}",
        "a.html": "{% extends 'base.html' %}{% block a %}{{ book.titel }}{% endblock %}",
        "b.html": "{% extends 'base.html' %}",
    }
    contexts = {"a.html": given(book=BOOK, section=ANYTHING), "b.html": given(book=BOOK)}
    assert said(lint(templates, contexts)) == [
        "a.html:1:47 unknown-attribute",
        "base.html:1:17 unknown-name",
    ]


def test_a_tag_of_others_may_set_names():
    load = "{% load some_tags %}"
    assert page(f"{load}{{% setting %}}{{{{ bokos }}}}") == []
    assert page(f"{load}{{{{ bokos }}}}{{% setting %}}") == ["a.html:1:24 unknown-name"]
    assert page(f"{load}{{% reading %}}{{{{ bokos }}}}") == ["a.html:1:37 unknown-name"]
    assert page(f"{load}{{% foreign book.pk %}}{{{{ bokos }}}}{{% endforeign %}}") == []
    assert page(f"{load}{{% foreign book.titel %}}{{% endforeign %}}") == [
        "a.html:1:37 unknown-attribute?"
    ]
    assert page(f"{load}{{% given book.titel as x %}}{{{{ x.y }}}}") == [
        "a.html:1:35 unknown-attribute"
    ]


def test_a_tag_around_a_part_gives_its_names():
    names = {"book": BOOK, "books": BOOKS}
    templates = {"a.html": "{% include 'c.html' with it=book %}", "c.html": "{{ it.pk }}{{ that }}"}
    assert said(lint(templates, {"a.html": given(**names)})) == ["c.html:1:15 unknown-name"]


def test_annotations_say_the_types_of_a_part():
    templates = {"a.html": "{% include 'c.html' %}", "c.html": "{{ book.titel }}{{ book.title }}"}
    annotations = {"c.html": {"book": BOOK}}
    found = lint(templates, {"a.html": given(book=ANYTHING)}, annotations=annotations)
    assert said(found) == ["c.html:1:9 unknown-attribute"]
    found = lint({"c.html": "{{ book.titel }}"}, {}, annotations=annotations)
    assert said(found) == ["c.html:1:9 unknown-attribute"]


def test_templates_that_nobody_is_known_to_render():
    assert said(lint({"a.html": "{{ bokos }}{{ a.b }}"}, {})) == []
    found = lint({"a.html": "{% for a in b %}{{ forloop.countr }}{% endfor %}"}, {})
    assert said(found) == ["a.html:1:28 unknown-attribute"]
