"""What holds for every template: no waits without I/O, nothing mixed up, nothing left behind."""

import asyncio
import datetime
import gc
import re
import sys
import threading
import types
from inspect import CO_COROUTINE

import pytest
from django.template import Context, Library, RequestContext
from django.template.engine import Engine
from django.utils import timezone, translation

from atemplates.compiler.plan import plan_of
from atemplates.compiler.templates import render_plan
from atemplates.engines.django import DjangoTemplates, arender_template, render_template
from atemplates.engines.native import new_state
from atemplates.runtime import drivers
from atemplates.runtime.policy import Policy
from atemplates.runtime.waits import Kind
from tests.event_loop import PATIENCE, turns
from tests.rendering import (
    arender_counted,
    arender_hops,
    counted,
    new_engine,
    parse,
    run_async,
)

register = Library()


@register.filter
async def forever(value):
    """Say that it is reached, and wait."""
    forever.started.set()
    await asyncio.Event().wait()


TEMPLATES = {
    "base": "<{% block title %}base{% endblock %}>{% block body %}{% endblock %}",
    "page": (
        "{% extends 'base' %}{% load i18n tz l10n static cache humanize %}"
        "{% block title %}{{ block.super }}{{ title|upper }}{% endblock %}"
        "{% block body %}{% for row in rows %}{% cycle 'odd' 'even' as c %}{{ c }}"
        "{{ row.name }}{{ row.d.key }}{{ row.method }}{{ forloop.counter }}"
        "{% if row.n > 1 %}!{% endif %}"
        "{% ifchanged row.kind %}{{ row.kind }}{% endifchanged %}"
        "{% include 'part' with x=row.n %}{% empty %}none{% endfor %}"
        "{% regroup rows by kind as kinds %}{% for k, l in kinds %}{{ k }}"
        "{{ l|length }}{% endfor %}"
        "{% with a=title %}{% filter upper %}{{ a }}{% endfilter %}{% endwith %}"
        "{% translate 'Yes' %}{% blocktranslate count n=rows|length %}{{ n }} "
        "one{% plural %}{{ n }}"
        "{% endblocktranslate %}{% language 'de' %}{{ when|date:'F' }}{% endlanguage %}"
        "{% timezone 'Asia/Tokyo' %}{{ when|time:'H' }}{% endtimezone %}"
        "{% autoescape off %}{{ title }}{% endautoescape %}{% cache 60 name title %}c{% endcache %}"
        "{% static 'a.css' %}{% now 'Y' %}{% firstof nothing title %}{% widthratio 1 2 100 %}"
        "{% spaceless %}<b> </b>{% endspaceless %}{{ number|intcomma }}{{ number|floatformat:2 }}"
        "{% csrf_token %}{% querystring a=1 %}{{ nothing.at.all }}{% endblock %}"
    ),
    "part": (
        "({{ x }}{{ title }}{% if x %}{% with x=0 %}{% include 'part' %}{% endwith %}{% endif %})"
    ),
}


