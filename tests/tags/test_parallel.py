"""``{% parallel %}``: what stands directly inside is rendered at the same time, in its order."""

import asyncio
import gc
import warnings
from time import perf_counter

import django
import pytest
from django.template import TemplateSyntaxError
from django.template.backends.django import DjangoTemplates as StockTemplates
from django.utils import timezone, translation

from atemplates.engines.django import DjangoTemplates
from tests.rendering import run_async
from tests.testapp.models import Region

from . import parallel_tags

LIBRARIES = {"parallel_tags": "tests.tags.parallel_tags"}
LOAD = "{% load atemplates parallel_tags %}"


def parallel(body, limit=""):
    return f"{LOAD}{{% parallel {limit} %}}{body}{{% endparallel %}}"


def backend(templates=None, **options):
    loaders = [("django.template.loaders.locmem.Loader", dict(templates or {}))]
    cached = [("django.template.loaders.cached.Loader", loaders)]
    own = {"loaders": cached, "libraries": LIBRARIES, **options}
    return DjangoTemplates({"NAME": "django", "DIRS": [], "APP_DIRS": False, "OPTIONS": own})


def timed(source, make, templates=None):
    """Render twice on the loop, and by blocking; return the text and the seconds of the second."""
    template = backend(templates).from_string(source)
    run_async(template.render_async, make())
    start = perf_counter()
    text = run_async(template.render_async, make())
    seconds = perf_counter() - start
    assert template.render(make()) == text
    return text, seconds


async def later(value, seconds=0.1):
    await asyncio.sleep(seconds)
    return value


class Row:
    def __init__(self, number, seconds=0.05):
        self.number = number
        self.seconds = seconds

    async def value(self):
        return await later(self.number * 10, self.seconds)


