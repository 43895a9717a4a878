"""Hooks of class-based views: called in a thread they return, on the event loop they are awaited.

Whoever calls a hook decides how: code in a thread writes ``self.get_queryset()``, a coroutine
``await self.get_queryset()``, and so with ``super()``. Whether the hook is Django's, a ``def`` or
an ``async def`` makes no difference: a ``def`` runs in a thread, an ``async def`` on the loop.

Three things bring that about. Our own classes say what a hook of Django's does on the loop
(`twin`, `Hooks.in_thread`). A class that derives from them has its hooks adopted when it is made,
so that ``super()`` finds adopted ones. What comes later or from elsewhere (a mixin that is
not ours, a decorator of the class, an argument of ``as_view``) is adopted when a view is made for a
request.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterator
from functools import partial, partialmethod, wraps
from inspect import CO_COROUTINE, getattr_static
from sys import _getframe
from types import FunctionType
from typing import Any, ClassVar

from ..errors import NotAwaited
from ..runtime.answers import running_loop
from ..runtime.drivers import close_awaitable, in_request_thread, wait_for
from ..runtime.hops import ASYNC_TO_SYNC, iscoroutinefunction, markcoroutinefunction
from ..runtime.hybrid import HybridCall, is_awaited
from ..runtime.types import is_awaitable
from .colours import (
    HANDLERS,
    HOOKS,
    RESPONDING,
    VERDICTS,
    VIEW_ATTRIBUTES,
    Colour,
    colour_of,
    give_colour,
)
from .hook_errors import OURS, explain_super, hook_name, what_to_write

Twin = Callable[..., Coroutine[Any, Any, Any]]


def twin(function: Twin) -> Any:
    """Say that a method of our classes is what its namesake of Django's does on the event loop.

    The class makes a hook of it. (For a type checker it is no method of its own.) In a thread the
    hook is Django's, unless the class has a method ``_<name>_in_thread``.
    """
    return function


class Hooks:
    """Base of all our views and mixins: adopts the hooks of the classes that derive from it."""

    in_thread: ClassVar[frozenset[str]] = frozenset()
    """Hooks of one of our own classes, and of those that derive from it, that do I/O: Django's
    method runs in the thread. What is neither here nor a `twin` calls no other hook and waits for
    nothing: it runs on the loop."""

    _hook_names: ClassVar[tuple[str, ...]] = ()
    _has_properties: ClassVar[bool] = False
    _colours: dict[str, Colour]

    _last_view: ClassVar[tuple[tuple[tuple[str, Any], ...], dict[str, Colour]] | None] = None
    """The hooks and colours of the last view of the class, if all of them stand in classes."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if is_ours(cls):
            _take_over(cls)
        else:
            for name in HOOKS & vars(cls).keys():
                _adopt_in_class(cls, name)
        cls._hook_names = tuple(
            name
            for name in sorted(HOOKS)
            if hasattr(cls, name) and not isinstance(getattr_static(cls, name), PassedOn)
        )
        cls._last_view = None
        cls._has_properties = any(_is_property(cls, name) for name in VIEW_ATTRIBUTES)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        adopt_hooks(self)


def is_ours(kind: type) -> bool:
    """Whether a class is one of this package, and not one that derives from them."""
    return kind.__module__ == OURS or kind.__module__.startswith(f"{OURS}.")


def colours_of(view: Any, names: frozenset[str] | None = None) -> set[Colour]:
    """The colours of a view's hooks, or of those in ``names``."""
    if "_colours" not in vars(view):
        adopt_hooks(view)  # its own `__init__` calls none of ours
    colours: dict[str, Colour] = view._colours
    if names is None:
        return set(colours.values())
    return {colour for name, colour in colours.items() if name in names}


def has_properties(view: Any) -> bool:
    """Whether an attribute that Django's views read is a property of the site: code of its own."""
    return type(view)._has_properties  # type: ignore[no-any-return]


def _is_property(cls: type, name: str) -> bool:
    value = getattr_static(cls, name, None)
    return hasattr(type(value), "__get__") and not isinstance(value, type)


# -- our own classes -------------------------------------------------------------------------------


def _take_over(cls: type[Hooks]) -> None:
    """Give one of our classes the hooks of the class of Django's that it stands for."""
    bases = (each for each in cls.__bases__ if issubclass(each, Hooks))
    cls.in_thread = cls.in_thread.union(*(each.in_thread for each in bases))
    for base_class in cls.__bases__:
        if base_class.__name__ == cls.__name__:
            for name, function in list(vars(base_class).items()):
                if name in HOOKS and isinstance(function, FunctionType):
                    setattr(cls, name, _base_hook(cls, function))


