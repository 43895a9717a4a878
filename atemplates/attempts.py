"""Running code of others on the event loop on trial: nothing is left of a run that has to be undone.

A step that turns out to need the request's thread runs there again. Its second run must not see
what the first has done, so what the step can reach at once is noted before and put back: the
attributes of the objects that it is given, the containers among them, and the context.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable, Iterable
from inspect import iscoroutine
from itertools import islice
from time import perf_counter
from typing import Any

from django.template.context import BaseContext

from .guard import BLOCKED, Watch
from .placement import record_of
from .python_code import SCALARS, SEVERAL, SOMEBODYS

LEAVE = type("Leave", (), {"__repr__": lambda self: "LEAVE"})()
"""What an attempt gives in the place of a result when the step belongs in the thread."""

NEEDS_NO_LOOP = (
    "You cannot use AsyncToSync in the same thread as an async event loop",
    "asyncio.run() cannot be called from a running event loop",
)
"""How asgiref and asyncio refuse code that works in a thread only."""

Undo = tuple[Callable[..., None], Any, Any]


def attempt(
    code: Any,
    function: Callable[..., Any],
    args: tuple[Any, ...] = (),
    kwargs: dict[str, Any] | None = None,
    objects: Iterable[Any] = (),
) -> Any:
    """Call a function on the event loop; leave nothing behind if it has to run in the thread.

    Args:
        code: what runs inside, whose record notes how it went.
        function: what to call.
        args: its arguments.
        kwargs: its keyword arguments.
        objects: what it may change: these are put back as they were.

    Returns:
        The result, or `LEAVE`.
    """
    undo: list[Undo] = []
    for item in objects:
        note(item, undo)
    watch = Watch(leave=True)
    result = None
    start = perf_counter()
    try:
        with watch:
            result = function(*args, **(kwargs or {}))
    except BaseException as error:
        if not watch.asked and not needs_thread(error):
            learn(code, perf_counter() - start, False)
            raise
        watch.asked = True
    learn(code, perf_counter() - start, watch.asked)
    if not watch.asked:
        return result
    if iscoroutine(result):
        result.close()
    for put_back, item, before in reversed(undo):
        put_back(item, before)
    return LEAVE


def needs_thread(error: BaseException) -> bool:
    """Whether an exception says that code cannot run on an event loop."""
    if isinstance(error, BLOCKED):
        return True
    return isinstance(error, RuntimeError) and str(error).startswith(NEEDS_NO_LOOP)


def learn(code: Any, seconds: float, asked: bool) -> None:
    if code is not None and code is not SOMEBODYS:
        record_of(code).note(seconds, asked)


def note(item: Any, undo: list[Undo]) -> None:
    """Note how an object is now: its attributes, and the containers among them."""
    kind = type(item)
    if kind in SCALARS or issubclass(kind, type):
        return
    if note_container(item, undo) or issubclass(kind, tuple):
        for part in tuple.__iter__(item) if issubclass(kind, tuple) else islice(parts(item), SEVERAL):
            if type(part) not in SCALARS and not note_container(part, undo):
                note_attributes(part, undo)
        return
    if issubclass(kind, BaseContext):
        note_context(item, undo)
        return
    note_attributes(item, undo)


def note_container(item: Any, undo: list[Undo]) -> bool:
    """Note what a container of Python's own holds; say whether it is one."""
    # By the type: a lazy object answers isinstance() by making what it stands for.
    for kind, copy, put_back in CONTAINERS:
        if issubclass(type(item), kind):
            undo.append((put_back, item, copy(item)))
            return True
    return False


def parts(item: Any) -> Iterable[Any]:
    """What a container of Python's own holds; asks no code of a derived class."""
    if issubclass(type(item), dict):
        return dict.values(item)
    for kind in (list, set, deque):
        if issubclass(type(item), kind):
            return kind.__iter__(item)  # type: ignore[no-any-return, attr-defined]
    return ()


def note_attributes(item: Any, undo: list[Undo]) -> None:
    try:
        attributes = object.__getattribute__(item, "__dict__")
    except (AttributeError, TypeError):
        attributes = None
    if type(attributes) is dict:
        before = attributes.copy()
        undo.append((put_back_dict, attributes, before))
        for value in before.values():
            if type(value) not in SCALARS:
                note_container(value, undo)
    slots = {name: slot for base in type(item).__mro__ for name, slot in slots_of(base)}
    if slots:
        undo.append((put_back_slots, item, [(slot, slot_value(slot, item)) for slot in slots.values()]))


def slots_of(base: type) -> Iterable[tuple[str, Any]]:
    if "__slots__" not in base.__dict__:
        return ()
    member = type(Watch.asked)  # a member descriptor
    return [(name, slot) for name, slot in base.__dict__.items() if type(slot) is member]


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


def note_context(context: Any, undo: list[Undo]) -> None:
    """Note the frames of a context and of its render context, and what is set on them."""
    note_attributes(context, undo)
    for scopes in (context, getattr(context, "render_context", None)):
        if scopes is None:
            continue
        undo.append((put_back_list, scopes.dicts, list(scopes.dicts)))
        for scope in scopes.dicts:
            if isinstance(scope, dict):
                undo.append((put_back_dict, scope, dict(scope)))


def put_back_dict(item: dict[Any, Any], before: dict[Any, Any]) -> None:
    """Give a dict its entries back, in their order; one that has them is left alone."""
    if len(item) == len(before) and all(map(is_same, dict.values(item), before.values())):
        if all(map(is_same, dict.keys(item), before)):
            return
    dict.clear(item)
    dict.update(item, before)


def put_back_ordered(item: OrderedDict[Any, Any], before: list[tuple[Any, Any]]) -> None:
    """Give an ordered dict its entries back: it keeps their order itself, beside the dict."""
    OrderedDict.clear(item)
    for key, value in before:
        OrderedDict.__setitem__(item, key, value)


def ordered_items(item: OrderedDict[Any, Any]) -> list[tuple[Any, Any]]:
    return list(OrderedDict.items(item))


def put_back_list(item: list[Any], before: list[Any]) -> None:
    """Give a list its items back."""
    if list.__len__(item) == len(before) and all(map(is_same, list.__iter__(item), before)):
        return
    list.__setitem__(item, slice(None), before)


def deque_items(item: deque[Any]) -> list[Any]:
    return list(deque.__iter__(item))


def put_back_deque(item: deque[Any], before: list[Any]) -> None:
    """Give a deque its items back."""
    deque.clear(item)
    deque.extend(item, before)


def is_same(one: Any, other: Any) -> bool:
    return one is other


def set_items(item: set[Any]) -> list[Any]:
    return list(set.__iter__(item))


def put_back_set(item: set[Any], before: list[Any]) -> None:
    """Give a set its members back."""
    set.clear(item)
    set.update(item, before)


def put_back_bytes(item: bytearray, before: bytes) -> None:
    """Give a bytearray its bytes back."""
    item[:] = before


CONTAINERS: tuple[tuple[type, Callable[[Any], Any], Callable[..., None]], ...] = (
    (OrderedDict, ordered_items, put_back_ordered),
    (dict, dict.copy, put_back_dict),
    (list, list.copy, put_back_list),
    (set, set_items, put_back_set),
    (deque, deque_items, put_back_deque),
    (bytearray, bytes, put_back_bytes),
)
