"""The demo bookshop with its own settings and all its books."""

import asyncio
import threading

import pytest
from django.core.asgi import get_asgi_application
from django.test import AsyncClient

from shop import dashboard
from shop.catalogue import load, read_books
from shop.pages import DEMO_PASSWORD, DEMO_USER
from tests.example.committed_books import committed_books
from tests.server import serve


@pytest.fixture(scope="package")
def shelf(django_db_setup, django_db_blocker):
    """The books and the demo account, loaded once for all tests here and removed afterwards."""
    with committed_books(django_db_blocker):
        yield


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


@pytest.fixture
def hold_panels(monkeypatch):
    """What holds the panels of the dashboard back, but for so many that the view begins first; they
    may arrive when the event is set that it returns."""
    may_arrive = threading.Event()
    begin = dashboard.begun

    async def held(load):
        await asyncio.to_thread(may_arrive.wait)
        return await load

    def hold(free):
        def begun(context):
            loads = begin(context)
            names = list(loads)[free:]
            return loads | {name: asyncio.ensure_future(held(loads[name])) for name in names}

        monkeypatch.setattr(dashboard, "begun", begun)
        return may_arrive

    yield hold
    may_arrive.set()
