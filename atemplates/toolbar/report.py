"""The templates of a request with their lines, as plain data: what the toolbar's store keeps."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

from ..runtime.line_times import TimedTemplate
from ..trace.records import HopRecord, RenderTrace, WaitRecord
from .profile import RequestProfile

INSIDE = "branches"
"""The kind of waits that hold others: parts that run at the same time."""
HEAT = (0.01, 0.05, 0.15, 0.4)
"""From which share of the time of all lines a line is shown warmer, step by step."""
COLDEST = 0.05
"""The milliseconds below which no line is warm."""


@dataclass
class LineReport:
    """One line of a template. All times are milliseconds."""

    number: int
    text: str = ""
    ms: float = 0.0
    """What it took by itself: without queries, and without what it waited for."""
    runs: int = 0
    """How often something in it began: each tag and each variable counts."""
    queries: int = 0
    query_ms: float = 0.0
    rows: int = 0
    waits: int = 0
    wait_ms: float = 0.0
    inside_ms: float = 0.0
    """The part of it that was waiting for parts whose lines have times of their own."""
    hops: int = 0
    heat: int = 0
    """How much of the time of all lines it is: 0 (next to nothing) to 4."""

    @property
    def cost(self) -> float:
        """How long it took altogether: queries are what it waited for, or beside it."""
        return self.ms + max(self.wait_ms - self.inside_ms, self.query_ms)

    @property
    def is_quiet(self) -> bool:
        """Whether nothing is to be said of it."""
        return not (self.ms or self.runs or self.queries or self.waits or self.hops)


@dataclass
class LineFinding:
    """Something that is said of a line besides its numbers; equal ones are counted."""

    line: int | None
    expression: str
    what: str
    advice: str = ""
    """What to do about it."""
    count: int = 0
    rows: int = 0
    ms: float = 0.0


@dataclass
class TemplateReport:
    """One template: its lines, and what was found."""

    name: str
    file: str
    language: str
    """``"django"`` or ``"jinja2"``; empty where it was not compiled by us."""
    engine: str = ""
    """The alias of the backend that rendered it."""
    source: str = ""
    is_timed: bool = False
    """Whether it is known what its lines took by themselves."""
    lines: list[LineReport] = field(default_factory=list)
    total: LineReport = field(default_factory=lambda: LineReport(0))
    """All of its lines together."""
    loaded: list[LineFinding] = field(default_factory=list)
    """Queries: batches, and what was not loaded in the view."""
    hops: list[LineFinding] = field(default_factory=list)
    code: list[LineFinding] = field(default_factory=list)
    """Code of others."""
    cache: list[LineFinding] = field(default_factory=list)


@dataclass
class RenderReport:
    """One render."""

    name: str
    engine: str
    mode: str
    ms: float | None
    computing_ms: float
    first_byte_ms: float | None
    longest_ms: float
    error: str


class RequestReport:
    """Puts together what a profile has collected."""

    def __init__(self, profile: RequestProfile) -> None:
        self.profile = profile
        self.templates: dict[str, TemplateReport] = {}
        self._lines: dict[tuple[str, int], LineReport] = {}
        self._findings: dict[tuple[Any, ...], LineFinding] = {}

    def as_data(self) -> dict[str, Any]:
        """Return all of it as dicts, lists, texts and numbers."""
        for timed in list(self.profile.times.templates):
            self._take_source(timed)
        self._take_times()
        for render in list(self.profile.renders):
            self._take_render(render)
        self._end_lines()
        total = LineReport(0)
        for template in self.templates.values():
            add_line(total, template.total)
        return {
            "renders": [asdict(render_report(each)) for each in self.profile.renders],
            "templates": [asdict(each) for each in self.templates.values()],
            "loads": [load for each in self.profile.renders for load in loads_of(each)],
            "total": asdict(total),
            "is_done": all(each.is_done for each in self.profile.renders),
        }

    # -- where it belongs --------------------------------------------------------------------------

    def _template(self, name: str, file: str, language: str = "") -> TemplateReport:
        file = "" if file == name else file
        found = self.templates.get(file or name)
        if found is None:
            found = self.templates[file or name] = TemplateReport(name, file, language)
        return found

    def _line(self, template: TemplateReport, number: int | None) -> LineReport:
        if number is None:
            return template.total
        return self._lines.setdefault((template.file or template.name, number), LineReport(number))

    def _of_record(self, record: Any) -> TemplateReport | None:
        """The template that a record of a trace is about; None if it is about none."""
        if not record.template:
            return None
        file = getattr(record, "file", "")
        if not file:
            known = [each for each in self.templates.values() if each.name == record.template]
            if known:
                return known[0]
        return self._template(record.template, file)

    def _find(self, found: list[LineFinding], finding: LineFinding) -> LineFinding:
        key = (id(found), finding.line, finding.expression, finding.what, finding.advice)
        if key not in self._findings:
            self._findings[key] = finding
            found.append(finding)
        return self._findings[key]

    # -- what was collected ------------------------------------------------------------------------

    def _take_source(self, timed: TimedTemplate) -> None:
        template = self._timed(timed)
        template.is_timed = True
        template.source = template.source or timed.source

    def _take_times(self) -> None:
        runs = self.profile.times.runs()
        for place, seconds in self.profile.times.seconds().items():
            if place is not None:
                line = self._line(self._timed(place.template), place.line)
                line.ms += seconds * 1000
                line.runs += runs.get(place, 0)

    def _timed(self, timed: TimedTemplate) -> TemplateReport:
        return self._template(timed.name, timed.file, timed.engine)

    def _take_render(self, render: RenderTrace) -> None:
        name = self._template(render.name, render.file) if render.name else None
        for each in self.templates.values():
            each.engine = each.engine or render.engine
        if name is not None:
            name.engine = render.engine
        for wait in list(render.waits):
            self._take_wait(wait)
        for hop in list(render.hops):
            self._take_hop(hop, render.waits)
        self._take_queries(render)
        self._take_code(render)

    def _take_wait(self, wait: WaitRecord) -> None:
        template = self._of_record(wait)
        if template is None or wait.kind == "turn":
            return
        line = self._line(template, wait.line)
        line.waits += 1
        line.wait_ms += wait.ms
        if wait.kind == INSIDE:
            line.inside_ms += wait.ms

    def _take_hop(self, hop: HopRecord, waits: Iterable[WaitRecord]) -> None:
        template = self._of_record(hop)
        if template is None:
            return
        self._line(template, hop.line).hops += 1
        first = next((each for each in waits if abs(each.at_ms - hop.at_ms) < 1e-6), None)
        what = first.what if first is not None else "the page begins in the request's thread"
        finding = self._find(template.hops, LineFinding(hop.line, hop.expression, what))
        finding.count += 1
        finding.ms += hop.ms

    def _take_queries(self, render: RenderTrace) -> None:
        for query in list(render.queries):
            template = self._of_record(query)
            if template is None:
                continue
            line = self._line(template, query.line)
            line.queries += 1
            line.query_ms += query.ms
            line.rows += query.rows
            what = f"{query.kind} {query.model}".strip()
            if query.batch:
                what += ", for all rows of the loop together"
            elif query.source:
                what += f", asked by {query.source}"
            advice = query.suggestion if query.lazy else ""
            finding = self._find(
                template.loaded, LineFinding(query.line, query.expression, what, advice)
            )
            finding.count += 1
            finding.rows += query.rows
            finding.ms += query.ms

    def _take_code(self, render: RenderTrace) -> None:
        for code in list(render.code):
            template = self._of_record(code)
            if template is None:
                continue
            where = "on the event loop" if code.place == "loop" else "in the request's thread"
            what = f"{code.kind} {code.name}, {where}"
            finding = self._find(template.code, LineFinding(code.line, "", what))
            finding.count += code.count
            finding.ms += code.ms
        for cache in list(render.cache):
            template = self._of_record(cache)
            if template is None:
                continue
            for what, count in (("found", cache.hits), ("not found", cache.misses)):
                if count:
                    kept = LineFinding(cache.line, cache.fragment, what)
                    self._find(template.cache, kept).count += count

    # -- the lines, in order -----------------------------------------------------------------------

    def _end_lines(self) -> None:
        whole = sum(line.cost for line in self._lines.values())
        for (key, number), line in self._lines.items():
            template = self.templates[key]
            line.heat = heat_of(line.cost, whole)
            add_line(template.total, line)
            template.lines.append(line)
            line.text = f"(line {number})"
        for template in self.templates.values():
            known = {line.number: line for line in template.lines}
            texts = template.source.splitlines()
            template.lines = [
                known.get(number) or LineReport(number) for number in range(1, len(texts) + 1)
            ] + sorted(
                (line for line in known.values() if line.number > len(texts)),
                key=lambda line: line.number,
            )
            for line, text in zip(template.lines, texts, strict=False):
                line.text = text
            template.total.heat = max((line.heat for line in template.lines), default=0)


def add_line(total: LineReport, line: LineReport) -> None:
    """Add the numbers of a line to a total."""
    total.ms += line.ms
    total.runs += line.runs
    total.queries += line.queries
    total.query_ms += line.query_ms
    total.rows += line.rows
    total.waits += line.waits
    total.wait_ms += line.wait_ms
    total.inside_ms += line.inside_ms
    total.hops += line.hops


def heat_of(cost: float, whole: float) -> int:
    """Return how warm a line is shown: 0 to 4."""
    if cost < COLDEST or not whole:
        return 0
    return sum(cost / whole >= share for share in HEAT)


def render_report(render: RenderTrace) -> RenderReport:
    """Return what is shown of a render."""
    return RenderReport(
        name=render.title,
        engine=render.engine,
        mode=render.mode if render.is_native else f"{render.mode}, in a thread",
        ms=render.ms,
        computing_ms=render.computing_ms,
        first_byte_ms=render.first_byte_ms,
        longest_ms=render.longest.ms,
        error=render.error,
    )


def loads_of(render: RenderTrace) -> list[dict[str, Any]]:
    """Return what is shown of the loads beside a page."""
    return [
        {
            "expression": load.expression,
            "model": load.model,
            "rows": load.rows,
            "ms": load.ms,
            "reason": load.reason,
        }
        for load in render.loads
    ]
