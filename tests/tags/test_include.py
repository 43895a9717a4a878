"""``{% include %}``: names, lists, objects, values, scopes."""

import pytest
from django.template import Context, TemplateDoesNotExist

from atemplates.engines.django import arender_template, render_template
from tests.rendering import new_engine, parse

TEMPLATES = {
    "part": "({{ a }}{{ b }})",
    "other": "other",
    "loop": "{% for y in rows %}{{ y }}{{ x }}{% endfor %}",
    "dir/part": "dir{% include './sibling' %}{% include '../other' %}",
    "dir/sibling": "sibling",
    "tree": "{{ node.name }}{% for node in node.children %}<{% include 'tree' %}>{% endfor %}",
    "sets": "{% firstof 'set' as a %}{{ a }}",
    "spaces": " {{ a }} ",
}


@pytest.mark.parametrize(
    ("source", "output"),
    [
        ("{% include 'part' %}", "(1)"),
        ('{% include "part" %}', "(1)"),
        ("{% include name %}", "(1)"),
        ("{% include missing|default:'other' %}", "other"),
        ("{% include 'part' with b=2 %}{{ b }}", "(12)"),
        ("{% include 'part' with a=2 b=a %}{{ a }}", "(21)1"),
        ("{% include 'part' with b=unsafe %}", "(1&lt;)"),
        ("{% include 'part' with b='<' %}", "(1<)"),
        ("{% include 'part' only %}", "()"),
        ("{% include 'part' with b=a only %}", "(1)"),
        ("{% include 'part' with b=a|add:5 only %}", "(6)"),
        ("{% include 'part' only with b=3 %}", "(3)"),
        ("{% include names %}", "other"),
        ("{% include pair %}", "other"),
        ("{% for x in 'xy' %}{% include 'part' with b=x %}{% endfor %}", "(1x)(1y)"),
        ("{% for a in 'xy' %}{% include 'part' %}{% endfor %}{{ a }}", "(x)(y)1"),
        ("{% for x in 'xy' %}{% include 'loop' %}{% endfor %}", "1x2x1y2y"),
        ("{% for name in names2 %}{% include name %}{% endfor %}", "(1)other"),
        ("{% include 'dir/part' %}", "dirsiblingother"),
        ("{% include './other' %}", "other"),
        ("{% include 'tree' with node=tree only %}", "a<b<c>><d>"),
        ("{% include 'sets' %}{{ a }}", "set1"),
        ("{% if a %}{% include 'other' %}{% endif %}", "other"),
        ("{% with a=5 %}{% include 'part' %}{% endwith %}", "(5)"),
        ("{% filter upper %}{% include 'other' %}{% endfilter %}", "OTHER"),
        ("{% spaceless %}<b>{% include 'spaces' %}</b>{% endspaceless %}", "<b> 1 </b>"),
        (
            "{% autoescape off %}{% include 'part' with b=unsafe %}{% endautoescape %}"
            "{% include 'part' with b=unsafe %}",
            "(1<)(1&lt;)",
        ),
        ("{% include 'part' %}{% include 'part' with b=2 %}{% include name %}", "(1)(12)(1)"),
    ],
)
def test_include(render, source, output):
    context = {
        "a": 1,
        "name": "part",
        "names": ["nowhere", "other", "part"],
        "pair": ("nowhere", "other"),
        "names2": ["part", "other"],
        "unsafe": "<",
        "rows": [1, 2],
        "tree": {
            "name": "a",
            "children": [{"name": "b", "children": [{"name": "c"}]}, {"name": "d"}],
        },
    }
    assert render(source, context, templates=TEMPLATES) == output


class TestObjects:
    def test_a_template(self, render):
        source = "{% include part with b=2 %}{% for x in 'xy' %}{% include part %}{% endfor %}"
        context = {"a": 1, "part": parse(TEMPLATES["part"])}
        stock = {"a": 1, "part": parse(TEMPLATES["part"])}
        assert render(source, context, stock=stock) == "(12)(1)(1)"

    def test_a_backends_template(self, render):
        class Wrapped:
            def __init__(self):
                self.template = parse(TEMPLATES["part"])

            def render(self, context):
                raise AssertionError("the template inside is meant")

        context = {"a": 1, "part": Wrapped()}
        assert render("{% include part %}", context, stock={"a": 1, "part": Wrapped()}) == "(1)"

    def test_anything_with_render(self, render):
        class Own:
            def render(self, context):
                return f"own {context['a']}"

        # What it does is not known, so it runs in the request's thread.
        assert render("{% include part with a=5 %}", {"part": Own()}, waits=1) == "own 5"

    def test_a_list_of_templates_is_a_list_of_names(self, render):
        outcome = render.outcome("{% include parts %}", {"parts": [1, 2]})
        assert outcome.error is not None


