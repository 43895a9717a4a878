"""Pages that are sent while they are rendered: when what leaves, and that it is the same page."""

import asyncio
import gc
import itertools
import time
import warnings
from functools import partial

import jinja2
import jinja2.ext
import jinja2.nativetypes
import jinja2.sandbox
import pytest
from asgiref.sync import sync_to_async
from django.template import TemplateSyntaxError
from django.test import RequestFactory
from django.utils import translation

from atemplates.engines.jinja2.plans import use_plans
from atemplates.jinja2.state import active
from atemplates.streaming.stream import TemplateChunks

from .conftest import make_backend, queries, zoo

__all__ = ["zoo"]


class Gates:
    """Awaitables that are opened by the test: nothing depends on time."""

    def __init__(self):
        self.events = {}
        self.begun = []

    def event(self, name):
        return self.events.setdefault(name, asyncio.Event())

    async def wait(self, name):
        self.begun.append(name)
        await self.event(name).wait()
        return name

    def open(self, name):
        self.event(name).set()


def stream(source, context=None, templates=None, **options):
    backend = make_backend(templates, **options)
    return backend.from_string(source).stream_async(context)


async def joined(chunks):
    return "".join([chunk async for chunk in chunks])


def sent(template, **values):
    """The chunks of a template of any environment."""
    chunks = TemplateChunks(partial(template._send, values))
    chunks.feed.shell.end()
    return chunks


async def read(chunks):
    return [chunk async for chunk in chunks]


# -- When chunks leave -----------------------------------------------------------------------------


async def test_a_page_that_never_waits_is_one_chunk():
    source = "a{{ b }}{% for i in [1, 2] %}{{ i }}{% endfor %}c"
    assert await read(stream(source, {"b": "b"})) == ["ab12c"]


async def test_the_text_before_what_waits_leaves_first():
    gates = Gates()
    source = "a{{ 1 + 1 }}{{ wait('x') }}b{{ wait('y') }}c"
    chunks = stream(source, {"wait": gates.wait})
    assert await anext(chunks) == "a2"
    gates.open("x")
    assert await anext(chunks) == "xb"
    gates.open("y")
    assert await anext(chunks) == "yc"
    with pytest.raises(StopAsyncIteration):
        await anext(chunks)


TEMPLATES = {
    "base": "<{% block head %}h{% endblock %}|{% block body %}{% endblock %}>",
    "inner": "i{{ wait('i') }}{% if x %}{{ x }}{% endif %}j",
    "macros": "{% macro m(n) %}({{ wait(n) }}){% endmacro %}",
}


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("1{{ wait('a') }}2", ["1", "a2"]),
        ("1{% for i in 'ab' %}{{ i }}:{{ wait(i) }};{% endfor %}", ["1a:", "a;b:", "b;"]),
        ("{% for i in 'ab' recursive %}{{ wait(i) }}{% endfor %}!", ["ab!"]),
        ("1{% if wait('a') %}2{% endif %}3", ["1", "23"]),
        ("1{% include 'inner' %}2", ["1i", "ij2"]),
        ("1{% include 'inner' without context %}2", ["1iij2"]),
        (
            "{% extends 'base' %}{% block head %}1{{ wait('a') }}{% endblock %}"
            "{% block body %}2{{ super() }}{{ wait('b') }}{% endblock %}",
            ["<1", "a|2", "b>"],
        ),
        ("1{% with y = 2 %}{{ y }}{{ wait('a') }}{% endwith %}", ["12", "a"]),
        ("{% autoescape false %}<{{ '<' }}{{ wait('<') }}{% endautoescape %}", ["<<", "<"]),
        # What is a value is held back as a whole.
        ("1{% filter upper %}b{{ wait('a') }}{% endfilter %}2", ["1", "BA2"]),
        ("1{% set t %}b{{ wait('a') }}{% endset %}2{{ t }}", ["1", "2ba"]),
        ("{% macro m() %}b{{ wait('a') }}{% endmacro %}1{{ m() }}2", ["1", "ba2"]),
        (
            "{% macro m() %}[{{ caller() }}]{% endmacro %}1{% call m() %}{{ wait('a') }}{% endcall %}2",
            ["1", "[a]2"],
        ),
        ("{% from 'macros' import m with context %}1{{ m('a') }}2", ["1", "(a)2"]),
        ("{% block b %}1{{ wait('a') }}{% endblock %}2{{ self.b() }}3", ["1", "a2", "1a3"]),
        ("{% extends 'base' %}{% block body %}1{{ wait('a') }}{% endblock %}", ["<h|1", "a>"]),
        (
            "1{% parallel %}{{ wait('a') }}-{{ wait('b') }}{% endparallel %}2",
            ["1", "a-b2"],
        ),
    ],
)
@pytest.mark.parametrize("kind", [jinja2.Environment, jinja2.sandbox.SandboxedEnvironment])
async def test_what_leaves_when(source, expected, kind):
    async def wait(value):
        await asyncio.sleep(0.001)
        return value

    env = kind(loader=jinja2.DictLoader(TEMPLATES), autoescape=True, enable_async=True)
    env.globals["wait"] = wait
    template = use_plans(env).from_string(source)
    assert await joined(sent(template)) == "".join(expected)  # compiles as it goes
    assert await read(sent(template)) == expected
    assert await joined(template.generate_async()) == "".join(expected)
    assert await template.render_async() == "".join(expected)


