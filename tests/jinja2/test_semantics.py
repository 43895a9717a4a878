"""What stock Jinja2's async mode gets wrong or cannot do, over every kind of rows and tests."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial

import jinja2
import jinja2.sandbox
import pytest
from asgiref.sync import sync_to_async
from django.template import TemplateSyntaxError

from tests.testapp.models import Animal

from .conftest import make_backend
from .test_awaiting import CASES as AWAITING
from .test_awaiting import context, environment

SANDBOX = f"{__name__}.sandboxed"


def sandboxed(**options):
    made = jinja2.sandbox.ImmutableSandboxedEnvironment(**options)
    plain = environment()
    made.filters.update({name: plain.filters[name] for name in ("shout", "partly")})
    made.tests["long"] = plain.tests["long"]
    made.globals["fetch"] = plain.globals["fetch"]
    return made


@pytest.mark.parametrize(("source", "expected"), AWAITING)
async def test_awaitables_in_a_sandbox(source, expected):
    template = make_backend(environment=SANDBOX, autoescape=True).from_string(source)
    assert await template.render_async(context()) == expected
    assert await sync_to_async(template.render)(context()) == expected


class AsyncTest:
    """A callable object whose call is a coroutine."""

    async def __call__(self, value, least=2):
        return value >= least


class Verdict:
    """Something to await that is no coroutine."""

    def __init__(self, verdict):
        self.verdict = verdict

    def __await__(self):
        yield from asyncio.sleep(0).__await__()
        return self.verdict


async def is_allowed(value, least=2):
    await asyncio.sleep(0)
    return value >= least


TESTS = {
    "coroutine function": is_allowed,
    "partial": partial(is_allowed),
    "callable object": AsyncTest(),
    "gives a coroutine": lambda value, *args: is_allowed(value, *args),
    "gives a task": lambda value, *args: asyncio.ensure_future(is_allowed(value, *args)),
    "gives an awaitable": lambda value, least=2: Verdict(value >= least),
    "with the context": jinja2.pass_context(lambda ctx, *args: is_allowed(*args)),
    "with the environment": jinja2.pass_environment(lambda env, *args: is_allowed(*args)),
}


class TestPermissions:
    """A test that has to be awaited decides about every row: none gets through undecided."""

    SOURCE = (
        "{{ xs|select('ok')|list }}{{ xs|reject('ok')|list }}{{ xs|select('ok', 3)|list }}"
        "{{ rows|selectattr('n', 'ok')|map(attribute='n')|list }}"
        "{{ rows|rejectattr('n', 'ok', 3)|map(attribute='n')|list }}"
        "{% for x in xs if x is ok %}{{ x }}{{ loop.index }}{{ loop.last }}{% endfor %}"
        "{% for x in xs|select('ok') %}{{ x }}{% endfor %}{{ 1 is ok }}{{ 1 is not ok }}"
        "{% if 1 is ok %}a{% elif 2 is ok %}b{% endif %}{{ xs|select('ok')|first }}"
        "{{ 1 in xs|select('ok') }}{{ xs|reject('ok')|select('ok')|list }}"
    )
    EXPECTED = "[2, 3][1][3][2, 3][1, 2]21False32True23FalseTrueb2False[]"

    @pytest.mark.parametrize("name", TESTS)
    @pytest.mark.parametrize("kind", ["jinja2.Environment", "jinja2.sandbox.SandboxedEnvironment"])
    async def test_select_and_its_relatives(self, name, kind):
        backend = make_backend(environment=kind)
        backend.env.tests["ok"] = TESTS[name]
        template = backend.from_string(self.SOURCE)

        async def rows():
            for number in (1, 2, 3):
                yield {"n": number}

        values = {"xs": [1, 2, 3], "rows": [{"n": 1}, {"n": 2}, {"n": 3}]}
        assert await template.render_async(values) == self.EXPECTED
        only_rows = backend.from_string("{{ rows|selectattr('n', 'ok')|map(attribute='n')|list }}")
        assert await only_rows.render_async({"rows": rows()}) == "[2, 3]"
        if "task" not in name:
            assert await sync_to_async(template.render)(values) == self.EXPECTED


@pytest.mark.django_db(databases=["default", "other"])
class TestAttributesOfRelations:
    """The filters that look up ``"a.b"``, over rows whose relations are not loaded."""

    @pytest.fixture(autouse=True)
    def filled(self, zoo):
        return zoo

    SOURCES = [
        "{{ rows|sum(attribute='species.pk') }}",
        "{{ rows|sum(attribute='species.pk', start=5) }}",
        "{{ rows|join(', ', attribute='species.name') }}",
        "{% for a in rows|sort(attribute='species.name,name') %}{{ a.name }}{% endfor %}",
        "{% for a in rows|sort(attribute='species.name', reverse=true) %}{{ a.species.name }}"
        "{% endfor %}",
        "{% for name, group in rows|groupby('species.name') %}{{ name }}{{ group|length }}"
        "{% endfor %}",
        "{{ (rows|min(attribute='species.name')).name }}",
        "{{ (rows|max(attribute='species.pk')).name }}",
        "{{ rows|map(attribute='species.name')|join(',') }}",
        "{{ rows|map(attribute='mother.name', default='-')|join(',') }}",
        "{{ rows|selectattr('mother.name')|map(attribute='name')|list }}",
        "{{ rows|selectattr('species.name', 'eq', 'lion')|map(attribute='name')|list }}",
        "{{ rows|rejectattr('mother.mother')|map(attribute='name')|list }}",
        "{{ rows|unique(attribute='species.name')|map(attribute='name')|list }}",
        "{{ rows|map(attribute='species')|map(attribute='region')|map(attribute='name')|list }}",
        "{% for a in rows|batch(2)|first %}{{ a.species.name }}{% endfor %}",
        "{% for a in rows|list|reverse %}{{ a.species.name }}{% endfor %}",
    ]

    @staticmethod
    def queryset():
        return Animal.objects.exclude(species__hidden=True).order_by("pk")

    @staticmethod
    async def generator():
        async for row in TestAttributesOfRelations.queryset():
            yield row

    KINDS = {
        "queryset": lambda rows: rows,
        "list": list,
        "tuple": tuple,
        "iterator": lambda rows: iter(list(rows)),
        "generator": lambda rows: (row for row in rows),
    }

    @pytest.mark.parametrize("kind", KINDS)
    @pytest.mark.parametrize("source", SOURCES)
    async def test_over_rows(self, source, kind):
        def values():
            return {"rows": self.KINDS[kind](self.queryset())}

        backend = make_backend()
        template, stock = backend.from_string(source), backend.env.from_string(source)
        expected = await sync_to_async(lambda: stock.render(values()))()
        assert await template.render_async(await sync_to_async(values)()) == expected
        assert await sync_to_async(lambda: template.render(values()))() == expected

    @pytest.mark.parametrize("source", SOURCES)
    async def test_over_an_async_generator(self, source):
        backend = make_backend()
        stock = backend.env.from_string(source)
        expected = await sync_to_async(lambda: stock.render(rows=self.queryset()))()
        assert (
            await backend.from_string(source).render_async({"rows": self.generator()}) == expected
        )


class Node:
    def __init__(self, name, *kids):
        self.name = name
        self.own = kids
        self.open = 0

    async def kids(self):
        self.open += 1
        try:
            for kid in self.own:
                await asyncio.sleep(0)
                yield kid
        finally:
            self.open -= 1

    async def list(self):
        return [*self.own]


TREE = Node("r", Node("a", Node("b"), Node("c")), Node("d"))
ROWS = [
    {"n": "a", "kids": [{"n": "b", "kids": []}, {"n": "c", "kids": []}]},
    {"n": "d", "kids": []},
]


@pytest.mark.parametrize(
    ("ours", "stock"),
    [
        (
            "{% for x in t.kids() recursive %}[{{ x.name }}{{ loop.depth }}{{ loop.index }}"
            "{{ loop.last }}{{ loop.length }}{{ loop(x.kids()) }}]{% else %}-{% endfor %}",
            "{% for x in rows recursive %}[{{ x.n }}{{ loop.depth }}{{ loop.index }}"
            "{{ loop.last }}{{ loop.length }}{{ loop(x.kids) }}]{% else %}-{% endfor %}",
        ),
        (
            "{% for x in t.list() recursive %}{{ x.name }}{{ loop.cycle(1, 2) }}{{ (loop.nextitem or x).name }}"
            "{{ (loop.previtem or x).name }}({{ loop(x.list()) }}){% endfor %}",
            "{% for x in rows recursive %}{{ x.n }}{{ loop.cycle(1, 2) }}{{ (loop.nextitem or x).n }}"
            "{{ (loop.previtem or x).n }}({{ loop(x.kids) }}){% endfor %}",
        ),
        (
            "{% for x in t.kids() if x.name != 'b' recursive %}{{ x.name }}{{ loop.changed(x.name) }}"
            "{{ loop.revindex }}{{ loop.revindex0 }}{{ loop.first }}{{ loop(x.kids()) }}{% endfor %}",
            "{% for x in rows if x.n != 'b' recursive %}{{ x.n }}{{ loop.changed(x.n) }}"
            "{{ loop.revindex }}{{ loop.revindex0 }}{{ loop.first }}{{ loop(x.kids) }}{% endfor %}",
        ),
    ],
)
async def test_recursive_loops_over_what_has_to_be_waited_for(backend, ours, stock):
    expected = jinja2.Environment().from_string(stock).render(rows=ROWS)
    template = backend().from_string(ours)
    assert await template.render_async({"t": TREE}) == expected
    assert await sync_to_async(template.render)({"t": TREE}) == expected
    assert TREE.open == 0


ERRORS = (jinja2.TemplateError, TemplateSyntaxError)


class TestEverythingIsClosed:
    """Also where several are open at once, and where the template ends in another place."""

    @pytest.mark.parametrize(
        "source",
        [
            "{% for x in rows() %}{% for y in rows() %}{% break %}{% endfor %}{% break %}{% endfor %}",
            "{% for x in rows() %}{% for y in rows() %}{{ 1 // 0 }}{% endfor %}{% endfor %}",
            "{% for x in rows() recursive %}{{ loop(rows()) if loop.depth < 3 }}{{ 1 // 0 }}{% endfor %}",
            "{% for x in rows() %}{% include 'bad' %}{% endfor %}",
            "{% for x in rows() %}{% block b scoped %}{{ 1 // 0 }}{% endblock %}{% endfor %}",
            "{% macro m() %}{{ caller() }}{% endmacro %}{% for x in rows() %}{% call m() %}"
            "{% for y in rows() %}{{ 1 // 0 }}{% endfor %}{% endcall %}{% endfor %}",
            "{% for x in rows() %}{{ wrong() }}{% endfor %}",
            "{% for x in rows() %}{{ x|wrong }}{% endfor %}",
            "{% for x in rows() if x is wrong %}{% endfor %}",
            "{% for x in rows()|map('wrong') %}{% endfor %}",
            "{{ rows()|map('wrong')|list }}",
            "{{ rows()|sum(attribute='x.y') }}",
            "{{ rows()|sort(attribute='bad') }}",
            "{% for x in rows() %}{{ missing.x }}{% endfor %}",
            "{% for x in rows() %}{% include 'gone' %}{% endfor %}",
            "{% for x in rows() %}{% include 'syntax' %}{% endfor %}",
            "{% for x, y in rows() %}{% endfor %}",
            "{% set x, y = rows()|map('string') %}",
            "{% for x in rows()|batch(2)|select|map('first') %}{% break %}{% endfor %}",
        ],
    )
    async def test_every_generator(self, backend, source):
        opened, closed = [], []

        async def rows():
            opened.append(True)
            try:
                for number in range(100):
                    await asyncio.sleep(0)
                    yield number
            finally:
                await asyncio.sleep(0)
                closed.append(True)

        async def wrong(*args):
            await asyncio.sleep(0)
            raise LookupError("of mine")

        one = backend({"bad": "{{ 1 // 0 }}", "syntax": "{% nonsense %}"})
        one.env.filters["wrong"] = one.env.tests["wrong"] = wrong
        template = one.from_string(source)
        with suppress(LookupError, ArithmeticError, TypeError, ValueError, *ERRORS):
            await template.render_async({"rows": rows, "wrong": wrong})
        assert opened
        assert len(closed) == len(opened)


class TestRenderInThreads:
    """One backend serves sync code in any thread, and the loop."""

    SOURCE = "{% macro m(v) %}<{{ v }}>{% endmacro %}{{ m(value) }}{% for x in rows() %}{{ x }}{% endfor %}"

    def values(self):
        async def value():
            await asyncio.sleep(0)
            return "&"

        async def rows():
            for row in (1, 2, 3):
                await asyncio.sleep(0)
                yield row

        return {"value": value(), "rows": rows}

    async def test_in_the_pool_of_a_running_loop(self, backend):
        template = backend(autoescape=True).from_string(self.SOURCE)
        loop = asyncio.get_running_loop()
        with ThreadPoolExecutor(4) as pool:
            tasks = [
                loop.run_in_executor(pool, lambda: template.render(self.values()))
                for _ in range(20)
            ]
            found = await asyncio.gather(
                *tasks, *(template.render_async(self.values()) for _ in range(20))
            )
        assert set(found) == {"<&amp;>123"}
        assert await asyncio.to_thread(template.render, self.values()) == "<&amp;>123"
        assert await sync_to_async(template.render)(self.values()) == "<&amp;>123"

    def test_in_sync_code(self, backend):
        template = backend(autoescape=True).from_string(self.SOURCE)
        assert template.render(self.values()) == "<&amp;>123"

    async def test_both_modes_see_what_is_configured(self, backend):
        one = backend({"inc": "{{ x|own }}{{ 1 is own }}{{ own }}"}, trim_blocks=True)
        template = one.from_string("{% include 'inc' %}\n.")
        one.env.filters["own"] = lambda value: f"f{value}"
        one.env.tests["own"] = lambda value: True
        one.env.globals["own"] = "g"
        expected = one.env.from_string("{% include 'inc' %}\n.").render(x=1)
        assert expected == "f1Trueg."
        assert await template.render_async({"x": 1}) == expected
        assert await sync_to_async(template.render)({"x": 1}) == expected


class TestUnpacking:
    """What is unpacked may have to be waited for, as a whole or in parts."""

    @staticmethod
    async def pair(first=1, second=2):
        await asyncio.sleep(0)
        return first, second

    @staticmethod
    async def rows(count=2):
        for number in range(1, count + 1):
            await asyncio.sleep(0)
            yield number

    @pytest.mark.parametrize(
        ("source", "expected"),
        [
            ("{% set a, b = pair() %}{{ a }}{{ b }}", "12"),
            ("{% set a, b = given %}{{ a }}{{ b }}", "12"),
            ("{% set a, b = flag[0:] %}{{ a }}{{ b }}", "xy"),
            ("{% with (a, b) = flag[0:] %}{{ a }}{{ b }}{% endwith %}", "xy"),
            ("{% set a, b = rows() %}{{ a }}{{ b }}", "12"),
            ("{% set a, b = rows()|map('string') %}{{ a }}{{ b }}", "12"),
            ("{% with (a, b) = rows()|map('string') %}{{ a }}{{ b }}{% endwith %}", "12"),
            ("{% set a, b = [pair, rows]|map('called') %}{{ a[0] }}{{ b|list }}", "1[1, 2]"),
            ("{% for a, b in pairs() %}{{ a }}{{ b }}{% endfor %}", "1234"),
            ("{% for a, b in pairs() %}{{ loop.index }}{{ a }}{{ b }}{% endfor %}", "112234"),
            ("{% for a, b in pairs() if b > 2 %}{{ a }}{{ b }}{% endfor %}", "34"),
            ("{% for a, b in pairs() if b > 2 %}{{ loop.index }}{{ a }}{{ b }}{% endfor %}", "134"),
            (
                "{% for a, b in [rows(), rows()] if b %}{{ loop.last }}{{ a }}{% endfor %}",
                "False1True1",
            ),
            ("{% for a, b in [rows(), rows()] if b %}{{ a }}{{ b }}{% endfor %}", "1212"),
            ("{% for a, (b, c) in [(1, (2, 3))] %}{{ a }}{{ b }}{{ c }}{% endfor %}", "123"),
            ("{% for k, v in {'a': pair()}.items() %}{{ k }}{{ v[1] }}{% endfor %}", "a2"),
        ],
    )
    async def test_awaitables_and_async_rows(self, backend, source, expected):
        one = backend()
        one.env.filters["called"] = lambda function: function()
        template = one.from_string(source)

        def values():
            return {
                "pair": self.pair,
                "rows": self.rows,
                "pairs": lambda: [self.pair(), self.pair(3, 4)],
                "given": self.pair(),
                "flag": self.pair("x", "y"),
            }

        assert await template.render_async(values()) == expected
        assert await sync_to_async(lambda: template.render(values()))() == expected

    @pytest.mark.parametrize("count", [1, 3, 1000])
    async def test_the_wrong_number(self, render, count):
        for source in (
            "{% set a, b = rows %}",
            "{% for a, b in [rows] %}{% endfor %}",
            "{% for a, b in [rows] if a %}{{ loop.index }}{% endfor %}",
        ):
            rows = self.rows(count)
            with pytest.raises(ValueError, match="to unpack"):
                await render(source, {"rows": rows})
            assert rows.ag_frame is None  # closed

    @pytest.mark.parametrize("value", [1, None, "abc", {"a": 1, "b": 2}, {"a": 1}, [1, 2], {1}])
    async def test_what_is_at_hand(self, same, value):
        for source in (
            "{% set a, b = v %}{{ a }}{{ b }}",
            "{% for a, b in [v] %}{{ a }}{{ b }}{% endfor %}",
            "{% for a, b in [v] if a %}{{ loop.index }}{{ a }}{{ b }}{% endfor %}",
            "{% for a, b in [v] if a %}{{ a }}{{ b }}{% endfor %}",
        ):
            with suppress(ValueError, TypeError):  # compared with stock's
                await same(source, {"v": value})

    @pytest.mark.parametrize(
        "source",
        [
            "{% set a, b = g %}{{ a }}{{ b }}",
            "{% for a, b in [g] %}{{ a }}{{ b }}{% endfor %}",
            "{% for a, b in [g] if a %}{{ a }}{{ b }}{% endfor %}",
            "{% for a, b in [g] if a %}{{ loop.index }}{{ a }}{{ b }}{% endfor %}",
        ],
    )
    async def test_a_generator(self, same, source):
        await same(source, lambda: {"g": (number for number in (1, 2))})

    @pytest.mark.django_db(databases=["default", "other"])
    @pytest.mark.parametrize(
        "source",
        [
            "{% set a, b = qs[:2] %}{{ a.name }}{{ b.name }}",
            "{% for a, b in [qs[:2], qs[1:3]] %}{{ a.name }}{{ b.name }}{% endfor %}",
            "{% for a, b in [qs[:2]] if b.pk %}{{ a.name }}{{ loop.last }}{% endfor %}",
        ],
    )
    async def test_querysets(self, backend, zoo, source):
        one = backend()
        values = {"qs": Animal.objects.order_by("pk")}
        expected = await sync_to_async(one.env.from_string(source).render)(values)
        template = one.from_string(source)
        assert await template.render_async({"qs": Animal.objects.order_by("pk")}) == expected
        assert await sync_to_async(template.render)(values) == expected


class TestCompileTime:
    """What a site registers is not called by the compiler, but by each render."""

    async def test_filters_and_tests_of_a_site(self, backend):
        language = ["en"]
        one = backend()
        one.env.filters["localized"] = lambda value: f"{value} {language[0]}"
        one.env.tests["english"] = lambda value: language[0] == "en"
        template = one.from_string(
            "{{ 'x'|localized }}{{ 1 is english }}{{ ('x'|localized)|upper }}{{ 'a' ~ 1|localized }}"
        )
        assert await template.render_async() == "x enTrueX ENa1 en"
        language[0] = "de"
        assert await template.render_async() == "x deFalseX DEa1 de"
        assert await sync_to_async(template.render)() == "x deFalseX DEa1 de"

    async def test_finalize_that_has_to_be_awaited(self, backend):
        template = backend(environment=f"{__name__}.finalizing").from_string("a{{ 'b' }}{{ x }}")
        assert await template.render_async({"x": 1}) == "a(b)(1)"
        assert await sync_to_async(template.render)({"x": 1}) == "a(b)(1)"


def finalizing(**options):
    async def finalize(value):
        await asyncio.sleep(0)
        return f"({value})"

    return jinja2.Environment(finalize=finalize, **options)
