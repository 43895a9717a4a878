"""What an editor points at."""

import pytest

from atemplates.management.lsp.pointing import pointed_at

TEXT = """<p>{{ book.author.name|upper:"x" }}</p>
😀{% include "card.html"
   with b=books.0.title %}
{# {{ hidden.name }} #}
{{ b.tags.all()[0].name }} {{ b["key"].x }} {{ b. }}"""


@pytest.mark.parametrize(
    ("line", "word", "kind", "bits", "place"),
    [
        (1, "book", "chain", ("book",), (1, 7, 4)),
        (1, "author", "chain", ("book", "author"), (1, 12, 6)),
        (1, "name", "chain", ("book", "author", "name"), (1, 19, 4)),
        (1, "upper", "filter", (), (1, 24, 5)),
        (2, "include", "tag", (), (2, 5, 7)),
        (2, "card", "quoted", (), (2, 14, 9)),
        (3, "title", "chain", ("books", "0", "title"), (3, 19, 5)),
        (5, "all", "chain", ("b", "tags", "all"), (5, 11, 3)),
        (5, "name", "chain", ("b", "tags", "all", "0", "name"), (5, 20, 4)),
        (5, "key", "chain", ("b", "key"), (5, 34, 3)),
    ],
)
def test_what_is_pointed_at(line, word, kind, bits, place):
    column = TEXT.splitlines()[line - 1].index(word) + 2
    found = pointed_at(TEXT, line, column)
    assert (found.kind, found.bits) == (kind, bits)
    assert (found.line, found.column, found.width) == place


def test_behind_a_dot_stands_an_empty_step():
    column = TEXT.splitlines()[4].index("{{ b. }}") + len("{{ b.") + 1
    assert pointed_at(TEXT, 5, column).bits == ("b", "")


def test_a_tag_of_several_lines_is_one():
    found = pointed_at(TEXT, 3, 20)
    assert (found.first_line, found.last_line, found.tag) == (2, 3, "include")


@pytest.mark.parametrize(("line", "column"), [(1, 1), (4, 7), (1, 38)])
def test_text_and_comments_are_nothing(line, column):
    assert pointed_at(TEXT, line, column) is None
