"""Loops give the same in all modes, over everything that can be looped over."""

import pytest


class Sized:
    def __init__(self, *items):
        self.items = items

    def __iter__(self):
        return iter(self.items)

    def __len__(self):
        return len(self.items)


class Endless:
    """Can be read again and again, and has no length."""

    def __iter__(self):
        number = 0
        while True:
            yield number
            number += 1


class Old:
    """The protocol from before ``__iter__``."""

    def __getitem__(self, index):
        if index > 2:
            raise IndexError
        return "abc"[index]


def sources():
    yield "list", lambda: [1, 2, 3]
    yield "tuple", lambda: (1, 2, 3)
    yield "empty", list
    yield "one", lambda: [7]
    yield "text", lambda: "aäb"
    yield "range", lambda: range(4)
    yield "dict", lambda: {"a": 1, "b": 2}
    yield "items", lambda: {"a": 1, "b": 2}.items()
    yield "set", lambda: {5}
    yield "iterator", lambda: iter([1, 2, 3])
    yield "reversed", lambda: reversed([1, 2, 3])
    yield "generator", lambda: (number * 2 for number in range(5))
    yield "zip", lambda: zip([1, 2], "ab", strict=True)
    yield "enumerate", lambda: enumerate("ab")
    yield "map", lambda: map(str, [1, 2])
    yield "sized", lambda: Sized(1, 2, 3)
    yield "old", Old


each_source = pytest.mark.parametrize(
    "source", [each[1] for each in sources()], ids=[each[0] for each in sources()]
)

LOOP = """{% for x in xs %}{{ loop.index }}/{{ loop.index0 }} {{ x }}
{{- "first" if loop.first }}{{ "last" if loop.last }} {{ loop.length }} {{ loop.revindex }}
{{- loop.revindex0 }} {{ loop.cycle("a", "b") }} {{ loop.changed(x) }} {{ loop.depth }}
{{- loop.previtem }} {{ loop.nextitem }} {{ loop.previtem is defined }}
{{- loop.nextitem is defined }}
;{% else %}nothing{% endfor %}"""


@each_source
async def test_every_attribute(same, source):
    await same(LOOP, lambda: {"xs": source()})


@each_source
@pytest.mark.parametrize(
    "template",
    [
        "{% for x in xs %}{{ x }},{% else %}nothing{% endfor %}",
        "{% for x in xs if x %}{{ x }},{% else %}nothing{% endfor %}",
        "{% for x in xs if x %}{{ loop.index }}:{{ x }},{% else %}nothing{% endfor %}",
        "{% for x in xs if x != 2 %}{{ x }}{{ loop.last }}{{ loop.length }}{% endfor %}",
        "{% for x in xs %}{% if loop.index == 2 %}{% break %}{% endif %}{{ x }}{% endfor %}",
        "{% for x in xs %}{% if loop.index == 2 %}{% continue %}{% endif %}{{ x }}{% endfor %}",
        "{% for x in xs %}{% if x == 2 %}{% break %}{% endif %}{{ x }}{% else %}e{% endfor %}",
        "{% for x in xs %}{% if x == 2 %}{% continue %}{% endif %}{{ x }}{% endfor %}",
        "{% for x in xs %}{% for y in xs %}{{ x }}{{ y }}{{ loop.index }}{% endfor %}{% endfor %}",
        "{% for x in xs %}{% break %}{% endfor %}{% for x in xs %}{{ x }}{% endfor %}",
        "{% for x in xs %}{% break %}{% endfor %}{{ xs|first }}",
        "{% set ns = namespace(found=false) %}{% for x in xs if not ns.found %}{{ x }}"
        "{% set ns.found = true %}{% endfor %}",
        "{% set ns = namespace(n=0) %}{% for x in xs if ns.n < 2 %}{{ loop.index }}{{ x }}"
        "{% set ns.n = ns.n + 1 %}{% endfor %}",
    ],
)
async def test_shapes(same, source, template):
    await same(template, lambda: {"xs": source()})


@pytest.mark.parametrize(
    "template",
    [
        "{% for x in xs %}{% if x == 3 %}{% break %}{% endif %}{{ x }}{% endfor %}",
        "{% for x in xs %}{% if loop.index == 3 %}{% break %}{% endif %}{{ x }}{% endfor %}",
        "{% for x in xs if x is odd %}{% if loop.index == 3 %}{% break %}{% endif %}{{ x }}"
        "{% endfor %}",
        "{% for x in xs|select('odd') %}{% if x > 5 %}{% break %}{% endif %}{{ x }}{% endfor %}",
        "{{ xs|select('odd')|map('string')|first }}",
        "{{ xs|first }}",
        "{{ 3 in xs }}",
    ],
)
async def test_a_source_without_an_end(same, template):
    await same(template, lambda: {"xs": Endless()})


