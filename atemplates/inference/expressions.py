"""What an expression of Python stands for, as far as its source says."""

from __future__ import annotations

import ast
import builtins
import sys
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import replace
from types import ModuleType
from typing import Any

from .data import Data
from .frames import FunctionFrame, Given, unpacked
from .known import (
    MOST_MEMBERS,
    NEVER,
    Instance,
    Known,
    LocalFunction,
    NamedAt,
    any_of,
    each_of,
    of_object,
    structure,
)
from .operators import (
    A_BOOL,
    A_NUMBER,
    A_TEXT,
    calculated,
    compared,
    is_text,
    joined,
    truth_of,
    united,
    without_none,
)
from .types import (
    ANYTHING,
    DictType,
    ItemsType,
    ObjectType,
    OneOf,
    RowsType,
    TupleType,
    ValueType,
    type_of_data,
)


class ExpressionReader(ABC):
    """The reading of expressions; calls and attributes are read by who derives from it."""

    def __init__(self) -> None:
        self.read_texts: set[tuple[str, int, int]] = set()
        """File, line and column of each text and name that was read."""
        self.made_classes: dict[tuple[str, str, str], ValueType] = {}
        """The classes that factories of forms have made, by their arguments."""

    @abstractmethod
    def call(
        self, function: ValueType, arguments: Given, frame: FunctionFrame, node: ast.Call
    ) -> ValueType:
        """Return what a call gives."""

    @abstractmethod
    def attribute(self, owner: ValueType, name: str, frame: FunctionFrame) -> ValueType:
        """Return what an attribute is."""

    def evaluate(self, node: ast.expr, frame: FunctionFrame) -> ValueType:
        """Return what an expression stands for; `ANYTHING` when it cannot be told."""
        reader = READERS.get(type(node))
        return reader(self, node, frame) if reader is not None else self._parts(node, frame)

    def _parts(self, node: ast.expr, frame: FunctionFrame) -> ValueType:
        """Something else: what stands inside is read all the same."""
        for each in ast.iter_child_nodes(node):
            if isinstance(each, ast.expr):
                self.evaluate(each, frame)
        return ANYTHING

    def constant(self, node: ast.Constant, frame: FunctionFrame) -> ValueType:
        if isinstance(node.value, str):
            self.read_texts.add((frame.file, node.lineno, node.col_offset))
        return Known(node.value)

    def name(self, node: ast.Name, frame: FunctionFrame) -> ValueType:
        self.read_texts.add((frame.file, node.lineno, node.col_offset))
        found = frame.find(node.id)
        if found is not None:
            return found
        return self.outside(node.id, frame, NamedAt(node, frame.file, "model"))

    def outside(self, name: str, frame: FunctionFrame, origin: NamedAt | None = None) -> ValueType:
        """Return a name of the module, or of Python."""
        missing = object()
        value = frame.outside.get(name, missing)
        if value is missing:
            value = getattr(builtins, name, missing)
        return ANYTHING if value is missing else of_object(value, origin)

    def attribute_of(self, node: ast.Attribute, frame: FunctionFrame) -> ValueType:
        self.read_texts.add((frame.file, node.lineno, node.col_offset))
        owner = self.evaluate(node.value, frame)
        found = self.attribute(owner, node.attr, frame)
        if isinstance(found, Known) and isinstance(owner, Known):
            # A manager: the place where a call is appended.
            model = isinstance(owner.value, ModuleType)
            if found.origin is None:
                form = "model" if model else "queryset"
                return Known(found.value, NamedAt(node, frame.file, form))
        return found

    def called(self, node: ast.Call, frame: FunctionFrame) -> ValueType:
        function = self.evaluate(node.func, frame)
        return self.call(function, self.arguments(node, frame), frame, node)

    def arguments(self, node: ast.Call, frame: FunctionFrame) -> Given:
        """Return the arguments of a call."""
        found = Given()
        for each in node.args:
            if isinstance(each, ast.Starred):
                value = self.evaluate(each.value, frame)
                inner = structure(value) or value
                if isinstance(inner, TupleType):
                    found.positional += inner.items
                else:
                    found.is_open = True
            else:
                found.nodes[len(found.positional)] = each
                found.positional.append(self.evaluate(each, frame))
        for keyword in node.keywords:
            value = self.evaluate(keyword.value, frame)
            if keyword.arg is not None:
                found.keywords[keyword.arg] = value
                found.nodes[keyword.arg] = keyword.value
                continue
            inner = structure(value) or value
            if isinstance(inner, DictType):
                found.keywords.update(inner.members)
                found.is_open = found.is_open or not inner.is_complete
            else:
                found.is_open = True
        return found

    def either(self, node: ast.IfExp, frame: FunctionFrame) -> ValueType:
        truth = self.truth(node.test, frame)
        if truth is None:
            return any_of([self.evaluate(each, frame) for each in (node.body, node.orelse)])
        return self.evaluate(node.body if truth else node.orelse, frame)

    def boolean(self, node: ast.BoolOp, frame: FunctionFrame) -> ValueType:
        found: list[ValueType] = []
        last = len(node.values) - 1
        is_or = isinstance(node.op, ast.Or)
        for at, each in enumerate(node.values):
            value = self.evaluate(each, frame)
            truth = truth_of(value)
            if at == last or truth is is_or:
                return any_of([*found, value])
            if truth is None:
                found.append(without_none(value) if is_or else value)
        return any_of(found)

    def negated(self, node: ast.UnaryOp, frame: FunctionFrame) -> ValueType:
        value = self.evaluate(node.operand, frame)
        if isinstance(node.op, ast.Not):
            truth = truth_of(value)
            return A_BOOL if truth is None else Known(not truth)
        if isinstance(value, Known) and isinstance(value.value, (int, float)):
            return Known(-value.value) if isinstance(node.op, ast.USub) else A_NUMBER
        return value if isinstance(value, ObjectType) and value.cls in (int, float) else ANYTHING

    def compare(self, node: ast.Compare, frame: FunctionFrame) -> ValueType:
        values = [self.evaluate(each, frame) for each in (node.left, *node.comparators)]
        if len(values) != 2:
            return A_BOOL
        found = compared(values[0], node.ops[0], values[1])
        return A_BOOL if found is None else Known(found)

    def binary(self, node: ast.BinOp, frame: FunctionFrame) -> ValueType:
        left, right = self.evaluate(node.left, frame), self.evaluate(node.right, frame)
        if isinstance(left, RowsType) and isinstance(right, RowsType) and left.row == right.row:
            return (
                left
                if left.data is None
                else type_of_data(replace(left.data, certain=False, expression=None))
            )
        return calculated(left, node.op, right)

    def formatted(self, node: ast.JoinedStr, frame: FunctionFrame) -> ValueType:
        parts: list[ValueType] = []
        for each in node.values:
            if isinstance(each, ast.FormattedValue):
                value = self.evaluate(each.value, frame)
                plain = each.conversion == -1 and each.format_spec is None
                parts.append(value if plain else A_TEXT)
            else:
                parts.append(self.evaluate(each, frame))
        return joined(parts)

    def truth(self, node: ast.expr, frame: FunctionFrame) -> bool | None:
        """Return whether a condition holds, or None where it may or may not."""
        if isinstance(node, ast.BoolOp):
            found = [self.truth(each, frame) for each in node.values]
            decides = isinstance(node.op, ast.Or)
            if decides in found:
                return decides
            return None if None in found else not decides
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            inner = self.truth(node.operand, frame)
            return None if inner is None else not inner
        return truth_of(self.evaluate(node, frame))

    def awaited(self, node: ast.Await, frame: FunctionFrame) -> ValueType:
        return self.evaluate(node.value, frame)

    def lambda_(self, node: ast.Lambda, frame: FunctionFrame) -> ValueType:
        return LocalFunction(node, frame)

    def walrus(self, node: ast.NamedExpr, frame: FunctionFrame) -> ValueType:
        value = self.evaluate(node.value, frame)
        frame.names[node.target.id] = value
        return value

    def yield_(self, node: ast.Yield | ast.YieldFrom, frame: FunctionFrame) -> ValueType:
        value = self.evaluate(node.value, frame) if node.value is not None else Known(None)
        frame.yielded.append(self.item_of(value) if isinstance(node, ast.YieldFrom) else value)
        return ANYTHING

    # -- containers --------------------------------------------------------------------------------

    def dict_(self, node: ast.Dict, frame: FunctionFrame) -> ValueType:
        found = DictType({}, True, NEVER)
        for key, value_node in zip(node.keys, node.values, strict=True):
            value = self.evaluate(value_node, frame)
            if key is None:
                inner = structure(value) or value
                found = united(found, inner) if isinstance(inner, DictType) else opened_dict(found)
                continue
            found = with_key(found, self.evaluate(key, frame), value)
        return found if found.value is not NEVER else replace(found, value=ANYTHING)

    def list_(self, node: ast.List | ast.Set, frame: FunctionFrame) -> ValueType:
        items = []
        for each in node.elts:
            if isinstance(each, ast.Starred):
                items.append(self.item_of(self.evaluate(each.value, frame)))
            else:
                items.append(self.evaluate(each, frame))
        cls = list if isinstance(node, ast.List) else set
        return ItemsType(any_of(items), cls)

    def tuple_(self, node: ast.Tuple, frame: FunctionFrame) -> ValueType:
        items: list[ValueType] = []
        for each in node.elts:
            if isinstance(each, ast.Starred):
                inner = structure(self.evaluate(each.value, frame))
                if not isinstance(inner, TupleType):
                    return ItemsType(ANYTHING, tuple)
                items += inner.items
            else:
                items.append(self.evaluate(each, frame))
        return TupleType(tuple(items))

    def comprehension(
        self, node: ast.ListComp | ast.SetComp | ast.GeneratorExp, frame: FunctionFrame
    ) -> ValueType:
        inner = FunctionFrame(frame.outside, frame.file, frame.module, outer=frame)
        inner.defined_in, inner.receiver = frame.defined_in, frame.receiver
        items: list[ValueType] = []
        self._generated(
            node.generators, inner, lambda: items.append(self.evaluate(node.elt, inner))
        )
        cls = {ast.ListComp: list, ast.SetComp: set}.get(type(node), GENERATOR)
        return items_of(any_of(items) if items else ANYTHING, cls)

    def dict_comprehension(self, node: ast.DictComp, frame: FunctionFrame) -> ValueType:
        inner = FunctionFrame(frame.outside, frame.file, frame.module, outer=frame)
        inner.defined_in, inner.receiver = frame.defined_in, frame.receiver
        found = [DictType({}, True, NEVER)]

        def add() -> None:
            key = self.evaluate(node.key, inner)
            found[0] = with_key(found[0], key, self.evaluate(node.value, inner))

        self._generated(node.generators, inner, add)
        made = found[0]
        return made if made.value is not NEVER else replace(made, value=ANYTHING)

    def _generated(
        self, generators: list[ast.comprehension], frame: FunctionFrame, add: Callable[[], None]
    ) -> None:
        if not generators:
            add()
            return
        first, *rest = generators
        for item in self.items_one_by_one(self.evaluate(first.iter, frame)):
            self.store(first.target, item, frame)
            if all(self.truth(each, frame) is not False for each in first.ifs):
                self._generated(rest, frame, add)

    def items_one_by_one(self, value: ValueType) -> list[ValueType]:
        """Return the items of a tuple one by one; else what any item is, once."""
        inner = structure(value) or value
        if isinstance(inner, TupleType) and len(inner.items) <= MOST_MEMBERS:
            return list(inner.items)
        item = self.item_of(value)
        return [] if item is NEVER else [item]

    def item_of(self, value: ValueType) -> ValueType:
        """Return what a loop over a value goes through."""
        value = structure(value) or value
        if isinstance(value, OneOf):
            return any_of(self.item_of(each) for each in value.types)
        if isinstance(value, RowsType):
            return value.row
        if isinstance(value, TupleType):
            return any_of(value.items) if value.items else NEVER
        if isinstance(value, DictType):
            return A_TEXT if value.members and value.is_complete else ANYTHING
        if isinstance(value, ItemsType):
            return value.item
        if is_text(value):
            return A_TEXT
        return value.item if isinstance(value, ObjectType) else ANYTHING

    def subscript(self, node: ast.Subscript, frame: FunctionFrame) -> ValueType:
        value = self.evaluate(node.value, frame)
        index = self.evaluate(node.slice, frame) if not isinstance(node.slice, ast.Slice) else None
        if index is None:
            assert isinstance(node.slice, ast.Slice)
            for each in (node.slice.lower, node.slice.upper, node.slice.step):
                if each is not None:
                    self.evaluate(each, frame)
        return each_of(value, lambda one: self._item_at(one, index, frame))

    def _item_at(
        self, value: ValueType, index: ValueType | None, frame: FunctionFrame
    ) -> ValueType:
        inner = structure(value) or value
        if index is None:
            if isinstance(inner, TupleType):
                return ItemsType(any_of(inner.items), tuple)
            if isinstance(inner, (RowsType, ItemsType)):
                return inner
            return A_TEXT if is_text(value) else ANYTHING
        plain = index.value if isinstance(index, Known) else None
        if isinstance(inner, DictType):
            if isinstance(plain, str):
                return inner.members.get(plain, inner.value)
            if inner.is_complete and inner.members:
                return any_of(inner.members.values())
            return inner.value
        if isinstance(inner, TupleType) and isinstance(plain, int):
            return inner.items[plain] if -len(inner.items) <= plain < len(inner.items) else ANYTHING
        if isinstance(inner, (RowsType, ItemsType, TupleType)):
            return self.item_of(inner)
        return A_TEXT if is_text(value) and isinstance(plain, int) else ANYTHING

    # -- names ---------------------------------------------------------------------------------

    def store(self, target: ast.AST, value: ValueType, frame: FunctionFrame) -> None:
        """Give a value to the target of an assignment, a loop or a ``with``."""
        if isinstance(target, ast.Name):
            frame.names[target.id] = value
        elif isinstance(target, (ast.Tuple, ast.List)):
            inner = structure(value) or value
            values = unpacked(inner, len(target.elts))
            for at, each in enumerate(target.elts):
                if isinstance(each, ast.Starred):
                    self.store(each.value, ItemsType(ANYTHING), frame)
                else:
                    self.store(each, values[at] if values else self.item_of(inner), frame)
        elif isinstance(target, ast.Subscript):
            container = self.evaluate(target.value, frame)
            key = self.evaluate(target.slice, frame)
            if isinstance(container, DictType):
                self.change(target.value, container, with_key(container, key, value), frame)
        elif isinstance(target, ast.Attribute):
            owner = self.evaluate(target.value, frame)
            if isinstance(owner, Instance):
                owner.attributes[target.attr] = value

    def change(self, node: ast.expr, old: ValueType, new: ValueType, frame: FunctionFrame) -> None:
        """Put a changed dict or list in the place of the old one."""
        if old is new:
            return
        frame.exchange(old, new)
        owner = frame.receiver
        if isinstance(owner, Instance):
            for name, value in owner.attributes.items():
                if value is old:
                    owner.attributes[name] = new
        if isinstance(node, ast.Subscript):  # a container inside another
            outer = self.evaluate(node.value, frame)
            if isinstance(outer, DictType):
                key = self.evaluate(node.slice, frame)
                self.change(node.value, outer, with_key(outer, key, new), frame)


