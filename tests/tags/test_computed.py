"""Tags whose usual case is computed by ourselves give what Django's give, value for value."""

import datetime
import random
from decimal import Decimal

import pytest
from django.contrib.staticfiles.storage import StaticFilesStorage
from django.template import Context, defaulttags
from django.utils import timezone, translation
from django.utils.functional import SimpleLazyObject
from django.utils.safestring import mark_safe

from atemplates.engines.django import render_template
from atemplates.tags.computed import present_time, width_ratio
from atemplates.tags.static import static_base, usual_path
from tests.rendering import parse


class OwnText(str):
    """A string of the site's."""


class OwnNumber(float):
    """A number of the site's."""


NUMBERS = [0, 1, -7, 2.5, -0.0, 10**400, 1e308, float("inf"), float("nan"), True, Decimal("2.5")]
ODD = ["3", "x", "", None, mark_safe("4"), OwnText("5"), OwnNumber(6), [], b"7"]


class TestWidthratio:
    def test_every_pair_of_values(self, render):
        pairs = [(a, b) for a in NUMBERS + ODD for b in NUMBERS + ODD]
        source = (
            "{% for a, b in pairs %}{% widthratio a b 100 %},{% widthratio b a width as w %}{{ w }};"
            "{% endfor %}"
        )
        for width in (0, 100, -3, 2.5, "10", True):
            assert render(source, {"pairs": pairs, "width": width}, waits=None)

    @pytest.mark.parametrize("width", ["x", None, "", []])
    def test_a_width_that_is_no_number(self, render, width):
        assert "must be a number" in str(
            render.outcome("{% widthratio 1 2 width %}", {"width": width}).error
        )

    def test_usual_values_take_no_node(self):
        assert width_ratio(1, Decimal(4), 100) == "25"
        assert width_ratio("1", 4, 100) is None


class TestLorem:
    @pytest.mark.parametrize("method", ["", "w", "p", "b"])
    @pytest.mark.parametrize("count", ["", "0", "1", "-2", "19", "2.7", '"1"', '"x"'])
    def test_what_is_not_random(self, render, method, count):
        if method != "w" and count in ("19", "2.7"):
            count = '"1"'  # more than one paragraph is random
        source = f"{{% lorem {count} {method} %}}"
        assert render(f"{source}{{% for x in 'ab' %}}{source}{{% endfor %}}") is not None

    @pytest.mark.parametrize(
        "source", ["{% lorem 25 w %}", "{% lorem 3 p %}", "{% lorem 2 w random %}"]
    )
    def test_what_is_random(self, source):
        random.seed(5)
        expected = parse(source).render(Context())
        random.seed(5)
        assert render_template(parse(source), Context()) == expected


class TestNow:
    @pytest.mark.parametrize("use_tz", [True, False])
    @pytest.mark.parametrize("language", ["en", "de", None])
    def test_formats(self, render, settings, monkeypatch, use_tz, language):
        settings.USE_TZ = use_tz

        class Fixed(datetime.datetime):
            @classmethod
            def now(cls, tz=None):
                return datetime.datetime(2026, 3, 9, 7, 5, 3, 12, tzinfo=tz)

        monkeypatch.setattr(datetime, "datetime", Fixed)
        monkeypatch.setattr(defaulttags, "datetime", Fixed)
        source = "".join(
            f'{{% now "{text}" %}}|{{% now "{text}" as n %}}{{{{ n }}}};'
            for text in (
                "Y-m-d",
                "DATE_FORMAT",
                "jS F Y H:i",
                "e T O Z",
                "<b>",
                "\\Y",
                "D d M P",
                "",
            )
        )
        with timezone.override("Asia/Tokyo"):
            if language is None:
                with translation.override(None):
                    assert render(source)
            else:
                with translation.override(language):
                    assert render(source)

    def test_the_time_is_asked_each_time(self, monkeypatch):
        times = iter([datetime.datetime(2026, 1, day) for day in (1, 2)])

        class Running(datetime.datetime):
            @classmethod
            def now(cls, tz=None):
                return next(times)

        monkeypatch.setattr(datetime, "datetime", Running)
        template = parse("{% now 'j' %}{% now 'j' %}")
        assert render_template(template, Context()) == "12"
        assert present_time.__module__ == "atemplates.tags.computed"


@pytest.mark.parametrize("autoescape", ["on", "off"])
@pytest.mark.parametrize(
    "token",
    ["T", "T<'&", mark_safe("<T>"), OwnText("<T>"), "", "NOTPROVIDED", 0, 5, None, ["<"]],
)
def test_csrf_token(render, token, autoescape):
    source = (
        f"{{% autoescape {autoescape} %}}{{% csrf_token %}}{{% csrf_token %}}{{% endautoescape %}}"
    )
    render.outcome(source, {"csrf_token": token}, waits=None)
    render.outcome(source, {"csrf_token": SimpleLazyObject(lambda: token)}, waits=None)


class CountingStorage(StaticFilesStorage):
    """A storage of the site's: it may say something else each time."""

    asked = 0

    def url(self, name):
        type(self).asked += 1
        return f"{super().url(name)}?{name}"


PATHS = [
    "a.css",
    "a/b.css",
    "a b/c'd.css",
    "/a",
    "a//b",
    "../a",
    "a/./b",
    ".a",
    "a/.b",
    "",
    "a/",
    "é",
]
PATHS += [
    "a?b#c",
    "a:b",
    "http://x/y",
    "a\\b",
    "a%20b",
    "<&>",
    "~!*()",
    "a\nb",
    "a;b=c",
    "//host/a",
]


class TestStatic:
    @pytest.mark.parametrize("staticfiles", [True, False])
    @pytest.mark.parametrize(
        "base",
        ["/static/", "static/", "https://cdn.example.com/x/", "/a/../b/", "/s t/", "https://h"],
    )
    def test_every_path(self, render, settings, staticfiles, base):
        settings.STATIC_URL = base if base.endswith("/") or not staticfiles else base + "/"
        if not staticfiles:
            apps = [app for app in settings.INSTALLED_APPS if app != "django.contrib.staticfiles"]
            settings.INSTALLED_APPS = apps
        paths = [*PATHS, *map(mark_safe, PATHS), *map(OwnText, PATHS)]
        source = (
            "{% load static %}{% for p in paths %}{% static p %}|{% static p as u %}{{ u }}"
            "{% autoescape off %}{% static p %}{% static p as u %}{{ u }}{% endautoescape %}\n"
            "{% endfor %}{% static 'a/b.css' %}{% static 'a b.css' %}"
        )
        assert render(source, {"paths": paths}, waits=None)

    def test_a_storage_of_the_site_is_asked_each_time(self, settings):
        storage = f"{__name__}.CountingStorage"
        settings.STORAGES = {**settings.STORAGES, "staticfiles": {"BACKEND": storage}}
        CountingStorage.asked = 0
        template = parse("{% load static %}{% for x in 'abc' %}{% static 'a.css' %}{% endfor %}")
        assert render_template(template, Context()) == "/static/a.css?a.css" * 3
        assert CountingStorage.asked == 3

    def test_what_is_added_to_the_base(self):
        assert static_base() == ("/static/", "/~!*()'")
        assert not usual_path("a/../b")
        assert usual_path("a b")