async def test_the_shell_of_a_page_is_held_until_its_head_has_ended():
    async def wait(value):
        await asyncio.sleep(0)
        return value

    source = "<html><head>{{ wait('t') }}</head><body>{{ wait('b') }}"
    chunks = await read(stream(source, {"wait": wait}))
    assert chunks == ["<html><head>t</head><body>", "b"]


async def test_awaitables_begin_together_and_are_awaited_in_the_order_of_the_page():
    gates = Gates()
    backend = make_backend({"i": "{{ x }}-{{ z }}"})
    template = backend.from_string("1{{ y }}2{% include 'i' %}3{{ y }}")
    assert await joined(template.stream_async({})) == "12-3"
    chunks = template.stream_async({name: gates.wait(name) for name in "xyz"})
    assert await anext(chunks) == "1"
    assert sorted(gates.begun) == ["x", "y", "z"]
    gates.open("x")
    gates.open("y")
    assert await anext(chunks) == "y2x-"
    gates.open("z")
    assert await joined(chunks) == "z3y"


async def test_awaitables_that_need_not_wait_split_nothing():
    async def give(value):
        return value

    context = {"x": give("x"), "y": give("y")}
    assert await read(stream("1{{ x }}2{{ y }}", context)) == ["1x2y"]


async def test_awaitables_that_are_not_used_are_closed():
    async def give(value):
        await asyncio.sleep(10)
        return value

    context = {"x": give("x"), "y": give("y")}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert await read(stream("1{% if false %}{{ x }}{% endif %}", context)) == ["1"]
        gc.collect()
    for value in context.values():
        assert value.cr_frame is None


async def test_flush_ends_a_chunk():
    source = "1{% flush %}2{% for i in [3, 4] %}{{ i }}{% flush %}{% endfor %}5"
    backend = make_backend()
    assert await read(backend.from_string(source).stream_async()) == ["1", "23", "4", "5"]
    assert await backend.from_string(source).render_async() == "12345"
    assert await sync_to_async(backend.from_string(source).render)() == "12345"
    held = "{% filter upper %}a{% flush %}b{% endfilter %}"
    assert await read(backend.from_string(held).stream_async()) == ["AB"]


def test_flush_has_no_arguments():
    with pytest.raises(jinja2.TemplateSyntaxError, match="takes no arguments"):
        make_backend().from_string("{% flush now %}")


def test_flush_is_no_statement_of_stock_jinja2_that_does_anything():
    from atemplates.jinja2.flush import FlushExtension

    env = jinja2.Environment(extensions=[FlushExtension])
    assert env.from_string("a{% flush %}b").render() == "ab"


def test_a_flush_of_a_site_stays_its_own():
    class Own(jinja2.ext.Extension):
        tags = {"flush"}

        def parse(self, parser):
            next(parser.stream)
            return jinja2.nodes.Output([jinja2.nodes.TemplateData("mine")])

    assert make_backend(extensions=[Own]).from_string("{% flush %}").render() == "mine"


# -- Errors, ends and context variables ------------------------------------------------------------


