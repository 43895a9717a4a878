"""``manage.py atemplates compile``: fill the folder of ``OPTIONS["plan_cache"]``."""

from __future__ import annotations

import argparse
import re
from argparse import ArgumentParser
from collections.abc import Iterator
from typing import Any

from django.core.management.base import CommandError
from django.template import engines
from django.template.base import Template

from ...analysis.site.templates import SiteTemplates, read_site
from ...compiler.explain import node_lists
from ...compiler.module import CACHE_ATTRIBUTE, Module
from ...compiler.plan import text_plan
from ...compiler.plan_cache import SUFFIX, PlanCache
from ...engines.django import DjangoTemplates
from ...migration.formats import counted
from ...migration.recorder import close_all
from ...problems import Problem, serious
from .base import Subcommand, our_backend
from .lazy import progress_of

COMPILE_EXIT_CODES = """
exit codes:
  0  every template is compiled; with --check: the folder holds the code of each
  1  a template of the site does not parse or compile (the others are compiled); with
     --check also one whose code is missing or stale; or no engine has a plan_cache
"""
KEPT_NAME = re.compile(rf"[0-9a-f]{{64}}{re.escape(SUFFIX)}")


class CompileSubcommand(Subcommand):
    """Compile the templates that the loaders find, and keep their code."""

    name = "compile"
    help = (
        "Compile every template of the engines that have OPTIONS['plan_cache'], and keep the code "
        "there, so that a new process need not compile it."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare what is compiled."""
        parser.formatter_class = argparse.RawDescriptionHelpFormatter
        parser.epilog = COMPILE_EXIT_CODES
        parser.add_argument(
            "--engine", metavar="ALIAS", help="the TEMPLATES entry (default: all with a plan_cache)"
        )
        parser.add_argument(
            "--check",
            action="store_true",
            help="write nothing; exit with 1 when something is missing, stale or does not compile",
        )
        parser.add_argument(
            "--streamed",
            action="store_true",
            help="compile what sends the templates piece by piece as well: for sites that call "
            "astream() or have {%% defer %%}",
        )
        parser.add_argument(
            "--prune",
            action="store_true",
            help="remove the files that none of these templates uses, such as those of an older "
            "version, and without --streamed what sends pages; not for a folder that others fill "
            "too",
        )

    def handle(self, options: dict[str, Any]) -> None:
        """Compile, and say what was done.

        Raises:
            CommandError: what the exit codes tell.
        """
        close_all()  # compiling is no rendering
        failing: list[Problem] = []
        missing = 0
        caches = []
        for backend, cache in caching_backends(options["engine"], checks=options["check"]):
            caches.append(cache)
            site = read_site(backend.engine, progress=progress_of())
            missing += self._compile(backend, cache, site, options["streamed"])
            problems = serious(site.problems)
            for problem in problems:
                self.write_line(str(problem))
            failing += problems
            self._print(backend, cache, site, options["check"])
        if options["prune"] and not options["check"] and not failing:
            for cache in caches:
                used = {n for each in caches if each.folder == cache.folder for n in each.used}
                removed = prune(cache, used)
                self.write_line(f"{cache.folder}: {counted(removed, 'unused file')} removed.")
        if failing or missing:
            raise CommandError(
                f"{counted(len(failing), 'problem')}; the code of {counted(missing, 'template')} "
                "is missing or stale."
                + (f" Run: {command_for(options)}" if missing and options["check"] else "")
            )

    def _compile(
        self, backend: DjangoTemplates, cache: PlanCache, site: SiteTemplates, streamed: bool
    ) -> int:
        """Compile the templates of a site; return how many were missing, where that is asked."""
        missing = 0
        before = getattr(backend.engine, CACHE_ATTRIBUTE)
        setattr(backend.engine, CACHE_ATTRIBUTE, cache)
        try:
            for name, template in site.parsed.items():
                known = cache.missing
                try:
                    for module in modules_of(template, streamed=streamed):
                        module.function()
                except Exception as error:
                    what = f"does not compile: {type(error).__name__}: {error}"
                    site.problems.append(Problem(what, site.files[name]))
                if cache.missing > known:
                    missing += 1
                    self.write_line(f"{site.files[name]}: its code is missing or stale.")
        finally:
            setattr(backend.engine, CACHE_ATTRIBUTE, before)
        return missing

    def _print(
        self, backend: DjangoTemplates, cache: PlanCache, site: SiteTemplates, checks: bool
    ) -> None:
        done = f"{cache.missing} missing" if checks else f"{cache.stored} compiled"
        unkept = (
            f" {counted(cache.refused, 'node list')} cannot be kept: each process compiles "
            f"{'them' if cache.refused != 1 else 'it'}."
            if cache.refused
            else ""
        )
        self.write_line(
            f"{backend.name!r}: {counted(len(site.parsed), 'template')}, {cache.folder}: "
            f"{counted(cache.loaded, 'node list')} up to date, {done}.{unkept}"
        )


def caching_backends(
    alias: str | None, *, checks: bool
) -> Iterator[tuple[DjangoTemplates, PlanCache]]:
    """Find the engines that keep compiled code.

    Yields:
        Each, and a cache of the same folder.

    Raises:
        CommandError: there is none.
    """
    chosen = [our_backend(alias)] if alias is not None else engines.all()
    found = False
    for backend in chosen:
        engine = getattr(backend, "engine", None)
        cache = getattr(engine, CACHE_ATTRIBUTE, None)
        if isinstance(backend, DjangoTemplates) and cache is not None:
            found = True
            yield backend, PlanCache(cache.folder, checks=checks)
    if not found:
        raise CommandError("No TEMPLATES entry of ours has OPTIONS['plan_cache'].")


def command_for(options: dict[str, Any]) -> str:
    """Return the command that compiles what a check has missed."""
    return "manage.py atemplates compile" + (" --streamed" if options["streamed"] else "")


def modules_of(template: Template, *, streamed: bool = False) -> Iterator[Module]:
    """What is compiled of a template when it is rendered, in the same way.

    One after the other: compiling a node changes what stands inside it.

    Args:
        streamed: also what is compiled of it when it is sent piece by piece.
    """
    for title, nodelist in node_lists(template):
        if text_plan(nodelist) is not None:
            continue  # there is nothing to compile
        if nodelist is template.nodelist:
            yield from modules_for(nodelist, template, "", streamed)
        else:
            is_block = title.startswith("block ")
            # What stands in a tag of others is held back, and never sent by itself.
            yield from modules_for(nodelist, None, title if is_block else "", streamed and is_block)
    partials = getattr(template, "extra_data", {}).get("partials", {})
    for partial in partials.values():
        yield from modules_for(partial.nodelist, partial, "", streamed)


def modules_for(nodelist: Any, template: Any, name: str, streamed: bool) -> Iterator[Module]:
    """What is compiled of one node list; arguments as for `Module` and `modules_of`."""
    yield Module(nodelist, template, name)
    if streamed:
        yield Module(nodelist, template, name, streamed=True)


def prune(cache: PlanCache, used: set[str]) -> int:
    """Remove the files of a cache that are not used; return how many there were."""
    unused = [
        path
        for path in cache.folder.glob(f"*{SUFFIX}")
        if KEPT_NAME.fullmatch(path.name) and path.name not in used
    ]
    for path in unused:
        path.unlink(missing_ok=True)
    return len(unused)
