"""What the code of a node list depends on: a walk over its parsed nodes, and a digest of that.

Two node lists with one key have the same code. Whatever a writer may ask of a node is in the key:
types, names, texts, lines, and what is known of functions. A walk that meets anything else is given
up, and the code is not kept.

The walk also gives each object a number, by which code that was kept finds it again: it goes
through the nodes of the same source in the same order.
"""

from __future__ import annotations

import hashlib
import marshal
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from importlib.util import MAGIC_NUMBER
from pathlib import Path
from types import BuiltinFunctionType, FunctionType, MethodDescriptorType
from typing import Any

import django
from django.template import base, defaulttags
from django.template.base import (
    FilterExpression,
    Node,
    NodeList,
    Origin,
    Template,
    TextNode,
    Token,
    Variable,
)
from django.template.loader_tags import BlockNode, ExtendsNode
from django.template.smartif import TokenBase
from django.utils.functional import Promise
from django.utils.safestring import SafeString

from .fast_filters import fast_path_of, is_stock
from .foreign import child_nodelists
from .foreign_arguments import PlannedExpression
from .nodes import NODES

PLAIN_TYPES = frozenset({str, int, float, bool, bytes, type(None)})
"""What stands for itself in a key. (They are told apart there: 1, 1.0 and True.)"""
CODE_FOLDERS = ("compiler", "tags", "runtime", "runtime/fast")
"""The rooms that decide what code looks like, and what it calls."""
LONGEST_SOURCE = 2**20
PACKAGE_FOLDER = Path(__file__).parent.parent
_PartialTemplate: Any = getattr(base, "PartialTemplate", None)
_PartialNode: Any = getattr(defaulttags, "PartialNode", None)
OUR_PREFIXES = ("atemplates", "_atemplates")
"""How the names of what we keep on others' objects begin."""
TOLD = frozenset({"token", "origin"})
"""Attributes of nodes that are told of each."""


class Unwalkable(Exception):
    """A node holds something that a key cannot tell of."""


