"""Attributes and items, and calls of the ORM: what the policy for relations has a say in."""

from __future__ import annotations

from collections.abc import Callable
from types import MethodType
from typing import Any

from django.core.exceptions import SynchronousOnlyOperation
from django.db.models import Model
from jinja2 import Environment
from jinja2.runtime import Undefined

from ..placement.python_code import attribute_code, special_code
from ..placement.value_code import comparison_code
from ..runtime.async_sources import is_async_iterator
from ..runtime.async_twins import (
    Either,
    has_only_twins,
    is_marked,
    only_twin,
    rows_method,
    source_twin,
)
from ..runtime.relations import Notify, Relations
from ..runtime.types import DATA, PLAIN_OR_MODEL, RELATED, SOURCES
from ..runtime.waits import Kind, Plan, Wait
from .placed import stands_on_loop, taken
from .sources import source_item
from .state import running_state, seam
from .tracebacks import internal
from .values import PLANNED, AwaitablePlan

names_of_dicts = frozenset(dir(dict))


class Missed:
    """An attribute or item that is not at hand: a relation, or something that queries."""

    __slots__ = ("ask", "code", "name", "obj")

    def __init__(
        self, ask: Callable[[Any, Any], Any], obj: Any, name: Any, code: Any = None
    ) -> None:
        self.ask = ask
        self.obj = obj
        self.name = name
        self.code = code
        """What the lookup runs, if that is code of others."""

    @internal
    def _finish(self, site: Any = None, root: Any = None) -> Plan:
        """The plan that gets it: loaded for a whole loop, or by the same step in the thread.

        Raises:
            LazyAccessError: under ``relations="raise"``.
        """
        obj, name = self.obj, self.name
        index = len(site.bits) - 1 if site is not None else 1
        relations = running_state().relations if issubclass(type(obj), Model) else None
        if relations is not None:
            while type(step := relations.step(obj, name, site, root, index)) is Wait:
                yield step
        code = self.code
        if code is None and relations is not None and stands_on_loop():
            code = attribute_code(obj, name) if type(name) is str else None
        if code is not None:
            notify = self._notify(relations, site, root, index)
            return (yield from taken(code, self.ask, (obj, name), notify=notify))
        try:
            return self.ask(obj, name)
        except SynchronousOnlyOperation:
            pass
        notify = self._notify(relations, site, root, index)
        return (yield Wait(Kind.CALL, self.ask, (obj, name), notify=notify))

    def _notify(self, relations: Relations | None, site: Any, root: Any, index: int) -> Notify:
        if relations is None:
            return None
        return relations.python_step(self.obj, self.name, site, root, index)


PLANNED.add(Missed)


@internal
def lookup_attribute(environment: Any, obj: Any, name: str) -> Any:
    """Look up ``obj.name`` as ``Environment.getattr`` does: the attribute, else the item."""
    if type(obj) is dict and name not in names_of_dicts:
        try:
            return obj[name]
        except KeyError:
            return environment.undefined(obj=obj, name=name)
    if type(obj) not in DATA:
        if type(obj) in RELATED and needs_look(obj, name):
            return Missed(environment.getattr, obj, name)
        code = attribute_code(obj, name)
        # A source knows by itself what it cannot do on the loop.
        if code is not None and type(obj) not in SOURCES and stands_on_loop():
            return Missed(environment.getattr, obj, name, code)
    try:
        return getattr(obj, name)
    except AttributeError:
        return as_item(environment, obj, name)
    except SynchronousOnlyOperation:
        return Missed(environment.getattr, obj, name)


@internal
def as_item(environment: Any, obj: Any, name: str) -> Any:
    try:
        return obj[name]
    except (TypeError, LookupError, AttributeError):
        return environment.undefined(obj=obj, name=name)
    except SynchronousOnlyOperation:
        return Missed(environment.getattr, obj, name)


@internal
def watched_attribute(environment: Any, obj: Any, name: str) -> Any:
    """The same where no guard stops a query: a model's relations are looked at first."""
    if type(obj) in RELATED:
        if needs_look(obj, name):
            return Missed(environment.getattr, obj, name)
    elif type(obj) is not dict:
        # What `lookup_attribute` does first, without the cost of a second call.
        try:
            return getattr(obj, name)
        except AttributeError:
            return as_item(environment, obj, name)
        except SynchronousOnlyOperation:
            return Missed(environment.getattr, obj, name)
    return lookup_attribute(environment, obj, name)


def needs_look(obj: Any, name: str) -> bool:
    """Whether reading an attribute may send a query that the policy has a say in."""
    if name in obj.__dict__ or not issubclass(type(obj), Model):
        return False
    return seam.relations.may_query(obj, name)


