"""The macros that a Jinja2 template can call by a name, and whether a call fits one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from jinja2 import nodes

from ..analysis.jinja2.tree_parts import all_of

LoadTree: TypeAlias = "Callable[[str], nodes.Template | None]"
"""Gives the syntax tree of a template by its name."""
TESTING = frozenset({"default", "d", "defined", "undefined", "none"})
"""Filters and tests that a macro uses for an argument that may be left out."""
BRANCHING = (nodes.If, nodes.CondExpr, nodes.And, nodes.Or)


@dataclass(frozen=True, slots=True)
class CalledMacro:
    """A macro, as a template calls it."""

    macro: nodes.Macro
    said: str
    """The last word of how the template names it."""

    @property
    def name(self) -> str:
        """The macro's own name."""
        return self.macro.name

    @property
    def parameters(self) -> list[str]:
        """The names of its parameters."""
        return [each.name for each in self.macro.args]

    @property
    def needed(self) -> list[str]:
        """Those that have no default."""
        names = self.parameters
        return names[: len(names) - len(self.macro.defaults)]

    def in_words(self) -> str:
        """How it is called."""
        needed = self.needed
        shown = [each if each in needed else f"{each}=…" for each in self.parameters]
        return f"{self.name}({', '.join(shown)})"

    def mentions(self, name: str) -> bool:
        """Whether it uses a name that Jinja2 sets in it: ``caller``, ``varargs``, ``kwargs``."""
        found = (each for each in self.macro.body for each in _names(each))
        return name in self.parameters or any(each.name == name for each in found)


@dataclass(frozen=True, slots=True)
class MacroFault:
    """Why a call does not fit."""

    message: str
    is_possible: bool = False


class Macros:
    """The macros that names of a template stand for."""

    def __init__(
        self, by_name: Mapping[str, nodes.Macro], modules: Mapping[str, Mapping[str, nodes.Macro]]
    ) -> None:
        self.by_name = by_name
        self.modules = modules

    def called(self, callee: Any) -> CalledMacro | None:
        """Return the macro that an expression stands for, if it surely does."""
        if isinstance(callee, nodes.Name) and callee.name in self.by_name:
            return CalledMacro(self.by_name[callee.name], callee.name)
        if isinstance(callee, nodes.Getattr) and isinstance(callee.node, nodes.Name):
            macro = self.modules.get(callee.node.name, {}).get(callee.attr)
            return CalledMacro(macro, callee.attr) if macro is not None else None
        return None


def macros_of(name: str, tree: nodes.Template, load: LoadTree) -> Macros:
    """Return the macros that the names of a template stand for wherever it uses them.

    A name that the template sets in more than one place is left out.
    """
    bound = Counter(names_bound_in(tree))
    by_name = {each: macro for each, macro in own_macros(tree).items() if bound[each] == 1}
    modules: dict[str, Mapping[str, nodes.Macro]] = {}
    for each in all_of(tree, nodes.Import):
        if bound[each.target] == 1:
            modules[each.target] = _macros_in(each.template, load)
    for some in all_of(tree, nodes.FromImport):
        found = _macros_in(some.template, load)
        for pair in some.names:
            theirs, ours = pair if isinstance(pair, tuple) else (pair, pair)
            if bound[ours] == 1 and theirs in found:
                by_name[ours] = found[theirs]
    return Macros(by_name, modules)


def own_macros(tree: nodes.Template) -> dict[str, nodes.Macro]:
    """The macros that a template surely defines for whoever imports it."""
    bound = Counter(names_bound_in(tree))
    macros = [each for each in tree.body if isinstance(each, nodes.Macro)]
    return {each.name: each for each in macros if bound[each.name] == 1}


def names_bound_in(tree: nodes.Template) -> Iterator[str]:
    """Every name that a template sets, as often as it does."""
    for each in all_of(tree, nodes.Name):
        if each.ctx != "load":
            yield each.name
    for macro in all_of(tree, nodes.Macro):
        yield macro.name
    for imported in all_of(tree, nodes.Import):
        yield imported.target
    for some in all_of(tree, nodes.FromImport):
        for pair in some.names:
            yield pair if isinstance(pair, str) else pair[1]


def _macros_in(template: Any, load: LoadTree) -> Mapping[str, nodes.Macro]:
    if not isinstance(template, nodes.Const) or not isinstance(template.value, str):
        return {}
    tree = load(template.value)
    return own_macros(tree) if tree is not None else {}


def macro_fault(called: CalledMacro, call: nodes.Call, with_caller: bool) -> MacroFault | None:
    """Return why a call does not fit a macro; None where it does, or may.

    Args:
        with_caller: whether it is a ``{% call %}``.
    """
    names = called.parameters
    given = [each.key for each in call.kwargs]
    count = len(call.args)
    taken = set(names[:count])
    if count > len(names) and not called.mentions("varargs"):
        most = f"at most {len(names)}" if names else "no"
        return MacroFault(f"it takes {most} argument{'' if len(names) == 1 else 's'}, not {count}")
    if not called.mentions("kwargs"):
        unknown = [each for each in given if each not in names and each != "caller"]
        if unknown:
            return MacroFault(f"it takes no argument {unknown[0]!r}")
        twice = [each for each in given if each in taken]
        if twice:
            return MacroFault(f"the argument {twice[0]!r} is given twice")
    if with_caller and not called.mentions("caller"):
        return MacroFault("it has no use for the contents of {% call %}: it never calls caller()")
    if call.dyn_args is not None or call.dyn_kwargs is not None:
        return None
    missing = [each for each in called.needed if each not in taken and each not in given]
    missing = [each for each in missing if not _may_be_left_out(called.macro, each)]
    if missing:
        is_looked_into = any(_is_looked_into(called.macro, each) for each in missing)
        return MacroFault(f"the argument {missing[0]!r} is missing", not is_looked_into)
    return None


def _names(node: nodes.Node) -> Iterator[nodes.Name]:
    if isinstance(node, nodes.Name):
        yield node
    yield from all_of(node, nodes.Name)


def _may_be_left_out(macro: nodes.Macro, name: str) -> bool:
    """Whether a macro tests somewhere whether it is given an argument, or never needs it."""
    used = False
    for statement in macro.body:
        used = used or any(each.name == name for each in _names(statement))
        for node in all_of(statement, nodes.Filter, nodes.Test):
            if node.name in TESTING and node.node is not None and _is_name(node.node, name):
                return True
        for part in (statement, *all_of(statement, *BRANCHING)):
            tested = getattr(part, "test", None) or getattr(part, "left", None)
            if tested is not None and any(each.name == name for each in _names(tested)):
                return True
    return not used


def _is_name(node: nodes.Node, name: str) -> bool:
    return isinstance(node, nodes.Name) and node.name == name


def _is_looked_into(macro: nodes.Macro, name: str) -> bool:
    """Whether a macro asks for an attribute of an argument, in any case: that fails without it."""
    for statement in macro.body:
        if not isinstance(statement, nodes.Output) or all_of(statement, *BRANCHING):
            continue
        looked_up: tuple[Any, ...] = (nodes.Getattr, nodes.Getitem)
        node: Any
        for node in all_of(statement, *looked_up):
            if _is_name(node.node, name):
                return True
    return False
