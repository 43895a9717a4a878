"""Rows that arrive one by one: read as far as needed, closed, waited for in the right place."""

import asyncio
import threading
from contextlib import asynccontextmanager, suppress
from itertools import islice

import jinja2
import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import Group

from atemplates.jinja2 import state
from atemplates.runtime.policy import Policy


class Source:
    """An async generator that says how far it was read and whether it was closed."""

    def __init__(self, *rows, fail_at=None):
        self.rows = rows
        self.fail_at = fail_at
        self.read = 0
        self.closed = 0

    async def __call__(self):
        try:
            for number, row in enumerate(self.rows):
                await asyncio.sleep(0)
                if number == self.fail_at:
                    raise LookupError("half-way")
                self.read += 1
                yield row
        finally:
            self.closed += 1


class AsyncRows:
    """An async iterable that is not a generator."""

    def __init__(self, *rows):
        self.rows = list(rows)

    def __aiter__(self):
        return self

    async def __anext__(self):
        if not self.rows:
            raise StopAsyncIteration
        return self.rows.pop(0)


class Both:
    def __iter__(self):
        return iter(["sync"])

    def __aiter__(self):
        return AsyncRows("async")


ALL = [
    ("{% for x in s() %}{{ x }}{% else %}none{% endfor %}", "123"),
    (
        "{% for x in s() %}{{ loop.index }}{{ x }}{{ loop.last }}{% endfor %}",
        "11False22False33True",
    ),
    (
        "{% for x in s() %}{{ loop.length }}{{ loop.revindex }}{{ loop.revindex0 }}{% endfor %}",
        "332321310",
    ),
    ("{% for x in s() %}{{ loop.previtem }}{{ loop.nextitem }};{% endfor %}", "2;13;2;"),
    (
        "{% for x in s() %}{{ loop.first }}{{ loop.changed(x) }}{{ loop.cycle('a', 'b') }}"
        "{% endfor %}",
        "TrueTrueaFalseTruebFalseTruea",
    ),
    (
        "{% for x in s() if x is odd %}{{ loop.index }}{{ x }}{{ loop.last }}{% endfor %}",
        "11False23True",
    ),
    ("{% for x in s() if x is odd %}{{ x }}{% endfor %}", "13"),
    (
        "{% for x in s() %}{% for y in s() %}{{ x }}{{ y }} {% endfor %}{% endfor %}",
        "11 12 13 21 22 23 31 32 33 ",
    ),
    ("{{ s()|list }}", "[1, 2, 3]"),
    ("{{ s()|length }}{{ s()|count }}", "33"),
    ("{{ s()|first }}{{ s()|last }}", "13"),
    ("{{ s()|sum }}{{ s()|max }}{{ s()|min }}", "631"),
    ("{{ s()|join('-') }}", "1-2-3"),
    ("{{ s()|sort(reverse=true) }}", "[3, 2, 1]"),
    ("{{ s()|reverse|list }}", "[3, 2, 1]"),
    ("{{ s()|batch(2)|list }}{{ s()|slice(2)|list }}", "[[1, 2], [3]][[1, 2], [3]]"),
    ("{{ s()|unique|list }}", "[1, 2, 3]"),
    ("{{ s()|select('odd')|list }}{{ s()|reject('odd')|list }}", "[1, 3][2]"),
    ("{{ s()|map('string')|list }}", "['1', '2', '3']"),
    ("{{ s()|select('odd')|map('string')|join }}", "13"),
    ("{{ s()|tojson }}", "[1, 2, 3]"),
    ("{{ s()|random in [1, 2, 3] }}", "True"),
    ("{{ 2 in s() }}{{ 9 in s() }}{{ 9 not in s() }}{{ 2 is in s() }}", "TrueFalseTrueTrue"),
    ("{{ s()|groupby(0)|list|length if false else '' }}", ""),
    ("{{ (s()|select('odd')) is iterable }}", "True"),
    ("{% if s()|select('none') %}a{% endif %}", "a"),
]


@pytest.mark.parametrize(("source", "expected"), ALL)
async def test_async_rows(backend, source, expected):
    template = backend(autoescape=False).from_string(source)
    assert await template.render_async({"s": Source(1, 2, 3)}) == expected
    assert await template.render_async({"s": lambda: AsyncRows(1, 2, 3)}) == expected
    assert await sync_to_async(template.render)({"s": Source(1, 2, 3)}) == expected


