"""``{% cache %}``: keys, time-outs, and the async cache API."""

import asyncio
import socket

import pytest
from django.core.cache import cache, caches
from django.core.cache.backends.locmem import LocMemCache
from django.core.cache.utils import make_template_fragment_key
from django.template import Context, TemplateSyntaxError
from django.utils.functional import lazystr
from django.utils.safestring import mark_safe

from atemplates.engines.django import arender_template, render_template
from tests.rendering import arender_counted, parse, precompiled
from tests.tags.places import on_loop


class Shown(str):
    """Text that shows another one."""

    def __str__(self):
        return "shown"


C = "{% load cache %}"


def locmem(name):
    return {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "LOCATION": name}


class Recording(LocMemCache):
    """A cache that does I/O as far as anybody can tell; lists what was asked, and where."""

    asked: list[tuple[str, str, object]] = []

    def note(self, what, key, extra=None):
        where = "sync on the loop" if on_loop() else "sync"
        self.asked.append((what, where, extra))

    def get(self, key, default=None, version=None):
        self.note("get", key)
        return super().get(key, default, version)

    def set(self, key, value, timeout=None, version=None):
        self.note("set", key, timeout)
        return super().set(key, value, timeout, version)

    async def aget(self, key, default=None, version=None):
        self.asked.append(("aget", "awaited", None))
        await asyncio.sleep(0)
        return super().get(key, default, version)

    async def aset(self, key, value, timeout=None, version=None):  # noqa: ASYNC109 (Django's)
        self.asked.append(("aset", "awaited", timeout))
        await asyncio.sleep(0)
        return super().set(key, value, timeout, version)


@pytest.fixture(autouse=True)
def memory(settings):
    settings.CACHES = {
        "default": locmem("default"),
        "second": locmem("second"),
        "recording": {**locmem("recording"), "BACKEND": f"{__name__}.Recording"},
    }
    for each in caches.all():
        each.clear()
    for alias in ("default", "second", "recording"):
        caches[alias].clear()
    Recording.asked.clear()


@pytest.mark.parametrize(
    ("source", "output"),
    [
        ("{% cache 60 a %}{{ x }}{% endcache %}", "&lt;x&gt;"),
        ("{% cache time a %}{{ x }}{% endcache %}", "&lt;x&gt;"),
        ("{% cache '60' a %}{{ x }}{% endcache %}", "&lt;x&gt;"),
        ("{% cache None a %}{{ x }}{% endcache %}", "&lt;x&gt;"),
        ("{% cache 60 a %}{% endcache %}", ""),
        ("{% cache 60 a x n %}{{ n }}{% endcache %}", "5"),
        ("{% cache 60 a missing %}{{ n }}{% endcache %}", "5"),
        ("{% cache 60 a n|add:1 using='second' %}{{ n }}{% endcache %}", "5"),
        ("{% cache 60 a using=alias %}{{ n }}{% endcache %}", "5"),
        ("{% for r in rows %}{% cache 60 a r %}{{ r }}{% endcache %}{% endfor %}", "pq"),
        ("{% for r in rows %}{% cache 60 same %}{{ r }}{% endcache %}{% endfor %}", "pp"),
        ("{% cache 60 a %}{% cache 60 b %}{{ n }}{% endcache %}{% endcache %}", "5"),
        (
            (
                "{% cache 60 a %}{% for r in rows %}{{ r }}{{ forloop.counter }}"
                "{% endfor %}{% endcache %}"
            ),
            "p1q2",
        ),
        ("{% cache 60 a %}{% include 'part' %}{% endcache %}", "(5)"),
        ("{% filter upper %}{% cache 60 a %}b{% endcache %}{% endfilter %}", "B"),
    ],
)
def test_output(render, source, output):
    context = {
        "x": "<x>",
        "n": 5,
        "time": 30,
        "alias": "second",
        "rows": ["p", "q"],
    }
    assert render(C + source, context, templates={"part": "({{ n }})"}) == output


