"""Every loop variable over every kind of rows gives what it gives in stock Jinja2, and ends."""

import asyncio
from functools import cache

import jinja2
import pytest

from atemplates.engines.jinja2.plans import use_plans
from tests.rendering import run_async
from tests.testapp.models import Animal
from tests.watchdog import Hung, watchdog

from .conftest import OPTIONS, outcome, run

pytestmark = pytest.mark.django_db(databases=["default", "other"])


@pytest.fixture(autouse=True)
def filled(zoo, no_collection_in_a_query):
    return zoo


class Sized:
    def __init__(self, *rows):
        self.rows = rows

    def __iter__(self):
        return iter(self.rows)

    def __len__(self):
        return len(self.rows)


class Unsized:
    """Can be read again, and has no length."""

    def __iter__(self):
        yield from "abc"


class Old:
    """The protocol from before ``__iter__``."""

    def __getitem__(self, index):
        return "abc"[index]


class Countdown:
    """An iterator of its own make."""

    def __init__(self):
        self.number = 3

    def __iter__(self):
        return self

    def __next__(self):
        if not self.number:
            raise StopIteration
        self.number -= 1
        return self.number


def read():
    rows = Animal.objects.order_by("pk")
    len(rows)
    return rows


def context():
    return {
        "l": [3, 1, 2],
        "one": [7],
        "empty": [],
        "tuple": (1, 2, 3),
        "text": "abc",
        "range_": range(4),
        "d": {"a": 1, "b": 2},
        "objects": [{"n": 2, "ok": True}, {"n": 1, "ok": False}, {"n": 3, "ok": True}],
        "sized": Sized(1, 2, 3),
        "unsized": Unsized(),
        "old": Old(),
        "countdown": Countdown(),
        "iterator": iter([1, 2, 3]),
        "generator": (number * 2 for number in range(1, 4)),
        "zipped": zip([1, 2], "ab", strict=True),
        "qs": Animal.objects.order_by("pk"),
        "read": read(),
        "names": Animal.objects.order_by("pk").values_list("name", flat=True),
    }


async def agenerator():
    for number in (2, 4, 6):
        yield number


class AsyncRows:
    async def __aiter__(self):
        for letter in "abc":
            yield letter


class Soon:
    """Something to await, which nobody has to."""

    def __init__(self, value):
        self.value = value

    def __await__(self):
        yield from asyncio.sleep(0).__await__()
        return self.value


WAITING = {
    "generator": agenerator,
    "l": lambda: [Soon(3), Soon(1), Soon(2)],
    "tuple": lambda: Soon((1, 2, 3)),
    "unsized": AsyncRows,
}


def waiting_context():
    """The same, where a wait can be: async iterables and awaitables."""
    return context() | {name: make() for name, make in WAITING.items()}


ROWS = [
    *("l", "one", "empty", "tuple", "text", "range_", "d", "d.items()", "d.values()", "sized"),
    *("unsized", "old", "countdown", "iterator", "generator", "zipped", "qs", "read", "names"),
    *("qs[:2]", "qs.all()", "qs.iterator()", "none_there"),
    *("l|map('string')", "l|select", "l|reject('odd')", "l|select('odd')", "one|map('string')"),
    *("empty|map('string')", "tuple|map('string')|select", "text|map('upper')", "d|map('upper')"),
    *("l|map('string')|map('int')|select|reject('none')", "l|select|select('odd')|map('string')"),
    *("objects|selectattr('ok')", "objects|rejectattr('ok')|map(attribute='n')"),
    *("objects|map(attribute='n')|select('odd')", "objects|map(attribute='n', default=4)"),
    *("generator|map('string')", "generator|select", "countdown|reject", "unsized|map('upper')"),
    *("old|select", "iterator|map('string')", "range_|select('odd')", "zipped|map('first')"),
    *("qs|map(attribute='name')", "qs|select", "qs|selectattr('mother')", "names|map('upper')"),
    *("qs|rejectattr('home')|map(attribute='name')", "qs|map(attribute='mother.name')|select"),
    *("qs.iterator()|map(attribute='home.name')", "read|map(attribute='home.name')|map('string')"),
    *("l|batch(2)", "l|slice(2)", "l|sort", "l|unique", "l|reverse", "l|list", "d|items"),
    *("objects|groupby('ok')", "l|map('string')|batch(2)", "l|map('string')|reverse"),
    *("l|map('string')|list", "l|select|sort|unique|map('string')", "d|dictsort|map('first')"),
]

VARIABLES = [
    *("index", "index0", "revindex", "revindex0", "first", "last", "length", "depth", "depth0"),
    *("previtem", "nextitem", "cycle('a', 'b')", "changed(x)"),
]

