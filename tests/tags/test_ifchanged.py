"""``{% ifchanged %}``: what it compares, and where it remembers."""

import datetime

import pytest


@pytest.mark.parametrize(
    ("source", "context", "output"),
    [
        (
            "{% for n in num %}{% ifchanged %}{{ n }}{% endifchanged %}{% endfor %}",
            {"num": (1, 2, 3)},
            "123",
        ),
        (
            "{% for n in num %}{% ifchanged %}{{ n }}{% endifchanged %}{% endfor %}",
            {"num": (1, 1, 1)},
            "1",
        ),
        (
            "{% for n in num %}{% ifchanged %}{% endifchanged %}{{ n }}{% endfor %}",
            {"num": (1, 1)},
            "11",
        ),
        (
            "{% for n in num %}{% ifchanged n %}c{{ n }}{% else %}s{{ n }}"
            "{% endifchanged %}{% endfor %}",
            {"num": (1, 1, 2)},
            "c1s1c2",
        ),
        (
            "{% for n in num %}{% ifchanged n.0 n.1 %}c{% else %}-{% endifchanged %}{% endfor %}",
            {"num": ("aa", "aa", "ab", "bb", "bb")},
            "c-cc-",
        ),
        (
            "{% for n in num %}{% ifchanged n %}..{% endifchanged %}{{ n }}{% endfor %}",
            {"num": (None, None, 1)},
            "..NoneNone..1",
        ),
        (
            "{% for n in num %}{% ifchanged missing %}x{% endifchanged %}{{ n }}{% endfor %}",
            {"num": (1, 2)},
            "x12",
        ),
        (
            "{% for n in num %}{% ifchanged n|lower %}{{ n }}{% endifchanged %}{% endfor %}",
            {"num": ("A", "a", "b")},
            "Ab",
        ),
        (
            "{% for d in days %}{% ifchanged %}{{ d|date:'m' }}{% endifchanged %}"
            "{% ifchanged %}-{{ d.day }}{% endifchanged %},{% endfor %}",
            {
                "days": [
                    datetime.date(2020, 1, 1),
                    datetime.date(2020, 1, 2),
                    datetime.date(2020, 2, 2),
                ]
            },
            "01-1,-2,02,",
        ),
        (
            "{% for x in 'ab' %}{% for n in num %}{% ifchanged %}{{ n }}"
            "{% endifchanged %}{% endfor %}"
            ",{% endfor %}",
            {"num": (1, 1)},
            "1,1,",
        ),
        (
            "{% for n in num %}{% ifchanged n %}{% for x in n %}{% ifchanged x %}"
            "{{ x }}{% endifchanged %}"
            "{% endfor %}{% endifchanged %}{% endfor %}",
            {"num": ("aab", "aab", "abb")},
            "abab",
        ),
        (
            "{% for n in num %}{% if forloop.first %}{% else %}{% ifchanged n %}"
            "{{ n }}{% endifchanged %}"
            "{% endif %}{% endfor %}",
            {"num": (1, 1, 2)},
            "12",
        ),
        (
            "{% for n in num %}{% with m=n %}{% ifchanged m %}{{ m }}"
            "{% endifchanged %}{% endwith %}"
            "{% endfor %}",
            {"num": (1, 1, 2)},
            "12",
        ),
        (
            "{% for n in num %}{% ifchanged n %}{% cycle 'a' 'b' %}{% else %}-{% endifchanged %}"
            "{% endfor %}",
            {"num": (1, 1, 2, 3)},
            "a-ba",
        ),
        (
            "{% for n in num %}{% ifchanged n %}{{ n }}{% endifchanged %}"
            "{% ifchanged n %}{{ n }}{% endifchanged %}{% endfor %}",
            {"num": (1, 1)},
            "11",
        ),
        (
            "{% for n in num reversed %}{% ifchanged n %}{{ n }}{% endifchanged %}{% endfor %}",
            {"num": (1, 1, 2)},
            "21",
        ),
    ],
)
def test_in_loops(render, source, context, output):
    assert render(source, context) == output


def test_outside_of_loops(render):
    """What was seen is kept for one render of the template, so everything has changed."""
    assert render("{% ifchanged %}x{% endifchanged %}{% ifchanged a %}y{% endifchanged %}") == "xy"
    assert render("{% ifchanged %}{% endifchanged %}-") == "-"


def test_outside_of_loops_a_value_like_nothing(render):
    """The first comparison is with None, even if the output compared is empty."""
    assert render("{% ifchanged a %}y{% else %}n{% endifchanged %}", {"a": None}) == "y"


def test_in_an_include_in_a_loop(render):
    templates = {"part": "{% ifchanged n %}{{ n }}{% else %}-{% endifchanged %}"}
    source = "{% for n in num %}{% include 'part' %}{% endfor %}"
    # Stock remembers in the loop's dict; the included template's node is the same each time.
    assert render(source, {"num": (1, 1, 2)}, templates=templates) == "1-2"
    # Isolated, it does not see the loop, so it remembers nothing.
    source = "{% for n in num %}{% include 'part' with n=n only %}{% endfor %}"
    assert render(source, {"num": (1, 1, 2)}, templates=templates) == "112"