def boom():
    raise ZeroDivisionError("boom")


async def wait(value="w"):
    await asyncio.sleep(0.001)
    return value


async def test_an_error_before_the_first_chunk():
    with pytest.raises(ZeroDivisionError):
        await stream("<html><head>a{{ 1 // zero }}", {"zero": 0}).shell()


async def test_an_error_after_the_first_chunk():
    chunks = stream("a{{ wait() }}b{{ boom() }}", {"boom": boom, "wait": wait})
    assert await anext(chunks) == "a"
    with pytest.raises(ZeroDivisionError) as caught:
        await joined(chunks)
    frames = [each.name for each in caught.traceback]
    assert "top-level template code" in frames[-2] or "top-level template code" in str(frames)
    assert [each async for each in chunks] == []


async def test_errors_name_the_line_of_the_template():
    source = "a\n{{ wait() }}\n\n{% for i in [1] %}\n{{ boom() }}{% endfor %}"
    backend = make_backend({"page.html": source})
    template = await backend.aget_template("page.html")
    with pytest.raises(ZeroDivisionError) as caught:
        await joined(template.stream_async({"boom": boom, "wait": wait}))
    lines = [each.lineno + 1 for each in caught.traceback if "template code" in each.name]
    assert lines == [5]


async def test_a_syntax_error_of_an_included_template_is_djangos():
    with pytest.raises(TemplateSyntaxError):
        await joined(stream("a{% include 'b' %}", templates={"b": "{% if %}"}))


async def test_a_missing_template():
    with pytest.raises(jinja2.TemplateNotFound):
        await joined(stream("a{% include 'b' %}"))


def test_the_context_has_to_be_a_mapping():
    with pytest.raises(TypeError):
        stream("a", 1)


async def test_a_sandbox_refuses_the_same():
    env = jinja2.sandbox.SandboxedEnvironment(enable_async=True)
    template = use_plans(env).from_string("a{{ wait() }}{{ x.__class__.mro() }}")
    pieces = template.generate_async(wait=wait, x=1)
    assert await anext(pieces) == "a"
    with pytest.raises(jinja2.exceptions.SecurityError):
        await anext(pieces)


async def test_native_environments_give_one_chunk():
    env = use_plans(jinja2.nativetypes.NativeEnvironment(enable_async=True))
    assert await env.from_string("{{ wait([1]) }}").render_async(wait=wait) == [1]
    assert await read(env.from_string("{{ wait([1]) }}").generate_async(wait=wait)) == [[1]]
    backend = make_backend(environment=f"{__name__}.native_environment")
    assert await read(backend.from_string("{{ wait([1]) }}").stream_async({"wait": wait})) == [
        "[1]"
    ]


def native_environment(**options):
    return jinja2.nativetypes.NativeEnvironment(**options)


def others():
    return [each for each in asyncio.all_tasks() if each is not asyncio.current_task()]


@pytest.mark.parametrize("end", ["aclose", "drop", "cancel"])
@pytest.mark.parametrize("begun", [False, True])
async def test_who_stops_reading_leaves_nothing(end, begun):
    closed = []

    async def rows():
        try:
            yield 1
            await asyncio.sleep(60)
        finally:
            closed.append(True)

    async def forever():
        await asyncio.sleep(60)

    coroutine = forever()
    source = "a{% for i in rows %}{{ i }}{% endfor %}{{ x }}"
    chunks = stream(source, {"rows": rows(), "x": coroutine})
    if begun:
        while "1" not in await anext(chunks):
            pass
    if end == "aclose":
        await chunks.aclose()
    elif end == "cancel" and begun:
        task = asyncio.create_task(joined(chunks))
        await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    else:
        del chunks
        gc.collect()
        await asyncio.sleep(0.01)
    assert others() == []
    assert coroutine.cr_frame is None
    assert closed == ([True] if begun else [])
    assert active.get() is None


async def test_generate_async_that_is_not_read_to_its_end():
    template = make_backend().async_env.from_string("a{{ wait() }}{{ wait() }}b")
    pieces = template.generate_async(wait=wait)
    assert await anext(pieces) == "a"
    await pieces.aclose()
    assert others() == []
    assert active.get() is None


