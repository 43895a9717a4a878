"""The Jinja2 backend: what Django's own does, and the same from async code."""

import asyncio
import inspect
import threading
from collections import UserDict
from functools import partial
from types import MappingProxyType

import jinja2
import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import Group, User
from django.core.exceptions import ImproperlyConfigured
from django.template import TemplateDoesNotExist, TemplateSyntaxError, engines
from django.template.backends import jinja2 as stock
from django.test import AsyncClient
from django.urls import path
from django.utils.functional import SimpleLazyObject

from atemplates import arender
from atemplates.engines.jinja2 import Jinja2, Template
from tests.event_loop import PATIENCE

from . import loaders
from .conftest import params

HERE = __name__


def backend(templates=None, **options):
    if templates is not None:
        options["loader"] = jinja2.DictLoader(templates)
    return Jinja2(params("jinja2", **options))


async def both(template, context=None, request=None):
    """Render in both ways; the outputs have to be the same."""
    output = await template.render_async(context, request)
    assert await sync_to_async(template.render)(context, request) == output
    return output


async def give(value):
    await asyncio.sleep(0)
    return value


made = []


def environment(**options):
    made.append(options)
    env = jinja2.Environment(**options)
    env.globals["shop"] = "Bookshop"
    env.filters["shout"] = lambda text: f"{text}!"
    env.tests["short"] = lambda text: len(text) < 4
    return env


async def async_processor(request):
    await asyncio.sleep(0)
    return {"who": "async"}


def sync_processor(request):
    return {"who": "sync"}


def sync_query(request):
    return {"names": [group.name for group in Group.objects.order_by("name")]}


async def nothing(request):
    return None


class TestDropIn:
    def test_it_is_djangos_backend(self):
        assert isinstance(backend(), stock.Jinja2)
        template = backend().from_string("x")
        assert type(template) is Template
        assert isinstance(template, stock.Template)

    def test_the_default_alias_is_djangos(self, settings):
        settings.TEMPLATES = [{"BACKEND": "atemplates.engines.jinja2.Jinja2"}]
        assert list(engines) == ["jinja2"]
        assert type(engines["jinja2"]) is Jinja2

    def test_dirs_and_app_dirs(self, tmp_path):
        (tmp_path / "page.html").write_text("from a folder")
        made = Jinja2(params("jinja2") | {"DIRS": [tmp_path], "APP_DIRS": True})
        assert made.get_template("page.html").render() == "from a folder"
        assert made.app_dirname == "jinja2"
        assert str(made.get_template("page.html").origin.name) == str(tmp_path / "page.html")

    def test_the_environment_callable_gets_the_options(self):
        made.clear()
        options = {"environment": f"{HERE}.environment", "trim_blocks": True}
        template = backend({"page": "{{ shop }} {{ 'a'|shout }}"}, **options).get_template("page")
        assert template.render() == "Bookshop a!"
        assert made[0]["trim_blocks"] is True
        assert made[0]["autoescape"] is True

    async def test_both_modes_come_from_one_configured_environment(self):
        made.clear()
        source = "{{ shop }} {{ 'a'|shout }} {{ 'abc' is short }}"
        one = backend({"page": source}, environment=f"{HERE}.environment")
        assert len(made) == 1
        template = await one.aget_template("page")
        assert await both(template) == "Bookshop a! True"

    async def test_what_is_added_to_the_environment_later_serves_both_modes(self):
        one = backend({"page": "{{ 'a'|late }} {{ new }}"})
        one.env.filters["late"] = str.upper
        one.env.globals["new"] = "N"
        assert await both(await one.aget_template("page")) == "A N"

    @pytest.mark.parametrize(("debug", "output"), [(True, "{{ nobody }}"), (False, "")])
    async def test_undefined_follows_debug(self, settings, debug, output):
        settings.DEBUG = debug
        assert await both(backend().from_string("{{ nobody }}")) == output

    async def test_undefined_from_options(self):
        template = backend(undefined=jinja2.StrictUndefined).from_string("{{ nobody }}")
        with pytest.raises(jinja2.UndefinedError, match="'nobody' is undefined"):
            await template.render_async()
        with pytest.raises(jinja2.UndefinedError, match="'nobody' is undefined"):
            await sync_to_async(template.render)()

    async def test_autoescape(self):
        assert await both(backend().from_string("{{ x }}"), {"x": "<"}) == "&lt;"
        assert await both(backend(autoescape=False).from_string("{{ x }}"), {"x": "<"}) == "<"

    def test_an_environment_that_does_not_exist(self):
        with pytest.raises(ImportError):
            backend(environment="tests.nowhere.environment")


