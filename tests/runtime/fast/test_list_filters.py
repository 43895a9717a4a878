"""Filters over lists, with Django's results: every filter, many values, arguments, both settings."""

import asyncio
import datetime
import itertools
import random
from decimal import Decimal
from typing import Any

import pytest
from django.template import defaultfilters
from django.utils.safestring import SafeString
from markupsafe import Markup

from atemplates.runtime.fast import list_filters
from tests.runtime.fast.comparing import arguments, check


class Text(str):
    """A subclass, which is left to Django."""

    __slots__ = ()


async def nothing() -> None:
    """A coroutine function."""


class Rows(list[Any]):
    """A subclass, which is left to Django."""


ITEMS = ["a", "b & c", "<i>", "", "'", SafeString("<b>"), SafeString("x"), 5, -1.5, True, None]
STRANGE = [
    Decimal("1.50"),
    datetime.date(2024, 2, 29),
    b"x",
    Text("<"),
    Markup("<"),
    {"a": "<"},
    1j,
]
NESTED = [
    ["States", ["Kansas", ["Lawrence", "Topeka & <b>"], "Illinois"]],
    ["a", [], "b", ("c", SafeString("<i>"))],
    [["first"], "a"],
    ["a", ["b"], ["c"], "d"],
    ["a", [["b"]]],
    ["a", ["b", ["c", ["d", [5, None]]]], 6],
    (["a"],),
    ["a", ["b", Text("c")]],
    ["a", "b", ["c", {"x": 1}]],
]
chance = random.Random(13)
LISTS: list[Any] = [
    [],
    (),
    *([item] for item in ITEMS + STRANGE),
    *(chance.choices(ITEMS, k=size) for size in (2, 3, 4, 5) for _ in range(20)),
    *(tuple(chance.choices(ITEMS[:5], k=3)) for _ in range(20)),
    *(chance.choices(ITEMS + STRANGE, k=4) for _ in range(20)),
    [SafeString("<a>"), SafeString("b")],
    *NESTED,
]
OTHERS: list[Any] = [
    *(
        "",
        "a",
        "<abc>",
        SafeString(""),
        SafeString("<abc>"),
        Text("abc"),
        "ab\N{COMBINING ACUTE ACCENT}",
    ),
    *({}, {"a": 1}, {0: "zero"}, set(), {1, 2}, frozenset("x"), range(0), range(3), b"", b"abc"),
    *(None, 0, 5, 1.5, True, datetime.date(2024, 2, 29), Rows("ab")),
]
VALUES = LISTS + OTHERS
NO_ARGUMENT = ["first", "last", "length", "safeseq", "escapeseq", "unordered_list"]
FUNCTIONS = defaultfilters.register.filters
CASES: dict[str, list[Any]] = {
    "join": arguments(", ", "", "<br>", "&", "x", 5, None, Text("-")),
    "slice": arguments(
        ":2",
        "1:",
        "::2",
        "-2:",
        ":",
        "",
        "a",
        "1:2:3:4",
        "::0",
        "5:2",
        " 1: ",
        "1",
        "²",
        1,
        0,
        None,
        2.0,
    ),
}


def path_of(name: str) -> Any:
    return list_filters.LIST_PATHS[FUNCTIONS[name]]


@pytest.mark.parametrize("autoescape", [True, False])
@pytest.mark.parametrize("name", NO_ARGUMENT)
def test_without_arguments(name, autoescape):
    answered = [
        check(FUNCTIONS[name], path_of(name), value, autoescape=autoescape) for value in VALUES
    ]
    assert sum(answered) > 30


@pytest.mark.parametrize("autoescape", [True, False])
@pytest.mark.parametrize("name", sorted(CASES))
def test_with_arguments(name, autoescape):
    answered = [
        check(FUNCTIONS[name], path_of(name), value, arg, autoescape=autoescape)
        for value, arg in itertools.product(VALUES, CASES[name])
    ]
    assert sum(answered) > 200


ROWS: list[Any] = [
    {"name": "b", "x": 1, "_p": 1, 0: "z", "nan": 1},
    {"name": "a", "x": 2, "_p": 2, 0: "y", "nan": 0},
    {"name": "c", "x": 1, "_p": 0, 0: "x", "nan": 2},
    {"name": SafeString("b"), "x": None},
    {"name": 5, "x": 1.5},
    {"other": 1},
    {"name": ["a"], "x": {}},
    {"name": Text("d"), "x": True},
    "ba", "ab", SafeString("aa"), "", ["b", 1], ["a", 2], ("c", 0), [], 5, None, {1}, Text("x"),
]  # fmt: skip