# What stands inside, and the context: the output is that of the same without the tag.
BODIES = {
    "nothing": ("", {}),
    "text": ("just text", {}),
    "variables": ("a {{ a }} b {{ b|upper }} {{ missing }} c", {"a": 1, "b": "x<"}),
    "if": ("{% if a %}yes {{ a }}{% else %}no{% endif %}{% if not a %}x{% endif %}", {"a": 1}),
    "loop": ("{% for x in xs %}{{ x }},{% endfor %}", {"xs": [1, 2, 3]}),
    "loops": (
        "{% for x in xs %}{{ x }},{% endfor %}-{% for x in xs reversed %}{{ x }}{% endfor %}",
        {"xs": [1, 2, 3]},
    ),
    "empty": ("{% for x in xs %}{{ x }}{% empty %}none {{ a }}{% endfor %}", {"xs": [], "a": 1}),
    "missing": ("{% for x in xs %}{{ x }}{% empty %}none{% endfor %}", {}),
    "forloop": (
        "{% for x in xs %}{{ forloop.counter }}{{ forloop.counter0 }}{{ forloop.revcounter }}"
        "{{ forloop.revcounter0 }}{{ forloop.first }}{{ forloop.last }};{% endfor %}",
        {"xs": "abc"},
    ),
    "forloop, reversed": (
        "{% for x in xs reversed %}{{ forloop.counter }}{{ x }}{{ forloop.last }};{% endfor %}",
        {"xs": "abc"},
    ),
    "unpacking": ("{% for a, b in xs %}{{ a }}={{ b }};{% endfor %}", {"xs": [(1, 2), [3, 4]]}),
    "items": ("{% for k, v in d.items %}{{ k }}{{ v }}{% endfor %}", {"d": {"a": 1, "b": 2}}),
    "one row": ("{% for x in xs %}{{ x }}{{ forloop.last }}{% endfor %}", {"xs": [7]}),
    "filtered source": ("{% for x in xs|slice:':2' %}{{ x }}{% endfor %}", {"xs": [1, 2, 3]}),
    "generator": ("{% for x in xs %}{{ x }}{% endfor %}", lambda: {"xs": (x for x in "abc")}),
    "loop in a loop": (
        "{% for x in xs %}{% for y in x %}{{ forloop.parentloop.counter }}{{ y }}{% endfor %};"
        "{% endfor %}",
        {"xs": ["ab", "c", ""]},
    ),
    "with": ("{% with b=a %}{{ b }}{% endwith %}{{ b }}", {"a": 1}),
    "row sets a name": (
        "{% for x in xs %}{% firstof x 'none' as y %}{{ y }}{% endfor %}{{ y }}",
        {"xs": [1, 0, 3]},
    ),
    "regroup in a row": (
        "{% for x in xs %}{% regroup x by a as g %}{% for p in g %}{{ p.grouper }}{% endfor %}"
        "{% endfor %}",
        {"xs": [[{"a": 1}, {"a": 1}, {"a": 2}], []]},
    ),
    "include": ("{% include 'inc.html' %}{% include 'inc.html' with a=2 %}", {"a": 1}),
    "include only": ("{% include 'inc.html' with b=a only %}", {"a": 1}),
    "include in a loop": ("{% for a in xs %}{% include 'inc.html' %}{% endfor %}", {"xs": [1, 2]}),
    "include with a cycle": (
        "{% for a in xs %}{% include 'cycle.html' with xs=xs %}{% endfor %}",
        {"xs": [1, 2, 3]},
    ),
    "ifchanged in a loop of a row": (
        "{% for x in xs %}{% for y in x %}{% ifchanged y %}{{ y }}{% endifchanged %}{% endfor %};"
        "{% endfor %}",
        {"xs": ["aab", "bba"]},
    ),
    "autoescape": ("{% autoescape off %}{{ a }}{% endautoescape %}{{ a }}", {"a": "<"}),
    "spaceless": ("{% spaceless %}<b> <i>{{ a }}</i> </b>{% endspaceless %}", {"a": 1}),
    "filter": ("{% filter upper %}a{{ a }}{% endfilter %}", {"a": "b"}),
    "comment": ("{% comment %}x{% endcomment %}{# y #}a", {}),
    "url": ("{% url 'nowhere' %}", {}),
    "bad unpacking": ("{% for a, b in xs %}{{ a }}{% endfor %}", {"xs": [(1, 2), (1,)]}),
    "fails": ("{{ a }}{% fail 'wrong' %}", {"a": 1}),
    "nothing to include": ("{% include 'nowhere.html' %}", {}),
    "cache": (
        "{% load cache %}{% cache 1 parallel_test a %}{{ a }}{% endcache %}",
        {"a": 1},
    ),
}
OTHERS = {
    "inc.html": "[{{ a }}{{ b }}]",
    "cycle.html": "{% for x in xs %}{% cycle 'a' 'b' %}{% endfor %}{{ a }};",
}
if django.VERSION >= (6, 0):
    BODIES["partial"] = (
        "{% for a in xs %}{% partial row %}{% endfor %}{% partial row %}",
        {"xs": [1, 2]},
    )


def fresh(make):
    return make() if callable(make) else dict(make)


@pytest.mark.parametrize("name", BODIES)
@pytest.mark.parametrize("debug", [False, True])
@pytest.mark.parametrize("limit", ["", "2"])
def test_the_output_is_that_without_the_tag(name, debug, limit):
    body, make = BODIES[name]
    before = "{% partialdef row %}<{{ a }}>{% endpartialdef %}" if name == "partial" else ""
    own = backend(OTHERS, debug=debug)
    stock = backend(OTHERS, debug=debug, async_mode="thread")
    outcomes = []
    for text in (LOAD + before + body, before + parallel(body, limit)):
        plain = stock.from_string(text)
        ours = own.from_string(text)
        for render in (
            plain.render,
            ours.render,
            ours.render,
            lambda values, ours=ours: run_async(ours.render_async, values),
            lambda values, ours=ours: run_async(ours.render_async, values),
        ):
            try:
                outcomes.append(str(render(fresh(make))))
            except Exception as error:
                place = getattr(error, "template_debug", {}).get("during")
                outcomes.append((type(error), str(error).partition(". ")[0], place))
    assert outcomes == outcomes[:1] * len(outcomes)


def test_parts_are_awaited_at_the_same_time():
    def make():
        return {"b": later(1), "c": later(2)}

    text, seconds = timed(
        parallel("{% slow 0.1 a %}{{ b }}{% include 'inc.html' with a=c %}"), make, OTHERS
    )
    assert text == "a1[21]"
    assert seconds < 0.15


