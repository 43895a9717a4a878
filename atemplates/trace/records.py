"""What a trace holds: one `RenderTrace` for each render, plain data, times in milliseconds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from itertools import count
from typing import Any


@dataclass(slots=True)
class WaitRecord:
    """Something that the render could not go on without.

    ``kind`` is ``"await"``, ``"gather"`` (several awaitables together), ``"rows"`` (a queryset),
    ``"call"`` (code that needs the request's thread, or a load), ``"branches"`` (parts of
    ``{% parallel %}``) or ``"turn"`` (the event loop has its turn).
    """

    kind: str
    template: str
    line: int | None
    expression: str
    """The tag or variable as it is written; empty where that is not known."""
    what: str
    """What was waited for, in words."""
    at_ms: float
    """When it began, after the render's beginning."""
    where: str
    """``"loop"``, ``"thread"`` (the request's) or ``"blocking"`` (a sync render)."""
    ms: float = 0.0
    rows: int | None = None
    """How many rows it brought, where it brought rows."""
    error: str = ""
    """The type of the exception that came in place of an answer."""
    file: str = ""


@dataclass(slots=True)
class HopRecord:
    """One stay in the request's thread, of a render on the event loop."""

    template: str
    line: int | None
    """What it was for: where the render stood when it left the loop."""
    expression: str
    at_ms: float
    ms: float = 0.0


@dataclass(slots=True)
class QueryRecord:
    """A query, or a load of relations: what `atemplates.testing.record` gives as an event."""

    kind: str
    template: str
    line: int | None
    expression: str
    at_ms: float
    ms: float
    rows: int
    model: str
    batch: bool
    """Whether it was made for all rows of a loop together."""
    lazy: bool
    """Whether the view could have loaded it."""
    suggestion: str
    """The call that would have loaded it in the view."""
    source: str
    """For Python code that asked: ``file:line``."""
    file: str = ""


@dataclass(slots=True)
class LoadRecord:
    """What was loaded beside the page: ``aload``, or ``OPTIONS["parallel"]``."""

    expression: str
    model: str
    at_ms: float
    ms: float
    rows: int
    reason: str
    """Why it was made in the request's thread; empty when it had a connection of its own."""

    def as_data(self) -> dict[str, Any]:
        """Return it as a dict of texts and numbers."""
        return _plain(self)


@dataclass(slots=True)
class CodeRecord:
    """Code that is not Django's, Jinja2's or ours, at one place of a template.

    ``kind`` is ``"tag"``, ``"filter"``, ``"processor"`` (a context processor) or ``"python"`` (a
    property or method that the template has reached for, and that went to the thread).
    """

    kind: str
    name: str
    """Its module and name."""
    template: str
    line: int | None
    place: str
    """``"loop"`` or ``"thread"``."""
    count: int = 0
    ms: float = 0.0


@dataclass(slots=True)
class PartRecord:
    """A template or block that was rendered as a part of the page.

    ``kind`` is the tag that rendered it: ``"include"``, ``"extends"``, ``"block"``, ``"partial"``,
    ``"import"``, or the name of an inclusion tag.
    """

    kind: str
    name: str
    template: str
    line: int | None
    """Where the tag stands."""
    count: int = 0
    ms: float | None = 0.0
    """All of it together, waits included. None in Jinja2's templates."""
    at_ms: float = 0.0


@dataclass(slots=True)
class CacheRecord:
    """One ``{% cache %}`` tag."""

    fragment: str
    template: str
    line: int | None
    hits: int = 0
    misses: int = 0


@dataclass(slots=True)
class Stretch:
    """How long the event loop had no turn."""

    ms: float = 0.0
    template: str = ""
    line: int | None = None
    """Where it ended."""
    at_ms: float = 0.0


# Any thread may take the next one: that is one step.
_numbers = count(1)


@dataclass(eq=False)
class RenderTrace:
    """One render: of a page, a fragment, or a template rendered in the midst of another one."""

    name: str
    """The template's name; empty for one made from a string."""
    file: str
    engine: str
    """The alias of its backend."""
    view: str
    mode: str
    """``"sync"``, ``"async"`` or ``"stream"``."""
    is_native: bool
    """False under ``async_mode="thread"``: Django's own code renders then."""
    start: float
    """Seconds since 1970."""
    number: int = field(default_factory=_numbers.__next__)
    """No other render of this process has it."""
    parent: RenderTrace | None = None
    """The render in the midst of which this one began."""
    ms: float | None = None
    """From the beginning to the end; None while it goes on."""
    error: str = ""
    """The type and text of the exception that it ended with."""
    first_byte_ms: float | None = None
    """Of a stream: when its first chunk was taken by who sends it."""
    last_byte_ms: float | None = None
    chunks: int = 0
    computing_ms: float = 0.0
    """The time between waits, wherever that was; queries that Python code makes included."""
    loop_ms: float = 0.0
    """The part of it on the event loop."""
    longest: Stretch = field(default_factory=Stretch)
    """The longest time on the event loop without a turn for others."""
    waits: list[WaitRecord] = field(default_factory=list)
    hops: list[HopRecord] = field(default_factory=list)
    queries: list[QueryRecord] = field(default_factory=list)
    loads: list[LoadRecord] = field(default_factory=list)
    code: list[CodeRecord] = field(default_factory=list)
    noted_parts: list[Any] = field(default_factory=list, repr=False)
    """What `parts` is made of."""
    cache: list[CacheRecord] = field(default_factory=list)
    exception: BaseException | None = field(default=None, repr=False)
    """The exception itself, until observers have been told of the end."""
    variables: Callable[[], Mapping[str, Any]] = field(default=dict, repr=False)
    """Gives the variables of the template, until then."""

    @property
    def is_done(self) -> bool:
        """Whether the render has ended."""
        return self.ms is not None

    @property
    def parts(self) -> list[PartRecord]:
        """The templates and blocks that were rendered as parts of the page.

        Each access looks up where they stand: while the page is rendered nobody does.
        """
        return [part.record() for part in list(self.noted_parts)]

    @property
    def title(self) -> str:
        """What a report calls it."""
        return self.name or self.file or "<string>"

    def as_data(self) -> dict[str, Any]:
        """Return all of it as dicts, lists, texts and numbers, ready for JSON."""
        known: dict[str, Any] = {}
        for each in fields(self):
            value = getattr(self, each.name)
            if each.name == "noted_parts":
                known["parts"] = [_plain(part) for part in self.parts]
                continue
            if each.name in ("exception", "variables"):
                continue
            if each.name == "parent":
                known["parent"] = None if value is None else value.number
            elif isinstance(value, list):
                known[each.name] = [_plain(item) for item in list(value)]
            elif isinstance(value, Stretch):
                known[each.name] = _plain(value)
            else:
                known[each.name] = _rounded(value)
        return known


def _plain(record: Any) -> dict[str, Any]:
    return {each.name: _rounded(getattr(record, each.name)) for each in fields(record)}


def _rounded(value: Any) -> Any:
    return round(value, 3) if isinstance(value, float) else value
