"""Bad input: stock Jinja2's exceptions, the template's line in the traceback, nothing left open."""

import traceback
from contextlib import suppress

import jinja2
import pytest
from asgiref.sync import sync_to_async
from django.template import TemplateDoesNotExist, TemplateSyntaxError

from .conftest import make_backend

UNDEFINED = [
    jinja2.Undefined,
    jinja2.StrictUndefined,
    jinja2.ChainableUndefined,
    jinja2.DebugUndefined,
    jinja2.make_logging_undefined(),
]
USES = [
    "{{ nobody }}",
    "{{ nobody.name }}",
    "{{ nobody['name'] }}",
    "{{ nobody() }}",
    "{{ nobody + 1 }}",
    "{{ nobody ~ 'x' }}",
    "{{ -nobody }}",
    "{{ nobody == 1 }}",
    "{{ nobody < 1 }}",
    "{{ 1 in nobody }}",
    "{{ nobody in [1] }}",
    "{{ nobody or 'x' }}{{ nobody and 'x' }}{{ not nobody }}",
    "{% if nobody %}a{% else %}b{% endif %}",
    "{% for x in nobody %}a{% else %}b{% endfor %}",
    "{% for x in nobody %}{{ loop.index }}{% else %}b{% endfor %}",
    "{% for x in nobody if x %}{{ loop.index }}{% else %}b{% endfor %}",
    "{{ nobody|upper }}{{ nobody|default('d') }}{{ nobody|length }}",
    "{{ nobody|join }}{{ nobody|list }}{{ nobody|first }}{{ nobody|sum }}",
    "{{ nobody|map('upper')|list }}{{ nobody|select|list }}{{ nobody|sort }}",
    "{{ nobody|map(attribute='x')|list }}{{ [{}]|map(attribute='x.y')|list }}",
    "{{ [{}]|sum(attribute='x') }}",
    "{{ [{}, {}]|sort(attribute='x') }}",
    "{{ [{}]|join(attribute='x') }}{{ [{}]|groupby('x')|list|length }}",
    "{{ nobody is defined }}{{ nobody is undefined }}{{ nobody is none }}",
    "{{ nobody is iterable }}",
    "{{ nobody is odd }}",
    "{{ thing.gone }}{{ thing['gone'] }}",
    "{{ thing.gone.further }}",
    "{% set a, b = nobody %}",
    "{% macro m(a) %}{{ a }}{% endmacro %}{{ m() }}{{ m(nobody) }}",
    "{% include nobody %}",
    "{{ nobody|tojson }}",
]


@pytest.mark.parametrize("undefined", UNDEFINED)
@pytest.mark.parametrize("source", USES)
async def test_undefined(same, source, undefined):
    with suppress(jinja2.UndefinedError, TypeError, ValueError):  # compared with stock's
        await same(source, {"thing": object()}, undefined=undefined)


@pytest.mark.parametrize(
    "source",
    [
        "{% for x in [1] %}{{ loop.gone }}{% endfor %}",
        "{% macro m() %}{% endmacro %}{{ m.gone }}",
        "{% block b %}{{ self.b.gone }}{% endblock %}",
        "{% block b %}{{ self.gone }}{% endblock %}",
    ],
)
async def test_what_ours_lack_is_called_by_stocks_name(same, source):
    for undefined in (jinja2.DebugUndefined, jinja2.StrictUndefined):
        with suppress(jinja2.UndefinedError, KeyError):  # compared with stock's
            await same(source, undefined=undefined)


FAILING = {
    "output": ("{{ f() }}", 1),
    "attribute": ("\n{{ t.boom }}", 2),
    "item": ("\n\n{{ t['boom'] }}", 3),
    "filter": ("\n{{ 1|boom }}", 2),
    "test": ("\n{% if 1 is boom %}{% endif %}", 2),
    "truth": ("\n{% if t %}{% endif %}", 2),
    "text": ("a\nb{{ t }}", 2),
    "loop": ("\n{% for x in g() %}\n{{ x }}{% endfor %}", 2),
    "body": ("\n{% for x in [1] %}\n{{ f() }}\n{% endfor %}", 3),
    "condition": ("\n{% for x in [1]\n if f() %}{% endfor %}", 3),
    "operator": ("\n{{ 1 + t }}", 2),
    "comparison": ("\n{{ 1 < t }}", 2),
    "macro": ("{% macro m() %}\n{{ f() }}{% endmacro %}\n{{ m() }}", 2),
    "caller": (
        "{% macro m() %}{{ caller() }}{% endmacro %}\n{% call m() %}\n{{ f() }}{% endcall %}",
        3,
    ),
    "set": ("\n\n{% set x = f() %}", 3),
    "map": ("\n{{ [1]|map('boom')|list }}", 2),
    "sort": ("\n{{ [t]|sort(attribute='boom') }}", 2),
    "awaited": ("\n\n{{ late() }}", 3),
    "async rows": ("\n{% for x in rows() %}{{ x }}{% endfor %}", 2),
}


class Failing:
    @property
    def boom(self):
        raise LookupError("of mine")

    def __getitem__(self, key):
        raise LookupError("of mine") if key == "item" else KeyError(key)

    def fail(self, *args):
        raise LookupError("of mine")

    __bool__ = __str__ = __radd__ = __gt__ = fail


