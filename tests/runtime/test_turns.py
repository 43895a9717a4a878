"""A plan that computes for long gives the event loop its turn, in both engines."""

import asyncio
import time
from itertools import pairwise

import jinja2
import jinja2.nativetypes
import pytest
from django.core.exceptions import ImproperlyConfigured
from django.template.backends.django import DjangoTemplates as StockTemplates
from django.utils import translation

from atemplates.engines.django import DjangoTemplates
from atemplates.engines.jinja2 import Jinja2
from atemplates.runtime import answers, turns
from atemplates.runtime.turns import ROUNDS_OF_A_TURN, ROWS_BETWEEN_LOOKS, LoopClock
from atemplates.runtime.waits import Kind
from tests.event_loop import turns as turns_of_loop
from tests.rendering import all_libraries

ENGINES = ("django", "jinja2")
ALWAYS = 1e-9
"""A limit that has passed whenever somebody looks."""
NEVER = 3600.0
MANY = 40 * ROWS_BETWEEN_LOOKS
LIBRARIES = {"turning": "tests.loop_turns"}


def make(engine, source, templates=None, **options):
    """Return a backend template."""
    templates = {**(templates or {}), "main": source}
    if engine == "django":
        loaders = [("django.template.loaders.locmem.Loader", templates)]
        loaders = [("django.template.loaders.cached.Loader", loaders)]
        options = {"loaders": loaders, "libraries": {**all_libraries(), **LIBRARIES}, **options}
        backend = DjangoTemplates({"NAME": "x", "DIRS": [], "APP_DIRS": False, "OPTIONS": options})
    else:
        options = {"loader": jinja2.DictLoader(templates), **options}
        backend = Jinja2({"NAME": "x", "DIRS": [], "APP_DIRS": False, "OPTIONS": options})
    return backend.get_template("main")


def stock(engine, source, context, templates=None):
    """Return what the stock engine makes of a template."""
    templates = {**(templates or {}), "main": source}
    if engine == "jinja2":
        extensions = ["jinja2.ext.loopcontrols"]
        environment = jinja2.Environment(
            loader=jinja2.DictLoader(templates), autoescape=True, extensions=extensions
        )
        return environment.get_template("main").render(context)
    loaders = [("django.template.loaders.locmem.Loader", templates)]
    options = {"loaders": loaders, "libraries": {**all_libraries(), **LIBRARIES}}
    params = {"NAME": "x", "DIRS": [], "APP_DIRS": False, "OPTIONS": options}
    return StockTemplates(params).get_template("main").render(context)


async def warm(template, context):
    """Render until the page knows that it belongs on the loop."""
    for _ in range(5):
        await template.render_async(context)


@pytest.fixture
def taken(monkeypatch):
    """Return a list that gets an item at each turn of the loop that a plan takes."""
    found = []
    give_turn = answers.ASYNC_ANSWERS[Kind.TURN]

    def noted(wait):
        found.append(wait)
        return give_turn(wait)

    monkeypatch.setitem(answers.ASYNC_ANSWERS, Kind.TURN, noted)
    return found


@pytest.fixture
def looks(monkeypatch):
    """Return a list that gets an item each time that somebody looks at the clock."""
    found = []
    is_due = LoopClock.is_due

    def noted(clock, ahead=0.0):
        found.append(clock)
        return is_due(clock, ahead)

    monkeypatch.setattr(LoopClock, "is_due", noted)
    return found