class Row:
    def __init__(self, number):
        self.name = f"<{number}>"
        self.n = number
        self.kind = "xyz"[number // 10 % 3]
        self.d = {"key": number * 1.5}

    def method(self):
        return f"m{self.n}"


def page_context(rf, rows=25):
    request = rf.get("/?q=1")
    return RequestContext(
        request,
        {
            "rows": [Row(n) for n in range(rows)],
            "title": "<title>",
            "number": 12345.678,
            "when": datetime.datetime(2024, 5, 1, 20, tzinfo=datetime.UTC),
        },
    )


def without_token(html):
    """A CSRF token is masked anew each time."""
    assert html.count('name="csrfmiddlewaretoken"') == 1
    return re.sub(r'value="\w{64}"', "", html)


TRUSTING = Policy(trusted_after=0)


@pytest.fixture
def page():
    """A page whose objects' own code is known to be quick."""
    return new_engine(TEMPLATES, policy=TRUSTING).get_template("page")


class TestWithoutIO:
    """A template that meets no I/O costs no wait, no thread, no task, no coroutine per value."""

    async def test_code_is_trusted_after_a_few_pages(self, rf):
        """Until then a page is one hop; then it is none, as in the laws below."""
        page = new_engine(TEMPLATES).get_template("page")
        hops = []
        for _ in range(10):
            output, count = await arender_hops(page, page_context(rf, rows=2))
            hops.append(count)
        assert hops[0] == 1
        assert set(hops) == {0, 1}
        assert hops == sorted(hops, reverse=True)
        stock = new_engine(TEMPLATES).get_template("page").render(page_context(rf, rows=2))
        assert without_token(output) == without_token(stock)

    async def test_no_waits(self, page, rf):
        await arender_template(page, page_context(rf))  # loads the templates
        waits = []
        output = await arender_counted(page, page_context(rf), waits)
        assert waits == []
        stock = new_engine(TEMPLATES).get_template("page").render(page_context(rf))
        assert without_token(output) == without_token(stock)

    def test_it_never_suspends(self, page, rf):
        """Sent once, without any event loop, the coroutine is done."""
        run_async(arender_template, page, page_context(rf))
        coroutine = arender_template(page, page_context(rf))
        with pytest.raises(StopIteration) as stop:
            coroutine.send(None)
        blocking = render_template(page, page_context(rf))
        assert without_token(stop.value.value) == without_token(blocking)

    async def test_no_coroutine_per_value_no_thread_no_task(self, page, rf):
        await arender_template(page, page_context(rf))
        calls, threads, tasks = [], threading.active_count(), len(asyncio.all_tasks())

        def profile(frame, event, argument):
            if event == "call" and frame.f_code.co_flags & CO_COROUTINE:
                calls.append(frame.f_code.co_qualname)

        context = page_context(rf, rows=100)
        sys.setprofile(profile)
        try:
            await arender_template(page, context)
        finally:
            sys.setprofile(None)
        # The call, the engine's part of it, the driver: however many rows there are.
        assert list(dict.fromkeys(calls)) == ["arender_template", "arender_natively", "arun"]
        assert len(calls) <= 4
        assert threading.active_count() == threads
        assert len(asyncio.all_tasks()) == tasks

    async def test_the_loop_is_not_needed_for_values_of_any_plain_type(self):
        values = [
            1,
            1.5,
            "x",
            b"x",
            None,
            True,
            [1],
            (1,),
            {1},
            {"a": 1},
            range(3),
            Row(1),
            Row,
            datetime.date(2024, 1, 1),
            translation.gettext_lazy("Yes"),
            lambda: 5,
            10**30,
            object(),
        ]
        source = (
            "{% for x in values %}{{ x }}{{ x.y.z }}{{ x|default:1 }}{% if x %}{% endif %}"
            "{% if x == 1 %}{% endif %}{% with y=x %}{{ y }}{% endwith %}"
            "{% firstof x %}{% endfor %}"
        )
        waits = []
        template = parse(source, policy=TRUSTING)
        await arender_counted(template, Context({"values": values}), waits)
        assert waits == []


class TestBothDrivers:
    """A plan's output does not depend on who runs it."""

    async def value(self, result):
        return result

    def context(self):
        class AsyncRow(Row):
            async def method(self):
                return f"m{self.n}"

        return Context(
            {
                "rows": self.value([AsyncRow(n) for n in range(7)]),
                "title": self.value("<title>"),
                "number": self.value(5),
                "when": self.value(datetime.datetime(2024, 5, 1, 20, tzinfo=datetime.UTC)),
            }
        )

    SOURCE = (
        "{% load i18n tz %}{{ title }}{% for row in rows %}{% cycle 1 2 %}"
        "{{ row.method }}{{ row.name }}"
        "{% include 'part' with x=number %}{{ forloop.revcounter }}{% endfor %}"
        "{% language 'de' %}{{ when|date:'F' }}{% endlanguage %}{% names %}"
        "{% for row in rows %}{% wrap 1 %}{{ row.method }}{% endwrap %}{% endfor %}"
    )

    def test_the_same_text(self):
        source = "{% load native %}" + self.SOURCE
        libraries = {"native": "tests.tags.native_tags"}
        template = parse(source, {"part": "({{ x }}{{ title }})"}, libraries=libraries)
        blocking = render_template(template, self.context())
        assert run_async(arender_template, template, self.context()) == blocking
        assert "m6&lt;6&gt;(5&lt;title&gt;)1" in blocking

    async def test_the_same_waits(self):
        """Off the loop a plan only waits for what has to be awaited."""
        template = parse(
            self.SOURCE.replace("{% names %}", "").partition("{% for row in rows %}{% wrap")[0],
            {"part": "({{ x }})"},
        )
        await arender_template(template, self.context())
        kinds = {}
        for on_loop in (True, False):
            context, waits = self.context(), []
            plan = counted(
                render_plan(new_state(template, context, on_loop), template, context), waits
            )
            kinds[on_loop] = waits
            if on_loop:
                await drivers.arun(plan)
            else:
                await asyncio.to_thread(drivers.run, plan)
        assert [wait.kind for wait in kinds[True]] == [wait.kind for wait in kinds[False]]
        assert {wait.kind for wait in kinds[True]} == {Kind.AWAIT}


class TestManyAtOnce:
    SOURCE = (
        "{% load i18n tz %}{% for row in rows %}{% cycle 'a' 'b' as c silent %}"
        "{{ row.later }}{{ c }}"
        "{% ifchanged row.half %}{{ number }}{% endifchanged %}"
        "{% include 'part' with n=row.later %}"
        "{% language row.language %}{{ row.later }}{{ yes }}{% endlanguage %}"
        "{% timezone row.zone %}{{ row.later }}{{ noon|date:'H' }}{% endtimezone %}"
        "{% autoescape off %}{{ row.later }}{{ mark }}{% endautoescape %}{{ mark }}"
        "{{ forloop.counter }}{% endfor %}"
    )
    PART = "({{ n }}{{ number }}{% cycle 1 2 %})"

    class SlowRow:
        def __init__(self, number, index):
            self.number = number
            self.index = index
            self.half = index // 2
            self.language = "de" if (number + index) % 2 else "fr"
            self.zone = "Asia/Tokyo" if (number + index) % 3 else "UTC"

        async def later(self):
            await turns((self.number * 7 + self.index) % 11)
            return f"{self.number}.{self.index}"

    def context(self, number):
        return {
            "rows": [self.SlowRow(number, index) for index in range(3)],
            "number": number,
            "mark": "<",
            "yes": translation.gettext_lazy("Yes"),
            "noon": datetime.datetime(2024, 5, 1, 12, tzinfo=datetime.UTC),
        }

    def expected(self, number):
        text = ""
        for index in range(3):
            later = f"{number}.{index}"
            text += later + "ab"[index % 2] + (str(number) if index % 2 == 0 else "")
            text += f"({later}{number}1)"
            text += later + ("Ja" if (number + index) % 2 else "Oui")
            text += later + ("21" if (number + index) % 3 else "12")
            text += later + "<&lt;" + str(index + 1)
        return text

    async def test_1000_renders_with_awaits_in_loops_do_not_mix(self):
        template = parse(self.SOURCE, {"part": self.PART})
        outputs = await asyncio.gather(
            *(arender_template(template, Context(self.context(n))) for n in range(1000))
        )
        assert outputs == [self.expected(n) for n in range(1000)]
        assert asyncio.all_tasks() == {asyncio.current_task()}
        assert translation.get_language() == "en-us"
        assert timezone.get_current_timezone_name() == "UTC"

    async def test_50_threads_compile_a_template_once(self, tmp_path):
        """The duplicates would be found as functions: nothing is collected meanwhile."""
        (tmp_path / "once.html").write_text("{% for x in xs %}{{ x }}{% endfor %}" * 50)
        template = Engine(dirs=[tmp_path]).get_template("once.html")
        name = template.origin.name
        barrier, outputs, plans = threading.Barrier(50), [], []

        def compile_it():
            barrier.wait()
            outputs.append(render_template(template, Context({"xs": "ab"})))
            plans.append(plan_of(template.nodelist, template))

        gc.disable()
        try:
            threads = [threading.Thread(target=compile_it) for _ in range(50)]
            for thread in threads:
                thread.start()
            await asyncio.to_thread(lambda: [thread.join() for thread in threads])
            functions = [
                item
                for item in gc.get_objects()
                if type(item) is types.FunctionType  # isinstance() would wake lazy objects
                and item.__module__ == f"atemplates.compiled.{name}"
            ]
        finally:
            gc.enable()
        assert outputs == ["ab" * 50] * 50
        assert len(set(plans)) == 1
        assert functions == [plans[0]]

    async def test_threads_that_compile_templates_of_each_other(self):
        """Includes and blocks compile inside a render, never while another's lock is held."""
        templates = {
            f"t{n}": f"{{% if d %}}{{% with d=d|slice:'1:' %}}{{% include 't{(n + 1) % 8}' %}}"
            f"{{% endwith %}}{{% endif %}}{n}"
            for n in range(8)
        }
        engine = new_engine(templates)
        barrier, outputs = threading.Barrier(8), {}

        def render(n):
            barrier.wait()
            outputs[n] = render_template(engine.get_template(f"t{n}"), Context({"d": "x" * 8}))

        threads = [threading.Thread(target=render, args=[n]) for n in range(8)]
        for thread in threads:
            thread.start()
        await asyncio.to_thread(lambda: [thread.join(PATIENCE) for thread in threads])
        for n in range(8):
            order = [(n + step) % 8 for step in range(9)]
            assert outputs[n] == "".join(str(number) for number in reversed(order))


class TestCancelled:
    """The client is gone: the plan is unwound where it waits."""

    NEST = (
        "{% load i18n tz %}{% language 'de' %}{% timezone 'Asia/Tokyo' %}{% with a=1 %}"
        "{% for x in 'ab' %}{% include 'part' %}{% endfor %}"
        "{% endwith %}{% endtimezone %}{% endlanguage %}"
    )

    @pytest.fixture(autouse=True)
    async def nothing_is_left(self):
        yield
        gc.collect()
        assert asyncio.all_tasks() == {asyncio.current_task()}

    async def cancel(self, template, values, started, release=None):
        """Render in this very task's context, cancel it, and return the render's context.

        With ``release`` the render has to wait, cancelled as it is, until that is called.
        """
        context = Context(values)

        async def render():
            with translation.override("fr"), timezone.override("UTC"):
                try:
                    await arender_template(template, context)
                finally:
                    # Seen by whoever goes on in this task after the cancelled render.
                    places.append(
                        (translation.get_language(), timezone.get_current_timezone_name())
                    )

        places = []
        task = asyncio.ensure_future(render())
        async with asyncio.timeout(PATIENCE):
            await started.wait()
        task.cancel()
        if release is not None:
            await turns(10)
            assert not task.done()
            release()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert places == [("fr", "UTC")]
        assert len(context.dicts) == 2
        assert context.template is None
        assert len(context.render_context.dicts) == 1
        assert context.render_context.template is None
        assert "_atemplates_state" not in vars(context)
        return context

    async def test_in_an_awaitable(self):
        started, ended = asyncio.Event(), []

        async def forever():
            started.set()
            try:
                await asyncio.Event().wait()
            finally:
                ended.append(True)

        template = parse(self.NEST, {"part": "{% block b %}{{ x }}{{ wait }}{% endblock %}"})
        await self.cancel(template, {"wait": forever}, started)
        assert ended == [True]

    async def test_in_an_async_iteration(self):
        started, ended = asyncio.Event(), []

        class Rows:
            async def __aiter__(self):
                try:
                    yield 1
                    started.set()
                    await asyncio.Event().wait()
                    yield 2
                finally:
                    ended.append(True)

        template = parse(self.NEST, {"part": "{% for y in rows %}{{ y }}{% endfor %}"})
        await self.cancel(template, {"rows": Rows()}, started)
        assert ended == [True]

    async def test_in_an_async_filter_or_tag(self):
        template = parse(
            "{% load later %}" + self.NEST,
            {"part": "{% load later %}{{ x|forever }}"},
            libraries={"later": __name__},
        )
        forever.started = asyncio.Event()
        await self.cancel(template, {}, forever.started)

    async def test_in_the_request_thread(self):
        """The thread cannot be stopped: it finishes the page, then the render ends.

        Nothing runs on after that.
        """
        loop, started = asyncio.get_running_loop(), asyncio.Event()
        cancelled, ended = threading.Event(), []

        def slow():
            loop.call_soon_threadsafe(started.set)
            assert cancelled.wait(PATIENCE)
            ended.append(True)

        template = parse(
            self.NEST,
            {"part": "{% load native %}{% wrap 1 %}{{ slow }}{% endwrap %}"},
            libraries={"native": "tests.tags.native_tags"},
        )
        await self.cancel(template, {"slow": slow}, started, release=cancelled.set)
        assert ended == [True, True]

    async def test_awaitables_that_were_not_reached_are_closed(self, recwarn):
        started = asyncio.Event()

        async def forever():
            started.set()
            await asyncio.Event().wait()

        async def never():
            raise AssertionError("not reached")

        params = {"NAME": "x", "DIRS": [], "APP_DIRS": False, "OPTIONS": {}}
        template = DjangoTemplates(params).from_string("{{ wait }}{{ d.wait }}")
        task = asyncio.ensure_future(template.render_async({"wait": forever(), "unused": never()}))
        await asyncio.wait_for(started.wait(), PATIENCE)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        gc.collect()
        assert [str(warning.message) for warning in recwarn] == []
