"""What a type hint promises of a value.

A hint may be an object, as Python has evaluated it, or a text or an expression of the source, which
is looked up and never evaluated: nothing of the site runs. What is not understood is `ANYTHING`.
"""

from __future__ import annotations

import ast
import enum
import sys
import typing
from collections.abc import (
    AsyncGenerator,
    AsyncIterable,
    AsyncIterator,
    Awaitable,
    Callable,
    Collection,
    Container,
    Coroutine,
    Generator,
    Iterable,
    Iterator,
    Mapping,
    MutableMapping,
    MutableSequence,
    MutableSet,
    Reversible,
    Sequence,
    Set,
)
from contextvars import ContextVar
from dataclasses import dataclass, field
from inspect import isclass, iscoroutinefunction, ismodule
from types import FunctionType, GenericAlias, NoneType, UnionType
from typing import Any, ForwardRef, TypeVar, get_args, get_origin

from django.db.models import QuerySet
from django.db.models.manager import BaseManager
from django.http import HttpRequest
from django.utils.functional import LazyObject, Promise

from .cached import found_once
from .class_attributes import defining_module, dict_of, own_annotations
from .hint_sources import names_for_checkers, written_hint
from .types import (
    ANYTHING,
    NONE_TYPE,
    CallableType,
    ClassType,
    DictType,
    ItemsType,
    ObjectType,
    RowsType,
    TupleType,
    ValueType,
    one_of,
)

DEEPEST_HINT = 12
"""How many hints are followed, one inside the other."""

ITEMS: dict[Any, type] = {
    each: each
    for each in (
        *(list, set, frozenset),
        *(Iterable, Iterator, Collection, Sequence, MutableSequence, Set, MutableSet, Reversible),
        *(Container, AsyncIterable, AsyncIterator, Generator, AsyncGenerator),
    )
}
"""Generic classes whose first argument is the type of their items."""
AWAITED = frozenset({Awaitable, Coroutine})
MAPPINGS = frozenset({dict, Mapping, MutableMapping})
UNHINTED = object()
"""What stands for a hint that is not there."""
FUNCTION_CLASSES: frozenset[Any] = frozenset({Callable, FunctionType})
PASSED = frozenset(
    {
        *(typing.Final, typing.ClassVar, typing.Annotated, typing.Required, typing.NotRequired),
        *((vars(typing)["ReadOnly"],) if sys.version_info >= (3, 13) else ()),
    }
)
"""What says something about an attribute, and not about its type."""


@dataclass(frozen=True, slots=True)
class HintNames:
    """Where the names of a hint are looked up."""

    globals: dict[str, Any] = field(default_factory=dict)
    owner: type | None = None
    """The class in whose body it stands."""
    receiver: type | None = None
    """What ``Self`` is."""
    row: ValueType = ANYTHING
    """For methods of managers and querysets: the rows of ``Self``."""


def type_of_hint(
    annotation: Any, globals: dict[str, Any] | None = None, owner: type | None = None
) -> ValueType:
    """Return what a hint promises of a value.

    Args:
        annotation: an object of Python's type system, or its text.
        globals: the names of the module in which it stands.
        owner: the class in whose body it stands, which ``Self`` is as well.
    """
    return _Reading(HintNames(globals or {}, owner, owner)).read(annotation, 0)


def type_of_return(
    function: Any, receiver: type | None = None, row: ValueType = ANYTHING
) -> ValueType:
    """Return what a call of a Python function gives, by its hint; `ANYTHING` without one.

    What a coroutine function gives is what awaiting it gives.

    Args:
        receiver: the class whose method it is, for ``Self``.
        row: the rows of a manager or queryset whose method it is.
    """
    if not isinstance(function, FunctionType) or "__wrapped__" in vars(function):
        # What a decorator makes of a result, the hints that it has copied do not say.
        return ANYTHING
    hint: Any = own_annotations(function).get("return", UNHINTED)
    if hint is UNHINTED:
        return ANYTHING
    if loses_arguments(hint):
        hint = written_hint(function, "return") or hint
    found = _Reading(HintNames(function.__globals__, receiver, receiver, row)).read(hint, 0)
    if iscoroutinefunction(function) and isinstance(hint, type) and get_origin(hint) in AWAITED:
        return ANYTHING
    return found


