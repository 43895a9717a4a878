"""``{% defer %}`` whose contents fail, are late, or are not wanted any more; and wrong use."""

import asyncio
import gc
import logging
import threading
import warnings
from contextlib import aclosing
from time import perf_counter

import pytest
from django.template import TemplateSyntaxError
from django.utils import translation

from tests.event_loop import PATIENCE, turns
from tests.rendering import run_async

from . import parallel_tags
from .deferring import WAYS, backend, chunks_of, filled, rendered, stock_backend

FAILING = "{% defer %}\n{% slow_fail 0.01 wrong %}{% placeholder %}p{% enddefer %}"
SYNC = "sync"
EVERY = (SYNC, *WAYS)


def show(template, way, values=()):
    if way == SYNC:
        return template.render(dict(values))
    return run_async(WAYS[way], template, dict(values))


def logged(caplog):
    """Return the messages of the log, and forget them."""
    messages = [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR]
    caplog.clear()
    return messages


# -- failing ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", EVERY)
def test_what_fails_is_logged_with_its_template_and_line(way, caplog):
    templates = {"page.html": "a\n" + FAILING + "{% defer %}b{% enddefer %}"}
    template = backend(templates).get_template("page.html")
    for _ in range(2):
        assert show(template, way) == "a\npb"
        [message] = logged(caplog)
        assert "ValueError: wrong" in message
        assert "page.html, line 2" in message


def test_what_fails_under_stock_is_logged_with_its_template_and_line(caplog):
    template = stock_backend({"page.html": "a\n" + FAILING}).get_template("page.html")
    assert template.render({}) == "a\np"
    [message] = logged(caplog)
    assert "ValueError: wrong" in message
    assert "page.html, line 2" in message


@pytest.mark.parametrize("way", EVERY)
@pytest.mark.parametrize("debug", [False, True])
def test_the_error_is_in_the_context_only_where_the_site_is_debugged(way, debug, settings):
    settings.DEBUG = debug
    source = (
        "{% defer %}{% slow_fail 0.01 wrong %}{% placeholder %}p{% error %}[{{ error }}]{% enddefer %}"
        "{{ error }}"
    )
    expected = "[wrong]" if debug else "[]"
    assert show(backend(debug=debug).from_string(source), way) == expected


@pytest.mark.parametrize("way", EVERY)
def test_an_error_that_cannot_be_shown_is_logged_and_the_placeholder_stays(way, caplog):
    source = (
        "a{% defer %}{% slow_fail 0.01 wrong %}{% placeholder %}p{% error %}x{% slow_fail 0.01 too %}"
        "{% enddefer %}b"
    )
    template = backend().from_string(source)
    for _ in range(2):
        assert show(template, way) == "apb"
        first, second = logged(caplog)
        assert "ValueError: wrong" in first
        assert "{% error %} cannot be shown" in second


@pytest.mark.parametrize("way", EVERY)
def test_what_fails_in_the_midst_leaves_nothing_behind(way):
    source = (
        "{% load i18n %}{% for x in 'ab' %}{% defer %}{% language 'de' %}{% for y in 'cd' %}{{ y }}"
        "{% with z=1 %}{% filter upper %}q{% block b %}{% fail 'x' %}{% endblock %}{% endfilter %}"
        "{% endwith %}{% endfor %}{% endlanguage %}{% placeholder %}p{% enddefer %}{% depth %}"
        "{% translate 'Monday' %};{% endfor %}{{ y }}{{ z }}{% depth %}"
    )
    template = backend().from_string(source)
    for _ in range(2):
        assert show(template, way) == "p1Monday;p1Monday;0"
    assert translation.get_language() == "en-us"


def test_what_fails_in_a_placeholder_leaves_nothing_of_it():
    source = (
        "x{% defer %}{% slow 0.2 a %}{% placeholder %}1{% defer %}2{% filter upper %}x{% fail 'x' %}"
        "{% endfilter %}{% placeholder %}3{% enddefer %}4{% enddefer %}b"
    )
    template = backend().from_string(source)

    async def read():
        return "".join(await chunks_of(template, {}, out_of_order=True))

    for _ in range(2):
        text = run_async(read)
        assert ">134<" in text
        assert filled(text) == "xab"


