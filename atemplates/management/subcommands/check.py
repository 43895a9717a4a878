"""``manage.py atemplates check``: does every template compile, and what differs on the loop."""

from __future__ import annotations

import argparse
import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError
from django.template import engines

from ...analysis.site.templates import SiteTemplates
from ...engines.django import DjangoTemplates
from ...inference.views import renderings
from ...migration.formats import OPTIONAL, counted, relative
from ...migration.recorder import close_all
from ...problems import Problem, serious
from ..compiling import (
    ONE_HOP,
    RENDER_ASYNC,
    Compiled,
    Tag,
    TagPlaces,
    compile_django,
    compile_jinja2,
)
from ..cost_report import cost_data
from ..site_costs import EngineCosts, site_costs
from .base import Subcommand
from .lazy import sites_of

CHECK_EXIT_CODES = """
exit codes:
  0  every template compiles, and no Python behind them is known to catch everything
  1  a warning: Python that catches every exception, which may hide a refused query; or
     with --fail-on-hops something that runs in the request's thread, or does so until
     it is known to be quick. Also an engine that is not there
  2  a template of the site does not parse or compile; the rest of the report is
     there. Also an option that does not exist, or has a value that it does not take
  3  a warning, and a template that does not compile
"""
MOST_SHOWN_PLACES = 3


