"""Tags that tell the present language, the languages there are, and the time zone.

What they give is asked of Django once for as long as the language and the time zone stay.
"""

from __future__ import annotations

from typing import Any

from django.templatetags.i18n import (
    GetAvailableLanguagesNode,
    GetCurrentLanguageBidiNode,
    GetCurrentLanguageNode,
    GetLanguageInfoListNode,
    GetLanguageInfoNode,
)
from django.templatetags.tz import GetCurrentTimezoneNode
from django.utils import timezone, translation
from django.utils.safestring import SafeString

from ..compiler.expressions import write_expression
from ..compiler.nodes import NodeWriting, TagFamily
from ..compiler.scope import assigns
from ..compiler.writer import Writer
from ..runtime.state import State
from .arguments import render_with_arguments

CODES = frozenset({str, SafeString})
"""Exact types of language codes that Django is asked about right here."""


def available_languages(state: State) -> list[tuple[Any, Any]]:
    """Return the languages of the settings with their translated names, as a new list."""
    known = state.ambient.now().known
    languages = known.get(available_languages)
    if languages is None:
        held: Any = {}
        # Django's node reads the settings, and asks for nothing of a context.
        GetAvailableLanguagesNode("found").render(held)
        languages = held["found"]
        # Asking a catalogue for the first time may set what the present language is kept in.
        state.ambient.now().known[available_languages] = tuple(languages)
    return [*languages]


def current_language(state: State) -> str | None:
    """Return the code of the present language."""
    return state.ambient.now().language


def is_written_backwards(state: State) -> bool:
    """Whether the present language is written from right to left."""
    known = state.ambient.now().known
    found = known.get(is_written_backwards)
    if found is None:
        found = known[is_written_backwards] = translation.get_language_bidi()
    return bool(found)


def zone_name(state: State) -> str:
    """Return the name of the present time zone."""
    known = state.ambient.now().known
    name = known.get(zone_name)
    if name is None:
        name = known[zone_name] = timezone.get_current_timezone_name()
    return name


def language_info(state: State, context: Any, node: GetLanguageInfoNode, code: Any) -> Any:
    """Set what Django knows of a language; an empty text, or a `Pending` of it."""
    if type(code) not in CODES:
        return render_with_arguments(state, context, node, {"lang_code": code})
    context[node.variable] = translation.get_language_info(code)
    return ""


def language_infos(state: State, context: Any, node: GetLanguageInfoListNode, codes: Any) -> Any:
    """Set what Django knows of several languages; an empty text, or a `Pending` of it."""
    if not is_list_of_languages(codes):
        return render_with_arguments(state, context, node, {"languages": codes})
    context[node.variable] = [node.get_language_info(code) for code in codes]
    return ""


def is_list_of_languages(codes: Any) -> bool:
    """Whether a value is a plain list of codes, or of pairs of a code and a name."""
    return type(codes) in (list, tuple) and all(
        type(code) in CODES
        or (type(code) in (list, tuple) and len(code) > 0 and type(code[0]) in CODES)
        for code in codes
    )


def telling(function: str) -> NodeWriting:
    """Return how a node is written that sets what a function of the present state gives."""

    def write(w: Writer, node: Any) -> None:
        w.flush()
        w.line(f"context[{w.constant(node.variable)}] = {function}(state)")

    return NodeWriting(write, lambda node: assigns(node.variable))


def telling_of(function: str, argument: str) -> NodeWriting:
    """Return how a node is written that sets what a function makes of an argument."""

    def write(w: Writer, node: Any) -> None:
        value = write_expression(w, getattr(node, argument))
        text = w.temporary("s")
        w.line(f"{text} = {function}(state, context, {w.constant(node, 'node_')}, {value})")
        w.wait(text)

    return NodeWriting(write, lambda node: assigns(node.variable))


LANGUAGE_TAGS = TagFamily(
    nodes={
        GetAvailableLanguagesNode: telling("available_languages"),
        GetCurrentLanguageNode: telling("current_language"),
        GetCurrentLanguageBidiNode: telling("is_written_backwards"),
        GetCurrentTimezoneNode: telling("zone_name"),
        GetLanguageInfoNode: telling_of("language_info", "lang_code"),
        GetLanguageInfoListNode: telling_of("language_infos", "languages"),
    },
    names={
        "available_languages": available_languages,
        "current_language": current_language,
        "is_written_backwards": is_written_backwards,
        "language_info": language_info,
        "language_infos": language_infos,
        "zone_name": zone_name,
    },
)
