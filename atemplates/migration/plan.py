"""The plan of an engine: template -> variable -> what to select and prefetch."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from ..analysis.site.templates import SiteTemplates
from ..inference.views import ViewRendering
from ..relations.advice import without_prefixes
from .entries import entries_of, needs_of
from .recordings import AccessRecord

PLAN_VERSION = 1


def relations_plan(
    site: SiteTemplates, renderings: Iterable[ViewRendering], records: Iterable[AccessRecord]
) -> dict[str, dict[str, dict[str, Any]]]:
    """Return what the variables of each template need, whether or not their views load it.

    Only variables whose model is known are in it.
    """
    plan: dict[str, dict[str, dict[str, Any]]] = {}
    entries = entries_of(site.paths, list(renderings), list(records), site.annotations)
    for entry in entries.values():
        for path in site.paths.get(entry.template, ()):
            known = entry.variables.get(path.root)
            for need, _, _ in needs_of(known, path) if known is not None else ():
                variables = plan.setdefault(entry.template, {})
                one = variables.setdefault(
                    path.root,
                    {"model": known.model if known else "", "select": set(), "prefetch": set()},
                )
                one["select" if need.join else "prefetch"].add(need.lookup)
    return {
        template: {
            name: {
                "model": one["model"],
                "select": sorted(without_prefixes(one["select"])),
                "prefetch": sorted(without_prefixes(one["prefetch"])),
            }
            for name, one in sorted(variables.items())
        }
        for template, variables in sorted(plan.items())
    }


def plan_text(plan: dict[str, Any]) -> str:
    """The plans of some engines, by alias, as the text of a file.

    It is sorted and has a line for each lookup, to make small diffs.
    """
    return json.dumps({"version": PLAN_VERSION, "engines": plan}, indent=2) + "\n"
