"""``simple_tag``, ``simple_block_tag`` and ``inclusion_tag``, and their ``async def`` versions.

The stock oracle gets the sync tag where ours gets the coroutine function of the same meaning.
"""

import re

import pytest
from django.template import Context

from atemplates.engines.django import arender_template, render_template
from atemplates.errors import RenderBlocked
from atemplates.placement import records
from atemplates.runtime.policy import Policy
from tests.rendering import SETUPS, parse, precompiled
from tests.tags.places import NOTES

LIBRARIES = {"lib": "tests.tags.library_tags"}
TEMPLATES = {
    "inclusion": "({{ a }}{{ b }}{{ outer }})",
    "awaits": "({{ a }})",
    "token": "{% csrf_token %}",
}
CONTEXT = {"x": "<x>", "name": "x", "n": 5, "call": lambda: "called", "rows": ["p", "q"]}

names = re.compile(r"\{% (join|read|put|give|bold|fail|wrapped|named|show|show_context)\b")
ends = re.compile(r"\{% end(wrapped|named)\b")


def with_coroutines(source):
    """Use the ``async def`` version of each tag."""
    return ends.sub(r"{% enda\1", names.sub(r"{% a\1", source))


CASES = [
    ("{% join %}", ""),
    ("{% join 1 'b' x %}", "1-b-&lt;x&gt;"),
    ("{% join x|upper k=n %}", "&lt;X&gt;-k=5"),
    ("{% join a=1 b=x %}", "a=1-b=&lt;x&gt;"),
    ("{% join missing call %}", "-called"),
    ("{% join 1 as j %}[{{ j }}{{ j }}]", "[11]"),
    ("{% join x as j %}{{ j }}", "&lt;x&gt;"),
    ("{% autoescape off %}{% join x %}{% endautoescape %}", "<x>"),
    ("{% bold x %}", "<b>&lt;x&gt;</b>"),
    ("{% bold x as b %}{{ b }}", "<b>&lt;x&gt;</b>"),
    ("{% give n %}{% give None %}{% give rows %}", "5None[&#x27;p&#x27;, &#x27;q&#x27;]"),
    ("{% read 'x' %}{% read name %}", "&lt;x&gt;&lt;x&gt;"),
    ("{% put 'v' 1 %}{{ v }}", "1"),
    ("{% with v=0 %}{% put 'v' 1 %}{{ v }}{% endwith %}{{ v }}", "1"),
    ("{% for r in rows %}{% join r forloop.counter %},{% endfor %}", "p-1,q-2,"),
    ("{% for r in rows %}{% join r as j %}{{ j }}{% endfor %}[{{ j }}]", "pq[]"),
    ("{% for r in rows %}[{{ v }}]{% put 'v' r %}{{ v }}{% endfor %}", "[]p[p]q"),
    ("{% for r in rows %}{% read 'r' %}{% endfor %}", "pq"),
    ("{% for r in rows %}{% with s=r|upper %}{% read 's' %}{% endwith %}{% endfor %}", "PQ"),
    ("{% for r in rows %}{% put 'r' 'new' %}{{ r }}{% endfor %}", "newnew"),
    ("{% if n %}{% join n %}{% endif %}", "5"),
    ("{% wrapped %}x{{ x }}{% endwrapped %}", "*x&lt;x&gt;*"),
    ("{% wrapped mark='|' %}{{ n }}{% endwrapped %}", "|5|"),
    ("{% wrapped n %}{% endwrapped %}", "55"),
    ("{% wrapped as w %}{{ n }}{% endwrapped %}[{{ w }}]", "[*5*]"),
    ("{% wrapped %}{% wrapped '-' %}x{% endwrapped %}{% endwrapped %}", "*-x-*"),
    ("{% named name %}{{ x }}{% endnamed %}", "&lt;x&gt;:&amp;lt;x&amp;gt;"),
    (
        "{% for r in rows %}{% wrapped r %}{{ r }}{{ forloop.counter }}"
        "{% endwrapped %}{% endfor %}",
        "pp1pqq2q",
    ),
    ("{% wrapped %}{% firstof 'v' as v %}{% endwrapped %}{{ v }}", "**v"),
    ("{% show 1 %}", "(1B)"),
    ("{% show x b=n %}", "(&lt;x&gt;5)"),
    ("{% show '<' %}{% show a=x %}", "(<B)(&lt;x&gt;B)"),
    ("{% show_context 'x' %}", "(&lt;x&gt;none)"),
    ("{% with b=1 outer=2 %}{% show_context 'b' %}{% endwith %}", "(11)"),
    ("{% for r in rows %}{% show r forloop.counter %}{% endfor %}", "(p1)(q2)"),
    ("{% for b in rows %}{% show_context 'b' %}{% endfor %}", "(pp)(qq)"),
    ("{% autoescape off %}{% show x %}{% endautoescape %}", "(<x>B)"),
]


