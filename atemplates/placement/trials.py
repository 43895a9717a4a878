"""Running code of others on the event loop on trial: what has to be undone leaves nothing behind.

A step that turns out to need the request's thread runs there again. Its second run must not see
what the first has done, so what the step can reach at once is noted before and put back: the
attributes of the objects that it is given, the containers among them, the context, and context
variables such as the language. What cannot be put back (an iterator), or is too much to note, is
not tried.
"""

from __future__ import annotations

import re
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable
from contextvars import Context, copy_context
from functools import lru_cache, partial
from inspect import iscoroutine
from io import IOBase
from time import perf_counter
from types import (
    BuiltinFunctionType,
    CodeType,
    FunctionType,
    MemberDescriptorType,
    MethodType,
    ModuleType,
)
from typing import Any, NamedTuple, Protocol

from django.db.models import Field
from django.db.models.options import Options
from django.template.base import Template
from django.template.context import BaseContext
from django.template.engine import Engine

from .guard import BLOCKED, GuardWatch
from .python_code import CODELESS_TYPES, SOMEBODYS
from .records import FunctionRecord, function_record

LEAVE = type("Leave", (), {"__repr__": lambda self: "LEAVE"})()
"""What an attempt gives in the place of a result when the step belongs in the thread."""

NEEDS_NO_LOOP = (
    "You cannot use AsyncToSync in the same thread as an async event loop",
    "asyncio.run() cannot be called from a running event loop",
)
"""How asgiref and asyncio refuse code that works in a thread only."""

Undo = tuple[Callable[..., None], Any, Any]
"""What puts an object back, the object, and how it was."""

DEPTH = 3
"""How far an attempt notes what objects hold: their attributes, those of these, and once more."""
MOST_NOTED = 100
"""How many objects an attempt notes at most."""
UNCHANGING: frozenset[type] = CODELESS_TYPES | {
    *(FunctionType, BuiltinFunctionType, ModuleType, CodeType, type),
    *(slice, re.Pattern),
}
"""Exact types of what a step does not change."""
UNCHANGING_BASES: tuple[type, ...] = (type, ModuleType, Engine, Template, Options, Field, IOBase)
"""What is shared by all renders, and no business of a step; and files, such as a request's body."""


class Spending(Protocol):
    """What a render has spent on trials."""

    trials: float
    spent: float


def attempt(
    code: Any,
    function: Callable[..., Any],
    args: tuple[Any, ...] = (),
    kwargs: dict[str, Any] | None = None,
    objects: Iterable[Any] = (),
    spending: Spending | None = None,
) -> Any:
    """Call a function on the event loop; leave nothing behind if it has to run in the thread.

    Args:
        code: what runs inside, whose record notes how it went.
        function: what to call.
        args: its arguments.
        kwargs: its keyword arguments.
        objects: what it may change: these are put back as they were.
        spending: where it is counted what was noted.

    Returns:
        The result, or `LEAVE`.
    """
    notes: Notes | None = None
    try:
        for item in objects:
            if type(item) not in UNCHANGING:
                notes = notes or Notes()
                notes.note(item)
    except TooMuch:
        return LEAVE
    finally:
        if notes is not None and spending is not None:
            spending.trials += len(notes.seen)
    variables = copy_context()
    result = None
    # Not a ``with``, which takes as long as many a function: so does each line here.
    watch = GuardWatch(leave=True)
    watch.begin()
    start = perf_counter()
    try:
        result = function(*args, **kwargs) if kwargs else function(*args)
    except BaseException as error:
        if not watch.asked and not needs_thread(error):
            learn_of_trial(code, perf_counter() - start, False)
            raise
        watch.asked = True
    finally:
        seconds = perf_counter() - start
        watch.end()
    learn_of_trial(code, seconds, watch.asked)
    if not watch.asked:
        return result
    if iscoroutine(result):
        result.close()
    if notes is not None:
        notes.put_back()
    put_back_variables(variables)
    return LEAVE


