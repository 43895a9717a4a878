"""``{% cache %}``, through the async cache API."""

from __future__ import annotations

from typing import Any

from django.core.cache import InvalidCacheBackendError, caches
from django.core.cache.backends.base import BaseCache
from django.core.cache.utils import make_template_fragment_key
from django.template.exceptions import TemplateSyntaxError
from django.templatetags.cache import CacheNode
from django.utils.safestring import SafeString

from ..compiler.nodes import NodeWriting, TagFamily, effects_of, write_nodes
from ..compiler.scope import Effects
from ..compiler.writer import Writer
from ..runtime.state import State
from ..runtime.tracing import tracing_of
from ..runtime.waits import Kind, Plan, Wait, pending_wait
from .arguments import Failing, write_argument

IN_MEMORY = frozenset(
    {
        ("django.core.cache.backends.dummy", "DummyCache"),
        ("django.core.cache.backends.locmem", "LocMemCache"),
    }
)
"""Caches that do no I/O: asking them right away is cheaper than any waiting. By name, since most
sites import neither."""


def is_in_memory(cache: Any) -> bool:
    """Whether a cache is exactly one of those."""
    kind = type(cache)
    return (kind.__module__, kind.__qualname__) in IN_MEMORY


def cache_effects(node: CacheNode) -> Effects:
    return effects_of(node.nodelist)


def write_cache(w: Writer, node: CacheNode) -> None:
    name = w.constant(node, "node_")
    cache, key, text = w.temporary("cache"), w.temporary("key"), w.temporary("s")
    w.flush()
    expire = _write_timeout(w, node)
    alias = "None" if node.cache_name is None else write_argument(w, node.cache_name)
    w.line(f"{cache} = cache_of(state, {name}, {alias})")
    if node.vary_on:
        vary_on = w.temporary("vary")
        w.line(f"{vary_on} = {write_argument(w, list(node.vary_on))}")
        w.line(f"{key} = plain_fragment_key({name}, {vary_on})")
        with w.branch(f"if {key} is None:"):
            w.wait_for(key, f"call_or_wait(state, fragment_key, {name}, {vary_on})")
    else:
        w.line(f"{key} = {w.constant(make_template_fragment_key(node.fragment_name, ()))}")
    w.line(f"{text} = cache_get(state, {cache}, {key})")
    w.wait(text)
    w.line(f"if state.told: tell_cache(state, {name}, {text})")
    with w.block(f"if {text} is None:"):
        with w.capture() as part:
            write_nodes(w, node.nodelist)
        w.line(f"{text} = SafeString(''.join({part}))")
        w.line(f"yield from cache_set(state, {cache}, {key}, {expire}, {text})")
    w.append(text)


def _write_timeout(w: Writer, node: CacheNode) -> str:
    """Write the timeout; return a local variable or a constant."""
    expression = node.expire_time_var
    literal = getattr(expression.var, "literal", None)
    if type(literal) is int and not expression.filters:
        return w.constant(literal)
    expire = w.temporary("expire")
    w.line(f"{expire} = call_or_wait(state, cache_timeout, {write_argument(w, expression)})")
    w.wait(expire)
    return expire


def cache_timeout(expire: Any) -> int | None:
    """Return the seconds that a fragment is kept; None is for ever.

    Raises:
        TemplateSyntaxError: the timeout is no number.
    """
    if type(expire) is Failing:
        raise _unknown(expire)
    if expire is None:
        return None
    try:
        return int(expire)
    except (ValueError, TypeError):
        # With % as in Django: a tuple gives another text then, or a TypeError.
        message = '"cache" tag got a non-integer timeout value: %r' % expire  # noqa: UP031
        raise TemplateSyntaxError(message) from None


def cache_of(state: State, node: CacheNode, alias: Any) -> Any:
    """Return the cache that a tag names, or else the one for template fragments.

    Raises:
        TemplateSyntaxError: there is no such cache.
    """
    if node.cache_name is not None:
        if type(alias) is Failing:
            raise _unknown(alias)
        try:
            return caches[alias]
        except InvalidCacheBackendError:
            message = "Invalid cache name specified for cache tag: %r" % alias  # noqa: UP031
            raise TemplateSyntaxError(message) from None
    # What asgiref's ``Local`` holds costs more to ask than a hit does.
    known = state.ambient.now().caches
    cache = known.get(FRAGMENTS)
    if cache is None:
        cache = known[FRAGMENTS] = caches[FRAGMENTS if FRAGMENTS in caches.settings else "default"]
    return cache


FRAGMENTS = "template_fragments"
"""The cache that Django asks first."""


def fragment_key(node: CacheNode, vary_on: Any) -> str:
    """Return the key of a fragment.

    Raises:
        VariableDoesNotExist: a value to vary on cannot be resolved.
    """
    for value in vary_on:
        if type(value) is Failing:
            raise value.error
    return make_template_fragment_key(node.fragment_name, vary_on)


PLAIN_KEYS = frozenset({str, SafeString, int, bool, type(None)})
"""Exact types whose text runs no code of others."""


def plain_fragment_key(node: CacheNode, vary_on: Any) -> str | None:
    """Return what `fragment_key` does for values that are plain; None for others."""
    for value in vary_on:
        if type(value) not in PLAIN_KEYS:
            return None
    return make_template_fragment_key(node.fragment_name, vary_on)


def _unknown(argument: Failing) -> TemplateSyntaxError:
    return TemplateSyntaxError(f'"cache" tag got an unknown variable: {argument.var!r}')


def cache_get(state: State, cache: Any, key: str) -> Any:
    """Return what the cache has, or a `Pending` of it."""
    if state.on_loop and not is_in_memory(cache):
        if has_own_async(cache, "aget"):
            return pending_wait(Wait(Kind.AWAIT, cache.aget(key)))
        return pending_wait(Wait(Kind.CALL, cache.get, (key,)))
    return cache.get(key)


def tell_cache(state: State, node: CacheNode, text: Any) -> None:
    """Tell what traces the render whether a fragment was in the cache."""
    tracing = tracing_of(state.told)
    if tracing is not None:
        tracing.asked_cache(node, text is not None)


def cache_set(state: State, cache: Any, key: str, expire: int | None, text: str) -> Plan:
    """The plan of filling the cache."""
    if state.on_loop and not is_in_memory(cache):
        if has_own_async(cache, "aset"):
            yield Wait(Kind.AWAIT, cache.aset(key, text, expire))
        else:
            yield Wait(Kind.CALL, cache.set, (key, text, expire))
    else:
        cache.set(key, text, expire)


def has_own_async(cache: Any, method: str) -> bool:
    """Whether a cache does its I/O asynchronously. The methods of Django's class use a thread."""
    return getattr(type(cache), method, None) is not getattr(BaseCache, method)


CACHE_TAGS = TagFamily(
    nodes={
        CacheNode: NodeWriting(write_cache, cache_effects),
    },
    names={
        "cache_of": cache_of,
        "cache_timeout": cache_timeout,
        "cache_get": cache_get,
        "cache_set": cache_set,
        "tell_cache": tell_cache,
        "fragment_key": fragment_key,
        "plain_fragment_key": plain_fragment_key,
    },
)
