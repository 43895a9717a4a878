"""``{% cycle %}`` and ``{% resetcycle %}``."""

import pytest


@pytest.mark.parametrize(
    ("source", "output"),
    [
        ("{% cycle 'a' 'b' %}", "a"),
        ("{% cycle 'a' 'b' %}{% cycle 'a' 'b' %}", "aa"),
        ("{% for x in four %}{% cycle 'a' 'b' 'c' %}{% endfor %}", "abca"),
        ("{% for x in four %}{% cycle one two %}{{ x }}{% endfor %}", "10211223"),
        ("{% for x in four %}{% cycle 'a' one %}{% endfor %}", "a1a1"),
        ("{% for x in four %}{% cycle one one|add:1 %}{% endfor %}", "1212"),
        ("{% for x in four %}{% cycle x 'c' %}{% endfor %}", "0c2c"),
        ("{% for x in four %}{% cycle missing 'c' %}{% endfor %}", "cc"),
        ("{% for x in four %}{% cycle unsafe '<c>' %}{% endfor %}", "&lt;u&gt;<c>&lt;u&gt;<c>"),
        ("{% cycle 'a' 'b' as c %}{% cycle c %}{% cycle c %}", "aba"),
        ("{% cycle 'a' 'b' as c %}{{ c }}{% cycle c %}{{ c }}", "aabb"),
        ("{% cycle 'a' 'b' as c silent %}{{ c }}{% cycle c %}{{ c }}", "ab"),
        ("{% cycle 'a' 'b' as c silent %}{% cycle c %}{% cycle c %}{{ c }}", "a"),
        ("{% cycle one two as c %}{% cycle c %}", "12"),
        ("{% cycle unsafe two as c %}{{ c }}", "&lt;u&gt;&lt;u&gt;"),
        ("{% for x in four %}{% cycle 'a' 'b' as c %}{{ c }}{% endfor %}[{{ c }}]", "aabbaabb[]"),
        ("{% for x in four %}{% cycle 'a' 'b' as c silent %}{{ c }}{% endfor %}", "abab"),
        (
            "{% for x in 'xy' %}{% for y in 'pqr' %}{% cycle 'a' 'b' %}{% endfor %},{% endfor %}",
            "aba,bab,",
        ),
        (
            "{% for x in 'xy' %}{% for y in 'pqr' %}{% cycle 'a' 'b' %}{% endfor %}"
            "{% resetcycle %},"
            "{% endfor %}",
            "aba,aba,",
        ),
        ("{% cycle 'a' 'b' 'c' as abc %}{% resetcycle abc %}{% cycle abc %}", "aa"),
        (
            "{% cycle 'a' 'b' as ab %}{% cycle 1 2 3 as n %}{% cycle ab %}{% cycle n %}"
            "{% resetcycle ab %}{% cycle ab %}{% cycle n %}",
            "a1b2a3",
        ),
        ("{% if missing %}{% cycle 'a' 'b' as c %}{% endif %}{{ c }}-", "-"),
        ("{% for x in four %}{% if x %}{% cycle 'a' 'b' %}{% endif %}{% endfor %}", "aba"),
        ("{% for x in four %}{% cycle 'a' 'a' 'b' %}{% endfor %}", "aaba"),
        ("{% autoescape off %}{% cycle unsafe 'b' as c %}{{ c }}{% endautoescape %}", "<u><u>"),
        ("{% for x in four %}{% cycle d.key d.call %}{% endfor %}", "vcvc"),
    ],
)
def test_cycle(render, source, output):
    context = {
        "four": [0, 1, 2, 3],
        "one": 1,
        "two": 2,
        "unsafe": "<u>",
        "d": {"key": "v", "call": lambda: "c"},
    }
    assert render(source, context) == output


def test_the_position_is_the_renders_own(render):
    """Each render begins anew, and a template included anew does as well."""
    templates = {"part": "{% cycle 'a' 'b' %}{% cycle 'c' 'd' as n %}{% cycle n %}"}
    source = "{% for x in 'xyz' %}{% include 'part' %},{% endfor %}"
    assert render(source, templates=templates) == "acd,acd,acd,"


