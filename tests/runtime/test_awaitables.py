"""Awaitables in every position of a template, of every kind: awaited, once, together, or closed."""

import asyncio
import functools
import gc
import types

import pytest
from django.http import HttpRequest
from django.template import Context
from django.test import RequestFactory

from atemplates.engines.django import DjangoTemplates, arender_template, render_template
from tests.event_loop import PATIENCE
from tests.rendering import new_engine, parse, run_async
from tests.tags.test_library import LIBRARIES

# What stands for the value <x>, 2, ["p", "q"], {"k": "v"} and "part" in the templates below.
PLAIN = {"x": "<x>", "n": 2, "rows": ["p", "q"], "d": {"k": "v"}, "name": "part", "none": None}

POSITIONS = [
    "{{ x }}",
    "{{ d.k }}",
    "{{ d.k.upper }}",
    "{{ rows.0 }}",
    "{{ x|upper }}",
    "{{ 'a<x>'|cut:x }}",
    "{{ rows|length }}",
    "{{ rows|join:x }}",
    "{{ none|default:x }}",
    "{{ n|add:n }}",
    "{% if x %}y{% endif %}",
    "{% if not x %}y{% else %}n{% endif %}",
    "{% if n == 2 %}y{% endif %}",
    "{% if 'p' in rows %}y{% endif %}",
    "{% if none or x %}y{% endif %}",
    "{% if n > 1 and x %}y{% endif %}",
    "{% if none %}a{% elif d.k == 'v' %}b{% endif %}",
    "{% for r in rows %}{{ r }}{% endfor %}",
    "{% for r in rows reversed %}{{ r }}{% endfor %}",
    "{% for r in none %}{% empty %}e{% endfor %}",
    "{% for k, v in d.items %}{{ k }}{{ v }}{% endfor %}",
    "{% for r in 'ab' %}{{ x }}{{ d.k }}{{ r }}{% endfor %}",
    "{% for r in d.k %}{{ r }}{% endfor %}",
    "{% with a=x b=d.k %}{{ a }}{{ b }}{% endwith %}",
    "{% with a=d %}{{ a.k }}{% endwith %}",
    "{% include name %}",
    "{% include 'part' with a=x %}",
    "{% include 'part' with a=d.k only %}",
    "{% include 'uses' %}",
    "{% firstof none x %}",
    "{% firstof x as f %}{{ f }}",
    "{% cycle x n %}",
    "{% for r in 'abc' %}{% cycle x n %}{% endfor %}",
    "{% ifchanged x %}y{% endifchanged %}",
    "{% for r in 'ab' %}{% ifchanged %}{{ x }}{% endifchanged %}{% endfor %}",
    "{% regroup rows by upper as g %}{{ g.0.grouper }}",
    "{% widthratio n 4 100 %}",
    "{% lorem n w %}",
    "{% filter cut:d.k %}uvw{% endfilter %}",
    "{% url x as u %}[{{ u }}]",
    "{% url 'admin:index' as u %}{{ u }}",
    "{% autoescape off %}{{ x }}{% endautoescape %}",
    "{% spaceless %}<b> {{ x }} </b>{% endspaceless %}",
    "{% load i18n %}{% translate x %}",
    "{% load i18n %}{% translate 'a' context x %}",
    "{% load i18n %}{% blocktranslate %}{{ x }}{% endblocktranslate %}",
    "{% load i18n %}{% blocktranslate with a=d.k %}{{ a }}{% endblocktranslate %}",
    "{% load i18n %}{% blocktranslate count c=n %}{{ c }}{% plural %}{{ c }}s{% endblocktranslate %}",
    "{% load static %}{% static d.k %}",
    "{% load cache %}{% cache n name x %}{{ x }}{% endcache %}",
    "{% load lib %}{% join x k=n %}",
    "{% load lib %}{% show x b=n %}",
    "{% load lib %}{% wrapped d.k %}{{ x }}{% endwrapped %}",
    "{% load lib %}{% read 'x' %}",
    "{% load native %}{% wrap n %}{{ x }}{% endwrap %}",
    "{% load native %}{% for r in rows %}{% wrap n %}{{ r }}{{ x }}{% endwrap %}{% endfor %}",
    "{% block b %}{{ x }}{% endblock %}",
    "{% extends base %}{% block b %}{{ block.super }}{{ x }}{% endblock %}",
    "{% debug %}",
]
TEMPLATES = {
    "part": "({{ a }}{{ x }})",
    "uses": "{{ x }}{% for r in rows %}{{ r }}{% endfor %}",
    "base": "<{% block b %}{{ n }}{% endblock %}>",
    "inclusion": "({{ a }}{{ b }})",
}
ALL_LIBRARIES = {**LIBRARIES, "native": "tests.tags.native_tags"}


async def give(value):
    await asyncio.sleep(0)
    return value


class Awaitable:
    def __init__(self, value):
        self.value = value

    def __await__(self):
        return give(self.value).__await__()


@types.coroutine
def old_style(value):
    yield from asyncio.sleep(0).__await__()
    return value


class AsyncCall:
    def __init__(self, value):
        self.value = value

    async def __call__(self):
        return await give(self.value)