def test_includes_wait_at_the_same_time():
    other = {"slow.html": "{% load parallel_tags %}{% slow 0.1 a %}{% slow 0.05 b %}"}
    text, seconds = timed(parallel("{% include 'slow.html' %}" * 5), dict, other)
    assert text == "ab" * 5
    assert seconds < 0.2


def test_rows_are_rendered_at_the_same_time():
    text, seconds = timed(
        parallel("{% for r in rows %}{{ r.value }},{% endfor %}"),
        lambda: {"rows": [Row(number) for number in range(20)]},
    )
    assert text == "".join(f"{number * 10}," for number in range(20))
    assert seconds < 0.1


def test_a_limit_bounds_parts_and_rows():
    for body in ("{% slow 0.02 a %}" * 7, "{% for x in xs %}{% slow 0.02 a %}{% endfor %}"):
        for limit in ("3", "limit=3", "n", "limit=n"):
            parallel_tags.most.clear()
            template = backend().from_string(parallel(body, limit))
            assert run_async(template.render_async, {"n": 3, "xs": range(7)}) == "a" * 7
            assert max(parallel_tags.most) == 3
            assert len(parallel_tags.most) == 7


def test_rows_have_a_bound_where_there_is_no_limit():
    parallel_tags.most.clear()
    template = backend().from_string(parallel("{% for x in xs %}{% slow 0.01 a %}{% endfor %}"))
    run_async(template.render_async, {"xs": range(100)})
    assert max(parallel_tags.most) == 32


def test_nested():
    body = "{% for r in rows %}{% parallel %}{{ r.value }}{% slow 0.05 b %}{% endparallel %};{% endfor %}"
    text, seconds = timed(parallel(body), lambda: {"rows": [Row(1), Row(2), Row(3)]})
    assert text == "10b;20b;30b;"
    assert seconds < 0.1


@pytest.mark.parametrize(
    "body",
    [
        "{% set_name 'x' 1 %}{{ x }}",
        "{% with y=2 %}{% set_name 'x' y %}{{ x }}{% endwith %}{{ x }}",
    ],
)
def test_what_a_part_sets_no_other_sees(body):
    template = backend().from_string(parallel(body + "{% slow 0.01 a %}{{ x }}") + "{{ x }}")
    expected = template.render({"x": 0})
    assert run_async(template.render_async, {"x": 0}) == expected
    assert expected.endswith("a00")


def test_context_variables_are_seen_and_do_not_leak():
    body = (
        "{% language 'de' %}{% slow 0.02 a %}{{ n }}{% endlanguage %}"
        "{% slow 0.01 b %}"
        "{% for x in xs %}{% set_local x %}{% slow 0.01 c %}{% local %}{% endfor %}"
        "{% local %}{{ n }}"
    )
    template = backend().from_string("{% load i18n %}" + parallel(body) + "{% local %}")

    async def render():
        parallel_tags.request_local.set("of the request")
        values = {"n": 1234.5, "xs": ["x", "y"]}
        with translation.override("en"), timezone.override("Europe/Berlin"):
            text = await template.render_async(values)
            assert translation.get_language() == "en"
        assert parallel_tags.request_local.get() == "of the request"
        return text

    assert run_async(render) == "a1234,5bcxcyof the request1234.5of the request"


def test_an_awaitable_in_two_parts_is_awaited_once():
    begun = []

    async def once():
        begun.append(1)
        return await later("v", 0.05)

    body = "{{ a }}{{ a|upper }}{% for x in xs %}{{ a }}{% endfor %}{% include 'inc.html' %}"
    template = backend(OTHERS).from_string(parallel(body) + "{{ a }}")
    for _ in range(2):
        begun.clear()
        assert run_async(template.render_async, {"a": once(), "xs": "12"}) == "vVvv[v]v"
        assert begun == [1]


def test_awaitables_that_only_the_rest_mentions_are_awaited_meanwhile():
    template = backend().from_string(parallel("{{ a }}{% slow 0.1 s %}") + "{{ b }}")
    run_async(template.render_async, {"a": 1, "b": 2})
    start = perf_counter()
    assert run_async(template.render_async, {"a": later(1), "b": later(2)}) == "1s2"
    assert perf_counter() - start < 0.15