def test_async_rows_without_a_loop(backend):
    for source, expected in ALL:
        template = backend(autoescape=False).from_string(source)
        assert template.render({"s": Source(1, 2, 3)}) == expected, source


async def test_what_is_both_is_async_on_the_loop(backend):
    template = backend().from_string("{% for x in b %}{{ x }}{% endfor %}")
    assert await template.render_async({"b": Both()}) == "async"
    assert await sync_to_async(template.render)({"b": Both()}) == "sync"


class TestClosing:
    @pytest.mark.parametrize(
        "source",
        [
            "{% for x in s %}{% break %}{% endfor %}",
            "{% for x in s %}{{ loop.index }}{% break %}{% endfor %}",
            "{% for x in s if x %}{{ loop.index }}{% break %}{% endfor %}",
            "{% for x in s|select('odd') %}{% break %}{% endfor %}",
            "{% for x in s|select('odd')|map('string') %}{{ loop.last }}{% break %}{% endfor %}",
            "{{ s|first }}",
            "{{ s|select|first }}",
            "{{ s|map('string')|first }}",
            "{{ 1 in s }}",
            "{{ 1 in s|select }}",
        ],
    )
    async def test_when_not_all_rows_are_needed(self, render, source):
        rows = Source(*range(1, 1000))
        await render(source, {"s": rows()})
        assert rows.closed == 1
        assert rows.read < 5

    @pytest.mark.parametrize(
        "source",
        [
            "{% for x in s %}{{ 1 // (x - 2) }}{% endfor %}",
            "{% for x in s %}{{ loop.index }}{{ 1 // (x - 2) }}{% endfor %}",
            "{% for x in s if 1 // (x - 2) %}{{ loop.index }}{% endfor %}",
            "{% for x in s|map('fail') %}{{ x }}{% endfor %}",
        ],
    )
    async def test_when_the_template_raises(self, backend, source):
        rows = Source(*range(1, 100))
        one = backend()
        one.env.filters["fail"] = lambda value: 1 // (value - 2)
        with pytest.raises(ZeroDivisionError):
            await one.from_string(source).render_async({"s": rows()})
        assert rows.closed == 1
        assert rows.read < 10

    @pytest.mark.parametrize("source", [each[0] for each in ALL if "random" not in each[0]])
    async def test_when_the_rows_raise(self, render, source):
        rows = Source(2, 4, 1, 3, 5, fail_at=1)
        raised = None
        try:
            await render(source, {"s": rows})
        except LookupError as error:
            raised = error
        assert rows.read <= 1 if raised is None else raised.args == ("half-way",)
        assert rows.closed in (1, 2, 3, 4) or rows.read == 0

    async def test_the_exception_of_the_body_wins(self, render):
        async def rows():
            try:
                yield 1
                yield 2
            finally:
                await asyncio.sleep(0)

        with pytest.raises(ZeroDivisionError):
            await render("{% for x in s %}{{ 1 // 0 }}{% endfor %}", {"s": rows()})

    async def test_a_resource_is_released_before_the_page_is_sent(self, render):
        released = []

        @asynccontextmanager
        async def resource():
            try:
                yield
            finally:
                await asyncio.sleep(0)
                released.append(True)

        async def rows():
            async with resource():
                for number in range(10):
                    yield number

        await render(
            "{% for x in s %}{% if x == 2 %}{% break %}{% endif %}{% endfor %}", {"s": rows()}
        )
        assert released == [True]


