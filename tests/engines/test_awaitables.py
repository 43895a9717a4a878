"""Awaitables among the values of a context: awaited together, once, or closed."""

import asyncio
import inspect
import types
from collections import OrderedDict
from functools import partial

import django
import pytest
from asgiref.sync import sync_to_async
from django.utils.functional import SimpleLazyObject

from atemplates.engines.base import is_awaitable
from atemplates.errors import RenderBlocked
from tests.event_loop import PATIENCE, turns


async def give(value):
    return value


async def give_later(value):
    await turns(3)
    return value


async def value_later():
    return await give_later("value")


class Awaitable:
    """An object with ``__await__`` that is no coroutine, and whose ``close`` means its own."""

    def __init__(self, value):
        self.value = value
        self.awaited = 0
        self.closed = False

    def __await__(self):
        self.awaited += 1
        yield from turns(1).__await__()
        return self.value

    def close(self):
        self.closed = True


@types.coroutine
def old_style(value):
    yield from turns(1).__await__()
    return value


class Method:
    async def fetch(self):
        return "method"

    async def __call__(self):
        return "called"


KINDS = {
    "coroutine": lambda: give_later("value"),
    "generator-based coroutine": lambda: old_style("value"),
    "task": lambda: asyncio.ensure_future(give_later("value")),
    "object with __await__": lambda: Awaitable("value"),
    "coroutine function": lambda: value_later,
    "partial of a coroutine function": lambda: partial(give_later, value="value"),
    "called partial": lambda: partial(give_later, "value")(),
    "lambda that gives one": lambda: give("value"),
}


def future():
    made = asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().call_later(0.01, made.set_result, "value")
    return made


KINDS["future"] = future


@pytest.mark.parametrize("kind", KINDS)
async def test_every_kind_of_awaitable_is_awaited(render_async, kind):
    assert await render_async("{{ a }}|{{ a|upper }}", {"a": KINDS[kind]()}) == "value|VALUE"


async def test_a_bound_async_method_and_an_async_call_are_called(render_async):
    context = {"method": Method().fetch, "object": Method()}
    assert await render_async("{{ method }} {{ object }}", context) == "method called"


async def test_async_functions_that_django_would_not_call(render_async):
    async def delete():
        raise AssertionError("called")

    async def listed():
        raise AssertionError("called")

    delete.alters_data = True
    listed.do_not_call_in_templates = True
    listed.label = "not called"
    context = {"delete": delete, "listed": listed}
    assert await render_async("[{{ delete }}] {{ listed.label }}", context) == "[] not called"


async def test_async_objects_that_django_would_not_call(render_async):
    class Delete:
        alters_data = True

        async def __call__(self):
            raise AssertionError("called")

    class Listed(Delete):
        alters_data = False
        do_not_call_in_templates = True
        label = "not called"

    context = {"delete": Delete(), "listed": Listed()}
    assert await render_async("[{{ delete }}] {{ listed.label }}", context) == "[] not called"


async def test_an_async_function_that_needs_arguments_is_invalid_as_in_django(render_async):
    source = "[{{ f }}]"
    assert await render_async(source, {"f": give}, string_if_invalid="?") == "[?]"


async def test_the_value_is_what_tags_see(render_async):
    source = (
        "{% if no %}wrong{% else %}right{% endif %}"
        "{% for x in rows %}{{ x.name }}{% endfor %}"
        "{% with r=rows %}{{ r|length }}{% endwith %}{{ rows.0.name }}"
    )
    context = {"no": give(False), "rows": give([{"name": "a"}, {"name": "b"}])}
    assert await render_async(source, context) == "rightab2a"


async def test_the_value_is_escaped(render_async):
    assert await render_async("{{ a }}", {"a": give("<b>")}) == "&lt;b&gt;"


async def test_they_run_at_the_same_time(render_async):
    barrier = asyncio.Barrier(3)

    async def meet(name):
        await barrier.wait()  # one after the other would never get past this
        return name

    async with asyncio.timeout(PATIENCE):
        context = {name: meet(name) for name in "abc"}
        assert await render_async("{{ a }}{{ b }}{{ c }}", context) == "abc"


async def test_one_awaitable_under_two_names_is_awaited_once(render_async):
    shared = Awaitable("value")
    context = {"a": shared, "b": shared, "coroutine": give_later("x")}
    context["same"] = context["coroutine"]
    source = "{{ a }}{{ b }}{% for i in 'xyz' %}{{ a }}{% endfor %}{{ coroutine }}{{ same }}"
    assert await render_async(source, context) == "value" * 5 + "xx"
    assert shared.awaited == 1


async def test_the_callers_dict_keeps_its_awaitable(render_async):
    awaitable = Awaitable("value")
    context = {"a": awaitable, "n": 1}
    await render_async("{{ a }}{% with n=2 %}{{ n }}{% endwith %}", context)
    assert context == {"a": awaitable, "n": 1}


async def test_a_dict_of_another_class(render_async):
    context = OrderedDict(a=give("value"))
    assert await render_async("{{ a }}", context) == "value"


