"""``{% partialdef %}`` and ``{% partial %}`` (Django 6.0)."""

import django
import pytest
from django.template import Context

from atemplates.engines.django import arender_template, render_template
from tests.rendering import SETUPS, new_engine

pytestmark = pytest.mark.skipif(django.VERSION < (6, 0), reason="Django 6.0 brought partials")

PART = "{% partialdef part %}({{ a }}{{ x }}){% endpartialdef %}"
TEMPLATES = {
    "page": "<page>" + PART + "{% partial part %}</page>",
    "base": "{% block b %}{% endblock %}",
    "inline": "{% partialdef shown inline %}shown {{ a }}{% endpartialdef %}!",
}


@pytest.mark.parametrize(
    ("source", "output"),
    [
        (PART, ""),
        (PART + "{% partial part %}", "(1)"),
        ("{% partial part %}" + PART, "(1)"),
        (PART + "{% partial part %}{% partial part %}", "(1)(1)"),
        ("{% partialdef p inline %}{{ a }}{% endpartialdef %}{% partial p %}", "11"),
        ("{% partialdef p inline %}{{ a }}{% endpartialdef p %}", "1"),
        (PART + "{% for x in 'xy' %}{% partial part %}{% endfor %}", "(1x)(1y)"),
        (PART + "{% with a='<' %}{% partial part %}{% endwith %}", "(<)"),
        (PART + "{% with a=unsafe %}{% partial part %}{% endwith %}", "(&lt;)"),
        (
            PART + "{% autoescape off %}{% with a=unsafe %}{% partial part %}{% endwith %}"
            "{% endautoescape %}",
            "(<)",
        ),
        ("{% include 'page#part' %}", "(1)"),
        ("{% include 'page#part' with x=5 %}", "(15)"),
        ("{% include 'page#part' only %}", "()"),
        ("{% for x in 'xy' %}{% include 'page#part' %}{% endfor %}", "(1x)(1y)"),
        ("{% include 'page' %}", "<page>(1)</page>"),
        ("{% include 'inline' %}{% include 'inline#shown' %}", "shown 1!shown 1"),
        ("{% extends 'base' %}{% block b %}" + PART + "{% partial part %}{% endblock %}", "(1)"),
        ("{% extends 'base' %}" + PART + "{% block b %}{% partial part %}{% endblock %}", "(1)"),
        # A partial has no frame of its own.
        (
            "{% partialdef p %}{% firstof 'set' as v %}{% endpartialdef %}{{ v }}"
            "{% partial p %}{{ v }}",
            "set",
        ),
        (
            "{% partialdef p %}{% firstof x as v %}{% endpartialdef %}"
            "{% for x in 'xy' %}[{{ v }}]{% partial p %}{{ v }}{% endfor %}",
            "[]x[x]y",
        ),
        (
            "{% partialdef p %}{% firstof x as a %}{% endpartialdef %}"
            "{% for x in 'xy' %}{{ a }}{% partial p %}{{ a }}{% endfor %}",
            "1xxy",
        ),
        (
            "{% partialdef p %}{% firstof 'new' as x %}{% endpartialdef %}"
            "{% for x in 'xy' %}{{ x }}{% partial p %}{{ x }}{% endfor %}",
            "xnewynew",
        ),
        (
            "{% partialdef p %}{% cycle 'a' 'b' %}{% endpartialdef %}"
            "{% for x in 'xy' %}{% partial p %}{% endfor %}",
            "aa",
        ),
        (
            "{% partialdef p %}{% ifchanged %}c{% endifchanged %}{% endpartialdef %}"
            "{% for x in 'xy' %}{% partial p %}{% endfor %}",
            "c",
        ),
        (
            "{% partialdef tree %}{{ node.name }}{% for node in node.children %}"
            "<{% partial tree %}>"
            "{% endfor %}{% endpartialdef %}{% partial tree %}",
            "a<b><c>",
        ),
        (
            "{% partialdef o inline %}[{% partialdef i inline %}"
            "i{% endpartialdef %}]{% endpartialdef %}"
            "{% partial i %}{% partial o %}",
            "[i]i[i]",
        ),
    ],
)
def test_partials(render, source, output):
    context = {
        "a": 1,
        "unsafe": "<",
        "node": {"name": "a", "children": [{"name": "b"}, {"name": "c"}]},
    }
    assert render(source, context, templates=TEMPLATES) == output


def test_a_partial_that_is_not_defined(render):
    outcome = render.outcome("a\n{% partial nothing %}")
    assert "Partial 'nothing' is not defined in the current template." in str(outcome.error)


def test_a_partial_of_another_template_that_is_not_defined(render):
    outcome = render.outcome("{% include 'page#nothing' %}", templates=TEMPLATES)
    assert str(outcome.error) == "nothing"


@pytest.mark.parametrize("error", [KeyError("k"), ZeroDivisionError("z")])
def test_a_failure_inside(render, error):
    def fail():
        raise error

    source = "a\n{% partialdef p %}\n{{ fail }}{% endpartialdef %}\n{% partial p %}"
    outcome = render.outcome(source, {"fail": fail})
    assert outcome.error is not None


async def test_a_partial_rendered_by_itself():
    for _ in range(2):
        stock = new_engine(TEMPLATES).get_template("page#part").render(Context({"a": 1}))
        partial = new_engine(TEMPLATES).get_template("page#part")
        assert render_template(partial, Context({"a": 1})) == stock == "(1)"
        assert await arender_template(partial, Context({"a": 1})) == stock


async def test_its_source_can_still_be_asked_for():
    setup = SETUPS[0]._replace(debug=True)
    template = new_engine(TEMPLATES, setup).get_template("page#part")
    await arender_template(template, Context())
    assert template.source == "{% partialdef part %}({{ a }}{{ x }}){% endpartialdef %}"


def test_a_foreign_tag_in_a_partial_in_a_loop_is_one_hop(render):
    source = (
        "{% load native %}{% partialdef p %}{% names %}{% endpartialdef %}"
        "{% for x in 'xy' %}{% partial p %};{% endfor %}"
    )
    libraries = {"native": "tests.tags.native_tags"}
    names = "False,None,True,forloop,x;"
    assert render(source, libraries=libraries, waits=0, hops=1) == names * 2


def test_awaitables(render):
    async def value():
        return "<v>"

    output = render(
        PART + "{% partial part %}{% partial part %}",
        lambda: {"a": value()},
        stock={"a": "<v>"},
        waits=1,
    )
    assert output == "(&lt;v&gt;)" * 2
