"""One reading of a site's Python: functions with their arguments, and the templates they render."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from types import FunctionType
from typing import Any

from django.apps import apps
from django.contrib.auth import get_user_model
from django.http import HttpRequest

from ..problems import is_installed
from .frames import FunctionFrame, Given, merged_names
from .hints import type_of_return
from .known import (
    NEVER,
    Bound,
    Instance,
    Known,
    LoadedTemplate,
    LocalFunction,
    TextLike,
    any_of,
    structure,
)
from .library_calls import qualified
from .operators import class_of, is_none
from .python_sources import FunctionSource, function_source, wraps
from .statements import Statements, result_of
from .types import (
    ANYTHING,
    CallableType,
    DictType,
    ItemsType,
    ObjectType,
    OneOf,
    TupleType,
    ValueType,
    one_of,
)

READ_IN_DJANGO = ("django.views.", "django.contrib.auth.views", "django.contrib.auth.mixins")
"""Modules of Django whose functions are read: generic views, which call the site's methods."""
DISPATCH = "django.views.generic.base.View.dispatch"
HTTP_HANDLERS = ("get", "post", "put", "patch", "delete")
MOST_READ = 40
"""How many functions are read at a time, one inside the other."""
NEAR = 2
"""How many of them may be around a function of an installed package that is read."""


@dataclass(slots=True)
class Rendered:
    """One place that renders a template, with what is given there."""

    names: ValueType
    """The template's name or names, as far as they are known."""
    context: ValueType
    file: str
    line: int
    using: ValueType
    is_library: bool = False
    """Whether the place is in a library, which does it for a class of the site."""
    is_whole: bool = True
    """Whether all of the view was read."""


@dataclass(frozen=True, slots=True)
class Shape:
    """Where a function that renders has its arguments: each with its place and its name."""

    template: tuple[int, str]
    context: tuple[int, str]
    using: tuple[int | None, str] = (None, "using")
    is_stream: bool = False
    """Whether it takes an iterable of contexts."""


WITH_REQUEST = Shape((1, "template_name"), (2, "context"), (5, "using"))
WITHOUT_REQUEST = Shape((0, "template_name"), (1, "context"), (3, "using"))
RESPONSE = Shape((1, "template"), (2, "context"), (6, "using"))
SIMPLE_RESPONSE = Shape((0, "template"), (1, "context"), (5, "using"))
RENDERING_CALLS: Mapping[str, Shape] = {
    "django.shortcuts.render": WITH_REQUEST,
    "atemplates.shortcuts.arender": WITH_REQUEST,
    "atemplates.delivery.astream.astream": WITH_REQUEST,
    "django.template.loader.render_to_string": WITHOUT_REQUEST,
    "atemplates.shortcuts.arender_to_string": WITHOUT_REQUEST,
    "atemplates.delivery.sse.sse": Shape(
        (1, "template_name"), (2, "events"), (None, "using"), is_stream=True
    ),
}
"""What renders a template, by its name."""


@lru_cache(4096)
def is_generator(node: ast.AST) -> bool:
    """Whether a function has a ``yield`` of its own."""
    return any(isinstance(each, (ast.Yield, ast.YieldFrom)) for each in _own_nodes(node))


def _own_nodes(node: ast.AST) -> Iterator[ast.AST]:
    for each in ast.iter_child_nodes(node):
        if not isinstance(each, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)):
            yield each
            yield from _own_nodes(each)


def request_type(user: ValueType | None = None) -> ObjectType:
    """Return the type of a request, with who made it."""
    if user is None:
        user = user_type()
    extra = {"user": user, "auser": CallableType("auser", user)}
    return ObjectType(HttpRequest, extra, is_open=True)


def user_type() -> ValueType:
    """Return what ``request.user`` may be."""
    if not apps.is_installed("django.contrib.auth"):
        return ANYTHING
    from django.contrib.auth.models import AnonymousUser

    return one_of([signed_in_user(), ObjectType(AnonymousUser)])


def signed_in_user() -> ValueType:
    """Return what ``request.user`` is where nobody else comes in."""
    if not apps.is_installed("django.contrib.auth"):
        return ANYTHING
    return ObjectType(get_user_model())


@dataclass(slots=True)
class _Kept:
    """What reading a function with some arguments gave."""

    result: ValueType
    ends: dict[str, ValueType]
    rendered: list[Rendered]
    held: list[Any] = field(default_factory=list)
    """Keeps alive what the key names by identity."""


