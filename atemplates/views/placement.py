"""Where a view begins: on the event loop, or in the request's thread with everything it does."""

from __future__ import annotations

from typing import Any

from django.core.paginator import Paginator
from django.db.models import Manager
from django.views.generic.edit import FormMixin

from .colours import Colour
from .hooks import colours_of, has_properties

AROUND = frozenset({"setup", "dispatch"})
"""Hooks that the whole work of a view is in."""


def begins_in_thread(view: Any) -> bool:
    """Whether a view does all its work in the request's thread, in one hop.

    So it is if a ``def`` of the site is around all of it; or if there is code of the site and none
    of it is ``async def``. With an ``async def`` it begins on the loop, and each ``def`` that is
    called from there takes a hop.
    """
    if Colour.SYNC in colours_of(view, AROUND):
        return True
    colours = colours_of(view)
    if Colour.ASYNC in colours:
        return False
    return Colour.SYNC in colours or runs_code_of_the_site(view)


def runs_code_of_the_site(view: Any) -> bool:
    """Whether a view runs other code of the site than hooks: a form, a property, a manager, ..."""
    return (
        isinstance(view, FormMixin)
        or _has_own_paginator(view)
        or has_properties(view)
        or _has_own_manager(view)
    )


def _has_own_paginator(view: Any) -> bool:
    kind = getattr(view, "paginator_class", Paginator)
    return kind is not Paginator and not kind.__module__.startswith("django.")


def _has_own_manager(view: Any) -> bool:
    manager = getattr(getattr(view, "model", None), "_default_manager", None)
    return manager is not None and (
        type(manager).get_queryset is not Manager.get_queryset
        or type(manager).all is not Manager.all
    )
