"""``{% extends %}``, ``{% block %}`` and ``{{ block.super }}``."""

import pytest
from django.template import Context
from django.template.engine import Engine

from atemplates.engines.django import arender_template, render_template
from tests.rendering import new_engine, parse, run_async

TEMPLATES = {
    "base": "1{% block first %}&{% endblock %}3{% block second %}_{% endblock %}",
    "middle": "{% extends 'base' %}{% block first %}2{% endblock %}",
    "super": "{% extends 'base' %}{% block first %}{{ block.super }}a{% endblock %}",
    "super2": "{% extends 'super' %}{% block first %}<{{ block.super }}>{% endblock %}",
    "nested": "{% block outer %}[{% block inner %}in{% endblock %}]{% endblock %}",
    "dir/relative": "{% extends './base' %}{% block b %}child{% endblock %}",
    "dir/base": "dir({% block b %}{% endblock %})",
    "dir/sub/up": "{% extends '../base' %}{% block b %}up{% endblock %}",
    "loop": "{% for x in letters %}{% block b %}{{ x }}{% endblock %},{% endfor %}",
    "plain": "no block",
}


@pytest.mark.parametrize(
    ("source", "output"),
    [
        ("{% extends 'base' %}", "1&3_"),
        ("{% extends 'base' %}ignored{% block first %}x{% endblock %}ignored", "1x3_"),
        ("{% extends 'base' %}{% block nowhere %}x{% endblock %}", "1&3_"),
        ("{% extends 'base' %}{% block second %}4{% endblock second %}", "1&34"),
        ("{% extends 'middle' %}{% block second %}4{% endblock %}", "1234"),
        ("{% extends 'middle' %}{% block first %}x{{ block.super }}{% endblock %}", "1x23_"),
        ("{% extends 'super' %}", "1&a3_"),
        ("{% extends 'super2' %}", "1<&a>3_"),
        (
            "{% extends 'super2' %}{% block first %}{{ block.super }}"
            "{{ block.super }}{% endblock %}",
            "1<&a><&a>3_",
        ),
        (
            "{% extends 'super2' %}{% block first %}{{ block.super|upper }}{% endblock %}",
            "1&lt;&amp;A&gt;3_",
        ),
        ("{% extends 'base' %}{% block first %}{{ block.name }}{% endblock %}", "1first3_"),
        ("{% extends 'base' %}{% block first %}{{ block.nothing }}{% endblock %}", "13_"),
        ("{% extends 'nested' %}{% block inner %}x{% endblock %}", "[x]"),
        ("{% extends 'nested' %}{% block outer %}x{% endblock %}", "x"),
        (
            "{% extends 'nested' %}{% block outer %}{{ block.super }}y{% endblock %}"
            "{% block inner %}z{% endblock %}",
            "[z]y",
        ),
        (
            "{% extends 'nested' %}{% block inner %}{{ block.super }}"
            "{% block deep %}d{% endblock %}"
            "{% endblock %}",
            "[ind]",
        ),
        ("{% extends 'plain' %}{% block b %}x{% endblock %}", "no block"),
        ("{% extends name %}", "1&3_"),
        ("{% extends name|default:'x' %}", "1&3_"),
        ("{% extends missing|default:'middle' %}", "123_"),
        ("{% extends 'dir/relative' %}", "dir(child)"),
        ("{% extends 'dir/sub/up' %}", "dir(up)"),
        ("{% extends './base' %}", "1&3_"),
        ("{% extends 'loop' %}", "a,b,"),
        (
            "{% extends 'loop' %}{% block b %}{{ forloop.counter }}{{ x }}"
            "{{ block.super }}{% endblock %}",
            "1aa,2bb,",
        ),
        (
            "{% extends 'loop' %}{% block b %}{% for y in 'pq' %}{{ y }}"
            "{{ block.super }}{% endfor %}"
            "{% endblock %}",
            "paqa,pbqb,",
        ),
        (
            "{% extends 'base' %}{% block first %}{% for y in 'pq' %}"
            "{{ block.super }}{{ y }}{% endfor %}"
            "{% endblock %}",
            "1&p&q3_",
        ),
        (
            "{% extends 'base' %}{% load i18n %}{% block first %}{% translate 'x' %}{% endblock %}",
            "1x3_",
        ),
        ("{% block a %}no parent{% endblock %}{{ block }}", "no parent"),
        (
            "{% block a %}{% with b=1 %}{{ b }}{% endwith %}{% firstof 'v' as v %}"
            "{{ v }}{% endblock %}"
            "[{{ v }}]",
            "1v[]",
        ),
        (
            "{% extends 'base' %}{% firstof 'v' as v %}{% block first %}[{{ v }}]{% endblock %}",
            "1[]3_",
        ),
        ("{# comment #}\n{% extends 'base' %}", "\n1&3_"),
        ("text first {% extends 'base' %}", "text first 1&3_"),
    ],
)
def test_inheritance(render, source, output):
    context = {"name": "base", "letters": "ab"}
    assert render(source, context, templates=TEMPLATES) == output