KINDS = {
    "coroutine": give,
    "object with __await__": Awaitable,
    "generator-based coroutine": old_style,
    "task": lambda value: asyncio.ensure_future(give(value)),
    "future": lambda value: done(value),
    "coroutine function": lambda value: lambda: give(value),
    "partial": lambda value: functools.partial(give, value),
    "async __call__": AsyncCall,
}


def done(value):
    future = asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().call_soon(future.set_result, value)
    return future


def used(source):
    """The values that a template can reach: unused awaitables are another test's matter."""
    text = source + "".join(TEMPLATES[name] for name in TEMPLATES if name in source)
    if "name" in source:
        text += TEMPLATES["part"]
    if "base" in source:
        text += TEMPLATES["base"]
    return {name for name in PLAIN if name in text and name != "none"}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("source", POSITIONS)
async def test_awaited_in_every_position(source, kind):
    stock = parse(source, TEMPLATES, libraries=ALL_LIBRARIES)
    from asgiref.sync import sync_to_async

    base = {"base": "base"}
    expected = await sync_to_async(stock.render)(Context({**PLAIN, **base}))
    template = parse(source, TEMPLATES, libraries=ALL_LIBRARIES)
    if kind in ("coroutine function", "partial", "async __call__") and not called(source):
        pytest.skip("stock does not call what stands in this position")
    names = used(source)
    values = {name: KINDS[kind](value) if name in names else value for name, value in PLAIN.items()}
    output = await arender_template(template, Context({**values, **base}))
    assert output == expected
    await settle(values)


def called(source):
    """Names in a blocktranslate, and what a tag reads from the context itself, are not called."""
    return not any(part in source for part in ("%}{{ x }}{% endblocktr", "{% read", "{% debug"))


async def settle(values):
    """Use up what a template only mentions, as in a branch that is not taken."""
    for value in values.values():
        if asyncio.isfuture(value):
            await value
        elif hasattr(value, "close"):
            value.close()


@pytest.mark.parametrize("source", POSITIONS)
def test_by_blocking_in_every_position(source):
    template = parse(source, TEMPLATES, libraries=ALL_LIBRARIES)
    expected = parse(source, TEMPLATES, libraries=ALL_LIBRARIES).render(
        Context({**PLAIN, "base": "base"})
    )
    names = used(source)
    values = {name: give(value) if name in names else value for name, value in PLAIN.items()}
    assert render_template(template, Context({**values, "base": "base"})) == expected
    for value in values.values():
        if hasattr(value, "close"):
            value.close()


class Counted:
    """An awaitable that knows how often it was awaited."""

    def __init__(self, value):
        self.value = value
        self.times = 0

    def __await__(self):
        self.times += 1
        return give(self.value).__await__()


@pytest.mark.parametrize(
    ("source", "output"),
    [
        ("{{ x }}{{ x }}", "<v><v>"),
        ("{% for y in 'abc' %}{{ x }}{% endfor %}", "<v>" * 3),
        ("{% for y in 'abc' %}{% include 'part' %}{% endfor %}", "<v>" * 3),
        ("{% for y in 'abc' %}{% include 'part' with x=x only %}{% endfor %}", "<v>" * 3),
        ("{% if x %}{{ x }}{% else %}{{ x }}{% endif %}", "<v>"),
        ("{% if x and x == x %}{% with y=x %}{{ y }}{{ x }}{% endwith %}{% endif %}", "<v><v>"),
        ("{% block b %}{{ x }}{% endblock %}{% block c %}{{ x }}{% endblock %}", "<v><v>"),
        ("{% for y in rows %}{{ y }}{{ y }}{% endfor %}{{ rows.0 }}", "<v><v><v>"),
        ("{{ x|upper }}{{ x|lower }}{{ ''|default:x }}", "<V><v><v>"),
        ("{% load native %}{% wrap 3 %}{{ x }}{% endwrap %}{{ x }}", "<<v>>" * 3 + "<v>"),
        ("{% for y in 'ab' %}{% cycle x 'c' %}{% endfor %}{% firstof x %}", "<v>c<v>"),
    ],
)
@pytest.mark.parametrize("how", ["arender", "render"])
def test_awaited_once(source, output, how):
    value = Counted("<v>")
    template = parse(source, {"part": "{{ x }}"}, libraries=ALL_LIBRARIES)
    context = Context({"x": value, "rows": [value]}, autoescape=False)
    if how == "render":
        assert render_template(template, context) == output
    else:
        assert run_async(arender_template, template, context) == output
    assert value.times == 1


def backend(**options):
    return DjangoTemplates({"NAME": "x", "DIRS": [], "APP_DIRS": False, "OPTIONS": options})


