"""The demo bookshop with its own settings and all its books."""

import pytest
from django.contrib.auth import get_user_model
from django.core.asgi import get_asgi_application
from django.test import AsyncClient

from shop.catalogue import demo_staff, load, read_books
from shop.models import Author, Book, Country, Note, Publisher, Review, Tag
from shop.pages import DEMO_PASSWORD, DEMO_USER
from tests.server import serve


@pytest.fixture(scope="package")
def shelf(django_db_setup, django_db_blocker):
    """The books and the demo account, loaded once for all tests here and removed afterwards."""
    with django_db_blocker.unblock():
        load(read_books())
        demo_staff(DEMO_USER, DEMO_PASSWORD)
    yield
    with django_db_blocker.unblock():
        for model in (Note, Review, Book, Author, Publisher, Country, Tag, get_user_model()):
            model.objects.all().delete()


@pytest.fixture
def site(settings):
    """The demo's own settings, as far as they concern its pages."""
    from bookshop_site import settings as demo

    settings.ROOT_URLCONF = demo.ROOT_URLCONF
    settings.TEMPLATES = demo.TEMPLATES
    settings.DASHBOARD_TEMPLATES = demo.DASHBOARD_TEMPLATES
    settings.MIDDLEWARE = demo.MIDDLEWARE
    settings.LANGUAGE_CODE = demo.LANGUAGE_CODE
    settings.LOGIN_URL = demo.LOGIN_URL
    settings.INSTALLED_APPS = demo.INSTALLED_APPS
    settings.SHOP_LAZY = False
    settings.SECURE_CSP = getattr(demo, "SECURE_CSP", {})
    return settings


@pytest.fixture
def shop(db, shelf, site):
    """An async client on the bookshop."""
    return AsyncClient()


@pytest.fixture
async def signed_in(db, shelf, site):
    """An async client on which the demo account is signed in."""
    client = AsyncClient()
    assert await client.alogin(username=DEMO_USER, password=DEMO_PASSWORD)
    return client


@pytest.fixture
def open_shop(transactional_db, site):
    """A client on a shop whose books are committed: other connections see them."""
    load(read_books())
    return AsyncClient()


@pytest.fixture
def shop_address(open_shop):
    """Where that shop is served."""
    with serve(get_asgi_application()) as address:
        yield address
