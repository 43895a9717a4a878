"""Objects of a request whose writing methods raise once the response's headers have left.

An object is guarded in place: it gets a subclass of its own class, made for that purpose. So
whoever holds it already is guarded as well, `isinstance` says what it said, and the guard ends with
the object. What is pickled or copied is of the original class.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache, wraps
from inspect import isawaitable, iscoroutinefunction
from typing import Any, TypeAlias

from django.utils.functional import LazyObject, empty

from ..errors import LateWrite

RENDERINGS: ContextVar[tuple[object, ...]] = ContextVar("atemplates_renderings", default=())
"""Of which responses the code that runs is the rendering: one, and those around it."""

MARK = "atemplates_rendering"
"""Where a request, and what is guarded of it, keeps the mark of its rendering."""
GUARDED = "__atemplates_guarded__"
"""Where the class of a guarded object notes the original one."""
MOST_CLASSES = 64
"""How many guarded classes are kept: a site has one kind of session, but may make others."""

ANYBODY = object()
"""The mark of what nobody may write any more."""

LateCheck: TypeAlias = Callable[..., LateWrite | Awaitable[LateWrite | None] | None]
"""Is given the object and the arguments of a call; returns the error if that would write. That of a
coroutine function may return an awaitable."""
LateChecks: TypeAlias = tuple[tuple[str, LateCheck], ...]
"""The names of the methods that write, each with what checks its calls."""


def begin_rendering(request: Any) -> None:
    """Say that the code in this context, and in those copied from it, renders a page for a request.

    To be called in the task that renders it.
    """
    RENDERINGS.set((*RENDERINGS.get(), mark_of(request)))


def mark_of(request: Any) -> object:
    """Return what stands for the rendering of a request's page."""
    return request.__dict__.setdefault(MARK, object())


def is_late(guarded: Any) -> bool:
    """Whether the code that runs may not write a guarded object."""
    mark = guarded.__dict__.get(MARK)
    return mark is ANYBODY or mark in RENDERINGS.get()


def guard_object(value: Any, mark: object, checks: LateChecks) -> None:
    """Guard an object from now on.

    Args:
        value: the object, or a lazy one that stands for it. One that cannot be given another class
            is left alone, such as a plain dict in the place of a session.
        mark: the rendering that may not write it, or `ANYBODY`.
        checks: the methods that write.
    """
    if is_unmade(value):
        when_made(value, lambda made: guard_object(made, mark, checks))
        return
    if issubclass(type(value), LazyObject):
        value = value.__dict__["_wrapped"]
    kind: Any = type(value)
    if GUARDED in kind.__dict__:
        return
    try:
        value.__dict__[MARK] = mark
        object.__setattr__(value, "__class__", guarded_class(kind, checks))
    except (AttributeError, TypeError):
        return


def when_made(lazy: Any, note: Callable[[Any], object]) -> None:
    """Call a function with what a lazy object stands for as soon as that is made."""
    make = lazy.__dict__.get("_setupfunc")

    def make_noted() -> Any:
        value = make()
        note(value)
        return value

    if make is not None:
        lazy.__dict__["_setupfunc"] = make_noted


def is_unmade(value: Any) -> bool:
    """Whether a value is a lazy object that nobody has asked for what it stands for."""
    return issubclass(type(value), LazyObject) and value.__dict__.get("_wrapped") is empty


def forbid_making(lazy: Any, mark: object, error: Callable[[], LateWrite]) -> None:
    """Let no code of a rendering be the first to ask for what a lazy object stands for.

    Args:
        lazy: the object; one that is made already is left alone, and what is not lazy.
        mark: the rendering.
        error: gives what is raised then.
    """
    if not is_unmade(lazy):
        return
    make = lazy.__dict__.get("_setupfunc")

    def make_in_time() -> Any:
        if mark in RENDERINGS.get():
            raise error()
        return make()

    if make is not None:
        lazy.__dict__["_setupfunc"] = make_in_time


@lru_cache(MOST_CLASSES)
def guarded_class(kind: type, checks: LateChecks) -> type:
    """Return the subclass of a class whose methods are checked before they are called.

    It has the names of the class: a session's salt is made of its class's name.
    """
    namespace: dict[str, Any] = {
        "__slots__": (),
        "__module__": kind.__module__,
        "__qualname__": kind.__qualname__,
        "__doc__": kind.__doc__,
        "__reduce_ex__": reduced,
        GUARDED: kind,
    }
    for name, check in checks:
        method = getattr(kind, name, None)
        if method is not None:
            namespace[name] = checked(method, check)
    return type(kind)(kind.__name__, (kind,), namespace)


def reduced(self: Any, protocol: Any) -> Any:
    """What a guarded object is pickled and copied by: one of the original class, without a mark."""
    kind = type(self)
    function, args, *rest = super(kind, self).__reduce_ex__(protocol)
    original = kind.__dict__[GUARDED]
    args = tuple(original if each is kind else each for each in args)
    if (
        getattr(function, "__name__", "") == "__newobj__"
    ):  # which demands the class that the object has
        function = new_object
    if rest and isinstance(rest[0], dict):
        rest[0] = {name: value for name, value in rest[0].items() if name != MARK}
    return (function, args, *rest)


def new_object(kind: type, *args: Any) -> Any:
    """What a pickled object is made by."""
    return kind.__new__(kind, *args)


def checked(method: Callable[..., Any], check: LateCheck) -> Callable[..., Any]:
    """Return a method that is checked each time that it is called, or awaited."""

    async def call_async(self: Any, *args: Any, **kwargs: Any) -> Any:
        if not is_late(self):
            return await method(self, *args, **kwargs)
        error = check(self, *args, **kwargs)
        if isawaitable(error):
            error = await error
        if error is not None:
            raise error
        with outside_of_renderings():
            return await method(self, *args, **kwargs)

    def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        if not is_late(self):
            return method(self, *args, **kwargs)
        error = check(self, *args, **kwargs)
        if error is not None:
            raise error  # type: ignore[misc]
        # It writes nothing, whatever it sets: `pop` sets what says "modified" to what it was.
        with outside_of_renderings():
            return method(self, *args, **kwargs)

    return wraps(method)(call_async if iscoroutinefunction(method) else call)


@contextmanager
def outside_of_renderings() -> Iterator[None]:
    """Have the code inside count as code of no rendering."""
    around = RENDERINGS.get()
    RENDERINGS.set(())
    try:
        yield
    finally:
        RENDERINGS.set(around)
