"""Filters of letters and spaces make what Django's make, of the very type."""

import sys

import pytest
from django.template import defaultfilters as django
from django.utils.safestring import SafeString

from atemplates.compiler.fast_filters import FAST_PATHS
from tests.runtime.fast.text_values import SIGNS, SPACES, TAGS, compare, some_texts, values_of

WIDTHS = [(5,), (0,), (-3,), (12,), (SafeString("9"),), ("x",), (None,), (2.5,), (True,), (10**6,)]
FORMATS = ["s", "d", "03d", ".2f", "r", "10s", "-10s|", "", "%", "%s", "(a)s", "*d", "c", "x", "<s"]


@pytest.mark.parametrize(
    ("function", "arguments", "share"),
    [
        (django.addslashes, [()], 1),
        (django.capfirst, [()], 1),
        (django.center, WIDTHS, 0.4),
        (django.cut, [("a",), ("",), (SafeString(";"),), (SafeString(" "),), (5,), (None,)], 0.6),
        (django.ljust, WIDTHS, 0.4),
        (django.lower, [()], 1),
        (django.make_list, [()], 1),
        (django.phone2numeric_filter, [()], 1),
        (django.rjust, WIDTHS, 0.4),
        (django.safe, [()], 1),
        (django.slugify, [()], 1),
        (django.stringformat, [*((text,) for text in FORMATS), (SafeString("s"),), (5,)], 0.9),
        (django.title, [()], 1),
        (django.upper, [()], 1),
        (django.wordcount, [()], 1),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_filters_are_djangos(function, arguments, share):
    texts = some_texts(1, 1500 // len(arguments) + 50, SPACES, SIGNS, TAGS)
    assert compare(function, values_of(texts), arguments) >= share


def test_every_character_alone_and_within_a_word():
    for function in (django.slugify, django.title, django.phone2numeric_filter, django.capfirst):
        for number in [*range(0x3100), *range(0x3100, sys.maxunicode, 997)]:
            for text in (chr(number), f"a{chr(number)}B 1{chr(number)}C"):
                if not 0xD800 <= number < 0xE000:
                    assert FAST_PATHS[function].function(text) == function(text)
