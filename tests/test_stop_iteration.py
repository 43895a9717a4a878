"""``StopIteration`` from a site's code: our plans are generators, which Python lets none out of."""

import itertools

import pytest
from django.template import Context, RequestContext
from django.test import RequestFactory

from atemplates.engines.django import arender_template, render_template
from atemplates.runtime.policy import Policy
from tests.rendering import aattempt, attempt, parse, plain, run_async
from tests.stopping_tags import stop

L = "{% load lib i18n cache %}"
TEMPLATES = {"part": "({{ a }})", "shows": "[{{ v }}]"}


def stopping(name):
    """Return an object of a class with one method, which stops."""
    return type("Stopping", (), {name: stop, "__hash__": object.__hash__})()


class Row:
    @property
    def key(self):
        stop()

    def method(self):
        stop()


class Length:
    def __len__(self):
        return 2

    def __iter__(self):
        return iter("ab")

    __reversed__ = stop


def endless_generator():
    yield 1
    stop()


def context():
    return {
        "row": Row(),
        "rows": [Row(), Row()],
        "item": stopping("__getitem__"),
        "iterable": stopping("__iter__"),
        "truth": stopping("__bool__"),
        "equal": stopping("__eq__"),
        "keys": [{"k": stopping("__eq__")}, {"k": stopping("__eq__")}],
        "text": stopping("__str__"),
        "length": Length(),
        "function": stop,
        "generator": endless_generator(),
        "l": [1, 2],
        "none": None,
    }


VALUES = (
    "row.key",
    "row.method.x",
    "item.x",
    "iterable",
    "truth",
    "equal",
    "text",
    "length",
    "function",
    "generator",
    "l|stopping",
    "none|default:row.key",
    "l|join:text",
)
USES = (
    "{{ V }}",
    "{% for x in l %}{{ V }}{% endfor %}",
    "{% if V %}y{% else %}n{% endif %}{% if V == 1 or l == V %}y{% else %}n{% endif %}",
    "{% if 1 in V %}y{% else %}n{% endif %}{% if not V and l < V %}y{% else %}n{% endif %}",
    "{% for x in V %}{{ x }}{% empty %}empty{% endfor %}",
    "{% for x in V reversed %}{{ x }}{% endfor %}{% for x, y in V %}{{ x }}{% endfor %}",
    "{% with w=V %}{{ w }}{% endwith %}",
    "{% regroup V by k as g %}{{ g }}",
    "{% regroup rows by V as g %}{{ g|length }}",
    "{% for x in l %}{% ifchanged V %}c{% endifchanged %}{% cycle V 'b' %}{% endfor %}",
    "{% for x in l %}{% ifchanged %}{{ V }}{% endifchanged %}{% endfor %}",
    "{% firstof none V %}{% firstof V as z %}",
    "{% include 'part' with a=V %}{% include 'shows' with v=V only %}",
    "{% include V %}",
    "{% extends V %}",
    "{% filter default:V|yesno:'a,b,c' %}{% endfilter %}",
    "{% widthratio V 1 1 %}",
    "{% stop_simple V %}",
    "{% stop_block %}{{ V }}{% endstop_block %}",
    "{% stop_inclusion V %}",
    "{% around %}{{ V }}{% endaround %}",
    "{% stopping_around %}{{ V }}{% endstopping_around %}",
    "{% catching %}{% for x in l %}{% if x %}{{ V }}{% endif %}{% endfor %}{% endcatching %}",
    "{% catching %}{% for x in V %}{{ x }}{% endfor %}{% include 'shows' with v=V %}{% endcatching %}",
    "{% translate V %}{% blocktranslate with a=V %}{{ a }}{% endblocktranslate %}",
    "{% cache 10 x V %}a{% endcache %}{% language V %}{% endlanguage %}",
    "{% block a %}{{ V }}{% endblock %}",
    "{% catching %}{% stop_context %}{% endcatching %}",
)


