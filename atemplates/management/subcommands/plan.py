"""``manage.py atemplates plan``: what each template needs loaded, as a file to commit."""

from __future__ import annotations

import argparse
import difflib
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from ...migration.plan import plan_text, relations_plan
from ...problems import serious
from .base import Subcommand, unusable
from .lazy import add_selection, site_of

PLAN_EXIT_CODES = """
exit codes:
  0  written or printed; with --check: the file says the same
  1  --check, and the file differs; or a file that cannot be read or written
  2  something could not be analysed; what could be is written. Also an option
     that does not exist, or has a value that it does not take
"""


class PlanSubcommand(Subcommand):
    """Write the plan, or compare it with the file that is there."""

    name = "plan"
    help = (
        "Write which relations each template needs (template, variable, select, prefetch), so that "
        "a pull request shows when one starts to need another query."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the file."""
        parser.formatter_class = argparse.RawDescriptionHelpFormatter
        parser.epilog = PLAN_EXIT_CODES
        add_selection(parser)
        parser.add_argument("--output", metavar="FILE", help="write the plan there")
        parser.add_argument(
            "--check",
            metavar="FILE",
            help="compare with this file, print the difference and exit with 1 when there is one",
        )

    def handle(self, options: dict[str, Any]) -> None:
        """Print, write or compare.

        Raises:
            CommandError: the file differs (1), cannot be read or written (1), or something could
                not be analysed (2).
        """
        gathered = site_of(self, options)
        plans = {
            alias: relations_plan(site, gathered.of_engine(alias), gathered.records)
            for alias, site in gathered.sites.items()
        }
        text = plan_text(plans)
        try:
            if options["check"]:
                self._check(Path(options["check"]), text)
            elif options["output"]:
                Path(options["output"]).write_text(text, encoding="utf-8")
            else:
                self.write(text.rstrip("\n"))
        except OSError as error:
            raise unusable(error.filename, error) from error
        problems = serious(gathered.problems)
        if problems:
            raise CommandError("\n".join(map(str, problems)), returncode=2)

    def _check(self, file: Path, text: str) -> None:
        old = file.read_text(encoding="utf-8")
        if old != text:
            found = difflib.unified_diff(
                old.splitlines(), text.splitlines(), str(file), "now", lineterm=""
            )
            self.write("\n".join(found))
            raise CommandError(
                f"The plan is not what {file} says; write it anew with --output {file}."
            )
