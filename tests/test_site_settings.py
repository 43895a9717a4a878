"""The setting ATEMPLATES: what it may hold, and what is said of a mistake in it."""

import pytest
from django.core.exceptions import ImproperlyConfigured

from atemplates.site_settings import site_setting


def test_a_site_without_the_setting_has_the_defaults(settings):
    assert not hasattr(settings, "ATEMPLATES")
    assert site_setting("check") == {}
    assert list(site_setting("trace")) == []


def test_what_is_set_is_given(settings):
    settings.ATEMPLATES = {"trace": ["a.b", {"observer": "a.c", "options": {"rate": 1}}]}
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
    ],
)
def test_a_mistake_is_said_whoever_reads_the_setting(settings, value, said):
    settings.ATEMPLATES = value
    for key in ("check", "trace"):
        with pytest.raises(ImproperlyConfigured, match=said):
            site_setting(key)