def test_a_block_is_a_value(render):
    source = "{% block a %}{{ block }}{% endblock %}"
    assert render(source) == "&lt;Block Node: a. Contents: [&lt;Variable Node: block&gt;]&gt;"


def test_many_levels(render):
    templates = {"level0": "{% block b %}0{% endblock %}"}
    for n in range(1, 20):
        templates[f"level{n}"] = (
            f"{{% extends 'level{n - 1}' %}}"
            f"{{% block b %}}{{{{ block.super }}}},{n}{{% endblock %}}"
        )
    expected = ",".join(str(n) for n in range(20))
    assert render("{% extends 'level19' %}", templates=templates) == expected


def test_names_set_in_a_frame_of_the_base_reach_the_block(render):
    templates = {
        "base": (
            "{% with a='<' %}{% for x in 'pq' %}{% block b %}{% endblock %}"
            "{% endfor %}{% endwith %}"
        )
    }
    source = "{% extends 'base' %}{% block b %}{{ a }}{{ x }}{{ forloop.counter0 }}{% endblock %}"
    assert render(source, templates=templates) == "<p0<q1"


def test_an_autoescape_region_of_the_base_reaches_the_block(render):
    templates = {
        "base": "{% autoescape off %}{% block b %}{% endblock %}{% endautoescape %}{{ x }}"
    }
    source = "{% extends 'base' %}{% block b %}{{ x }}{% endblock %}"
    assert render(source, {"x": "<"}, templates=templates) == "<&lt;"


class TestSuper:
    def test_without_a_parent(self, render):
        """Stock says so with an exception, which `block.super` does not swallow."""
        with pytest.raises(Exception, match=r"has no attribute 'context'\. Did you use"):
            render("{% block a %}x{{ block.super }}{% endblock %}")

    def test_in_a_base_template(self, render):
        templates = {"base": "{% block a %}x{{ block.super }}{% endblock %}"}
        assert render("{% extends 'base' %}", templates=templates) == "x"

    def test_kept_in_a_name(self, render):
        source = (
            "{% extends 'base' %}{% block first %}{% with s=block.super %}"
            "{{ s }}{{ s }}{% endwith %}"
        )
        assert render(source + "{% endblock %}", templates=TEMPLATES) == "1&&3_"

    def test_in_a_condition(self, render):
        source = "{% extends 'base' %}{% block first %}{% if block.super == '&' %}yes{% endif %}"
        assert render(source + "{% endblock %}", templates=TEMPLATES) == "1yes3_"

    def test_in_a_filter_argument(self, render):
        source = "{% extends 'base' %}{% block first %}{{ 'a&b'|cut:block.super }}{% endblock %}"
        assert render(source, templates=TEMPLATES) == "1ab3_"

    def test_in_an_include(self, render):
        templates = {**TEMPLATES, "part": "({{ block.super }})"}
        source = "{% extends 'base' %}{% block first %}{% include 'part' %}{% endblock %}"
        assert render(source, templates=templates) == "1()3_"

    def test_in_a_foreign_tag(self, render):
        source = (
            "{% extends 'base' %}{% load native %}{% block first %}{% wrap 2 %}{{ block.super }}"
            "{% endwrap %}{% endblock %}"
        )
        libraries = {"native": "tests.tags.native_tags"}
        assert render(source, templates=TEMPLATES, libraries=libraries, waits=1) == "1<&><&>3_"

    def test_with_awaitables(self, render):
        async def value():
            return "<v>"

        templates = {"base": "{% block a %}{{ v }}{% endblock %}"}
        source = (
            "{% extends 'base' %}{% block a %}{{ block.super }}{{ v }}"
            "{{ block.super }}{% endblock %}"
        )
        output = render(
            source, lambda: {"v": value()}, stock={"v": "<v>"}, templates=templates, waits=1
        )
        assert output == "&lt;v&gt;" * 3


