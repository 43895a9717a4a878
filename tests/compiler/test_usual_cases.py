"""What has a short way in compiled code, and the cases beside it that go the long way."""

import datetime
from decimal import Decimal
from typing import Any

import pytest
from django.template import Library
from django.test import RequestFactory
from django.urls import set_urlconf

from tests.rendering import safe

register = Library()


@register.filter
def date(value: Any, arg: Any = None) -> str:
    """A site's own filter called ``date``."""
    return f"own {arg}"


MOMENT = datetime.datetime(2024, 2, 29, 23, 5, tzinfo=datetime.UTC)
CONTEXT = {
    "moment": MOMENT,
    "naive": datetime.datetime(2024, 2, 29, 23, 5),
    "day": datetime.date(2024, 2, 29),
    "time": datetime.time(13, 5),
    "format": "Y/m",
    "number": Decimal("1234.565"),
    "float": 0.1,
    "tiny": 1e-9,
    "none": None,
    "pk": 5,
    "name": "admin:index",
    "word": "50% <b>",
    "message": safe("Yes"),
}


def in_place(source: str, language: str) -> str:
    """Return a template that is rendered in a language and a time zone."""
    head = f"{{% load i18n tz %}}{{% language '{language}' %}}{{% timezone 'Asia/Kathmandu' %}}"
    return f"{head}{source}{{% endtimezone %}}{{% endlanguage %}}"


@pytest.mark.parametrize(
    "source",
    [
        "{{ moment }} {{ naive }} {{ day }} {{ time }}",
        '{{ moment|date }} {{ moment|date:"Y-m-d H:i" }} {{ moment|date:"c T O e" }}',
        '{{ day|date:"SHORT_DATE_FORMAT" }} {{ day|date:format }} {{ day|date:none }}',
        '{{ day|date:"" }} {{ none|date:"Y" }} {{ word|date:"Y" }} {{ time|date:"H" }}',
        "{% load tz %}{% localtime off %}{{ moment }}{{ moment|date:'H' }}{% endlocaltime %}",
        "{% load l10n %}{% localize off %}{{ moment }}{{ number }}{{ float }}{% endlocalize %}",
        "{{ number }} {{ float }} {{ tiny }} {{ number|floatformat }} {{ float|floatformat:2 }}",
        '{{ number|floatformat:"2g" }} {{ number|floatformat:pk }} {{ word|floatformat:1 }}',
        "{{ number|floatformat:2|add:'x' }}{{ float|floatformat:1|safe }}",
        "{% autoescape off %}{{ moment }}{{ float }}{{ word }}{% endautoescape %}",
    ],
)
@pytest.mark.parametrize("language", ["en-us", "de", "ar"])
def test_dates_and_numbers(render, settings, source, language):
    settings.USE_TZ = True
    render(in_place(source, language), CONTEXT)


def test_dates_with_an_error(render):
    with pytest.raises(TypeError, match="may not contain time-related"):
        render('{{ day|date:"H:i" }}', CONTEXT)


def test_thousand_separators(render, settings):
    settings.USE_THOUSAND_SEPARATOR = True
    assert render("{{ number }} {{ number|floatformat:1 }}", CONTEXT) == "1,234.565 1,234.6"


def test_a_filter_of_the_same_name_is_another(render):
    libraries = {"own": "tests.compiler.test_usual_cases"}
    source = '{% load own %}{{ day|date:"Y" }}'
    assert render(source, CONTEXT, libraries=libraries) == "own Y"


@pytest.mark.parametrize(
    "source",
    [
        '{% translate "Yes" %}{% translate "No" noop %}{% translate "100% <b>" %}',
        '{% translate "May" context "abbrev. month" %}{% translate "May" context none %}',
        '{% translate "Yes" as x %}{{ x }}{{ x|add:"<" }}{% translate "%" as y %}{{ y }}',
        "{% translate word %}{% translate message %}{% translate word noop %}",
        '{% translate "yes"|title %}{% translate "" %}{% translate "a %% b" %}',
        '{% translate _("Yes") %}{% autoescape off %}{% translate "<b>" %}{% endautoescape %}',
    ],
)
@pytest.mark.parametrize("language", ["en-us", "de"])
def test_messages(render, source, language):
    render(in_place(source, language), CONTEXT)