@internal
def secured_attribute(environment: Any, obj: Any, name: str) -> Any:
    """Look up ``obj.name`` in an environment with a ``getattr`` of its own (a sandbox)."""
    if type(obj) in RELATED and needs_look(obj, name):
        return Missed(environment.getattr, obj, name)
    if type(obj) not in DATA:
        code = attribute_code(obj, name)
        # A source knows by itself what it cannot do on the loop.
        if code is not None and type(obj) not in SOURCES and stands_on_loop():
            return Missed(environment.getattr, obj, name, code)
    try:
        return environment.getattr(obj, name)
    except SynchronousOnlyOperation:
        return Missed(environment.getattr, obj, name)


@internal
def item(environment: Any, obj: Any, key: Any) -> Any:
    """Look up ``obj[key]`` as ``Environment.getitem`` does: the item, else the attribute."""
    if type(obj) in PLAIN_OR_MODEL and type(key) is str:
        # A type without ``__getitem__``: only the attribute can be meant.
        if type(obj) in RELATED and needs_look(obj, key):
            return Missed(environment.getitem, obj, key)
        if type(obj) not in DATA:
            code = attribute_code(obj, key)
            if code is not None and stands_on_loop():
                return Missed(environment.getitem, obj, key, code)
        try:
            return getattr(obj, key)
        except AttributeError:
            return environment.undefined(obj=obj, name=key)
        except SynchronousOnlyOperation:
            return Missed(environment.getitem, obj, key)
    return secured_item(environment, obj, key)


@internal
def secured_item(environment: Any, obj: Any, key: Any) -> Any:
    """Look up ``obj[key]`` in an environment with a ``getitem`` of its own (a sandbox)."""
    if type(obj) in RELATED and type(key) is str and needs_look(obj, key):
        return Missed(environment.getitem, obj, key)
    if type(obj) in SOURCES and type(key) is int and not is_async_iterator(type(obj)):
        return AwaitablePlan(source_item(environment, obj, key))
    if type(obj) not in DATA:
        code = item_code(obj, key)
        if code is not None and stands_on_loop():
            return Missed(environment.getitem, obj, key, code)
    try:
        return environment.getitem(obj, key)
    except SynchronousOnlyOperation:
        return Missed(environment.getitem, obj, key)


def item_code(obj: Any, key: Any) -> Any:
    """What looking ``obj[key]`` up runs: the subscript, or the attribute of that name."""
    if type(key) is str:
        return attribute_code(obj, key)
    return special_code(type(obj), "__getitem__") or comparison_code(key)


@internal
def read_attribute(
    look_up: Callable[[Any, Any, str], Any], environment: Any, obj: Any, name: str
) -> Any:
    """Look up what querysets are asked for (``count``): of some, only the async method answers."""
    found = look_up(environment, obj, name)
    if type(obj) in SOURCES or (is_undefined(found) and has_only_twins(type(obj))):
        return AwaitablePlan(source_attribute(found, look_up, environment, obj, name))._start()
    return found


def is_undefined(value: Any) -> bool:
    return issubclass(type(value), Undefined)


@internal
def source_attribute(
    found: Any, look_up: Callable[[Any, Any, str], Any], environment: Any, obj: Any, name: str
) -> Plan:
    """The plan of what a source is asked for: what it has under the name, or what stands in."""
    if type(found) is Missed:
        found = yield from found_or_missing(found, environment)
    missing = is_undefined(found)
    if missing or (type(found) is MethodType and not is_marked(found)):
        # As any attribute: a sandbox has its say about it, and later about its call.
        twin = look_up(environment, obj, f"a{name}")
        if type(twin) is Missed:
            twin = yield from found_or_missing(twin, environment)
        if is_undefined(twin):
            return rows_method(obj, name) or found if missing else found
        if missing:
            return found if only_twin(twin) is None else twin
        if source_twin(twin) is not None:
            if environment.is_async:
                return twin
            return found if environment.sandboxed else Either(found, twin)
    return found


@internal
def found_or_missing(missed: Missed, environment: Any) -> Plan:
    """What a source has under a name; nothing where only its subscript refuses to say."""
    try:
        return (yield from missed._finish())
    except SynchronousOnlyOperation:
        if hasattr(type(missed.obj), missed.name):
            raise
        return environment.undefined(obj=missed.obj, name=missed.name)


def has_own(environment: Environment, method: str) -> bool:
    """Whether an environment does a lookup in a way of its own."""
    return getattr(type(environment), method) is not getattr(Environment, method) or method in vars(
        environment
    )


ITEM_LOOKUP_ATTRIBUTE = "atemplates_item"
"""The attribute of an environment that holds how it looks items up."""


def item_lookup(environment: Environment) -> Callable[[Any, Any, Any], Any]:
    """How an environment looks items up."""
    lookup: Any = vars(environment).get(ITEM_LOOKUP_ATTRIBUTE)
    if lookup is None:
        lookup = secured_item if has_own(environment, "getitem") else item
        setattr(environment, ITEM_LOOKUP_ATTRIBUTE, lookup)
    return lookup  # type: ignore[no-any-return]
