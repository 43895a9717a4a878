"""A name that is looked up once and kept: never where something may set it in between."""

from typing import Any

import pytest
from django.template import Library
from django.template.base import Node, Parser, Token
from django.template.context import Context

from tests.rendering import parse

register = Library()


class SetNode(Node):
    """A foreign node that sets a name which its tag does not show."""

    def render(self, context: Context) -> str:
        context["a"] = "set"
        return ""


@register.tag
def set_a(parser: Parser, token: Token) -> SetNode:
    """{% set_a %}"""
    return SetNode()


LIBRARIES = {"names": "tests.compiler.test_names"}
PARTS = {
    "upward": "{% cycle 'up' 'down' as a silent %}",
    "loop": "{% for x in two %}{{ a }}{% cycle 'up' 'down' as a silent %}{{ a }}{% endfor %}",
    "own": "{% firstof 'own' as a %}{{ a }}",
}


@pytest.mark.parametrize(
    ("source", "output"),
    [
        ("{{ a }}{{ a }}{{ a.x }}{{ a|upper }}", "AAA"),
        (
            "{{ a }}{% with a=b %}{{ a }}{% with a=c %}{{ a }}{% endwith %}{{ a }}{% endwith %}"
            "{{ a }}",
            "ABCBA",
        ),
        ("{{ a }}{% for a in two %}{{ a }}{% endfor %}{{ a }}", "A12A"),
        (
            "{{ a }}{% for x in two %}{{ a }}{% for a in two %}{{ a }}{% endfor %}{% endfor %}"
            "{{ a }}",
            "AA12A12A",
        ),
        ("{{ a }}{% firstof b as a %}{{ a }}{{ a }}", "ABB"),
        ("{% if b %}{{ a }}{% endif %}{% firstof b as a %}{{ a }}", "AB"),
        ("{% if no %}{{ a }}{% else %}{{ b }}{% endif %}{{ a }}{{ b }}", "BAB"),
        (
            "{{ a }}{% for x in two %}{{ a }}{% firstof x as a %}{{ a }}{% endfor %}{{ a }}",
            "AA112A",
        ),
        ("{{ a }}{% cycle b c as a %}{{ a }}{% cycle a %}{{ a }}", "ABBCC"),
        ("{{ a }}{% with b=c %}{% cycle b c as a %}{{ a }}{% endwith %}{{ a }}", "ACCC"),
        ('{{ a }}{% include "upward" %}{{ a }}', "Aup"),
        ('{{ a }}{% include "loop" %}{{ a }}', "AAupupdowndown"),
        ('{{ a }}{% include "own" %}{{ a }}', "AownA"),
        ("{{ a }}{% block x %}{{ a }}{% firstof b as a %}{{ a }}{% endblock %}{{ a }}", "AABA"),
        ("{{ a }}{% regroup two by real as a %}{{ a|length }}", "A2"),
        ("{{ a }}{% spaceless %}{{ a }}{% firstof b as a %}{% endspaceless %}{{ a }}", "AAB"),
        (
            "{{ a }}{% autoescape off %}{{ a }}{{ tag }}{% endautoescape %}{{ tag }}",
            "AA<b>&lt;b&gt;",
        ),
    ],
)
def test_a_name_is_what_it_is_at_its_place(render, source, output):
    context = {"a": "A", "b": "B", "c": "C", "two": [1, 2], "tag": "<b>"}
    assert render(source, lambda: dict(context), templates=PARTS) == output


@pytest.mark.parametrize(
    ("source", "output"),
    [
        ("{{ a }}{% set_a %}{{ a }}", "Aset"),
        ("{{ a }}{% with b=1 %}{{ a }}{% set_a %}{{ a }}{% endwith %}{{ a }}", "AAsetA"),
        ("{{ a }}{% for x in two %}{{ a }}{% set_a %}{{ a }}{% endfor %}{{ a }}", "AAsetAsetA"),
    ],
)
def test_a_name_that_a_foreign_node_sets(render, source, output):
    context = {"a": "A", "two": [1, 2]}
    source = "{% load names %}" + source
    found = render(source, lambda: dict(context), libraries=LIBRARIES, waits=None)
    # In a loop stock Django keeps what a tag set in the loop's own frame for the next row.
    assert found in (output, output.replace("AAsetAset", "AAsetsetset"))


def test_a_name_is_looked_up_once():
    """The law: in straight code that sets nothing, one lookup for each name."""

    class Counting(dict[str, Any]):
        def __getitem__(self, name: str) -> Any:
            seen.append(name)
            return super().__getitem__(name)

    from atemplates.engines.django import render_template

    seen: list[str] = []
    template = parse("{{ a }}{{ a }}{% if a %}{{ a }}{% endif %}{{ b }}{{ a.x }}")
    context = Context()
    context.dicts.append(Counting(a="A", b="B"))
    assert render_template(template, context) == "AAAB"
    assert sorted(seen) == ["a", "b"]
    # A name in a branch that is not taken is not looked up at all.
    seen.clear()
    template = parse("{% if no %}{{ a }}{% endif %}{{ b }}")
    assert render_template(template, context) == "B"
    assert seen == ["b"]
