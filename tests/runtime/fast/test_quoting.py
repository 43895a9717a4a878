"""Quoting within addresses and scripts is Django's, character by character."""

import sys

import pytest
from django.template import defaultfilters as django
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy

from atemplates.compiler.fast_filters import FAST_PATHS
from atemplates.runtime.fast import quoting
from tests.runtime.fast.text_values import (
    ENTITIES,
    SIGNS,
    SPACES,
    TAGS,
    addresses,
    compare,
    outcome,
    some_texts,
    stock,
    values_of,
)


@pytest.mark.parametrize(
    ("function", "arguments"),
    [
        (django.escapejs_filter, [()]),
        (django.iriencode, [()]),
        (django.urlencode, [(), ("",), (SafeString("/:é"),), ("%]^-\\",), (None,)]),
        (django.json_script, [(), (None,), ("",), ("a<'b",), (SafeString("a<b"),), (5,)]),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_filters_are_djangos(function, arguments):
    texts = [*some_texts(2, 400, SPACES, SIGNS, TAGS, ENTITIES), *addresses(3, 100)]
    assert compare(function, values_of(iter(texts)), arguments) > 0.7


def test_every_character():
    every = map(chr, [*range(0xD800), *range(0xE000, 0x10000), *range(0x10000, sys.maxunicode, 97)])
    text = "".join(every)
    for function in (django.escapejs_filter, django.iriencode, django.urlencode):
        assert FAST_PATHS[function].function(text) == function(text)


def test_what_utf8_cannot_write_is_left_to_django():
    for function in (django.iriencode, django.urlencode):
        assert FAST_PATHS[function].function("a\ud800") is None
        with pytest.raises(UnicodeEncodeError):
            function("a\ud800")


class Unusual(dict[str, object]):
    """A kind of dict."""


@pytest.mark.parametrize(
    "value",
    [
        *([], {}, [1, 2.5, None, True, "<&>"], {"a": [{"b": ("c", SafeString("<"))}]}, {1: "x"}),
        *([float("nan")], {"a": {1, 2}}, {(1, 2): 3}, [gettext_lazy("Yes")], [b"x"], Unusual(a=1)),
        *({"é": "名\u2028</script>"}, [Unusual()], [object], 10**30, {None: 1, True: 2}),
    ],
    ids=repr,
)
def test_values_as_json(value):
    for args in ((), ("name",)):
        ours = quoting.json_script(value, *args)
        expected = outcome(stock, django.json_script, value, args, True)
        assert ours is None or outcome(lambda found=ours: found) == expected


def test_few_sets_of_characters_are_remembered(monkeypatch):
    monkeypatch.setattr(quoting, "MOST_TABLES", 3)
    monkeypatch.setattr(quoting, "known_tables", {})
    for number in range(10):
        assert quoting.urlencode(f"<{number}>", f"{number}<") == f"<{number}%3E"
        assert len(quoting.known_tables) <= 3
