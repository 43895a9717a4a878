"""The template of the views of `tests.views.site`, and what Django's handler logs about them."""

import logging

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


@pytest.fixture(autouse=True)
def no_log_of_answers(monkeypatch):
    """Leave the tracebacks of expected errors out: to format them takes longer than the tests."""
    monkeypatch.setattr(logging.getLogger("django.request"), "disabled", True)


@pytest.fixture
def log_of_answers(no_log_of_answers, monkeypatch, caplog):
    """Return what holds all that Django's handler logs."""
    monkeypatch.setattr(logging.getLogger("django.request"), "disabled", False)
    return caplog