def test_in_a_block_in_a_loop(render):
    templates = {"base": "{% for n in num %}{% block b %}{% endblock %}{% endfor %}"}
    source = (
        "{% extends 'base' %}{% block b %}{% ifchanged n %}{{ n }}{% endifchanged %}{% endblock %}"
    )
    assert render(source, {"num": (1, 1, 2)}, templates=templates) == "12"


def test_in_the_empty_branch_it_belongs_to_the_outer_loop(render):
    source = (
        "{% for n in num %}{% for x in none %}{% empty %}{% ifchanged n %}{{ n }}{% endifchanged %}"
        "{% endfor %}{% endfor %}"
    )
    assert render(source, {"num": (1, 1, 2)}) == "12"


def test_in_a_foreign_tag_in_a_loop(render):
    source = (
        "{% load native %}{% for n in num %}{% wrap 1 %}{% ifchanged n %}{{ n }}{% endifchanged %}"
        "{% endwrap %}{% endfor %}"
    )
    libraries = {"native": "tests.tags.native_tags"}
    output = render(source, {"num": (1, 1, 2)}, libraries=libraries, waits=3, hops=1)
    assert output == "<1><><2>"


def test_a_loop_variable_called_forloop(render):
    source = "{% for forloop in num %}{% ifchanged %}x{% endifchanged %}{% endfor %}"
    assert render(source, lambda: {"num": [{}, {}]}) == "xx"
    with pytest.raises(AttributeError, match="'str' object has no attribute 'setdefault'"):
        render(source, {"num": "a"})


def test_with_autoescape_and_safe_text(render):
    source = "{% for n in num %}{% ifchanged %}{{ n }}{% endifchanged %}{% endfor %}"
    assert render(source, {"num": ["<", "<", ">"]}) == "&lt;&gt;"
    assert render(source, {"num": ["<", "<", ">"]}, autoescape=False) == "<>"


def test_an_unequal_value(render):
    """A value that is not even equal to itself changes each time, unless it is the very same."""

    class Odd:
        def __eq__(self, other):
            return False

        __hash__ = None

    source = "{% for n in num %}{% ifchanged n %}x{% else %}-{% endifchanged %}{% endfor %}"
    odd = Odd()
    assert render(source, {"num": [odd, odd]}) == "x-"
    assert render(source, {"num": [Odd(), Odd()]}) == "xx"


def test_an_awaitable(render):
    async def value(n):
        return n

    source = "{% for n in num %}{% ifchanged n %}{{ n }}{% endifchanged %}{% endfor %}"
    context = lambda: {"num": [value(1), value(1), value(2)]}  # noqa: E731
    assert render(source, context, stock={"num": [1, 1, 2]}, waits=3) == "12"


@pytest.mark.parametrize(
    "body",
    [
        "{% ifchanged n %}c{% else %}-{% endifchanged %}",
        "{% ifchanged n n %}c{% else %}-{% endifchanged %}",
        "{% ifchanged n 1 %}c{% else %}-{% endifchanged %}{{ forloop.counter }}",
        "{% ifchanged n %}c{% endifchanged %}{% with f=forloop %}{{ f.last }}{% endwith %}",
        "{% for m in 'aab' %}{% ifchanged m %}{{ m }}{% endifchanged %}"
        "{% ifchanged n %}c{% else %}-{% endifchanged %}{{ forloop.parentloop.last }}{% endfor %}",
        "{% for m in 'aab' %}{% with f=forloop.parentloop %}{% ifchanged m %}{{ f.counter }}"
        "{% endifchanged %}{% endwith %}{% endfor %}{% ifchanged n %}c{% endifchanged %}",
        "{% ifchanged n %}{% ifchanged %}{{ n }}{% endifchanged %}{% include 'part' %}"
        "{% endifchanged %}",
        "{% ifchanged %}{{ n }}{% endifchanged %}{% ifchanged %}{{ n }}{% endifchanged %}",
    ],
)
def test_values_of_many_types(render, body):
    """The oracle is stock: what is compared without code of others, and what is not."""

    class Text(str):
        __slots__ = ()

        def __ne__(self, other):
            return True

        __hash__ = str.__hash__

    nan = float("nan")
    values = [None, None, 1, 1.0, True, nan, nan, float("nan"), "a", Text("a"), Text("a"), "a", 0]
    values += [[1], [1], (1,), b"a", b"a", {"a": 1}, {"a": 1}, "", None]
    source = f"{{% for n in num %}}{body},{{% endfor %}}{{% for n in num %}}{body}{{% endfor %}}"
    assert render(
        source, {"num": values}, templates={"part": "{% ifchanged n %}p{% endifchanged %}"}
    )