@pytest.mark.parametrize("name", ["dictsort", "dictsortreversed"])
def test_sorting(name):
    kinds = [ROWS[:3], ROWS[:4], ROWS[:5], ROWS[:3] + ROWS[7:8], ROWS[8:12], ROWS[12:15], ROWS]
    lists = [
        make(chance.choices(rows, k=size))
        for rows in kinds
        for size in (0, 1, 2, 3, 6)
        for make in (list, tuple, list)
    ]
    keys = arguments(
        "name",
        "x",
        "_p",
        "nan",
        "0",
        "name.x",
        "items",
        "keys",
        "",
        "two words",
        0,
        1,
        -1,
        None,
        0.0,
    )
    answered = [
        check(FUNCTIONS[name], path_of(name), value, key)
        for value, key in itertools.product(lists, keys)
    ]
    assert sum(answered) > 100


def test_sorting_is_stable_both_ways():
    rows = [{"x": chance.randrange(3), "id": number} for number in range(50)]
    for name in ("dictsort", "dictsortreversed"):
        assert check(FUNCTIONS[name], path_of(name), rows, "x")


def test_chance_is_asked_once():
    for value in [v for v in VALUES if type(v) in list_filters.CUT]:
        random.seed(5)
        stock = defaultfilters.random(value)
        state = random.getstate()
        random.seed(5)
        ours = path_of("random").function(value)
        if ours is None:
            assert not list_filters.WRITTEN.issuperset(map(type, value)) or stock is None
            continue
        assert ours == stock
        assert type(ours) is (SafeString if type(value) is SafeString else type(stock))
        assert random.getstate() == state


def test_what_is_awaitable_is_left_alone():
    """It is awaited by what Django's filter is applied with."""
    waiting = nothing()
    task = asyncio.Future(loop=asyncio.new_event_loop())
    try:
        for item in (waiting, task):
            for name in (*NO_ARGUMENT, "random"):
                if name != "length":
                    assert (
                        path_of(name).function(
                            *[[item, item]], *([True] * path_of(name).autoescape)
                        )
                        is None
                    )
            assert path_of("join").function([item, "a"], True, ",") is None
            for name in ("dictsort", "dictsortreversed"):
                rows = [{"x": 1, "y": item}, {"x": 0, "y": {"deep": [item]}}]
                assert path_of(name).function(rows, "x") is None
            assert path_of("unordered_list").function(["a", [item]], True) is None
    finally:
        waiting.close()
        task.get_loop().close()


def test_a_list_that_holds_itself():
    rows: list[Any] = ["a"]
    rows.append(rows)
    assert path_of("unordered_list").function(rows, True) is None


def test_few_arguments_are_remembered():
    for number in range(3000):
        path_of("slice").function("abc", f":{number}")
    assert list_filters.read_slice.cache_info().currsize <= list_filters.MOST_CUTS


LOOP = """{% for row in rows %}{{ row.list|first }}{{ row.list|last }}{{ row.list|length }}
{{ row.list|join:sign }}{{ row.list|join:"<br>" }}{{ row.list|slice:":2" }}{{ row.list|slice:cut|first }}
{{ row.list|safeseq|join:"" }}{{ row.list|escapeseq|join:", " }}{{ row.list|unordered_list }}
{{ row.dicts|dictsort:"x"|length }}{% for one in row.dicts|dictsortreversed:"x" %}{{ one.x }}{% endfor %}
{% if row.list|length > 1 %}{{ row.text|slice:"1:" }}{{ row.text|first|upper }}{% endif %}
{% autoescape off %}{{ row.list|join:sign }}{{ row.list|unordered_list }}{% endautoescape %}
{% endfor %}{{ rows.0.list|first }}{{ rows.0.list|join:" & " }}{{ rows.0.list|length }}"""


def test_in_templates(render):
    rows = [
        {
            "list": [str(item) for item in value],
            "text": "<abc>",
            "dicts": [{"x": number} for number in (2, 1, 3)],
        }
        for value in LISTS[:20]
    ]
    render(LOOP, {"rows": rows, "sign": "<", "cut": "1:"})


def test_constant_slices_in_loops(render):
    cuts = "".join(
        f"{{{{ x|slice:{cut} }}}}|" for cut in ('":2"', '"::-1"', '"1:"', '"x"', "2", '""')
    )
    values = [*VALUES[:6], *NESTED[:3], *OTHERS, "<&>", ("a", SafeString("<b>"))]
    render(f"{{% for x in values %}}{cuts}{{% endfor %}}", {"values": values})
    off = f"{{% autoescape off %}}{{% for x in values %}}{cuts}{{% endfor %}}{{% endautoescape %}}"
    render(off, {"values": values})
