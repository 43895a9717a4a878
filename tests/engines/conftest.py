"""Backends for one test: the Django backend in each of its modes, with templates in memory."""

import pytest
from django.test import RequestFactory

from atemplates.engines.django import DjangoTemplates
from tests.testapp.data import zoo

__all__ = ["zoo"]

ASYNC_MODES = ["native", "thread"]
"""The values of ``OPTIONS["async_mode"]`` that every test of the Django backend runs with."""


@pytest.fixture(params=ASYNC_MODES)
def async_mode(request):
    return request.param


@pytest.fixture
def request_():
    """A request without a user or a session."""
    return RequestFactory().get("/page/")


@pytest.fixture
def make_backend(async_mode):
    """Return a function: templates in memory by name, and OPTIONS -> a Django backend."""

    def make(templates=None, **options):
        if templates is not None:
            options["loaders"] = in_memory(templates)
        return DjangoTemplates(params(async_mode=async_mode, **options))

    return make


@pytest.fixture
def render_async(make_backend):
    """Return a coroutine function that renders one template's text."""

    async def render(source, context=None, request=None, **options):
        return await make_backend(**options).from_string(source).render_async(context, request)

    return render


def params(alias="django", **options):
    """Return what Django's engine handler gives to a backend."""
    return {"NAME": alias, "DIRS": [], "APP_DIRS": False, "OPTIONS": options}


def in_memory(templates):
    """Return the ``loaders`` option for templates that are kept in memory."""
    return [
        (
            "django.template.loaders.cached.Loader",
            [("django.template.loaders.locmem.Loader", templates)],
        )
    ]