async def test_context_variables_are_those_of_the_render():
    seen = []

    def language():
        seen.append(translation.get_language())
        return ""

    def activate(name):
        translation.activate(name)
        return ""

    source = "{{ activate('de') }}a{{ wait() }}{{ language() }}b{{ wait() }}{{ language() }}"
    context = {"activate": activate, "language": language, "wait": wait}
    with translation.override("fr"):
        async for _ in stream(source, context):
            assert translation.get_language() == "fr"
            with translation.override("en"):
                await asyncio.sleep(0)
        assert translation.get_language() == "fr"
    assert seen == ["de", "de"]


async def test_a_page_that_is_read_by_several_tasks():
    chunks = stream("a{{ wait() }}b{{ wait() }}c", {"wait": wait})
    found = [await asyncio.create_task(anext(chunks)) for _ in range(3)]
    assert found == ["a", "wb", "wc"]


async def test_a_render_inside_a_page_that_is_sent():
    backend = make_backend({"inner": "[{{ wait() }}]"})

    async def inner():
        template = await backend.aget_template("inner")
        return await template.render_async({"wait": wait})

    async def streamed():
        template = await backend.aget_template("inner")
        return await joined(template.stream_async({"wait": wait}))

    source = "a{{ inner() }}b{{ streamed() }}c"
    chunks = await read(
        backend.from_string(source).stream_async({"inner": inner, "streamed": streamed})
    )
    assert chunks == ["a", "[w]b", "[w]c"]


# -- What sees the context -------------------------------------------------------------------------


@jinja2.pass_context
def x_of_context(context):
    return type(context["x"]).__name__


@jinja2.pass_context
def with_x(context, value):
    return f"{value}{context['x']}"


class ShowsX(jinja2.ext.Extension):
    tags = {"showx"}

    def parse(self, parser):
        line = next(parser.stream).lineno
        call = self.call_method("show", [jinja2.nodes.ContextReference()], lineno=line)
        return jinja2.nodes.Output([call]).set_lineno(line)

    def show(self, context):
        return context["x"]


@pytest.mark.parametrize(
    "source",
    [
        "a{% if false %}{{ x }}{% endif %}{{ f() }}",
        "a{% if false %}{{ x }}{% endif %}{{ 'v'|with_x }}",
        "a{% if false %}{{ x }}{% endif %}{% showx %}",
        "a{% if false %}{{ x }}{% endif %}{% include 'inner' %}",
        "a{% if false %}{{ x }}{% endif %}{% from 'library' import m with context %}{{ m() }}",
        "a{% if false %}{{ x }}{% endif %}{% for i in [1] %}{% block b scoped %}{{ f() }}{{ i }}"
        "{% endblock %}{% endfor %}",
        "a{% set y = x %}{{ y }}{{ f() }}{{ x }}",
    ],
)
async def test_code_of_others_sees_results_in_the_context(source):
    templates = {"inner": "{{ f() }}", "library": "{% macro m() %}{{ f() }}{% endmacro %}"}
    backend = make_backend(
        templates,
        extensions=[ShowsX],
    )
    backend.async_env.filters["with_x"] = with_x
    backend.async_env.globals["f"] = x_of_context
    template = backend.async_env.from_string(source)
    expected = await template.render_async(x=wait("x"))
    assert await joined(template.generate_async(x=wait("x"))) == expected


# -- Rows ------------------------------------------------------------------------------------------


@pytest.mark.django_db(databases=["default", "other"])
async def test_querysets(zoo):
    from tests.testapp.models import Animal

    def animals():
        return Animal.objects.filter(pk__in=[zoo.leo.pk, zoo.mara.pk]).order_by("pk")

    source = "a{% for animal in animals %}{{ animal.name }},{{ animal.species.name }};{% endfor %}b"
    backend = make_backend()
    template = backend.from_string(source)
    expected = await template.render_async({"animals": animals()})
    assert await joined(template.stream_async({"animals": animals()})) == expected
    chunks = await read(template.stream_async({"animals": animals()}))
    assert "".join(chunks) == expected
    assert chunks[0].startswith("a")