def content_of(path: str) -> bytes:
    """Read a source file. In two steps, since there are many, and each costs a new process time."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        return os.read(descriptor, LONGEST_SOURCE)
    finally:
        os.close(descriptor)


def environment_digest() -> bytes:
    """Return what all keys of a process share: Python, Django, and our own code."""
    digest = hashlib.sha256()
    optimize = sys.flags.optimize
    for part in (sys.version, MAGIC_NUMBER, optimize, django.VERSION, __name__):
        digest.update(repr(part).encode() + b"\0")
    for folder in CODE_FOLDERS:
        path = os.path.join(PACKAGE_FOLDER, folder)
        with suppress(FileNotFoundError):
            for name in sorted(os.listdir(path)):
                if name.endswith(".py"):
                    digest.update(f"\0{folder} {name}\0".encode() + content_of(f"{path}/{name}"))
    return digest.digest()


class NodeWalk:
    """A walk over some nodes."""

    def __init__(self) -> None:
        self.objects: list[Any] = []
        """What was met, in order: it is alive, so that its identity is its own."""
        self.numbers: dict[int, int] = {}
        """The identity of an object -> its place there."""
        self.parts: list[Any] = []
        self.origin: Any = None
        """That of the node before."""

    def digest(self, environment: bytes, *names: str) -> bytes:
        """Return the key.

        Args:
            names: what else the code says: its file and its title.
        """
        # In a format without references, which depend on who else holds a string.
        return hashlib.sha256(environment + marshal.dumps((names, self.parts), 2)).digest()

    def is_known(self, value: Any) -> bool:
        """Number an object; whether it had a number already, which is then what there is to say."""
        count = len(self.objects)
        number = self.numbers.setdefault(id(value), count)
        if number < count:
            self.parts.append(-1 - number)
            return True
        self.objects.append(value)
        return False

    def add(self, value: Any) -> None:
        """Go through a value.

        Raises:
            Unwalkable: it is, or holds, something unknown.
        """
        kind = type(value)
        if kind in PLAIN_TYPES:
            self.parts.append(value)
        elif kind is SafeString:
            self.parts += "safe", "".join((value,))
        elif kind is list or kind is tuple or issubclass(kind, NodeList):
            self.parts += "[", len(value)
            for item in value:
                if type(item) is TextNode:
                    self.parts += "text", item.s
                else:
                    self.add(item)
        elif not self.is_known(value):
            add = ADDING.get(kind)
            if add is not None:
                add(self, value)
            elif issubclass(kind, Node):
                self._add_node(kind, value)
            elif issubclass(kind, TokenBase):
                self._add_type(kind)
                self._add_attributes(vars(value))
            elif issubclass(kind, Promise):
                self._add_type(kind)
            else:
                self._add_function(value)

    def _add_expression(self, value: Any) -> None:
        self.parts += "expression", value.token
        self.add(value.var)
        for function, args in value.filters:
            self.add(function)
            for is_variable, arg in args:
                self.parts.append(is_variable)
                self.add(arg)

    def _add_variable(self, value: Variable) -> None:
        self.parts += value.var, value.translate, value.lookups
        if value.lookups is None or value.message_context is not None:
            self.add(value.literal)
            self.add(value.message_context)

    def _add_dict(self, value: dict[Any, Any]) -> None:
        self.parts += "{", len(value)
        for key, item in value.items():
            self.add(key)
            self.add(item)

    def _add_token(self, value: Token) -> None:
        self.parts += value.token_type.value, value.lineno, value.contents

    def _add_origin(self, value: Origin) -> None:
        self.parts += "".join((str(value.name),)), "".join((str(value.template_name),))

    def _add_part_of_template(self, value: Any) -> None:
        self.parts.append("partial")
        self.add(value.nodelist)

    def _add_type(self, kind: type) -> None:
        self.parts += kind.__module__, kind.__qualname__

    def _add_attributes(self, values: dict[str, Any]) -> None:
        for name, value in values.items():
            if name not in TOLD and not name.startswith(OUR_PREFIXES):
                self.parts.append(name)
                if type(value) in PLAIN_TYPES:
                    self.parts.append(value)
                else:
                    self.add(value)

    def _add_node(self, kind: type[Node], node: Any) -> None:
        self._add_type(kind)
        token = getattr(node, "token", None)
        if token is not None:
            self._add_token(token)
        origin = getattr(node, "origin", None)
        if origin is not self.origin:
            self.origin = origin
            self.add(origin)
        if kind is BlockNode:
            self.add(node.name)  # its nodes have a plan of their own
        elif kind is ExtendsNode:
            self.add(node.parent_name)  # as have those of its blocks
        elif kind is _PartialNode:
            self._add_partial(node)
        elif kind in NODES:
            self._add_attributes(vars(node))
        else:
            self._add_foreign(kind, node)

    def _add_partial(self, node: Any) -> None:
        self.add(node.partial_name)
        try:
            partial = node.partial_mapping[node.partial_name]
        except KeyError:
            self.parts.append("unknown")
        else:
            self.add(partial)

    def _add_foreign(self, kind: type[Node], node: Node) -> None:
        """Tell of a foreign node what decides how it is called; what it holds is its business."""
        self.parts += hasattr(kind, "render_async"), next(child_nodelists(vars(node)), None) is None
        self._add_function(kind.render)

    def _add_function(self, value: Any) -> None:
        kind = type(value)
        if kind is FunctionType:
            code = value.__code__
            self.parts += "function", value.__module__, value.__qualname__
            self.parts += is_stock(value), fast_path_of(value) is not None
            self.parts += code.co_code, code.co_flags, code.co_argcount, code.co_kwonlyargcount
            self.parts += code.co_varnames
            for name, held in vars(value).items():
                self.parts.append(name)
                if type(held) in PLAIN_TYPES:
                    self.parts.append(held)
                elif name == "__wrapped__":
                    self.add(held)
        elif isinstance(value, type):
            self.parts.append("class")
            self._add_type(value)
        elif kind is BuiltinFunctionType or kind is MethodDescriptorType:
            self.parts += "builtin", str(value.__qualname__)
        else:
            raise Unwalkable(kind)


ADDING: dict[Any, Callable[[NodeWalk, Any], None]] = {
    FilterExpression: NodeWalk._add_expression,
    PlannedExpression: NodeWalk._add_expression,
    Variable: NodeWalk._add_variable,
    dict: NodeWalk._add_dict,
    Token: NodeWalk._add_token,
    Origin: NodeWalk._add_origin,
    Template: lambda walk, value: walk.parts.append("template"),
}
"""How the usual types are told of."""
if _PartialTemplate is not None:
    ADDING[_PartialTemplate] = NodeWalk._add_part_of_template