LOOPS = {
    "django": {
        "plain": "{% for n in numbers %}{{ n }},{% endfor %}",
        "counted": "{% for n in numbers %}{{ forloop.counter }}{{ forloop.last }}{{ n }},{% endfor %}",
        "reversed": "{% for n in numbers reversed %}{{ forloop.revcounter }}{{ n }},{% endfor %}",
        "pairs": "{% for a, b in pairs %}{{ a }}-{{ b }},{% endfor %}",
        "items": "{% for key, value in table.items %}{{ key }}={{ value }},{% endfor %}",
        "cycle": "{% for n in numbers %}{% cycle 'a' 'b' %}{% ifchanged n %}{{ n }}{% endifchanged %}"
        "{% endfor %}",
        "nested": "{% for group in groups %}{% for n in group %}{{ forloop.parentloop.counter }}"
        "{{ n }},{% endfor %}{% endfor %}",
        "included": "{% for group in groups %}{% include 'part' %}{% endfor %}",
        "captured": "{% filter upper %}{% for n in numbers %}n{{ n }}{% endfor %}{% endfilter %}",
        "spaceless": "{% spaceless %}{% for n in numbers %}<b>{{ n }}</b> {% endfor %}{% endspaceless %}",
        "with": "{% for n in numbers %}{% with m=n %}{{ m }}{% endwith %}{% endfor %}",
        "regrouped": "{% regroup records by kind as kinds %}{% for kind in kinds %}{{ kind.grouper }}:"
        "{% for each in kind.list %}{{ each.n }},{% endfor %}{% endfor %}",
    },
    "jinja2": {
        "plain": "{% for n in numbers %}{{ n }},{% endfor %}",
        "counted": "{% for n in numbers %}{{ loop.index }}{{ loop.last }}{{ loop.nextitem }}{{ n }},"
        "{% endfor %}",
        "reversed": "{% for n in numbers|reverse %}{{ n }},{% endfor %}",
        "pairs": "{% for a, b in pairs %}{{ a }}-{{ b }},{% endfor %}",
        "items": "{% for key, value in table.items() %}{{ key }}={{ value }},{% endfor %}",
        "table": "{% for key in table %}{{ key }}{% endfor %}",
        "filtered": "{% for n in numbers if n % 2 %}{{ n }},{% else %}none{% endfor %}",
        "filtered and counted": "{% for n in numbers if n % 2 %}{{ loop.index }}{{ n }},{% endfor %}",
        "mapped": "{% for n in numbers|map('abs') %}{{ n }},{% endfor %}",
        "mapped and counted": "{% for n in numbers|map('abs') %}{{ loop.index }}{{ n }},{% endfor %}",
        "nested": "{% for group in groups %}{% for n in group %}{{ n }},{% endfor %}{% endfor %}",
        "included": "{% for group in groups %}{% include 'part' %}{% endfor %}",
        "macro": "{% macro show(group) %}{% for n in group %}{{ n }},{% endfor %}{% endmacro %}"
        "{% for group in groups %}{{ show(group) }}{% endfor %}",
        "call": "{% macro show(group) %}{% for n in group %}{{ caller(n) }},{% endfor %}{% endmacro %}"
        "{% for group in groups %}{% call(n) show(group) %}{{ n }}{% endcall %}{% endfor %}",
        "recursive": "{% for each in tree recursive %}{{ each.n }}({{ loop(each.children) }})"
        "{% endfor %}",
        "captured": "{% filter upper %}{% for n in numbers %}n{{ n }}{% endfor %}{% endfilter %}",
        "set": "{% set text %}{% for n in numbers %}n{{ n }}{% endfor %}{% endset %}{{ text }}",
        "break": "{% for n in numbers %}{% if n == 1900 %}{% break %}{% endif %}{{ n }},{% else %}no"
        "{% endfor %}",
        "deep": "{% for a in 'ab' %}{% for b in 'ab' %}{% for c in 'ab' %}{% for d in 'ab' %}"
        "{% for e in 'ab' %}{% for n in short %}{{ n }}," + "{% endfor %}" * 6,
    },
}
CASES = [(engine, name) for engine in ENGINES for name in LOOPS[engine]]


