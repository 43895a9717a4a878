"""Long and deep expressions: what stock Jinja2 compiles, ours does, and longer ones as well."""

import asyncio

import jinja2
import jinja2.nativetypes
import jinja2.sandbox
import pytest

from atemplates.engines.jinja2.plans import use_plans


class Itself:
    """Whatever is asked of it, it gives itself."""

    @property
    def b(self):
        return self

    def __getitem__(self, key):
        return self

    def __call__(self):
        return self

    async def later(self):
        await asyncio.sleep(0)
        return self

    def __str__(self):
        return "<it>"


CONTEXT = {
    "a": Itself(),
    "s": "<s>",
    "k": "k",
    "d": {"k": "k"},
    "no": None,
    "x": 1,
    "rows": ["a", "<b>"],
    "g": lambda x: x,
}
LONG = {
    "attributes": lambda n: "{{ a" + ".b" * n + " }}",
    "items": lambda n: "{{ a" + "[k]" * n + " }}",
    "slices": lambda n: "{{ s" + "[0:]" * n + " }}",
    "calls": lambda n: "{{ a" + "()" * n + " }}",
    "methods": lambda n: "{{ a" + ".b()" * (n // 2) + " }}",
    "filters": lambda n: "{{ s" + "|upper" * n + " }}",
    "filters of the site's": lambda n: "{{ s" + "|shout" * n + " }}",
    "filters with arguments": lambda n: "{{ s" + "|replace('a', s)" * n + " }}",
    "streams": lambda n: "{{ rows" + "|map('upper')" * n + "|join }}",
    "mixed": lambda n: "{{ a" + ".b[k]()" * (n // 3) + "|string|shout is defined }}",
    "or": lambda n: "{{ no" + " or no" * n + " or s }}",
    "and": lambda n: "{{ s" + " and s" * n + " and a }}",
    "both": lambda n: "{{ no" + " and no or no" * (n // 2) + " or s }}",
    "condition": lambda n: "{% if no" + " or no" * n + " %}y{% else %}n{% endif %}",
    "comparisons": lambda n: "{{ x" + " <= x" * n + " }}",
    "inline conditions": lambda n: "{{ " + "s if no else " * n + "a }}",
    "not": lambda n: "{{ " + "not " * n + "s }}{% if " + "not " * (n + 1) + "s %}y{% endif %}",
    "negated": lambda n: "{{ " + "- " * n + "x }}",
    "added": lambda n: "{{ x" + " + x - x" * (n // 2) + " }}",
    "assigned": lambda n: "{% set q = a" + ".b" * n + " %}{{ q }}",
    "loop": lambda n: "{% for q in rows" + "|list" * n + " %}{{ q }}{% endfor %}",
    "loop's condition": lambda n: "{% for q in rows if q" + "|upper" * n + " %}{{ q }}{% endfor %}",
    "default": lambda n: "{% macro m(x=s" + "|upper" * n + ") %}{{ x }}{% endmacro %}{{ m() }}",
    "call block": lambda n: (
        "{% macro m(x) %}{{ x }}{{ caller() }}{% endmacro %}{% call m(s" + "|upper" * n + ") %}c"
        "{% endcall %}"
    ),
    "filter block": lambda n: "{% filter " + "|".join(["upper"] * n) + " %}<a>{% endfilter %}",
    "set block": lambda n: "{% set q |" + "|".join(["upper"] * n) + " %}<a>{% endset %}{{ q }}",
    "with": lambda n: "{% with q = s" + "|upper" * n + " %}{{ q }}{% endwith %}",
    "elif": lambda n: "{% if no %}{% elif s" + "|lower" * n + " %}y{% endif %}",
    "several": lambda n: "{{ s }}{{ s" + "|lower" * n + " }}{{ x }}{{ a" + ".b" * n + " }}",
    "inside": lambda n: "{{ [a" + ".b" * n + ", {'k': s" + "|upper" * n + "}]|last }}",
}
DEEP = {
    "lists": lambda n: "{{ " + "[" * n + "s" + "]" * n + " }}",
    "tuples": lambda n: "{{ " + "(" * n + "s" + ",)" * n + " }}",
    "dicts": lambda n: "{{ " + "{1: " * n + "s" + "}" * n + " }}",
    "concatenated": lambda n: "{{ s" + " ~ s" * n + " }}{{ " + "s ~ (" * n + "s" + ")" * n + " }}",
    "added": lambda n: "{{ " + "x + (x * " * (n // 2) + "x" + ")" * (n // 2) + " }}",
    "or": lambda n: "{{ " + "no or (s and " * (n // 2) + "a" + ")" * (n // 2) + " }}",
    "or, to the left": lambda n: "{{ " + "(" * n + "no" + " or no) and s" * n + " }}",
    "condition": lambda n: "{{ " + "s if (" * n + "no" + ") else a" * n + " }}",
    "compared": lambda n: "{{ " + "(" * n + "x" + " == x)" * n + " }}",
    "compared, to the right": lambda n: "{{ " + "x in [x == " * n + "x" + "]" * n + " }}",
    "arguments": lambda n: "{{ " + "g(" * n + "s" + ")" * n + " }}",
    "named arguments": lambda n: "{{ " + "g(x=" * n + "s" + ")" * n + " }}",
    "macros": lambda n: (
        "{% macro m(x) %}[{{ x }}]{% endmacro %}{{ " + "m(" * n + "s" + ")" * n + " }}"
    ),
    "filters": lambda n: "{{ " + "no|default(" * n + "s" + ")" * n + " }}",
    "items": lambda n: "{{ " + "d[" * n + "k" + "]" * n + " }}",
    "tests": lambda n: "{{ " + "(" * n + "s" + " is defined)" * n + " }}",
}
KINDS = [
    jinja2.Environment,
    jinja2.sandbox.SandboxedEnvironment,
    jinja2.nativetypes.NativeEnvironment,
]


def environment(kind=jinja2.Environment, **options):
    made = kind(autoescape=True, **options)
    made.filters["shout"] = lambda value: value.upper()
    return made


async def outputs(source, kind=jinja2.Environment):
    """What ours gives, sync and async."""
    template = use_plans(environment(kind)).from_string(source)
    on_loop = use_plans(environment(kind, enable_async=True)).from_string(source)
    return [str(template.render(CONTEXT)), str(await on_loop.render_async(CONTEXT))]


@pytest.mark.parametrize("name", LONG)
async def test_long_expressions(name):
    make = LONG[name]
    expected = environment().from_string(make(12)).render(CONTEXT)
    assert await outputs(make(12)) == [expected] * 2
    assert await outputs(make(210)) == [expected] * 2


@pytest.mark.parametrize("name", DEEP)
async def test_deep_expressions(name):
    make = DEEP[name]
    for depth in (12, 40):
        expected = environment().from_string(make(depth)).render(CONTEXT)
        assert await outputs(make(depth)) == [expected] * 2


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["attributes", "mixed", "filters", "added", "inside"])
async def test_environments_of_all_kinds(name, kind):
    source = LONG[name](24)
    expected = str(environment(kind).from_string(source).render(CONTEXT))
    assert await outputs(source, kind) == [expected] * 2


async def test_what_waits_within_long_expressions():
    source = "{{ a" + ".later().b[k]" * 40 + " }}{{ s" + "|slow|upper" * 40 + " }}"
    made = use_plans(environment(enable_async=True))

    async def slow(value):
        await asyncio.sleep(0)
        return value

    made.filters["slow"] = slow
    template = made.from_string(source)
    assert await template.render_async(CONTEXT) == "&lt;it&gt;&lt;S&gt;"


async def test_a_sandbox_holds_at_any_depth():
    source = "{{ a" + ".b" * 40 + ".__class__" + ".b" * 40 + " }}"
    for options in ({}, {"enable_async": True}):
        made = use_plans(environment(jinja2.sandbox.SandboxedEnvironment, **options))
        template = made.from_string(source)
        with pytest.raises(jinja2.sandbox.SecurityError):
            await template.render_async(CONTEXT) if made.is_async else template.render(CONTEXT)


def test_an_error_names_the_line():
    source = "\n\n{{ a" + ".b" * 40 + "|wrong" + "|upper" * 40 + " }}"
    made = use_plans(environment())
    made.filters["wrong"] = lambda value: 1 // 0
    with pytest.raises(ZeroDivisionError) as caught:
        made.from_string(source).render(CONTEXT)
    assert 3 in [entry.lineno + 1 for entry in caught.traceback if "template" in entry.name]
