"""Tags are taken out of texts as Django does it."""

import pytest
from django.core.exceptions import SuspiciousOperation
from django.template import defaultfilters as django

from atemplates.runtime.fast import html_text
from tests.runtime.fast.text_values import (
    ENTITIES,
    SIGNS,
    SPACES,
    TAGS,
    compare,
    some_texts,
    values_of,
)


def test_striptags_is_djangos():
    for seed, kinds in enumerate([(SPACES, SIGNS, TAGS, ENTITIES), (TAGS, TAGS), (TAGS, ENTITIES)]):
        compare(django.striptags, values_of(some_texts(seed, 1200, *kinds)), [()])


@pytest.mark.parametrize("tag", html_text.UNPARSED.split("|"))
@pytest.mark.parametrize("text", ["<{}>a<b>c", "<{} x='1'>a<b>c", "a</{}>b", "<b><{}></b></{}>"])
def test_elements_that_have_no_tags_in_them(tag, text):
    for name in (tag, tag.upper()):
        assert html_text.striptags(text.replace("{}", name)) is None


def test_simple_tags_are_not_left_to_django():
    text = "<p class='x'>a &amp; b &#39;<br/> <a href=\"/x?a=1&amp;b=2\" title=''>c</a>\n> & </P>"
    assert html_text.striptags(text) == django.striptags(text) == "a &amp; b &#39; c\n> & "


def test_what_is_suspicious_is_left_to_django():
    for text in ("<a" * 60 + "x" * 1000, "<" * 100 + "a>" * 100):
        assert html_text.striptags(text) is None
    with pytest.raises(SuspiciousOperation):
        django.striptags("<a" * 60 + "x" * 1000)