class TestTogether:
    @pytest.mark.parametrize(
        "source",
        [
            "{{ a }}{{ b }}{{ c }}",
            "{% if a %}{% for x in 'a' %}{{ b }}{% endfor %}{% with d=c %}{{ d }}{% endwith %}{% endif %}",
            "{{ a|add:b|add:c }}",
        ],
    )
    async def test_they_run_at_the_same_time(self, source):
        """Each ends only when all have begun, so one after the other would never end."""
        barrier = asyncio.Barrier(3)

        async def value(text):
            await barrier.wait()
            return text

        template = backend().from_string(source)
        async with asyncio.timeout(PATIENCE):
            output = await template.render_async({name: value(name) for name in "abc"})
        assert output.endswith("c")

    async def test_one_that_fails_cancels_the_others(self):
        ended = []

        async def forever():
            try:
                await asyncio.Event().wait()
            finally:
                ended.append(True)

        async def fail():
            await asyncio.sleep(0)
            raise ZeroDivisionError("the first to fail")

        template = backend().from_string("{{ a }}{{ b }}")
        with pytest.raises(ZeroDivisionError, match="the first to fail"):
            await template.render_async({"a": forever(), "b": fail()})
        assert ended == [True]
        assert asyncio.all_tasks() == {asyncio.current_task()}


class TestUnused:
    """Closed without a "never awaited" warning, which would fail these tests."""

    @pytest.fixture(autouse=True)
    def collected(self):
        yield
        gc.collect()

    async def test_one_that_the_template_does_not_mention(self):
        assert (
            await backend().from_string("{{ a }}").render_async({"a": give(1), "b": give(2)}) == "1"
        )

    async def test_one_in_a_branch_that_is_not_taken(self):
        template = backend().from_string("{% if a %}{{ a }}{% else %}{{ b }}{% endif %}")
        assert await template.render_async({"a": give(1), "b": give(2)}) == "1"

    async def test_when_the_render_fails(self):
        def fail():
            raise ZeroDivisionError

        template = backend().from_string("{{ fail }}{{ a }}")
        with pytest.raises(ZeroDivisionError):
            await template.render_async({"a": give(1), "fail": fail})

    async def test_when_nothing_is_mentioned(self):
        assert await backend().from_string("text").render_async({"a": give(1)}) == "text"

    def test_by_blocking(self):
        assert backend().from_string("{{ a }}").render({"a": give(1), "b": give(2)}) == "1"

    async def test_on_a_loop_by_blocking(self):
        with pytest.raises(Exception, match="await arender"):
            backend().from_string("{{ a }}").render({"a": give(1), "b": give(2)})


@pytest.mark.django_db
class TestTheDefaultContextProcessors:
    """``request.user``, ``perms``, ``messages`` and the session, from an async view."""

    @pytest.fixture
    def request_(self):
        from django.contrib.auth.middleware import AuthenticationMiddleware
        from django.contrib.messages.middleware import MessageMiddleware
        from django.contrib.sessions.middleware import SessionMiddleware

        def nothing(request: HttpRequest):
            raise AssertionError("no view here")

        request = RequestFactory().get("/")
        SessionMiddleware(nothing).process_request(request)
        AuthenticationMiddleware(nothing).process_request(request)
        MessageMiddleware(nothing).process_request(request)
        return request

    PROCESSORS = (
        "django.template.context_processors.request",
        "django.contrib.auth.context_processors.auth",
        "django.contrib.messages.context_processors.messages",
    )

    async def test_they_work(self, request_):
        from asgiref.sync import sync_to_async
        from django.contrib import messages
        from django.contrib.auth.models import User

        user = await User.objects.acreate_user("ann", is_staff=True)
        await sync_to_async(request_.session.update)({"_auth_user_id": str(user.pk), "seen": 3})
        await sync_to_async(messages.info)(request_, "<saved>")
        request_.user = user
        source = (
            "{{ request.user }}{{ user.username }}{% if user.is_staff %}staff{% endif %}"
            "{% if perms.auth.add_user %}may{% else %}may not{% endif %}{{ request.session.seen }}"
            "{% for message in messages %}{{ message }}{{ message.tags }}{% endfor %}"
        )
        template = backend(context_processors=list(self.PROCESSORS)).from_string(source)
        output = await template.render_async({}, request_)
        assert output == "annannstaffmay not3&lt;saved&gt;info"

    async def test_an_anonymous_user_that_is_not_loaded_yet(self, request_):
        source = "{{ request.user }}{% if user.is_authenticated %}in{% else %}out{% endif %}"
        template = backend(context_processors=list(self.PROCESSORS)).from_string(source)
        assert await template.render_async({}, request_) == "AnonymousUserout"

    async def test_a_user_that_is_not_loaded_yet(self, request_):
        from asgiref.sync import sync_to_async
        from django.contrib.auth import login
        from django.contrib.auth.models import User

        user = await User.objects.acreate_user("ann")
        user.backend = "django.contrib.auth.backends.ModelBackend"
        await sync_to_async(login)(request_, user)
        from django.contrib.auth.middleware import AuthenticationMiddleware

        AuthenticationMiddleware(lambda request: None).process_request(request_)
        source = "{{ user.username }}{{ request.user.username }}{% if perms.auth %}x{% endif %}"
        template = backend(context_processors=list(self.PROCESSORS)).from_string(source)
        assert await template.render_async({}, request_) == "annann"


def test_the_names_of_the_table_are_templates():
    assert set(TEMPLATES) <= set(
        new_engine(TEMPLATES).template_loaders[0].loaders[0].templates_dict
    )
