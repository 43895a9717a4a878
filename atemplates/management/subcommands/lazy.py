"""``manage.py atemplates lazy``: what templates read and views do not load."""

from __future__ import annotations

import argparse
import inspect
import sys
from argparse import ArgumentParser
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from django.apps import apps
from django.conf import settings
from django.contrib.auth import get_backends, get_user_model
from django.core.management.base import CommandError
from django.template import engines

from ...analysis.site.templates import LeftOut, SiteTemplates, none_left_out, read_site
from ...engines.django import DjangoTemplates
from ...inference.views import ViewRendering, renderings
from ...migration import formats
from ...migration.analysis import analyse
from ...migration.baseline import read_baseline, write_baseline
from ...migration.findings import Report
from ...migration.origins import UserSource
from ...migration.recorder import close_all
from ...migration.recordings import AccessRecord, read_recordings
from ...problems import Problem, printable, serious
from .base import Subcommand, our_backend, unusable

LAZY_EXIT_CODES = """
exit codes:
  0  nothing that --fail-on asks for
  1  findings that --fail-on asks for; or arguments that name what is not there
  2  something could not be analysed; the rest of the report is there. Also an
     option that does not exist, or has a value that it does not take
  3  findings that --fail-on asks for, and something that could not be analysed
"""


class Lazy(Subcommand):
    """Print the lazy accesses, with the calls that would spare them."""

    name = "lazy"
    help = "List the relations that templates read and views do not load, and the calls to add."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare what to look at, how to print it and what to fail on."""
        parser.formatter_class = argparse.RawDescriptionHelpFormatter
        parser.epilog = LAZY_EXIT_CODES
        add_selection(parser)
        parser.add_argument("--format", choices=formats.FORMATS, default="text")
        parser.add_argument(
            "--lost", action="store_true", help="list each path that cannot be followed"
        )
        parser.add_argument("--output", metavar="FILE", help="write the report there")
        parser.add_argument(
            "--fail-on",
            choices=["new", "any"],
            help="exit with 1 when there are findings; new: that --baseline does not have",
        )
        parser.add_argument("--baseline", metavar="FILE", help="the findings that are known")
        parser.add_argument(
            "--write-baseline",
            action="store_true",
            help="write all findings to --baseline; then nothing is new",
        )
        parser.add_argument(
            "--diff", action="store_true", help="print the changes to the views as a diff"
        )
        parser.add_argument(
            "--write", action="store_true", help="with --diff: change the views' files"
        )

    def handle(self, options: dict[str, Any]) -> None:
        """Analyse, print, and say by the exit code what was found.

        Raises:
            CommandError: wrong arguments; or what the exit codes tell.
        """
        if options["fail_on"] == "new" and not options["baseline"]:
            raise CommandError("--fail-on new needs --baseline FILE.")
        if options["write_baseline"] and not options["baseline"]:
            raise CommandError("--write-baseline needs --baseline FILE.")
        if options["write"] and not options["diff"]:
            raise CommandError("--write needs --diff: look at the changes first.")
        gathered = site_of(self, options)
        report = report_of(gathered)
        new = self._new(report, options)
        if options["diff"]:
            from ...migration.edits import MissingLibCST, suggested_edits

            try:
                text = suggested_edits(
                    report,
                    write=options["write"],
                    folders=project_folders(),
                )
                self.write(text)
            except MissingLibCST as error:
                raise CommandError(str(error)) from error
            except OSError as error:
                raise unusable(error.filename, error) from error
        else:
            self._print(report, new, options)
        self._exit(report, new, options)

    def _new(self, report: Report, options: dict[str, Any]) -> formats.New | None:
        if not options["baseline"]:
            return None
        file = Path(options["baseline"])
        if options["write_baseline"]:
            try:
                write_baseline(file, report.findings)
            except OSError as error:
                raise unusable(file, error) from error
        known, problems = read_baseline(file)
        report.problems += problems
        return formats.new_keys(report.findings, known)

    def _print(self, report: Report, new: formats.New | None, options: dict[str, Any]) -> None:
        if options["format"] == "sarif":
            text = formats.as_sarif(report, new, installed_version())
        elif options["format"] == "text":
            text = formats.as_text(report, new, all_lost=options["lost"])
        else:
            text = formats.FORMATS[options["format"]](report, new)
        if not options["output"]:
            self.write(text)
            return
        try:
            Path(options["output"]).write_text(
                text + "\n", encoding="utf-8", errors="backslashreplace"
            )
        except OSError as error:
            raise unusable(options["output"], error) from error

    def _exit(self, report: Report, new: formats.New | None, options: dict[str, Any]) -> None:
        failing = 0
        if options["fail_on"] == "any":
            failing = len(report.findings)
        elif options["fail_on"] == "new" and new is not None:
            failing = len(new)
        found = serious(report.problems)
        code = (1 if failing else 0) | (2 if found else 0)
        if code:
            noun = f"{options['fail_on']} finding"
            what = [formats.counted(failing, noun)] if failing else []
            if found:
                what.append(f"{formats.counted(len(found), 'problem')}: {found[0]}")
            raise CommandError("; ".join(what), returncode=code)


def project_folders() -> list[Path]:
    """The folders of the project: the current one, and the one that the settings name."""
    base = getattr(settings, "BASE_DIR", None)
    return [Path.cwd(), *([Path(base)] if isinstance(base, (str, Path)) and str(base) else [])]


def installed_version() -> str:
    """The version of this package, or an empty text when it is used without being installed."""
    try:
        return version("atemplates")
    except PackageNotFoundError:
        return ""


def add_selection(parser: ArgumentParser) -> None:
    """Declare which templates, views and recordings are looked at."""
    parser.add_argument("--engine", metavar="ALIAS", help="the TEMPLATES entry (default: ours)")
    parser.add_argument(
        "--recording",
        metavar="FILE",
        action="append",
        default=[],
        help="a recording, of OPTIONS['recorder'] or pytest --lazy-report; may be repeated",
    )
    parser.add_argument(
        "--view", metavar="NAME", action="append", default=[], help="only this view"
    )
    parser.add_argument(
        "--template", metavar="NAME", action="append", default=[], help="only this template"
    )


@dataclass
class Gathered:
    """What the templates, the views and the recordings say."""

    sites: dict[str, SiteTemplates]
    """Engine's alias -> its templates."""
    renderings: list[ViewRendering]
    records: list[AccessRecord]
    problems: list[Problem]

    def of_engine(self, alias: str) -> list[ViewRendering]:
        """What the views render with an engine; with the first one where they do not say."""
        first = next(iter(self.sites))
        return [each for each in self.renderings if (each.using or first) == alias]


