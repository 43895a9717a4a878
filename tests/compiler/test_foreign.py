"""Nodes that we do not know: whole in the request's thread, their contents through our plan."""

import asyncio
import datetime
import threading

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.template import Context
from django.template.base import NodeList

from atemplates.compiler.plan import PlannedNodeList, plan_of
from atemplates.engines.django import DjangoTemplates, arender_template, render_template
from atemplates.errors import RenderBlocked
from atemplates.placement import records
from atemplates.runtime.policy import Policy
from tests.event_loop import PATIENCE
from tests.rendering import SETUPS, arender_counted, arender_hops, parse, precompiled, run_async
from tests.tags.places import NOTES

LIBRARIES = {"lib": "tests.compiler.foreign_tags"}
INLINE = Policy(sync_tags="inline")
L = "{% load lib %}"
TEMPLATES = {"part": "({{ x }})", "foreign_part": L + "{% upper %}{{ x }}{% endupper %}"}
CONTEXT = {"x": "x", "n": 2, "rows": ["p", "q", "r"], "unsafe": "<", "case": "b"}


@pytest.fixture(autouse=True)
def notes():
    NOTES.clear()


def load(source, **options):
    return parse(L + source, TEMPLATES, libraries=LIBRARIES, **options)


# -- output and hops -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "output", "steps"),
    [
        ("{% upper %}a{{ x }}{% endupper %}", "AX", 1),
        ("{% upper %}{% endupper %}{% upper %}{% endupper %}", "", 2),
        ("{% repeat n %}{{ x }}{{ number }}{% endrepeat %}{{ number }}", "x0x1", 1),
        ("{% repeat n %}{% repeat n %}{{ number }}{% endrepeat %}{% endrepeat %}", "0101", 1),
        (
            "{% upper %}{% for r in rows %}{{ r }}{{ forloop.counter }}{% endfor %}{% endupper %}",
            "P1Q2R3",
            1,
        ),
        ("{% upper %}{% include 'part' %}{% endupper %}", "(X)", 1),
        ("{% upper %}{% firstof 'v' as v %}{% endupper %}{{ v }}", "v", 1),
        ("{% with y='y' %}{% upper %}{{ y }}{% endupper %}{% endwith %}", "Y", 1),
        ("{% for r in rows %}{% upper %}{{ r }}{% endupper %}{% endfor %}", "PQR", 3),
        (
            "{% for r in rows %}{% for s in rows %}{% upper %}{{ s }}{% endupper %}"
            "{% endfor %}{% endfor %}",
            "PQR" * 3,
            9,
        ),
        (
            "{% for r in rows %}a{% endfor %}{% for r in rows %}{% upper %}"
            "a{% endupper %}{% endfor %}",
            "aaaAAA",
            3,
        ),
        (
            "{% for r in rows %}{% if forloop.first %}{% upper %}{{ r }}"
            "{% endupper %}{% endif %}{% endfor %}",
            "P",
            1,
        ),
        (
            "{% for r in rows %}{% with s=r %}{% upper %}{{ s }}{% endupper %}"
            "{% endwith %}{% endfor %}",
            "PQR",
            3,
        ),
        (
            "{% for r in rows %}{% filter cut:'Q' %}{% upper %}{{ r }}"
            "{% endupper %}{% endfilter %}{% endfor %}",
            "PR",
            3,
        ),
        (
            "{% for r in none %}{% upper %}{% endupper %}{% empty %}{% upper %}"
            "e{% endupper %}{% endfor %}",
            "E",
            1,
        ),
        (
            "{% if n %}{% upper %}a{% endupper %}{% else %}{% upper %}b{% endupper %}{% endif %}",
            "A",
            1,
        ),
        ("{% include 'foreign_part' %}", "X", 1),
        (
            "{% cases case %}{% when a %}A{{ x }}{% when b %}B{{ x }}"
            "{% for r in rows %}{{ r }}{% endfor %}"
            "{% endcases %}",
            "Bxpqr",
            1,
        ),
        (
            "{% never %}{% nonsense_is_parsed_too|default:1 %}{% endnever %}"[:0]
            + "{% never %}{{ x }}{% endnever %}",
            "",
            1,
        ),
        (
            "{% upper %}{{ unsafe }}{% endupper %}{% autoescape off %}{% upper %}"
            "{{ unsafe }}{% endupper %}"
            "{% endautoescape %}",
            "&LT;<",
            2,
        ),
        ("{% loud_if n %}{{ x }}{% endloud_if %}{% loud_if none %}{% endloud_if %}", "x!!", 2),
        ("{% loud unsafe %}{% loud missing %}", "&lt;!!", 0),
        ("{% block b %}{% upper %}{{ x }}{% endupper %}{% endblock %}", "X", 1),
    ],
)
def test_output_and_hops(render, source, output, steps):
    """A page is one hop, whatever it needs the thread for: steps of it that are not trusted."""
    text = render(
        L + source, CONTEXT, templates=TEMPLATES, libraries=LIBRARIES, waits=steps, hops=1
    )
    assert text == output