def values():
    """Make a context for all loops."""
    numbers = list(range(MANY))
    leaves = [{"n": n, "children": []} for n in numbers]
    return {
        "numbers": numbers,
        "pairs": [(n, -n) for n in numbers],
        "table": {f"k{n}": n for n in numbers},
        "groups": [numbers[start : start + 20] for start in range(0, MANY, 20)],
        "records": [{"kind": n // 30, "n": n} for n in numbers],
        "tree": [
            {"n": start, "children": leaves[start : start + 20]} for start in range(0, MANY, 20)
        ],
        "short": numbers[:60],
    }


PARTS = {
    "django": {"part": "{% for n in group %}{{ n }},{% endfor %}"},
    "jinja2": {"part": "{% for n in group %}{{ n }},{% endfor %}"},
}


@pytest.mark.parametrize(("engine", "name"), CASES)
async def test_every_long_loop_gives_turns_and_changes_nothing(engine, name, taken, looks):
    source, context = LOOPS[engine][name], values()
    expected = stock(engine, source, context, PARTS[engine])
    template = make(engine, source, PARTS[engine], yield_after=ALWAYS)
    await warm(template, context)
    taken.clear()
    looks.clear()
    assert await template.render_async(context) == expected
    # A look, one that marks the loop, one that finds the mark; but each needs its rows.
    assert len(taken) >= 4
    assert len(looks) <= 2 * MANY / ROWS_BETWEEN_LOOKS + 4
    assert template.render(context) == expected


@pytest.mark.parametrize(("engine", "name"), CASES)
async def test_none_takes_no_turn_and_looks_at_no_clock(engine, name, taken, looks):
    template = make(engine, LOOPS[engine][name], PARTS[engine], yield_after=None)
    await warm(template, values())
    assert (taken, looks) == ([], [])


@pytest.mark.parametrize(("engine", "name"), CASES)
async def test_a_page_under_the_limit_takes_no_turn(engine, name, taken, looks):
    template = make(engine, LOOPS[engine][name], PARTS[engine], yield_after=NEVER)
    await warm(template, values())
    assert taken == []
    assert looks


@pytest.mark.parametrize("engine", ENGINES)
async def test_a_short_page_looks_at_no_clock(engine, looks):
    template = make(engine, LOOPS[engine]["plain"], yield_after=ALWAYS)
    await warm(template, {"numbers": range(ROWS_BETWEEN_LOOKS - 1)})
    assert looks == []


@pytest.mark.parametrize(("engine", "name"), CASES)
def test_a_sync_render_looks_at_no_clock(engine, name, looks, monkeypatch):
    def look(state, ahead=0.0):
        looks.append(state)
        return True

    monkeypatch.setattr(turns, "is_turn_due", look)
    template = make(engine, LOOPS[engine][name], PARTS[engine], yield_after=ALWAYS)
    template.render(values())
    assert looks == []


@pytest.mark.parametrize("engine", ENGINES)
async def test_what_waits_runs_in_each_turn(engine, taken):
    """A task that is woken by a timer or by another task gets through, and not only its timer."""
    template = make(engine, LOOPS[engine]["plain"], yield_after=ALWAYS)
    context = values()
    await warm(template, context)
    taken.clear()
    beats = []

    async def beat():
        loop = asyncio.get_running_loop()
        while True:
            future = loop.create_future()
            loop.call_soon(future.set_result, None)
            await future
            beats.append(len(taken))

    task = asyncio.create_task(beat())
    await asyncio.sleep(0)
    await template.render_async(context)
    task.cancel()
    assert set(range(1, len(taken) + 1)) <= set(beats)


def computed(beats):
    """Return the longest time that the loop's thread has computed between two beats, in seconds."""
    return max(after - before for before, after in pairwise(beats))


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("name", ["counted", "nested"])
async def test_the_largest_gap(engine, name):
    """In time of the thread, so that it does not matter what else the machine does."""
    limit = 0.02
    numbers = list(range(100_000))
    groups = [numbers[start : start + 50] for start in range(0, len(numbers), 50)]
    template = make(engine, LOOPS[engine][name] * 4, yield_after=limit)
    context = {"numbers": numbers, "groups": groups}
    await warm(template, {"numbers": [1], "groups": [[1]]})
    beats = []

    async def beat():
        while True:
            beats.append(time.thread_time())
            await asyncio.sleep(0.0005)

    task = asyncio.create_task(beat())
    await asyncio.sleep(0.01)
    await template.render_async(context)
    await asyncio.sleep(0.01)
    task.cancel()
    assert beats[-1] - beats[0] > 3 * limit  # else there was nothing to divide
    assert computed(beats) < 3 * limit


class TestClock:
    """With a time that does not depend on the machine."""

    @pytest.fixture
    def passes(self, monkeypatch):
        """Return a function that lets time pass."""
        now = [100.0]

        def passes(seconds):
            now[0] += seconds

        monkeypatch.setattr(turns, "perf_counter", lambda: now[0])
        return passes

    async def test_it_is_due_when_the_loop_had_no_turn(self, passes):
        clock = LoopClock(4)
        assert not clock.is_due()  # from now on
        passes(1)
        assert not clock.is_due()  # marks the loop
        passes(3)
        assert not clock.is_due()
        passes(1)
        assert clock.is_due()

    async def test_a_turn_of_the_loop_begins_anew(self, passes):
        clock = LoopClock(4)
        clock.is_due()
        passes(1)
        clock.is_due()
        passes(4)
        assert clock.is_due()
        await asyncio.sleep(0)
        passes(3)
        assert not clock.is_due()
        passes(4)
        assert clock.is_due()

    async def test_a_page_that_is_soon_done_leaves_no_mark(self, passes):
        loop, marks = asyncio.get_running_loop(), []
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(loop, "call_soon", lambda *args: marks.append(args))
            clock = LoopClock(4)
            clock.is_due()
            passes(0.9)
            clock.is_due()
            assert marks == []
            passes(0.1)
            clock.is_due()
        assert len(marks) == 1

    async def test_where_no_loop_runs_it_is_never_due(self):
        clock = LoopClock(ALWAYS)
        assert await asyncio.to_thread(lambda: [clock.is_due() for _ in range(4)]) == [False] * 4


@pytest.mark.parametrize("engine", ENGINES)
async def test_an_awaitable_that_does_not_wait_is_no_turn(engine, taken):
    source = "{% for f in functions %}{{ f }}{% endfor %}"
    if engine == "jinja2":
        source = "{% for f in functions %}{{ f() }}{% endfor %}"

    async def function():
        return "x"

    template = make(engine, source, yield_after=ALWAYS)
    context = {"functions": [function] * MANY}
    await warm(template, context)
    taken.clear()
    assert await template.render_async(context) == "x" * MANY
    assert len(taken) >= 4


@pytest.mark.parametrize("engine", ENGINES)
async def test_one_that_waits_is(engine, taken):
    """Each block of rows waits once: whatever the clock says, nothing is due."""
    source = "{% for f in functions %}{{ f }}{% endfor %}"
    if engine == "jinja2":
        source = "{% for f in functions %}{{ f() }}{% endfor %}"

    async def waits():
        await asyncio.sleep(0)
        return "x"

    async def is_there():
        return "y"

    template = make(engine, source, yield_after=ALWAYS)
    block = [waits, *[is_there] * (ROWS_BETWEEN_LOOKS - 1)]
    context = {"functions": block * 20}
    await warm(template, context)
    taken.clear()
    await template.render_async(context)
    assert taken == []


@pytest.mark.parametrize("engine", ENGINES)
async def test_rows_that_are_added_meanwhile(engine, taken):
    """A row is taken when it is its turn, as by a plain loop."""
    source = "{% for n in numbers %}{{ n }},{% if n < 200 %}{{ add }}{% endif %}{% endfor %}"
    if engine == "jinja2":
        source = source.replace("{{ add }}", "{{ add() }}")

    def context():
        numbers = list(range(200))

        def add():
            numbers.append(len(numbers) + 1000)
            numbers[-2] += 1
            return "+"

        return {"numbers": numbers, "add": add}

    template = make(engine, source, yield_after=ALWAYS)
    for _ in range(6):
        assert await template.render_async(context()) == stock(engine, source, context())


@pytest.mark.parametrize("engine", ENGINES)
async def test_an_error_in_a_late_row(engine):
    source = "{% for n in numbers %}{% if n == 1000 %}{{ fail }}{% endif %}{% endfor %}"
    if engine == "jinja2":
        source = source.replace("{{ fail }}", "{{ fail() }}")

    def fail():
        raise ValueError("late")

    template = make(engine, source, yield_after=ALWAYS)
    for _ in range(6):
        with pytest.raises(ValueError, match="late"):
            await template.render_async({**values(), "fail": fail})


@pytest.mark.parametrize(
    ("tag", "is_left"), [("framed", False), ("framedhere", False), ("framedawaiting", True)]
)
async def test_code_of_a_third_party_is_not_left(tag, is_left, taken):
    source = f"{{% load turning %}}{{% {tag} %}}{LOOPS['django']['plain']}{{% end %}}"
    template = make("django", source, yield_after=ALWAYS)
    context = values()
    expected = stock("django", source, context)
    for _ in range(6):
        assert await template.render_async(context) == expected
    assert bool(taken) is is_left


async def test_a_function_that_calls_a_macro_is_not_left(taken):
    source = (
        "{% macro show() %}{% for n in numbers %}{{ n }}{% endfor %}{% endmacro %}{{ call(show) }}"
    )
    template = make("jinja2", source, yield_after=ALWAYS)
    context = {**values(), "call": lambda function: f"[{function()}]"}
    expected = stock("jinja2", source, context)
    for _ in range(6):
        assert await template.render_async(context) == expected
    assert taken == []


class TestParts:
    SOURCES = {
        "django": "{% load atemplates %}{% parallel %}{% with x=1 %}"
        + "{% endwith %}{% with x=2 %}".join(["{% for n in numbers %}{{ n }}{% endfor %}"] * 3)
        + "{% endwith %}{% endparallel %}",
        "jinja2": "{% parallel %}"
        + "{% for n in numbers %}{{ n }}{% endfor %}" * 0
        + "{% with x = 1 %}{% for n in numbers %}{{ n }}{% endfor %}{% endwith %}" * 3
        + "{% endparallel %}",
    }

    @pytest.mark.parametrize("engine", ENGINES)
    async def test_they_take_turns(self, engine, taken):
        context = values()
        template = make(engine, self.SOURCES[engine], yield_after=ALWAYS)
        await warm(template, context)
        taken.clear()
        assert await template.render_async(context) == "".join(map(str, range(MANY))) * 3
        assert len(taken) >= 6

    @pytest.mark.parametrize("engine", ENGINES)
    async def test_they_share_a_clock(self, engine, looks):
        context = values()
        template = make(engine, self.SOURCES[engine], yield_after=ALWAYS)
        await warm(template, context)
        looks.clear()
        await template.render_async(context)
        assert len(set(map(id, looks))) == 1


@pytest.mark.parametrize("engine", ENGINES)
async def test_a_cancelled_page_is_unwound_at_a_turn(engine, taken):
    source = "{% load i18n %}{% language 'de' %}{% for n in numbers %}{{ n }}{% endfor %}{% endlanguage %}"
    if engine == "jinja2":
        source = LOOPS["jinja2"]["nested"]
    template = make(engine, source, yield_after=ALWAYS)
    context = values()
    await warm(template, context)
    taken.clear()

    async def page():
        with translation.override("fr"):
            try:
                await template.render_async(context)
            except asyncio.CancelledError:
                return translation.get_language(), len(taken)

    task = asyncio.create_task(page())
    await turns_of_loop(ROUNDS_OF_A_TURN + 2)
    assert taken
    task.cancel()
    assert await task == ("fr", len(taken))
    # Nothing is left of it.
    assert await template.render_async(context) == template.render(context)


@pytest.mark.parametrize("engine", ENGINES)
async def test_the_text_of_a_long_page_is_joined_meanwhile(engine, monkeypatch):
    """So that nothing is left to do in one go at its end."""
    longest = []
    join = turns.RowBlocks._join

    def noted(blocks):
        join(blocks)
        longest.append(len(blocks._texts or ()))

    monkeypatch.setattr(turns.RowBlocks, "_join", noted)
    source = "{% for n in numbers %}" + "{{ n }}{% if n %}-{% endif %}" * 8 + "{% endfor %}"
    template = make(engine, source, yield_after=ALWAYS)
    context = values()
    await warm(template, context)
    longest.clear()
    assert await template.render_async(context) == template.render(context)
    assert longest[-1] < 10 * ROWS_BETWEEN_LOOKS * 16 < MANY * 16


async def test_what_is_no_text_is_not_joined():
    environment = f"{__name__}.native_environment"
    options = {"environment": environment, "yield_after": ALWAYS}
    source = "{% for n in numbers %}{{ n }}{% endfor %}"
    template = make("jinja2", source, **options)
    assert await template.render_async({"numbers": [7]}) == 7
    expected = template.render(values())
    for _ in range(3):
        assert await template.render_async(values()) == expected


def native_environment(**options):
    return jinja2.nativetypes.NativeEnvironment(loader=options["loader"])


async def test_the_language_is_the_pages_own_after_each_turn(taken):
    source = (
        "{% load i18n %}{% language lang %}{% for n in numbers %}{% if n|divisibleby:100 %}"
        "{% get_current_language as now %}{{ now }}{% endif %}{% endfor %}{% endlanguage %}"
    )
    template = make("django", source, yield_after=ALWAYS)
    context = values()
    await warm(template, {**context, "lang": "de"})
    taken.clear()

    async def page(language):
        with translation.override("fr"):
            text = await template.render_async({**context, "lang": language})
            return text, translation.get_language()

    pages = await asyncio.gather(*map(page, ("de", "en", "es")))
    assert pages == [(language * (MANY // 100 + 1), "fr") for language in ("de", "en", "es")]
    assert len(taken) > 6


async def test_a_streamed_page_sends_nothing_at_a_turn(taken):
    template = make("django", LOOPS["django"]["plain"], yield_after=ALWAYS)
    context = values()
    for _ in range(5):
        taken.clear()
        chunks = [chunk async for chunk in template.stream_async(context)]
    assert len(taken) >= 4
    assert chunks == [template.render(context)]


@pytest.mark.parametrize("engine", ENGINES)
class TestOption:
    @pytest.mark.parametrize("value", [1, 0.001, None])
    def test_seconds_or_none(self, engine, value):
        make(engine, "", yield_after=value)

    @pytest.mark.parametrize("value", [0, -1, True, "0.01", float("inf"), float("nan")])
    def test_anything_else_is_refused(self, engine, value):
        with pytest.raises(ImproperlyConfigured, match=r"'yield_after'.*above 0, or None"):
            make(engine, "", yield_after=value)
