"""The policy that a backend's OPTIONS make: which tag libraries run on the event loop at once."""

from __future__ import annotations

import sys
from collections.abc import Hashable, Iterable, Mapping
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.template.engine import Engine
from django.template.library import Library

from ..runtime.policy import Policy


def new_policy(engine: Engine, options: Mapping[str, Any], alias: str) -> Policy:
    """Make the policy of a backend from its OPTIONS.

    Raises:
        ImproperlyConfigured: ``inline_tags`` names no tag library.
    """
    modules = inline_modules(engine, options["inline_tags"], alias)
    return Policy(
        sync_tags=options["sync_tags"],
        inline_modules=modules,
        inline=registered_in(engine, modules),
        relations=options["relations"],
        parallel=options["parallel"],
        yield_after=options["yield_after"],
    )


def inline_modules(engine: Engine, names: Iterable[str], alias: str) -> frozenset[str]:
    """Return the modules of tag libraries, given by ``{% load %}`` name or by module.

    Raises:
        ImproperlyConfigured: there is no such library.
    """
    modules = set()
    for name in names:
        if name in engine.libraries:
            modules.add(engine.libraries[name])
        elif "." in name:
            modules.add(name)
        else:
            from difflib import get_close_matches  # only for the message

            close = get_close_matches(name, engine.libraries, n=1)
            hint = f" Did you mean {close[0]!r}?" if close else ""
            raise ImproperlyConfigured(
                f"TEMPLATES engine {alias!r}: OPTIONS['inline_tags'] names {name!r}, which is no "
                f"tag library.{hint} Known: {', '.join(sorted(engine.libraries))}."
            )
    return frozenset(modules)


def registered_in(engine: Engine, modules: frozenset[str]) -> frozenset[Any]:
    """Return what libraries register: the names of their tags, the functions of their filters.

    The class of a tag's node may be defined anywhere. A name that another library registers as
    well is left out, since a node does not tell which of them made it.

    Args:
        modules: the libraries' modules.
    """
    libraries: dict[str, Library] = {
        module: engine.template_libraries[name] for name, module in engine.libraries.items()
    }
    libraries.update(zip(engine.builtins, engine.template_builtins, strict=True))
    for module in modules - libraries.keys():
        library = getattr(sys.modules.get(module), "register", None)
        if isinstance(library, Library):
            libraries[module] = library
    chosen = [libraries[module] for module in modules if module in libraries]
    tags = {name: make for library in chosen for name, make in library.tags.items()}
    for library in libraries.values():
        for name, make in library.tags.items():
            if tags.get(name, make) is not make:
                del tags[name]
    filters = [function for library in chosen for function in library.filters.values()]
    return frozenset((*tags, *(each for each in filters if isinstance(each, Hashable))))