class TestUnused:
    async def test_a_coroutine_is_closed_without_a_warning(self, render_async, recwarn):
        ran = []

        async def unused():
            ran.append(True)

        coroutine = unused()
        assert await render_async("{{ other }}", {"c": coroutine, "other": give("x")}) == "x"
        assert inspect.getcoroutinestate(coroutine) == inspect.CORO_CLOSED
        assert not ran
        assert not recwarn.list

    async def test_a_generator_based_coroutine_is_closed(self, render_async):
        coroutine = old_style("value")
        await render_async("", {"c": coroutine})
        assert inspect.getgeneratorstate(coroutine) == inspect.GEN_CLOSED

    async def test_an_object_with_its_own_close_is_left_alone(self, render_async):
        pool = Awaitable("pool")
        await render_async("{{ other }}", {"pool": pool})
        assert pool.awaited == 0
        assert not pool.closed

    async def test_a_task_is_left_running(self, render_async):
        task = asyncio.ensure_future(give_later("value"))
        await render_async("{{ other }}", {"task": task})
        assert not task.cancelled()
        assert await task == "value"

    async def test_a_coroutine_that_is_being_awaited_elsewhere_goes_on(self, render_async):
        coroutine = give_later("value")
        task = asyncio.ensure_future(coroutine)
        await asyncio.sleep(0)
        await render_async("{{ other }}", {"c": coroutine})
        assert await task == "value"

    async def test_one_of_two_names_is_used(self, render_async):
        coroutine = give_later("value")
        assert await render_async("{{ a }}", {"a": coroutine, "b": coroutine}) == "value"

    async def test_a_name_that_only_looks_alike(self, render_async):
        context = {"a": give("wrong"), "author": give("x"), "A": give("wrong")}
        unused = [context["a"], context["A"]]
        assert await render_async("{{ author }}", context) == "x"
        assert {inspect.getcoroutinestate(each) for each in unused} == {inspect.CORO_CLOSED}


class TestUsedElsewhere:
    """A name need not stand in the template itself."""

    async def render(self, make_backend, templates, name="page", used="x", **options):
        coroutine = give("value")
        template = await make_backend(templates, **options).aget_template(name)
        return await template.render_async({used: coroutine, "unused": give("never")})

    @pytest.mark.parametrize(
        "templates",
        [
            {"page": "{% extends 'base' %}", "base": "{% block b %}{{ x }}{% endblock %}"},
            {"page": "{% include 'part' %}", "part": "{{ x }}"},
            {"page": "{% if 1 %}{% include 'part' %}{% endif %}", "part": "{{ x }}"},
            {"page": "{% for i in 'a' %}{% include 'part' %}{% endfor %}", "part": "{{ x }}"},
            {"page": "{% with p='part' %}{% include p %}{% endwith %}", "part": "{{ x }}"},
            {"page": "{% include 'pa'|add:'rt' %}", "part": "{{ x }}"},
            {"page": "{% with p='base' %}{% endwith %}{% include 'ext' %}",
             "ext": "{% extends 'base' %}", "base": "{{ x }}"},
            {"page": "{% extends 'b'|add:'ase' %}", "base": "{{ x }}"},
            {"page": "{% include 'sub/part' %}", "sub/part": "{% include './other' %}",
             "sub/other": "{{ x }}"},
        ],
    )  # fmt: skip
    async def test_in_parents_and_includes(self, make_backend, templates):
        assert await self.render(make_backend, templates) == "value"

    async def test_in_the_next_template_of_the_same_name(self, make_backend, tmp_path):
        for folder, text in {"first": "{% extends 'page' %}", "second": "{{ x }}"}.items():
            (tmp_path / folder).mkdir()
            (tmp_path / folder / "page").write_text(text)
        loader = "django.template.loaders.filesystem.Loader"
        folders = [tmp_path / "first", tmp_path / "second"]
        backend = make_backend(loaders=[(loader, folders)])
        template = await backend.aget_template("page")
        assert await template.render_async({"x": give("value")}) == "value"

    async def test_in_a_template_that_includes_itself(self, make_backend):
        tree = "{{ x }}{% if n %}{% with n=m m=0 %}{% include 'page' %}{% endwith %}{% endif %}"
        template = make_backend({"page": tree}).get_template("page")
        context = {"x": give("v"), "n": 1, "m": 1}
        assert await template.render_async(context) == "vvv"

    async def test_an_include_that_is_broken_but_never_reached(self, make_backend):
        templates = {"page": "{% if 0 %}{% include 'bad' %}{% endif %}{{ x }}", "bad": "{% oops %}"}
        assert await self.render(make_backend, templates) == "value"

    async def test_an_include_that_is_missing_but_never_reached(self, make_backend):
        templates = {"page": "{% if 0 %}{% include 'none' %}{% endif %}{{ x }}"}
        assert await self.render(make_backend, templates) == "value"

    async def test_in_a_tag_that_reads_the_context(self, make_backend):
        templates = {"page": "{% load engine_tags %}{% from_context %}"}
        libraries = {"engine_tags": "tests.engines.engine_tags"}
        assert await self.render(make_backend, templates, libraries=libraries) == "value"

    async def test_in_a_foreign_node(self, make_backend):
        templates = {"page": "{% load engine_tags %}{% foreign %}"}
        libraries = {"engine_tags": "tests.engines.engine_tags"}
        assert await self.render(make_backend, templates, libraries=libraries) == "value"

    async def test_in_an_inclusion_tag(self, make_backend):
        templates = {"page": "{% load engine_tags %}{% included %}", "included": "{{ x }}"}
        libraries = {"engine_tags": "tests.engines.engine_tags"}
        assert await self.render(make_backend, templates, libraries=libraries) == "value"


