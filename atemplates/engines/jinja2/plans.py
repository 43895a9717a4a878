"""Turning any environment into one whose templates are plans, with or without the backend."""

from __future__ import annotations

from typing import Any

import jinja2

from ...jinja2.environments import compile_to_plans
from ...jinja2.templates import PlanTemplate
from ..beside import load_beside
from .relations import ConfiguredRelations

configured_relations = ConfiguredRelations()
load_beside()


def use_plans(environment: jinja2.Environment) -> jinja2.Environment:
    """Make an environment compile its templates to plans from now on.

    Args:
        environment: any environment, sandboxed and native ones included. It is changed: to
            leave one as it is, pass its `overlay`.

    Returns:
        The same environment.
    """
    compile_to_plans(environment, configured_relations)
    return environment


class Environment(jinja2.Environment):
    """Jinja2's environment, compiling to plans."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        use_plans(self)


PlanTemplate.environment_class = Environment
