"""What a template can hold of ours shows nothing but what Jinja2's own object shows.

A sandbox keeps templates from names that begin with an underscore; any other can be called.
"""

import asyncio

import jinja2
import pytest
from jinja2 import runtime
from jinja2.sandbox import SandboxedEnvironment, SecurityError

from atemplates.engines.jinja2.plans import Environment, use_plans

from .conftest import OPTIONS, outcome

TEMPLATES = {
    "library": "{% macro shared(x) %}{{ x }}{% endmacro %}{% set value = 1 %}",
    "parent": "{% block b %}{{ super.probe }}{{ self.probe }}{{ self.b.probe }}{% endblock %}",
}

HELD = {
    "loop over a list": "{% for x in [1] %}{{ loop.probe }}{% endfor %}",
    "loop over a generator": "{% for x in generator %}{{ loop.probe }}{% endfor %}",
    "loop over a filter's rows": "{% for x in [1]|map('string') %}{{ loop.probe }}{% endfor %}",
    "loop with a condition": "{% for x in [1] if x %}{{ loop.probe }}{% endfor %}",
    "recursive loop": "{% for x in [1] recursive %}{{ loop.probe }}{% endfor %}",
    "macro": "{% macro m(a, b=1) %}{{ caller.probe if caller }}{{ m.probe }}{% endmacro %}{{ m(1) }}"
    "{% call m(2) %}x{% endcall %}{{ m.probe }}",
    "macro with any arguments": "{% macro m() %}{{ varargs }}{{ kwargs }}{% endmacro %}{{ m.probe }}",
    "imported": "{% import 'library' as library %}{{ library.probe }}{{ library.shared.probe }}",
    "imported names": "{% from 'library' import shared with context %}{{ shared.probe }}",
    "block": "{% extends 'parent' %}{% block b %}{{ super.probe }}{{ super.super.probe }}"
    "{{ self.b.probe }}{{ self.probe }}{{ super() }}{% endblock %}",
    "template": "{{ template.probe }}{{ template.root_render_func.probe }}"
    "{% set b = template.blocks.b %}{{ b.probe }}{{ template.blocks.probe }}",
    **{
        f"rows of {name}": f"{{{{ ([1, 2]|{name}).probe }}}}"
        for name in (
            *("map('string')", "select", "reject", "selectattr('real')", "rejectattr('real')"),
            *("map('string')|map('int')", "batch(2)", "slice(2)", "unique", "reverse"),
        )
    },
    "rows of rows": "{{ (generator|map('string')).probe }}{{ (generator|batch(2)).probe }}",
    "groups": "{% for g in [{'a': 1}]|groupby('a') %}{{ g.probe }}{% endfor %}",
    "helpers": "{{ namespace(a=1).probe }}{{ cycler(1).probe }}{{ joiner().probe }}",
    "undefined": "{% set x = nothing %}{{ x.probe }}{{ d.nothing.probe }}",
    "set block": "{% set x %}a{% endset %}{{ x.probe }}{{ (x|upper).probe }}",
}


class Probing:
    """Notes what the attribute ``probe`` is asked of."""

    def getattr(self, obj, attribute):
        if attribute == "probe":
            self.found.append(obj)
            return ""
        return super().getattr(obj, attribute)


class Plain(Probing, jinja2.Environment):
    pass


class Sandbox(Probing, SandboxedEnvironment):
    pass


def public(value):
    """The names of a value that no sandbox keeps from templates."""
    return {name for name in dir(value) if not name.startswith("_")}


def held(environment, source):
    """What a template of an environment holds where it asks for ``probe``, in their order."""
    environment.found = []
    values = {
        "generator": (x for x in [1]),
        "template": environment.from_string("{% block b %}{% endblock %}"),
        "d": {},
    }
    template = environment.from_string(source)
    if environment.is_async:
        asyncio.run(template.render_async(values))
    else:
        template.render(values)
    return environment.found


@pytest.mark.parametrize("name", HELD)
@pytest.mark.parametrize("kind", [Plain, Sandbox])
@pytest.mark.parametrize("enable_async", [False, True])
def test_nothing_of_ours_shows_more_than_its_counterpart(enable_async, kind, name):
    options = {**OPTIONS, "loader": jinja2.DictLoader(TEMPLATES)}
    theirs = held(kind(**options), HELD[name])
    ours = held(use_plans(kind(enable_async=enable_async, **options)), HELD[name])
    assert len(ours) == len(theirs) > 0
    for mine, stock in zip(ours, theirs, strict=True):
        assert public(mine) <= public(stock), type(mine)


class Soon:
    def __await__(self):
        yield from asyncio.sleep(0).__await__()
        return "soon"


async def test_what_python_gets_of_a_macro_shows_no_more():
    """Python may hand it on to the template: it is a macro, and its text."""
    found = []
    environment = Environment(enable_async=True)
    environment.globals["hold"] = lambda macro: found.extend([macro, macro()]) or ""
    source = "{% macro m() %}{{ soon() }}{% endmacro %}{{ hold(m) }}"
    await environment.from_string(source).render_async({"soon": Soon})
    macro, text = found
    assert public(macro) <= public(
        runtime.Macro(environment, None, "m", (), True, True, True, True)
    )
    assert type(text) is str
    assert text == "soon"


class Row:
    """Notes what was called on it."""

    called = []

    def delete(self):
        self.called.append("delete")

    delete.alters_data = True


CALLS = [
    "{% for x in (['a']|map('upper')).late('default', row.delete) %}{% endfor %}",
    "{{ (['a']|select).begin([1]) }}",
    "{{ (['a']|select)._stream.late('default', row.delete)|list }}",
    "{{ m.direct(true, 7) }}",
    "{{ m._direct(true, 7) }}",
    "{{ m.arguments.append('x') }}",
    "{% for x in [1] %}{{ loop._recurse('x') }}{% endfor %}",
    "{% for x in [1] %}{{ loop._pend(1) }}{% endfor %}",
    "{{ m._func() }}{{ m._pend() }}",
    "{{ template.rendered(1) }}",
    "{{ template._rendered(1) }}",
    "{{ template.load_references()|list }}",
    "{{ self.b._stack.x }}{% block b %}{% endblock %}",
]


@pytest.mark.parametrize("source", CALLS)
@pytest.mark.parametrize("enable_async", [False, True])
async def test_a_sandbox_keeps_templates_from_what_is_ours(enable_async, source):
    loader = jinja2.DictLoader({"library": "{% macro m(a) %}{{ a }}{% endmacro %}"})
    environment = use_plans(SandboxedEnvironment(enable_async=enable_async, loader=loader))
    template = environment.from_string("{% from 'library' import m %}" + source)
    Row.called.clear()
    values = {"row": Row(), "template": environment.from_string("")}
    found = await outcome(template.render_async if enable_async else template.render, values)
    assert isinstance(found.error, (jinja2.UndefinedError, SecurityError))
    assert Row.called == []
    library = environment.get_template("library")
    macro = (await library._get_default_module_async() if enable_async else library.module).m
    assert (macro._takes, macro._calls, macro.arguments) == (1, -1, ("a",))
