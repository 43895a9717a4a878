"""``manage.py atemplates explain NAME``: the generated code beside the template's lines."""

from __future__ import annotations

from argparse import ArgumentParser
from functools import partial
from typing import Any

from django.core.management.base import CommandError
from django.template.base import FilterExpression, Template, Variable
from django.template.engine import Engine

from ...compiler.explain import Line, Section, explain_template, extends_name
from ...engines.django import DjangoTemplates
from ...migration.formats import counted
from ...placement.records import LEARNED_WORDS, learned
from ...tags.certain_loads import certain_reads
from ...tags.certain_steps import Place
from ..compiling import ONE_HOP, RENDER_ASYNC
from .base import Subcommand, load_or_fail, our_backend

TEMPLATE_WIDTH = 44
LEGEND = (
    "S, W  the plan may wait here; a streamed page is sent up to an S, and held back at a W",
    "T, L  code of others (foreign), in the request's thread or on the event loop",
)
MOST_SHOWN_FUNCTIONS = 50
"""How many functions are listed of which something was learned."""


class Explain(Subcommand):
    """Print what a template compiles to."""

    name = "explain"
    help = (
        "Print a template's generated code beside its lines, where it may wait, and where the code "
        "of others runs."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the template's name and the engine."""
        parser.add_argument("template", help="the template's name, as a loader finds it")
        parser.add_argument(
            "--engine", metavar="ALIAS", help="the TEMPLATES entry (default: the first of ours)"
        )

    def handle(self, options: dict[str, Any]) -> None:
        """Print the sections of the template, then a summary.

        Raises:
            CommandError: no such engine or template, or a template does not parse.
        """
        backend = our_backend(options["engine"])
        name = options["template"]
        parsed = load_or_fail(backend, name)
        texts = str(parsed.source).splitlines()
        self.write_line(f"{name}  ({parsed.origin.name})")
        for parent in parents(backend, parsed):
            self.write_line(f"extends {parent}")
        for line in LEGEND:
            self.write(line)
        sections = explain_template(parsed, backend.policy)
        for section in sections:
            self._print_section(section, texts)
        self._print_summary(sections)
        self._print_certain(backend, parsed)

    def _print_section(self, section: Section, texts: list[str]) -> None:
        self.write(f"\n== {section.title} ".ljust(100, "="))
        shown: int | None = None
        for line in section.lines:
            left = " " * (TEMPLATE_WIDTH + 6)
            if line.line is not None and line.line != shown:
                shown = line.line
                left = f"{shown:>4}  {source_text(texts, shown)}"
            self.write(f"{left} |{marks(line)}| {line.code}".rstrip())
        for name, value in section.constants.items():
            self.write(f"      {name} = {value}")

    def _print_summary(self, sections: list[Section]) -> None:
        waits = sum(section.waits for section in sections)
        places, plans = counted(waits, "place"), counted(len(sections), "plan")
        self.write(f"\n{places} where it may wait, in {plans}.")
        sent = sum(section.sends for section in sections)
        if sent < waits:
            self.write(f"Streamed, it is sent at {sent} of them.")
        held = {name: line for section in sections for name, line in section.holding.items()}
        if held:
            shown = "; ".join(sorted(held, key=held.__getitem__))
            self.write(f"Held back until it is whole: {shown}.")
        nodes = [node for section in sections for node in section.foreign]
        if not nodes:
            self.write("No foreign nodes.")
        for node in nodes:
            self.write(f"Foreign: {node.tag}, line {node.line} ({node.module}): {node.where}.")
        if not all(node.on_loop for node in nodes):
            self.write(f"{ONE_HOP} {RENDER_ASYNC}")
        self._print_learned()

    def _print_certain(self, backend: DjangoTemplates, template: Template) -> None:
        """Print what `OPTIONS["parallel"]` starts when a render begins."""
        found = certain_reads(partial(find_loadable, backend.engine), template)
        shown = ", ".join(
            f"{name} ({place_text(place, template)})" for name, place in found.items()
        )
        if backend.policy.parallel > 1 and found:
            self.write(f"\nStarts together at the beginning, where it is a queryset: {shown}.")
        elif len(found) > 1:
            self.write(
                f"\nWith OPTIONS['parallel'] above 1 would start together at the beginning, where "
                f"they are querysets: {shown}."
            )

    def _print_learned(self) -> None:
        """Print what was learned of functions: in this process, or in those before it."""
        settled = [each for each in learned() if each.place != "learning"]
        if settled:
            self.write("\nWhat was learned of code of others, in all templates:")
        for each in settled[:MOST_SHOWN_FUNCTIONS]:
            self.write(f"  {each.name}: {each.said.removeprefix(LEARNED_WORDS)}")
        if len(settled) > MOST_SHOWN_FUNCTIONS:
            self.write(f"  and {counted(len(settled) - MOST_SHOWN_FUNCTIONS, 'more function')}")


def find_loadable(engine: Engine, name: str) -> Template | None:
    """Return a template that is included or extended; None for one that does not load: what is
    wrong with it is for a render to say."""
    try:
        return engine.get_template(name)
    except Exception:
        return None


def place_text(place: Place, template: Template) -> str:
    """Return where something stands: the template is named if it is another one."""
    other = place.template not in ("", template.origin.template_name)
    return f"line {place.line}" + (f" of {place.template}" if other else "")


def marks(line: Line) -> str:
    """Return the two columns of marks of a line."""
    if line.foreign is None:
        place = " "
    else:
        place = "L" if line.foreign.on_loop else "T"
    return (("W" if line.held else "S") if line.waits else " ") + place


def source_text(texts: list[str], number: int) -> str:
    """Return a line of the template, cut and padded to its column."""
    text = texts[number - 1].strip() if number <= len(texts) else ""
    if len(text) > TEMPLATE_WIDTH:
        text = text[: TEMPLATE_WIDTH - 1] + "…"
    return text.ljust(TEMPLATE_WIDTH)


def parents(backend: DjangoTemplates, template: Template) -> list[str]:
    """Return the names of the templates that a template extends, nearest first.

    Raises:
        CommandError: one does not exist or does not parse.
    """
    names: list[str] = []
    seen = [template.origin]
    expression = extends_name(template)
    while expression is not None:
        name = parent_name(expression)
        if name is None:
            return [*names, f"what {expression.token} holds when it is rendered"]
        names.append(name)
        parent = load_parent(backend, template, name, seen)
        seen.append(parent.origin)
        template, expression = parent, extends_name(parent)
    return names


def parent_name(expression: FilterExpression) -> str | None:
    """Return the template's name if it is a plain string, else None."""
    if isinstance(expression.var, Variable) or expression.filters:
        return None
    return str(expression.var)


def load_parent(
    backend: DjangoTemplates, template: Template, name: str, seen: list[Any]
) -> Template:
    """Load the parent as ``{% extends %}`` does: a template may extend another of its own name."""
    if all(origin.template_name != name for origin in seen):
        return load_or_fail(backend, name)
    try:
        found, _ = backend.engine.find_template(name, skip=seen)
    except Exception as error:
        raise CommandError(
            f"{template.origin.name}: extends {name!r}, which gives {type(error).__name__}: {error}"
        ) from error
    return found