def test_in_blocks(render):
    templates = {
        "base": "{% for x in 'xyz' %}{% block b %}{% cycle 1 2 %}{% endblock %}{% endfor %}"
    }
    assert render("{% extends 'base' %}", templates=templates) == "121"
    source = "{% extends 'base' %}{% block b %}{% cycle 'a' 'b' %}{{ block.super }}{% endblock %}"
    assert render(source, templates=templates) == "a1b2a1"


def test_in_a_foreign_tag(render):
    source = "{% load native %}{% wrap 3 %}{% cycle 'a' 'b' as c %}{{ c }}{% endwrap %}[{{ c }}]"
    libraries = {"native": "tests.tags.native_tags"}
    assert render(source, libraries=libraries, waits=1) == "<aa><bb><aa>[]"


def test_a_value_that_raises(render):
    def fail():
        raise ZeroDivisionError("in cycle")

    source = "{% for x in 'ab' %}{% cycle 'a' fail %}{% endfor %}"
    with pytest.raises(ZeroDivisionError, match="in cycle"):
        render(source, {"fail": fail})


def test_awaitables(render):
    async def value(n):
        return n

    source = "{% for x in 'abc' %}{% cycle one two as c %}{{ c }}{% endfor %}"
    context = lambda: {"one": value("<1>"), "two": value(2)}  # noqa: E731
    output = "&lt;1&gt;&lt;1&gt;22&lt;1&gt;&lt;1&gt;"
    assert render(source, context, stock={"one": "<1>", "two": 2}, waits=2) == output


@pytest.mark.parametrize(
    "source",
    [
        "{% with c='x' %}{% for x in four %}{% cycle 'a' 'b' as c %}{{ c }}{% endfor %}[{{ c }}]"
        "{% endwith %}{{ c }}",
        "{% for x in four %}{% with c='x' %}{% for y in two %}{% cycle 'a' 'b' as c %}{{ c }}"
        "{{ forloop.counter }}{{ forloop.parentloop.counter }}{% endfor %}[{{ c }}]{% endwith %}"
        "{{ c }}{% endfor %}",
        "{% for x, y in pairs %}{% cycle 'a' 'b' as c %}{{ c }}{{ x }}{{ forloop.last }}"
        "{% endfor %}[{{ c }}]",
        "{% for x in four %}{% cycle 'a' 'b' as forloop %}{{ forloop }}{{ forloop.counter }}"
        "{% endfor %}{{ forloop }}",
        "{% for x in four %}{% cycle 'a' 'b' as x %}{{ x }}{{ forloop.counter }}{% endfor %}",
        "{% for x in four %}{% cycle 'a<' '\"' as c silent %}{{ c }}{{ c|length }}"
        "{% include 'part' %}{% endfor %}[{{ c }}]",
        "{% for x in four %}{% include 'cycle' %}{% if x %}{% cycle 'p' 'q' %}{% endif %}"
        "{% endfor %}[{{ c }}]",
        "{% for x in four %}{% for y in two %}{% cycle 'a' 'b' 'c' %}{% endfor %}"
        "{% if x == 1 %}{% resetcycle %}{% endif %}{% endfor %}",
        "{% for x in two %}{% cycle 'a' 'b' %}{% endfor %}"
        "{% for x in four %}{% for y in two %}{% cycle 'a' x|add:y as c %}{% resetcycle c %}"
        "{% endfor %}{% cycle c %}{{ c }}{% endfor %}",
    ],
)
def test_what_loops_and_frames_see(render, source):
    """The oracle is stock."""
    context = {"four": [0, 1, 2, 3], "two": [7, 8], "pairs": [(1, 2), (3, 4)], "c": "mine"}
    templates = {
        "part": "({{ c }}{{ forloop.counter }})",
        "cycle": "{% cycle 'a' 'b' as c %}{{ c }}",
    }
    assert render(source, context, templates=templates)
    assert render(source, {**context, "c": ""}, templates=templates)
