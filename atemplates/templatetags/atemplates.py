"""``{% load atemplates %}``."""

from ..tags.relations import library as register

__all__ = ["register"]
