"""``manage.py atemplates check``: does every template parse and compile, and what costs a hop."""

from __future__ import annotations

import argparse
import json
from argparse import ArgumentParser
from collections import defaultdict
from typing import Any

from django.core.management.base import CommandError

from ...compiler.explain import explain
from ...engines.django import DjangoTemplates
from ...migration.problems import Problem
from ...migration.site import Site, read_site
from .base import Subcommand, our_backend
from .lazy import progress_of

EXIT_CODES = """
exit codes:
  0  every template compiles
  1  --fail-on-hops, and there are tags that cost a hop; or wrong arguments
  2  a template does not parse or compile
  3  both
"""


class Check(Subcommand):
    """Compile the templates that the loaders find; list the foreign tags."""

    name = "check"
    help = "Compile every template; report what does not parse and which tags leave the event loop."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare what is looked at and how it is printed."""
        parser.formatter_class = argparse.RawDescriptionHelpFormatter
        parser.epilog = EXIT_CODES
        parser.add_argument("--engine", metavar="ALIAS", help="the TEMPLATES entry (default: ours)")
        parser.add_argument(
            "--template", metavar="NAME", action="append", default=[], help="only this template"
        )
        parser.add_argument("--format", choices=["text", "json"], default="text")
        parser.add_argument(
            "--fail-on-hops", action="store_true", help="exit with 1 when a tag costs a hop"
        )

    def handle(self, options: dict[str, Any]) -> None:
        """Compile, print, and say by the exit code what was found.

        Raises:
            CommandError: wrong arguments; or what the exit codes tell.
        """
        backend = our_backend(options["engine"])
        site = read_site(backend.engine, options["template"], progress_of())
        hops, inline, waits = compiled(site, backend)
        if options["format"] == "json":
            self.write(
                json.dumps(
                    {
                        "version": 1,
                        "templates": len(site.parsed),
                        "waits": waits,
                        "hops": [as_data(tag, places) for tag, places in hops.items()],
                        "inline": [as_data(tag, places) for tag, places in inline.items()],
                        "problems": [
                            {"file": each.file, "line": each.line, "message": each.message}
                            for each in site.problems
                        ],
                    },
                    indent=2,
                )
            )
        else:
            self._print(site, hops, inline)
        code = (1 if options["fail_on_hops"] and hops else 0) | (2 if site.problems else 0)
        if code:
            raise CommandError(
                f"{len(site.problems)} problems, {len(hops)} tags that cost a hop.",
                returncode=code,
            )

    def _print(self, site: Site, hops: Places, inline: Places) -> None:
        for problem in site.problems:
            self.write(str(problem))
        for title, tags in (
            ("Tags that run whole in the request's thread, one hop each time:", hops),
            ("Tags that run on the event loop, as OPTIONS say (a query in them fails):", inline),
        ):
            if not tags:
                continue
            self.write(title)
            for (tag, module), places in sorted(tags.items(), key=lambda each: -len(each[1])):
                self.write(f"  {{% {tag} %}} of {module}: {len(places)}x, {', '.join(places[:3])}")
        if hops:
            self.write(
                "  A library that does no I/O can be named in OPTIONS['inline_tags']; a tag of "
                "your own can define render_async()."
            )
        used = sum(map(len, hops.values()))
        self.write(
            f"{len(site.parsed)} templates compile, {len(site.problems)} problems; {used} uses of "
            f"{len(hops)} tags cost a hop."
        )


Places = dict[tuple[str, str], list[str]]
"""Tag and its module -> ``template:line`` of each use."""


def compiled(site: Site, backend: DjangoTemplates) -> tuple[Places, Places, int]:
    """Compile the templates of a site; what fails is added to its problems.

    Returns:
        The foreign tags that cost a hop, those that run inline, and how many places may wait.
    """
    hops: Places = defaultdict(list)
    inline: Places = defaultdict(list)
    waits = 0
    for name, template in site.parsed.items():
        try:
            sections = explain(template, backend.policy)
        except Exception as error:
            site.problems.append(
                Problem(f"does not compile: {type(error).__name__}: {error}", site.files[name])
            )
            continue
        for section in sections:
            waits += section.waits
            for node in section.foreign:
                place = name if node.line is None else f"{name}:{node.line}"
                tag = node.tag.strip("{% }").partition(" ")[0]
                (inline if node.inline else hops)[tag, node.module].append(place)
    return dict(hops), dict(inline), waits


def as_data(tag: tuple[str, str], places: list[str]) -> dict[str, Any]:
    """Return what JSON can hold."""
    return {"tag": tag[0], "module": tag[1], "places": places}
