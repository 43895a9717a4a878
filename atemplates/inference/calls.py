"""What a call in Python source gives: a function of the site is read, one of a library is known."""

from __future__ import annotations

import ast
import inspect
import sys
from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import replace
from types import FunctionType, MethodType
from typing import Any

from django.core.paginator import Page
from django.db.models.manager import BaseManager

from .chains import chained, rows_of_manager
from .containers import changed_dict, changed_list
from .expressions import ExpressionReader, opened_dict
from .faults import Fault
from .frames import FunctionFrame, Given
from .hints import type_of_hint, type_of_return
from .known import (
    NEVER,
    Bound,
    Known,
    LoadedTemplate,
    LocalFunction,
    Method,
    Partial,
    any_of,
    structure,
)
from .library_calls import BY_NAME, MADE_FOR_REAL, of_class, qualified
from .object_attributes import PAGING, ObjectAttributes
from .operators import A_TEXT, class_of, is_text, without_none
from .pages import ASYNC_PAGE
from .python_sources import (
    FunctionSource,
    function_source,
    own_function,
    written_in_library,
)
from .steps import step
from .types import (
    ANYTHING,
    CallableType,
    ClassType,
    DictType,
    ItemsType,
    ObjectType,
    OneOf,
    TupleType,
    ValueType,
    rows_behind,
)

DEEPEST_CALL = 12
"""How many functions are read, one inside the other."""
GETTERS = frozenset({"get_template", "select_template", "aget_template", "aselect_template"})