@pytest.mark.django_db
class TestGenerators:
    """A sync generator may query half-way, and cannot be asked twice."""

    @pytest.fixture(autouse=True)
    def groups(self, db):
        Group.objects.bulk_create(Group(name=name) for name in "abc")

    def names(self):
        yield "first"
        for group in Group.objects.order_by("name"):
            yield group.name

    @pytest.mark.parametrize(
        "source",
        [
            "{% for x in g %}{{ x }}{% endfor %}",
            "{% for x in g %}{{ x }}{{ loop.last }}{% endfor %}",
            "{{ g|join }}",
            "{{ g|list|length }}",
            "{{ g|map('upper')|join }}",
            "{{ g|select|list }}",
            "{{ 'c' in g }}",
            "{{ g|shout }}",
            "{{ joined(g) }}",
            "{% for x in g %}{% break %}{% endfor %}{% for x in g %}{{ x }}{% endfor %}",
            "{% for x in g %}{{ x }}{% if loop.index == 2 %}{% break %}{% endif %}{% endfor %}"
            "{{ g|join }}",
        ],
    )
    async def test_it_is_read_in_the_requests_thread(self, backend, source):
        one = backend(autoescape=False)
        one.env.filters["shout"] = lambda rows: "!".join(rows)
        template = one.from_string(source)

        def stock():
            return one.env.from_string(source).render(g=self.names(), joined="".join)

        expected = await sync_to_async(stock)()
        assert await template.render_async({"g": self.names(), "joined": "".join}) == expected
        output = await sync_to_async(template.render)({"g": self.names(), "joined": "".join})
        assert output == expected

    async def test_containers_are_read_on_the_loop(self, render, monkeypatch):
        monkeypatch.setattr(state, "PLACEMENT", Policy(trusted_after=0))
        threads = set()

        class Row:
            def __str__(self):
                threads.add(threading.current_thread())
                return "x"

        rows = [Row(), Row()]
        values = {"a": iter(rows), "b": zip(rows, rows, strict=True), "c": reversed(rows)}
        source = (
            "{% for x in a %}{{ x }}{% endfor %}{% for x, y in b %}{{ y }}{% endfor %}"
            "{% for x in c %}{{ x }}{% endfor %}"
        )
        assert await render(source, values) == "xxxxxx"
        assert threads == {threading.current_thread()}


FILTERS = [
    "join(',', attribute='x')|length > 99",
    "join(',')|length > 1",
    "sort(attribute='x')|length",
    "sort|length",
    "groupby('x')|list|length",
    "groupby('x', default=1)|map('last')|map('first')|map('list')|list",
    "unique|list|length",
    "unique(attribute='x')|map('list')|list",
    "max(attribute='x')|list",
    "min(attribute='x')|list",
    "max|list",
    "sum(attribute='x')",
    "sum(attribute='x', start=0)",
    "sum(attribute=0, start=0)",
    "sum",
    "sum(start=[])",
    "map(attribute='x')|list|length",
    "map('list')|list",
    "map('first')|list",
    "map('sum')|list",
    "map('join', '-')|join",
    "map('length')|list",
    "map('last')|list",
    "selectattr('x')|list|length",
    "rejectattr('x')|map('list')|list",
    "select|map('list')|list",
    "first|list",
    "last|list",
    "reverse|map('list')|list",
    "list|length",
    "batch(2)|map('map', 'list')|map('list')|list",
    "slice(2)|map('map', 'list')|map('list')|list",
    "tojson",
    "string|length > 3",
    "length",
]


@pytest.mark.parametrize("filter_", FILTERS)
@pytest.mark.parametrize("rows", ["[g]", "[g, h]", "[g, 1]", "(g, g)", "[l|map('upper')]", "d"])
async def test_rows_that_are_read_row_by_row_themselves(same, filter_, rows):
    def context():
        g = (n for n in [1, 2])
        return {"g": g, "h": iter([3]), "l": ["a"], "d": [{"x": g}, {"x": 1}]}

    with suppress(TypeError, jinja2.UndefinedError):
        await same("{{ " + rows + "|" + filter_ + " }}", context)


class Endless:
    """Rows without an end; they raise when more are read than any filter has to read."""

    def __init__(self, most=200):
        self.most = most
        self.read = 0

    def __iter__(self):
        return self

    def __next__(self):
        self.read += 1
        if self.read > self.most:
            raise OverflowError("read too far")
        return self.read


def generated(rows):
    yield from rows


