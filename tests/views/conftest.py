"""The template of the views of `tests.views.site`."""

import pytest

from tests.views import site


@pytest.fixture
def page_templates(settings):
    """Have ``page.html`` in memory, for the views of `site.generic_views`."""
    settings.TEMPLATES = site.TEMPLATES


@pytest.fixture
def filled(db, page_templates):
    """Fill the database with what the requests of `site` ask for."""
    site.fill()