class TestFragments:
    async def test_a_fragment_is_rendered_once(self):
        template = parse(C + "{% cache 60 a n %}{{ x }}{% endcache %}")
        assert await arender_template(template, Context({"x": 1, "n": 1})) == "1"
        assert await arender_template(template, Context({"x": 2, "n": 1})) == "1"
        assert await arender_template(template, Context({"x": 3, "n": 2})) == "3"
        assert render_template(template, Context({"x": 4, "n": 1})) == "1"

    async def test_the_key_is_djangos(self):
        await arender_template(
            parse(C + "{% cache 60 name n x %}t{% endcache %}"), Context({"n": 1, "x": "<"})
        )
        assert cache.get(make_template_fragment_key("name", [1, "<"])) == "t"

    async def test_stock_and_ours_share_fragments(self):
        source = C + "{% cache 60 a %}{{ x }}{% endcache %}"
        parse(source).render(Context({"x": "<stock>"}))
        assert await arender_template(parse(source), Context({"x": "ours"})) == "&lt;stock&gt;"
        cache.clear()
        await arender_template(parse(source), Context({"x": "<ours>"}))
        assert parse(source).render(Context({"x": "stock"})) == "&lt;ours&gt;"

    async def test_what_a_fragment_sets_is_set_only_when_it_is_rendered(self):
        source = C + "{% cache 60 a %}{% firstof 'v' as v %}{% endcache %}[{{ v }}]"
        template, stock = parse(source), parse(source)
        assert await arender_template(template, Context()) == "[v]"
        assert await arender_template(template, Context()) == "[]"
        assert stock.render(Context()) == "[]"

    async def test_the_cache_for_fragments_is_preferred(self, settings):
        settings.CACHES = {**settings.CACHES, "template_fragments": locmem("fragments")}
        await arender_template(parse(C + "{% cache 60 a %}t{% endcache %}"), Context())
        key = make_template_fragment_key("a", [])
        assert caches["template_fragments"].get(key) == "t"
        assert cache.get(key) is None

    async def test_a_cached_empty_text_counts(self):
        template = parse(C + "{% cache 60 a %}{{ x }}{% endcache %}")
        assert await arender_template(template, Context({"x": ""})) == ""
        assert await arender_template(template, Context({"x": "new"})) == ""


class TestErrors:
    @pytest.mark.parametrize(("timeout", "kind"), [((), TypeError), ((5,), TemplateSyntaxError)])
    def test_timeouts_that_are_tuples(self, render, timeout, kind):
        """Django writes the message with %, which takes a tuple for its arguments."""
        outcome = render.outcome(C + "{% cache timeout a %}{% endcache %}", {"timeout": timeout})
        assert type(outcome.error) is kind

    @pytest.mark.parametrize(
        ("source", "message"),
        [
            ("{% cache text a %}{% endcache %}", "non-integer timeout value: 'text'"),
            ("{% cache missing a %}{% endcache %}", "non-integer timeout value: ''"),
            (
                ("{% cache 5|add:missing a %}{% endcache %}"),
                "got an unknown variable: <Variable: '5'>",
            ),
            ("{% cache 5 a using='nowhere' %}{% endcache %}", "Invalid cache name specified"),
            ("{% cache 5 a using='x'|cut:missing %}{% endcache %}", "got an unknown variable: 'x'"),
        ],
    )
    def test_wrong_arguments(self, render, source, message):
        with pytest.raises(TemplateSyntaxError, match=message):
            render(C + "a\n" + source, {"text": "text"})

    def test_a_value_to_vary_on(self, render):
        outcome = render.outcome(C + "{% cache 5 a x|cut:missing %}{% endcache %}", {"x": "x"})
        assert type(outcome.error).__name__ == "VariableDoesNotExist"

    @pytest.mark.parametrize(
        "value", ["x", "a:b", mark_safe("<"), Shown("x"), 1, True, None, 1.5, [1], lazystr("y")]
    )
    def test_the_key_of_a_value(self, value):
        cache.clear()
        template = parse(C + "{% cache 5 a value 'b' %}text{% endcache %}")
        assert render_template(template, Context({"value": value})) == "text"
        assert cache.get(make_template_fragment_key("a", [value, "b"])) == "text"

    def test_in_the_fragment(self, render):
        def fail():
            raise ZeroDivisionError("in a fragment")

        with pytest.raises(ZeroDivisionError, match="in a fragment"):
            render(C + "a\n{% cache 5 a %}\n{{ fail }}{% endcache %}", {"fail": fail})
        assert cache.get(make_template_fragment_key("a", [])) is None