@pytest.mark.parametrize(
    "source",
    [
        '{% url "admin:index" %}{% url name %}{% url "admin:app_list" "auth" %}',
        '{% url "admin:auth_user_change" pk %}{% url "admin:auth_user_change" object_id=word %}',
        '{% url "admin:index" as x %}{{ x }}{% url "missing" as y %}[{{ y }}]',
        '{% url "admin:app_list" app_label="auth" as z %}{{ z|upper }}',
        '{% autoescape off %}{% url "admin:auth_user_change" "a&b" %}{% endautoescape %}',
        '{% url "admin:auth_user_change" "a&b" %}',
    ],
)
@pytest.mark.parametrize("current_app", ["missing", None, "admin"])
def test_links(render, source, current_app):
    set_urlconf(None)
    request = RequestFactory().get("/")
    if current_app != "missing":
        request.current_app = current_app  # type: ignore[attr-defined]
    render(source, CONTEXT, request=request)
    render(source, CONTEXT)


@pytest.mark.parametrize(
    "source", ['{% url "missing" %}', '{% url "admin:app_list" %}', "{% url none %}"]
)
def test_links_that_do_not_exist(render, source):
    outcome = render.outcome(source, CONTEXT)
    assert outcome.error is not None


def test_static_files(render):
    source = "{% load static %}{% static 'a b/c.css' %}{% static word as x %}{{ x }}"
    render(source, CONTEXT)
    render("{% load static %}{% autoescape off %}{% static word %}{% endautoescape %}", CONTEXT)


class TestNamesPrintedInLoops:
    """Their text is made once for a loop, if no setting has a say in it."""

    VALUES = (
        *("word", "a < b", safe("<b>"), "", None, True, 5, 12345, 1234.5, Decimal("1.50")),
        *(MOMENT, datetime.timedelta(1), ["<", 1], CONTEXT["message"]),
    )
    SOURCES = (
        "{% for row in rows %}{{ x }},{{ 12345 }},{{ 1.5 }},{{ missing }},{{ x }};{% endfor %}",
        "{% for row in rows %}{% autoescape off %}{{ x }}{% endautoescape %}{{ x }};{% endfor %}",
        "{% for row in rows %}{% for y in row %}{{ y }}{{ x }}{{ missing }}{% endfor %}{% endfor %}",
        "{{ x }}{% for row in rows %}{% if row %}{{ x }}{{ 7 }}{% endif %}{% endfor %}",
        "{% for row in rows %}{{ x }}{% cycle 'a' 'b' as x %}{{ x }}{% endfor %}{{ x }}",
        "{% for x in rows %}{{ x }}{% with x=5 %}{{ x }}{% endwith %}{{ x }}{% endfor %}{{ x }}",
        "{% load l10n %}{% for row in rows %}{% localize off %}{{ x }}{{ 12345 }}{% endlocalize %}"
        "{% localize on %}{{ x }}{{ 12345 }}{% endlocalize %}{% endfor %}",
    )

    @pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)
    @pytest.mark.parametrize("separators", [False, True])
    def test_each_kind_of_value(self, render, settings, value, separators):
        settings.USE_THOUSAND_SEPARATOR = separators
        for source in self.SOURCES:
            render(source, {"x": value, "rows": ["ab", "", "c"]}, waits=None)

    def test_a_text_is_asked_again_where_it_may_change(self, render):
        class Counts:
            def __init__(self):
                self.asked = 0

            def __str__(self):
                self.asked += 1
                return f"{self.asked}<"

        source = "{% for row in rows %}{{ x }}{% endfor %}"
        output = render(source, lambda: {"x": Counts(), "rows": "abc"}, waits=None)
        assert output == "1&lt;2&lt;3&lt;"
