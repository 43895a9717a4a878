"""Django templates that do not parse: which rule they break, where, and what was expected."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from django.template import TemplateSyntaxError
from django.template.engine import Engine

from ...problems import Problem
from .words import place_of_words

DOES_NOT_PARSE = "does-not-parse"

UNREGISTERED = re.compile(r"'(.*)' is not a registered tag library\. Must be one of:\n")
"""How Django says so; a list of all libraries follows."""
UNKNOWN_FILTER = re.compile(r"Invalid filter: '(?P<name>.*)'\Z")
UNKNOWN_TAG = re.compile(r"Invalid block tag on line \d+: '(?P<name>[^']*)'")
FILTER_ARGUMENTS = re.compile(
    r"(?P<name>\w+) requires (?P<needed>\d+) arguments, (?P<given>\d+) provided\Z"
)
TAG_ARGUMENTS = re.compile(
    r"'[^']+' (received (unexpected keyword argument|multiple values for|too many positional"
    r"|some positional)|did not receive value)"
)
PARTS_OF_TAGS = frozenset({"else", "elif", "empty", "plural"})
"""Words that stand between a tag and its end, and are no tags."""
MOST_SHOWN_NAMES = 3


def syntax_problem(engine: Engine, name: str, error: TemplateSyntaxError) -> Problem:
    """Describe a template that does not parse, with its file, its line and what was expected."""
    token: Any = getattr(error, "token", None)
    line = getattr(token, "lineno", None)
    # Django puts the template's file before it since 6.0, which stands before the problem anyway.
    file = template_file(engine, name)
    text = short(engine, error).removeprefix(f"Template: {file}, ")
    problem = Problem(f"does not parse: {text}", file, line, code=DOES_NOT_PARSE)
    contents = getattr(token, "contents", "")
    tag = contents.split(maxsplit=1)[0] if contents.strip() else ""
    words: tuple[str, ...] = (tag,) if tag else ()
    if found := UNKNOWN_FILTER.match(text):
        problem = replace(problem, code="unknown-filter", hint=meant(engine, found["name"], True))
        words = ("|", found["name"])
    elif found := FILTER_ARGUMENTS.match(text):
        problem = replace(problem, code="filter-arguments", hint=_filter_hint(engine, found))
        words = ("|", found["name"])
    elif (found := UNKNOWN_TAG.match(text)) and not _is_part(found["name"]):
        problem = replace(problem, code="unknown-tag", hint=meant(engine, found["name"], False))
    elif TAG_ARGUMENTS.match(text) or (tag and "argument" in text and tag in text):
        problem = replace(problem, code="tag-arguments", hint=_tag_hint(engine, tag))
    if not words:
        return problem
    column, width = place_of_words(template_source(engine, name), line, *words)
    return replace(problem, column=column, width=width)


def _is_part(word: str) -> bool:
    return word.startswith("end") or word in PARTS_OF_TAGS


# -- what was expected -----------------------------------------------------------------------------


def meant(engine: Engine, name: str, is_filter: bool) -> str:
    """Say what was perhaps meant by the name of a filter or tag that is not loaded."""
    kind = "filters" if is_filter else "tags"
    libraries = [each for each, known in _libraries(engine) if name in getattr(known, kind)]
    if libraries and libraries[0]:
        return f"add {{% load {libraries[0]} %}}"
    # Those of a loaded library first, which all templates see.
    known = dict.fromkeys(
        each for _, library in _libraries(engine) for each in getattr(library, kind)
    )
    close = get_close_matches(name, known, n=1)
    return f"did you mean {close[0]!r}?" if close else ""


def _libraries(engine: Engine) -> Iterator[tuple[str, Any]]:
    """Every tag library with the name to load it by; those that need none first."""
    for library in engine.template_builtins:
        yield "", library
    yield from engine.template_libraries.items()


def _function(engine: Engine, name: str, kind: str) -> Any:
    """The function of a tag or filter; None when several libraries have one of the name."""
    found = [
        known[name] for _, each in _libraries(engine) if name in (known := getattr(each, kind))
    ]
    return found[0] if len(found) == 1 else None


def _parameters(function: Any) -> list[str] | None:
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return None
    return [str(each.replace(annotation=inspect.Parameter.empty)) for each in parameters]


def _filter_hint(engine: Engine, found: re.Match[str]) -> str:
    name = found["name"]
    function = _function(engine, name, "filters")
    parameters = _parameters(function) if function is not None else None
    if parameters is None:
        needs = int(found["needed"]) > 1
        return "expected: an argument" if needs else "expected: no argument"
    others = [each for each in parameters[1:] if not each.startswith("autoescape")]
    return f"expected: {{{{ {parameters[0]}|{name}{''.join(f':{each}' for each in others)} }}}}"


def _tag_hint(engine: Engine, name: str) -> str:
    function = _function(engine, name, "tags")
    original = inspect.unwrap(function) if function is not None else None
    parameters = _parameters(original) if original is not function else None
    if parameters is None:
        return ""
    own = [each for each in parameters if each.partition("=")[0] not in ("context", "content")]
    return f"expected: {{% {' '.join([name, *own])} %}}"


# -- libraries that are not registered -------------------------------------------------------------


def unregistered_library(error: Exception) -> str:
    """The name of the tag library that is not registered, if that is the error; or nothing."""
    found = UNREGISTERED.search(str(error))
    return found[1] if found else ""


def short(engine: Engine, error: Exception) -> str:
    """Return an error's text without the list of all tag libraries."""
    library = unregistered_library(error)
    # Django 6.1 puts the template's name before what is wrong.
    said = getattr(error, "raw_error_message", None) or str(error)
    return not_registered(engine, library) if library else str(said)


def not_registered(engine: Engine, library: str) -> str:
    """Say that a tag library is not registered, and which one was perhaps meant."""
    close = get_close_matches(library, [*engine.libraries], n=1)
    hint = f" Did you mean {close[0]!r}?" if close else ""
    return f"the tag library {library!r} is not registered.{hint}"


def library_problems(engine: Engine, library: str, places: list[Problem]) -> list[Problem]:
    """Say once of an unregistered tag library where it is loaded: what is serious, what is not."""
    problems = []
    for kind in (False, True):
        chosen = [each for each in places if each.is_optional is kind]
        if not chosen:
            continue
        first, *others = chosen
        text = f"does not parse: {not_registered(engine, library)}"
        if others:
            shown = [_place(each) for each in others[:MOST_SHOWN_NAMES]]
            rest = len(others) - len(shown)
            text += f" Also at {', '.join(shown)}" + (f" and {rest} more" if rest else "") + "."
        problems.append(replace(first, message=text))
    return problems


def _place(problem: Problem) -> str:
    return problem.file if problem.line is None else f"{problem.file}:{problem.line}"


# -- files -----------------------------------------------------------------------------------------


def template_file(engine: Engine, name: str) -> str:
    """The file that holds a template, or its name when no loader says."""
    for loader in engine.template_loaders:
        for origin in loader.get_template_sources(name):
            if Path(str(origin.name)).is_file():
                return str(origin.name)
    return name


def template_source(engine: Engine, name: str) -> str:
    """The text of a template that does not parse; nothing when no loader gives it."""
    for loader in _readers(engine.template_loaders):
        for origin in loader.get_template_sources(name):
            try:
                return str(loader.get_contents(origin))
            except Exception:
                continue  # Not there, or not to be read: the place in the line is all that is lost.
    return ""


def _readers(loaders: Iterable[Any]) -> Iterator[Any]:
    for loader in loaders:
        if hasattr(loader, "get_contents"):
            yield loader
