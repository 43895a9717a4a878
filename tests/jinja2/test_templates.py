"""Macros, blocks, includes, imports: the same in all modes, and nothing read on the event loop."""

import asyncio
import sys
import threading
import traceback

import jinja2
import pytest
from asgiref.sync import sync_to_async

from atemplates.runtime.drivers import arun, run

from .conftest import make_backend

TEMPLATES = {
    "base": "<{% block title %}base{% endblock %}|{% block body %}{{ x }}{% endblock %}>",
    "middle": "{% extends 'base' %}{% block title %}mid-{{ super() }}{% endblock %}",
    "part": "({{ x }}{{ y }})",
    "lib": "{% macro m(a, b='k') %}{{ a }}{{ b }}{{ x }}{% endmacro %}{% set v = 5 %}text{{ v }}",
    "loop": "{% for i in [1, 2] %}{% include 'part' %}{% endfor %}",
    "self": "{% block a %}A{{ x }}{% endblock %}{{ self.a() }}{{ self.a()|lower }}",
    "empty": "",
}
CASES = [
    "{% extends 'middle' %}{% block body %}{{ super() }}!{% endblock %}ignored",
    "{% extends 'middle' %}{% block title %}{{ super.super() }}{{ super() }}{% endblock %}",
    "{% extends name %}{% block body %}{% for i in [1, 2] %}{{ super() }}{% endfor %}"
    "{% endblock %}",
    "{% if flag %}{% extends 'base' %}{% endif %}{% block body %}b{% endblock %}",
    "{% if not flag %}{% extends 'base' %}{% endif %}{% block body %}b{% endblock %}tail",
    "{% include 'part' %}{% set y = 3 %}{% include 'part' %}{% include 'part' without context %}",
    "{% for y in [1, 2] %}{% include 'part' %}{% endfor %}{% include 'loop' %}",
    "{% include ['gone', 'part'] %}{% include 'gone' ignore missing %}{% include name %}",
    "{% import 'lib' as lib %}{{ lib.m(1) }}{{ lib.m(1, b=2) }}{{ lib.v }}{{ lib }}",
    "{% import 'lib' as lib with context %}{{ lib.m(1) }}{{ lib.gone }}",
    "{% from 'lib' import m, v as w %}{{ m('<') }}{{ w }}",
    "{% macro m(a) %}{{ a }}{{ varargs }}{{ kwargs }}{% endmacro %}{{ m(1, 2, z=3) }}{{ m() }}",
    "{% macro m(a, b=a) %}{{ a }}{{ b }}{% endmacro %}{{ m(1) }}{{ m(1, 2) }}{{ m(b=1, a=2) }}",
    "{% macro m() %}[{{ caller('<b>') }}{{ caller is defined }}]{% endmacro %}"
    "{% call(v) m() %}{{ v }}{{ x }}{% endcall %}",
    "{% macro m(caller=none) %}{{ caller }}{% endmacro %}{{ m() }}",
    "{% macro f(n) %}{{ n }}{% if n %}{{ f(n - 1) }}{% endif %}{% endmacro %}{{ f(4) }}",
    "{% macro m() %}<b>{% endmacro %}{{ m() }}{{ m()|upper }}{{ m() ~ '<' }}{{ m()|e }}",
    "{% macro m() %}x{% endmacro %}{{ m.name }}{{ m.arguments }}{{ m.caller }}{{ m is callable }}",
    "{% block b scoped %}{% for i in [1, 2] %}{% block c scoped %}{{ i }}{% endblock %}{% endfor %}"
    "{% endblock %}",
    "{% set v %}<i>{% block b %}{{ x }}{% endblock %}</i>{% endset %}{{ v }}{{ v }}",
    "{% filter upper %}{% include 'part' %}{% block q %}q{% endblock %}{% endfilter %}",
    "{% autoescape false %}{{ x }}{% include 'part' %}{% endautoescape %}{{ x }}",
    "{% autoescape flag %}{{ x }}{{ x ~ '<' }}{% set z %}{{ x }}{% endset %}{{ z }}"
    "{% endautoescape %}",
    "{% with %}{% set q = 1 %}{{ q }}{% endwith %}{{ q }}",
    "{{ context_name() }}{% for i in [1] %}{% set j = 7 %}{{ context_name() }}{% endfor %}",
]


