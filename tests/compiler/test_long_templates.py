"""Long node lists: several functions, which CPython compiles in a time that grows as they do."""

import pytest
from django.template import Context

from atemplates.compiler.module import Module
from atemplates.compiler.nodes import LONGEST_NODE_LIST
from atemplates.engines.django import render_template
from tests.rendering import agree, parse

LIBRARIES = {"lib": "tests.compiler.foreign_tags"}
L = "{% load lib i18n %}"
UNITS = {
    "variables": "{{ a.b }} {{ c|upper }}",
    "names that change": "{% firstof c as d %}{{ d }}{{ c }}{% cycle 'x' 'y' as c %}",
    "loops": "{% for x in rows %}{{ x }}{{ forloop.counter }}{% endfor %}",
    "ifchanged": "{% ifchanged %}{{ c }}{% endifchanged %}{% ifchanged c %}-{% endifchanged %}",
    "foreign": "{% upper %}{{ c }}{% endupper %}",
    "includes": "{% include 'part' %}{{ c }}{% include 'part' with c=d only %}",
    "scopes": "{% with q=c %}{{ q }}{% endwith %}{% if c %}{{ c }}{% else %}{{ d }}{% endif %}",
}
AROUND = {
    "alone": ("", ""),
    "if": ("{% if c %}", "{% endif %}{{ c }}"),
    "else": ("{% if missing %}{% else %}", "{% endif %}"),
    "with": ("{% with z=c %}", "{{ z }}{% endwith %}"),
    "for": ("{% for z in rows %}", "{{ z }}{{ forloop.last }}{% endfor %}"),
    "filter": ("{% filter lower %}", "{% endfilter %}"),
    "block": ("{% block b %}", "{% endblock %}"),
    "autoescape": ("{% autoescape off %}", "{% endautoescape %}{{ c }}"),
    "language": ("{% language 'de' %}", "{% endlanguage %}"),
}
COUNT = LONGEST_NODE_LIST + LONGEST_NODE_LIST // 2


def context():
    return {"a": {"b": "<b>"}, "c": "<c>", "d": "", "rows": ["<", "r"]}


@pytest.mark.parametrize("around", AROUND)
@pytest.mark.parametrize("unit", UNITS)
def test_they_render_as_short_ones(unit, around):
    head, end = AROUND[around]
    text = UNITS[unit]
    agree(
        [L + head + text * COUNT + end],
        context,
        templates={"part": "({{ c }})"},
        libraries=LIBRARIES,
    )


def test_an_error_in_a_later_part_names_its_line(render):
    source = (
        "{{ c }}\n" * (2 * LONGEST_NODE_LIST)
        + "{{ c|add:missing }}\n"
        + "{{ c }}\n" * LONGEST_NODE_LIST
    )
    outcome = render.outcome(source, context())
    assert outcome.error is not None


def test_what_is_no_text():
    source = L + "{{ c }}" * LONGEST_NODE_LIST + "{% odd %}" + "{{ c }}"
    template = parse(source, libraries=LIBRARIES)
    with pytest.raises(TypeError, match="expected str instance, int found"):
        render_template(template, Context(context()))


@pytest.mark.parametrize(("unit", "around"), [("variables", "alone"), ("loops", "if")])
def test_no_function_gets_longer(unit, around):
    head, end = AROUND[around]

    def longest(count):
        module = Module(parse(head + UNITS[unit] * count + end).nodelist, None, "")
        module.source()
        return max(stop - start for _, start, stop in module.functions), len(module.lines)

    (short, few), (long, many) = longest(4 * LONGEST_NODE_LIST), longest(16 * LONGEST_NODE_LIST)
    assert long <= 1.5 * short
    assert many <= 4.5 * few


def test_the_names_in_tracebacks():
    template = parse("{{ c }}" * (3 * LONGEST_NODE_LIST))
    module = Module(template.nodelist, template, "title")
    plan = module.function()
    assert plan.__name__ == "plan"
    assert {plan.__globals__[name].__code__.co_name for name, _, _ in module.functions} == {"title"}