GENERATOR: type = type(_ for _ in "")
READERS: dict[type[ast.expr], Callable[[Any, Any, FunctionFrame], ValueType]] = {
    ast.Constant: ExpressionReader.constant,
    ast.Name: ExpressionReader.name,
    ast.Attribute: ExpressionReader.attribute_of,
    ast.Call: ExpressionReader.called,
    ast.IfExp: ExpressionReader.either,
    ast.BoolOp: ExpressionReader.boolean,
    ast.UnaryOp: ExpressionReader.negated,
    ast.Compare: ExpressionReader.compare,
    ast.BinOp: ExpressionReader.binary,
    ast.JoinedStr: ExpressionReader.formatted,
    ast.Await: ExpressionReader.awaited,
    ast.Lambda: ExpressionReader.lambda_,
    ast.NamedExpr: ExpressionReader.walrus,
    ast.Yield: ExpressionReader.yield_,
    ast.YieldFrom: ExpressionReader.yield_,
    ast.Dict: ExpressionReader.dict_,
    ast.List: ExpressionReader.list_,
    ast.Set: ExpressionReader.list_,
    ast.Tuple: ExpressionReader.tuple_,
    ast.ListComp: ExpressionReader.comprehension,
    ast.SetComp: ExpressionReader.comprehension,
    ast.GeneratorExp: ExpressionReader.comprehension,
    ast.DictComp: ExpressionReader.dict_comprehension,
    ast.Subscript: ExpressionReader.subscript,
}


