"""What a page does after its view has ended, behind sync middleware: queries, in its thread."""

import asyncio
import threading

import httpx
import pytest
from asgiref.sync import async_to_sync, sync_to_async
from django.core.handlers.asgi import ASGIHandler
from django.db import connection
from django.urls import path
from django.utils.decorators import sync_only_middleware

from atemplates import astream
from tests.engines.conftest import in_memory
from tests.server import serve

TEMPLATE = (
    "<html><head></head><body>{{ slow }}|{{ awaited }}|{{ queried }}|{{ hop.within }}"
    "|{% load atemplates %}{% defer %}{{ deferred }}{% enddefer %}</body></html>"
)
threads = []


def query():
    threads.append(threading.current_thread())
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 + 1")
        return cursor.fetchone()[0]


async def later():
    await asyncio.sleep(0.1)
    return "slow"


async def awaited(value):
    await asyncio.sleep(0.05)
    return f"{value} {await sync_to_async(query)()}"


class Hop:
    def within(self):
        """Sync code that awaits, which asks the thread again."""
        query()
        return async_to_sync(awaited)("within")


async def page(request):
    context = {
        "slow": later(),
        "awaited": awaited("awaited"),
        "queried": query,
        "hop": Hop(),
        "deferred": awaited("deferred"),
    }
    return await astream(request, "page", context, out_of_order=False)


@sync_only_middleware
def sync_around(get_response):
    def middleware(request):
        threads.append(threading.current_thread())
        return get_response(request)

    return middleware


urlpatterns = [path("", page)]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("around", [[], ["sync_around"], ["sync_around", "sync_around"]])
def test_its_sync_work_is_done_in_the_thread_of_the_request(settings, around):
    settings.ROOT_URLCONF = __name__
    settings.MIDDLEWARE = [f"{__name__}.{name}" for name in around]
    settings.TEMPLATES = [
        {
            "BACKEND": "atemplates.engines.django.DjangoTemplates",
            "OPTIONS": {"loaders": in_memory({"page": TEMPLATE})},
        }
    ]
    with serve(ASGIHandler()) as site:
        for _ in range(2):
            threads.clear()
            text = httpx.get(site, timeout=20).text
            assert text.endswith("slow|awaited 2|2|within 2|deferred 2</body></html>")
            assert len(set(threads)) == 1
