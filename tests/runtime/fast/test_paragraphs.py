"""Lines, paragraphs and escaped text are Django's."""

import pytest
from django.template import defaultfilters as django
from django.utils.safestring import SafeString

from atemplates.runtime.fast import paragraphs
from tests.runtime.fast.text_values import (
    ENTITIES,
    SIGNS,
    SPACES,
    TAGS,
    compare,
    some_texts,
    values_of,
)

WIDTHS = [(5,), (1,), (12,), (40,), (0,), (-1,), (SafeString("9"),), ("x",), (None,)]


@pytest.mark.parametrize(
    ("function", "arguments", "share"),
    [
        (django.escape_filter, [()], 1),
        (django.force_escape, [()], 1),
        (django.linebreaks_filter, [()], 1),
        (django.linebreaksbr, [()], 1),
        (django.linenumbers, [()], 1),
        (django.wordwrap, WIDTHS, 0.5),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_filters_are_djangos(function, arguments, share):
    texts = some_texts(4, 1500 // len(arguments), SPACES, SPACES, SIGNS, TAGS, ENTITIES)
    assert compare(function, values_of(texts), arguments) >= share


def test_wrapping_plain_words():
    texts = [" ".join(text.split()) for text in some_texts(5, 400, [" "], [" "], ["\n"])]
    assert compare(django.wordwrap, iter(texts), [(1,), (4,), (9,), (20,)]) == 1


def test_more_lines_than_numbers_are_remembered_of(monkeypatch):
    monkeypatch.setattr(paragraphs, "MOST_LINES", 5)
    paragraphs.line_numbers.cache_clear()
    for count in (1, 5, 6, 9, 10, 11, 99, 100):
        text = "\n".join(["<"] * count)
        assert paragraphs.linenumbers(text, True) == django.linenumbers(text)
    assert paragraphs.line_numbers.cache_info().currsize == 2
