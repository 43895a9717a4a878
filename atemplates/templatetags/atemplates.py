"""``{% load atemplates %}``."""

from ..tags import defer, flush, parallel, relations

register = relations.library
"""The tags of our own; the others add theirs when they are imported."""

__all__ = ["defer", "flush", "parallel", "register"]
