"""What a render remembers of language, time zone and addresses is Django's at any moment."""

import datetime
import threading
import types
from contextvars import ContextVar, copy_context
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.http import HttpResponse
from django.template import Library
from django.test import override_settings
from django.urls import (
    get_script_prefix,
    get_urlconf,
    path,
    reverse,
    set_script_prefix,
    set_urlconf,
)
from django.utils import formats, timezone, translation

from atemplates.runtime.ambient import Ambient
from atemplates.runtime.fast import urls
from atemplates.runtime.fast.urls import reverse as ours

register = Library()
LIBRARIES = {"ambient": __name__}
PARIS, TOKYO = ZoneInfo("Europe/Paris"), ZoneInfo("Asia/Tokyo")


def site(place: str) -> Any:
    """A URLconf with one address."""
    module: Any = types.ModuleType(f"tests.{place}")
    module.urlpatterns = [path(f"{place}/<int:pk>/", lambda request, pk: HttpResponse(), name="it")]
    return module


HERE, THERE = site("here"), site("there")

CHANGES: dict[str, Any] = {
    "a language": lambda: translation.activate("de"),
    "another": lambda: translation.activate("fr"),
    "none": translation.deactivate_all,
    "the default one": translation.deactivate,
    "a time zone": lambda: timezone.activate(PARIS),
    "another time zone": lambda: timezone.activate(TOKYO),
    "the default time zone": timezone.deactivate,
    "addresses": lambda: set_urlconf(HERE),
    "other addresses": lambda: set_urlconf(THERE),
    "a prefix": lambda: set_script_prefix("/app/"),
    "no prefix": lambda: set_script_prefix("/"),
    "the default addresses": lambda: set_urlconf(None),
}


@pytest.fixture(autouse=True)
def as_before() -> Any:
    """Leave the ambient as they were, whatever the test sets."""
    before = translation.get_language()
    yield
    translation.activate(before)
    timezone.deactivate()
    set_urlconf(None)
    set_script_prefix("/")


def facts_of(ambient: Ambient) -> list[Any]:
    """What ours say."""
    now = ambient.now()
    resolver, prefix, language = now.site
    assert language == now.language
    return [
        now.language, now.zone, prefix, resolver.urlconf_name, now.message("Yes"),
        now.format("DECIMAL_SEPARATOR"), now.format("DECIMAL_SEPARATOR", False),
    ]  # fmt: skip


def facts_of_django() -> list[Any]:
    """What Django says."""
    return [
        translation.get_language(),
        timezone.get_current_timezone(),
        get_script_prefix(),
        get_urlconf() or "tests.urls",
        translation.gettext("Yes"),
        formats.get_format("DECIMAL_SEPARATOR"),
        formats.get_format("DECIMAL_SEPARATOR", use_l10n=False),
    ]


def test_every_change_is_seen():
    ambient = Ambient()
    for _ in range(2):
        for name, change in CHANGES.items():
            change()
            for _ in range(2):  # found out, then remembered
                assert facts_of(ambient) == facts_of_django(), name


async def test_every_change_is_seen_on_the_loop():
    test_every_change_is_seen()


def test_what_has_not_changed_is_not_asked_again():
    ambient = Ambient()
    ambient.now().messages["Yes"] = "as remembered"
    assert ambient.now().message("Yes") == "as remembered"
    translation.activate("de")
    assert ambient.now().message("Yes") == "Ja"


def test_another_thread_sees_what_is_its_own():
    """Its variables are the same; Django's values are not, since they belong to a thread."""
    translation.activate("de")
    ambient = Ambient()
    ambient.now().messages["Yes"] = "remembered by another thread"
    found = []
    context = copy_context()

    def look():
        found.append((ambient.now().message("Yes"), translation.gettext("Yes")))

    thread = threading.Thread(target=context.run, args=(look,))
    thread.start()
    thread.join()
    ((ours, django),) = found
    assert ours == django


class Unequal:
    """A value that cannot be compared, as an array of numbers cannot."""

    def __eq__(self, other: object) -> bool:
        raise ValueError("ambiguous")

    __hash__ = object.__hash__