class TestWhatCannotBeFound:
    @pytest.mark.parametrize("name", ["nowhere", "./nowhere", "dir/nowhere"])
    def test_a_name(self, render, name):
        with pytest.raises(TemplateDoesNotExist):
            render(f"a\n{{% include '{name}' %}}")

    @pytest.mark.parametrize("name", ["", None, [], (), 0])
    def test_nothing(self, render, name):
        with pytest.raises(TemplateDoesNotExist, match="No template names provided"):
            render("{% include name %}", {"name": name})

    def test_a_missing_variable(self, render):
        outcome = render.outcome("{% include nothing %}")
        assert isinstance(outcome.error, TemplateDoesNotExist)

    def test_a_list(self, render):
        with pytest.raises(TemplateDoesNotExist, match="x, y"):
            render("{% include names %}", {"names": ["x", "y"]})

    @pytest.mark.parametrize("name", [5, 1.5, object()])
    def test_what_is_no_name(self, render, name):
        with pytest.raises(TypeError, match="object is not iterable"):
            render("{% include name %}", {"name": name})

    def test_a_syntax_error(self, render):
        outcome = render.outcome("a\n{% include 'bad' %}", templates={"bad": "b\n\n{% nonsense %}"})
        assert "Invalid block tag on line 3: 'nonsense'" in str(outcome.error)

    def test_it_is_looked_for_before_the_values_are_resolved(self, render):
        def fail():
            raise ZeroDivisionError

        with pytest.raises(TemplateDoesNotExist):
            render("{% include 'nowhere' with x=fail %}", {"fail": fail})


class TestErrors:
    def fail(self):
        raise ZeroDivisionError("inside")

    @pytest.mark.parametrize(
        ("source", "templates"),
        [
            ("a\n{% include 'part' %}", {"part": "b\n\n{{ fail }}"}),
            (
                "a\n{% include 'part' %}",
                {"part": "b\n{% include 'deep' %}", "deep": "\n{{ fail }}"},
            ),
            ("a\n{% include 'part' with x=fail %}", {"part": "b"}),
            ("{% for x in 'ab' %}\n{% include 'part' %}{% endfor %}", {"part": "b\n\n{{ fail }}"}),
            ("a\n{% include fail %}", {}),
        ],
    )
    def test_inside(self, render, source, templates):
        with pytest.raises(ZeroDivisionError, match="inside"):
            render(source, {"fail": self.fail}, templates=templates)

    async def test_the_context_is_as_before(self):
        template = parse(
            "{% include 'part' with a=1 %}", {"part": "{% with b=2 %}{{ fail }}{% endwith %}"}
        )

        async def by_blocking(template, context):
            return render_template(template, context)

        for render in (by_blocking, arender_template):
            context = Context({"fail": self.fail})
            with pytest.raises(ZeroDivisionError):
                await render(template, context)
            assert len(context.dicts) == 2
            assert len(context.render_context.dicts) == 1
            assert context.template is None


async def test_a_template_is_looked_up_once_per_render():
    """With an uncached loader, an include in a loop loads its template once, as in Django."""
    from django.template.engine import Engine

    from tests.engines.loaders import Loader

    templates = {"main": "{% for x in 'abc' %}{% include 'part' %}{% endfor %}", "part": "{{ x }}"}
    engine = Engine(loaders=[("tests.engines.loaders.Loader", templates)])
    template = engine.get_template("main")
    Loader.reads.clear()
    assert await arender_template(template, Context()) == "abc"
    assert [name for name, *_ in Loader.reads] == ["part"]
    # Not on the event loop.
    assert [on_loop for _, on_loop, _ in Loader.reads] == [False]
    assert await arender_template(template, Context()) == "abc"
    assert len(Loader.reads) == 2


async def test_recursion_without_end():
    template = parse("{% include 'again' %}", {"again": "{% include 'again' %}"})
    with pytest.raises(RecursionError):
        render_template(template, Context())
    with pytest.raises(RecursionError):
        await arender_template(template, Context())


def test_deep_recursion():
    """Plans in plans use no more of Python's stack than stock nodes in nodes."""
    source = "{{ n }}{% if n %}{% with n=n|add:-1 %}{% include 'main' %}{% endwith %}{% endif %}"
    engine = new_engine({"main": source})
    template = engine.get_template("main")
    depth = 60
    expected = "".join(str(n) for n in range(depth, -1, -1))
    assert (
        new_engine({"main": source}).get_template("main").render(Context({"n": depth})) == expected
    )
    assert render_template(template, Context({"n": depth})) == expected


class TestAwaitables:
    def test_a_name(self, render):
        async def name():
            return "part"

        output = render(
            "{% include name with b=2 %}",
            lambda: {"name": name(), "a": 1},
            stock={"name": "part", "a": 1},
            templates=TEMPLATES,
            waits=1,
        )
        assert output == "(12)"

    def test_values(self, render):
        async def value():
            return "<v>"

        output = render(
            "{% for x in 'xy' %}{% include 'part' with b=v only %}{% endfor %}{{ v }}",
            lambda: {"v": value()},
            stock={"v": "<v>"},
            templates=TEMPLATES,
            waits=1,
        )
        assert output == "(&lt;v&gt;)(&lt;v&gt;)&lt;v&gt;"