@pytest.mark.parametrize("way", WAYS)
def test_a_placeholder_that_fails_fails_the_page_that_shows_it(way):
    source = "{% defer %}{% slow_fail 0.01 a %}{% placeholder %}{% fail 'shown' %}{% enddefer %}b"
    with pytest.raises(ValueError, match="shown"):
        show(backend().from_string(source), way)


@pytest.mark.parametrize("way", WAYS)
def test_the_page_fails_as_ever_beside_its_parts(way):
    source = "{% defer %}{% slow 5 a %}{% enddefer %}\n{% slow_fail 0.01 wrong %}"
    template = backend(debug=True).from_string(source)
    for _ in range(2):
        with pytest.raises(ValueError, match="wrong") as caught:
            show(template, way)
        assert caught.value.template_debug["line"] == 2
        assert parallel_tags.running == []


@pytest.mark.parametrize("way", WAYS)
def test_what_began_inside_a_failing_part_is_not_waited_for(way):
    source = (
        "{% defer %}{% defer %}{% defer %}{% slow 5 a %}{% enddefer %}{% slow 5 a %}{% enddefer %}"
        "{% slow_fail 0.02 x %}{% placeholder %}p{% error %}e{% defer %}{% slow 0.02 f %}{% enddefer %}"
        "{% enddefer %}b"
    )
    template = backend().from_string(source)
    for _ in range(2):
        start = perf_counter()
        assert show(template, way) == "efb"
        assert perf_counter() - start < 3
        assert parallel_tags.running == []


@pytest.mark.parametrize("way", WAYS)
def test_a_part_whose_work_is_cancelled_by_others_has_failed(way, caplog):
    """It is not taken for one that nobody wants any more, without which the page would be short."""

    async def cancelled():
        future = asyncio.get_running_loop().create_future()
        future.cancel()
        await future

    source = "a{% defer %}{{ value.get }}{% placeholder %}p{% error %}e{% enddefer %}b"
    template = backend().from_string(source)
    for _ in range(2):
        values = {"value": {"get": cancelled}}
        assert show(template, way, values) == "aeb"
        assert "cancelled" in logged(caplog)[0]


# -- late ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", WAYS)
def test_a_part_is_given_up_when_its_time_is_over(way, caplog, settings):
    settings.DEBUG = True
    source = (
        "a{% defer timeout=0.05 %}{% slow 5 never %}{% placeholder %}p{% error %}[{{ error }}]"
        "{% enddefer %}b{% defer timeout=seconds %}{% slow 5 never %}{% placeholder %}p{% enddefer %}"
    )
    template = backend().from_string(source)
    for _ in range(2):
        start = perf_counter()
        text = show(template, way, {"seconds": 0.05})
        assert text == "a[not ready after 0.05 seconds]bp"
        assert perf_counter() - start < 3
        assert parallel_tags.running == []
        assert all("TimeoutError: not ready after 0.05 seconds" in each for each in logged(caplog))


@pytest.mark.parametrize("wrapped", ["filter upper", "parallel"])
def test_also_where_it_is_rendered_in_place(wrapped):
    tag = wrapped.split()[0]
    source = (
        f"{{% {wrapped} %}}{{% defer timeout=0.05 %}}{{% slow 5 never %}}{{% placeholder %}}p"
        f"{{% error %}}E{{% enddefer %}}{{% end{tag} %}}b"
    )
    template = backend().from_string(source)
    for way in WAYS:
        for _ in range(2):
            start = perf_counter()
            assert show(template, way) == "Eb"
            assert perf_counter() - start < 3
            assert parallel_tags.running == []


def test_a_part_may_be_late_in_the_thread_and_what_stands_for_it_leaves_at_once():
    source = (
        "a{% defer timeout=0.05 %}{% blocks 0.4 x %}{% defer %}{% slow 5 y %}{% enddefer %}"
        "{% placeholder %}p{% error %}late{% enddefer %}b"
    )
    template = backend().from_string(source)

    async def read():
        start, times, texts = perf_counter(), [], []
        async for chunk in template.stream_async({}, out_of_order=True):
            times.append(perf_counter() - start)
            texts.append(chunk)
        return texts, times, perf_counter() - start

    for _ in range(2):
        texts, times, seconds = run_async(read)
        assert filled("".join(texts)) == "alateb"
        assert "late" in texts[-1]
        assert times[-1] < 0.3
        assert 0.35 < seconds < 3  # the thread is not left behind
        assert parallel_tags.running == []


