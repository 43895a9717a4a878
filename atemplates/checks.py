"""System checks: settings that are missing, that conflict, or cost more than they show; views.

===============  ============================================================================
atemplates.E001  OPTIONS that a backend of ours refuses, or cannot be made with
atemplates.W001  no entry of TEMPLATES is a backend of ours
atemplates.W002  two entries of TEMPLATES under one alias
atemplates.W003  a context processor that will not run: it cannot be imported, or it is a
                 coroutine function given to a backend that cannot await
atemplates.W004  no cached loader in production: every render parses and compiles
atemplates.W005  ``relations="raise"`` without DEBUG: visitors get the errors
atemplates.W006  OPTIONS that have no effect beside another one
atemplates.W007  a recorder whose folder is not there, or that records every render in production
atemplates.W008  an ``async def`` hook in a class-based view of Django's, which does not await it
===============  ============================================================================
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from inspect import iscoroutinefunction
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.core.exceptions import ImproperlyConfigured
from django.urls import get_resolver
from django.utils.module_loading import import_string

OUR_ENGINES = "atemplates.engines."
DJANGO_BACKEND = f"{OUR_ENGINES}django.DjangoTemplates"
JINJA2_BACKEND = f"{OUR_ENGINES}jinja2.Jinja2"
CACHED_LOADER = "django.template.loaders.cached.Loader"


def register_checks() -> None:
    """Have Django run these checks."""
    register(check_templates, Tags.templates)
    register(check_views, Tags.urls)


def check_templates(app_configs: Any = None, **kwargs: Any) -> list[CheckMessage]:
    """Check the setting TEMPLATES."""
    entries = [each for each in settings.TEMPLATES if isinstance(each, dict)]
    messages = [*_backends(entries), *_aliases(entries)]
    for entry in entries:
        options = entry.get("OPTIONS", {})
        if not isinstance(options, dict):
            options = {}
        messages += _processors(entry, options)
        if _backend(entry) in (DJANGO_BACKEND, JINJA2_BACKEND):
            messages += [
                *_refused(entry),
                *_policy(entry, options),
                *_recorder(entry, options),
            ]
        if _backend(entry) == DJANGO_BACKEND:
            messages += [*_loaders(entry, options), *_without_effect(entry, options)]
    return messages


def check_views(app_configs: Any = None, **kwargs: Any) -> list[CheckMessage]:
    """Check the class-based views of the URLconf."""
    if not getattr(settings, "ROOT_URLCONF", None):
        return []
    from .views.checks import async_hooks_of_sync_views  # only where Django runs its checks

    return list(async_hooks_of_sync_views(get_resolver()))


def _backend(entry: dict[str, Any]) -> str:
    return str(entry.get("BACKEND", ""))


def _alias(entry: dict[str, Any]) -> str:
    """The alias, as Django makes one from the backend's module."""
    name = entry.get("NAME")
    if isinstance(name, str):
        return name
    parts = _backend(entry).split(".")
    return parts[-2] if len(parts) > 1 else ""


def _backends(entries: list[dict[str, Any]]) -> Iterator[CheckMessage]:
    if not any(_backend(entry).startswith(OUR_ENGINES) for entry in entries):
        yield Warning(
            "atemplates is installed, but no entry of TEMPLATES uses it.",
            hint="Replace 'django.template.backends' by 'atemplates.engines' in a BACKEND.",
            id="atemplates.W001",
        )


def _aliases(entries: list[dict[str, Any]]) -> Iterator[CheckMessage]:
    for alias, count in Counter(map(_alias, entries)).items():
        if count > 1:
            backends = ", ".join(_backend(each) for each in entries if _alias(each) == alias)
            yield Warning(
                f"{count} entries of TEMPLATES have the alias {alias!r}: {backends}.",
                hint="Give one of them a NAME of its own; render(..., using=NAME) picks it.",
                id="atemplates.W002",
            )