BODIES = [
    *(f"{{{{ loop.{variable} }}}}" for variable in VARIABLES),
    "{{ loop.length }}{{ loop.last }}{{ loop.nextitem }}{{ loop.revindex }}{{ loop.previtem }}",
    "{{ loop.last }}{{ loop.last }}{{ loop.nextitem }}{{ loop.length }}{{ loop.length }}",
    "{% if loop.index == 2 %}{{ loop.length }}{{ loop.nextitem }}{% endif %}{{ loop.last }}",
    "{% if not loop.last %}, {% endif %}{% if loop.changed(loop.first) %}c{% endif %}",
    "{% set outer = loop %}{% for y in 'ab' %}{{ outer.length }}{{ outer.last }}{% endfor %}",
    "{% for y in [3, 1]|select %}{{ loop.length }}{{ loop.revindex }}{% endfor %}{{ loop.length }}",
    "{% if loop.index == 2 %}{{ loop.length }}{% break %}{% endif %}",
    "{% if loop.first %}{% continue %}{% endif %}{{ loop.length }}{{ loop.previtem }}",
    "{{ show(loop) }}",
]

LOOPS = [
    *(
        f"{{% for x in rows %}}{{{{ x }}}}{body};{{% else %}}none{{% endfor %}}{{{{ rows|first }}}}"
        for body in BODIES
    ),
    *(
        f"{{% for x in rows if x %}}{body};{{% else %}}none{{% endfor %}}"
        for body in ("{{ loop.length }}", "{{ loop.last }}", "{{ loop.nextitem }}", BODIES[-1])
    ),
    "{% for x in [rows] recursive %}{% if loop.depth == 1 %}<{{ loop(x) }}>{% else %}"
    "{{ loop.length }}{{ loop.last }}{{ loop.nextitem }}{{ loop.depth }}{% endif %}{% endfor %}",
]

LIBRARY = "{% macro show(l) %}{{ l.length }}{{ l.last }}{{ l.revindex0 }}{% endmacro %}" + "".join(
    f"{{% macro loop_{number}(rows) %}}{source}{{% endmacro %}}"
    for number, source in enumerate(LOOPS)
)
"""Each loop is compiled once, and called with every kind of rows."""


@cache
def environments():
    """Stock's, ours for blocking, and ours for awaiting."""
    options = {**OPTIONS, "loader": jinja2.DictLoader({"library": LIBRARY})}
    plain, blocking = jinja2.Environment(**options), jinja2.Environment(**options)
    return plain, use_plans(blocking), use_plans(jinja2.Environment(enable_async=True, **options))


def watched(render, *args):
    with watchdog():
        return render(*args)


async def outcomes(template, contexts):
    """What a template gives on the loop, for each context."""
    return [await outcome(template.render_async, context) for context in contexts]


@pytest.mark.exhaustive
@pytest.mark.parametrize("rows", ROWS)
def test_every_variable_over_every_kind_of_rows(rows):
    source = f"{{% import 'library' as library %}}{{{{ library['loop_' ~ number]({rows}) }}}}"
    stock, blocking, waiting = (each.from_string(source) for each in environments())
    numbers = range(len(LOOPS))
    expected = [run(stock.render, lambda n=n: context() | {"number": n}) for n in numbers]
    for number in numbers:
        ours = watched(run, blocking.render, lambda n=number: context() | {"number": n})
        assert ours == expected[number], f"sync: {LOOPS[number]}"
    for make in (context, waiting_context):
        contexts = [make() | {"number": number} for number in numbers]
        found = watched(run_async, outcomes, waiting, contexts)
        for number in numbers:
            assert found[number] == expected[number], f"async: {LOOPS[number]}"


@pytest.mark.parametrize("variable", ["length", "revindex", "revindex0", "last", "nextitem"])
def test_rows_that_become_more(variable):
    """The length is what it was when it was asked first; what follows is what is there."""
    source = f"{{% for x in rows %}}{{{{ loop.{variable} }}}}{{% do grow(rows) %}},{{% endfor %}}"
    options = {"extensions": ["jinja2.ext.do"]}

    def values():
        return {"rows": [1, 2], "grow": lambda rows: len(rows) < 5 and rows.append(0)}

    expected = jinja2.Environment(**options).from_string(source).render(values())
    blocking = use_plans(jinja2.Environment(**options)).from_string(source)
    assert blocking.render(values()) == expected
    waiting = use_plans(jinja2.Environment(enable_async=True, **options)).from_string(source)
    assert run_async(waiting.render_async, values()) == expected


def test_the_watchdog_bites(monkeypatch):
    """What turns for ever is ended, on a loop of its own as well."""

    def turn(self):
        while True:
            pass

    from atemplates.jinja2.loops import LoopContext

    monkeypatch.setattr(LoopContext, "length", property(turn))
    _, blocking, waiting = environments()
    source = "{% for x in [1] %}{{ loop.length }}{% endfor %}"
    with pytest.raises(Hung), watchdog(0.1):
        blocking.from_string(source).render()
    with pytest.raises(Hung), watchdog(0.1):
        run_async(waiting.from_string(source).render_async)