def quick_attempt(
    record: FunctionRecord,
    function: Callable[..., Any],
    args: Iterable[Any],
    kwargs: dict[str, Any],
    spending: Spending,
) -> Any:
    """Do the same as `attempt` for code that has run on the loop in this render, and whose
    arguments are all `UNCHANGING`: nothing is to be noted.

    Args:
        record: the record of the code that runs.
        spending: where it is counted what this took.

    Returns:
        The result, or `LEAVE`.
    """
    variables = copy_context()
    watch = GuardWatch(leave=True)
    watch.begin()
    start = perf_counter()
    try:
        result = function(*args, **kwargs)
    except BaseException as error:
        if not watch.asked and not needs_thread(error):
            record.note(perf_counter() - start, False)
            raise
        watch.asked = True
        result = None
    finally:
        seconds = perf_counter() - start
        watch.end()
    record.note(seconds, watch.asked)
    spending.spent += seconds
    spending.trials += QUICK_TRIAL
    if not watch.asked:
        return result
    if iscoroutine(result):
        result.close()
    put_back_variables(variables)
    return LEAVE


QUICK_TRIAL = 0.25
"""What a quick attempt counts for: it takes a quarter of the time of another."""


def needs_thread(error: BaseException) -> bool:
    """Whether an exception says that code cannot run on an event loop."""
    if isinstance(error, BLOCKED):
        return True
    return isinstance(error, RuntimeError) and str(error).startswith(NEEDS_NO_LOOP)


def learn_of_trial(code: Any, seconds: float, asked: bool) -> None:
    if code is not None and code is not SOMEBODYS:
        function_record(code).note(seconds, asked)


class TooMuch(Exception):
    """There is more to note than a hop to the thread costs, or what cannot be put back."""


class Notes:
    """How objects were before an attempt: their attributes, containers, and what these hold."""

    def __init__(self) -> None:
        self.undo: list[Undo] = []
        self.seen: dict[int, Any] = {}
        """What was noted, by identity; it stays alive, so that an identity stays its own."""

    def put_back(self) -> None:
        """Make the objects what they were."""
        for put_back, item, before in reversed(self.undo):
            put_back(item, before)

    def note(self, item: Any, depth: int = DEPTH) -> None:
        """Note an object and, as far as ``depth`` goes, what it holds.

        Raises:
            TooMuch: it holds too much, or an iterator.
        """
        way = noting_method(type(item))  # type: ignore[arg-type]
        if way is None or id(item) in self.seen:
            return
        self.seen[id(item)] = item
        if len(self.seen) > MOST_NOTED:
            raise TooMuch
        if way.is_used_up:
            raise TooMuch
        if way.is_context:
            self.note_context(item, depth)
            return
        if way.container is not None:
            _, copy, put_back, values = way.container
            before = copy(item)
            self.undo.append((put_back, item, before))
            self.note_several(values(before), depth)
        elif way.held is not None:
            self.note_several(way.held(item), depth)
        if way.has_attributes:
            self.note_attributes(item, depth)

    def note_several(self, items: Iterable[Any], depth: int) -> None:
        """Note what an object holds, if the depth is not reached."""
        if depth:
            for number, item in enumerate(items):
                if number > MOST_NOTED:
                    raise TooMuch
                if type(item) not in UNCHANGING:
                    self.note(item, depth - 1)

    def note_attributes(self, item: Any, depth: int) -> None:
        """Note the attributes of an object, in its dict and in slots."""
        try:
            attributes = object.__getattribute__(item, "__dict__")
        except (AttributeError, TypeError):
            attributes = None
        if type(attributes) is dict:
            self.undo.append((put_back_dict, attributes, attributes.copy()))
            self.note_several(list(attributes.values()), depth)
        slots = slots_of(type(item))  # type: ignore[arg-type]
        if slots:
            values = [(slot, slot_value(slot, item)) for slot in slots]
            self.undo.append((put_back_slots, item, values))
            self.note_several([value for _, value in values if value is not LEAVE], depth)

    def note_context(self, context: Any, depth: int) -> None:
        """Note the frames of a context and of its render context, and what is set on them."""
        attributes = vars(context)
        self.undo.append((put_back_dict, attributes, attributes.copy()))
        for scopes in (context, getattr(context, "render_context", None)):
            if scopes is None:
                continue
            self.undo.append((put_back_list, scopes.dicts, list(scopes.dicts)))
            for scope in scopes.dicts:
                if isinstance(scope, dict):
                    self.undo.append((put_back_dict, scope, dict(scope)))
                    if scopes is context:
                        self.note_several(list(scope.values()), depth)
        request = attributes.get("request")
        if request is not None:
            self.note(request, depth)