@pytest.mark.parametrize("rows", [1, 10, 1000])
async def test_a_loop_is_one_hop_however_long(rows):
    """Counted at the thread as well: one stretch of work that asgiref hands over."""
    template = load(
        "{% for r in rows %}{% upper %}{{ r }}{% endupper %}{{ r }}{% guarded %}{% endfor %}"
    )
    output, hops = await arender_hops(template, Context({"rows": range(rows)}))
    assert output == "".join(f"{r}{r}guarded" for r in range(rows))
    assert hops == 1
    assert len(NOTES) == 2 * rows
    assert {on_loop for _, on_loop, _ in NOTES} == {False}
    assert len({thread for *_, thread in NOTES}) == 1


async def test_what_is_foreign_runs_in_the_request_thread():
    from asgiref.sync import sync_to_async

    request_thread = await sync_to_async(threading.get_ident, thread_sensitive=True)()
    await arender_template(
        load("{% upper %}a{% endupper %}{% for r in 'ab' %}{% guarded %}{% endfor %}"), Context()
    )
    assert {thread for *_, thread in NOTES} == {request_thread}
    assert request_thread != threading.get_ident()


def test_without_a_loop_it_runs_right_here():
    render_template(load("{% upper %}a{% endupper %}"), Context())
    assert [("upper", False, threading.get_ident())] == NOTES


def test_without_a_loop_nothing_waits():
    from atemplates.compiler.templates import render_plan
    from atemplates.engines.native import new_state

    template = load("{% for r in 'ab' %}{% upper %}{{ r }}{% endupper %}{% endfor %}{% guarded %}")
    context = Context()
    plan = render_plan(new_state(template, context, on_loop=False), template, context)
    with pytest.raises(StopIteration) as stop:
        next(plan)
    assert stop.value.value == "ABguarded"


# -- their contents --------------------------------------------------------------------------------


async def test_contents_run_through_our_plan():
    template = load("{% upper %}{{ x }}{% endupper %}")
    await arender_template(template, Context(CONTEXT))
    (node,) = [node for node in template.nodelist if type(node).__name__ == "Upper"]
    assert type(node.nodelist) is PlannedNodeList
    assert "atemplates_plan" in vars(node.nodelist)


async def test_also_those_kept_in_dicts_and_lists():
    template = load("{% cases case %}{% when a %}a{% when b %}b{% endcases %}")
    await arender_template(template, Context(CONTEXT))
    (node,) = [node for node in template.nodelist if type(node).__name__ == "Cases"]
    assert {type(nodelist) for nodelist in node.branches.values()} == {PlannedNodeList}


async def test_a_node_list_class_of_the_tags_own_is_left_alone():
    class Own(NodeList):
        def render(self, context):
            return "own"

    template = load("{% upper %}{{ x }}{% endupper %}")
    (node,) = [node for node in template.nodelist if type(node).__name__ == "Upper"]
    node.nodelist = Own(node.nodelist)
    assert await arender_template(template, Context(CONTEXT)) == "OWN"
    assert type(node.nodelist) is Own


def test_stock_renders_a_planned_node_list_too():
    """A template that was compiled may be rendered by stock Django afterwards."""
    template = load("{% upper %}{{ x }}{% endupper %}")
    assert render_template(template, Context(CONTEXT)) == "X"
    assert template.render(Context({"x": "stock"})) == "STOCK"