async def test_text_leaves_while_the_plan_is_in_the_thread():
    """What the thread waits for nobody tells the loop: it looks there again and again."""

    def slow():
        time.sleep(0.1)
        return "s"

    chunks = stream("a{{ slow() }}b{{ slow() }}c", {"slow": slow})
    times, found, start = [], [], time.perf_counter()
    async for chunk in chunks:
        times.append(time.perf_counter() - start)
        found.append(chunk)
    assert "".join(found) == "asbsc"
    assert len(found) >= 3
    assert times[0] < 0.09


async def test_rows_that_arrive_one_by_one():
    gates = Gates()

    async def rows():
        for name in "xy":
            yield await gates.wait(name)

    chunks = stream("a{% for row in rows %}{{ row }};{% endfor %}b", {"rows": rows()})
    assert await anext(chunks) == "a"
    gates.open("x")
    assert await anext(chunks) == "x;"
    gates.open("y")
    assert await joined(chunks) == "y;b"


async def test_parts_of_parallel_leave_as_they_are_ready():
    gates = Gates()
    source = "1{% parallel %}{{ wait('a') }}-{{ wait('b') }}{% if true %}{{ wait('c') }}{% endif %}{% endparallel %}2"
    template = make_backend().from_string(source)
    chunks = template.stream_async({"wait": gates.wait})
    assert await anext(chunks) == "1"
    gates.open("b")
    gates.open("a")
    sent = await anext(chunks)
    while sent != "a-b":  # in one chunk or two: whichever task runs first
        sent += await anext(chunks)
    gates.open("c")
    assert await joined(chunks) == "c2"


# -- Sync code -------------------------------------------------------------------------------------


def test_generate_gives_each_piece_when_it_is_there():
    asked = []

    def ask(value):
        asked.append(value)
        return value

    template = make_backend().sync_env.from_string(
        "a{{ ask(1) }}{% for i in [2, 3] %}{{ ask(i) }};{% endfor %}{% block b %}{{ ask(4) }}{% endblock %}"
    )
    pieces = template.generate(ask=ask)
    assert next(pieces) == "a"
    assert asked == []
    assert next(pieces) == "1"
    assert asked == [1]
    assert "".join(pieces) == "2;3;4"
    assert active.get() is None


def test_generate_has_no_need_of_an_end():
    template = make_backend().sync_env.from_string("{% for i in count() %}{{ i }}{% endfor %}")
    pieces = template.generate(count=itertools.count)
    assert list(itertools.islice(pieces, 3)) == ["0", "1", "2"]
    pieces.close()
    assert active.get() is None


def test_stream_as_stock_has_it():
    source = "<ul>{% for item in seq %}<li>{{ loop.index }} - {{ item }}</li>{% endfor %}</ul>"
    stock = jinja2.Environment().from_string(source)
    ours = make_backend().sync_env.from_string(source)
    assert list(ours.stream(seq=range(3))) == list(stock.stream(seq=range(3)))
    one, other = ours.stream(seq=range(4)), stock.stream(seq=range(4))
    one.enable_buffering(3)
    other.enable_buffering(3)
    assert list(one) == list(other)


def test_dump(tmp_path):
    template = make_backend().sync_env.from_string("ä{{ 1 }}")
    template.stream().dump(str(tmp_path / "page"), "utf-8")
    assert (tmp_path / "page").read_text(encoding="utf-8") == "ä1"


def test_errors_of_generate():
    template = make_backend().sync_env.from_string("a{{ boom() }}")
    pieces = template.generate(boom=boom)
    assert next(pieces) == "a"
    with pytest.raises(ZeroDivisionError):
        next(pieces)
    assert active.get() is None


def test_generate_of_an_async_environment_gives_text_while_it_waits():
    waited = []

    async def late(value):
        await asyncio.sleep(0.001)
        waited.append(value)
        return value

    template = make_backend().async_env.from_string("a{{ late(1) }}b{{ late(2) }}")
    pieces = template.generate(late=late)
    assert next(pieces) == "a"
    assert waited == []
    assert list(pieces) == ["1", "b", "2"]
    pieces = template.generate(late=late)
    next(pieces)
    pieces.close()


async def test_that_generate_refuses_a_running_loop():
    template = make_backend().async_env.from_string("a")
    with pytest.raises(RuntimeError, match="running event loop"):
        next(template.generate())