def environment(**options):
    made = jinja2.Environment(**options)

    @jinja2.pass_context
    def context_name(context):
        return f"{context.name}{context.get('j')}{context.get('x')}"

    made.globals["context_name"] = context_name
    made.globals["x"] = "<g>"
    return made


@pytest.mark.parametrize("source", CASES)
@pytest.mark.parametrize("autoescape", [True, False])
async def test_all_modes(same, source, autoescape):
    values = {"x": "<x>", "name": "base", "flag": True}
    options = {"environment": f"{__name__}.environment", "autoescape": autoescape}
    await same(source, values, TEMPLATES, **options)
    await same(source, {"name": "middle", "flag": False}, TEMPLATES, **options)


@pytest.mark.parametrize("name", TEMPLATES)
async def test_each_template_by_itself(name):
    backend = make_backend(TEMPLATES)
    expected = backend.env.get_template(name).render(x="<")
    template = await backend.aget_template(name)
    assert await template.render_async({"x": "<"}) == expected
    assert backend.get_template(name).render({"x": "<"}) == expected


ERRORS = [
    ("{% include 'gone' %}", jinja2.TemplateNotFound),
    ("{% include ['gone', 'gone2'] %}", jinja2.TemplatesNotFound),
    ("{% include [] %}", jinja2.TemplatesNotFound),
    ("{% include missing %}", jinja2.UndefinedError),
    ("{% extends 'gone' %}", jinja2.TemplateNotFound),
    ("{% import 'gone' as x %}", jinja2.TemplateNotFound),
    ("{% extends 'base' %}{% extends 'base' %}", jinja2.TemplateRuntimeError),
    ("{% block a required %}{% endblock %}", jinja2.TemplateRuntimeError),
    ("{% from 'lib' import gone %}{{ gone() }}", jinja2.UndefinedError),
    ("{% macro m(a) %}{% endmacro %}{{ m(1, 2) }}", TypeError),
    ("{% macro m(a) %}{% endmacro %}{{ m(z=2) }}", TypeError),
    ("{% macro m(a) %}{% endmacro %}{% call m() %}{% endcall %}", TypeError),
    ("{% set n.x = 1 %}", jinja2.TemplateRuntimeError),
    ("{{ 1 if false }}{{ (1 if false).x }}", jinja2.UndefinedError),
    ("{{ super() }}", jinja2.UndefinedError),
    ("{% block b %}{{ super() }}{% endblock %}", jinja2.UndefinedError),
    ("{% if flag %}{{ x|nofilter }}{% endif %}", jinja2.TemplateRuntimeError),
    ("{% if flag %}{{ x is notest }}{% endif %}", jinja2.TemplateRuntimeError),
    ("{{ x|map|list }}", jinja2.exceptions.FilterArgumentError),
    ("{{ [1]|selectattr|list }}", jinja2.exceptions.FilterArgumentError),
    ("{{ [1]|map(attribute='x', bad=1)|list }}", jinja2.exceptions.FilterArgumentError),
    ("{{ [1]|map('nofilter')|list }}", jinja2.TemplateRuntimeError),
    ("{{ [1]|select('notest')|list }}", jinja2.TemplateRuntimeError),
]


@pytest.mark.parametrize(("source", "error"), ERRORS)
async def test_the_same_errors(same, source, error):
    values = {"x": [1], "n": 1, "flag": True}
    with pytest.raises(error):
        await same(source, values, TEMPLATES)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("{% macro m() %}<{% include 'p' without context %}>{% endmacro %}{{ m() }}", "<part>"),
        ("{% set x %}<{% include 'p' without context %}>{% endset %}.{{ x }}", ".<part>"),
        ("{% filter upper %}<{% include 'p' without context %}>{% endfilter %}", "<PART>"),
        (
            "{% for x in [1] recursive %}<{% include 'p' without context %}>{% endfor %}",
            "<part>",
        ),
    ],
)
async def test_an_include_without_context_where_output_is_collected(source, expected):
    """Stock Jinja2's sync mode writes it to the page, or prints a generator."""
    backend = make_backend({"p": "part"})
    assert await backend.from_string(source).render_async() == expected
    assert await sync_to_async(backend.from_string(source).render)() == expected


