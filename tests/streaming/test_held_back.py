"""What of a page is sent while it waits, and what is held back as a whole: the chunks themselves."""

import django
import pytest
from django import forms
from django.template import Context
from django.test import override_settings
from django.utils import timezone, translation

from atemplates.engines.django import arender_template
from atemplates.engines.streaming import chunks_of
from atemplates.runtime.policy import Policy
from tests.event_loop import turns
from tests.property.library import build_library
from tests.rendering import MAIN, new_engine

from .eager import eager, pausing

INNER = "b{{ o.w }}c"
"""An included template that waits in its midst."""
TEMPLATES = {
    "i": INNER,
    "card.html": "{{ x }}" + INNER,
    "base": "<{% block x %}x{{ o.w }}y{% endblock %}|{% block y %}{% endblock %}>",
    "middle": "{% extends 'base' %}{% block x %}m{{ o.w }}n{% endblock %}",
    "up": "{% include 'i' %}{% include 'i' %}",
}


class Source:
    """Something whose methods take so long that the page's reader has read what there is."""

    async def w(self):
        await turns(5)
        return "w"

    async def fail(self):
        await turns(5)
        raise RuntimeError("no")

    async def rows(self):
        for row in "pq":
            await turns(5)
            yield row


def load(source):
    engine = new_engine({**TEMPLATES, MAIN: source}, policy=Policy(trusted_after=0))
    engine.template_builtins.append(build_library(False))
    return engine.get_template(MAIN)


def values():
    source = Source()
    return {"o": source, "two": "12", "rows": source.rows()}


async def read(template, **more):
    return [chunk async for chunk in chunks_of(template, Context({**values(), **more}), None)]


async def check(source, chunks, **more):
    """Read the page, and once it is compiled twice, whole in between; and once sent at each write."""
    template = load(source)
    whole = "".join(chunks)
    assert "".join(await read(template, **more)) == whole
    assert await read(template, **more) == chunks
    assert await arender_template(template, Context({**values(), **more})) == whole
    assert await read(template, **more) == chunks
    with eager(), pausing():
        pieces = await read(load(source), **more)
    assert "".join(pieces) == whole
    return pieces


# -- held back -------------------------------------------------------------------------------------

