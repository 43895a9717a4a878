"""``{% with %}``: values with names, and where they are seen."""

import pytest
from django.template import Context

from atemplates.engines.django import arender_template, render_template
from tests.rendering import parse, run_async


@pytest.mark.parametrize(
    ("source", "output"),
    [
        ("{% with a=1 %}{{ a }}{% endwith %}{{ a }}", "1"),
        ("{% with d.key as a %}{{ a }}{% endwith %}", "value"),
        ("{% with a=d.key b='<b>' %}{{ a }}{{ b }}{% endwith %}", "value<b>"),
        ("{% with a=unsafe %}{{ a }}{{ a|safe }}{% endwith %}", "&lt;u&gt;<u>"),
        ("{% with a=missing %}[{{ a }}]{% endwith %}", "[]"),
        ("{% with a=d %}{{ a.key }}{{ a.missing }}{% endwith %}", "value"),
        ("{% with a=call %}{{ a }}{% endwith %}", "called"),
        ("{% with a=unsafe|upper|lower %}{{ a }}{% endwith %}", "&lt;u&gt;"),
        # The values are all resolved before the first is set.
        ("{% with a='in' b=a %}{{ a }}{{ b }}{% endwith %}{{ a }}", "inoutout"),
        ("{% with a=1 %}{% with a=2 %}{{ a }}{% endwith %}{{ a }}{% endwith %}{{ a }}", "21out"),
        ("{% with a=1 a=2 %}{{ a }}{% endwith %}", "2"),
        ("{% with a=a|default:1 %}{{ a }}{% endwith %}", "out"),
        ("{% with a=None %}{{ a }}{% endwith %}", "None"),
        ("{% with block=1 forloop=2 %}{{ block }}{{ forloop }}{% endwith %}", "12"),
        ("{% with a=1 %}{% endwith %}{% with b=2 %}{{ b }}{% endwith %}{{ b }}", "2"),
    ],
)
def test_values(render, source, output):
    if source.startswith("{% with a=1 %}{{ a }}"):
        context = {}
    else:
        context = {"a": "out"}
    context |= {"d": {"key": "value"}, "unsafe": "<u>", "call": lambda: "called"}
    assert render(source, context) == output


class TestScopes:
    def test_a_tag_sets_a_name_inside(self, render):
        source = (
            "{% with a=1 %}{% firstof 'x' as a %}{{ a }}{% firstof 'y' as b %}{{ b }}{% endwith %}"
        )
        assert render(source + "[{{ a }}{{ b }}]") == "xy[]"

    def test_an_include_sees_the_values(self, render):
        source = "{% with a=1 b='<' %}{% include 'part' %}{% endwith %}"
        assert render(source, templates={"part": "{{ a }}{{ b }}{{ c }}"}) == "1<"

    def test_a_block_sees_the_values(self, render):
        templates = {"base": "{% with a=1 %}{% block b %}{% endblock %}{% endwith %}"}
        source = "{% extends 'base' %}{% block b %}{{ a }}{% endblock %}"
        assert render(source, templates=templates) == "1"

    def test_a_foreign_tag_sees_the_values(self, render):
        source = "{% load native %}{% with a=1 %}{% names %}{% endwith %}"
        libraries = {"native": "tests.tags.native_tags"}
        assert render(source, libraries=libraries, hops=1) == "False,None,True,a"

    def test_the_csrf_token_may_be_one_of_the_values(self, render):
        source = "{% with csrf_token='TOKEN' %}{% csrf_token %}{% endwith %}{% csrf_token %}"
        assert render(source) == '<input type="hidden" name="csrfmiddlewaretoken" value="TOKEN">'

    def test_in_a_loop(self, render):
        source = (
            "{% for x in rows %}{% with y=x|upper n=forloop.counter %}{{ x }}{{ y }}{{ n }}"
            "{% for z in y %}{{ z }}{{ n }}{% endfor %}{% endwith %}{{ y }} {% endfor %}"
        )
        assert render(source, {"rows": ["a", "b"]}) == "aA1A1 bB2B2 "

    def test_around_a_loop(self, render):
        source = (
            "{% with a=x %}{% for b in rows %}{{ a }}{{ b }}{{ a.0 }} {% endfor %}{% endwith %}"
        )
        assert render(source, {"x": "xy", "rows": [1, 2]}) == "xy1x xy2x "

    def test_a_value_is_called_each_time_it_is_used(self, render):
        def context():
            calls = []
            counter = lambda: calls.append(1) or len(calls)  # noqa: E731
            return {"d": {"call": counter}}

        # Resolving it for `with` is the first and only time.
        assert render("{% with a=d.call %}{{ a }}{{ a }}{% endwith %}", context) == "11"
        source = "{% for x in 'ab' %}{% with a=d.call %}{{ a }}{{ a }}{% endwith %}{% endfor %}"
        assert render(source, context) == "1122"

    def test_a_callable_that_is_not_called(self, render):
        class Choices:
            do_not_call_in_templates = True
            A = "a"

            def __call__(self):
                raise AssertionError("called")

        source = "{% with c=choices %}{{ c.A }}{% for x in 'x' %}{{ c.A }}{% endfor %}{% endwith %}"
        assert render(source, {"choices": Choices()}) == "aa"


