"""``manage.py atemplates lsp``: a language server for the site's templates."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from .base import Subcommand
from .lazy import installed_version

NO_PYGLS = "The language server needs pygls: pip install 'atemplates[lsp]'."


class Lsp(Subcommand):
    """Serve an editor."""

    name = "lsp"
    help = (
        "Serve an editor over the Language Server Protocol, on standard input and output: what "
        "check reports, types and costs of what is pointed at, names to complete."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare where it serves."""
        parser.add_argument(
            "--tcp", metavar="PORT", type=int, help="listen at a port of this machine, to debug"
        )
        parser.add_argument(
            "--worker", action="store_true", help="used by the server itself: hold the site"
        )

    def handle(self, options: dict[str, Any]) -> None:
        """Serve until the editor ends it.

        Raises:
            CommandError: pygls is not installed.
        """
        if options["worker"]:
            from ..lsp.channels import private_channels
            from ..lsp.worker import work

            work(*private_channels())
            return
        try:
            from ..lsp.server import serve
        except ModuleNotFoundError as error:
            if (error.name or "").partition(".")[0] not in ("pygls", "lsprotocol"):
                raise
            raise CommandError(NO_PYGLS) from error
        serve(installed_version(), worker_command(), options["tcp"])


def worker_command() -> list[str]:
    """The command line of this process, for a worker: the same Python, settings and project."""
    return [sys.executable, *sys.orig_argv[1:], "--worker"]
