"""All constructs, by family."""

from __future__ import annotations

from dataclasses import replace

from . import (
    conditions,
    contrib,
    inheritance,
    loops,
    own_tags,
    tags,
    text_filters,
    value_filters,
    values,
)
from .construct import Construct

FAMILIES: dict[str, tuple[Construct, ...]] = {
    "value": values.CONSTRUCTS,
    "loop": loops.CONSTRUCTS,
    "if": conditions.CONSTRUCTS,
    "filter": text_filters.CONSTRUCTS + value_filters.CONSTRUCTS,
    "tag": tags.CONSTRUCTS,
    "template": inheritance.CONSTRUCTS,
    "humanize": contrib.HUMANIZE,
    "static": contrib.STATIC,
    "i18n": contrib.I18N,
    "l10n": contrib.L10N,
    "tz": contrib.TZ,
    "cache": contrib.CACHE,
    "own": own_tags.CONSTRUCTS,
    "own inline": own_tags.INLINE,
}

ALL = tuple(
    replace(each, family=family) for family, members in FAMILIES.items() for each in members
)
"""Every construct, whatever Django is installed."""


def installed_constructs() -> list[Construct]:
    """Return the constructs that the installed Django has."""
    return [each for each in ALL if each.is_here]