def _base_hook(cls: type[Hooks], function: FunctionType) -> Any:
    """Make the hook that calls ``function`` of Django's in a thread, and our twin on the loop."""
    name = function.__name__

    def in_thread(self: Any, *args: Any, **kwargs: Any) -> Any:
        # `options` of an async view gives a coroutine wherever it is called.
        return _waited_for(getattr(super(cls, self), name)(*args, **kwargs))

    async def plainly(self: Any, *args: Any, **kwargs: Any) -> Any:
        result = function(self, *args, **kwargs)
        return await result if isinstance(result, Coroutine) else result

    async def in_a_hop(self: Any, *args: Any, **kwargs: Any) -> Any:
        return await in_request_thread(in_thread, self, *args, **kwargs)

    own = vars(cls).get(name)
    own_in_thread = vars(cls).get(f"_{name}_in_thread", in_thread)
    on_loop = own or (in_a_hop if name in cls.in_thread else plainly)
    hook = _hybrid(name, own_in_thread, on_loop)
    hook.__doc__ = hook.__doc__ or function.__doc__
    give_colour(hook, Colour.BASE)
    return AsyncHandler(hook) if name in HANDLERS else hook


@markcoroutinefunction
class AsyncHandler:
    """A handler of ours as it stands in its class: a coroutine function, so the view is async.

    The method of a view is none. So what ``method_decorator`` makes of it runs in the thread, as in
    a sync view of Django's: a decorator asks it for a response, and asks caches and sessions there.
    """

    __slots__ = ("hook",)  # and no dict: what is in one is copied to what wraps the handler

    def __init__(self, hook: Any) -> None:
        self.hook = hook

    def __getattr__(self, name: str) -> Any:
        return self.hook if name == "__func__" else getattr(self.hook, name)

    def __get__(self, view: Any, kind: type | None = None) -> Any:
        """Return the method of a view; of a class, the handler itself."""
        return self if view is None else self.hook.__get__(view, kind)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the handler as a function of the view."""
        return self.hook(*args, **kwargs)


def _hybrid(name: str, in_thread: Callable[..., Any], on_loop: Twin) -> Any:
    if name == "get_test_func":
        # Django's mixin calls the test in the thread, where a coroutine would be a passed one.
        in_thread = partial(_get_verdict_function, in_thread)

    def hook(self: Any, /, *args: Any, **kwargs: Any) -> Any:
        # As `is_awaited` says, which would be one call more; a request calls some twenty hooks.
        if running_loop() is not None or _getframe(1).f_code is ASYNC_TO_SYNC:
            return HybridCall(on_loop(self, *args, **kwargs), partial(what_to_write, self, name))
        return in_thread(self, *args, **kwargs)

    hook.__name__ = name
    hook.__qualname__ = on_loop.__qualname__
    hook.__doc__ = on_loop.__doc__
    return hook


# -- classes that derive from ours -----------------------------------------------------------------


def _adopt_in_class(cls: type, name: str) -> None:
    value = vars(cls)[name]
    is_method = callable(value) or isinstance(value, (staticmethod, classmethod, property))
    if is_method and colour_of(value) is None:
        setattr(cls, name, adopt_hook(value, cls, name))


def adopt_hooks(view: Any) -> None:
    """Adopt the hooks of a view that are no hooks yet, and note the colour of each."""
    cls, own = type(view), vars(view)
    if cls._last_view is not None:
        hooks, colours = cls._last_view
        for name, hook in hooks:
            if getattr(cls, name, None) is not hook or name in own:
                break
        else:
            view._colours = colours
            return
    view._colours = dict(_adopt_in_instance(view))
    if own.keys().isdisjoint(cls._hook_names):
        hooks = tuple((name, getattr(cls, name, None)) for name in cls._hook_names)
        cls._last_view = hooks, view._colours


def _adopt_in_instance(view: Any) -> Iterator[tuple[str, Colour]]:
    """Adopt what was not there when the class was made; give the colour of every hook."""
    cls = type(view)
    own = vars(view)
    for name in cls._hook_names:
        value = own[name] if name in own else getattr(cls, name, None)
        colour = colour_of(value)
        if colour is None:
            if not (callable(value) or isinstance(value, property)):
                continue
            static: Any = staticmethod(own[name]) if name in own else getattr_static(cls, name)
            hook = adopt_hook(static, cls, name)
            setattr(view, name, hook.__get__(view, cls))
            colour = colour_of(hook)
        assert colour is not None
        yield name, colour


def adopt_hook(value: Any, owner: type, name: str) -> Any:
    """Make the hook that calls a method of a site where it belongs.

    Args:
        value: the method as it stands in the class: a function, a staticmethod, ...
        owner: the class it stands in, for errors.
        name: its name.
    """

    def bound(self: Any) -> Callable[..., Any]:
        getter = getattr(value, "__get__", None)
        return getter(self, type(self)) if getter is not None else value  # type: ignore[no-any-return]

    async def await_it(self: Any, *args: Any, **kwargs: Any) -> Any:
        try:
            result = await bound(self)(*args, **kwargs)
        except (TypeError, AttributeError) as error:
            explain_super(error, self, owner, name, Colour.ASYNC)
            raise
        if name in RESPONDING and isinstance(result, HybridCall):
            result = await result
        return _checked(result, self, name)

    def block_on_it(self: Any, *args: Any, **kwargs: Any) -> Any:
        return wait_for(await_it(self, *args, **kwargs))

    def call_it(self: Any, *args: Any, **kwargs: Any) -> Any:
        try:
            result = bound(self)(*args, **kwargs)
        except (TypeError, AttributeError) as error:
            explain_super(error, self, owner, name, Colour.SYNC)
            raise
        if name in RESPONDING:
            return result  # a decorator that knows async has made it a coroutine
        return _checked(result, self, name)

    def get_it(self: Any, *args: Any, **kwargs: Any) -> Any:
        return _waited_for(call_it(self, *args, **kwargs))

    async def hop_to_it(self: Any, *args: Any, **kwargs: Any) -> Any:
        result = await in_request_thread(call_it, self, *args, **kwargs)
        return await result if isinstance(result, Coroutine) else result

    function = value.func if isinstance(value, partialmethod) else getattr(value, "__func__", value)
    is_async = _runs_on_loop(function, name)
    hook = _hybrid(name, block_on_it, await_it) if is_async else _hybrid(name, get_it, hop_to_it)
    if isinstance(function, FunctionType):
        hook = wraps(function)(hook)
    give_colour(hook, Colour.ASYNC if is_async else Colour.SYNC)
    return markcoroutinefunction(hook) if iscoroutinefunction(function) else hook


def _runs_on_loop(function: Any, name: str) -> bool:
    """Whether a method of a site is to be called on the loop.

    ``method_decorator`` marks what it makes of a handler as a coroutine function, whatever the
    decorator does. That is called in the thread, where a decorator that knows no async gets the
    response; what one that does makes of it is awaited on the loop.
    """
    if name in RESPONDING:
        code = getattr(function, "__code__", None)
        return code is not None and bool(code.co_flags & CO_COROUTINE)
    return iscoroutinefunction(function)


class PassedOn:
    """A hook of a mixin that stands in front of classes of others, and passes on to them.

    So ``await super().get_queryset()`` reaches a ``def`` of theirs in the request's thread.
    """

    def __init__(self, owner: type, name: str) -> None:
        self.owner = owner
        self.name = name

    def __get__(self, view: Any, kind: type) -> Any:
        """Return the next class's hook.

        Raises:
            AttributeError: there is none.
        """
        if view is None:
            return getattr(super(self.owner, kind), self.name)
        hook = getattr(super(self.owner, view), self.name)
        return partial(self.call, view, hook) if callable(hook) else hook

    def call(self, view: Any, hook: Any, /, *args: Any, **kwargs: Any) -> Any:
        if is_awaited(1):
            return HybridCall(ask(hook, *args, **kwargs), partial(what_to_write, view, self.name))
        return _waited_for(hook(*args, **kwargs))


def pass_on(mixin: type) -> None:
    """Give a mixin of ours every hook, for the class that stands behind it."""
    for name in HOOKS:
        setattr(mixin, name, PassedOn(mixin, name))


def _checked(result: Any, view: Any, name: str) -> Any:
    """The result of a hook of the site.

    Raises:
        NotAwaited: it is a coroutine.
    """
    if isinstance(result, Coroutine) or (name in VERDICTS and is_awaitable(result)):
        close_awaitable(result)
        if isinstance(result, HybridCall):
            result.close()
        raise NotAwaited(
            f"{hook_name(view, name)} returned a coroutine and not its value. Write it as "
            f"`async def {name}(self, ...)` and `await` what it returns."
        )
    return result


def _waited_for(result: Any) -> Any:
    """The value of what a function or coroutine function has given in a thread."""
    # A coroutine has `__await__`, which is asked for faster than an abstract class.
    is_one = hasattr(type(result), "__await__") and isinstance(result, Coroutine)
    return wait_for(result) if is_one else result


def _get_verdict_function(get_test_func: Callable[..., Any], view: Any) -> Callable[[], Any]:
    """Do what ``get_test_func()`` does in a thread, for a test that may give an awaitable.

    An awaitable is true: it is awaited, and not taken for a verdict.
    """
    test = get_test_func(view)

    def verdict_of_test() -> Any:
        verdict = test()
        while is_awaitable(verdict):
            verdict = wait_for(verdict)
        return verdict

    return verdict_of_test


async def ask(hook: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Await a hook or a coroutine function; call any other function in a hop."""
    if colour_of(hook) is not None or iscoroutinefunction(hook):
        return await hook(*args, **kwargs)
    result = await in_request_thread(hook, *args, **kwargs)
    return await result if isinstance(result, Coroutine) else result
