"""A site's tags in loops, where compiled code calls them by itself if nothing is in the way."""

import datetime
from decimal import Decimal

import pytest
from django.template import Context
from django.utils.functional import lazystr
from django.utils.safestring import SafeString, mark_safe

from atemplates.engines.django import arender_template, render_template
from atemplates.placement.records import is_trusted
from tests.rendering import arender_hops, parse
from tests.tags import loop_tags

LIBRARIES = {"lib": "tests.tags.loop_tags"}
TEMPLATES = {"included.html": "({{ row }}{{ extra }}{% csrf_token %})"}


class Shouting(str):
    def __str__(self):
        return "str()"

    def __format__(self, spec):
        return "format()"


class SafeShouting(SafeString):
    def __format__(self, spec):
        return "format()"


class Html:
    def __html__(self):
        return "<i>html</i>"


class Text:
    def __str__(self):
        return "<text>"


class Row:
    kind = "<class>"

    def __init__(self, number):
        self.number = number
        self.text = f"<{number}>"
        self.inner = {"deep": Text(), "n": number}

    @property
    def asked(self):
        return f"asked {self.number}"

    def method(self):
        return f"called {self.number}"


class Slotted:
    __slots__ = ("text",)

    def __init__(self, text):
        self.text = text


VALUES = [
    *("", "plain", "<b>", mark_safe("<b>"), Shouting("<own>"), SafeShouting("<own>")),
    *(0, -5, 10**30, 1.5, 1e100, float("nan"), True, None, Decimal("1E+2"), 1234567),
    *(lazystr("<lazy>"), Html(), Text(), [1, "<"], {"a": "<"}, ("x",), b"<", {1}),
    *(datetime.date(2026, 1, 2), datetime.timedelta(days=1), range(3)),
]


def rows():
    return {
        "rows": [*map(Row, range(4)), Slotted("<slot>")],
        "values": list(VALUES),
        "texts": [value for value in VALUES if isinstance(value, str)],
        "word": "<w>",
    }


SOURCES = [
    "{% for v in values %}{% give v %},{% endfor %}",
    "{% for v in values %}{% give v as w %}{{ w }},{% endfor %}[{{ w }}]",
    "{% for v in values %}{% strong v 1 sep='<' %}{% strong a=v class='x' %}{% endfor %}",
    "{% for v in values %}{% seen 'v' 'word' 'nothing' %}{{ forloop.counter }},{% endfor %}",
    "{% for v in values %}{% counted 'n' %}{{ n }}{% endfor %}{{ n }}",
    "{% for row in rows %}{{ row.text }}{% names_row 'new' %}{{ row }}{% seen 'row' %}{% endfor %}",
    "{% for row in rows %}{% leaves_frame 'left' row.text %}{{ left }}{% endfor %}{{ left }}",
    "{% for v in values %}{% boxed %}{{ v }}{% endboxed %}{% boxed v %}{% endboxed %}{% endfor %}",
    "{% for v in values %}{% included v %}{% endfor %}",
    "{% with extra='<e>' %}{% for v in values %}{% included_with 'v' %}{% endfor %}{% endwith %}",
    "{% for v in values %}{% shows v word %},{% endfor %}",
    "{% for row in rows %}{% shows row.text row.kind row.asked row.method row.inner.deep %}"
    "{% shows row.inner.n row.inner.none row.missing missing row.text|upper '<' %}{% endfor %}",
    "{% for row in rows %}{% raw row.text %}{% raw row.missing %}{% endfor %}",
    "{% for row in rows %}{% pushes %}{{ row.text }}{{ pushed }}{% endpushes %}{{ pushed }}"
    "{% endfor %}",
    "{% for row in rows %}{% for v in values %}{% seen 'v' 'row' %}{% endfor %}{% endfor %}",
    "{% for row in rows %}{% pushes %}{% for v in values %}{% seen 'v' 'pushed' %}{% endfor %}"
    "{% endpushes %}{% endfor %}",
    "{% for a, b in rows2 %}{% seen 'a' 'b' %}{% shows a b forloop.counter %}{% endfor %}",
    "{% for v in values %}{% with w=v %}{% seen 'w' %}{% shows w %}{% endwith %}{% endfor %}",
    "{% for v in values %}{% shows forloop.counter forloop.last forloop.revcounter0 %}{% endfor %}",
    "{% block b %}{% for v in values %}{% give block.name %}{% endfor %}{% endblock %}",
]


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("escaping", ["on", "off"])
def test_as_stock(render, source, escaping):
    if source == SOURCES[0] and escaping == "off":  # what is no text fails, see below
        source = source.replace("values", "texts")
    source = f"{{% autoescape {escaping} %}}{source}{{% endautoescape %}}"
    render.outcome(
        "{% load lib %}" + source,
        lambda: {**rows(), "rows2": [(1, "<"), ["x", "y"]], "csrf_token": "T"},
        templates=TEMPLATES,
        libraries=LIBRARIES,
        waits=None,
    )