@pytest.mark.parametrize(("source", "output"), CASES)
def test_sync_functions(render, source, output):
    text = render(
        "{% load lib %}" + source, CONTEXT, templates=TEMPLATES, libraries=LIBRARIES, waits=None
    )
    assert text == output


@pytest.mark.parametrize(("source", "output"), CASES)
async def test_coroutine_functions(source, output):
    template = parse("{% load lib %}" + with_coroutines(source), TEMPLATES, libraries=LIBRARIES)
    assert await arender_template(template, Context(dict(CONTEXT))) == output


@pytest.mark.parametrize(("source", "output"), CASES)
def test_coroutine_functions_by_blocking(source, output):
    template = parse("{% load lib %}" + with_coroutines(source), TEMPLATES, libraries=LIBRARIES)
    assert render_template(template, Context(dict(CONTEXT))) == output


@pytest.mark.parametrize(
    ("source", "output"),
    [
        ("{% twice %}<{{ x }}{% endtwice %}", "<&lt;x&gt;" * 2),
        ("{% keyword_only %}{% keyword_only word=n %}", "default5"),
        ("{% show_whole %}", "()"),
        ("{% show_list n %}", "(5)"),
        (
            "{% with csrf_token='T' %}{% show_token %}{% endwith %}",
            '<input type="hidden" name="csrfmiddlewaretoken" value="T">',
        ),
    ],
)
def test_more_tags(render, source, output):
    text = render(
        "{% load lib %}" + source, CONTEXT, templates=TEMPLATES, libraries=LIBRARIES, waits=None
    )
    assert text == output


class TestFailures:
    @pytest.mark.parametrize(
        "source",
        [
            "a\n{% fail %}",
            "{% for x in rows %}\n{% fail %}{% endfor %}",
            "a\n{% wrapped %}\n{% fail %}{% endwrapped %}",
            "a\n{% show_fail %}",
            "a\n{% show_nothing %}",
            "a\n{% read 'nothing' %}",
            "a\n{% give n|broken %}",
        ],
    )
    def test_as_stock(self, render, source):
        outcome = render.outcome(
            "{% load lib %}" + source, CONTEXT, templates=TEMPLATES, libraries=LIBRARIES
        )
        assert outcome.error is not None

    async def test_in_a_coroutine_function(self):
        setup = SETUPS[0]._replace(debug=True)
        template = parse("{% load lib %}a\n{% afail %}", libraries=LIBRARIES, setup=setup)
        with pytest.raises(ZeroDivisionError, match="in a tag") as caught:
            await arender_template(template, Context())
        assert caught.value.template_debug["line"] == 2
        assert caught.value.template_debug["during"] == "{% afail %}"

    async def test_a_result_that_is_no_text(self, render):
        """Without escaping nothing makes a text of it; stock fails when it joins the texts."""
        template = parse(
            "{% load lib %}{% autoescape off %}{% give n %}{% endautoescape %}", libraries=LIBRARIES
        )
        with pytest.raises(TypeError, match="expected str instance, int found"):
            await arender_template(template, Context(dict(CONTEXT)))