@pytest.mark.parametrize("value", [None, 5, 1.5, True, object()])
async def test_what_cannot_be_iterated_raises_the_same(same, value):
    for template in (
        "{% for x in v %}{% endfor %}",
        "{% for x in v %}{{ loop.index }}{% endfor %}",
    ):
        with pytest.raises(TypeError, match="is not iterable"):
            await same(template, {"v": value})


async def test_tuple_targets(same):
    await same(
        "{% for a, (b, c) in xs %}{{ a }}{{ b }}{{ c }}{{ loop.index }}{% endfor %}"
        "{% for k, v in d.items() %}{{ k }}{{ v }}{% endfor %}"
        "{% for a, b in pairs if b %}{{ a }}{% endfor %}",
        {"xs": [(1, (2, 3))], "d": {"x": 1}, "pairs": [(1, 0), (2, 1)]},
        expected="1231x12",
    )


@pytest.mark.parametrize("pair", [[1], [1, 2, 3], 5])
async def test_a_row_that_does_not_unpack(same, pair):
    with pytest.raises((ValueError, TypeError)):
        await same("{% for a, b in xs %}{% endfor %}", {"xs": [pair]})


TREE = [{"n": 1, "kids": [{"n": 2, "kids": []}, {"n": 3, "kids": [{"n": 4, "kids": []}]}]}]


@pytest.mark.parametrize(
    "template",
    [
        "{% for x in t recursive %}[{{ x.n }}{{ loop.depth }}{{ loop.index }}{{ loop.last }}"
        "{{ loop(x.kids) }}]{% endfor %}",
        "{% for x in t recursive %}<{{ x.n }}{% if x.kids %}{{ loop(x.kids) }}{% endif %}>"
        "{% else %}none{% endfor %}",
        "{% for x in t if x.n != 2 recursive %}{{ x.n }}{{ loop(x.kids) }}{% endfor %}",
    ],
)
@pytest.mark.parametrize("autoescape", [True, False])
async def test_recursive(same, template, autoescape):
    await same(template, {"t": TREE}, autoescape=autoescape)


async def test_recursion_without_the_marker(same):
    with pytest.raises(TypeError, match="recursive"):
        await same("{% for x in t %}{{ loop(x.kids) }}{% endfor %}", {"t": TREE})


async def test_the_list_may_grow_while_it_is_looped_over(same):
    template = (
        "{% for x in xs %}{{ x }}{% if x < 3 %}{% do xs.append(x + 1) %}{% endif %}{% endfor %}"
    )
    await same(template, lambda: {"xs": [1]}, expected="123")


async def test_scopes(same):
    await same(
        "{% set x = 'out' %}{% for x in xs %}{% set y = x %}{{ y }}{% endfor %}{{ x }}{{ y }}"
        "{% for a in xs %}{% set outer = loop %}{% for b in xs %}{{ outer.index }}{{ loop.index }}"
        "{% endfor %}{% endfor %}",
        {"xs": [1, 2]},
        expected="12out11122122",
    )


async def test_what_a_condition_sees(same):
    await same(
        "{% set x = 9 %}{% for a in xs if a != skip and a != x %}{% set skip = 1 %}{{ a }}"
        "{{ loop.index }}{% endfor %}"
        "{% for a in xs if a != skip %}{% set skip = 1 %}{{ a }}{% endfor %}",
        {"xs": [1, 2, 3], "skip": 2},
        expected="113213",
    )


@pytest.mark.parametrize("depth", [5, 6, 13, 18])
async def test_deeply_nested(same, depth):
    names = [f"x{number}" for number in range(depth)]
    source = "".join(f"{{% for {name} in [1, 2][:1] %}}" for name in names)
    source += "{% set z = 1 %}{{ " + " + ".join(names) + " }}{{ loop.index }}{% break %}"
    source += "{% endfor %}" * depth
    await same(source, expected=f"{depth}1")


async def test_loop_variable_in_a_macro_of_the_body(same):
    await same(
        "{% for x in [1, 2] %}{% macro m() %}{{ x }}{{ loop.index }}{% endmacro %}{{ m() }}"
        "{% endfor %}"
    )


async def test_cycle_needs_arguments(same):
    with pytest.raises(TypeError, match="no items for cycling given"):
        await same("{% for x in [1] %}{{ loop.cycle() }}{% endfor %}")


async def test_the_loop_cannot_be_assigned(same):
    import jinja2

    for source in ("{% for loop in [1] %}{% endfor %}",):
        with pytest.raises(jinja2.TemplateAssertionError):
            await same(source)