async def test_awaitables_among_the_contents():
    async def value(result):
        return result

    class Row:
        def __init__(self, name):
            self.name = name

        async def title(self):
            return f"<{self.name}>"

    context = Context({"x": value("<x>"), "rows": value([Row("p"), Row("q")])})
    source = "{% upper %}{{ x }}{% for r in rows %}{{ r.title }}{% endfor %}{% endupper %}"
    assert await arender_template(load(source), context) == "&LT;X&GT;&LT;P&GT;&LT;Q&GT;"


async def test_a_foreign_tag_finds_results_and_no_awaitables():
    async def value(result):
        return result

    context = Context({"n": value(2), "x": "x"})
    assert await arender_template(load("{% repeat n %}{{ x }}{% endrepeat %}"), context) == "xx"
    context = Context({"n": value(2), "x": "x"})
    source = "{% for r in 'ab' %}{% repeat n %}{{ x }}{% endrepeat %}{% endfor %}"
    assert await arender_template(load(source), context) == "xxxx"


async def test_they_are_awaited_on_the_loop_before_the_hop():
    """Together, and not one after the other from the thread."""

    async def value(result):
        return result

    context = Context({"n": value(1), "x": value("x"), "rows": "ab"})
    waits = []
    source = "{% for r in rows %}{% repeat n %}{{ x }}{% endrepeat %}{% endfor %}"
    assert await arender_counted(load(source), context, waits) == "xx"
    assert [wait.kind.name for wait in waits] == ["GATHER", "CALL", "CALL"]
    template = precompiled(load(source))
    assert await arender_template(template, Context({"x": "x", "n": 1, "rows": "a"})) == "x"
    context = Context({"n": value(1), "x": value("x"), "rows": "ab"})
    assert await arender_hops(template, context) == ("xx", 1)


async def test_so_it_does_in_a_loop_over_them():
    async def value(result):
        return result

    source = "{% for n in numbers %}{% repeat n %}{{ x }}{% endrepeat %},{% endfor %}"
    context = Context({"numbers": [value(2), value(1)], "x": "x"})
    assert await arender_template(load(source), context) == "xx,x,"


@pytest.mark.parametrize("loop", [False, True])
def test_so_it_does_by_blocking(loop):
    async def value(result):
        return result

    source = "{% repeat n %}{{ x }}{% endrepeat %}"
    if loop:
        source = f"{{% for n in numbers %}}{source}{{% endfor %}}"
        context = Context({"numbers": [value(2)], "x": "x"})
    else:
        context = Context({"n": value(2), "x": "x"})
    assert render_template(load(source), context) == "xx"


# -- their arguments -------------------------------------------------------------------------------


