"""The setting ATEMPLATES: what it may hold, and what is said of a mistake in it."""

import pytest
from django.conf import settings as site
from django.core.exceptions import ImproperlyConfigured

from atemplates.site_settings import site_setting


def test_a_site_without_the_setting_has_the_defaults(settings):
    assert not hasattr(settings, "ATEMPLATES")
    assert site_setting("check") == {}
    assert list(site_setting("trace")) == []


@pytest.fixture
def given(monkeypatch):
    """Return what sets the setting, so that only who asks for it looks at it."""
    return lambda value: monkeypatch.setattr(site, "ATEMPLATES", value, raising=False)


def test_what_is_set_is_given(given):
    given({"trace": ["a.b", {"observer": "a.c", "options": {"rate": 1}}]})
    assert site_setting("trace")[0] == "a.b"
    assert site_setting("check") == {}


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ([], r"ATEMPLATES is \[\]; expected a dict\."),
        (
            {"tracing": []},
            r"unknown key 'tracing'\. Did you mean 'trace'\? Allowed: check, trace\.",
        ),
        ({7: []}, r"unknown key 7\. Allowed: check, trace\."),
        ({"check": []}, r"ATEMPLATES\['check'\] is \[\]; expected a dict\."),
        ({"trace": "a.b"}, r"ATEMPLATES\['trace'\] is 'a\.b'; expected a list whose items"),
        ({"trace": ["nowhere"]}, "expected a list whose items"),
        ({"trace": [{"observer": "a.b", "option": {}}]}, "expected a list whose items"),
        ({"trace": [{"options": {}}]}, "expected a list whose items"),
        ({"trace": [print]}, "expected a list whose items"),
        (
            {"check": {"exlude": []}},
            r"ATEMPLATES\['check'\] has an unknown key 'exlude'\. Did you mean 'exclude'\? "
            r"Allowed: exclude, ignore\.",
        ),
        ({"check": {"exclude": "a/*"}}, r"\['exclude'\] is 'a/\*'; expected a list of patterns"),
        ({"check": {"exclude": [""]}}, "expected a list of patterns"),
        ({"check": {"ignore": ["unknown"]}}, "expected a list of dotted names .* unknown-name"),
    ],
)
def test_a_mistake_is_said_whoever_reads_the_setting(given, value, said):
    given(value)
    for key in ("check", "trace"):
        with pytest.raises(ImproperlyConfigured, match=said):
            site_setting(key)


def test_what_check_ignores_are_rules_and_functions(given):
    value = {"exclude": ["legacy/*"], "ignore": ["unknown-name", "shop.models.Book.rating"]}
    given({"check": value})
    assert site_setting("check") == value