@pytest.mark.parametrize("way", WAYS)
def test_a_part_that_is_late_in_the_thread_is_given_up_in_every_way(way):
    source = (
        "a{% defer timeout=0.05 %}{% blocks 0.2 x %}{% slow 5 y %}{% placeholder %}p{% error %}late"
        "{% enddefer %}b"
    )
    template = backend().from_string(source)
    for _ in range(2):
        assert show(template, way) == "alateb"


@pytest.mark.parametrize("way", WAYS)
def test_a_time_that_is_over_in_the_error_is_over_once(way):
    source = (
        "{% defer timeout=0.05 %}{% slow_fail 0.01 x %}{% placeholder %}p{% error %}{% slow 0.2 e %}"
        "{% enddefer %}"
    )
    template = backend().from_string(source)
    for _ in range(2):
        assert show(template, way) == "e"


def test_a_sync_render_takes_its_time():
    source = "{% defer timeout=0.001 %}{% blocks 0.01 x %}{% error %}e{% enddefer %}"
    assert backend().from_string(source).render({}) == "x"
    assert stock_backend().from_string(source).render({}) == "x"


# -- wrong use -------------------------------------------------------------------------------------

REFUSED = {
    "two arguments": ("{% defer timeout=1 2 %}{% enddefer %}", "one argument at most"),
    "another argument": ("{% defer 1 %}{% enddefer %}", "one argument at most"),
    "another name": ("{% defer limit=1 %}{% enddefer %}", "one argument at most"),
    "no time": ("{% defer timeout=0 %}{% enddefer %}", "the timeout is 0"),
    "less than none": ("{% defer timeout=-1 %}{% enddefer %}", "the timeout is -1"),
    "text": ("{% defer timeout='1' %}{% enddefer %}", "the timeout is '1'"),
    "no end": ("{% defer %}", "enddefer"),
    "placeholder, given something": (
        "{% defer %}{% placeholder x %}{% enddefer %}",
        "{% placeholder %} of {% defer %} takes no arguments; got 'x'",
    ),
    "error, given something": (
        "{% defer %}{% error x %}{% enddefer %}",
        "{% error %} of {% defer %} takes no arguments; got 'x'",
    ),
    "two placeholders": (
        "{% defer %}{% placeholder %}{% placeholder %}{% enddefer %}",
        "placeholder",
    ),
    "the error first": ("{% defer %}{% error %}{% placeholder %}{% enddefer %}", "placeholder"),
    "placeholder, alone": ("{% placeholder %}", "placeholder"),
}


@pytest.mark.parametrize("make", [backend, stock_backend])
@pytest.mark.parametrize("name", REFUSED)
def test_wrong_use_is_refused(name, make):
    source, said = REFUSED[name]
    with pytest.raises(TemplateSyntaxError) as caught:
        make(debug=True).from_string("\n" + source)
    assert said in str(caught.value)
    assert caught.value.template_debug["line"] == 2


@pytest.mark.parametrize("timeout", [0, -1, "1", True, [], float("nan")])
def test_a_wrong_time_of_the_context_fails_the_page(timeout):
    source = "\n{% defer timeout=seconds %}a{% error %}b{% enddefer %}"
    values = {"seconds": timeout}
    template = backend(debug=True).from_string(source)
    for way in EVERY:
        with pytest.raises(TemplateSyntaxError, match="the timeout is") as caught:
            show(template, way, values)
        assert caught.value.template_debug["line"] == 2
    with pytest.raises(TemplateSyntaxError, match="the timeout is"):
        stock_backend().from_string(source).render(values)


# -- not wanted any more ---------------------------------------------------------------------------

STOPPED = (
    "{% load i18n %}a{% defer %}{% slow 5 never %}{% placeholder %}p{% enddefer %}{% language 'de' %}"
    "{% for x in rows %}{% defer timeout=9 %}{{ later }}{% defer %}{{ later }}{% placeholder %}q"
    "{% enddefer %}{% placeholder %}r{% enddefer %}{% endfor %}{% endlanguage %}"
    "{% defer %}{% for x in agen %}{{ x }}{% endfor %}{% enddefer %}"
    "{% defer %}{% blocks 0.02 s %}{% defer %}{% slow 5 never %}{% enddefer %}{% blocks 0.02 s %}"
    "{% slow 5 never %}{% enddefer %}{{ later }}"
)


