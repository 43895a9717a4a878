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
    outcome,
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


@pytest.mark.usefixtures("assumed_https")
def test_addresses_without_a_scheme():
    for word in ("www.example.com/a", "example.org", "www.example.de!"):
        assert links.link(word, None) == django.urlize(word)


warning_releases = pytest.mark.skipif(ASSUMED == [None], reason="Django has no such setting")


def caught(function, text, action):
    """Return the warnings of a call, with the places that are said to cause them."""
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter(action)
        result = outcome(function, text)
    each = [(one.category, str(one.message), one.filename, one.lineno) for one in found]
    return each, result


@warning_releases
@pytest.mark.parametrize("action", ["always", "error"])
@pytest.mark.parametrize(
    "text", ["see www.example.com, example.org www.example.com", "http://a.com"]
)
def test_django_warns_where_it_does(settings, text, action):
    settings.URLIZE_ASSUME_HTTPS = False
    ours = caught(lambda text: links.urlize(text, True), text, action)
    assert ours == caught(django.urlize, text, action)
    assert len(ours[0]) == (3 if "www" in text and action == "always" else 0)


@warning_releases
def test_a_warning_that_is_not_found_is_left_to_django(settings, monkeypatch):
    settings.URLIZE_ASSUME_HTTPS = False
    monkeypatch.setattr(links, "warning", None)
    assert links.link("www.example.com", None) is None


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