def test_variables_of_others_may_hold_anything():
    variable = ContextVar("variable", default=None)
    variable.set(Unequal())
    ambient = Ambient()
    ambient.now().messages["Yes"] = "remembered"
    assert ambient.now().message("Yes") == "remembered"
    variable.set(Unequal())
    assert ambient.now().message("Yes") == translation.gettext("Yes")


# -- in templates ----------------------------------------------------------------------------------


class Switch:
    """What a template reaches changes the ambient, as any property or method may."""

    @property
    def german(self) -> str:
        translation.activate("de")
        return "de"

    def tokyo(self) -> str:
        timezone.activate(TOKYO)
        return "Tokyo"

    @property
    def elsewhere(self) -> str:
        set_urlconf(THERE)
        return "there"

    def prefixed(self) -> str:
        set_script_prefix("/app/")
        return "prefix"

    def __str__(self) -> str:
        translation.activate("fr")
        return "fr"


@register.filter
def switch(value: Any) -> Any:
    """A filter that changes the time zone."""
    timezone.activate(PARIS)
    return value


@register.simple_tag
def change(value: str) -> str:
    """A tag that changes the language."""
    translation.activate(value)
    return value


WRITTEN = (
    "{% trans 'Yes' %} {{ moment }} {{ moment|date:'j F H:i' }} {{ moment|date }} {{ number }} "
    "{{ number|floatformat:1 }} {{ big|intcomma }} {% url 'it' 5 %}{% url 'it' pk=5 %}\n"
)
SWITCHES = [
    "{{ s.german }}", "{{ s.tokyo }}", "{{ s.elsewhere }}", "{{ s.prefixed }}", "{{ s }}",
    "{{ big|switch }}", "{% change 'ja' %}", "{% if s.german %}{% endif %}",
]  # fmt: skip


@pytest.mark.parametrize("switch", [*SWITCHES, "".join(SWITCHES)])
@pytest.mark.parametrize("looped", [False, True], ids=["once", "in a loop"])
def test_what_a_template_changes_shows_at_once(render, switch, looped):
    def values() -> dict[str, Any]:
        translation.activate("en")
        timezone.deactivate()
        set_urlconf(HERE)
        set_script_prefix("/")
        moment = datetime.datetime(2024, 5, 1, 22, 30, tzinfo=datetime.UTC)
        return {"s": Switch(), "moment": moment, "number": 1.5, "big": 1234567, "rows": [1, 2]}

    body = WRITTEN + switch + WRITTEN + "{% language 'de' %}" + WRITTEN + "{% endlanguage %}"
    body += "{% timezone 'Asia/Kolkata' %}" + WRITTEN + "{% endtimezone %}" + WRITTEN
    if looped:
        body = "{% for row in rows %}" + body + "{% endfor %}"
    source = "{% load i18n tz humanize ambient %}" + body
    with override_settings(USE_TZ=True):
        render(source, values, libraries=LIBRARIES, waits=None)


async def test_an_address_is_made_once_for_the_same_arguments():
    set_urlconf(HERE)
    ambient = Ambient()
    reverse("it", args=(5,))  # the first time, Django sets a variable while it reads the patterns
    assert ours(ambient, "it", (5,), {}, None) == reverse("it", args=(5,))
    assert list(ambient.now().addresses.values()) == ["/here/5/"]
    ambient.now().addresses.update(dict.fromkeys(ambient.addresses, "/remembered/"))
    assert ours(ambient, "it", (5,), {}, None) == "/remembered/"
    # Equal to what is remembered is nothing of another text, or under a name.
    assert ours(ambient, "it", ("5",), {}, None) == "/here/5/"
    assert ours(ambient, "it", (), {"pk": 5}, None) == "/here/5/"


def test_a_render_remembers_few_addresses(monkeypatch):
    monkeypatch.setattr(urls, "MOST_ADDRESSES", 3)
    set_urlconf(HERE)
    ambient = Ambient()
    reverse("it", args=(0,))
    for number in range(10):
        assert ours(ambient, "it", (number,), {}, None) == f"/here/{number}/"
        assert len(ambient.addresses) <= 3
