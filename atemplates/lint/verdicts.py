"""What all ways that lead to one place of a template say together.

A template is reached from several views, and as a part of several others. What fails on each way
is wrong. What fails on some only, or where something unknown comes by as well, may be meant so: it
is possible, and not even that where a condition stands around it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from ..analysis.reads import CALL_WITH, CALLS, Read
from ..inference.faults import Fault
from ..inference.steps import call, called_by_django, step
from ..inference.types import ANYTHING, CallableType, ValueType
from .contexts import KnownContext
from .made import LANGUAGE_OBJECTS, alternatives

THE_NAME = -1
"""The index of the name that a read begins with; its steps are counted from 0."""
UNKNOWN_NAME = "unknown-name"


@dataclass(slots=True)
class Verdict:
    """What was found at one step of a read, on the ways that were looked at."""

    read: Read
    index: int
    faults: list[Fault] = field(default_factory=list)
    is_certain: bool = False
    """Whether it fails on some way without a condition around it."""
    is_maybe: bool = False
    """Whether it fails on some way only for one of several values."""
    passed: int = 0
    unknown: int = 0

    def add(self, fault: Fault, read: Read, is_maybe: bool) -> None:
        """Note that it fails on a way."""
        if fault not in self.faults:
            self.faults.append(fault)
        self.is_certain = self.is_certain or not (read.conditional or is_maybe)
        self.is_maybe = self.is_maybe or is_maybe

    def decision(self) -> bool | None:
        """Return whether it is only possible that something is wrong; None if nothing is said."""
        if not self.faults or self.read.tolerance == "silent":
            return None
        fails_always = not (self.passed or self.unknown or self.is_maybe)
        if fails_always:
            # Whoever names a default, or hands it to a tag of others, may mean it.
            return self.read.tolerance in ("default", "foreign")
        if self.index == THE_NAME:
            return None
        return True if self.is_certain and not self.read.tolerance else None


def _stepped(value: ValueType, bit: str, calls: bool) -> ValueType | Fault:
    """Take one step: a lookup, or a call that stands in the text."""
    if bit not in CALLS:
        found = step(value, bit, calls=calls)
        if isinstance(found, Fault) and str(value) in LANGUAGE_OBJECTS:
            message = f"{value} has no attribute {bit!r}"
            return replace(found, code="unknown-attribute", message=message)
        return found
    if isinstance(value, CallableType) and value.alters_data:
        name = value.name.rpartition(".")[2]
        what = f"{value.name}() alters data, each time that the template is rendered"
        return Fault("alters-data", what, "call it in the view", name)
    return call(value, has_arguments=bit == CALL_WITH)


class Verdicts:
    """The verdicts of one engine's templates."""

    def __init__(self) -> None:
        self._found: dict[tuple[object, ...], Verdict] = {}

    def at(self, read: Read, index: int) -> Verdict:
        """Return what was found at a step of a read so far."""
        key = (read.file, read.line, read.name, read.steps, read.tolerance, id(read.token), index)
        return self._found.setdefault(key, Verdict(read, index))

    def __iter__(self) -> Iterator[Verdict]:
        return iter(self._found.values())

    def look(self, read: Read, context: KnownContext, annotated: ValueType | None = None) -> None:
        """Follow a read with what is known of its context.

        Args:
            annotated: the type of the name, as a comment of the read's own template says.
        """
        for found, is_maybe in alternatives(read.value, context.type_at):
            value = annotated if annotated is not None and found in (ANYTHING, None) else found
            if read.is_free:
                self._name(read, value, is_maybe, context)
            if value is not None:
                self._steps(read, value, is_maybe)

    def _name(
        self, read: Read, value: ValueType | None, is_maybe: bool, context: KnownContext
    ) -> None:
        verdict = self.at(read, THE_NAME)
        if value is not None or read.is_open:
            # What is known to be there is; of the rest, nobody knows.
            known = value is not None and context.knows_all_names()
            verdict.passed += known
            verdict.unknown += not known
        else:
            verdict.add(Fault(UNKNOWN_NAME, "", name=read.name), read, is_maybe)

    def _steps(self, read: Read, value: ValueType, is_maybe: bool) -> None:
        found: ValueType | Fault = called_by_django(value) if read.calls else value
        if isinstance(found, Fault):
            self.at(read, THE_NAME).add(found, read, is_maybe)
            return
        for index, each in enumerate(read.steps):
            if found is ANYTHING:
                self.at(read, index).unknown += 1
                continue
            found = _stepped(found, each.bit, read.calls)
            verdict = self.at(read, index)
            if isinstance(found, Fault):
                verdict.add(found, read, is_maybe)
                return
            verdict.passed += 1
