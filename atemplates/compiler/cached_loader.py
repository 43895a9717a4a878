"""Finding an already loaded template, so that a cached one costs no thread hop."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.template import TemplateDoesNotExist, base
from django.template.base import Template
from django.template.engine import Engine
from django.template.loaders.cached import Loader as CachedLoader
from django.utils.safestring import SafeString

NAME_TYPES = frozenset({str, SafeString})
HAS_PARTIALS = hasattr(base, "PartialTemplate")
"""Whether ``name#partial`` names a partial (Django 6.0); before, it is a file's name."""


def cached_template(engine: Engine, template_name: Any, skip: Any = None) -> Any:
    """Return the template if the engine's cached loader holds it already, else None.

    Never reads a disk, and never raises for a template that does not exist. A partial
    (``name#partial``, Django 6.0) is found through its loaded template.

    Args:
        skip: origins that ``{% extends %}`` must pass over, as for ``Engine.find_template``.
    """
    whole = _cached(engine, template_name, skip)
    if not isinstance(whole, Template):
        return None
    if not HAS_PARTIALS or "#" not in template_name:
        return whole
    try:
        return engine.get_template(template_name)
    except TemplateDoesNotExist:
        return None


def template_at_hand(engine: Engine, name: Any) -> Any:
    """Return what ``engine.get_template(name)`` would, in less time; None: the engine is asked.

    A template that a cached loader holds is found by its name alone, where no origin is to be
    passed over.
    """
    if type(engine) is not Engine or type(name) not in NAME_TYPES or "#" in name:
        return None
    loaders = engine.__dict__.get("template_loaders")
    if loaders is None or len(loaders) != 1 or type(loaders[0]) is not CachedLoader:
        return None
    found = loaders[0].get_template_cache.get(name)
    return found if type(found) is Template else None


def can_select(engine: Engine, names: Iterable[Any]) -> bool:
    """Whether the engine's cached loader can tell which of several templates is the first there is.

    It remembers templates that do not exist as well.
    """
    for name in names:
        cached = _cached(engine, name)
        if isinstance(cached, Template):
            return True
        missing = isinstance(cached, TemplateDoesNotExist)
        if not missing and cached is not TemplateDoesNotExist:
            return False
    return True


def has_cached_loader(engine: Engine) -> bool:
    """Whether the engine keeps the templates that it loads."""
    loaders = engine.template_loaders
    return len(loaders) == 1 and type(loaders[0]) is CachedLoader


def _cached(engine: Engine, template_name: Any, skip: Any = None) -> Any:
    """Return what the cached loader holds for a name: a template, an exception, or None."""
    # Not by the attribute: making the loaders imports their modules.
    loaders = vars(engine).get("template_loaders", ())
    if len(loaders) != 1 or not isinstance(template_name, str):
        return None
    (loader,) = loaders
    if type(loader) is not CachedLoader:
        return None
    whole_name = template_name.partition("#")[0] if HAS_PARTIALS else template_name
    return loader.get_template_cache.get(loader.cache_key(whole_name, skip))