class Reading(Statements):
    """Reads views, and the functions that they call, each once for the same arguments."""

    def __init__(self) -> None:
        super().__init__()
        self.request: ValueType = request_type()
        self.rendered: list[Rendered] = []
        self.lost_texts: set[str] = set()
        """Texts that were given to functions that are not read."""
        self.lost_patterns: set[str] = set()
        self._active: list[Any] = []
        self._kept: dict[Any, _Kept] = {}

    # -- functions ---------------------------------------------------------------------------------

    def is_reading(self, function: FunctionType) -> bool:
        source = function_source(function)
        node = source.node if source is not None else None
        return len(self._active) >= MOST_READ or node in self._active

    def reads_library(self, function: FunctionType, receiver: ValueType | None) -> bool:
        module = str(function.__globals__.get("__name__", ""))
        return module.startswith(READ_IN_DJANGO)

    def read(self, function: Any, arguments: Given) -> ValueType:
        """Return what a function gives that is called with some arguments."""
        node = ast.Call(ast.Name("view"), [], [], lineno=0, col_offset=0)
        return self.call(Known(function), arguments, FunctionFrame({}, ""), node)

    def call_method(
        self, instance: Instance, name: str, arguments: Given, frame: FunctionFrame
    ) -> ValueType:
        """Return what a method of a view gives; the attributes that it sets are kept."""
        method = self.attribute(instance, name, frame)
        if not isinstance(method, Bound):
            return ANYTHING
        whole = replace(arguments, positional=[instance, *arguments.positional])
        return self.invoke(method.function, whole, instance, method.defined_in, frame)

    def invoke(
        self,
        function: FunctionType,
        arguments: Given,
        receiver: ValueType | None,
        defined_in: type | None,
        frame: FunctionFrame,
    ) -> ValueType:
        if isinstance(receiver, Instance) and qualified(function) == DISPATCH:
            return self._dispatched(receiver, arguments, frame)
        is_near = len(self._active) < NEAR or isinstance(receiver, Instance) or wraps(function)
        if is_installed(function.__code__.co_filename) and not is_near:
            # What a package does inside, far from any view, takes long to read and tells nothing.
            self.escape(arguments, frame)
            self.lose(arguments)
            return type_of_return(function, class_of(receiver) if receiver is not None else None)
        return super().invoke(function, arguments, receiver, defined_in, frame)

    def _dispatched(self, view: Instance, arguments: Given, frame: FunctionFrame) -> ValueType:
        """What the handlers of a view give, each as the first that is called."""
        before = dict(view.attributes)
        found = []
        given = replace(arguments, positional=arguments.positional[1:])
        for name in HTTP_HANDLERS:
            if hasattr(view.cls, name):
                view.attributes.clear()
                view.attributes.update(before)
                found.append(self.call_method(view, name, given, frame))
        return any_of(found) if found else ANYTHING

    def read_function(
        self,
        source: FunctionSource,
        names: dict[str, ValueType],
        receiver: ValueType | None,
        defined_in: type | None,
    ) -> tuple[ValueType, dict[str, ValueType]]:
        for name, value in names.items():
            if name == "request" and value is ANYTHING:
                names[name] = self.request
        held: list[Any] = []
        key = _key([source.node, receiver, defined_in, self.request, *names.values()], held)
        known = self._kept.get(key) if key is not None else None
        if known is not None:
            self.rendered += known.rendered
            return known.result, known.ends
        frame = FunctionFrame(
            source.outside,
            source.file,
            source.module,
            dict(names),
            defined_in=defined_in,
            receiver=receiver,
            is_library=source.module.partition(".")[0] == "django",
        )
        first = len(self.rendered)
        result = self._read_body(source.node, frame)
        ends = merged_names([*frame.ends, frame.names])
        ends = {name: value for name, value in ends.items() if name in names}
        if key is not None:
            self._kept[key] = _Kept(result, ends, self.rendered[first:], held)
        return result, ends

    def read_local(self, function: LocalFunction, names: dict[str, ValueType]) -> ValueType:
        if len(self._active) >= MOST_READ or function.node in self._active:
            return ANYTHING
        outer = function.frame
        frame = FunctionFrame(outer.outside, outer.file, outer.module, names, outer=outer)
        return self._read_body(function.node, frame)

    def _read_body(self, node: Any, frame: FunctionFrame) -> ValueType:
        self._active.append(node)
        try:
            if isinstance(node, ast.Lambda):
                return self.evaluate(node.body, frame)
            ended = self.run(node.body, frame)
            return result_of(frame, ended, is_generator(node))
        finally:
            self._active.pop()

    # -- templates ---------------------------------------------------------------------------------

    def rendering(
        self, function: Any, key: str, arguments: Given, frame: FunctionFrame, node: ast.Call
    ) -> ValueType | None:
        shape = RENDERING_CALLS.get(key) or _response_shape(function)
        if shape is None:
            return None
        context = arguments.get(*shape.context)
        if shape.is_stream:
            context = self.item_of(context) if context is not None else ANYTHING
        self.note(
            arguments.get(*shape.template) or ANYTHING,
            context,
            frame,
            node,
            arguments.get(*shape.using) or Known(None),
        )
        return ObjectType(str) if shape is WITHOUT_REQUEST else ANYTHING

    def render_loaded(
        self, template: LoadedTemplate, arguments: Given, frame: FunctionFrame, node: ast.Call
    ) -> ValueType:
        self.note(template.names, arguments.get(0, "context"), frame, node, template.using)
        return ObjectType(str)

    def note(
        self,
        names: ValueType,
        context: ValueType | None,
        frame: FunctionFrame,
        node: ast.Call,
        using: ValueType,
    ) -> None:
        """Note that a template is rendered."""
        if context is None or is_none(context):
            context = DictType({}, True)
        self.rendered.append(
            Rendered(names, context, frame.file, node.lineno, using, frame.is_library)
        )

    def lose(self, arguments: Given) -> None:
        for value in arguments.all():
            for each in value.types if isinstance(value, OneOf) else (value,):
                if isinstance(each, Known) and isinstance(each.value, str):
                    self.lost_texts.add(each.value)
                elif isinstance(each, TextLike):
                    self.lost_patterns.add(each.pattern)


