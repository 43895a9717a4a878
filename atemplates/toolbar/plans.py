"""What a template was compiled to, for the panel: its code beside its lines."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from django.template import engines
from django.template.base import Origin, Template
from django.template.exceptions import TemplateSyntaxError
from django.template.utils import InvalidTemplateEngineError

from ..compiler.explain import explain_template
from ..engines.django import DjangoTemplates
from ..errors import logger


@dataclass
class PlanLine:
    """A line of code."""

    code: str
    line: int | None
    """The template's line that it was written for, where that is another one than before."""
    waits: bool = False
    foreign: str = ""
    """Where code of others runs that it calls: ``"loop"`` or ``"thread"``."""


@dataclass
class PlanShown:
    """The code of a template, or of a block of one."""

    title: str
    lines: list[PlanLine] = field(default_factory=list)


def plans_of(template: dict[str, Any]) -> tuple[list[PlanShown], str]:
    """Compile a template once more, from the text that was rendered.

    Args:
        template: a `TemplateReport` as plain data.

    Returns:
        Its plans, and why there are none.
    """
    if not template["source"]:
        return [], "The template's text is not known."
    try:
        backend = engines[template["engine"]]
    except InvalidTemplateEngineError as error:
        return [], str(error)
    try:
        if template["language"] == "django" and isinstance(backend, DjangoTemplates):
            return django_plans(backend, template), ""
        if template["language"] == "jinja2":
            return jinja2_plans(backend, template), ""
    except TemplateSyntaxError as error:
        return [], str(error)
    except Exception as error:
        logger.exception("The plan of %s cannot be shown", template["name"])
        return [], f"{type(error).__name__}: {error}"
    return [], "It was rendered by Django's own code, which has no plan."


def django_plans(backend: DjangoTemplates, template: dict[str, Any]) -> list[PlanShown]:
    """Return the plans of a Django template: its own, those of its blocks and foreign tags."""
    name = template["name"]
    origin = Origin(template["file"] or name, template_name=name)
    parsed = Template(template["source"], origin, name, backend.engine)
    shown = []
    for section in explain_template(parsed, backend.policy):
        plan, before = PlanShown(section.title), None
        for line in section.lines:
            foreign = ""
            if line.foreign is not None:
                foreign = "loop" if line.foreign.on_loop else "thread"
            number = line.line if line.line != before else None
            before = line.line if line.line is not None else before
            plan.lines.append(PlanLine(line.code, number, line.waits, foreign))
        shown.append(plan)
    return shown


def jinja2_plans(backend: Any, template: dict[str, Any]) -> list[PlanShown]:
    """Return the code of a Jinja2 template."""
    environment = backend.async_env
    source, name, file = template["source"], template["name"], template["file"] or None
    code = environment.compile(source, name, file, raw=True)
    starts = dict(debug_lines(code))
    plan = PlanShown("template")
    for number, text in enumerate(code.splitlines(), start=1):
        if text.startswith(("source = ", "debug_info = ")):
            continue
        plan.lines.append(PlanLine(text, starts.get(number), "yield" in text))
    return [plan]


def debug_lines(code: str) -> list[tuple[int, int]]:
    """Return at which line of Jinja2's code which line of the template begins."""
    prefix = "debug_info = "
    written = next((each for each in code.splitlines() if each.startswith(prefix)), prefix)
    pairs = [each.split("=") for each in written.removeprefix(prefix).strip("'").split("&")]
    return [(int(pair[1]), int(pair[0])) for pair in pairs if len(pair) == 2]