class TestRequest:
    async def test_csrf_input_and_token_and_request(self, request_):
        source = "{{ request.path }}|{{ csrf_token|length }}|{{ csrf_input }}"
        output = await backend().from_string(source).render_async({}, request_)
        path, length, html = output.split("|")
        assert (path, length) == ("/page/", "64")
        assert html.startswith('<input type="hidden" name="csrfmiddlewaretoken" value="')

    async def test_context_processors(self, request_):
        one = backend(context_processors=[f"{HERE}.sync_processor"])
        assert await both(one.from_string("{{ who }}"), {}, request_) == "sync"
        assert await both(one.from_string("{{ who }}"), {}) == ""

    async def test_an_async_context_processor_is_awaited(self, request_):
        one = backend(context_processors=[f"{HERE}.sync_processor", f"{HERE}.async_processor"])
        assert await one.from_string("{{ who }}").render_async({}, request_) == "async"

    async def test_a_result_that_is_no_dict(self, request_):
        template = backend(context_processors=[f"{HERE}.nothing"]).from_string("")
        with pytest.raises(TypeError, match="nothing"):
            await template.render_async({}, request_)

    async def test_the_callers_dict_is_not_changed(self, request_):
        context = {"x": 1}
        template = backend().from_string("{% set x = 2 %}{{ x }}")
        assert await both(template, context, request_) == "2"
        assert context == {"x": 1}


class TestContext:
    @pytest.mark.parametrize("context", [None, {}])
    async def test_empty(self, context):
        assert await both(backend().from_string("[{{ x }}]"), context) == "[]"

    @pytest.mark.parametrize("context", [MappingProxyType({"x": 1}), UserDict(x=1)])
    async def test_any_mapping(self, context):
        assert await both(backend().from_string("{{ x }}"), context) == "1"

    @pytest.mark.parametrize("context", [[], [("x", 1)], "text", 1, object()])
    async def test_no_mapping(self, context):
        template = backend().from_string("{{ x }}")
        for render in (template.render_async, sync_to_async(template.render)):
            with pytest.raises(TypeError, match="context must be a dict"):
                await render(context)


class TestAwaitables:
    @pytest.mark.parametrize(
        "make",
        [
            lambda: give("value"),
            lambda: asyncio.ensure_future(give("value")),
        ],
    )
    async def test_a_value_in_the_context(self, make):
        template = backend().from_string("{{ a }} {{ a|upper }}")
        assert await template.render_async({"a": make()}) == "value VALUE"

    async def test_a_coroutine_function_is_awaited_where_it_is_called(self):
        template = backend().from_string("{{ f() }} {{ f()|upper }}")
        assert await template.render_async({"f": partial(give, "value")}) == "value VALUE"

    async def test_the_value_is_what_tags_see(self):
        source = "{% if no %}wrong{% else %}right{% endif %}{% for x in rows %}{{ x }}{% endfor %}"
        context = {"no": give(False), "rows": give("ab")}
        assert await backend().from_string(source).render_async(context) == "rightab"

    async def test_they_run_at_the_same_time(self):
        barrier = asyncio.Barrier(3)

        async def meet(name):
            await barrier.wait()
            return name

        template = backend().from_string("{{ a }}{{ b }}{{ c }}")
        async with asyncio.timeout(PATIENCE):
            assert await template.render_async({name: meet(name) for name in "abc"}) == "abc"

    async def test_one_under_two_names_is_awaited_once(self):
        shared = give("v")
        template = backend().from_string("{{ a }}{{ b }}{% for i in 'xy' %}{{ a }}{% endfor %}")
        assert await template.render_async({"a": shared, "b": shared}) == "vvvv"

    async def test_an_unused_one_leaves_no_warning(self, recwarn):
        coroutine = give("never")
        await backend().from_string("{{ other }}").render_async({"unused": coroutine})
        assert inspect.getcoroutinestate(coroutine) == inspect.CORO_CLOSED
        assert not recwarn.list

    async def test_one_that_raises(self):
        ended = []

        async def fails():
            await asyncio.sleep(0)
            raise ValueError("the original")

        async def slow():
            try:
                await asyncio.Event().wait()
            finally:
                await asyncio.sleep(0)
                ended.append(True)

        template = backend().from_string("{{ a }}{{ b }}")
        with pytest.raises(ValueError, match="the original"):
            await template.render_async({"a": slow(), "b": fails()})
        assert ended
        assert asyncio.all_tasks() == {asyncio.current_task()}

    async def test_async_iterables(self):
        closed = []

        async def numbers():
            try:
                for n in range(3):
                    yield n
            finally:
                closed.append(True)

        template = backend().from_string("{% for n in numbers() %}{{ n }}{% endfor %}")
        assert await template.render_async({"numbers": numbers}) == "012"
        assert closed