class TestArguments:
    """A tag that resolves an expression itself gets the results of async methods too."""

    class Row:
        async def number(self):
            return {"n": 2}

        def plain(self):
            return 2

    @pytest.mark.parametrize(
        "argument",
        [
            "row.number.n",
            "row.plain",
            "row.number.n|add:0",
            "1|add:row.number.n|add:-1",
            "two",
            "row.number|dictsort:'x'|length|default:2",
            "2",
            "'2'|length|add:1",
            "missing|default:2",
        ],
    )
    @pytest.mark.parametrize("how", ["render", "arender"])
    def test_async_methods(self, argument, how):
        source = f"{{% repeat {argument} %}}{{{{ x }}}}{{% endrepeat %}}"
        source = f"{source}{{% for r in 'a' %}}{source}{{% endfor %}}"
        context = Context({"row": self.Row(), "x": "x", "two": lambda: 2})
        if how == "render":
            output = render_template(load(source), context)
        else:
            output = run_async(arender_template, load(source), context)
        assert output == "xxxx"

    def test_async_filters(self):
        libraries = {**LIBRARIES, "filters": "tests.tags.library_tags"}
        source = L + "{% load filters %}{% loud 'x'|aexclaim:y|upper %}"
        # A subclass of a known node that overrides render() resolves its expression as well.
        output = run_async(
            arender_template, parse(source, libraries=libraries), Context({"y": "<"})
        )
        assert output == "X&lt;!"

    @pytest.mark.parametrize(
        "argument",
        [
            "x",
            "x.upper",
            "missing",
            "missing.x",
            "x|upper",
            "x|cut:missing",
            "_('Yes')",
            "5",
            "'<'",
            "unsafe",
            "unsafe|safe",
            "unsafe|escape",
            "moment|date:'H'",
            "x|divisibleby:'x'",
            "broken",
            "d.key",
            "d.key.nothing",
            "unsafe|linebreaks",
            "missing|default:'d'",
            "call",
        ],
    )
    def test_everything_else_as_stock(self, render, argument):
        def broken():
            raise ZeroDivisionError("in a value")

        context = {
            **CONTEXT,
            "broken": broken,
            "d": {"key": "v"},
            "call": lambda: "called",
            "moment": datetime.datetime(2024, 3, 5, 14, tzinfo=datetime.UTC),
        }
        source = (
            f"{L}{{% loud {argument} %}}{{% load tz %}}{{% localtime off %}}{{% loud {argument} %}}"
        )
        source += "{% endlocaltime %}"
        render.outcome(source, context, libraries=LIBRARIES, waits=0, hops=1)

    def test_stock_resolves_a_planned_expression_too(self):
        template = load("{% repeat n %}{{ x }}{% endrepeat %}")
        assert render_template(template, Context(CONTEXT)) == "xx"
        assert template.render(Context({"n": 3, "x": "y"})) == "yyy"


# -- where they run --------------------------------------------------------------------------------


class TestLearned:
    """A tag runs in the thread until it has shown that it is quick and asks for nothing."""

    async def places(self, template, times, context=None):
        places = []
        for _ in range(times):
            NOTES.clear()
            await arender_template(template, Context(context or dict(CONTEXT)))
            places.append([on_loop for _, on_loop, _ in NOTES])
        return places

    async def test_on_the_loop_after_three_quick_runs(self):
        places = await self.places(precompiled(load("{% noted %}")), 5)
        assert places == [[False], [False], [False], [True], [True]]

    async def test_in_a_loop(self):
        """The first renders of a template are watched wherever they are."""
        template = precompiled(load("{% for r in rows %}{% noted %}{% endfor %}"))
        assert await self.places(template, 4) == [[False] * 3] + [[True] * 3] * 3

    async def test_what_asks_on_the_loop_goes_back_for_good(self):
        """It only asks where a loop is running, so the thread did not see it."""
        places = await self.places(precompiled(load("{% guarded %}")), 6)
        assert places == [[False], [False], [False], [True, False], [False], [False]]

    async def test_block_tags_stay_in_the_thread(self):
        places = await self.places(precompiled(load("{% upper %}a{% endupper %}")), 6)
        assert places == [[False]] * 6

    async def test_by_setting_never(self):
        template = precompiled(load("{% noted %}", policy=Policy(sync_tags="thread")))
        assert await self.places(template, 6) == [[False]] * 6