FILTERS = [
    *("same", "same:word", "same:'<'", "same|upper", "same:v|same", "same_safe", "told", "zone"),
    *("louder", "louder:'?'", "louder:word", "louder_safe", "louder_told", "louder_safe|same_safe"),
    *("upper|louder", "louder:missing", "fails_for_digits"),
]


@pytest.mark.parametrize("chain", FILTERS)
@pytest.mark.parametrize("escaping", ["on", "off"])
def test_filters_as_stock(render, chain, escaping):
    source = f"{{% for v in values %}}{{{{ v|{chain} }}}},{{% endfor %}}{{{{ missing|{chain} }}}}"
    render.outcome(
        f"{{% load lib %}}{{% autoescape {escaping} %}}{source}{{% endautoescape %}}",
        lambda: {**rows(), "word": "<w>"},
        libraries=LIBRARIES,
        waits=None,
    )


def test_a_filter_that_gives_an_awaitable():
    source = "{% load lib %}{% for v in values %}{{ v|comes_later }},{% endfor %}"
    template = parse(source, libraries=LIBRARIES)
    values = {"values": ["<", 1, mark_safe("<"), None]}
    assert render_template(template, Context(values)) == "&lt;,1,<,None,"


@pytest.mark.parametrize("tag", ["give v", "raw v"])
async def test_what_is_no_text_fails_where_the_loop_ends(tag):
    source = f"{{% load lib %}}{{% autoescape off %}}{{% for v in values %}}{{% {tag} %}}{{% counted 'n' %}}{{% endfor %}}{{% endautoescape %}}"
    template = parse(source, libraries=LIBRARIES)
    context = Context({"values": ["x", 5, "y"]})
    with pytest.raises(TypeError, match="expected str instance, int found"):
        render_template(template, context)
    assert context["n"] == 3
    with pytest.raises(TypeError, match="expected str instance, int found"):
        await arender_template(template, context)
    assert context["n"] == 6