class TestLoading:
    @pytest.fixture
    def folder(self, tmp_path):
        for name, source in TEMPLATES.items():
            (tmp_path / name).write_text(source)
        page = "{% extends 'middle' %}{% block body %}{% include 'part' %}"
        page += "{% from 'lib' import m %}{{ m(1) }}{% endblock %}"
        (tmp_path / "page").write_text(page)
        return tmp_path

    def backend(self, folder, threads, **options):
        class Loader(jinja2.FileSystemLoader):
            def get_source(self, environment, template):
                threads.append(threading.current_thread())
                return super().get_source(environment, template)

        return make_backend(loader=Loader(folder), auto_reload=False, **options)

    async def test_nothing_is_read_on_the_loop(self, folder):
        threads = []
        template = await self.backend(folder, threads).aget_template("page")
        assert await template.render_async({"x": "x"}) == "<mid-base|(x)1k>"
        assert len(threads) == 5
        assert threading.current_thread() not in threads

    async def test_loaded_templates_cost_no_thread(self, folder):
        threads = []
        backend = self.backend(folder, threads)
        await (await backend.aget_template("page")).render_async({"x": "x"})
        context = backend.async_env.get_template("page").new_context({"x": "x"})
        plan = backend.async_env.get_template("page")._pieces(context)
        with pytest.raises(StopIteration):
            plan.send(None)
        assert len(threads) == 5

    async def test_a_changed_file_is_seen(self, folder, settings):
        backend = make_backend(loader=jinja2.FileSystemLoader(folder), auto_reload=True)
        template = await backend.aget_template("part")
        assert await template.render_async({"x": 1}) == "(1)"
        import os

        (folder / "part").write_text("new")
        os.utime(folder / "part", (1, 1))
        assert await (await backend.aget_template("part")).render_async() == "new"

    async def test_a_template_object_of_another_environment(self):
        stock = jinja2.Environment().from_string("[{{ x }}{% block b %}{{ x }}{% endblock %}]")
        stock_async = jinja2.Environment(enable_async=True).from_string("[{{ x }}]")
        template = make_backend().from_string("{% include t %}")
        assert await template.render_async({"t": stock, "x": 1}) == "[11]"
        assert await template.render_async({"t": stock_async, "x": 1}) == "[1]"
        assert await sync_to_async(template.render)({"t": stock, "x": 1}) == "[11]"
        child = make_backend().from_string(
            "{% extends t %}{% block b %}B{{ super() }}{% endblock %}"
        )
        assert await child.render_async({"t": stock, "x": 1}) == "[1B1]"
        assert await sync_to_async(child.render)({"t": stock, "x": 1}) == "[1B1]"

    async def test_a_template_object_of_the_users_environment(self):
        backend = make_backend(TEMPLATES)
        child = backend.from_string("{% extends t %}{% block body %}{{ f() }}{% endblock %}")

        async def later():
            return "later"

        values = {"t": backend.env.get_template("middle"), "f": later}
        assert await child.render_async(values) == "<mid-base|later>"

    @pytest.mark.parametrize("ours", [True, False])
    async def test_precompiled_templates(self, tmp_path, ours):
        backend = make_backend(TEMPLATES)
        environment = backend.async_env if ours else backend.env
        environment.compile_templates(str(tmp_path / "compiled"), zip=None)
        loader = jinja2.ModuleLoader(str(tmp_path / "compiled"))
        other = make_backend(loader=loader)
        template = await other.aget_template("middle")
        assert await template.render_async({"x": "x"}) == "<mid-base|x>"
        assert await sync_to_async(template.render)({"x": "x"}) == "<mid-base|x>"
        # It stands there as a weak proxy until the loader is collected. A test that puts modules
        # back as they were (pytester does) would bring a dead one back for good.
        del sys.modules[loader.package_name]


