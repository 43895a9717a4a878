"""What ``check`` looks for in the templates of a site, beyond whether they compile."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.template import engines

from ..analysis.site.templates import SiteTemplates
from ..inference.views import ViewRendering, renderings
from ..lint.site_names import site_name_problems
from ..problems import Problem


def mistakes(sites: dict[str, SiteTemplates]) -> list[Problem]:
    """Return the mistakes in the templates of some engines.

    Args:
        sites: the engine's alias -> its templates.
    """
    found, _ = renderings()
    problems: list[Problem] = []
    for alias, site in sites.items():
        backend: Any = engines[alias]
        environment = getattr(backend, "sync_env", None) or getattr(backend, "env", None)
        own = list(of_engine(alias, sites, found))
        problems += site_name_problems(site, own, None, environment)
    return problems


def of_engine(
    alias: str, sites: dict[str, SiteTemplates], found: Iterable[ViewRendering]
) -> Iterable[ViewRendering]:
    """What views render with an engine: where they do not say, with the first that has it."""
    for each in found:
        if each.using:
            if each.using == alias:
                yield each
            continue
        first = next((name for name, site in sites.items() if each.template in site.files), None)
        if first == alias:
            yield each