def _response_shape(function: Any) -> Shape | None:
    """The arguments of a class of responses: Django's, ours, or one that derives from them."""
    for base in function.__mro__ if isinstance(function, type) else ():
        shape = RESPONSES.get(qualified(base))
        if shape is not None:
            return shape
    return None


RESPONSES: Mapping[str, Shape] = {
    "django.template.response.TemplateResponse": RESPONSE,
    "django.template.response.SimpleTemplateResponse": SIMPLE_RESPONSE,
    "atemplates.response.TemplateResponse": RESPONSE,
    "atemplates.response.SimpleTemplateResponse": SIMPLE_RESPONSE,
}


def names_of_templates(value: ValueType) -> tuple[list[str], list[str]]:
    """Return the names of templates that a value may stand for, and patterns of others."""
    names: dict[str, None] = {}
    patterns: dict[str, None] = {}

    def add(each: ValueType) -> None:
        each = structure(each) or each
        if isinstance(each, OneOf):
            for one in each.types:
                add(one)
        elif isinstance(each, Known) and isinstance(each.value, str):
            names[each.value] = None
        elif isinstance(each, TupleType):
            for one in each.items:
                add(one)
        elif isinstance(each, ItemsType):
            add(each.item)
        elif isinstance(each, TextLike):
            patterns[each.pattern] = None
        elif each is not NEVER and not is_none(each):
            patterns[".*"] = None

    add(value)
    return list(names), list(patterns)


def _key(values: list[Any], held: list[Any]) -> Any:
    """What tells the arguments of a call apart; None where it depends on more than these."""
    found = []
    for value in values:
        if value is None or isinstance(value, (ast.AST, type)):
            found.append(id(value))
            continue
        inner = _key_of(value, held)
        if inner is None:
            return None
        found.append(inner)
    return tuple(found)


def _key_of(value: Any, held: list[Any], depth: int = 5) -> Any:
    if isinstance(value, Instance) or depth == 0:
        return None
    data = getattr(value, "data", None)
    if data is not None:
        held.append(data)
    parts: list[Any] = [id(data), id(type(value))]
    if isinstance(value, Known):
        held.append(value.value)
        if isinstance(value.value, (str, int, float, bytes, bool, type(None))):
            return (*parts, type(value.value).__name__, value.value)
        return (*parts, id(value.value), id(value.origin))
    inner: list[Any]
    if isinstance(value, DictType):
        inner = [*value.members.values(), value.value]
        parts += [value.is_complete, value.name, *value.members]
    elif isinstance(value, ObjectType):
        inner = [*value.extra.values(), value.item]
        parts += [value.cls, value.is_open, *value.extra]
    elif hasattr(value, "row"):
        inner = [value.row]
        parts.append(value.cls)
    elif isinstance(value, ItemsType):
        inner = [value.item]
        parts.append(value.cls)
    elif isinstance(value, TupleType):
        inner = list(value.items)
    elif isinstance(value, OneOf):
        inner = list(value.types)
    elif value is ANYTHING:
        return "?"
    else:
        held.append(value)
        return id(value)
    for each in inner:
        one = _key_of(each, held, depth - 1)
        if one is None:
            return None
        parts.append(one)
    return tuple(parts)
