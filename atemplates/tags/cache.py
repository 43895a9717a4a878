"""``{% cache %}``, through the async cache API."""

from __future__ import annotations

from typing import Any

from django.core.cache import InvalidCacheBackendError, caches
from django.core.cache.backends.base import BaseCache
from django.core.cache.utils import make_template_fragment_key
from django.template.exceptions import TemplateSyntaxError
from django.templatetags.cache import CacheNode

from ..compiler.nodes import NodeWriting, TagFamily, effects_of, write_nodes
from ..compiler.scope import Effects
from ..compiler.writer import Writer
from ..runtime.state import State
from ..runtime.waits import Kind, Plan, Wait
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
    expire, cache = w.temporary("expire"), w.temporary("cache")
    fragment, text = w.temporary("fragment"), w.temporary("s")
    w.flush()
    argument = write_argument(w, node.expire_time_var)
    w.line(f"{expire} = call_or_wait(state, cache_timeout, {argument})")
    w.wait(expire)
    alias = "None" if node.cache_name is None else write_argument(w, node.cache_name)
    w.line(f"{cache} = cache_of({name}, {alias})")
    vary_on = write_argument(w, list(node.vary_on))
    arguments = f"{name}, {cache}, {expire}, {vary_on}"
    w.line(f"{fragment} = call_or_wait(state, cache_fragment, {arguments})")
    w.wait(fragment)
    w.line(f"{text} = yield from cache_get(state, {fragment})")
    with w.block(f"if {text} is None:"):
        with w.capture() as part:
            write_nodes(w, node.nodelist)
        w.line(f"{text} = SafeString(''.join({part}))")
        w.line(f"yield from cache_set(state, {fragment}, {text})")
    w.append(text)


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


def cache_of(node: CacheNode, alias: Any) -> Any:
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
    try:
        return caches["template_fragments"]
    except InvalidCacheBackendError:
        return caches["default"]


def cache_fragment(node: CacheNode, cache: Any, expire: int | None, vary_on: Any) -> Any:
    """Return the cache, key and timeout of a fragment.

    Raises:
        VariableDoesNotExist: a value to vary on cannot be resolved.
    """
    for value in vary_on:
        if type(value) is Failing:
            raise value.error
    return cache, make_template_fragment_key(node.fragment_name, vary_on), expire


def _unknown(argument: Failing) -> TemplateSyntaxError:
    return TemplateSyntaxError(f'"cache" tag got an unknown variable: {argument.var!r}')


def cache_get(state: State, fragment: Any) -> Plan:
    """The plan of asking the cache."""
    cache, key, _ = fragment
    if state.on_loop and not is_in_memory(cache):
        if has_own_async(cache, "aget"):
            return (yield Wait(Kind.AWAIT, cache.aget(key)))
        return (yield Wait(Kind.CALL, cache.get, (key,)))
    return cache.get(key)


def cache_set(state: State, fragment: Any, text: str) -> Plan:
    """The plan of filling the cache."""
    cache, key, expire = fragment
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
        "cache_fragment": cache_fragment,
        "cache_of": cache_of,
        "cache_timeout": cache_timeout,
        "cache_get": cache_get,
        "cache_set": cache_set,
    },
)