class TestTheSameName:
    """``{% extends %}`` of a template's own name means the next one that the loaders have."""

    def test_through_folders(self, tmp_path):
        names = ["one", "two", "three"]
        folders = [tmp_path / name for name in names]
        for folder in folders:
            folder.mkdir()
            (folder / "page.html").write_text(
                "{% extends 'page.html' %}{% block b %}{{ block.super }}"
                + folder.name
                + " {% endblock %}"
            )
        folders[-1].joinpath("page.html").write_text("{% block b %}base {% endblock %}")
        for loader in ("cached", "filesystem"):
            filesystem = ("django.template.loaders.filesystem.Loader", folders)
            loaders = [("django.template.loaders.cached.Loader", [filesystem])]
            engine = Engine(loaders=loaders if loader == "cached" else [filesystem])
            for _ in range(2):
                template = engine.get_template("page.html")
                stock = Engine(loaders=[filesystem]).get_template("page.html").render(Context())
                assert stock == "base two one "
                assert render_template(template, Context()) == stock
                assert run_async(arender_template, template, Context()) == stock

    def test_without_another(self, render):
        outcome = render.outcome("{% extends 'main' %}", templates={})
        assert type(outcome.error).__name__ == "TemplateDoesNotExist"
        assert outcome.error.tried[0][1] == "Skipped to avoid recursion"

    def test_in_a_circle(self, render):
        templates = {"a": "{% extends 'b' %}", "b": "{% extends 'a' %}"}
        outcome = render.outcome("{% extends 'a' %}", templates=templates)
        assert type(outcome.error).__name__ == "TemplateDoesNotExist"


class TestParents:
    def test_a_template_object(self, render):
        base = parse("base({% block b %}{% endblock %})")
        stock = parse("base({% block b %}{% endblock %})")
        source = "{% extends base %}{% block b %}child{% endblock %}"
        assert render(source, {"base": base}, stock={"base": stock}) == "base(child)"

    def test_a_backends_template_object(self, render):
        class Wrapped:
            def __init__(self):
                self.template = parse("base({% block b %}{% endblock %})")

        source = "{% extends base %}{% block b %}child{% endblock %}"
        assert render(source, {"base": Wrapped()}, stock={"base": Wrapped()}) == "base(child)"

    @pytest.mark.parametrize("name", ["", None, [], 0])
    def test_nothing(self, render, name):
        with pytest.raises(Exception, match="Invalid template name in 'extends' tag"):
            render("{% extends name %}", {"name": name})

    @pytest.mark.parametrize("name", [(), {}, "", b""])
    def test_nothing_of_other_types(self, render, name):
        """Django writes the message with %, which takes a tuple for its arguments."""
        kind = "TypeError" if name == () else "TemplateSyntaxError"
        assert type(render.outcome("{% extends name %}", {"name": name}).error).__name__ == kind

    def test_a_missing_variable(self, render):
        outcome = render.outcome("{% extends nothing %}")
        assert "Got this from the 'nothing' variable." in str(outcome.error)

    def test_a_missing_template(self, render):
        outcome = render.outcome("\n{% extends 'nothing' %}" + "{% block b %}{% endblock %}")
        assert str(outcome.error) == "nothing"

    def test_a_missing_grandparent(self, render):
        templates = {"base": "{% extends 'nothing' %}"}
        assert str(render.outcome("{% extends 'base' %}", templates=templates).error) == "nothing"

    def test_an_awaitable(self, render):
        async def name():
            return "base"

        output = render(
            "{% extends name %}",
            lambda: {"name": name()},
            stock={"name": "base"},
            templates=TEMPLATES,
            waits=1,
        )
        assert output == "1&3_"


async def test_blocks_of_the_parsed_template_stay_as_they_are():
    """The renders of a template share its nodes; each has its own `block`."""
    engine = new_engine({**TEMPLATES, "main": "{% extends 'super2' %}"})
    template = engine.get_template("main")
    assert await arender_template(template, Context()) == "1<&a>3_"
    for name in ("base", "super", "super2"):
        for node in engine.get_template(name).nodelist.get_nodes_by_type(object):
            assert "context" not in vars(node)


def test_a_block_that_raises(render):
    templates = {"base": "a\n{% block b %}{% endblock %}"}

    def fail():
        raise ZeroDivisionError("in the block")

    source = "{% extends 'base' %}\n\n{% block b %}\n{{ fail }}{% endblock %}"
    with pytest.raises(ZeroDivisionError, match="in the block"):
        render(source, {"fail": fail}, templates=templates)


def test_the_base_that_raises(render):
    templates = {"base": "a\n{{ fail }}\n{% block b %}{% endblock %}"}

    def fail():
        raise ZeroDivisionError("in the base")

    with pytest.raises(ZeroDivisionError, match="in the base"):
        render("{% extends 'base' %}", {"fail": fail}, templates=templates)
