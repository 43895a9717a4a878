"""Objects for generated contexts that raise, that lie, or that need the database."""

from __future__ import annotations

from typing import Any

from django.utils.asyncio import async_unsafe

from .objects import Stable, fail


class Getter(Stable):
    """An object whose ``__getitem__`` raises, beside attributes."""

    a = "attribute a"

    def __init__(self, name: str) -> None:
        self.name = name

    def __getitem__(self, key: Any) -> Any:
        return fail(self.name)


class Items(Stable):
    """An object with ``__getitem__`` and nothing else: a sequence of the old kind."""

    def __init__(self, *items: Any) -> None:
        self.values = items

    def __getitem__(self, key: Any) -> Any:
        return self.values[key]


class Sequence(Items):
    """A sequence with a length, and without ``__iter__``."""

    def __len__(self) -> int:
        return len(self.values)


class Bag(Stable):
    """A length and ``__iter__``; it cannot be reversed or indexed."""

    def __init__(self, *items: Any) -> None:
        self.values = items

    def __len__(self) -> int:
        return len(self.values)

    def __iter__(self) -> Any:
        return iter(self.values)


class Liar(Bag):
    """Says that it is one longer than it is."""

    def __len__(self) -> int:
        return len(self.values) + 1


class Stream(Stable):
    """Only ``__iter__``, which raises in the end if it is told to."""

    def __init__(self, *items: Any, then: str = "") -> None:
        self.values = items
        self.then = then

    def __iter__(self) -> Any:
        yield from self.values
        if self.then:
            fail(self.then)


class Odd(Stable):
    """An object one of whose special methods raises."""

    def __init__(self, method: str, name: str) -> None:
        self.method, self.name = method, name

    def _do(self, method: str, usual: Any) -> Any:
        return fail(self.name) if self.method == method else usual

    def __bool__(self) -> bool:
        return bool(self._do("bool", True))

    def __len__(self) -> int:
        return int(self._do("len", 2))

    def __str__(self) -> str:
        return str(self._do("str", "<odd>"))

    def __eq__(self, other: object) -> bool:
        return bool(self._do("eq", self is other))

    def __lt__(self, other: object) -> bool:
        return bool(self._do("lt", False))

    def __contains__(self, item: object) -> bool:
        return bool(self._do("contains", True))

    def __iter__(self) -> Any:
        return self._do("iter", iter((1, 2)))

    def __hash__(self) -> int:
        return int(self._do("hash", 7))

    def __html__(self) -> str:
        return str(self._do("html", "<b>odd</b>"))

    def __call__(self) -> Any:
        return self._do("call", self)


class Falling(Stable):
    """Answers every attribute, with a value or by raising."""

    def __init__(self, value: Any = "", name: str = "") -> None:
        object.__setattr__(self, "_value", value)
        object.__setattr__(self, "_name", name)

    def __getattr__(self, attribute: str) -> Any:
        if attribute.startswith("__") or attribute in IN_NO_OBJECT:
            raise AttributeError(attribute)
        return fail(self._name) if self._name else self._value


IN_NO_OBJECT = {
    "silent_variable_failure",
    "get_queryset",
    "resolve_expression",
    "template",
    "render",
}


@async_unsafe("This needs the database.")
def guard(value: Any) -> Any:
    """Give the value; on an event loop raise what Django's database layer raises there."""
    return value


class Guarded(Stable):
    """An object each of whose operations needs the database."""

    def __init__(self, value: Any) -> None:
        self._value = value

    @property
    def a(self) -> Any:
        return guard(self._value)

    def method(self) -> Any:
        return guard(self._value)

    def __getitem__(self, key: Any) -> Any:
        return guard(self._value)[key]

    def __len__(self) -> int:
        return int(guard(2))

    def __iter__(self) -> Any:
        return iter(guard((self._value, self._value)))

    def __bool__(self) -> bool:
        return bool(guard(True))

    def __str__(self) -> str:
        return f"<{guard(self._value)!s}>"

    def __eq__(self, other: object) -> bool:
        return bool(guard(other == self._value))

    def __contains__(self, item: object) -> bool:
        return bool(guard(item == self._value))

    def __gt__(self, other: object) -> bool:
        return bool(guard(True))

    __hash__ = None  # type: ignore[assignment]


class GuardedAttributes(Stable):
    """Attributes that need the database, as those of a model are; it has no other manners."""

    def __init__(self, value: Any) -> None:
        self._value = value

    @property
    def a(self) -> Any:
        return guard(self._value)

    @property
    def b(self) -> Any:
        return guard(self)

    def method(self) -> Any:
        return guard(self._value)

    @property
    def attribute_error(self) -> Any:
        guard(None)
        return fail("AttributeError")

    def __str__(self) -> str:
        return f"<{guard(self._value)!s}>"


class WaitedFor:
    """Waited for as a coroutine is, without being one."""

    def __init__(self, value: Any) -> None:
        self.value = value

    def __await__(self) -> Any:
        yield from ()
        return self.value

    def __repr__(self) -> str:
        return repr(self.value)
