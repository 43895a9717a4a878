"""Objects for generated contexts: plain ones, callables, strings and numbers of their own kind."""

from __future__ import annotations

import collections
import enum
from collections.abc import Callable
from typing import Any

from django.core.exceptions import ObjectDoesNotExist
from django.template.base import VariableDoesNotExist
from django.utils.safestring import SafeString


class Silent(Exception):
    """An exception that templates take for "nothing there"."""

    silent_variable_failure = True


EXCEPTIONS: dict[str, Callable[[], Exception]] = {
    "AttributeError": lambda: AttributeError("no such attribute inside"),
    "IndexError": lambda: IndexError("out of range inside"),
    "KeyError": lambda: KeyError("no such key inside"),
    "Missing": lambda: VariableDoesNotExist("not there: %s", ("inside",)),
    "ObjectDoesNotExist": lambda: ObjectDoesNotExist("no such row"),
    "RuntimeError": lambda: RuntimeError("raised <inside>"),
    "Silent": lambda: Silent("silent"),
    "TypeError": lambda: TypeError("raised a TypeError inside"),
    "UnicodeDecodeError": lambda: UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid"),
    "ValueError": lambda: ValueError("raised a ValueError inside"),
}


def fail(name: str) -> Any:
    """Raise the exception called ``name``."""
    raise EXCEPTIONS[name]()


class Stable:
    """The base of what has the same ``repr()`` each time."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"


class Thing:
    """A plain object with attributes, methods, and properties that raise."""

    def __init__(self, **attributes: Any) -> None:
        vars(self).update(attributes)
        self.calls = 0

    def __repr__(self) -> str:
        return f"<Thing {sorted(vars(self))}>"

    def method(self) -> str:
        return "<method>"

    def needs(self, argument: Any) -> Any:
        return argument

    def optional(self, argument: Any = "optional") -> Any:
        return argument

    def me(self) -> Thing:
        return self

    def tick(self) -> int:
        self.calls += 1
        return self.calls

    def delete(self) -> str:
        return "deleted"

    delete.alters_data = True  # type: ignore[attr-defined]

    @property
    def ticking(self) -> int:
        return self.tick()

    @property
    def attribute_error(self) -> Any:
        return fail("AttributeError")

    @property
    def type_error(self) -> Any:
        return fail("TypeError")

    @property
    def value_error(self) -> Any:
        return fail("ValueError")

    @property
    def key_error(self) -> Any:
        return fail("KeyError")

    @property
    def runtime_error(self) -> Any:
        return fail("RuntimeError")

    @property
    def silent(self) -> Any:
        return fail("Silent")

    @property
    def missing_inside(self) -> Any:
        return fail("Missing")

    @property
    def unicode_error(self) -> Any:
        return fail("UnicodeDecodeError")

    def call_type_error(self) -> Any:
        return fail("TypeError")

    def call_silent(self) -> Any:
        return fail("Silent")


class Spy(Stable):
    """Notes what is asked of it, in the order of asking; answers with its value or its likes."""

    journal: list[str] = []
    """What all spies of one render were asked."""

    def __init__(self, name: str, value: Any = "") -> None:
        self._name, self._value = name, value

    def _note(self, what: str) -> None:
        self.journal.append(f"{self._name}: {what}")

    def __getitem__(self, key: Any) -> Any:
        self._note(f"[{key!r}]")
        if key in (0, 1):
            return self._value
        raise KeyError(key)

    @property
    def a(self) -> Any:
        self._note(".a")
        return self._value

    @property
    def b(self) -> Any:
        self._note(".b")
        raise AttributeError("b")

    def method(self) -> Any:
        self._note(".method()")
        return self

    def __str__(self) -> str:
        self._note("str()")
        return f"<{self._name}>"

    def __bool__(self) -> bool:
        self._note("bool()")
        return bool(self._value)

    def __len__(self) -> int:
        self._note("len()")
        return 2

    def __iter__(self) -> Any:
        for number in range(2):
            self._note(f"row {number}")
            yield self._value

    def __eq__(self, other: object) -> bool:
        self._note("==")
        return self is other

    def __lt__(self, other: object) -> bool:
        self._note("<")
        return False

    def __contains__(self, item: object) -> bool:
        self._note("in")
        return True

    __hash__ = object.__hash__


class PlainSpy(Stable):
    """Notes which attributes are read, and nothing else."""

    def __init__(self, name: str, value: Any = "") -> None:
        self._name, self._value = name, value

    def _note(self, what: str) -> None:
        Spy.journal.append(f"{self._name}: {what}")

    @property
    def a(self) -> Any:
        self._note(".a")
        return self._value

    @property
    def b(self) -> Any:
        self._note(".b")
        raise AttributeError("b")

    def method(self) -> Any:
        self._note(".method()")
        return self._value

    def __str__(self) -> str:
        self._note("str()")
        return f"<{self._name}>"


class AttributeDict(dict):  # type: ignore[type-arg]
    """A dict whose keys are attributes as well."""

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None


def fresh(**attributes: Any) -> Any:
    """An object of a class that was never seen before."""
    return type("Fresh", (Stable,), attributes)()


class Renderer(Stable):
    """Something to include that is no template, but renders itself."""

    def render(self, context: Any) -> str:
        return f"[{context.get('x')} {len(context.dicts)}]"


class Slotted(Stable):
    """An object without a ``__dict__``."""

    __slots__ = ("a", "b")

    def __init__(self, a: Any, b: Any) -> None:
        self.a, self.b = a, b


class Calling(Stable):
    """A callable that gives a value, the same each time."""

    def __init__(self, value: Any, **flags: Any) -> None:
        self.value = value
        vars(self).update(flags)

    def __call__(self) -> Any:
        return self.value


class Counter(Stable):
    """A callable that counts how often it was called, and text and truth that count as well."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self) -> int:
        self.count += 1
        return self.count


class CountingText(Stable):
    """Counts how often its text was taken."""

    def __init__(self) -> None:
        self.count = 0

    def __str__(self) -> str:
        self.count += 1
        return f"<{self.count}>"


class Needing(Stable):
    """A callable that cannot be called without arguments."""

    def __init__(self, **flags: Any) -> None:
        vars(self).update(flags)

    def __call__(self, argument: Any) -> Any:
        return argument


class Raising(Stable):
    """A callable that raises."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __call__(self) -> Any:
        return fail(self.name)


class Html(Stable):
    """An object that writes itself as HTML."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __html__(self) -> str:
        return self.text

    def __str__(self) -> str:
        return f"str of {self.text}"


class Text(str):
    """A subclass of str with an attribute."""

    note = "<a note>"


class LoudText(str):
    """A subclass of str with its own idea of its text."""

    def __str__(self) -> str:
        return self.upper()


class HtmlText(str):
    """A subclass of str that writes itself as HTML."""

    def __html__(self) -> str:
        return f"<i>{self.upper()}</i>"


class SafeText(SafeString):
    """A subclass of Django's safe string."""


class Number(int):
    """A subclass of int with a text of its own."""

    def __str__(self) -> str:
        return f"<{int(self)}>"


class Missing(dict):  # type: ignore[type-arg]
    """A dict that has every key."""

    def __missing__(self, key: Any) -> str:
        return f"no {key}"


class Colour(enum.Enum):
    """An enumeration: callable, as classes are."""

    red = "r"
    green = "g"


class Level(enum.IntEnum):
    """An enumeration that templates may not call."""

    low = 1
    high = 2
    do_not_call_in_templates = enum.nonmember(True)


Pair = collections.namedtuple("Pair", "a b")
