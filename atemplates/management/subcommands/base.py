"""What every subcommand has, and what several of them need."""

from __future__ import annotations

from abc import ABC, abstractmethod
from argparse import ArgumentParser
from typing import Any, ClassVar

from django.core.management.base import BaseCommand, CommandError
from django.template import TemplateDoesNotExist, engines
from django.template.base import Template
from django.template.exceptions import TemplateSyntaxError
from django.template.utils import InvalidTemplateEngineError

from ...analysis.site.syntax import short
from ...engines.django import DjangoTemplates
from ...problems import printable


class Subcommand(ABC):
    """One subcommand of ``manage.py atemplates``."""

    name: ClassVar[str]
    help: ClassVar[str]

    def __init__(self, command: BaseCommand) -> None:
        self.command = command

    @abstractmethod
    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the subcommand's arguments."""

    @abstractmethod
    def handle(self, options: dict[str, Any]) -> None:
        """Do it.

        Args:
            options: the values of the arguments, by name.

        Raises:
            CommandError: with what to tell the user.
        """

    def write_line(self, text: str = "") -> None:
        """Print one line, whatever is in it: a name may hold the end of a line."""
        self.write(printable(text))

    def write(self, text: str = "") -> None:
        """Print a line. What the terminal cannot show, such as a name's odd bytes, is escaped."""
        encoding = getattr(self.command.stdout, "encoding", None) or "utf-8"
        self.command.stdout.write(text.encode(encoding, "backslashreplace").decode(encoding))


def unusable(file: Any, error: OSError) -> CommandError:
    """Return the error for a file that cannot be read or written."""
    return CommandError(f"{printable(str(file))}: {error.strerror}.")


def our_backend(alias: str | None) -> DjangoTemplates:
    """Return a Django template backend of ours.

    Args:
        alias: its ``NAME`` in TEMPLATES; None for the first that there is.

    Raises:
        CommandError: there is none, or not under that name.
    """
    if alias is None:
        for backend in engines.all():
            if isinstance(backend, DjangoTemplates):
                return backend
        raise CommandError(
            "No TEMPLATES entry has the BACKEND 'atemplates.engines.django.DjangoTemplates'."
        )
    try:
        found = engines[alias]
    except InvalidTemplateEngineError:
        raise CommandError(
            f"There is no template engine {alias!r} in TEMPLATES. Known: "
            f"{', '.join(engines.templates)}."
        ) from None
    if not isinstance(found, DjangoTemplates):
        raise CommandError(
            f"The template engine {alias!r} is of {type(found)}; "
            "expected an atemplates.engines.django.DjangoTemplates."
        )
    return found


def load_or_fail(backend: DjangoTemplates, name: str) -> Template:
    """Load and parse a template.

    Raises:
        CommandError: it does not exist, or does not parse; with file and line.
    """
    try:
        return backend.engine.get_template(name)
    except TemplateDoesNotExist as error:
        if str(error) != name:
            raise CommandError(
                printable(f"{name}: it needs the template {error}, which does not exist.")
            ) from error
        tried = "".join(f"\n  {printable(str(origin))}: {reason}" for origin, reason in error.tried)
        raise CommandError(
            f"The template {name!r} does not exist (engine {backend.name!r}). Tried:"
            f"{tried or ' nothing; the engine has no folders.'}"
        ) from error
    except TemplateSyntaxError as error:
        token: Any = getattr(error, "token", None)
        place = file_of_template(backend, name)
        if token is not None:
            place += f", line {token.lineno}"
        raise CommandError(f"{printable(place)}: {short(backend.engine, error)}") from error


def file_of_template(backend: DjangoTemplates, name: str) -> str:
    """Return the file that holds a template, or its name when no loader says."""
    for loader in backend.engine.template_loaders:
        for origin in loader.get_template_sources(name):
            try:
                loader.get_contents(origin)  # type: ignore[attr-defined]
            except TemplateDoesNotExist:
                continue
            return str(origin.name)
    return name