class TestPartials:
    """``{% partialdef %}`` came with Django 6.0."""

    pytestmark = pytest.mark.skipif(
        django.VERSION < (6, 0), reason="template partials came with Django 6.0"
    )
    templates = {
        "page": (
            "{% partialdef a %}[{{ x }}{% partial b %}]{% endpartialdef %}"
            "{% partialdef b %}{{ y }}{% endpartialdef %}{{ z }}"
        ),
        "outer": "{% include 'page#a' %}",
    }

    @pytest.mark.parametrize("name", ["page#a", "outer"])
    async def test_what_a_partial_of_the_same_template_uses(self, make_backend, name):
        backend = make_backend(self.templates)
        template = await backend.aget_template(name)
        assert await template.render_async({"x": give(1), "y": give(2)}) == "[12]"


class TestErrors:
    async def test_the_original_exception_and_the_others_are_cancelled(self, render_async):
        ended = []

        async def fails():
            await asyncio.sleep(0)
            raise ValueError("the original")

        async def slow(name):
            try:
                await asyncio.Event().wait()  # which never comes
            finally:
                await asyncio.sleep(0)  # awaited, not only told to stop
                ended.append(name)

        context = {"a": slow("a"), "b": fails(), "c": slow("c")}
        async with asyncio.timeout(PATIENCE):
            with pytest.raises(ValueError, match=r"^the original$"):
                await render_async("{{ a }}{{ b }}{{ c }}", context)
        assert sorted(ended) == ["a", "c"]
        assert asyncio.all_tasks() == {asyncio.current_task()}

    async def test_two_that_raise_give_one_exception(self, render_async):
        async def fails(message):
            raise ValueError(message)

        with pytest.raises(ValueError, match=r"one|two"):
            await render_async("{{ a }}{{ b }}", {"a": fails("one"), "b": fails("two")})

    async def test_a_single_one_that_raises(self, render_async):
        async def fails():
            raise LookupError("alone")

        with pytest.raises(LookupError, match="alone"):
            await render_async("{{ a }}", {"a": fails()})

    async def test_an_unused_one_that_would_raise(self, render_async):
        async def fails():
            raise AssertionError("awaited")

        assert await render_async("fine", {"a": fails()}) == "fine"


class TestSyncRender:
    """``render()`` from sync code gives what ``render_async()`` gives."""

    def test_awaitables_are_awaited(self, make_backend):
        template = make_backend().from_string("{{ a }}{{ b }}")
        unused = give("never")
        assert template.render({"a": give_later("x"), "b": give("y"), "c": unused}) == "xy"
        assert inspect.getcoroutinestate(unused) == inspect.CORO_CLOSED

    def test_a_coroutine_function_is_called(self, make_backend):
        template = make_backend().from_string("{{ f }}{{ f }}")
        assert template.render({"f": partial(give_later, "x")}) == "xx"

    async def test_in_a_thread_they_run_on_the_loop_that_waits(self, make_backend):
        loop = asyncio.get_running_loop()

        async def which():
            return asyncio.get_running_loop() is loop

        template = make_backend().from_string("{{ a }}")
        assert await sync_to_async(template.render)({"a": which()}) == "True"

    async def test_on_a_running_loop_it_names_the_value_and_says_what_to_write(self, make_backend):
        coroutine = give("x")
        template = make_backend().from_string("{{ book }}")
        with pytest.raises(RenderBlocked, match="await arender") as caught:
            template.render({"book": coroutine})
        assert "book" in str(caught.value)
        assert inspect.getcoroutinestate(coroutine) == inspect.CORO_CLOSED

    async def test_on_a_running_loop_without_awaitables_it_is_stock(self, make_backend):
        assert make_backend().from_string("{{ a }}").render({"a": 1}) == "1"


def test_asking_whether_a_lazy_object_can_be_awaited_does_not_make_it():
    def make():
        raise AssertionError("made")

    assert not is_awaitable(SimpleLazyObject(make))


@pytest.mark.parametrize("value", [None, 1, "text", [], {}, object(), give, Awaitable, iter("ab")])
def test_what_cannot_be_awaited(value):
    assert not is_awaitable(value)


def test_an_ordinary_generator_cannot_be_awaited():
    assert not is_awaitable(each for each in "ab")