class TestWhereItRuns:
    @pytest.fixture(autouse=True)
    def notes(self):
        NOTES.clear()

    async def run(self, source, *, times=1, **options):
        """Render some times; return what ran in the last of them, and whether on the loop."""
        template = parse("{% load lib %}" + source, TEMPLATES, libraries=LIBRARIES, **options)
        precompiled(template)
        for _ in range(times):
            NOTES.clear()
            await arender_template(template, Context(dict(CONTEXT)))
        return [(what, on_loop) for what, on_loop, _ in NOTES]

    async def test_a_function_in_the_request_thread(self):
        source = "{% join %}{% show 1 %}{% wrapped %}{% endwrapped %}"
        ran = await self.run(source)
        assert ran == [("join", False), ("show", False), ("wrapped", False)]
        assert len({thread for *_, thread in NOTES}) == 1

    @pytest.mark.parametrize("tag", ["join", "show 1", "wrapped %}{% endwrapped"])
    async def test_on_the_loop_when_it_has_shown_that_it_is_quick(self, tag):
        name = tag.partition(" ")[0]
        source = f"{{% {tag} %}}"
        assert await self.run(source, times=3) == [(name, False)]
        assert await self.run(source) == [(name, True)]

    @pytest.mark.parametrize("tag", ["join", "show 1", "wrapped %}{% endwrapped"])
    async def test_never_when_it_took_long(self, tag, monkeypatch):
        monkeypatch.setattr(records, "QUICK", -1.0)
        source = f"{{% {tag} %}}"
        assert await self.run(source, times=10) == [(tag.partition(" ")[0], False)]

    async def test_by_setting_never(self):
        policy = Policy(sync_tags="thread")
        ran = await self.run("{% join %}{{ x|exclaim }}", times=10, policy=policy)
        assert ran == [("join", False), ("exclaim", False)]

    async def test_a_coroutine_function_on_the_loop(self):
        assert await self.run("{% ajoin %}") == [("ajoin", True)]

    async def test_inline(self):
        policy = Policy(sync_tags="inline")
        assert await self.run("{% join %}{% show 1 %}{{ x|exclaim }}", times=2, policy=policy) == [
            ("join", True),
            ("show", True),
            ("exclaim", True),
        ]

    async def test_a_library_that_may_run_inline(self):
        policy = Policy(inline_modules=frozenset({"tests.tags.library_tags"}))
        assert await self.run("{% join %}", policy=policy) == [("join", True)]

    async def test_another_library_may(self):
        policy = Policy(inline_modules=frozenset({"tests.tags.native_tags"}))
        assert await self.run("{% join %}", policy=policy) == [("join", False)]

    async def test_filters_as_well(self):
        source = "{{ x|exclaim }}"
        assert await self.run(source) == [("exclaim", False)]
        assert await self.run(source, times=3) == [("exclaim", True)]

    @pytest.mark.parametrize(
        "source",
        [
            "{% join %}",
            "{% join %}{% join %}",
            "{% for r in rows %}{% join r %}{% endfor %}",
            "{% for r in rows %}{% for s in rows %}{% join r %}{% join s %}{% endfor %}{% endfor %}",
            "{% wrapped %}{% join %}{% endwrapped %}",
            "{% show 1 %}{{ x|exclaim }}",
        ],
    )
    def test_hops(self, render, source):
        """One for the page while they are watched, none when they are trusted."""
        options = {"templates": TEMPLATES, "libraries": LIBRARIES}
        render("{% load lib %}" + source, CONTEXT, waits=0, hops=1, **options)

    def test_no_hop_without_them(self, render):
        source = "{% load lib %}{% for r in rows %}{{ r }}{% endfor %}"
        render(source, CONTEXT, libraries=LIBRARIES, waits=0, hops=0)


class TestAwaitables:
    def test_arguments(self, render):
        async def value(result):
            return result

        source = (
            "{% load lib %}{% join a k=b %}{% show a b=b %}{% wrapped b %}{{ a }}{% endwrapped %}"
        )
        output = render(
            source,
            lambda: {"a": value("<a>"), "b": value(5)},
            stock={"a": "<a>", "b": 5},
            templates=TEMPLATES,
            libraries=LIBRARIES,
            waits=None,
        )
        assert output == "&lt;a&gt;-k=5(&lt;a&gt;5)5&lt;a&gt;5"

    async def test_results(self):
        source = "{% load lib %}{% returns_coroutine 5 %}{% show_awaitable %}"
        template = parse(source, TEMPLATES, libraries=LIBRARIES)
        assert await arender_template(template, Context()) == "5(&lt;awaited&gt;)"

    def test_results_by_blocking(self):
        source = "{% load lib %}{% returns_coroutine 5 %}{% show_awaitable %}"
        template = parse(source, TEMPLATES, libraries=LIBRARIES)
        assert render_template(template, Context()) == "5(&lt;awaited&gt;)"

    async def test_a_plain_render_on_the_loop_says_so(self):
        template = parse("{% load lib %}a\n{% ajoin 1 %}", libraries=LIBRARIES)
        with pytest.raises(RenderBlocked, match=r"(?s)arender.*line 2.*ajoin"):
            render_template(template, Context())