class Calls(ObjectAttributes, ExpressionReader):
    """The reading of calls; a function's statements are read by who derives from it."""

    @abstractmethod
    def read_function(
        self,
        source: FunctionSource,
        names: dict[str, ValueType],
        receiver: ValueType | None,
        defined_in: type | None,
    ) -> tuple[ValueType, dict[str, ValueType]]:
        """Read a function: what it returns, and its names at the end."""

    @abstractmethod
    def read_local(self, function: LocalFunction, names: dict[str, ValueType]) -> ValueType:
        """Read a function that is defined inside another."""

    @abstractmethod
    def is_reading(self, function: FunctionType) -> bool:
        """Whether a function is being read, or too many are."""

    @abstractmethod
    def rendering(
        self, function: Any, key: str, arguments: Given, frame: FunctionFrame, node: ast.Call
    ) -> ValueType | None:
        """Note a call that renders a template; None when it is none."""

    @abstractmethod
    def render_loaded(
        self, template: LoadedTemplate, arguments: Given, frame: FunctionFrame, node: ast.Call
    ) -> ValueType:
        """Note that a loaded template is rendered."""

    @abstractmethod
    def lose(self, arguments: Given) -> None:
        """Note the texts that a function gets that is not read: it may render such templates."""

    def call(
        self, function: ValueType, arguments: Given, frame: FunctionFrame, node: ast.Call
    ) -> ValueType:
        if isinstance(function, OneOf):
            return any_of(self.call(each, arguments, frame, node) for each in function.types)
        if isinstance(function, Known):
            return self._known(function, arguments, frame, node)
        if isinstance(function, Bound):
            return self.invoke(
                function.function,
                replace_first(arguments, function.receiver),
                function.receiver,
                function.defined_in,
                frame,
            )
        if isinstance(function, Method):
            return self._method(function, arguments, frame, node)
        if isinstance(function, LocalFunction):
            names = bound_parameters(self, function.node.args, arguments, function.frame, {}, {})
            return self.read_local(function, names)
        if isinstance(function, Partial):
            whole = Given(
                [*function.positional, *arguments.positional],
                {**function.keywords, **arguments.keywords},
                arguments.is_open,
            )
            return self.call(function.function, whole, frame, node)
        if isinstance(function, CallableType):
            return function.result
        if isinstance(function, ClassType):
            return self._instance(function.cls, arguments, frame, node)
        if isinstance(node.func, ast.Attribute) and node.func.attr in GETTERS:
            found = arguments.get(0, "template_name")
            if found is not None:
                return LoadedTemplate(found, Known(None), node.lineno)
        self.escape(arguments, frame)
        self.lose(arguments)
        return ANYTHING

    def escape(self, arguments: Given, frame: FunctionFrame) -> None:
        """Dicts that a function gets which is not read: it may change them."""
        for value in arguments.all():
            if isinstance(value, DictType) and value.members:
                frame.exchange(value, opened_dict(value))

    # -- what is known by itself -------------------------------------------------------------------

    def _known(
        self, known: Known, arguments: Given, frame: FunctionFrame, node: ast.Call
    ) -> ValueType:
        function = known.value
        key = qualified(function)
        made = self.rendering(function, key, arguments, frame, node)
        if made is not None:
            return made
        reader = BY_NAME.get(key)
        if reader is not None:
            found = reader(self, arguments, frame, node)
            if found is not None:
                return found
        if inspect.isclass(function):
            return self._instance(function, arguments, frame, node)
        if key in MADE_FOR_REAL:
            return of_class(self, function, arguments)
        if isinstance(function, MethodType):
            receiver = function.__self__
            value: ValueType = Known(receiver)
            plain = own_function(function)
            if plain is None:
                return ANYTHING
            owner = receiver if inspect.isclass(receiver) else type(receiver)
            return self.invoke(plain, replace_first(arguments, value), value, owner, frame)
        if hasattr(function, "func") and hasattr(function, "keywords"):  # functools.partial
            return self.call(
                Partial(
                    Known(function.func),
                    tuple(map(Known, function.args)),
                    {name: Known(each) for name, each in function.keywords.items()},
                ),
                arguments,
                frame,
                node,
            )
        plain = own_function(function)
        if plain is None:
            self.lose(arguments)
            return ANYTHING
        return self.invoke(plain, arguments, None, None, frame)

    def invoke(
        self,
        function: FunctionType,
        arguments: Given,
        receiver: ValueType | None,
        defined_in: type | None,
        frame: FunctionFrame,
    ) -> ValueType:
        """Return what a function of Python gives: its source says it, or else its hint."""
        cls = class_of(receiver) if receiver is not None else None
        if written_in_library(function) and not self.reads_library(function, receiver):
            self.lose(arguments)
            return type_of_return(function, cls)
        promised = type_of_return(function, cls)
        source = function_source(function) if not is_of_python(function) else None
        if source is None or self.is_reading(function):
            self.escape(arguments, frame)
            self.lose(arguments)
            return promised
        names = bound_parameters(
            self,
            source.node.args,
            arguments,
            FunctionFrame(source.outside, source.file, source.module),
            dict(zip(_defaulted(source.node.args), function.__defaults__ or (), strict=False)),
            function.__kwdefaults__ or {},
            function,
        )
        result, ends = self.read_function(source, names, receiver, defined_in)
        for name, value in names.items():  # what it did to the dicts that it was given
            if isinstance(value, (DictType, ItemsType)) and ends.get(name, value) is not value:
                frame.exchange(value, ends[name])
        return read_or_promised(result, promised)

    def reads_library(self, function: FunctionType, receiver: ValueType | None) -> bool:
        """Whether a function of a library is read all the same: a method of a generic view."""
        return False

    # -- classes -----------------------------------------------------------------------------------

    def _instance(
        self, cls: type, arguments: Given, frame: FunctionFrame, node: ast.Call
    ) -> ValueType:
        found = of_class(self, cls, arguments)
        if found is not ANYTHING:
            return found
        if issubclass(cls, BaseManager):
            return ANYTHING
        return _made_by(cls)

    # -- methods -----------------------------------------------------------------------------------

    def _method(
        self, method: Method, arguments: Given, frame: FunctionFrame, node: ast.Call
    ) -> ValueType:
        owner, name = method.owner, method.name
        if isinstance(owner, LoadedTemplate):
            if name in ("render", "render_async", "stream_async"):
                return self.render_loaded(owner, arguments, frame, node)
            return ANYTHING
        rows = rows_behind(owner)
        manager = owner if isinstance(owner, Known) else None
        if manager is not None and isinstance(manager.value, BaseManager):
            rows = rows_of_manager(manager)
            if rows is None:
                return ANYTHING
            return chained(rows, manager, name, arguments, frame, node, self._looked_into)
        if rows is not None:
            return chained(rows, None, name, arguments, frame, node, self._looked_into)
        inner = structure(owner) or owner
        place = node.func.value if isinstance(node.func, ast.Attribute) else None
        if isinstance(inner, DictType):
            result, changed = changed_dict(self, inner, name, arguments)
            if changed is not inner and place is not None:
                self.change(place, owner, changed, frame)
            return result
        if isinstance(inner, (ItemsType, TupleType)):
            result, new = changed_list(self, inner, name, arguments)
            if new is not inner and place is not None:
                self.change(place, owner, new, frame)
            return result
        if is_text(owner):
            return _of_text(owner, name, arguments)
        if isinstance(owner, ObjectType) and name in PAGING:
            cls = ASYNC_PAGE[0] if ASYNC_PAGE and hasattr(owner.cls, "aget_page") else Page
            data = replace(owner.data, shape="page") if owner.data is not None else None
            return ObjectType(cls, data=data, item=owner.item)
        return ANYTHING

    def _looked_into(
        self,
        method: Any,
        receiver: ValueType,
        arguments: Given,
        frame: FunctionFrame,
        node: ast.Call,
    ) -> ValueType:
        """A method of the site's manager or queryset, whose arguments are not known."""
        plain = own_function(method)
        if plain is None:
            return ANYTHING
        found = self.invoke(plain, replace_first(arguments, receiver), receiver, None, frame)
        return without_none(found) if isinstance(found, OneOf) else found


