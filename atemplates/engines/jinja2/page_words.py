"""The words that the templates of a Jinja2 page mention, for what its response has to know."""

from __future__ import annotations

import jinja2
from jinja2 import meta

from ...compiler.mentions import words_of
from ...jinja2.function_marks import HARMLESS_MODULES, shows_context

WORDS_ATTRIBUTE = "atemplates_page_words"
"""Where a template keeps the words of its page. Threads may race for it: they find the same."""


def words_of_templates(
    environment: jinja2.Environment, name: str | None, source: str | None
) -> frozenset[str] | None:
    """Return the words of a template, and of all that it extends, includes and imports.

    Args:
        name: the template's name, where it has one.
        source: its text, where it was made from one.

    Returns:
        None where one of them is not known: it cannot be loaded, or no constant names it; and
        where code of others is given the context.
    """
    words: set[str] = set()
    seen: set[str | None] = {name}
    waiting = [name]
    while waiting:
        current = waiting.pop()
        text = source if current == name and source is not None else _text(environment, current)
        if text is None:
            return None
        words |= words_of(text)
        try:
            references: list[str | None] = list(
                meta.find_referenced_templates(environment.parse(text, current))
            )
        except jinja2.TemplateSyntaxError:
            return None
        if None in references:
            return None
        references = [environment.join_path(str(each), current or "") for each in references]
        waiting += [each for each in references if each not in seen]
        seen.update(references)
    return None if may_use_any(environment, words) else frozenset(words)


def may_use_any(environment: jinja2.Environment, words: set[str]) -> bool:
    """Whether code of others that a page mentions may use any name of its context."""
    functions = {**environment.globals, **environment.filters, **environment.tests}
    return any(shows_context(functions[name]) for name in words & functions.keys()) or any(
        not type(extension).__module__.startswith(HARMLESS_MODULES) and words & extension.tags
        for extension in environment.extensions.values()
    )


def _text(environment: jinja2.Environment, name: str | None) -> str | None:
    if name is None or environment.loader is None:
        return None
    try:
        return environment.loader.get_source(environment, name)[0]
    except (jinja2.TemplateNotFound, RuntimeError):  # a loader of compiled templates has no texts
        return None