def test_an_awaitable_that_fails_fails_where_it_is_used():
    async def broken():
        raise ValueError("broken")

    template = backend(debug=True).from_string(parallel("{% slow 0.01 s %}") + "\n{{ a }}")
    with pytest.raises(ValueError, match="broken") as caught:
        run_async(template.render_async, {"a": broken()})
    assert caught.value.template_debug["line"] == 2
    unused = backend().from_string(parallel("{% slow 0.01 s %}") + "{% if no %}{{ a }}{% endif %}")
    assert run_async(unused.render_async, {"a": broken()}) == "s"


# -- failing and cancelling ------------------------------------------------------------------------


def test_a_part_that_fails_cancels_the_others():
    body = "{% slow 5 never %}\n{% if a %}\n{% slow_fail 0.01 wrong %}{% endif %}{% slow 5 never %}"
    template = backend(debug=True).from_string(parallel(body))

    async def render():
        before = asyncio.all_tasks()
        start = perf_counter()
        with pytest.raises(ValueError, match="wrong") as caught:
            await template.render_async({"a": 1})
        assert perf_counter() - start < 2
        assert asyncio.all_tasks() == before
        return caught.value

    assert run_async(render).template_debug["line"] == 3
    assert parallel_tags.running == []


def test_the_first_of_two_failures_is_raised():
    template = backend().from_string(parallel("{% slow_fail 0 one %}{% slow_fail 0 two %}"))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(ValueError, match="one"):
            run_async(template.render_async, {})
        gc.collect()


@pytest.mark.parametrize("after", [0, 0.02])
def test_a_cancelled_render_leaves_no_task(after):
    body = "{% slow 5 a %}{% for x in xs %}{% language 'de' %}{% slow 5 b %}{% endlanguage %}{% endfor %}{{ c }}"
    template = backend().from_string("{% load i18n %}" + parallel(body, "9"))

    async def render():
        before = asyncio.all_tasks()
        values = {"xs": range(50), "c": later(1, 5)}
        task = asyncio.ensure_future(template.render_async(values))
        await asyncio.sleep(after)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert asyncio.all_tasks() == before
        assert translation.get_language() == "en-us"

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        run_async(render)
        gc.collect()
    assert parallel_tags.running == []


def test_many_renders_at_the_same_time_do_not_mix():
    template = backend(OTHERS).from_string(
        parallel(
            "{{ n }}{% for r in rows %}{{ r.value }}{{ n }}{% endfor %}{% include 'inc.html' %}"
        )
    )

    async def render():
        pages = [
            template.render_async({"n": n, "a": n, "rows": [Row(n, 0.001 * (n % 7)), Row(n)]})
            for n in range(200)
        ]
        return await asyncio.gather(*pages)

    texts = run_async(render)
    assert texts == [f"{n}{n * 10}{n}{n * 10}{n}[{n}]" for n in range(200)]


# -- wrong use -------------------------------------------------------------------------------------