def fail(*args):
    raise LookupError("of mine")


async def late():
    raise LookupError("of mine")


async def rows():
    yield 1
    raise LookupError("of mine")


def failing_generator():
    yield 1
    raise LookupError("of mine")


def lines_of(caught):
    frames = traceback.extract_tb(caught.tb)
    return [frame.lineno for frame in frames if frame.filename.endswith("page.html")]


@pytest.mark.parametrize("name", FAILING)
async def test_the_templates_line_is_in_the_traceback(tmp_path, name):
    source, line = FAILING[name]
    (tmp_path / "page.html").write_text(source)
    backend = make_backend(loader=jinja2.FileSystemLoader(tmp_path))
    backend.env.filters["boom"] = fail
    backend.env.tests["boom"] = fail
    values = {
        "f": fail,
        "t": Failing(),
        "g": failing_generator,
        "late": late,
        "rows": rows,
    }
    template = await backend.aget_template("page.html")
    if name != "awaited" and name != "async rows":
        with pytest.raises(LookupError) as caught:
            backend.env.get_template("page.html").render(values)
        assert lines_of(caught)[-1] == line
    for render in (template.render_async, sync_to_async(template.render)):
        with pytest.raises(LookupError, match="of mine") as caught:
            await render(values)
        assert lines_of(caught)[-1] == line
        frames = traceback.extract_tb(caught.tb)
        ours = [frame for frame in frames if "engines/jinja2" in frame.filename]
        assert {frame.name for frame in ours} <= {"render", "render_async"}


class TestSyntaxErrors:
    async def test_while_loading(self, tmp_path):
        (tmp_path / "page.html").write_text("one\n{% nonsense %}\nthree")
        backend = make_backend(loader=jinja2.FileSystemLoader(tmp_path))
        for load in (backend.aget_template, sync_to_async(backend.get_template)):
            with pytest.raises(TemplateSyntaxError) as caught:
                await load("page.html")
            debug = caught.value.template_debug
            assert debug["line"] == 2
            assert debug["during"] == "{% nonsense %}"
            assert debug["name"] == str(tmp_path / "page.html")

    async def test_in_an_included_template(self):
        backend = make_backend({"bad": "{% for %}"})
        template = backend.from_string("x{% include 'bad' %}")
        for render in (template.render_async, sync_to_async(template.render)):
            with pytest.raises(TemplateSyntaxError) as caught:
                await render()
            assert caught.value.template_debug["line"] == 1

    async def test_a_template_that_does_not_exist(self):
        backend = make_backend()
        for load in (backend.aget_template, sync_to_async(backend.get_template)):
            with pytest.raises(TemplateDoesNotExist) as caught:
                await load("gone.html")
            assert caught.value.backend is backend
            assert caught.value.args == ("gone.html",)

    @pytest.mark.parametrize(
        "source",
        [
            "{% for loop in x %}{% endfor %}",
            "{% block a %}{% endblock %}{% block a %}{% endblock %}",
            "{{ x|nofilter }}",
            "{{ x is notest }}",
            "{% macro m(caller, a) %}{{ caller() }}{% endmacro %}",
            "{% for x in y %}{% extends 'a' %}{% endfor %}",
            "{% break %}",
        ],
    )
    def test_what_only_the_compiler_sees(self, source):
        backend = make_backend()
        try:
            backend.env.from_string(source)
        except Exception as error:
            expected = error
        for environment in (backend.sync_env, backend.async_env):
            with pytest.raises(type(expected)) as caught:
                environment.from_string(source)
            if not isinstance(expected, SyntaxError):
                assert str(caught.value) == str(expected)


@pytest.mark.parametrize("context", [5, "text", [("a", 1)], object()])
async def test_a_context_that_is_no_mapping(context):
    template = make_backend().from_string("x")
    with pytest.raises(TypeError, match="context must be a dict rather than"):
        await template.render_async(context)
    with pytest.raises(TypeError, match="context must be a dict rather than"):
        template.render(context)


@pytest.mark.parametrize(
    "text",
    ["'''", '"""', "\\", "\x00", "{", "}}", "%}", "\N{GRINNING FACE}", "\r\n", "{0}", "\u2028"],
)
async def test_text_never_becomes_code(same, text):
    quoted = text.replace("\\", "\\\\").replace("'", "\\'")
    source = f"{{% raw %}}{text}{{% endraw %}}{{{{ '{quoted}' }}}}{{{{ d['{quoted}'] }}}}"
    source += f"{{% for x in ['{quoted}'] %}}{{{{ x ~ '{quoted}' }}}}{{% endfor %}}"
    await same(source, {"d": {text: text}})


@pytest.mark.parametrize("name", ["class", "import", "def", "lambda", "None", "async", "await"])
async def test_names_that_python_reserves(same, name):
    value = type("Value", (), {name: "found"})()
    await same(
        f"{{{{ v.{name} }}}}{{{{ f({name}=1) }}}}", {"v": value, "f": lambda **kw: sorted(kw)}
    )
