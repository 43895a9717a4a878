"""What a Jinja2 template reads from its context, found in Jinja2's own syntax tree.

The records are those of Django templates (`atemplates.relations.paths.AccessPath`), so that the
analysis does not care which engine a template is for. Inheritance, includes and imports by a
literal name, and macros, are followed.
"""

from __future__ import annotations

from jinja2 import Environment

from ...relations.paths import AccessPath, distinct
from ..reads import TemplateWalk
from .statements import STATEMENT_HANDLERS
from .walker import MissingTemplates, Trees, TreeWalker

__all__ = ["jinja2_paths", "jinja2_walk_of"]


def jinja2_paths(
    environment: Environment,
    name: str,
    missing: MissingTemplates | None = None,
    trees: Trees | None = None,
) -> list[AccessPath]:
    """Return what a template reads when it is rendered, one record for each expression.

    Args:
        environment: whose loader finds the template and those it names.
        missing: is filled with the templates that are named and do not exist.
        trees: keeps what is parsed, for the next template of the same environment.

    Raises:
        jinja2.TemplateError: it is not found, or does not parse.
    """
    return jinja2_walk_of(environment, name, missing, trees).paths


def jinja2_walk_of(
    environment: Environment,
    name: str,
    missing: MissingTemplates | None = None,
    trees: Trees | None = None,
) -> TemplateWalk:
    """Return what `jinja2_paths` returns, with the reads behind it; the arguments are the same.

    Raises:
        jinja2.TemplateError: it is not found, or does not parse.
    """
    walker = TreeWalker(environment, STATEMENT_HANDLERS, trees)
    walker.walk_template(name, walker.parse(name))
    if missing is not None:
        missing |= walker.missing
    return TemplateWalk(distinct(walker.records), walker.reads, walker.trees)