HELD_BACK = {
    "filter": ("a{% filter upper %}b{{ o.w }}c{% endfilter %}d{{ o.w }}e", ["a", "BWCd", "we"]),
    "spaceless": (
        "a{% spaceless %}<b></b> <i>{{ o.w }}</i> <u></u>{% endspaceless %}d{{ o.w }}e",
        ["a", "<b></b><i>w</i><u></u>d", "we"],
    ),
    "cache": (
        "{% load cache %}a{% cache 0 k %}b{{ o.w }}c{% endcache %}d{{ o.w }}e",
        ["a", "bwcd", "we"],
    ),
    "blocktranslate": (
        "{% load i18n %}a{% blocktranslate with x=o.w y=o.w %}b{{ x }}c{{ y }}"
        "{% endblocktranslate %}d{{ o.w }}e",
        ["a", "bwcwd", "we"],
    ),
    "blocktranslate asvar": (
        "{% load i18n %}a{% blocktranslate asvar t with x=o.w %}b{{ x }}{% endblocktranslate %}c"
        "{{ t }}d{{ o.w }}e",
        ["a", "cbwd", "we"],
    ),
    "ifchanged": (
        "{% for x in two %}[{% ifchanged %}b{{ o.w }}c{% endifchanged %}]{% endfor %}",
        ["[", "bwc][", "]"],
    ),
    "ifchanged else": (
        "{% for x in two %}[{% ifchanged %}{{ o.w }}{% else %}same{% endifchanged %}]{% endfor %}",
        ["[", "w][", "same]"],
    ),
    "a simple block tag": ("a{% boxed 1 %}b{{ o.w }}c{% endboxed %}d{{ o.w }}e", ["a", "[1:bwc]d", "we"]),
    "a block tag of others": ("a{% upper %}b{{ o.w }}c{% endupper %}d{{ o.w }}e", ["a", "BWCd", "we"]),
    "a block tag of others that awaits": (
        "a{% later_upper %}b{{ o.w }}c{% endlater_upper %}d{{ o.w }}e",
        ["a", "BWCd", "we"],
    ),
    "a loop of others": (
        "a{% own_for x in two %}{{ x }}{{ o.w }}{% endown_for %}d{{ o.w }}e",
        ["a", "(1w2w)d", "we"],
    ),
    "block.super": (
        "{% extends 'base' %}{% block x %}a{{ block.super }}b{{ o.w }}{% endblock %}",
        ["<a", "xwyb", "w|>"],
    ),
    "block.super of two": (
        "{% extends 'middle' %}{% block x %}a{{ block.super }}b{{ o.w }}{% endblock %}",
        ["<a", "mwnb", "w|>"],
    ),
    "block.super filtered": (
        "{% extends 'base' %}{% block x %}a{{ block.super|upper }}b{{ o.w }}{% endblock %}",
        ["<a", "XWYb", "w|>"],
    ),
    "a variable of with": ("a{% with x=o.w %}b{{ x }}{{ o.w }}{% endwith %}", ["a", "bw", "w"]),
    "a filter around a loop": (
        "a{% filter upper %}{% for x in rows %}{{ x }}{{ o.w }}{% endfor %}{% endfilter %}d{{ o.w }}",
        ["a", "PWQWd", "w"],
    ),
    "a filter in a loop": (
        "{% for x in two %}a{% filter upper %}b{{ o.w }}{% endfilter %}{% endfor %}{{ o.w }}",
        ["a", "BWa", "BW", "w"],
    ),
    "an include inside": (
        "a{% filter upper %}{% include 'i' %}{% endfilter %}d{% include 'i' %}e",
        ["a", "BWCdb", "wce"],
    ),
    "two includes inside, one inside each other": (
        "a{% filter upper %}{% include 'up' %}{% endfilter %}d{% include 'up' %}e",
        ["a", "BWCBWCdb", "wcb", "wce"],
    ),
    "captures inside each other": (
        "a{% filter upper %}b{% include 'i' %}{% filter lower %}X{% include 'i' %}{% endfilter %}"
        "{% include 'i' %}{% endfilter %}d{% include 'i' %}e",
        ["a", "BBWCXBWCBWCdb", "wce"],
    ),
    "an inclusion tag inside": (
        "a{% filter upper %}{% context_card 'x' %}{% endfilter %}d{{ o.w }}",
        ["aXBCd", "w"],
    ),
    "a block inside": (
        "{% extends 'base' %}{% block y %}{% filter upper %}{% block z %}b{{ o.w }}c{% endblock %}"
        "{% endfilter %}d{{ o.w }}e{% endblock %}",
        ["<x", "wy|", "BWCd", "we>"],
    ),
    "inside what others hold back": (
        "a{% upper %}{% filter lower %}{% include 'i' %}{% endfilter %}{% include 'i' %}{% endupper %}"
        "d{% include 'i' %}e",
        ["a", "BWCBWCdb", "wce"],
    ),
    "a loop that is captured, with includes": (
        "{% for x in two %}{% filter upper %}{% for y in two %}{% include 'i' %}{% endfor %}"
        "{% endfilter %}{% include 'i' %}{% endfor %}",
        ["BWCBWCb", "wc", "BWCBWCb", "wc"],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("source", "chunks"), HELD_BACK.values(), ids=HELD_BACK)
async def test_it_is_held_back_as_a_whole(source, chunks):
    await check(source, chunks)


class Unsettled(forms.Form):
    name = forms.CharField(help_text="any")
    age = forms.IntegerField()


@pytest.mark.parametrize(
    "form", ["{{ form }}", "{{ form.as_p }}", "{{ form.name.as_field_group }}"]
)
async def test_a_form_is_one_piece(form):
    template = load(form)
    text = template.render(Context({"form": Unsettled({"name": "n"})}))
    assert text.count("<") > 3
    pieces = await check(
        f"a{form}b{{{{ o.w }}}}", [f"a{text}b", "w"], form=Unsettled({"name": "n"})
    )
    assert any(text in piece for piece in pieces)


# -- written through -------------------------------------------------------------------------------

THROUGH = {
    "include": ("a{% include 'i' %}d", ["ab", "wcd"]),
    "include with": ("a{% include 'i' with x=o.w %}d", ["a", "b", "wcd"]),
    "include of a variable": ("a{% include name %}d", ["ab", "wcd"]),
    "include in a loop": (
        "{% for x in two %}{{ x }}{% include 'i' %}{% endfor %}",
        ["1b", "wc2b", "wc"],
    ),
    "include in a loop, with": (
        "{% for x in two %}{{ x }}{% include 'i' with y=x only %}{% endfor %}",
        ["1bc2bc"],
    ),
    "includes inside each other": ("a{% include 'up' %}d", ["ab", "wcb", "wcd"]),
    "an inclusion tag": ("a{% later_card o.w %}d{{ o.w }}", ["a", "wbcd", "w"]),
    "if": ("a{% if o.w %}b{{ o.w }}{% endif %}c", ["a", "b", "wc"]),
    "else": ("a{% if 0 %}{% else %}b{{ o.w }}{% endif %}c", ["ab", "wc"]),
    "a loop": ("a{% for x in two %}{{ x }}{{ o.w }}{% endfor %}c", ["a1", "w2", "wc"]),
    "a loop that reads": (
        "a{% for x in rows %}{{ x }}{{ o.w }}{% empty %}none{% endfor %}c",
        ["a", "p", "wq", "wc"],
    ),
    "empty": ("a{% for x in '' %}{% empty %}b{{ o.w }}{% endfor %}c", ["ab", "wc"]),
    "with": ("a{% with x=1 %}{{ x }}{{ o.w }}{% endwith %}c", ["a1", "wc"]),
    "autoescape": ("a{% autoescape off %}b{{ o.w }}c{% endautoescape %}d", ["ab", "wcd"]),
    "language": (
        "{% load i18n %}a{% language 'de' %}b{{ o.w }}c{% endlanguage %}d",
        ["ab", "wcd"],
    ),
    "timezone": ("{% load tz %}a{% timezone 'UTC' %}b{{ o.w }}c{% endtimezone %}d", ["ab", "wcd"]),
    "localtime": ("{% load tz %}a{% localtime on %}b{{ o.w }}{% endlocaltime %}d", ["ab", "wd"]),
    "localize": ("{% load l10n %}a{% localize on %}b{{ o.w }}{% endlocalize %}d", ["ab", "wd"]),
    "ifchanged of values": (
        "{% for x in two %}[{% ifchanged x %}b{{ o.w }}c{% endifchanged %}]{% endfor %}",
        ["[b", "wc][b", "wc]"],
    ),
    "a block": ("a{% block b %}b{{ o.w }}c{% endblock %}d", ["ab", "wcd"]),
    "a block in a loop": (
        "{% for x in two %}{% block b %}b{{ o.w }}c{% endblock %}{% endfor %}",
        ["b", "wcb", "wc"],
    ),
    "extends": (
        "{% extends 'base' %}{% block y %}b{{ o.w }}c{% endblock %}",
        ["<x", "wy|b", "wc>"],
    ),
    "a parent that is included": ("a{% include 'middle' %}d", ["a<m", "wn|>d"]),
    "a long page": ("".join(f"{{{{ x{n} }}}}." for n in range(250)) + "{{ o.w }}", ["." * 250, "w"]),
    "a deep page": ("{% if 1 %}" * 30 + "a{{ o.w }}b" + "{% endif %}" * 30, ["a", "wb"]),
    "a deep page with a filter": (
        "{% if 1 %}" * 30
        + "a{{ o.w }}b{% filter upper %}{% if 1 %}c{{ o.w }}{% include 'i' %}{% endif %}{% endfilter %}"
        "{{ o.w }}" + "{% endif %}" * 30,
        ["a", "wb", "CWBWC", "w"],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("source", "chunks"), THROUGH.values(), ids=THROUGH)
async def test_it_leaves_when_the_page_waits(source, chunks):
    await check(source, chunks, name="i")


PARTIALS = {
    "partialdef inline": ("a{% partialdef p inline %}b{{ o.w }}c{% endpartialdef %}d", ["ab", "wcd"]),
    "partial": (
        "{% partialdef p %}b{{ o.w }}c{% endpartialdef %}a{% partial p %}d{% partial p %}",
        ["ab", "wcdb", "wc"],
    ),
    "partial in a loop": (
        "{% partialdef p %}b{{ o.w }}{% endpartialdef %}{% for x in two %}{% partial p %}{% endfor %}",
        ["b", "wb", "w"],
    ),
    "partial in a filter": (
        "{% partialdef p %}b{{ o.w }}{% endpartialdef %}a{% filter upper %}{% partial p %}"
        "{% endfilter %}{% partial p %}",
        ["a", "BWb", "w"],
    ),
}  # fmt: skip


@pytest.mark.skipif(django.VERSION < (6, 0), reason="Django has no partials before 6.0")
@pytest.mark.parametrize(("source", "chunks"), PARTIALS.values(), ids=PARTIALS)
async def test_partials(source, chunks):
    await check(source, chunks)


# -- exceptions that somebody swallows -------------------------------------------------------------

SWALLOWED = {
    "in a block tag": (
        "a{% attempt %}b{{ o.fail }}c{% endattempt %}d{% include 'i' %}e",
        ["a", "(RuntimeError)db", "wce"],
    ),
    "in a capture": (
        "a{% attempt %}b{% filter upper %}c{{ o.fail }}{% endfilter %}{% endattempt %}d"
        "{% include 'i' %}e",
        ["a", "(RuntimeError)db", "wce"],
    ),
    "inside a capture": (
        "a{% filter upper %}b{% attempt %}{% filter lower %}C{{ o.fail }}{% endfilter %}"
        "{% endattempt %}{% include 'i' %}{% endfilter %}d{% include 'i' %}e",
        ["a", "B(RUNTIMEERROR)BWCdb", "wce"],
    ),
    "in an included template": (
        "a{% attempt %}{% include 'fails' %}{% endattempt %}d{% include 'i' %}e",
        ["a", "(RuntimeError)db", "wce"],
    ),
    "in a loop": (
        "{% for x in two %}{% attempt %}{% filter upper %}{% include 'fails' %}{% endfilter %}"
        "{% endattempt %}{% include 'i' %}{% endfor %}",
        ["(RuntimeError)b", "wc", "(RuntimeError)b", "wc"],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("source", "chunks"), SWALLOWED.values(), ids=SWALLOWED)
async def test_after_an_exception_that_was_swallowed(source, chunks, monkeypatch):
    monkeypatch.setitem(TEMPLATES, "fails", "x{% filter upper %}y{{ o.fail }}{% endfilter %}")
    await check(source, chunks)


# -- what is around the page -----------------------------------------------------------------------


@override_settings(USE_TZ=True)
async def test_who_reads_has_a_language_and_a_time_zone_of_their_own():
    template = load(
        "{% load i18n tz %}{% get_current_language as l %}{{ l }}{{ o.w }}"
        "{% language 'de' %}{% timezone 'Asia/Tokyo' %}{% get_current_language as l %}{{ l }}"
        "{{ o.w }}{% get_current_timezone as z %}{{ z }}{{ o.w }}{% endtimezone %}{% endlanguage %}"
        "{% get_current_language as l %}{% get_current_timezone as z %}{{ l }}{{ z }}"
    )
    with translation.override("fr"), timezone.override("Europe/Paris"):
        found = []
        async for chunk in chunks_of(template, Context(values()), None):
            assert translation.get_language() == "fr"
            assert timezone.get_current_timezone_name() == "Europe/Paris"
            found.append(chunk)
            # What the reader does is nothing to the page.
            translation.activate("pl")
            timezone.activate("UTC")
            translation.activate("fr")
            timezone.activate("Europe/Paris")
    assert found == ["fr", "wde", "wAsia/Tokyo", "wfrEurope/Paris"]
