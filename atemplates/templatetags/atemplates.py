"""``{% load atemplates %}``."""

from ..tags import parallel, relations

register = relations.library
"""The tags of our own; `parallel` adds its one when it is imported."""

__all__ = ["parallel", "register"]