def sites_of(
    options: dict[str, Any], left_out: LeftOut = none_left_out
) -> dict[str, SiteTemplates]:
    """Read the templates of the engines that are asked for: one, or every one of ours.

    Args:
        left_out: which templates are not read, by name and file, if none is asked for by its name.

    Raises:
        CommandError: there is no such engine.
    """
    alias, names = options["engine"], options["template"]
    chosen = [engines[alias]] if alias in engines.templates else engines.all()
    if alias is not None and alias not in engines.templates:
        our_backend(alias)  # says which there are
    sites: dict[str, SiteTemplates] = {}
    for backend in chosen:
        if isinstance(backend, DjangoTemplates):
            sites[backend.name] = read_site(backend.engine, names, progress_of(), left_out)
        elif environment := getattr(backend, "sync_env", None) or getattr(backend, "env", None):
            from ...analysis.site.jinja2_templates import read_jinja2_site

            sites[backend.name] = read_jinja2_site(environment, names, progress_of(), left_out)
    if not sites:
        our_backend(alias)
    if names:
        read = {name for site in sites.values() for name in site.paths}
        for site in sites.values():
            # Another engine has it.
            site.problems = [each for each in site.problems if each.file not in read]
    return sites


def site_of(subcommand: Subcommand, options: dict[str, Any]) -> Gathered:
    """Read the templates, views and recordings that the arguments select.

    Raises:
        CommandError: there is no such engine or view.
    """
    # The recordings may come from this very process, in tests of a site.
    close_all()
    sites = sites_of(options)
    found, problems = renderings()
    found = [each for each in found if each.using in ("", *sites)]
    recording = read_recordings(map(Path, options["recording"]))
    records = list(recording)
    if options["view"]:
        known = {each.view for each in found} | {each.view for each in records}
        for name in options["view"]:
            if name not in known:
                raise CommandError(
                    f"There is no view {name!r} that renders a template known by its name. "
                    f"Known: {printable(', '.join(sorted(filter(None, known)))) or 'none'}."
                )
        found = [each for each in found if each.view in options["view"]]
        records = [each for each in records if each.view in options["view"]]
    if options["template"]:
        names = {
            path.template
            for site in sites.values()
            for each in site.paths.values()
            for path in each
        }
        names.update(*(site.paths for site in sites.values()))
        records = [each for each in records if each.template in names]
    of_sites = [problem for site in sites.values() for problem in site.problems]
    return Gathered(sites, found, records, [*of_sites, *problems, *recording.problems])


def report_of(gathered: Gathered) -> Report:
    """Merge what was read into a report."""
    report = Report(problems=gathered.problems, user=user_source())
    taken: set[int] = set()
    for alias, site in gathered.sites.items():
        own = gathered.of_engine(alias)
        views = {each.view for each in gathered.renderings} - {each.view for each in own}
        records = [
            each
            for each in gathered.records
            if id(each) not in taken
            and each.view not in views
            and each.template in known_templates(site)
        ]
        taken.update(map(id, records))
        rest = [
            each
            for each in gathered.records
            if id(each) not in taken and each.view in {one.view for one in own}
        ]
        taken.update(map(id, rest))
        found = analyse(site.paths, own, [*records, *rest], site.annotations)
        report.add(found, site.files)
    report.records = len(gathered.records)
    return report


def user_source() -> UserSource | None:
    """Where the users of requests are loaded: by a backend of the settings; None without users."""
    if not apps.is_installed("django.contrib.auth"):
        return None
    label = get_user_model()._meta.label
    for backend in get_backends():
        method = inspect.unwrap(type(backend).get_user)
        module = getattr(method, "__module__", "")
        if module.partition(".")[0] == "django":
            continue
        file, line = inspect.getsourcefile(method), inspect.getsourcelines(method)[1]
        return UserSource(label, f"to the queryset of {method.__qualname__}()", f"{file}:{line}")
    return UserSource(
        label,
        "where the user is loaded: in get_user() of an authentication backend of your own",
    )


def known_templates(site: SiteTemplates) -> set[str]:
    """The templates of a site, and those that they include."""
    return {path.template for paths in site.paths.values() for path in paths} | set(site.paths)


def progress_of() -> Any:
    """Return what shows the progress on a terminal, or None when nobody looks at one."""
    stream = sys.stderr
    if not stream.isatty():
        return None

    def show(done: int, total: int, name: str) -> None:
        end = "\r" if done < total else "\r\033[K"
        shown = printable(name)[:60]
        stream.write(f"\033[K{done}/{total} {shown}{end}" if done < total else end)
        stream.flush()

    return show