class NotingMethod(NamedTuple):
    """How the objects of a type are noted."""

    is_context: bool
    is_used_up: bool
    """Whether they can be gone through once only."""
    container: Any
    """The entry of `NOTED_CONTAINERS`; None for what is no container."""
    held: Any
    """Gives what an object of another kind holds, apart from its attributes."""
    has_attributes: bool


@lru_cache(1000)
def noting_method(kind: Any) -> NotingMethod | None:
    """How the objects of a type are noted; None where there is nothing to note."""
    if kind in UNCHANGING or issubclass(kind, UNCHANGING_BASES):
        return None
    container = next((entry for entry in NOTED_CONTAINERS if issubclass(kind, entry[0])), None)
    held = next((give for base, give in HOLDING if issubclass(kind, base)), None)
    bare = kind in (tuple, frozenset, MethodType, *(entry[0] for entry in NOTED_CONTAINERS))
    is_used_up = any("__next__" in base.__dict__ for base in kind.__mro__)
    return NotingMethod(issubclass(kind, BaseContext), is_used_up, container, held, not bare)


HOLDING: tuple[tuple[type, Callable[[Any], Iterable[Any]]], ...] = (
    (tuple, tuple.__iter__),
    (frozenset, frozenset.__iter__),
    (MethodType, lambda method: (method.__self__,)),
    (partial, lambda part: (part.func, *part.args, *part.keywords.values())),
)
"""What holds others in a way of its own."""


@lru_cache(1000)
def slots_of(kind: Any) -> tuple[Any, ...]:
    """The slots of a type, as descriptors."""
    return tuple(
        slot
        for base in kind.__mro__
        if "__slots__" in base.__dict__
        for slot in base.__dict__.values()
        if type(slot) is MemberDescriptorType
    )


def slot_value(slot: Any, item: Any) -> Any:
    try:
        value = slot.__get__(item)
    except AttributeError:
        return LEAVE
    return value


def put_back_slots(item: Any, values: list[tuple[Any, Any]]) -> None:
    for slot, value in values:
        if value is LEAVE:
            if slot_value(slot, item) is not LEAVE:
                slot.__delete__(item)
        else:
            slot.__set__(item, value)


def put_back_variables(before: Context) -> None:
    """Give context variables their values back."""
    now = copy_context()
    for variable, value in before.items():
        if now.get(variable, LEAVE) is not value:
            variable.set(value)


def put_back_dict(item: dict[Any, Any], before: dict[Any, Any]) -> None:
    """Give a dict its entries back, in their order; one that has them is left alone."""
    if (
        dict.__len__(item) == len(before)
        and all(map(is_same, dict.__iter__(item), before))
        and all(map(is_same, dict.values(item), before.values()))
    ):
        return
    dict.clear(item)
    dict.update(item, before)


def put_back_ordered(item: OrderedDict[Any, Any], before: dict[Any, Any]) -> None:
    """Do the same for an ordered dict, which keeps the order of its entries beside the dict."""
    OrderedDict.clear(item)
    for key, value in before.items():
        OrderedDict.__setitem__(item, key, value)


def put_back_list(item: list[Any], before: list[Any]) -> None:
    """Give a list its items back."""
    if list.__len__(item) == len(before) and all(map(is_same, list.__iter__(item), before)):
        return
    list.__setitem__(item, slice(None), before)


def put_back_deque(item: deque[Any], before: list[Any]) -> None:
    """Give a deque its items back."""
    deque.clear(item)
    deque.extend(item, before)


def is_same(one: Any, other: Any) -> bool:
    return one is other


def put_back_set(item: set[Any], before: list[Any]) -> None:
    """Give a set its members back."""
    set.clear(item)
    set.update(item, before)


def put_back_bytes(item: bytearray, before: bytes) -> None:
    """Give a bytearray its bytes back."""
    item[:] = before


NOTED_CONTAINERS: tuple[tuple[type, Callable[[Any], Any], Callable[..., None], Any], ...] = (
    (OrderedDict, lambda item: dict(OrderedDict.items(item)), put_back_ordered, dict.values),
    (dict, dict.copy, put_back_dict, dict.values),
    (list, list.copy, put_back_list, iter),
    (set, lambda item: list(set.__iter__(item)), put_back_set, iter),
    (deque, lambda item: list(deque.__iter__(item)), put_back_deque, iter),
    (bytearray, bytes, put_back_bytes, lambda before: ()),
)
"""Python's own containers: how one is copied, put back, and what of a copy to note as well.
None of it asks a method of a derived class."""