class TestInline:
    async def places(self, source, policy, context=None):
        template = precompiled(load(source, policy=policy))
        text = await arender_template(template, Context(context or dict(CONTEXT)))
        return text, [on_loop for _, on_loop, _ in NOTES]

    async def test_every_library(self):
        source = "{% noted %}{% for r in 'ab' %}{% noted %}{% endfor %}"
        assert await self.places(source, INLINE) == ("noted" * 3, [True, True, True])

    async def test_but_for_block_tags(self):
        """What stands inside is a plan of its own, which may need the thread itself."""
        source = (
            "{% noted %}{% for r in 'ab' %}{% upper %}{{ r }}{% endupper %}{% noted %}{% endfor %}"
        )
        output = "notedAnotedBnoted"
        assert await self.places(source, INLINE) == (output, [True, False, False, False, False])

    async def test_a_named_library(self):
        policy = Policy(inline_modules=frozenset({"tests.compiler.foreign_tags"}))
        assert await self.places("{% noted %}", policy) == ("noted", [True])
        policy = Policy(inline_modules=frozenset({"another.module"}))
        NOTES.clear()
        assert await self.places("{% noted %}", policy) == ("noted", [False])

    async def test_a_loop_hops_when_one_of_its_tags_must(self):
        """From there on, the page is in the thread."""
        policy = Policy(inline_modules=frozenset({"tests.compiler.foreign_tags"}))
        libraries = {**LIBRARIES, "native": "tests.tags.native_tags"}
        source = "{% load native %}{% for r in 'ab' %}{% noted %}{% names %}{% endfor %}"
        template = precompiled(parse(L + source, libraries=libraries, policy=policy))
        _, hops = await arender_hops(template, Context())
        assert hops == 1
        assert [on_loop for _, on_loop, _ in NOTES] == [True, False]

    @pytest.mark.parametrize(
        ("source", "output", "places"),
        [
            ("{% guarded %}", "guarded", [True, False]),
            ("{% same_value %}", "same", [True, False]),
            ("{% guarded_simple %}", "simple", [True, False]),
            ("{% guarded_inclusion %}", "(inclusion)", [True, False]),
            ("{% for r in 'ab' %}{% guarded %}{% endfor %}", "guarded" * 2, [True, False, False]),
            ("{% guarded_block %}x{% endguarded_block %}", "x", [False]),
        ],
    )
    async def test_what_needs_the_database_is_repeated_once(self, source, output, places):
        assert await self.places(source, INLINE) == (output, places)
        NOTES.clear()
        assert await self.places(source, INLINE) == (output, [False] * (len(places) - 1 or 1))

    @pytest.mark.parametrize(
        ("source", "output"),
        [
            ("{% sets_first %}{{ x }}", "x:xchanged"),
            ("{% sets_state %}", "1"),
            ("{% for r in 'ab' %}{% sets_state %}{% endfor %}", "12"),
            ("{% sets_simple %}{{ x }}", "x:xchanged"),
            ("{% with x='w' %}{% sets_simple %}{{ x }}{% endwith %}{{ x }}", "w:wchangedx"),
            (
                "{% for x in 'ab' %}{% sets_first %}{{ x }}{% endfor %}{{ x }}",
                "a:achangedb:bchangedx",
            ),
            ("{% sets_autoescape %}{{ unsafe }}", "True:<"),
        ],
    )
    def test_what_it_did_before_is_put_back(self, render, source, output):
        """The second run sees what a first one sees, and the page what stock leaves."""
        text, places = run_async(self.places, source, INLINE)
        assert text == output
        assert places == [True] + [False] * source.count(" for ") + [False]
        text = render(
            L + source, lambda: dict(CONTEXT), libraries=LIBRARIES, waits=None, policy=INLINE
        )
        assert text == output

    @pytest.mark.parametrize(
        "source",
        ["{% sets_first %}", "{% sets_state %}", "{% guarded_block %}x{% endguarded_block %}"],
    )
    async def test_in_the_thread_they_just_work(self, source):
        await self.places(source, None)
        assert [on_loop for _, on_loop, _ in NOTES] == [False]

    async def test_options_of_the_backend(self):
        def backend(**options):
            options["libraries"] = LIBRARIES
            params = {"NAME": "x", "DIRS": [], "APP_DIRS": False, "OPTIONS": options}
            template = DjangoTemplates(params).from_string(L + "{% noted %}")
            precompiled(template.template)
            return template

        for options, on_loop in (
            ({}, False),
            ({"sync_tags": "auto"}, False),
            ({"sync_tags": "thread"}, False),
            ({"sync_tags": "inline"}, True),
            ({"inline_tags": ["lib"]}, True),
            ({"inline_tags": ["tests.compiler.foreign_tags"]}, True),
            ({"inline_tags": ["i18n"]}, False),
        ):
            NOTES.clear()
            records.RECORDS.clear()
            assert await backend(**options).render_async() == "noted"
            assert [note[1] for note in NOTES] == [on_loop], options
        with pytest.raises(ImproperlyConfigured, match="no tag library"):
            backend(inline_tags=["nonsense"])
        with pytest.raises(ImproperlyConfigured, match="Did you mean 'humanize'"):
            backend(inline_tags=["humanise"])

    @pytest.mark.parametrize(
        ("inline", "on_loop"),
        [
            ([], False),
            (["registering"], True),
            (["tests.compiler.registering_tags"], True),
            (["lib"], True),  # by the module of the node's class
            (["i18n"], False),
        ],
    )
    async def test_what_counts_is_the_library_that_registered_a_tag(self, inline, on_loop):
        libraries = {**LIBRARIES, "registering": "tests.compiler.registering_tags"}
        options = {"libraries": libraries, "inline_tags": inline}
        params = {"NAME": "x", "DIRS": [], "APP_DIRS": False, "OPTIONS": options}
        backend = DjangoTemplates(params)
        source = "{% load registering %}{% elsewhere %}"
        template = backend.from_string(source)
        precompiled(template.template)
        assert await template.render_async() == "noted"
        assert [note[1] for note in NOTES] == [on_loop]

    @pytest.mark.parametrize(("inline", "on_loop"), [([], False), (["registering"], True)])
    async def test_filters_as_well(self, inline, on_loop):
        libraries = {"registering": "tests.compiler.registering_tags"}
        options = {"libraries": libraries, "inline_tags": inline}
        params = {"NAME": "x", "DIRS": [], "APP_DIRS": False, "OPTIONS": options}
        template = DjangoTemplates(params).from_string("{% load registering %}{{ 'a'|shouted }}")
        precompiled(template.template)
        assert await template.render_async() == "a!"
        assert [note[1] for note in NOTES] == [on_loop]

    def test_a_name_that_two_libraries_register_says_nothing(self):
        libraries = {
            **LIBRARIES,
            "registering": "tests.compiler.registering_tags",
            "same_name": "tests.compiler.same_name_tags",
        }
        options = {"libraries": libraries, "inline_tags": ["registering"]}
        params = {"NAME": "x", "DIRS": [], "APP_DIRS": False, "OPTIONS": options}
        assert "elsewhere" not in DjangoTemplates(params).policy.inline