@pytest.mark.parametrize("kind", [Endless, lambda: generated(Endless())])
@pytest.mark.parametrize(
    "source",
    [
        "{{ g|length }}",
        "{{ g|count }}",
        "{{ g|last }}",
        "{{ g|random }}",
        "{{ g|tojson }}",
        "{{ g|items|list }}",
        "{{ g|dictsort }}",
        "{{ g|select|length }}",
        "{{ g|map('string')|last }}",
        "{{ g|map('string')|random }}",
        "{{ g|map('string')|select|count }}",
        "{{ g|map('string')|tojson }}",
        "{{ g|unique|length }}",
        "{{ g|batch(2)|last }}",
        "{{ g[0:2] }}",
        "{{ g + 1 }}",
        "{{ g < 1 }}",
        "{{ g|round }}",
        "{{ f(g) }}",
    ],
)
async def test_what_is_no_sequence_is_refused_before_it_is_read(same, source, kind):
    made = []

    def context():
        made.append(rows := kind())
        return {"g": rows, "f": len}

    with pytest.raises((TypeError, AttributeError)):
        await same(source, context)
    for rows in made:
        assert next(rows) == 1


@pytest.mark.parametrize("kind", [Endless, lambda: generated(Endless())])
@pytest.mark.parametrize(
    "source",
    [
        "{{ g|first }}{{ g|first }}{{ g|first }}",
        "{{ 3 in g }}{{ 5 in g }}{{ g|first }}",
        "{{ g|batch(3)|first }}{{ (g|batch(2, 'x')|first)|length }}",
        "{{ g|unique|first }}{{ g|map('string')|unique|first }}",
        "{{ g|select('even')|first }}{{ g|reject('lt', 9)|map('string')|first }}",
        "{{ g|unique|select('even')|batch(2)|map('sum')|first }}",
        "{% for x in g|batch(2) %}{{ x }}{% if loop.index == 3 %}{% break %}{% endif %}{% endfor %}",
        "{% for x in g|unique if x > 2 %}{{ x }}{% break %}{% endfor %}",
        "{% for x in g %}{{ x }}{{ loop.last }}{{ loop.nextitem }}{% break %}{% endfor %}",
        "{{ take(g) }}{{ take(g|map('string')) }}{{ g|select|batch(2)|take }}",
        "{{ zip(g, 'abc')|list }}",
        "{{ g is iterable }}{{ g is sequence }}{{ g is defined }}{{ g|first }}",
        "{% set a = g %}{{ a|first }}{{ g|first }}{% if g %}y{% endif %}{{ g|default('x')|first }}",
    ],
)
async def test_of_endless_rows_no_more_are_read_than_are_needed(backend, source, kind):
    one = backend()
    one.env.filters["take"] = take = lambda rows: list(islice(rows, 3))
    values = {"take": take, "zip": zip}
    expected = one.env.from_string(source).render(g=kind(), **values)
    template = one.from_string(source)
    assert await sync_to_async(lambda: template.render({"g": kind(), **values}))() == expected
    assert await template.render_async({"g": kind(), **values}) == expected


@pytest.mark.parametrize(
    "source", ["{{ g|reverse|list }}", "{{ g|map('string')|reverse|list }}", "{{ g|list|last }}"]
)
async def test_finite_rows(same, source):
    await same(source, lambda: {"g": generated([1, 2, 3])})


async def test_rows_are_not_used_up_by_what_refuses_them(render):
    def attempt(function, rows):
        with suppress(TypeError):
            function(rows)
        return ""

    source = "{% for f in filters %}{{ attempt(f, g) }}{% endfor %}{{ g|join }}"
    values = {"attempt": attempt, "filters": [len, reversed], "g": generated([1, 2])}
    assert await render(source, values) == "12"


async def test_an_error_after_the_rows_that_are_wanted(same, render):
    def failing():
        yield from [1, 2]
        raise LookupError("half-way")

    source = "{% for x in g %}{{ x }}{% if x == 2 %}{% break %}{% endif %}{% endfor %}"
    assert await same(source, lambda: {"g": failing()}) == "12"
    with pytest.raises(LookupError, match="half-way"):
        await same("{% for x in g %}{{ x }}{% endfor %}", lambda: {"g": failing()})
    rows = Source(1, 2, 3, 4, 5, fail_at=4)
    source = "{% for x in g() %}{{ x }}{% if x == 4 %}{% break %}{% endif %}{% endfor %}"
    assert await render(source, {"g": rows}) == "1234"
    assert rows.closed
