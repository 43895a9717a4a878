"""The text of values of every kind: as Django writes it, in loops and outside."""

import datetime
import decimal
import enum
import uuid
from collections import namedtuple

import pytest
from django.utils.functional import SimpleLazyObject, lazy
from django.utils.translation import gettext_lazy, ngettext_lazy, pgettext_lazy

from tests.rendering import safe

Pair = namedtuple("Pair", "a b")


class Text(str):
    pass


class Said:
    """Gives a text of some kind."""

    def __init__(self, text):
        self.text = text

    def __str__(self):
        return self.text

    def __repr__(self):
        return "<repr & co>"


class Marked(Said):
    def __html__(self):
        return "<html>"


class Pretending:
    __class__ = int

    def __str__(self):
        return "7"


class Colour(enum.IntEnum):
    RED = 1


VALUES = [
    *(None, True, False, 0, 1234567, -5, 1.5, 1e300, float("inf"), 0.1, b"<bytes>", "<text>"),
    *(safe("<safe>"), Text("<sub>"), decimal.Decimal("1234.50"), decimal.Decimal("1E+50")),
    *(datetime.time(0, 5), datetime.time(13, 0), datetime.time(12, 30, 1, 5)),
    *(datetime.date(2024, 2, 29), datetime.timedelta(days=1, seconds=5), uuid.UUID(int=7)),
    *(
        gettext_lazy("Yes"),
        gettext_lazy(safe("Yes")),
        gettext_lazy("<&>"),
        gettext_lazy(safe("<b>")),
        gettext_lazy(""),
    ),
    *(pgettext_lazy("abbrev. month", "May"), ngettext_lazy("%d day", "%d days", 5)),
    *(lazy(lambda: safe("<lazy>"), str)(), lazy(lambda: 5, int)(), SimpleLazyObject(lambda: "<s>")),
    *(
        [],
        ["<a>", 1, None, "'"],
        ("x",),
        (),
        {"<k>": "v", 1: 2.5},
        {},
        {"a": ["<b>"]},
        [[1], ["<"]],
    ),
    *([safe("<s>")], [Said("x")], {"a": Said("y")}, {Colour.RED: 1}, [gettext_lazy("Yes")]),
    *({1, 2}, frozenset(), range(3), {}.keys(), {"<a>": 1}.items(), Pair(1, "<"), [Text("<t>")]),
    *(Said("<said>"), Said(safe("<said>")), Said(Text("<said>")), Marked("<marked>"), Colour.RED),
    *(Pretending(), object, Said, ValueError("<error>"), slice(1, 2), 5j),
]


@pytest.mark.parametrize("settings_on", [True, False])
@pytest.mark.parametrize("language", ["en-us", "de"])
@pytest.mark.parametrize("autoescape", [True, False])
def test_values(render, settings, settings_on, language, autoescape):
    settings.USE_THOUSAND_SEPARATOR = settings_on
    head = f"{{% load i18n l10n %}}{{% language '{language}' %}}{{% localize {'on' if settings_on else 'off'} %}}"
    loop = "{% for value in values %}[{{ value }}]{% endfor %}"
    outside = "".join(f"[{{{{ values.{number} }}}}]" for number in range(len(VALUES)))
    source = f"{head}{loop}{outside}{{% endlocalize %}}{{% endlanguage %}}"
    render(source, {"values": VALUES}, autoescape=autoescape, waits=None)


def test_a_container_is_printed_as_it_is_now(render):
    source = "{% for row in rows %}{{ row }}{{ row.pop }}{{ row }}{% endfor %}"
    assert render(source, lambda: {"rows": [[1, 2]]}) == "[1, 2]2[1]"


def test_a_text_that_cannot_be_had(render):
    class Broken:
        def __str__(self):
            raise ZeroDivisionError

    outcome = render.outcome(
        "{% for row in rows %}{{ row }}{% endfor %}", {"rows": [Broken()]}, waits=None
    )
    assert type(outcome.error) is ZeroDivisionError


@pytest.mark.parametrize("time_format", ["H:i", "P", "H:i e", "d", r"\h\o\u\r G", "u s A"])
def test_times(render, settings, time_format):
    settings.FORMAT_MODULE_PATH = None
    settings.TIME_FORMAT = time_format
    settings.USE_TZ = False
    source = (
        "{% load l10n %}{% localize off %}{% for t in times %}{{ t }}{% endfor %}{% endlocalize %}"
    )
    times = [datetime.time(0, 0), datetime.time(12, 0), datetime.time(13, 5, 6, 7)]
    render.outcome(source, {"times": times})


@pytest.mark.parametrize("language", ["en-us", "de"])
def test_truth_and_comparisons(render, language):
    tests = "{% if value %}t{% endif %}{% if value == other %}={% endif %}{% if value in other %}i{% endif %}"
    changed = "{% ifchanged value %}c{% endifchanged %}"
    source = f"{{% for value in values %}}{{% for other in others %}}{tests}{{% endfor %}}{changed}{{% endfor %}}"
    others = [
        None,
        1,
        "<text>",
        ["<a>", 1, None, "'"],
        [[1], ["<"]],
        {"a": Said("y")},
        *VALUES[20:24],
    ]
    source = f"{{% load i18n %}}{{% language '{language}' %}}{source}{{% endlanguage %}}"
    render(source, {"values": VALUES, "others": others}, waits=None)


def test_containers_in_containers(render):
    deep = [[[[[["<deep>"]]]]], {"a": {"b": {"c": {"d": Said("x")}}}}, {("<k>", 1): ()}]
    endless: list[object] = ["<e>"]
    endless.append(endless)
    source = "{% for value in values %}{{ value }}{% endfor %}{{ values }}"
    render(source, {"values": [*deep, endless, {"e": endless}]}, waits=None)