# -- async tags ------------------------------------------------------------------------------------


class TestAsyncTags:
    @pytest.mark.parametrize(
        ("source", "output"),
        [
            ("{% later %}{{ x }}{{ later }}{% endlater %}{{ later }}", "<xlater>"),
            ("{% later %}{% later %}{{ x }}{% endlater %}{% endlater %}", "<<x>>"),
            (
                "{% for r in rows %}{% later %}{{ r }}{{ forloop.counter }}"
                "{% endlater %}{% endfor %}",
                "<p1><q2><r3>",
            ),
            (
                "{% later %}{% for r in rows %}{{ r }}{% endfor %}"
                "{% include 'part' %}{% endlater %}",
                "<pqr(x)>",
            ),
            ("{% later %}{% upper %}{{ x }}{% endupper %}{% endlater %}", "<X>"),
            ("{% upper %}{% later %}{{ x }}{% endlater %}{% endupper %}", "<X>"),
            ("{% later_self %}{{ set_later }}", "set"),
            (
                "{% for r in rows %}[{{ set_later }}]{% later_self %}{% endfor %}{{ set_later }}",
                "[][set][set]",
            ),
            ("{% together %}{{ x }}{% endtogether %}", "x"),
            ("{% later %}{{ awaited }}{% endlater %}{{ awaited }}", "<&lt;a&gt;>&lt;a&gt;"),
        ],
    )
    async def test_output(self, source, output):
        async def value():
            return "<a>"

        # A method: called when it is used.
        context = Context({**CONTEXT, "awaited": value})
        assert await arender_template(load(source), context) == output

    def test_by_blocking(self):
        source = "{% later %}{{ x }}{{ later }}{% endlater %}{% upper %}{% later %}y{% endlater %}"
        output = render_template(load(source + "{% endupper %}"), Context(CONTEXT))
        assert output == "<xlater><Y>"

    async def test_it_runs_on_the_loop(self):
        await arender_template(load("{% later %}{% endlater %}"), Context())
        assert [on_loop for _, on_loop, _ in NOTES] == [True]

    async def test_it_is_no_hop(self):
        """A loop around async tags stays on the loop: each is awaited, none is sent to a thread."""
        waits = []
        template = load("{% for r in rows %}{% later %}{{ r }}{% endlater %}{% endfor %}")
        await arender_counted(template, Context(CONTEXT), waits)
        assert [wait.kind.name for wait in waits] == ["AWAIT"] * 3

    async def test_a_failure(self):
        template = load("a\n{% later_fails %}{% endlater_fails %}", setup=SETUPS[1])
        with pytest.raises(ZeroDivisionError, match="in an async tag") as caught:
            await arender_template(template, Context())
        assert caught.value.template_debug["line"] == 2

    async def test_a_failure_in_its_contents(self):
        def fail():
            raise ZeroDivisionError("in the contents")

        template = load("a\n{% later %}\n{{ fail }}{% endlater %}", setup=SETUPS[1])
        with pytest.raises(ZeroDivisionError, match="in the contents") as caught:
            await arender_template(template, Context({"fail": fail}))
        assert caught.value.template_debug["line"] == 3
        assert caught.value.template_debug["during"] == "{{ fail }}"

    async def test_cancelled(self):
        started = asyncio.Event()

        async def forever():
            started.set()
            await asyncio.Event().wait()

        context = Context({"x": forever()})
        task = asyncio.ensure_future(
            arender_template(load("{% later %}{{ x }}{% endlater %}"), context)
        )
        await asyncio.wait_for(started.wait(), PATIENCE)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert len(context.dicts) == 2
        assert context.template is None

    async def test_a_plain_render_on_the_loop_says_what_to_do(self):
        with pytest.raises(RenderBlocked, match=r"(?s)await arender.*line 2: \{% later %\}"):
            render_template(load("a\n{% later %}{% endlater %}"), Context())


