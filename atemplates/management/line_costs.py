"""What each line of a template may cost: queries, hops, waits, and what holds back a stream.

The queries come from the template's access paths and from what the site's views give (`migration`);
hops and waits from the compiled plans (`compiler.explain`). Nothing is rendered.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from django.templatetags.cache import CacheNode

from ..analysis.site.templates import SiteTemplates
from ..compiler.explain import explain_template, line_of, nodes_below
from ..compiler.foreign import child_nodelists
from ..inference.types import ItemsType
from ..inference.views import ViewRendering
from ..migration.entries import RenderedTemplate, entries_of
from ..migration.path_costs import PageCosts, QueryCost
from ..runtime.policy import Policy


@dataclass(frozen=True, slots=True)
class LineHop:
    """Code of others that runs in the request's thread, on one line."""

    tag: str
    """As it stands in the template: ``{% weather "York" %}``."""
    module: str
    why: str
    """Where it runs and until when, in words."""


@dataclass(slots=True)
class LineCost:
    """What one line of a template may cost, in the worst of the pages that it is part of."""

    template: str
    file: str
    line: int
    queries: list[QueryCost] = field(default_factory=list)
    views: list[str] = field(default_factory=list)
    """The views in whose pages it costs that; empty when the template says itself what it gets."""
    hops: list[LineHop] = field(default_factory=list)
    waits: int | None = 0
    """In how many places the plan may wait; None when that is not known."""
    flushes: bool = False
    """Whether a page that is streamed may be sent up to here."""
    held_by: str = ""
    """What holds back the text of a page that is streamed: ``"{% filter upper %}, line 3"``."""
    notes: list[str] = field(default_factory=list)

    @property
    def once(self) -> int:
        """How many queries each render sends for the line, beside those of each row."""
        return sum(each.stock for each in self.queries if not each.per_row)

    @property
    def per_row(self) -> int:
        """How many queries each row sends where nothing is loaded together, as in stock Django."""
        return sum(each.stock for each in self.queries if each.per_row)

    @property
    def in_batch(self) -> int:
        """How many queries a render sends with ``relations="batch"``."""
        return sum(each.in_batch for each in self.queries)

    @property
    def per_row_in_batch(self) -> int:
        """How many queries each row sends all the same."""
        return sum(each.per_row_in_batch for each in self.queries)

    @property
    def costs(self) -> bool:
        """Whether there is anything to say of the line but where it may wait."""
        return bool(self.queries or self.hops or self.notes)

    @property
    def rank(self) -> tuple[int, int, int, int]:
        """What makes one line worse than another."""
        return (self.per_row_in_batch, self.per_row, self.in_batch, self.once)


def line_costs(
    site: SiteTemplates, renderings: Iterable[ViewRendering], policy: Policy | None = None
) -> dict[str, dict[int, LineCost]]:
    """Return what the lines of a site's templates may cost.

    Args:
        site: the templates of one engine, as they were read.
        renderings: what the site's views render with that engine.
        policy: the OPTIONS of a backend for Django templates, which say where code of others runs;
            None for Jinja2, of whose plans hops and waits are not known line by line.

    Returns:
        Template -> line -> its cost; lines of which there is nothing to say are left out.
    """
    found: dict[str, dict[int, LineCost]] = {name: {} for name in site.paths}
    _add_queries(found, site, list(renderings))
    if policy is not None:
        for name, template in site.parsed.items():
            _add_plan(found.setdefault(name, {}), site, name, template, policy)
    else:
        for lines in found.values():
            for cost in lines.values():
                cost.waits = None
    return {name: dict(sorted(lines.items())) for name, lines in found.items()}


def cost_at(
    costs: dict[str, dict[int, LineCost]], site: SiteTemplates, name: str, line: int
) -> LineCost:
    """Return the cost of a line, made when there is none yet."""
    lines = costs.setdefault(name, {})
    return lines.setdefault(line, LineCost(name, site.files.get(name, name), line))


# -- queries ---------------------------------------------------------------------------------------


def _add_queries(
    found: dict[str, dict[int, LineCost]], site: SiteTemplates, renderings: list[ViewRendering]
) -> None:
    """Add what each page may ask the database for, line by line; of several pages the worst."""
    entries = entries_of(site.paths, renderings, (), site.annotations)
    for entry in entries.values():
        lazy = lazy_querysets(entry, renderings)
        lines: dict[tuple[str, int], LineCost] = {}
        for cost in PageCosts(entry.variables, lazy).add(site.paths.get(entry.template, ())):
            place = (cost.template, cost.line or 0)
            file = site.files.get(cost.template, cost.template)
            line = lines.setdefault(place, LineCost(*place[:1], file, place[1]))
            line.queries.append(cost)
        for (name, number), line in lines.items():
            known = cost_at(found, site, name, number)
            if line.rank > known.rank:
                known.queries, known.views = line.queries, []
            if line.rank == known.rank and entry.view and entry.view not in known.views:
                known.views.append(entry.view)


def lazy_querysets(entry: RenderedTemplate, renderings: Iterable[ViewRendering]) -> dict[str, Any]:
    """The variables of a page that are querysets whose rows the view has not read.

    Returns:
        Name -> what makes two names the same queryset.
    """
    found: dict[str, Any] = {}
    for rendering in renderings:
        if (rendering.view, rendering.template) != (entry.view, entry.template):
            continue
        for name, data in rendering.loaded.items():
            # A list was read from its queryset; a page holds one that is cut.
            is_list = isinstance(rendering.variables[name], ItemsType)
            if data.shape in ("rows", "page") and not is_list:
                found[name] = id(data.queryset)
    return found


# -- hops and waits --------------------------------------------------------------------------------


def _add_plan(
    lines: dict[int, LineCost], site: SiteTemplates, name: str, template: Any, policy: Policy
) -> None:
    """Add what the plans of a template say of its lines."""

    def at(number: int) -> LineCost:
        return lines.setdefault(number, LineCost(name, site.files.get(name, name), number))

    for section in explain_template(template, policy):
        for line in section.lines:
            if line.line is None:
                continue
            if line.waits:
                cost = at(line.line)
                cost.waits = (cost.waits or 0) + 1
                cost.flushes = cost.flushes or not line.held
                cost.held_by = cost.held_by or line.held
        for node in section.foreign:
            if node.line is not None and not node.on_loop:
                at(node.line).hops.append(LineHop(node.tag, node.module, node.where))
    for number, text in _cached_parts(template):
        at(number).notes.append(text)


def _cached_parts(template: Any) -> Iterator[tuple[int, str]]:
    """The lines of ``{% cache %}``, and of what costs only when it is not in the cache."""
    seen: set[tuple[int, str]] = set()
    for node in nodes_below(template.nodelist):
        if not isinstance(node, CacheNode):
            continue
        number = line_of(node) or 0
        yield number, "asks the cache, and is rendered when it is not there"
        for nodelist in child_nodelists(list(vars(node).values())):
            for inner in nodes_below(nodelist):
                place = line_of(inner), f"only when {{% cache %}} of line {number} has it not"
                if place[0] and place[0] != number and place not in seen:
                    seen.add(place)  # type: ignore[arg-type]
                    yield place  # type: ignore[misc]
