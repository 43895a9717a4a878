"""``manage.py atemplates check``: what is wrong in templates, and what differs on the loop."""

from __future__ import annotations

import argparse
from argparse import ArgumentParser
from collections.abc import Iterable
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import CommandError
from django.template import engines

from ...analysis.site.templates import SiteTemplates
from ...engines.django import DjangoTemplates
from ...inference.views import renderings
from ...migration.recorder import close_all
from ...problems import PROBLEM_RULES, Problem
from ...site_settings import site_setting
from ..check_formats import check_as_github, check_as_json, check_as_sarif
from ..check_text import hops_of, processors_of, report_lines, swallowers_of, tally
from ..checking import Checked, Wanted, mistakes, wanted_problems, warnings_of
from ..compiling import Compiled, compile_django, compile_jinja2
from ..cost_report import cost_data, cost_problems
from ..site_costs import EngineCosts, site_costs
from .base import Subcommand
from .lazy import installed_version, sites_of

CHECK_EXIT_CODES = """
exit codes:
  0  nothing is wrong in the templates, every one compiles, and no Python behind them
     is known to catch everything; what is only possible may be there
  1  a warning: Python that catches every exception, which may hide a refused query; or
     with --fail-on-hops something that runs in the request's thread, or does so until
     it is known to be quick. Also an engine or a rule that is not there
  2  something is wrong in a template of the site, or it does not parse or compile; with
     --strict also what is only possible. The rest of the report is there. Also an
     option that does not exist, or has a value that it does not take
  3  a warning, and something that is wrong
"""


class Check(Subcommand):
    """Look for mistakes in templates; list what is different on the event loop."""

    name = "check"
    help = (
        "Compile every template, Django's and Jinja2's; report names and attributes that are not "
        "there, what does not parse, what leaves the event loop, and what behaves differently on "
        "it."
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
        parser.add_argument("--format", choices=["text", "json", "sarif", "github"], default="text")
        parser.add_argument(
            "--all",
            action="store_true",
            help="also look at templates of installed packages; what is wrong there is no failure",
        )
        parser.add_argument(
            "--exclude",
            metavar="PATTERN",
            action="append",
            default=[],
            help="leave out templates whose name or file matches, such as 'legacy/*'; beside "
            "those of ATEMPLATES['check']['exclude']; may be repeated",
        )
        parser.add_argument(
            "--strict", action="store_true", help="what is only possible is a failure, too"
        )
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
            help="a rule, such as unknown-name; or a function that catches every exception, by its "
            "name in the report, and is known to answer the same on the event loop; beside those "
            "of ATEMPLATES['check']['ignore']; may be repeated",
        )

    def handle(self, options: dict[str, Any]) -> None:
        """Look, print, and say by the exit code what was found.

        Raises:
            CommandError: wrong arguments; or what the exit codes tell.
        """
        # Compiling is no rendering, and a recorder of this process has nothing to do with it.
        close_all()
        wanted = wanted_of(options)
        sites = sites_of(options, wanted.left_out)
        checked = check_sites(options, sites, wanted)
        costs = costs_for(options, sites) if options["cost"] else {}
        self._print(options, checked, sites, costs)
        costly = hops_of(checked.compiled)[0] or processors_of(checked.compiled)
        warned = swallowers_of(checked.compiled) or (options["fail_on_hops"] and costly)
        code = (1 if warned else 0) | (2 if checked.failing else 0)
        if code:
            raise CommandError(f"{tally(checked, '; ')}.", returncode=code)

    def _print(
        self,
        options: dict[str, Any],
        checked: Checked,
        sites: dict[str, SiteTemplates],
        costs: dict[str, EngineCosts],
    ) -> None:
        if options["format"] == "json":
            data = {alias: cost_data(each.lines) for alias, each in costs.items()}
            self.write(check_as_json(checked, data))
            return
        if options["format"] != "text":
            others = list(warnings_of(checked.compiled, sites, options["fail_on_hops"]))
            others += [one for each in costs.values() for one in cost_problems(each.lines)]
            if options["format"] == "sarif":
                self.write(check_as_sarif(checked, others, installed_version()))
            elif text := check_as_github(checked, others):
                self.write(text)
            return
        for each in costs.values():
            if options["template"] and not each.lines:
                continue  # this engine has none of the templates that are named
            for line in each.report(options["template"]):
                self.write(line)
        for line in report_lines(checked):
            self.write(line)


def wanted_of(options: dict[str, Any]) -> Wanted:
    """Return which templates and rules are asked for, by arguments and settings.

    Raises:
        CommandError: there is no such rule; or the setting is wrong.
    """
    try:
        given = site_setting("check")
    except ImproperlyConfigured as error:
        raise CommandError(str(error)) from error
    for each in options["ignore"]:
        if each not in PROBLEM_RULES and "." not in each:
            raise CommandError(
                f"There is no rule {each!r}, and no function has such a name. Rules: "
                f"{', '.join(PROBLEM_RULES)}."
            )
    return Wanted(
        options["template"],
        (*given.get("exclude", ()), *options["exclude"]),
        frozenset((*given.get("ignore", ()), *options["ignore"])),
        options["all"],
        options["strict"],
    )


def check_sites(
    options: dict[str, Any], sites: dict[str, SiteTemplates], wanted: Wanted
) -> Checked:
    """Compile the templates of some engines, and look for mistakes in them."""
    compiled: dict[str, Compiled] = {}
    for alias, site in sites.items():
        backend: Any = engines[alias]
        if isinstance(backend, DjangoTemplates):
            compiled[alias] = compile_django(site, backend, wanted.names)
        elif hasattr(backend, "async_env"):
            compiled[alias] = compile_jinja2(site, backend)
    for each in compiled.values():
        each.swallowers = [one for one in each.swallowers if one.name not in wanted.ignore]
    # What a template is given is known by those that include it, also if it alone is asked for.
    whole = sites_of({**options, "template": []}) if wanted.names else sites
    problems: Iterable[Problem] = mistakes(whole)
    if wanted.names:
        own = [each for site in sites.values() for each in site.problems]
        problems = [*own, *(each for each in problems if each.file in wanted.names)]
    found, sources = wanted_problems(whole, problems, wanted)
    left_out = sum(len(site.left_out) for site in sites.values())
    return Checked(compiled, found, left_out, wanted, sources)


def costs_for(options: dict[str, Any], sites: dict[str, SiteTemplates]) -> dict[str, EngineCosts]:
    """The costs of the templates that are asked for, in whichever pages of the site they are."""
    names = options["template"]
    whole = sites_of({**options, "template": []}) if names else sites
    return site_costs(whole, renderings()[0], only=names)