class Stopped:
    """The context of a page that never ends, and what it has left."""

    def __init__(self):
        self.closed = []
        self.threads = set(threading.enumerate())

    def values(self):
        return {"rows": range(3), "later": self.later(), "agen": self.generator()}

    async def later(self):
        try:
            await asyncio.sleep(5)
        finally:
            self.closed.append("later")

    async def generator(self):
        try:
            yield 1
            await asyncio.sleep(5)
        finally:
            self.closed.append("generator")

    def left(self):
        """Return what is left of it: tasks, nodes that wait."""
        others = asyncio.all_tasks() - {asyncio.current_task()}
        return [*others - self.before, *parallel_tags.running]

    async def __aenter__(self):
        self.before = asyncio.all_tasks()
        return self

    async def __aexit__(self, *exception):
        pass


@pytest.fixture
def strict():
    """Raise what is only said when something is collected."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield
        gc.collect()


@pytest.mark.usefixtures("strict")
@pytest.mark.parametrize("moment", [1, 3, 0.01, 0.1])
@pytest.mark.parametrize("way", WAYS)
def test_a_render_that_is_cancelled_leaves_nothing(way, moment):
    template = backend().from_string(STOPPED)

    async def render():
        async with Stopped() as page:
            task = asyncio.ensure_future(WAYS[way](template, page.values()))
            if isinstance(moment, int):
                await turns(moment)
            else:
                await asyncio.sleep(moment)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            await turns(3)
            assert page.left() == []
            assert translation.get_language() == "en-us"

    for _ in range(3):
        run_async(render)
        gc.collect()


@pytest.mark.usefixtures("strict")
@pytest.mark.parametrize("out_of_order", [False, True])
@pytest.mark.parametrize("chunks", [0, 1])
@pytest.mark.parametrize("how", ["closed", "dropped", "not begun"])
def test_a_stream_that_is_not_read_to_its_end_leaves_nothing(how, chunks, out_of_order):
    template = backend().from_string(STOPPED)

    async def read():
        async with Stopped() as page:
            stream = template.stream_async(page.values(), out_of_order=out_of_order)
            if how != "not begun":
                for _ in range(chunks):
                    await anext(stream)
                await asyncio.sleep(0.05)
            if how == "closed":
                async with aclosing(stream):
                    pass
                assert page.left() == []
            del stream
            gc.collect()
            async with asyncio.timeout(PATIENCE):
                while page.left():  # noqa: ASYNC110
                    await asyncio.sleep(0.005)

    for _ in range(3):
        run_async(read)


# -- several ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", WAYS)
def test_renders_at_the_same_time_do_not_mix(way):
    async def later(value):
        await asyncio.sleep(0.001 * (value % 7))
        return value

    source = (
        "{{ n }}{% for x in 'ab' %}{% defer %}{{ later }}{{ x }}{% defer %}{{ later }}{{ n }}"
        "{% placeholder %}q{% enddefer %}{% placeholder %}{{ n }}{% enddefer %}{% endfor %};"
    )
    template = backend().from_string(source)

    async def render():
        pages = [WAYS[way](template, {"n": n, "later": later(n)}) for n in range(100)]
        return await asyncio.gather(*pages)

    expected = [f"{n}{n}a{n}{n}{n}b{n}{n};" for n in range(100)]
    for _ in range(2):
        assert run_async(render) == expected


def test_its_code_is_kept_for_other_processes(tmp_path):
    source = (
        "{% for x in xs %}{% defer timeout=n %}{% slow 0.001 a %}{{ x }}{% placeholder %}p"
        "{% error %}e{{ error }}{% enddefer %}{% endfor %}"
    )
    values = {"xs": "ab", "n": 5}
    for way in (*WAYS, *WAYS):
        made = backend({"page.html": source}, plan_cache=tmp_path)
        assert show(made.get_template("page.html"), way, values) == "aaab"
    assert rendered(source, values) == "aaab"