def _made_by(cls: type) -> ValueType:
    from .steps import call

    found = call(ClassType(cls), has_arguments=True)
    return ANYTHING if isinstance(found, Fault) else found


def _of_text(owner: ValueType, name: str, arguments: Given) -> ValueType:
    if name in ("lower", "upper", "strip", "title") and isinstance(owner, Known):
        return Known(getattr(owner.value, name)()) if not arguments.positional else A_TEXT
    if name == "format":
        return _formatted(owner, arguments)
    found = step(ObjectType(str), name, calls=False)
    return found.result if isinstance(found, CallableType) else ANYTHING


def _formatted(owner: ValueType, arguments: Given) -> ValueType:
    import re
    from string import Formatter

    from .known import TextLike
    from .operators import joined

    if not isinstance(owner, Known):
        return A_TEXT
    parts: list[ValueType] = []
    try:
        fields = list(Formatter().parse(owner.value))
    except ValueError:
        return A_TEXT
    place = 0
    for text, field, spec, conversion in fields:
        parts.append(Known(text))
        if field is None:
            continue
        if field == "" or field.isdecimal():
            value = arguments.get(int(field) if field else place, "")
            place += 1
        else:
            value = arguments.keywords.get(field)
        parts.append(TextLike(".*") if value is None or spec or conversion else value)
    found = joined(parts)
    return found if isinstance(found, Known) or re.search(r"\w", str(found)) else A_TEXT


def replace_first(arguments: Given, receiver: ValueType) -> Given:
    """Return the arguments of a method with the object that it is called on."""
    nodes: Mapping[int | str, ast.expr] = {
        place + 1 if isinstance(place, int) else place: each
        for place, each in arguments.nodes.items()
    }
    return replace(arguments, positional=[receiver, *arguments.positional], nodes=dict(nodes))


def _defaulted(args: ast.arguments) -> list[str]:
    names = [each.arg for each in (*args.posonlyargs, *args.args)]
    return names[len(names) - len(args.defaults) :]


def bound_parameters(
    reader: ExpressionReader,
    args: ast.arguments,
    arguments: Given,
    frame: FunctionFrame,
    defaults: Mapping[str, Any],
    keyword_defaults: Mapping[str, Any],
    function: FunctionType | None = None,
) -> dict[str, ValueType]:
    """Return the parameters of a function as a call gives them.

    Args:
        frame: where the defaults in the source are read, for a function that is no object.
        defaults: the defaults of a function that is one.
    """
    from .known import of_object

    found: dict[str, ValueType] = {}
    positional = [*args.posonlyargs, *args.args]
    values = list(arguments.positional)
    keywords = dict(arguments.keywords)
    written = dict(zip(_defaulted(args), args.defaults, strict=True))
    for each, value in zip(args.kwonlyargs, args.kw_defaults, strict=True):
        if value is not None:
            written[each.arg] = value
    taken = 0
    for parameter in [*positional, *args.kwonlyargs]:
        name = parameter.arg
        given: ValueType | None = None
        if parameter not in args.kwonlyargs and taken < len(values):
            given = values[taken]
            taken += 1
        elif name in keywords:
            given = keywords.pop(name)
        elif name in {**defaults, **keyword_defaults}:
            given = of_object({**defaults, **keyword_defaults}[name])
            node = written.get(name)
            if node is not None:
                reader.read_texts.add((frame.file, node.lineno, node.col_offset))
            if arguments.is_open:
                given = ANYTHING
        elif name in written and function is None:
            given = reader.evaluate(written[name], frame)
        if given is None or given is ANYTHING:
            given = _hinted(parameter, frame, function)
        found[name] = given
    if args.vararg is not None:
        rest = values[taken:]
        found[args.vararg.arg] = (
            ItemsType(ANYTHING, tuple) if arguments.is_open else TupleType(tuple(rest))
        )
    if args.kwarg is not None:
        found[args.kwarg.arg] = DictType(keywords, not arguments.is_open)
    return found


def _hinted(parameter: ast.arg, frame: FunctionFrame, function: FunctionType | None) -> ValueType:
    if parameter.annotation is None:
        return ANYTHING
    if function is not None:
        hint = getattr(function, "__annotations__", {}).get(parameter.arg)
        if hint is not None:
            return type_of_hint(hint, function.__globals__)
    return type_of_hint(ast.unparse(parameter.annotation), dict(frame.outside))


def read_or_promised(read: ValueType, promised: ValueType) -> ValueType:
    """Return what is known of a call by its source and by its hint."""
    if promised is ANYTHING or (isinstance(promised, DictType) and not promised.members):
        return read
    if read is ANYTHING or read is NEVER:
        return promised
    if isinstance(promised, DictType) and promised.name != "dict":
        return promised
    return read


def is_of_python(function: FunctionType) -> bool:
    """Whether a function is of Python's own library."""
    module = str(function.__globals__.get("__name__", ""))
    return module.partition(".")[0] in sys.stdlib_module_names
