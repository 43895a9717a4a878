"""Templates that a template names, and no loader has."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from difflib import get_close_matches
from functools import cached_property
from pathlib import Path
from typing import Any

import django
from django.template import TemplateDoesNotExist, defaulttags
from django.template.engine import Engine
from django.template.library import InclusionNode
from django.template.loader_tags import ExtendsNode, IncludeNode

from ...problems import Problem
from ..django.placed_nodes import PlacedNode, placed_nodes
from ..django.templates import literal_name, node_tag_name
from .sources import template_names
from .words import place_of_words

NO_SUCH_TEMPLATE = "no-such-template"

FORM_TEMPLATES = Path(django.__file__).resolve().parent / "forms" / "templates"
"""Templates of widgets extend these; an engine of the form renderer finds them, not the site's."""

_PARTIAL: Any = getattr(defaulttags, "PartialNode", None)
"""``{% partial %}``, which Django has since 6.0."""


class TemplateNames:
    """Which templates an engine has.

    Args:
        engine: the engine of a Django backend.
    """

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._known: dict[tuple[str, ...], bool] = {}

    @cached_property
    def all(self) -> list[str]:
        """The names of all that can be listed."""
        return template_names(self.engine)[0]

    def exists(self, name: str, origin: Any = None) -> bool:
        """Whether a template can be found; one that cannot be read or parsed can.

        Args:
            name: with ``#`` and the name of a partial, that has to be there, too.
            origin: of a template that is passed over, since it extends one of its own name.
        """
        key = (name, str(origin.name)) if origin is not None else (name,)
        if key not in self._known:
            self._known[key] = self._find(name, origin)
        return self._known[key]

    def _find(self, name: str, origin: Any) -> bool:
        try:
            if origin is not None:
                self.engine.find_template(name, skip=[origin])
            else:
                self.engine.get_template(name)
        except TemplateDoesNotExist as error:
            # One that needs another template while it is parsed raises this for the other one.
            file, _, partial = name.partition("#")
            missing = str(error) not in (name, file, partial or name)
            return missing or os.path.isfile(os.path.join(FORM_TEMPLATES, name))
        except Exception:
            return True  # What is wrong with it is said where it is read itself.
        return True


def missing_templates(name: str, template: Any, known: TemplateNames) -> Iterator[Problem]:
    """Return which templates a Django template names by a literal, and that do not exist.

    Args:
        template: the parsed template of that name.
        known: those of its engine.
    """
    for place in placed_nodes(template):
        for wanted, words in _named(place, template, known):
            yield not_there(
                wanted,
                name,
                place.line,
                str(template.source),
                known.all,
                words=words,
                path=str(template.origin.name),
            )
        yield from _missing_partial(name, template, place)


def _named(
    place: PlacedNode, template: Any, known: TemplateNames
) -> Iterator[tuple[str, tuple[str, ...]]]:
    """The templates that a node needs and that are missing, and the words of its tag."""
    node = place.node
    if type(node) is IncludeNode:
        wanted = literal_name(node.template)
        if wanted is not None and not known.exists(wanted):
            yield wanted, (node_tag_name(node), f"'{wanted}'")
    elif type(node) is ExtendsNode:
        wanted = literal_name(node.parent_name)
        if wanted is not None:
            itself = template.origin if wanted == template.origin.template_name else None
            if not known.exists(wanted, itself):
                yield wanted, (node_tag_name(node), f"'{wanted}'")
    elif type(node) is InclusionNode:
        source: Any = node.filename
        if isinstance(source, str) and not known.exists(source):
            yield source, (node_tag_name(node),)


def not_there(
    wanted: str,
    name: str,
    line: int | None,
    source: str,
    names: Iterable[str],
    *,
    words: Sequence[str] = (),
    path: str = "",
) -> Problem:
    """Say that a template which another one names does not exist.

    Args:
        wanted: what is named.
        name: the template that names it, with its line, text and file.
        names: the templates that there are.
        words: of the tag that names it, to find its place.
    """
    column, width = place_of_words(source, line, *(words or (f"'{wanted}'",)))
    file, _, partial = wanted.partition("#")
    names = list(names)
    if partial and file in names:
        message = f"names the partial {partial!r} of the template {file!r}, which has none such"
        hint = ""
    else:
        message = f"names the template {wanted!r}, which does not exist"
        hint = template_meant(wanted, [each for each in names if each != name])
    top, slash, _ = wanted.partition("/")
    is_made = bool(slash) and not hint and not any(each.startswith(top + slash) for each in names)
    if is_made:
        hint = f"there is no folder {top!r}: is it made by a build?"
    return Problem(
        message,
        name,
        line,
        path=path,
        code=NO_SUCH_TEMPLATE,
        column=column,
        width=width,
        hint=hint,
        is_possible=is_made,
    )


def template_meant(wanted: str, names: Sequence[str]) -> str:
    """Say which template was perhaps meant."""
    file = wanted.rpartition("/")[2]
    elsewhere = [each for each in names if each.rpartition("/")[2] == file]
    close = get_close_matches(wanted, elsewhere or names, n=1, cutoff=0 if elsewhere else 0.75)
    return f"did you mean {close[0]!r}?" if close else ""


def _missing_partial(name: str, template: Any, place: PlacedNode) -> Iterator[Problem]:
    node = place.node
    if _PARTIAL is None or type(node) is not _PARTIAL:
        return
    try:
        node.partial_mapping[node.partial_name]
    except KeyError:
        partials = dict(template.extra_data.get("partials", {}))
    else:
        return
    column, width = place_of_words(
        str(template.source), place.line, node_tag_name(node), node.partial_name
    )
    close = get_close_matches(node.partial_name, partials, n=1)
    yield Problem(
        f"there is no partial {node.partial_name!r} in this template",
        name,
        place.line,
        path=str(template.origin.name),
        code=NO_SUCH_TEMPLATE,
        column=column,
        width=width,
        hint=f"did you mean {close[0]!r}?" if close else "",
    )
