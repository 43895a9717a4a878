"""Addresses become the links that Django makes of them."""

import time
import warnings

import pytest
from django.template import defaultfilters as django
from django.utils import html
from django.utils.safestring import SafeString

from atemplates.runtime.fast import links
from tests.runtime.fast.text_values import (
    ENDS,
    HOSTS,
    SIGNS,
    SPACES,
    STARTS,
    TAGS,
    addresses,
    compare,
    some_texts,
    values_of,
)

LIMITS = [(15,), (SafeString("5"),), (0,), ("x",)]
ASSUMED = [True, False] if hasattr(html, "settings") else [None]


@pytest.fixture(params=ASSUMED)
def assumed_https(request, settings):
    """Whether ``https`` is assumed, where a release has that setting."""
    if request.param is not None:
        settings.URLIZE_ASSUME_HTTPS = request.param
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield request.param


@pytest.mark.usefixtures("assumed_https")
def test_filters_are_djangos():
    texts = [*addresses(9, 700), *some_texts(10, 200, SPACES, SIGNS, TAGS, ["a.com", "@", ":"])]
    assert compare(django.urlize, values_of(iter(texts)), [()]) == 1
    assert compare(django.urlizetrunc, values_of(iter(texts[::3])), LIMITS) > 0.5


@pytest.mark.usefixtures("assumed_https")
def test_every_address():
    """Every start with every host and some ends, and every end."""
    words = [start + host + end for start in STARTS for host in HOSTS for end in ENDS[::9]]
    words += [start + host + end for start in STARTS[:4] for host in HOSTS[:3] for end in ENDS]
    assert compare(django.urlize, iter(words), [()]) == 1


@pytest.mark.parametrize(
    "word",
    [
        *("http://example.com", "https://www.example.com/a/b.html?x=1#top", "me@example.com."),
        "http://example.com:8000/a,",
    ],
)
def test_simple_addresses_are_not_left_to_django(word):
    assert links.link(word, None) == django.urlize(word)
    assert links.link(word, 9) == django.urlizetrunc(word, 9)


def test_addresses_without_a_scheme(assumed_https):
    for word in ("www.example.com/a", "example.org", "www.example.de!"):
        ours = links.link(word, None)
        assert (ours is None) == (assumed_https is False)
        assert ours in (None, django.urlize(word))


@pytest.mark.skipif(ASSUMED == [None], reason="this release of Django has no such setting")
def test_django_warns_where_it_does(settings):
    settings.URLIZE_ASSUME_HTTPS = False
    found = []
    for function in (django.urlize, lambda text: links.urlize(text, True)):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            function("see www.example.com and example.org")
        found.append([(each.category, str(each.message), each.filename) for each in caught])
    assert found[0] == found[1]
    assert len(found[0]) == 2


def test_long_words_take_no_time():
    started = time.process_time()
    for text in (
        "a" * 100_000,
        "a." * 50_000,
        "@" * 3000,
        "a-" * 50_000 + ".com",
        "x@" + "a." * 150,
    ):
        links.link(text, None)
        links._sign(text)
    assert time.process_time() - started < 1
