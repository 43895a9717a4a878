"""Reading the statements of a function in order, each way that it may take."""

from __future__ import annotations

import ast
from collections.abc import Callable
from functools import partial
from typing import Any

from .calls import Calls, read_or_promised
from .expressions import module_named
from .frames import FunctionFrame, merged_names
from .known import NEVER, Known, LocalFunction, any_of, of_object, structure
from .operators import calculated, narrow
from .types import ANYTHING, DictType, ItemsType, RowsType, ValueType

FunctionBody = list[ast.stmt]
MOST_STATEMENTS = 20_000
"""How many statements are read for one view, calls included, before the rest is given up."""


class TooLong(Exception):
    """Reading a view takes too long."""


class Statements(Calls):
    """The reading of statements."""

    def __init__(self) -> None:
        super().__init__()
        self.statements_left = MOST_STATEMENTS

    def run(self, body: FunctionBody, frame: FunctionFrame) -> bool:
        """Read statements one after the other.

        Returns:
            Whether none of the ways through them goes on behind them.
        """
        for each in body:
            self.statements_left -= 1
            if self.statements_left < 0:
                raise TooLong
            reader = STATEMENTS.get(type(each))
            if reader is not None and reader(self, each, frame):
                return True
        return False

    def expression(self, node: ast.Expr, frame: FunctionFrame) -> bool:
        self.evaluate(node.value, frame)
        self._note(frame)
        return False

    def assign(self, node: ast.Assign, frame: FunctionFrame) -> bool:
        value = self.evaluate(node.value, frame)
        for target in node.targets:
            self.store(target, value, frame)
        self._note(frame)
        return False

    def annotated(self, node: ast.AnnAssign, frame: FunctionFrame) -> bool:
        from .hints import type_of_hint

        value = self.evaluate(node.value, frame) if node.value is not None else None
        if value is None and not isinstance(node.target, ast.Name):
            return False
        promised = type_of_hint(ast.unparse(node.annotation), dict(frame.outside))
        self.store(
            node.target, promised if value is None else read_or_promised(value, promised), frame
        )
        return False

    def augmented(self, node: ast.AugAssign, frame: FunctionFrame) -> bool:
        value = self.evaluate(node.value, frame)
        target: Any = node.target
        loaded = type(target)(**{name: getattr(target, name, None) for name in target._fields})
        loaded.ctx = ast.Load()
        ast.copy_location(loaded, target)
        before = self.evaluate(loaded, frame)
        after = calculated(before, node.op, value)
        if isinstance(structure(before), (DictType, ItemsType)):
            self.change(loaded, before, after, frame)
            if after is ANYTHING:
                self.store(target, after, frame)
        else:
            self.store(target, after, frame)
        return False

    def returned(self, node: ast.Return, frame: FunctionFrame) -> bool:
        value = self.evaluate(node.value, frame) if node.value is not None else Known(None)
        frame.returned.append(value)
        frame.ends.append(dict(frame.names))
        return True

    def raised(self, node: ast.Raise, frame: FunctionFrame) -> bool:
        if node.exc is not None:
            self.evaluate(node.exc, frame)
        self._note(frame)
        return True

    def _note(self, frame: FunctionFrame) -> None:
        """Something may be raised here, for whatever ``try`` is around."""
        if frame.caught:
            frame.caught[-1].append(dict(frame.names))

    def branch(self, node: ast.If, frame: FunctionFrame) -> bool:
        truth = self.truth(node.test, frame)
        if truth is not None:
            return self.run(node.body if truth else node.orelse, frame)
        return self._either(
            [lambda: self.run(node.body, frame), lambda: self.run(node.orelse, frame)], frame
        )

    def _either(self, ways: list[Callable[[], bool]], frame: FunctionFrame) -> bool:
        """Read several ways from here, and what is known where they come together."""
        before = frame.names
        attributes = getattr(frame.receiver, "attributes", None)
        held = dict(attributes) if attributes is not None else {}
        ends: list[dict[str, ValueType]] = []
        all_held: list[dict[str, ValueType]] = []
        for way in ways:
            frame.names = dict(before)
            if attributes is not None:
                attributes.clear()
                attributes.update(held)
            if not way():
                ends.append(frame.names)
            if attributes is not None:
                all_held.append(dict(attributes))
        if attributes is not None:
            attributes.clear()
            attributes.update(merged_names(all_held))
        frame.names = merged_names(ends) if ends else before
        return not ends

    def loop(self, node: ast.For | ast.AsyncFor, frame: FunctionFrame) -> bool:
        source = self.evaluate(node.iter, frame)
        inner = structure(source) or source
        items = self.items_one_by_one(inner)

        def once(item: ValueType) -> bool:
            self.store(node.target, item, frame)
            return self.run(node.body, frame)

        several = len(items) > 1
        self._repeated([partial(once, item) for item in items], frame, not several)
        self.run(node.orelse, frame)
        return False

    def repeat(self, node: ast.While, frame: FunctionFrame) -> bool:
        def once() -> bool:
            self.evaluate(node.test, frame)
            return self.run(node.body, frame)

        self._repeated([once], frame, twice=True)
        self.run(node.orelse, frame)
        return False

    def _repeated(self, turns: list[Callable[[], bool]], frame: FunctionFrame, twice: bool) -> None:
        """Read the body of a loop: once for each item that is known, or twice for any."""
        before = dict(frame.names)
        frame.jumps.append([])
        ends = [before]
        for turn in turns * 2 if twice else turns:
            if not turn():
                ends.append(dict(frame.names))
            ends += frame.jumps[-1]
            frame.jumps[-1] = []
            frame.names = merged_names(ends)
            ends = [frame.names]
            if twice:
                for name, value in frame.names.items():
                    if before.get(name) is not value:
                        frame.names[name] = narrow(value)
        frame.jumps.pop()

    def jumped(self, node: ast.Break | ast.Continue, frame: FunctionFrame) -> bool:
        if frame.jumps:
            frame.jumps[-1].append(dict(frame.names))
        return True

    def tried(self, node: ast.Try, frame: FunctionFrame) -> bool:
        before = dict(frame.names)
        frame.caught.append([before])
        ended = self.run(node.body, frame)
        raised_at = frame.caught.pop()
        if ended and not any(isinstance(each, ast.Return) for each in ast.walk(node)):
            # What is raised inside says where handlers go on.
            raised_at.append(dict(frame.names))
        after = frame.names

        def body() -> bool:
            frame.names = dict(after)
            return ended or self.run(node.orelse, frame)

        def handled(handler: ast.ExceptHandler) -> Callable[[], bool]:
            def way() -> bool:
                frame.names = merged_names(raised_at)
                if handler.type is not None:
                    self.evaluate(handler.type, frame)
                if handler.name:
                    frame.names[handler.name] = ANYTHING
                return self.run(handler.body, frame)

            return way

        done = self._either([body, *map(handled, node.handlers)], frame)
        return self.run(node.finalbody, frame) or done

    def with_(self, node: ast.With | ast.AsyncWith, frame: FunctionFrame) -> bool:
        for each in node.items:
            value = self.evaluate(each.context_expr, frame)
            if each.optional_vars is not None:
                entered = value if isinstance(value, RowsType) else ANYTHING
                self.store(each.optional_vars, entered, frame)
        return self.run(node.body, frame)

    def matched(self, node: ast.Match, frame: FunctionFrame) -> bool:
        self.evaluate(node.subject, frame)

        def way(case: ast.match_case) -> Callable[[], bool]:
            def read() -> bool:
                for each in ast.walk(case.pattern):
                    name = getattr(each, "name", None) or getattr(each, "rest", None)
                    if isinstance(name, str):
                        frame.names[name] = ANYTHING
                if case.guard is not None:
                    self.evaluate(case.guard, frame)
                return self.run(case.body, frame)

            return read

        last = node.cases[-1] if node.cases else None
        whole = (
            last is not None
            and last.guard is None
            and isinstance(last.pattern, ast.MatchAs)
            and last.pattern.pattern is None
        )
        ways = list(map(way, node.cases))
        return self._either(ways if whole else [*ways, lambda: False], frame)

    def function(self, node: ast.FunctionDef | ast.AsyncFunctionDef, frame: FunctionFrame) -> bool:
        for decorator in node.decorator_list:
            self.evaluate(decorator, frame)
        # A decorator is taken for one that lets the function do what it does.
        frame.names[node.name] = LocalFunction(node, frame)
        return False

    def class_(self, node: ast.ClassDef, frame: FunctionFrame) -> bool:
        frame.names[node.name] = ANYTHING
        return False

    def imported(self, node: ast.Import, frame: FunctionFrame) -> bool:
        for alias in node.names:
            name = alias.name if alias.asname else alias.name.partition(".")[0]
            module = module_named(name, frame, 0)
            frame.names[alias.asname or name] = ANYTHING if module is None else Known(module)
        return False

    def imported_from(self, node: ast.ImportFrom, frame: FunctionFrame) -> bool:
        module = module_named(node.module or "", frame, node.level)
        for alias in node.names:
            if alias.name == "*":
                frame.escaped = True
                continue
            missing = object()
            found = vars(module).get(alias.name, missing) if module is not None else missing
            if found is missing and module is not None:
                inner = module_named(f"{module.__name__}.{alias.name}", frame, 0)
                found = inner if inner is not None else missing
            value = ANYTHING if found is missing else of_object(found)
            frame.names[alias.asname or alias.name] = value
        return False

    def deleted(self, node: ast.Delete, frame: FunctionFrame) -> bool:
        for each in node.targets:
            if isinstance(each, ast.Name):
                frame.names.pop(each.id, None)
        return False

    def shared(self, node: ast.Global | ast.Nonlocal, frame: FunctionFrame) -> bool:
        return False

    def asserted(self, node: ast.Assert, frame: FunctionFrame) -> bool:
        self.evaluate(node.test, frame)
        return False