def with_key(found: DictType, key: ValueType, value: ValueType) -> DictType:
    """Return a dict after ``found[key] = value``."""
    if isinstance(key, OneOf) and all(isinstance(each, Known) for each in key.types):
        for each in key.types:
            found = with_key(found, each, value)
        return found
    plain = key.value if isinstance(key, Known) else None
    whole = ANYTHING if found.value is ANYTHING and found.members else any_of([found.value, value])
    if isinstance(plain, str):
        return DictType({**found.members, plain: value}, found.is_complete, whole)
    return DictType(found.members, False, whole)


def opened_dict(found: DictType) -> DictType:
    """Return a dict that may have further keys."""
    return replace(found, is_complete=False, value=ANYTHING)


def items_of(item: ValueType, cls: type) -> ItemsType:
    """Return a list or its like, and the queryset that its items were read from."""
    data: Data | None = getattr(item, "data", None)
    if data is not None and data.shape == "row":
        return ItemsType(item, cls, replace(data, shape="rows"))
    return ItemsType(item, cls)


def module_named(name: str, frame: FunctionFrame, level: int) -> ModuleType | None:
    """Return a module that is imported inside a function, if it is loaded."""
    if level:
        package = str(frame.outside.get("__package__") or "")
        parts = package.split(".")
        if level > len(parts):
            return None
        base = ".".join(parts[: len(parts) - level + 1])
        name = f"{base}.{name}" if name else base
    return sys.modules.get(name)