def type_of_annotation(cls: type, name: str, base: type) -> ValueType:
    """Return what the annotation that ``base`` has for an attribute promises for ``cls``."""
    hint: Any = own_annotations(base).get(name, UNHINTED)
    if hint is UNHINTED:
        return ANYTHING
    if loses_arguments(hint):
        hint = written_hint(base, name) or hint
    module = sys.modules.get(str(defining_module(base)))
    return _Reading(HintNames(vars(module) if module else {}, base, cls)).read(hint, 0)


def loses_arguments(hint: Any) -> bool:
    """Whether a hint has lost what was in its brackets: ``QuerySet[Book]`` is ``QuerySet``."""
    if isinstance(hint, type) and not isinstance(hint, GenericAlias):
        return issubclass(hint, (QuerySet, BaseManager))
    return any(loses_arguments(each) for each in get_args(hint))


class _Reading:
    """One hint, read with the names of its place."""

    def __init__(self, names: HintNames) -> None:
        self.names = names

    def read(self, hint: Any, depth: int) -> ValueType:
        if depth > DEEPEST_HINT:
            return ANYTHING
        if isinstance(hint, ForwardRef):
            hint = hint.__forward_arg__
        if isinstance(hint, str):
            parsed = _parsed(hint)
            return ANYTHING if parsed is None else self.read(parsed, depth + 1)
        if isinstance(hint, ast.expr):
            return self.read_source(hint, depth)
        origin = get_origin(hint)
        if origin is None or isinstance(hint, TypeVar):
            return self.plain(hint, depth)
        return self.generic(origin, get_args(hint), depth)

    def read_source(self, node: ast.expr, depth: int) -> ValueType:
        if isinstance(node, ast.Constant):
            if node.value is None:
                return NONE_TYPE
            return self.read(node.value, depth + 1) if isinstance(node.value, str) else ANYTHING
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
            return one_of([self.read(node.left, depth + 1), self.read(node.right, depth + 1)])
        if isinstance(node, ast.Subscript):
            inner = node.slice
            arguments = tuple(inner.elts) if isinstance(inner, ast.Tuple) else (inner,)
            return self.generic(self.named(node.value), arguments, depth)
        found = self.named(node)
        return ANYTHING if found is None else self.read(found, depth + 1)

    def named(self, node: ast.expr) -> Any:
        """What a name or a dotted name of the source stands for; None when it cannot be told."""
        if isinstance(node, ast.Name):
            return self.name(node.id)
        if isinstance(node, ast.Attribute):
            owner = self.named(node.value)
            if ismodule(owner):
                return vars(owner).get(node.attr)
            if isclass(owner):
                return dict_of(owner).get(node.attr)
        return None

    def name(self, name: str) -> Any:
        owner, names = self.names.owner, self.names.globals
        if owner is not None and isclass(inner := dict_of(owner).get(name)):
            return inner
        if name in names:
            return names[name]
        found = names_for_checkers(str(names.get("__name__", ""))).get(name)
        if found is not None:
            return found
        builtin = vars(sys.modules["builtins"]).get(name)
        if builtin is None and owner is not None and owner.__name__ == name:
            return owner
        return builtin

    def plain(self, hint: Any, depth: int) -> ValueType:
        if hint is None or hint is NoneType:
            return NONE_TYPE
        if hint is typing.Self or getattr(hint, "__name__", "") == "Self":
            return self.receiver()
        if not isclass(hint) or hint in (object, Any):
            return self.alias(hint, depth)
        return type_of_class(hint)

    def alias(self, hint: Any, depth: int) -> ValueType:
        """A ``type Books = list[Book]`` of Python 3.12, a ``NewType``."""
        if isinstance(hint, typing.NewType):
            return self.read(hint.__supertype__, depth + 1)
        if sys.version_info >= (3, 12) and isinstance(hint, typing.TypeAliasType):
            try:
                value = hint.__value__
            except Exception:
                # The alias is an expression of the site, which need not hold when it runs.
                return ANYTHING
            return ANYTHING if hint.__type_params__ else self.read(value, depth + 1)
        return ANYTHING

    def receiver(self) -> ValueType:
        receiver = self.names.receiver
        if receiver is None:
            return ANYTHING
        if issubclass(receiver, (QuerySet, BaseManager)):
            return RowsType(receiver, self.names.row)
        return type_of_class(receiver)

    def generic(self, origin: Any, arguments: tuple[Any, ...], depth: int) -> ValueType:
        deeper = depth + 1
        while isclass(get_origin(origin)):  # typing.List is list
            origin = get_origin(origin)
        if origin in (typing.Union, UnionType):
            return one_of([self.read(each, deeper) for each in arguments])
        if origin is typing.Optional:
            return one_of([self.read(arguments[0], deeper), NONE_TYPE])
        if origin is typing.Literal:
            return self.literal(arguments)
        if origin in PASSED:
            return self.read(arguments[0], deeper)
        if origin in AWAITED:
            return self.read(arguments[-1], deeper)
        if origin is type:
            inner = self.read(arguments[0], deeper)
            return ClassType(inner.cls) if isinstance(inner, ObjectType) else ANYTHING
        if origin is Callable:
            return CallableType("a function", self.read(arguments[-1], deeper))
        if not isclass(origin):
            return ANYTHING
        return self.generic_class(origin, arguments, deeper)

    def generic_class(self, origin: type, arguments: tuple[Any, ...], depth: int) -> ValueType:
        first = arguments[0] if arguments else ANYTHING
        if origin is tuple:
            if len(arguments) == 2 and _is_ellipsis(arguments[1]):
                return ItemsType(self.read(first, depth), tuple)
            return TupleType(tuple(self.read(each, depth) for each in arguments if each != ()))
        if origin in ITEMS:
            return ItemsType(self.read(first, depth), ITEMS[origin])
        if origin in MAPPINGS and len(arguments) == 2:
            return DictType(value=self.read(arguments[1], depth))
        if issubclass(origin, (QuerySet, BaseManager)):
            return RowsType(origin, self.read(first, depth))
        return type_of_class(origin)

    def literal(self, arguments: tuple[Any, ...]) -> ValueType:
        values = [each.value if isinstance(each, ast.Constant) else each for each in arguments]
        if any(isinstance(each, ast.expr) for each in values):
            return ANYTHING
        return one_of([ObjectType(type(each)) for each in values])


