"""``manage.py atemplates``: one command, whose subcommands live in `atemplates.management`."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from ..subcommands import SUBCOMMANDS


class Command(BaseCommand):
    """Hand over to the subcommand that was asked for."""

    help = "Look into the templates of this site."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the subcommands."""
        subparsers = parser.add_subparsers(dest="subcommand", metavar="SUBCOMMAND", required=True)
        for kind in SUBCOMMANDS:
            subcommand = kind(self)
            subparser = subparsers.add_parser(kind.name, help=kind.help, description=kind.help)
            subcommand.add_arguments(subparser)
            subparser.set_defaults(run=subcommand.handle)

    def handle(self, *args: Any, **options: Any) -> None:
        """Run the subcommand."""
        options["run"](options)