class TestWhatIsAsked:
    SOURCE = C + "{% cache 60 a using='recording' %}{{ x }}{% endcache %}"

    async def test_the_async_api_on_the_loop(self):
        template = precompiled(parse(self.SOURCE))
        assert await arender_template(template, Context({"x": 1})) == "1"
        assert Recording.asked == [("aget", "awaited", None), ("aset", "awaited", 60)]
        Recording.asked.clear()
        assert await arender_template(template, Context({"x": 2})) == "1"
        assert Recording.asked == [("aget", "awaited", None)]

    async def test_a_cache_in_memory_is_asked_at_once(self):
        waits = []
        template = parse(C + "{% cache 60 a %}{{ x }}{% endcache %}")
        assert await arender_counted(template, Context({"x": 1}), waits) == "1"
        assert waits == []

    def test_the_sync_api_when_blocking(self):
        assert render_template(parse(self.SOURCE), Context({"x": 1})) == "1"
        assert Recording.asked == [("get", "sync", None), ("set", "sync", 60)]

    async def test_in_the_thread_of_a_foreign_loop_the_sync_api(self):
        source = C + "{% load native %}{% for r in 'p' %}" + self.SOURCE + "{% names %}{% endfor %}"
        template = parse(source, libraries={"native": "tests.tags.native_tags"})
        await arender_template(template, Context({"x": 1}))
        assert Recording.asked == [("get", "sync", None), ("set", "sync", 60)]

    async def test_awaitables(self):
        async def value(result):
            return result

        source = C + "{% cache time a n using=alias %}{{ x }}{% endcache %}"
        context = {"time": value(60), "n": value(1), "alias": value("second"), "x": value("<x>")}
        assert await arender_template(parse(source), Context(context)) == "&lt;x&gt;"
        assert caches["second"].get(make_template_fragment_key("a", [1])) == "&lt;x&gt;"

    async def test_a_dummy_cache(self, settings):
        settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.dummy.DummyCache"}}
        template = parse(C + "{% cache 60 a %}{{ x }}{% endcache %}")
        assert await arender_template(template, Context({"x": 1})) == "1"
        assert await arender_template(template, Context({"x": 2})) == "2"


def redis_answers():
    try:
        with socket.create_connection(("127.0.0.1", 6379), timeout=1) as connection:
            connection.sendall(b"PING\r\n")
            return connection.recv(16).startswith(b"+PONG")
    except OSError:
        return False


@pytest.mark.skipif(not redis_answers(), reason="no Redis answers on 127.0.0.1:6379")
class TestRedis:
    @pytest.fixture(autouse=True)
    def redis(self, settings):
        pytest.importorskip("redis", reason="the redis package is not installed")
        settings.CACHES = {
            "default": {
                "BACKEND": "django.core.cache.backends.redis.RedisCache",
                "LOCATION": "redis://127.0.0.1:6379",
                "KEY_PREFIX": f"atemplates-tests-{id(self)}",
            }
        }
        yield
        # Only what the test made: others may use this server.
        for n in (1, 2):
            cache.delete(make_template_fragment_key("a", [n]))
        cache.close()

    async def test_fragments(self):
        template = parse(C + "{% cache 60 a n %}{{ x }}{% endcache %}")
        assert await arender_template(template, Context({"x": "<1>", "n": 1})) == "&lt;1&gt;"
        assert await arender_template(template, Context({"x": 2, "n": 1})) == "&lt;1&gt;"
        assert await arender_template(template, Context({"x": 3, "n": 2})) == "3"
        assert await cache.aget(make_template_fragment_key("a", [2])) == "3"

    def test_fragments_by_blocking(self):
        template = parse(C + "{% cache 60 a n %}{{ x }}{% endcache %}")
        assert render_template(template, Context({"x": "<1>", "n": 1})) == "&lt;1&gt;"
        assert parse(template.source).render(Context({"x": 2, "n": 1})) == "&lt;1&gt;"