class TestErrors:
    def test_a_value_that_raises(self, render):
        def fail():
            raise ZeroDivisionError("in with")

        with pytest.raises(ZeroDivisionError, match="in with"):
            render("\n{% with a=fail %}{{ a }}{% endwith %}", {"fail": fail})

    def test_the_frame_is_gone_after_an_error(self):
        source = "{% with a=1 %}{% include 'part' %}{% endwith %}"
        template = parse(source, {"part": "{{ fail }}"})

        def fail():
            raise ZeroDivisionError

        context = Context({"fail": fail})
        with pytest.raises(ZeroDivisionError):
            render_template(template, context)
        assert len(context.dicts) == 2
        assert context.template is None
        assert len(context.render_context.dicts) == 1


class TestAwaitables:
    def test_a_value(self, render):
        async def value():
            return {"x": "<x>"}

        source = "{% with a=value %}{{ a.x }}{% for y in 'yz' %}{{ a.x }}{% endfor %}{% endwith %}"
        context = lambda: {"value": value()}  # noqa: E731
        assert render(source, context, stock={"value": {"x": "<x>"}}, waits=1) == "&lt;x&gt;" * 3

    async def test_it_is_awaited_once_for_two_names(self):
        calls = []

        async def value():
            calls.append(1)
            return 5

        source = (
            "{% with a=value %}{% with b=value %}{{ a }}{{ b }}{{ value }}"
            "{% endwith %}{% endwith %}"
        )
        assert await arender_template(parse(source), Context({"value": value()})) == "555"
        assert calls == [1]


@pytest.mark.parametrize(
    ("source", "output"),
    [
        ("{% with context=v %}{{ context }}{% endwith %}[{{ context }}]", "value[]"),
        ("{% with self=v %}{{ self }}{% endwith %}", "value"),
        ("{% with self=v context='c' %}{{ self }}{{ context }}{% endwith %}", "valuec"),
        ("{% with context=v %}{% include 'part' %}{% endwith %}", "<value>"),
        ("{% include 'part' with context=v %}", "<value>"),
        ("{% for x in 'ab' %}{% with context=x %}{{ context }}{% endwith %}{% endfor %}", "ab"),
    ],
)
def test_names_that_stock_django_trips_over(source, output):
    """See docs/django.md: there they become keyword arguments of Django's own method."""
    templates = {"part": "<{{ context }}>"}
    with pytest.raises(TypeError, match="multiple values for"):
        parse(source, templates).render(Context({"v": "value"}))
    assert render_template(parse(source, templates), Context({"v": "value"})) == output
    assert run_async(arender_template, parse(source, templates), Context({"v": "value"})) == output