class TestAwaitables:
    """What gets the context finds results there, wherever the awaitables are."""

    SOURCES = {
        "{% for r in rows %}{% seen 'a' 'r' %},{% endfor %}": "a=A r=1,a=A r=2,",
        "{% for r in later %}{% seen 'word' 'r' %},{% endfor %}": "word=w r=A,word=w r=A,",
        "{% for r in mixed %}{% seen 'r' %}{% shows r %},{% endfor %}": "r=11,r=AA,r=22,",
        "{% for r in mixed %}{% for s in rows %}{% seen 'r' 's' %},{% endfor %}{% endfor %}": (
            "r=1 s=1,r=1 s=2,r=A s=1,r=A s=2,r=2 s=1,r=2 s=2,"
        ),
        "{% for r in mixed %}{% pushes %}{% for s in rows %}{% seen 'r' %},{% endfor %}"
        "{% endpushes %}{% endfor %}": "r=1,r=1,r=A,r=A,r=2,r=2,",
        "{% for r, s in pairs %}{% seen 'r' 's' %},{% endfor %}": "r=1 s=2,r=A s=3,r=4 s=A,",
        "{% for r in rows %}{% seen 'r' %}{% endfor %}{% for r in rows %}{% seen 'a' %}"
        "{% endfor %}": "r=1r=2a=Aa=A",
        "{% for r in rows %}{% included_with 'a' %}{% endfor %}": "(A)(A)",
        "{% for r in mixed %}{% pushes %}{% shows r %}{% endpushes %}{% endfor %}": "1A2",
    }

    def values(self):
        async def later():
            return "A"

        return {
            "rows": [1, 2],
            "word": "w",
            "a": later(),
            "later": [later(), later()],
            "mixed": [1, later(), 2],
            "pairs": [(1, 2), (later(), 3), (4, later())],
        }

    @pytest.mark.parametrize("source", SOURCES)
    @pytest.mark.filterwarnings("ignore:coroutine .* was never awaited")
    async def test_by_awaiting(self, source):
        template = parse("{% load lib %}" + source, TEMPLATES, libraries=LIBRARIES)
        for _ in range(5):  # watched, then trusted
            text = await arender_template(template, Context(self.values()))
            assert text.replace("None", "") == self.SOURCES[source]

    @pytest.mark.parametrize("source", SOURCES)
    @pytest.mark.filterwarnings("ignore:coroutine .* was never awaited")
    def test_by_blocking(self, source):
        template = parse("{% load lib %}" + source, TEMPLATES, libraries=LIBRARIES)
        for _ in range(2):
            text = render_template(template, Context(self.values()))
            assert text.replace("None", "") == self.SOURCES[source]


async def test_a_native_tag_may_put_an_awaitable_into_a_frame():
    source = (
        "{% load lib native %}{% for r in rows %}{% seen 'r' %}{% apart 'x' %}{% seen 'x' %}"
        "{% endfor %}"
    )
    libraries = {**LIBRARIES, "native": "tests.tags.loop_native_tags"}
    template = parse(source, libraries=libraries)
    for _ in range(5):
        text = await arender_template(template, Context({"rows": [1, 2], "x": ""}))
        assert text == "r=1x=awaitedr=2x=awaited"


@pytest.mark.django_db
@pytest.mark.parametrize("what", ["{% asks_for v bad %}", "{{ v|asking:bad }}"])
async def test_what_ran_on_the_loop_in_this_render_and_then_asks_the_database(what):
    source = f"{{% load lib %}}{{% for v in values %}}{what},{{% endfor %}}"
    template = parse(source, libraries=LIBRARIES)
    values = {"values": ["a", "b", "c", "d", "e"]}
    for _ in range(5):
        text = await arender_template(template, Context({**values, "bad": ""}))
        assert text == "a,b,c,d,e,"
    for _ in range(2):
        text = await arender_template(template, Context({**values, "bad": "d"}))
        assert text == "a,b,c,d,e,"
    assert not is_trusted(loop_tags.asks_for if "%" in what else loop_tags.asking)


async def test_what_ran_on_the_loop_in_this_render_and_then_fails():
    source = "{% load lib %}{% for v in values %}{% speaks v bad %}{% endfor %}"
    template = parse(source, libraries=LIBRARIES)
    for _ in range(5):
        await arender_template(template, Context({"values": [1, 2, 3, 4], "bad": 0}))
    with pytest.raises(ZeroDivisionError):
        await arender_template(template, Context({"values": [1, 2, 3, 4], "bad": 3}))
    assert is_trusted(loop_tags.speaks)


@pytest.mark.parametrize(("tag", "most"), [("worded", 400), ("give", None)])
async def test_quick_attempts_are_counted(tag, most):
    """But for what visibly only works on its arguments, of which there is nothing to watch."""
    source = "{% load lib %}{% for v in values %}{% " + tag + " v %}{% endfor %}"
    template = parse(source, libraries=LIBRARIES)
    for _ in range(5):
        await arender_template(template, Context({"values": range(3)}))
    for count in (200, 400):
        _, hops = await arender_hops(template, Context({"values": range(count)}))
        assert bool(hops) is (count == most)