class Check(Subcommand):
    """Compile the templates that the loaders find; list what is different on the event loop."""

    name = "check"
    help = (
        "Compile every template, Django's and Jinja2's; report what does not parse, what leaves "
        "the event loop, and what behaves differently on it."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare what is looked at and how it is printed."""
        parser.formatter_class = argparse.RawDescriptionHelpFormatter
        parser.epilog = CHECK_EXIT_CODES
        parser.add_argument(
            "--engine", metavar="ALIAS", help="the TEMPLATES entry (default: all of ours)"
        )
        parser.add_argument(
            "--template", metavar="NAME", action="append", default=[], help="only this template"
        )
        parser.add_argument("--format", choices=["text", "json"], default="text")
        parser.add_argument(
            "--cost",
            action="store_true",
            help="say of each line of a template which queries and hops it may cost; every line of "
            "a template named with --template",
        )
        parser.add_argument(
            "--fail-on-hops",
            action="store_true",
            help="exit with 1 when a tag or a context processor runs in the request's thread; what "
            "the file of OPTIONS['learned'] says of it counts",
        )
        parser.add_argument(
            "--ignore",
            metavar="NAME",
            action="append",
            default=[],
            help="a function that catches every exception, by its name in the report, and is known "
            "to answer the same on the event loop; may be repeated",
        )

    def handle(self, options: dict[str, Any]) -> None:
        """Compile, print, and say by the exit code what was found.

        Raises:
            CommandError: wrong arguments; or what the exit codes tell.
        """
        # Compiling is no rendering, and a recorder of this process has nothing to do with it.
        close_all()
        sites = sites_of(options)
        found: dict[str, Compiled] = {}
        for alias, site in sites.items():
            backend: Any = engines[alias]
            if isinstance(backend, DjangoTemplates):
                found[alias] = compile_django(site, backend)
            elif hasattr(backend, "async_env"):
                found[alias] = compile_jinja2(site, backend)
        ignored = set(options["ignore"])
        for compiled in found.values():
            compiled.swallowers = [each for each in compiled.swallowers if each.name not in ignored]
        problems = [each for site in sites.values() for each in site.problems]
        # A template that was asked for by its name is not optional.
        failing = problems if options["template"] else serious(problems)
        costs = costs_for(options, sites) if options["cost"] else {}
        if options["format"] == "json":
            self.write(check_as_json(found, problems, costs))
        else:
            for each in costs.values():
                for line in each.report(options["template"]):
                    self.write(line)
            self._print(found, failing, [each for each in problems if each not in failing])
        costly = any(each.hops or each.processors for each in found.values())
        warned = swallowers_of(found) or (options["fail_on_hops"] and costly)
        code = (1 if warned else 0) | (2 if failing else 0)
        if code:
            uses, tags = hops_of(found)
            raise CommandError(
                f"{counted(len(failing), 'problem')}; {caught(found, '; ')}{counted(uses, 'use')} "
                f"of {counted(tags, 'tag')} and "
                f"{counted(processors_of(found), 'context processor')} run in the "
                "request's thread.",
                returncode=code,
            )

    def _print(
        self, found: dict[str, Compiled], failing: list[Problem], optional: list[Problem]
    ) -> None:
        for problem in failing:
            self.write_line(str(problem))
        for alias, compiled in found.items():
            self._print_swallowers(alias, compiled)
        for alias, compiled in found.items():
            self._print_engine(alias, compiled)
        if optional:
            self.write_line(f"{OPTIONAL}:")
        for problem in optional:
            self.write_line(f"  {problem}")
        templates = ", ".join(
            f"{counted(compiled.templates, 'template')} of {alias!r}"
            for alias, compiled in found.items()
        )
        uses, tags = hops_of(found)
        self.write_line(
            f"Compiled: {templates}; {counted(len(failing), 'problem')}. "
            f"{caught(found, '. ')}{counted(uses, 'use')} of {counted(tags, 'tag')} and "
            f"{counted(processors_of(found), 'context processor')} run in the request's thread."
        )

    def _print_engine(self, alias: str, compiled: Compiled) -> None:
        if compiled.in_thread:
            self.write_line(f"{alias}: each render is one hop, as async_mode='thread' says.")
        self._print_tags(
            f"{alias}: tags of others that run in the request's thread:", compiled.hops
        )
        if compiled.hops:
            self.write_line(f"  {ONE_HOP} {RENDER_ASYNC}")
        self._print_tags(
            f"{alias}: tags of others that run on the event loop (one that turns out to query goes "
            "to the thread, for good):",
            compiled.inline,
        )
        if compiled.processors:
            self.write_line(f"{alias}: context processors that run in the request's thread:")
            for processor, where in compiled.processors.items():
                self.write_line(f"  {processor}: {where}")

    def _print_swallowers(self, alias: str, compiled: Compiled) -> None:
        if not compiled.swallowers:
            return
        self.write_line(
            f"{alias}: Python that catches every exception, also the one by which Django says "
            "on the event loop that a query is needed. A render notices that; `async def` code "
            "that calls it by itself gets a wrong answer:"
        )
        for each in compiled.swallowers:
            places = f": {some(each.places)}" if each.places else ""
            self.write_line(f"  {each.name}, {relative(each.file)}:{each.line}{places}")
        self.write_line(
            "  Catch what is expected, or raise SynchronousOnlyOperation again; what answers the "
            "same on the loop can be named with --ignore."
        )

    def _print_tags(self, title: str, tags: TagPlaces) -> None:
        if tags:
            self.write_line(title)
        for tag, places in sorted(tags.items(), key=lambda each: -len(each[1])):
            self.write_line(
                f"  {{% {tag.name} %}} of {tag.module}: {len(places)}x, {some(places)}: {tag.where}"
            )


def costs_for(options: dict[str, Any], sites: dict[str, SiteTemplates]) -> dict[str, EngineCosts]:
    """The costs of the templates that are asked for, in whichever pages of the site they are."""
    names = options["template"]
    whole = sites_of({**options, "template": []}) if names else sites
    return site_costs(whole, renderings()[0], only=names)


def some(places: Any) -> str:
    """The first of some places, and how many more there are."""
    text = ", ".join(places[:MOST_SHOWN_PLACES])
    return (
        text
        if len(places) <= MOST_SHOWN_PLACES
        else f"{text} and {len(places) - MOST_SHOWN_PLACES} more"
    )


def hops_of(found: dict[str, Compiled]) -> tuple[int, int]:
    """How often tags run in the request's thread, and how many tags do."""
    tags = {tag for compiled in found.values() for tag in compiled.hops}
    places = [place for each in found.values() for some in each.hops.values() for place in some]
    return len(places), len(tags)


def swallowers_of(found: dict[str, Compiled]) -> int:
    """How many functions catch every exception."""
    return len({(one.file, one.line) for each in found.values() for one in each.swallowers})


def caught(found: dict[str, Compiled], end: str) -> str:
    """Say how many functions catch every exception; nothing when there are none."""
    count = swallowers_of(found)
    verb = "catches" if count == 1 else "catch"
    return f"{counted(count, 'function')} {verb} every exception{end}" if count else ""


def processors_of(found: dict[str, Compiled]) -> int:
    """How many context processors run in the request's thread."""
    return len({name for compiled in found.values() for name in compiled.processors})


def check_as_json(
    found: dict[str, Compiled], problems: list[Problem], costs: dict[str, EngineCosts]
) -> str:
    """All of it as one JSON object."""
    data: dict[str, Any] = {
        "version": 1,
        "engines": {
            alias: {
                "templates": compiled.templates,
                "waits": compiled.waits,
                "in_thread": compiled.in_thread,
                "hops": [tag_data(tag, places) for tag, places in compiled.hops.items()],
                "inline": [tag_data(tag, places) for tag, places in compiled.inline.items()],
                "processors": list(compiled.processors),
                "processors_where": compiled.processors,
                "swallowers": [
                    {
                        "name": each.name,
                        "file": relative(each.file),
                        "line": each.line,
                        "places": list(each.places),
                    }
                    for each in compiled.swallowers
                ],
            }
            for alias, compiled in found.items()
        },
        "problems": [
            {
                "file": each.file,
                "line": each.line,
                "message": each.message,
                "optional": each.is_optional,
            }
            for each in problems
        ],
    }
    if costs:
        data["costs"] = {alias: cost_data(each.lines) for alias, each in costs.items()}
    return json.dumps(data, indent=2)


def tag_data(tag: Tag, places: list[str]) -> dict[str, Any]:
    """Return what JSON can hold."""
    return {"tag": tag.name, "module": tag.module, "where": tag.where, "places": places}