STATEMENTS: dict[type[ast.stmt], Callable[[Any, Any, FunctionFrame], bool]] = {
    ast.Expr: Statements.expression,
    ast.Assign: Statements.assign,
    ast.AnnAssign: Statements.annotated,
    ast.AugAssign: Statements.augmented,
    ast.Return: Statements.returned,
    ast.Raise: Statements.raised,
    ast.If: Statements.branch,
    ast.For: Statements.loop,
    ast.AsyncFor: Statements.loop,
    ast.While: Statements.repeat,
    ast.Break: Statements.jumped,
    ast.Continue: Statements.jumped,
    ast.Try: Statements.tried,
    ast.TryStar: Statements.tried,
    ast.With: Statements.with_,
    ast.AsyncWith: Statements.with_,
    ast.Match: Statements.matched,
    ast.FunctionDef: Statements.function,
    ast.AsyncFunctionDef: Statements.function,
    ast.ClassDef: Statements.class_,
    ast.Import: Statements.imported,
    ast.ImportFrom: Statements.imported_from,
    ast.Delete: Statements.deleted,
    ast.Global: Statements.shared,
    ast.Nonlocal: Statements.shared,
    ast.Assert: Statements.asserted,
}


def result_of(frame: FunctionFrame, ended: bool, is_generator: bool) -> ValueType:
    """Return what a function gives that was read."""
    if is_generator:
        return ItemsType(any_of(frame.yielded) if frame.yielded else ANYTHING)
    found = list(frame.returned)
    if not ended:
        found.append(Known(None))
    return any_of(found) if found else NEVER