def type_of_class(cls: type) -> ValueType:
    """Return what is known of an instance of a class that a hint names."""
    if cls is NoneType:
        return NONE_TYPE
    if typing.is_typeddict(cls):
        # What is inside of one that holds itself is not followed further.
        if cls in _being_read.get():
            return DictType(name=cls.__name__)
        return typed_dict(cls)
    if vars(typing)["Protocol"] in cls.__bases__ or issubclass(cls, (LazyObject, Promise)):
        return ANYTHING
    if cls is float:  # where a float is promised, an int may be given
        return one_of([ObjectType(float, may_be_subclass=True), ObjectType(int)])
    if cls in (QuerySet, BaseManager) or issubclass(cls, (QuerySet, BaseManager)):
        return RowsType(cls, ANYTHING)
    if cls in MAPPINGS:
        return DictType()
    if cls is tuple or cls in ITEMS:
        return ItemsType(ANYTHING, cls)
    if cls is type or cls in AWAITED or cls in FUNCTION_CLASSES:
        return ANYTHING
    # What middleware sets on a request, no hint says.
    is_open = issubclass(cls, HttpRequest)
    return ObjectType(cls, is_open=is_open, may_be_subclass=not issubclass(cls, enum.Enum))


@found_once
def typed_dict(cls: Any) -> DictType:
    """Return a ``TypedDict`` with its keys, those of the ones it extends included."""
    members: dict[str, ValueType] = {}
    being_read = _being_read.get()
    token = _being_read.set(being_read | {cls})
    try:
        for base in _typed_bases(cls):
            for name in own_annotations(base):
                if name not in members:
                    members[name] = type_of_annotation(base, name, base)
    finally:
        _being_read.reset(token)
    return DictType(members, is_complete=True, name=cls.__name__)


_being_read: ContextVar[frozenset[Any]] = ContextVar("_being_read", default=frozenset())
"""The ``TypedDict`` classes that are being read, each thread its own: one may hold itself."""


def _typed_bases(cls: Any) -> list[Any]:
    """Those that a ``TypedDict`` extends, which its MRO does not have, and itself at the end."""
    found: list[Any] = []
    for base in getattr(cls, "__orig_bases__", ()):
        if typing.is_typeddict(base):
            found += _typed_bases(base)
    return [*found, cls]


def _parsed(text: str) -> ast.expr | None:
    try:
        return ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError):
        return None


def _is_ellipsis(argument: Any) -> bool:
    return argument is ... or (isinstance(argument, ast.Constant) and argument.value is ...)