def facts(outcome, on_loop):
    """What has to be equal. A coroutine lets no StopIteration out either: Python says so."""
    error = outcome.error
    if on_loop and type(error) is RuntimeError and isinstance(error.__cause__, StopIteration):
        error = error.__cause__
    if error is None:
        return plain(outcome.output)
    debug = getattr(error, "template_debug", None) or {}
    return type(error), plain(str(error)), debug.get("during"), debug.get("line")


def agree(sources, make=context, policy=None, **options):
    options = {"libraries": {"lib": "tests.stopping_tags"}, **options}

    def load(source, **more):
        return lambda: parse(source, TEMPLATES, **options, **more)

    def new(template):
        return Context(make())

    expected = [
        attempt(load(source), new, lambda template, context: template.render(context))
        for source in sources
    ]

    def compare(have, want, source, on_loop):
        assert facts(have, on_loop) == facts(want, on_loop), source

    for source, want in zip(sources, expected, strict=True):
        compare(attempt(load(source), new, render_template), want, source, False)

    async def by_awaiting():
        for source, want in zip(sources, expected, strict=True):
            have = await aattempt(load(source, policy=policy), new, arender_template)
            assert not isinstance(have.error, StopIteration)
            masked = isinstance(want.error, RuntimeError)  # by a generator of the site's
            compare(have, want, source, not masked)

    run_async(by_awaiting)
    return expected


@pytest.mark.parametrize("use", USES)
def test_it_gets_out_where_stock_lets_it_out(use):
    agree([L + use.replace("V", value) for value in VALUES])


@pytest.mark.parametrize("use", USES[:2])
def test_the_debug_page_shows_its_place(use):
    agree([L + use.replace("V", value) for value in VALUES], debug=True)


def test_it_gets_out_on_the_loop():
    inline = Policy(sync_tags="inline")
    uses = [use for use in USES if "around" in use or ("catching" in use and "include" not in use)]
    agree([L + use.replace("V", value) for use in uses for value in VALUES], policy=inline)


class Keys:
    """Rows whose keys are given; ``S`` is one whose asking stops, ``E`` one that stops in ``==``."""

    def __init__(self, letter):
        self.letter = letter

    @property
    def key(self):
        if self.letter == "S":
            stop()
        return stopping("__eq__") if self.letter == "E" else self.letter

    def __repr__(self):
        return self.letter


@pytest.mark.parametrize("first", "abSE")
def test_groups_end_where_groupby_ends_them(first):
    source = "{% regroup rows by key as g %}{% for x in g %}{{ x.list }}{% endfor %}{{ g|length }}"
    for others in itertools.product("abSE", repeat=3):
        letters = [first, *others, "b"]
        agree([source], lambda letters=letters: {"rows": [Keys(letter) for letter in letters]})


def test_the_zero_groups_of_stock(render):
    assert render("{% regroup rows by key as g %}{{ g|length }}", {"rows": [Row()]}) == "0"


def stopping_processor(request):
    stop()


def test_context_processors():
    stock, ours = (
        parse("x", context_processors=[f"{__name__}.stopping_processor"]) for _ in range(2)
    )
    request = RequestFactory().get("/")
    with pytest.raises(RuntimeError, match="generator raised StopIteration"):
        stock.render(RequestContext(request))
    with pytest.raises(RuntimeError, match="generator raised StopIteration"):
        render_template(ours, RequestContext(request))


def test_what_a_generator_of_the_site_covers_stays_covered():
    with pytest.raises(RuntimeError, match="generator raised StopIteration"):
        render_template(parse("{{ g|join:'' }}"), Context({"g": endless_generator()}))


async def test_out_of_a_coroutine_comes_what_python_makes_of_it():
    with pytest.raises(RuntimeError) as caught:
        await arender_template(parse("{{ f }}"), Context({"f": stop}))
    assert isinstance(caught.value.__cause__, StopIteration)