class TestPythonsSide:
    """What code that has a template in its hands can do with it."""

    def test_sync(self):
        template = make_backend(TEMPLATES).sync_env.get_template("self")
        assert list(template.generate(x="<")) == ["A", "&lt;", "A&lt;", "a&lt;"]
        context = template.new_context({"x": 1})
        assert list(template.blocks["a"](context)) == ["A", "1"]
        assert "".join(template.root_render_func(context)) == "A1A1a1"
        module = make_backend(TEMPLATES).sync_env.get_template("lib").module
        assert module.m("<") == "&lt;k"
        assert str(module) == "text5"
        assert module.v == 5

    async def test_async(self):
        template = make_backend(TEMPLATES).async_env.get_template("self")
        assert [piece async for piece in template.generate_async(x="<")][:2] == ["A", "&lt;"]
        context = template.new_context({"x": 1})
        assert [piece async for piece in template.blocks["a"](context)] == ["A", "1"]
        library = make_backend(TEMPLATES).async_env.get_template("lib")
        module = await library.make_module_async({"x": 2})
        assert await module.m(1) == "1k2"

    def test_expressions(self):
        environment = make_backend().sync_env
        assert environment.compile_expression("a + 1")(a=2) == 3
        assert environment.compile_expression("a.b")(a={}) is None

    async def test_a_render_inside_a_render(self):
        backend = make_backend()
        inner = backend.from_string("{{ x }}{% for i in [1] %}{{ x }}{% endfor %}")
        outer = backend.from_string(
            "{% for i in [1, 2] %}{{ f(i) }}{{ g(i) }}{{ loop.index }}{% endfor %}"
        )

        async def nested(value):
            return await inner.render_async({"x": value})

        values = {"f": nested, "g": lambda value: inner.render({"x": value})}
        assert await outer.render_async(values) == "11111" + "22222"


class TestWaits:
    """A template that meets no I/O yields nothing."""

    SOURCES = [
        "{% for x in xs %}{{ loop.index }}{{ x }}{{ loop.last }}{% endfor %}",
        "{% for x in xs if x %}{{ loop.nextitem }}{% else %}{% endfor %}",
        "{{ xs|map('string')|select|join }}{{ xs|sort|first }}{{ xs|length }}{{ xs|list|last }}",
        "{% macro m(a) %}{{ a }}{{ caller() }}{% endmacro %}{% call m(1) %}x{% endcall %}",
        "{% block a %}{{ self.a }}{% endblock %}{% set x = 1 %}{{ x + 1 }}{{ x ~ 'a' }}",
        "{% for x in xs recursive %}{{ loop.depth }}{% endfor %}{{ 1 in xs }}{{ d.items()|list }}",
        "{% for k, v in d|items %}{{ k }}{% endfor %}{{ d|dictsort }}{{ 'a'|upper }}{{ d.a }}",
        "{% if xs and not d %}{% elif xs or d %}{% endif %}{{ xs[0] }}{{ xs[:1] }}{{ 1 is odd }}",
        "{% for a, b in zip(xs, xs) %}{{ a }}{% endfor %}{{ xs|groupby(0) if false }}{{ obj }}",
        "{% include 'part' %}{% import 'lib' as lib %}{{ lib.m(1) }}",
    ]

    @pytest.mark.parametrize("source", SOURCES)
    def test_none_without_io(self, source):
        environment = make_backend(TEMPLATES).async_env
        template = environment.from_string(source)
        values = {"xs": [1, 2], "d": {"a": 1}, "zip": zip, "obj": object()}
        plan = template._rendered(template.new_context(values))
        with pytest.raises(StopIteration) as stop:
            plan.send(None)
        assert isinstance(stop.value.value, str)

    async def test_a_plan_gives_the_same_under_both_drivers(self):
        environment = make_backend(TEMPLATES).async_env
        template = environment.from_string("{% for x in xs() %}{{ x }}{{ f() }}{% endfor %}")

        async def rows():
            for row in range(5):
                yield row

        async def value():
            await asyncio.sleep(0)
            return "v"

        def plan():
            return template._rendered(template.new_context({"xs": rows, "f": value}))

        on_loop = await arun(plan())
        assert await sync_to_async(run)(plan()) == on_loop == "0v1v2v3v4v"


async def test_a_function_that_raised_stands_right_below_the_line_of_the_template():
    """It ran in the thread; a traceback shows nothing of how it came there."""

    def fail():
        raise ValueError("no")

    template = make_backend({"page": "\n{{ fail() }}"}).async_env.get_template("page")
    with pytest.raises(ValueError, match="no") as caught:
        await template.render_async(fail=fail)
    *_, line, raised = traceback.extract_tb(caught.value.__traceback__)
    assert (line.lineno, raised.name) == (2, "fail")
