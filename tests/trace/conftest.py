"""Backends of both engines over templates in a dict."""

import pytest
from django.template import engines

from tests.testapp.data import zoo

__all__ = ["sites", "zoo"]

LIBRARIES = {"site_tags": "tests.trace.site_tags"}


@pytest.fixture
def sites(settings):
    """Returns a function that configures both backends with these templates: ``traced`` and
    ``jinja``; it returns the first, or the one that ``using`` names."""

    def configure(templates=None, using="traced", jinja=None, **options):
        from jinja2 import DictLoader

        loader = ("django.template.loaders.locmem.Loader", templates or {})
        settings.TEMPLATES = [
            {
                "BACKEND": "atemplates.engines.django.DjangoTemplates",
                "NAME": "traced",
                "OPTIONS": {
                    "loaders": [("django.template.loaders.cached.Loader", [loader])],
                    "libraries": LIBRARIES,
                    **options,
                },
            },
            {
                "BACKEND": "atemplates.engines.jinja2.Jinja2",
                "NAME": "jinja",
                "OPTIONS": {"loader": DictLoader(jinja or {})},
            },
        ]
        return engines[using]

    return configure