# -- failures --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "source",
    [
        "a\n{% fails %}{% endfails %}",
        "a\n{% fails %}\n{{ broken }}{% endfails %}",
        "a\n{% upper %}\n{{ broken }}{% endupper %}",
        "a\n{% upper %}\n{% upper %}\n{{ broken }}{% endupper %}{% endupper %}",
        "{% for r in rows %}\n{% upper %}\n{{ broken }}{% endupper %}{% endfor %}",
        "{% for r in rows %}\n{% fails %}{% endfails %}{% endfor %}",
        "{% upper %}\n{% include 'nowhere' %}{% endupper %}",
        "{% repeat missing %}{% endrepeat %}",
        "a\n{% cases 'c' %}{% when a %}a{% endcases %}",
    ],
)
def test_failures_are_as_in_stock(render, source):
    def broken():
        raise ZeroDivisionError("in a value")

    outcome = render.outcome(
        L + source, {**CONTEXT, "broken": broken}, templates=TEMPLATES, libraries=LIBRARIES
    )
    assert outcome.error is not None


async def test_what_is_no_text():
    with pytest.raises(TypeError, match="expected str instance, int found"):
        await arender_template(load("a{% odd %}"), Context())


def test_a_plan_is_compiled_once():
    template = load("{% upper %}{{ x }}{% endupper %}")
    assert plan_of(template.nodelist, template) is plan_of(template.nodelist, template)


@pytest.mark.parametrize(
    "around",
    [
        ("{% upper %}", "{% endupper %}"),
        ("{% if x %}{% upper %}", "{% endupper %}{% endif %}"),
        ("{% for r in x %}{% upper %}", "{% endupper %}{% endfor %}"),
    ],
)
def test_they_nest_as_deeply_as_in_stock(around):
    """In a thread of their own: what is left of the stack does not depend on who runs the test."""
    head, end = around

    def render(depth, way):
        try:
            template = load(head * depth + "{{ x }}" + end * depth)
            return way(template, Context({"x": "x"}))
        except RecursionError:
            return None

    def deepest(way):
        low, high = 1, 400
        while high - low > 5:
            middle = (low + high) // 2
            low, high = (low, middle) if render(middle, way) is None else (middle, high)
        return low

    found = []

    def measure():
        found.append(deepest(lambda template, context: template.render(context)))
        found.append(deepest(render_template))
        found.append(
            deepest(lambda template, context: asyncio.run(arender_template(template, context)))
        )

    thread = threading.Thread(target=measure)
    thread.start()
    thread.join()
    stock, blocking, awaiting = found
    assert blocking > 0.95 * stock
    assert awaiting > 0.95 * stock
