"""The line costs of every engine of a site."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from django.template import engines

from ..analysis.site.templates import SiteTemplates
from ..engines.django import DjangoTemplates
from ..inference.views import ViewRendering
from ..problems import is_installed
from .cost_report import COST_LEGEND, UNPLANNED, Costs, cost_lines, summary_line
from .line_costs import line_costs


@dataclass
class EngineCosts:
    """What the lines of one engine's templates may cost."""

    alias: str
    lines: Costs
    is_planned: bool = True
    """Whether hops and waits are known line by line."""
    _environment: Any = field(repr=False, default=None)
    _parsed: dict[str, Any] = field(repr=False, default_factory=dict)

    def source_of(self, name: str) -> str:
        """Return the text of a template of this engine; empty when it cannot be read."""
        if name in self._parsed:
            return str(self._parsed[name].source)
        if self._environment is None:
            return ""
        try:
            return str(self._environment.loader.get_source(self._environment, name)[0])
        except Exception:  # A loader is anybody's code; the figures stand without the text.
            return ""

    def report(self, whole: Iterable[str] = ()) -> list[str]:
        """Return the lines of a report.

        Args:
            whole: the templates of which every line is shown.
        """
        shown = cost_lines(self.lines, self.source_of, whole=whole)
        known = COST_LEGEND if self.is_planned else UNPLANNED
        return [f"{self.alias}: what lines cost. {known}", *shown, "", summary_line(self.lines)]


def site_costs(
    sites: dict[str, SiteTemplates],
    found: Iterable[ViewRendering],
    *,
    only: Iterable[str] = (),
    installed: bool = False,
) -> dict[str, EngineCosts]:
    """Return what the lines of the templates of some engines may cost.

    Args:
        sites: engine's alias -> its templates, as they were read.
        found: what the site's views render.
        only: the templates that are asked for; none for all.
        installed: whether those of installed packages are among them.
    """
    only = set(only)
    first = next(iter(sites), "")
    found = list(found)
    costs = {}
    for alias, site in sites.items():
        backend: Any = engines[alias]
        own = [each for each in found if (each.using or first) == alias]
        policy = backend.policy if isinstance(backend, DjangoTemplates) else None
        environment = getattr(backend, "sync_env", None) or getattr(backend, "env", None)
        lines = {
            name: each
            for name, each in line_costs(site, own, policy).items()
            if (name in only if only else installed or not is_installed(site.files.get(name, "")))
        }
        costs[alias] = EngineCosts(alias, lines, policy is not None, environment, site.parsed)
    return costs
