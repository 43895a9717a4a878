"""Templates inside loops, whose rendering stands in the loop's own code."""

import pytest
from django.template import Context, TemplateSyntaxError, defaulttags
from django.utils.safestring import mark_safe

from atemplates.compiler import templates
from atemplates.compiler.plan import PLAN_ATTRIBUTE, REPEATED_ATTRIBUTE
from atemplates.engines.django import arender_template, render_template
from tests.rendering import SETUPS, new_engine, parse

CACHED = next(setup for setup in SETUPS if setup.cached)
HAS_PARTIALS = hasattr(defaulttags, "PartialNode")
HAS_NONCE = hasattr(defaulttags, "csp_nonce_attr")

TEMPLATES = {
    "part": "({{ x }}{{ b }}{% cycle 'p' 'q' %}{% ifchanged x %}!{% endifchanged %})",
    "other": "[{{ x.y }}{% firstof 'set' as x %}{{ x }}]",
    "text": "only text",
    "fails": "{{ x|add:b }}{% include 'nowhere' %}",
    "outer": "{% for y in 'ab' %}{% include 'part' with b=y %}{{ y }}{% endfor %}",
    "tree": "{{ node.n }}{% for node in node.c %}<{% include 'tree' %}>{% endfor %}",
    "base": "{% for x in rows %}{% block one %}{{ x }}{% endblock %}{% endfor %}",
    "child": "{% extends 'base' %}{% block one %}*{{ block.super }}{{ x }}{% endblock %}",
    "dir/part": "{% for x in 'ab' %}{% include './sibling' %}{% include '../text' %}{% endfor %}",
    "dir/sibling": "{{ x }}",
    "included.html": "({{ row }}{{ extra }}{% csrf_token %})",
}


@pytest.fixture(autouse=True)
def as_shipped(monkeypatch):
    """Django's test runner replaces a method, in order to tell of each template."""
    kind = templates.Template
    monkeypatch.setattr(templates, "SHIPPED", (kind.render, kind._render))


class Name(str):
    """Text of another type, as a name."""


class Drawn:
    def render(self, context):
        return f"drawn {context['x']}"


class Odd:
    def render(self, context):
        return 5


def values():
    return {
        "rows": ["<", mark_safe("<i>"), 3, {"y": 4}, "<"],
        "names": ["part", "part", "other", Name("part"), mark_safe("text"), ["nowhere", "text"]],
        "same": "part",
        "drawn": Drawn(),
        "odd": Odd(),
        "tree": {"n": 1, "c": [{"n": 2, "c": [{"n": 3}]}, {"n": 4}]},
        "csrf_token": "T<",
        "relative": "./part",
    }


@pytest.mark.parametrize(
    "body",
    [
        "{% include 'part' %}{% include 'part' %}",
        "{% include 'part' with b=x %}{{ b }}",
        "{% include 'part' with b=x x=forloop.counter only %}{{ x }}",
        "{% include 'part' only %}",
        "{% include 'other' %}{{ x }}",
        "{% include 'text' %}",
        "{% include same %}{% include same|lower with b=x %}",
        "{% for name in names %}{% include name %}{% endfor %}",
        "{% include drawn %}",
        "{% include odd %}",
        "{% filter upper %}{% include odd %}{% include 'part' %}{% endfilter %}",
        "{% include 'fails' with b=1 %}",
        "{% include 'nowhere' %}",
        "{% include '' %}",
        "{% include missing %}",
        "{% include relative %}",
        "{% include 'outer' %}{% include 'tree' with node=tree only %}",
        "{% include 'base' %}{% include 'child' %}",
        "{% include 'dir/part' %}",
        "{% autoescape off %}{% include 'part' %}{% endautoescape %}",
        "{% block one %}{{ x }}{{ block.name }}{% firstof 'set' as x %}{{ x }}{% endblock %}{{ x }}",
        "{% block one %}{% include 'part' %}{{ nothing.at.all }}{% cycle 'a' 'b' %}{% endblock %}",
        "{% block one %}{{ block.super }}{% endblock %}",
        "{% csrf_token %}{% if forloop.first %}{% firstof 'U' as csrf_token %}{% endif %}",
        "{% with csrf_token=x %}{% csrf_token %}{% endwith %}{% csrf_token %}",
    ],
)
def test_as_stock(render, body):
    source = f"{{% for x in rows %}}{body}{{% endfor %}}{{{{ x }}}}"
    render.outcome(source, values(), templates=TEMPLATES, stock=values(), waits=None)


@pytest.mark.skipif(not HAS_PARTIALS, reason="Django 6.0 and later have partials")
@pytest.mark.parametrize(
    "body",
    [
        "{% partial p %}{% partial p %}",
        "{% partial nothing %}",
        "{% partial fails %}",
        "{% include 'partials#cell' with b=x %}{% include 'partials#nothing' %}",
    ],
)
def test_partials_in_loops(render, body):
    def fail():
        raise KeyError("k")

    source = (
        "{% partialdef p %}{{ x }}{% firstof 'set' as x %}{% endpartialdef %}"
        "{% partialdef fails %}{{ fail }}{% endpartialdef %}"
        f"{{% for x in rows %}}{body}{{{{ x }}}}{{% endfor %}}"
    )
    partials = "{% partialdef cell %}{{ x }}{{ b }}{% cycle 'p' 'q' %}{% endpartialdef %}"
    given = {**TEMPLATES, "partials": partials}
    render.outcome(source, {**values(), "fail": fail}, templates=given)