@pytest.mark.django_db(databases=["default", "other"])
def test_generate_gives_text_before_it_queries(zoo):
    from tests.testapp.models import Animal

    source = "a{% for animal in animals %}{{ animal.name }};{% endfor %}b"
    template = make_backend().sync_env.from_string(source)
    animals = Animal.objects.order_by("pk")
    pieces = template.generate(animals=animals)
    assert next(pieces) == "a"
    assert animals._result_cache is None
    assert "".join(pieces) == template.render(animals=animals)[1:]


# -- Code that is compiled for it ------------------------------------------------------------------


def test_nothing_is_compiled_for_it_before():
    template = make_backend().async_env.from_string("a{{ b }}")
    assert template.root_render_func._sending is None


async def test_templates_whose_text_is_not_known_are_sent_in_larger_pieces(tmp_path):
    backend = make_backend({"page": "a{{ wait() }}b{% if true %}{{ wait() }}{% endif %}"})
    backend.async_env.compile_templates(str(tmp_path / "compiled"), zip=None)
    env = jinja2.Environment(
        loader=jinja2.ModuleLoader(str(tmp_path / "compiled")), enable_async=True
    )
    template = use_plans(env).get_template("page")
    chunks = await read(template.generate_async(wait=wait))
    assert "".join(chunks) == "awbw"


async def test_a_filter_that_was_registered_later_changes_nothing():
    env = use_plans(jinja2.Environment(enable_async=True))
    env.filters["late"] = lambda value: f"1{value}"
    template = env.from_string("a{{ b|late }}")
    env.filters["late"] = lambda value: f"2{value}"
    expected = await template.render_async(b="b")
    assert await joined(template.generate_async(b="b")) == expected
    assert await joined(template.generate_async(b="b")) == expected


async def test_code_of_another_text_is_not_used():
    env = use_plans(jinja2.Environment(enable_async=True))
    tree = env.parse("a{{ b }}")
    env.parse("something else")  # what this thread has parsed last
    template = env.from_string(tree)
    assert "something else" in template.root_render_func._plan.__globals__["source"]
    assert await joined(template.generate_async(b="b")) == "ab"
    assert await joined(template.generate_async(b="b")) == "ab"


async def test_a_request_and_its_processors(settings):
    backend = make_backend(context_processors=["django.template.context_processors.request"])
    template = backend.from_string("{{ request.path }}{{ wait() }}{{ csrf_token|length > 9 }}")
    request = RequestFactory().get("/path/")
    assert await joined(template.stream_async({"wait": wait}, request)) == "/path/wTrue"


async def test_policies_of_this_render():
    with pytest.raises(ValueError, match="nonsense"):
        await joined(make_backend().from_string("a").stream_async(relations="nonsense"))


async def test_generate_that_is_freed_while_a_loop_runs():
    template = make_backend().async_env.from_string("a{{ wait() }}b")
    pieces = template.generate(wait=wait)
    assert await asyncio.to_thread(next, pieces) == "a"
    del pieces
    gc.collect()


@pytest.mark.django_db(databases=["default", "other"])
async def test_relations_of_awaited_objects_cost_as_many_queries(zoo):
    from tests.testapp.models import Animal

    names = [zoo.leo.name, zoo.mara.name]
    source = (
        "a{% for animal in animals %}{{ animal.species.name }};{% endfor %}"
        "{{ one.species.name }}{{ one.mother.species.name }}"
    )
    template = make_backend().from_string(source)

    async def load():
        rows = await sync_to_async(list)(Animal.objects.filter(name__in=names).order_by("pk"))
        return rows, await sync_to_async(Animal.objects.get)(pk=zoo.leo.pk)

    async def given(value):
        return value

    counts, texts = [], []
    for way in (template.render_async, lambda values: joined(template.stream_async(values))):
        rows, one = await load()
        async with queries() as found:
            texts.append(await way({"animals": given(rows), "one": given(one)}))
        counts.append(len(found))
    assert texts[0] == texts[1]
    assert counts[0] == counts[1]


async def test_a_name_that_a_scope_sets_again():
    source = "{% for i in [1, 2] %}{{ a[0] }}{% set a = [i] %}{{ a[0] }}{% endfor %}{{ a }}"
    template = make_backend().from_string(source)
    assert await joined(template.stream_async({"a": wait("w")})) == "w1w2w"