REFUSED = {
    "cycle": ("{% for x in xs %}\n{% cycle 'a' 'b' %}{% endfor %}", 2, "cycle"),
    "cycle in a loop of a row": (
        "{% for x in xs %}{% for y in x %}\n\n{% cycle 'a' 'b' %}{% endfor %}{% endfor %}",
        3,
        "cycle",
    ),
    "cycle as": ("{% for x in xs %}{% cycle 'a' 'b' as c %}{% endfor %}", 1, "cycle"),
    "resetcycle": (
        "{% for x in xs %}\n{% cycle 'a' 'b' as c %}{% resetcycle c %}{% endfor %}",
        2,
        "",
    ),
    "ifchanged": ("\n{% for x in xs %}{% ifchanged %}{{ x }}{% endifchanged %}{% endfor %}", 2, ""),
    "ifchanged, alone": ("\n\n{% ifchanged a %}{{ x }}{% endifchanged %}", 3, "ifchanged"),
    "url as": ("{% url 'x' as y %}{{ y }}", 1, "'y'"),
    "as in an if": ("{% if a %}\n{% firstof a b as y %}{{ y }}{% endif %}", 2, "'y'"),
    "regroup": ("{% regroup xs by a as g %}{{ g }}", 1, "'g'"),
    "blocktranslate asvar": (
        "{% load i18n %}{% blocktranslate asvar t %}x{% endblocktranslate %}",
        1,
        "'t'",
    ),
    "translate as": ("{% load i18n %}\n{% translate 'x' as t %}", 2, "'t'"),
    "now as": ("{% now 'Y' as n %}", 1, "'n'"),
    "simple_tag as": ("{% local as v %}", 1, "'v'"),
    "in a block": (
        "{% block b %}\n{% for x in xs %}{% cycle 1 2 %}{% endfor %}{% endblock %}",
        2,
        "",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_writes_outside_its_frame_is_refused(name):
    body, line, word = REFUSED[name]
    with pytest.raises(TemplateSyntaxError) as caught:
        backend(debug=True).from_string(parallel(body))
    assert f"in line {line} " in str(caught.value)
    assert word in str(caught.value)
    assert "Move it out" in str(caught.value)
    assert caught.value.template_debug["line"] == line


@pytest.mark.parametrize("limit", ["0", "-1", "'x'", "1.5", "1 2", "limit='x'", "limit="])
def test_a_wrong_limit_is_refused(limit):
    with pytest.raises(TemplateSyntaxError):
        backend().from_string(parallel("a", limit))


@pytest.mark.parametrize("limit", [0, -1, "3", None, True, 1.5])
def test_a_wrong_limit_of_the_context_is_refused(limit):
    template = backend().from_string(parallel("{{ a }}{{ b }}", "n"))
    for render in (template.render, lambda values: run_async(template.render_async, values)):
        with pytest.raises(TemplateSyntaxError, match="limit is"):
            render({"n": limit})


def test_blocks_inside():
    templates = {
        "base.html": parallel("{% block a %}A{% endblock %}-{% block b %}B{{ n }}{% endblock %}"),
        "child.html": (
            "{% extends 'base.html' %}{% load parallel_tags %}"
            "{% block a %}{% slow 0.05 a %}{{ block.super }}{% endblock %}"
            "{% block b %}{{ block.super }}{% slow 0.05 b %}{% endblock %}"
        ),
    }
    template = backend(templates).get_template("child.html")
    expected = template.render({"n": 1})
    assert expected == "aA-B1b"
    for _ in range(2):
        start = perf_counter()
        assert run_async(template.render_async, {"n": 1}) == expected
    assert perf_counter() - start < 0.09


def test_an_inner_failure_that_is_caught_cancels_nothing_outside():
    inner = "{% swallowing %}{% parallel %}{{ a }}{% slow_fail 0.01 x %}{% endparallel %}{% endswallowing %}"
    template = backend().from_string(parallel(inner + "{{ a }}{% slow 0.02 s %}"))
    for _ in range(2):
        text = run_async(template.render_async, {"a": later("v", 0.05)})
        assert text == "ValueErrorvs"


def test_an_awaitable_that_nobody_awaits_any_more_is_cancelled():
    inner = "{% swallowing %}{% parallel %}{{ a }}{% slow_fail 0.01 x %}{% endparallel %}{% endswallowing %}"
    template = backend().from_string(LOAD + inner)

    async def render():
        before = asyncio.all_tasks()
        assert await template.render_async({"a": later("v", 5)}) == "ValueError"
        assert asyncio.all_tasks() == before

    run_async(render)


@pytest.mark.parametrize("tag", ["around", "swallowing"])
def test_inside_a_block_tag_of_others(tag):
    body = f"{{% {tag} %}}{{% parallel %}}{{% slow 0.05 a %}}{{{{ b }}}}{{% endparallel %}}{{% end{tag} %}}"
    inside = f"{{% {tag} %}}{{% slow 0.05 c %}}{{{{ n }}}}{{% end{tag} %}}"
    template = backend().from_string(parallel(body + inside + "{{ b }}{% slow 0.05 d %}") + body)
    expected = template.render({"b": "b", "n": 1})
    for _ in range(3):
        assert run_async(template.render_async, {"b": later("b", 0.05), "n": 1}) == expected


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("tag", ["around", "swallowing"])
def test_querysets_inside_block_tags_of_others(tag):
    Region.objects.create(name="World")
    body = f"{{% {tag} %}}{{% for r in x %}}{{{{ r }}}}{{% endfor %}}{{% end{tag} %}}"
    template = backend().from_string(parallel(body + body.replace("in x", "in y")))

    def make():
        return {"x": Region.objects.all(), "y": Region.objects.order_by("-name")}

    expected = template.render(make())
    assert "World" in expected
    for _ in range(3):
        assert run_async(template.render_async, make()) == expected


def test_under_stocks_own_renderer():
    loaders = [("django.template.loaders.locmem.Loader", {})]
    options = {"loaders": loaders, "libraries": LIBRARIES}
    params = {"NAME": "stock", "DIRS": [], "APP_DIRS": False, "OPTIONS": options}
    body = (
        "{{ a }}{% for x in xs %}{{ x }}{{ forloop.last }}{% endfor %}{% set_name 'a' 2 %}{{ a }}"
    )
    template = StockTemplates(params).from_string(parallel(body, "2"))
    values = {"a": 1, "xs": "xy"}
    assert template.render(values) == backend().from_string(parallel(body)).render(values)
    with pytest.raises(TemplateSyntaxError, match="limit is 0"):
        StockTemplates(params).from_string(parallel(body, "n")).render({"n": 0})


@pytest.mark.parametrize("name", BODIES)
def test_in_every_way_also_from_kept_code(name, render):
    body, make = BODIES[name]
    if name == "partial":
        body = "{% partialdef row %}<{{ a }}>{% endpartialdef %}" + body
    outcome = render.outcome(
        parallel(body), make, templates=OTHERS, libraries=LIBRARIES, waits=None
    )
    assert (outcome.error is None) == (name not in FAILING)


FAILING = {"url", "bad unpacking", "fails", "nothing to include"}


HIDDEN = {
    "ifchanged in an include": (
        "{% for x in xs %}{% include 'changed.html' %}{% endfor %}",
        "ifchanged",
    ),
    "cycle in a block of a child": (
        "{% for x in xs %}{% block b %}{% endblock %}{% endfor %}",
        "cycle",
    ),
}


@pytest.mark.parametrize("name", HIDDEN)
def test_what_other_templates_bring_is_refused_when_it_is_rendered(name):
    body, tag = HIDDEN[name]
    templates = {
        "changed.html": "\n{% ifchanged %}{{ x }}{% endifchanged %}",
        "base.html": parallel(body),
        "child.html": "{% extends 'base.html' %}{% block b %}\n{% cycle 'a' 'b' %}{% endblock %}",
    }
    template = backend(templates, debug=True).get_template("child.html")
    for render in (template.render, lambda values: run_async(template.render_async, values)) * 2:
        with pytest.raises(TemplateSyntaxError, match=f"{tag}.*in line 2 cannot stand"):
            render({"xs": "aab"})


def test_what_stands_in_no_parallel_row_is_not_refused():
    templates = {"changed.html": "{% ifchanged x %}{{ x }}{% endifchanged %}"}
    body = "{% for x in xs %}{% include 'changed.html' %}{% endfor %}"
    template = backend(templates).from_string(
        parallel(f"{{% with n=1 %}}{body}{{% endwith %}}{{% include 'changed.html' with x=1 %}}")
        + body
    )
    assert template.render({"xs": "aab"}) == "ab1ab"
    assert run_async(template.render_async, {"xs": "aab"}) == "ab1ab"


def test_its_code_is_kept_for_other_processes(tmp_path):
    body = "{{ a }}{% for x, y in xs %}{{ x }}{% endfor %}{% block b %}{{ a }}{% endblock %}"
    template = backend({"page.html": parallel(body, "n")}, plan_cache=tmp_path)
    values = {"a": 1, "xs": ["ab", "cd"], "n": 2}
    assert template.get_template("page.html").render(values) == "1ac1"
    kept = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*") if path.is_file()}
    assert len(kept) == 2  # the page and its block
    again = backend({"page.html": parallel(body, "n")}, plan_cache=tmp_path)
    assert run_async(again.get_template("page.html").render_async, values) == "1ac1"
    assert {path: path.stat().st_mtime_ns for path in kept} == kept
