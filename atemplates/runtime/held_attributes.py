"""Which types' values may keep an attribute in their own dict, where reading it runs no code.

An attribute that is in a value's dict is what reading it gives, unless its class has a property or
the like under that name. So for each name there is a set of types for which this is known; compiled
code looks into the set and into the dict, and reads.
"""

from __future__ import annotations

from typing import Any

from django.db.models import Model

from ..placement.python_code import descriptor_code, own_dict, static
from .types import FORGET, MODELS, MOST_TYPES, NAMED, PLAIN

HELD: dict[str, set[type]] = {}
"""Name -> the types. The sets are there for as long as the process, since compiled code has them,
and are only added to and emptied, each in a single step: whoever reads one meanwhile takes a slower
path."""


MOST_NAMES = 5_000
"""For how many names types are remembered, in programs that make templates without end."""


def types_holding(name: str) -> set[type]:
    """Return the set of a name, a new one if it was not asked for before."""
    if len(HELD) >= MOST_NAMES and name not in HELD:
        return set()  # which stays empty: then the slower path is taken
    return HELD.setdefault(name, set())


def is_held(value: object, name: str) -> bool:
    """Whether an attribute is in the value's own dict, and reading it runs no code of others."""
    kind = type(value)
    known = HELD.get(name)
    if known is not None and kind in known:
        return name in value.__dict__
    if kind not in NAMED or not (kind in PLAIN or kind in MODELS):
        return False
    if name not in own_dict(value):
        return False
    attribute = static(kind, name)
    if attribute is not None:
        found = descriptor_code(attribute)
        if found.code is not None and not found.unless_set:
            return False
    if known is not None:
        if len(known) >= MOST_TYPES:
            known.clear()
        known.add(kind)
    return True


# Any thread may add: all find the same, and what is gone is found again.
PRIMARY_KEYS: dict[type, tuple[str, set[type]]] = {}
"""A model -> the attribute that its ``pk`` reads, and the set of that name; "" where ``pk`` is not
Django's own property."""


def held_key(value: Any) -> str:
    """Return the attribute that ``pk`` reads, if the value's own dict has it; else "".

    Args:
        value: an instance of a type in `MODELS`.
    """
    kind = type(value)
    name, known = PRIMARY_KEYS.get(kind) or _learn_key(kind)
    held = value.__dict__
    # The property asks the instance for its ``_meta``.
    if name in held and "_meta" not in held and (kind in known or is_held(value, name)):
        return name
    return ""


def _learn_key(kind: Any) -> tuple[str, set[type]]:
    key = kind._meta.pk if static(kind, "pk") is STOCK_PK else None
    name = key.attname if key is not None else ""
    PRIMARY_KEYS[kind] = found = (name, types_holding(name) if name else set())
    return found


STOCK_PK = vars(Model)["pk"]


def forget_held() -> None:
    """Empty the sets."""
    PRIMARY_KEYS.clear()
    for known in list(HELD.values()):
        known.clear()


FORGET.append(forget_held)