def _processors(entry: dict[str, Any], options: dict[str, Any]) -> Iterator[CheckMessage]:
    processors = options.get("context_processors", ())
    for path in processors if isinstance(processors, (list, tuple)) else ():
        try:
            function = import_string(path)
        except (ImportError, AttributeError, TypeError) as error:
            yield Warning(
                f"TEMPLATES engine {_alias(entry)!r}: the context processor {path!r} will not run: "
                f"{error}.",
                hint="Correct its path in OPTIONS['context_processors'], or take it out.",
                id="atemplates.W003",
            )
            continue
        if iscoroutinefunction(function) and not _backend(entry).startswith(OUR_ENGINES):
            yield Warning(
                f"TEMPLATES engine {_alias(entry)!r}: the context processor {path!r} is a "
                f"coroutine function, and {_backend(entry)} cannot await it.",
                hint=f"Use the backend '{OUR_ENGINES}...', or make the processor a plain function.",
                id="atemplates.W003",
            )


def _refused(entry: dict[str, Any]) -> Iterator[CheckMessage]:
    params = {"DIRS": [], "APP_DIRS": False, "OPTIONS": {}, **entry, "NAME": _alias(entry)}
    backend = params.pop("BACKEND")
    try:
        import_string(backend)(params)  # while Django runs its checks, the engine's own says it
    except ImproperlyConfigured as error:
        yield Error(str(error), hint=f"See the OPTIONS of {backend}.", id="atemplates.E001")
    except Exception as error:
        # An environment of the site may raise anything, and Jinja2 may not be installed.
        yield Error(
            f"TEMPLATES engine {_alias(entry)!r} cannot be made: {type(error).__name__}: {error}.",
            hint=f"See the OPTIONS of {backend}"
            + (", and pip install 'atemplates[jinja2]'." if backend == JINJA2_BACKEND else "."),
            id="atemplates.E001",
        )


def _loaders(entry: dict[str, Any], options: dict[str, Any]) -> Iterator[CheckMessage]:
    loaders = options.get("loaders")
    if not loaders or settings.DEBUG:
        return
    names = [each[0] if isinstance(each, (list, tuple)) else each for each in loaders]
    if CACHED_LOADER not in names:
        yield Warning(
            f"TEMPLATES engine {_alias(entry)!r}: no cached loader, so every render reads, parses "
            "and compiles its templates anew.",
            hint=f"Wrap the loaders: [('{CACHED_LOADER}', [...])], or leave 'loaders' out.",
            id="atemplates.W004",
        )


def _policy(entry: dict[str, Any], options: dict[str, Any]) -> Iterator[CheckMessage]:
    if options.get("relations") == "raise" and not settings.DEBUG:
        yield Warning(
            f"TEMPLATES engine {_alias(entry)!r}: relations='raise' without DEBUG shows visitors "
            "an error for each relation that a view forgot to load.",
            hint="Raise in development and tests only: 'relations': 'raise' if DEBUG else 'batch'.",
            id="atemplates.W005",
        )


def _without_effect(entry: dict[str, Any], options: dict[str, Any]) -> Iterator[CheckMessage]:
    pairs = [
        (name, "async_mode", "thread")
        for name in ("relations", "sync_tags", "inline_tags", "recorder")
    ]
    pairs.append(("inline_tags", "sync_tags", "inline"))
    for name, other, value in pairs:
        if options.get(name) and options.get(other) == value:
            yield Warning(
                f"TEMPLATES engine {_alias(entry)!r}: OPTIONS[{name!r}] has no effect beside "
                f"{other}={value!r}.",
                hint=f"Take {name!r} out, or {other!r}.",
                id="atemplates.W006",
            )


def _recorder(entry: dict[str, Any], options: dict[str, Any]) -> Iterator[CheckMessage]:
    recorder = options.get("recorder")
    if not isinstance(recorder, dict) or not recorder.get("file"):
        return
    folder = Path(recorder["file"]).absolute().parent
    if not folder.is_dir():
        yield Warning(
            f"TEMPLATES engine {_alias(entry)!r}: nothing will be recorded, there is no folder "
            f"{folder}.",
            hint="Make the folder, or correct OPTIONS['recorder']['file'].",
            id="atemplates.W007",
        )
    if recorder.get("rate", 1) == 1 and not settings.DEBUG:
        yield Warning(
            f"TEMPLATES engine {_alias(entry)!r}: every render is recorded, and DEBUG is off.",
            hint="Record a share of the traffic: OPTIONS['recorder']['rate'] = 0.01.",
            id="atemplates.W007",
        )
