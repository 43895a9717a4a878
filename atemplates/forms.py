"""Forms through compiled templates: ``FORM_RENDERER = "atemplates.forms.DjangoTemplates"``."""

from __future__ import annotations

from django.forms import renderers

from .engines.django import DjangoTemplates as Backend


class DjangoTemplates(renderers.DjangoTemplates):
    """Django's default form renderer, whose templates are compiled.

    Takes the same templates from the same places as ``django.forms.renderers.DjangoTemplates``.
    """

    backend = Backend
