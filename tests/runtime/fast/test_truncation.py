"""Texts are cut where Django cuts them."""

import pytest
from django.template import defaultfilters as django
from django.utils import translation
from django.utils.safestring import SafeString

from atemplates.runtime.ambient import Ambient
from atemplates.runtime.fast import truncation
from tests.runtime.fast.text_values import (
    ENTITIES,
    SIGNS,
    SPACES,
    TAGS,
    compare,
    some_texts,
    values_of,
)

LENGTHS = [(3,), (1,), (2,), (7,), (25,), (0,), (-1,), (SafeString("5"),), ("x",), (None,), (2.5,)]
PLAIN = [django.truncatechars, django.truncatewords]
HTML = [django.truncatechars_html, django.truncatewords_html]


@pytest.mark.parametrize("function", [*PLAIN, *HTML], ids=lambda value: value.__name__)
def test_filters_are_djangos(function):
    texts = some_texts(6, 250, SPACES, SIGNS, TAGS, ENTITIES)
    assert compare(function, values_of(texts), LENGTHS) > 0.3
    texts = some_texts(7, 250, ["e\u0301", "\u0301", "นำ้", "\u0958"])
    assert compare(function, values_of(texts), LENGTHS) > 0.7


@pytest.mark.parametrize("function", HTML, ids=lambda value: value.__name__)
@pytest.mark.parametrize("kinds", [(TAGS, TAGS), (TAGS[:10], ["&amp; "]), (ENTITIES,)])
def test_markup_is_cut_as_django_cuts_it(function, kinds):
    lengths = [(length,) for length in range(1, 12)]
    compare(function, values_of(some_texts(8, 250, *kinds)), lengths)


@pytest.mark.parametrize("size", range(1, 9))
def test_every_length_around_the_text(size):
    for text in (
        "abcd",
        "ab<b>cd</b>",
        "<p>abcd",
        "ab&amp;d",
        "it's",
        "<p>it's",
        "e\u0301abc",
        "a b c d",
    ):
        for function in (*PLAIN, *HTML):
            compare(function, iter([text, SafeString(text)]), [(size,)])


@pytest.mark.parametrize(
    "message",
    ["%(truncated_text)s…", "[%(truncated_text)s]", "...", "", "\u0301.", "%(truncated_text)s"],
)
def test_the_languages_message(message, monkeypatch):
    monkeypatch.setattr(translation, "pgettext", lambda context, text: message)
    monkeypatch.setattr("django.utils.text.pgettext", lambda context, text: message)
    monkeypatch.setattr(Ambient, "text", lambda self, lazy: message)
    texts = ["", "abc", "abc...", "some words of text", "<b>bold and</b> more", "e\u0301 combined"]
    for function in (django.truncatechars, django.truncatechars_html):
        assert compare(function, values_of(iter(texts)), LENGTHS) > 0.5


def test_the_message_is_djangos():
    for language in ("en", "de", "fa", "ja", "zh-hant"):
        with translation.override(language):
            expected = translation.pgettext(
                "String to return when truncating text", "%(truncated_text)s…"
            )
            assert Ambient().now().text(truncation.CUT_TEXT) == expected
            compare(django.truncatechars, iter(["some text"]), [(4,)])


def test_simple_markup_is_not_left_to_django():
    text = "<p class='x'>Some <b>bold</b> words<br/> &amp; more</p>"
    for length in (3, 8, 100):
        assert truncation.truncatewords_html(text, length) == django.truncatewords_html(
            text, length
        )
        ours = truncation.truncatechars_html(Ambient().now(), text, length)
        assert ours == django.truncatechars_html(text, length)