@pytest.mark.django_db
class TestDatabase:
    @pytest.fixture(autouse=True)
    def groups(self, db):
        Group.objects.create(name="readers")
        Group.objects.create(name="writers")

    async def test_a_loop_over_a_queryset(self):
        template = backend().from_string(
            "{% for g in groups %}{{ loop.index }}{{ g.name }} {% endfor %}"
        )
        context = {"groups": Group.objects.order_by("name")}
        assert await template.render_async(context) == "1readers 2writers "

    async def test_a_sync_processor_may_query(self, request_):
        one = backend(context_processors=[f"{HERE}.sync_query"])
        output = await one.from_string("{{ names|join(' ') }}").render_async({}, request_)
        assert output == "readers writers"

    async def test_a_lazy_user_of_the_request(self, request_):
        user = await User.objects.acreate_user("ann")
        request_.user = SimpleLazyObject(lambda: User.objects.get(pk=user.pk))
        auth = "django.contrib.auth.context_processors.auth"
        template = backend(context_processors=[auth]).from_string("{{ user.username }}")
        assert await template.render_async({}, request_) == "ann"


class TestModes:
    def test_render_starts_no_event_loop(self, monkeypatch):
        def refuse(*args, **kwargs):
            raise AssertionError("a loop was started")

        monkeypatch.setattr(asyncio, "new_event_loop", refuse)
        monkeypatch.setattr(asyncio, "run", refuse)
        templates = {"page": "{% extends 'base' %}{% block b %}{% include 'part' %}{% endblock %}"}
        templates |= {"base": "<{% block b %}{% endblock %}>", "part": "{{ x }}"}
        assert backend(templates).get_template("page").render({"x": 1}) == "<1>"

    async def test_render_in_the_thread_of_a_running_loop(self):
        template = backend().from_string("{{ x }}")
        assert await sync_to_async(template.render)({"x": 1}) == "1"
        assert await asyncio.to_thread(template.render, {"x": 1}) == "1"

    async def test_inheritance_includes_macros_and_imports(self):
        templates = {
            "base": "<{% block a %}base{% endblock %}>{% include 'part' %}",
            "page": (
                "{% extends 'base' %}{% from 'macros' import twice %}"
                "{% block a %}{{ super() }}+{{ twice(x) }}{% endblock %}"
            ),
            "part": "({{ x }})",
            "macros": "{% macro twice(y) %}{{ y }}{{ y }}{% endmacro %}",
        }
        template = await backend(templates).aget_template("page")
        assert await both(template, {"x": "X"}) == "<base+XX>(X)"

    async def test_1000_renders_do_not_mix(self):
        template = backend().from_string(
            "{% for x in rows %}{{ x }}{{ loop.cycle('a', 'b') }}{% endfor %}{{ n }}"
        )
        outputs = await asyncio.gather(
            *(template.render_async({"rows": give([n, n + 1]), "n": give(n)}) for n in range(1000))
        )
        assert outputs == [f"{n}a{n + 1}b{n}" for n in range(1000)]

    async def test_cancelled(self):
        started, ended = asyncio.Event(), []

        async def forever():
            started.set()
            try:
                await asyncio.Event().wait()
            finally:
                ended.append(True)

        template = backend().from_string("{% for i in [1] %}{{ f() }}{% endfor %}")
        task = asyncio.ensure_future(template.render_async({"f": forever}))
        async with asyncio.timeout(PATIENCE):
            await started.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert ended
        assert asyncio.all_tasks() == {asyncio.current_task()}