@pytest.mark.skipif(not HAS_NONCE, reason="Django 6.1 and later have the tag")
@pytest.mark.parametrize("nonce", ["N", "N<'&\"", mark_safe("<N>"), Name("<N>"), "", None, 0, 5])
@pytest.mark.parametrize("autoescape", ["on", "off"])
def test_csp_nonce_attr(render, nonce, autoescape):
    from django.utils.csp import LazyNonce

    tags = "{% csp_nonce_attr %}{% csp_nonce_attr as kept %}{{ kept }}"
    source = (
        f"{{% autoescape {autoescape} %}}{tags}{{% for x in 'ab' %}}{tags}"
        f"{{% with csp_nonce=x %}}{tags}{{% endwith %}}{{% endfor %}}{{% endautoescape %}}"
    )
    render.outcome(source, {"csp_nonce": nonce}, waits=None)
    render.outcome(source, {}, waits=None)
    lazy = LazyNonce()
    text = render_template(parse(source), Context({"csp_nonce": lazy}))
    assert bool(lazy)
    assert text == parse(source).render(Context({"csp_nonce": lazy}))


def repeatedly(source):
    """Parse a template whose engine keeps templates."""
    return parse(f"{{% for x in rows %}}{source}{{% endfor %}}", TEMPLATES, setup=CACHED)


class TestWithLoadedTemplates:
    SOURCE = (
        "{% include 'part' with b=x %}{% include same %}{% include 'other' only %}"
        "{% block one %}{{ x }}{% endblock %}"
    )

    @pytest.mark.parametrize("runs", [1, 3])
    async def test_the_code_takes_the_place_of_other_code(self, runs):
        template = repeatedly(self.SOURCE)
        part = template.engine.get_template("part")
        wanted = template.render(Context(values()))
        assert await arender_template(part, Context({"x": 1}))
        assert REPEATED_ATTRIBUTE not in vars(part.nodelist)
        for _ in range(runs):
            assert await arender_template(template, Context(values())) == wanted
        assert render_template(template, Context(values())) == wanted
        known = vars(part.nodelist)
        assert known[PLAN_ATTRIBUTE] is known[REPEATED_ATTRIBUTE]

    def test_a_first_render_compiles_what_it_loads_once(self):
        template = repeatedly("{% include 'part' with b=x %}")
        wanted = repeatedly("{% include 'part' with b=x %}").render(Context(values()))
        assert len(values()["rows"]) > 1
        assert render_template(template, Context(values())) == wanted
        known = vars(template.engine.get_template("part").nodelist)
        first = known[PLAN_ATTRIBUTE]
        assert REPEATED_ATTRIBUTE not in known
        assert render_template(template, Context(values())) == wanted
        assert known[PLAN_ATTRIBUTE] is known[REPEATED_ATTRIBUTE] is not first

    def test_the_context_is_left_as_it_was(self):
        template = repeatedly("{% include 'part' %}{% include 'fails' %}")
        context = Context(values())
        frames = len(context.dicts)
        states = len(context.render_context.dicts)
        for _ in range(2):
            with pytest.raises(Exception, match="nowhere"):
                render_template(template, context)
            assert (len(context.dicts), len(context.render_context.dicts)) == (frames, states)

    def test_a_replaced_method_is_called(self, monkeypatch):
        template = repeatedly("{% include 'part' %}")
        wanted = render_template(template, Context(values()))
        seen = []
        stock = templates.Template.render

        def counting(self, context):
            seen.append(self.name)
            return stock(self, context)

        monkeypatch.setattr(templates.Template, "render", counting)
        assert render_template(template, Context(values())) == wanted
        assert seen.count("part") == len(values()["rows"])

    async def test_an_awaitable_in_the_midst(self):
        async def give():
            return "given"

        template = repeatedly("{% include 'part' with b=later %}{% include same with b=later %}")
        wanted = template.render(Context({**values(), "later": "given"}))
        for _ in range(2):
            given = Context({**values(), "later": give()})
            assert await arender_template(template, given) == wanted


@pytest.mark.parametrize("tag", ["{% shown x %}", "{% shown_with x %}"])
def test_inclusion_tags_find_their_template_once(tag):
    templates_ = {**TEMPLATES, "tags.html": "({{ value }}{% csrf_token %}{{ x }}{% cycle 1 2 %})"}
    source = f"{{% load inner %}}{{% for x in rows %}}{tag}{{% endfor %}}{tag}"
    template = parse(
        source, templates_, setup=CACHED, libraries={"inner": "tests.tags.inclusion_tags"}
    )
    wanted = template.render(Context(values()))
    for _ in range(2):
        assert render_template(template, Context(values())) == wanted


def test_a_block_without_another():
    made = new_engine(
        {"main": "{% for x in 'ab' %}{% block a %}{{ block.super }}{% endblock %}{% endfor %}"},
        CACHED,
    )
    with pytest.raises(TemplateSyntaxError):
        render_template(made.get_template("main"), Context())


SPACES = ("> <", ">\n\t<", "> x <", ">\xa0<", ">\u2028 <", "  <b> <i>  </i> </b>  ", "> > < <", "")


@pytest.mark.parametrize("text", SPACES)
def test_spaceless(render, text):
    tag = "{% spaceless %} <p> {{ text|safe }} </p>\n{{ text }} {% endspaceless %}"
    render.outcome(f"{tag}{{% for x in 'ab' %}}{tag}{{% endfor %}}", {"text": text})