class TestLoading:
    @pytest.fixture
    def reads(self):
        return []

    @pytest.fixture
    def one(self, reads):
        templates = {"page": "{% include name %}", "part": "part"}

        def load(name):
            reads.append((name, *loaders.where()))
            return templates.get(name)

        return backend(loader=jinja2.FunctionLoader(load))

    async def test_a_template_is_not_read_on_the_loop(self, one, reads):
        template = await one.aget_template("page")
        assert {name for name, *_ in reads} == {"page"}
        assert {on_loop for _, on_loop, _ in reads} == {False}
        assert threading.current_thread() not in {thread for *_, thread in reads}
        assert template.origin.template_name == "page"

    async def test_a_missing_template(self, one):
        with pytest.raises(TemplateDoesNotExist) as caught:
            await one.aget_template("none")
        assert caught.value.args == ("none",)
        assert caught.value.backend is one

    @pytest.mark.parametrize("debug", [True, False])
    async def test_a_syntax_error_has_its_debug_information(self, debug, settings):
        settings.DEBUG = debug
        one = backend({"page": "one\n{% oops %}\nthree"})
        for load in (one.aget_template, sync_to_async(one.get_template)):
            with pytest.raises(TemplateSyntaxError) as caught:
                await load("page")
            assert "Encountered unknown tag 'oops'" in str(caught.value)
            assert caught.value.template_debug["line"] == 2
            assert caught.value.template_debug["during"] == "{% oops %}"
            assert caught.value.template_debug["total"] == 3

    async def test_so_has_one_in_an_include(self):
        one = backend({"page": "{% include 'bad' %}", "bad": "one\n{% oops %}"})
        template = await one.aget_template("page")
        for render in (template.render_async, sync_to_async(template.render)):
            with pytest.raises(TemplateSyntaxError) as caught:
                await render()
            assert caught.value.template_debug["line"] == 2
            assert caught.value.template_debug["during"] == "{% oops %}"

    async def test_an_exception_keeps_its_type_and_the_templates_line(self):
        def fail():
            raise ZeroDivisionError("of mine")

        template = await backend({"page": "one\n\n{{ f() }}"}).aget_template("page")
        with pytest.raises(ZeroDivisionError, match="of mine") as caught:
            await template.render_async({"f": fail})
        assert 3 in [entry.lineno + 1 for entry in caught.traceback if "template" in entry.name]


async def page(request):
    return await arender(request, "page.html", {"x": give("X"), "fail": request.GET.get("fail")})


urlpatterns = [path("page/", page)]


class TestSite:
    @pytest.fixture(autouse=True)
    def site(self, settings, tmp_path):
        (tmp_path / "page.html").write_text(
            "one\n{{ x }}\n{% if fail %}{% include fail %}{% endif %}"
        )
        (tmp_path / "syntax.html").write_text("first\n{% nonsense %}\nlast")
        settings.ROOT_URLCONF = HERE
        settings.MIDDLEWARE = []
        settings.TEMPLATES = [
            {"BACKEND": "atemplates.engines.jinja2.Jinja2", "DIRS": [tmp_path]},
            {"BACKEND": "atemplates.engines.django.DjangoTemplates", "APP_DIRS": True},
        ]

    async def test_a_page(self):
        response = await AsyncClient().get("/page/")
        assert response.content == b"one\nX\n"

    async def test_the_debug_page_shows_the_templates_source(self, settings):
        settings.DEBUG = True
        client = AsyncClient(raise_request_exception=False)
        response = await client.get("/page/", {"fail": "syntax.html"})
        html = response.content.decode()
        assert response.status_code == 500
        assert "error at line <strong>2</strong>" in html
        assert "{% nonsense %}" in html
        assert "first" in html


@pytest.mark.parametrize("name", ["enviroment", "colour", "async_mode_"])
def test_an_unknown_option_is_refused(name):
    with pytest.raises(ImproperlyConfigured) as caught:
        backend(**{name: "x"})
    assert name in str(caught.value)
    assert "environment" in str(caught.value)
