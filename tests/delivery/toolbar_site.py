"""A site with django-debug-toolbar and all of its panels: run in a process of its own, since the
toolbar patches Django where it is imported. Ends with an exception when something is not as it was."""

import asyncio
import sys
from pathlib import Path

import django
from django.conf import settings
from django.urls import path

TEMPLATE = (
    "<html><head></head><body>{{ title }}{{ slow }}{% for group in groups %}{{ group.name }}"
    "{% endfor %}</body></html>"
)


def configure(folder):
    settings.configure(
        DEBUG=True,
        SECRET_KEY="only for tests",
        ALLOWED_HOSTS=["testserver"],
        INTERNAL_IPS=["127.0.0.1"],
        ROOT_URLCONF=__name__,
        STATIC_URL="/static/",
        DATABASES={
            "default": {
                "ENGINE": "django.db.backends.sqlite3",
                "NAME": f"{folder}/toolbar.sqlite3",
            }
        },
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        INSTALLED_APPS=[
            "django.contrib.auth",
            "django.contrib.contenttypes",
            "django.contrib.staticfiles",
            "debug_toolbar",
        ],
        MIDDLEWARE=["debug_toolbar.middleware.DebugToolbarMiddleware"],
        DEBUG_TOOLBAR_CONFIG={"SHOW_TOOLBAR_CALLBACK": f"{__name__}.show"},
        TEMPLATES=[
            {
                "BACKEND": "atemplates.engines.django.DjangoTemplates",
                "APP_DIRS": True,
                "DIRS": [folder],
            }
        ],
    )


def show(request):
    return True


async def page(request):
    from django.contrib.auth.models import Group

    from atemplates import arender, astream

    async def slow():
        await gate.wait()
        return "slow"

    deliver = arender if "whole" in request.GET else astream
    return await deliver(
        request,
        "page.html",
        {"title": "title", "slow": slow(), "groups": Group.objects.order_by("name")},
    )


urlpatterns = [path("", page)]
gate = None


async def main():
    from django.test import AsyncClient

    global gate
    for _ in range(3):
        gate = asyncio.Event()
        response = await AsyncClient().get("/")
        assert response.status_code == 200, response.status_code
        assert response.streaming
        assert response.headers["djdt-request-id"]
        pieces = aiter(response)
        assert await anext(pieces) == b"<html><head></head><body>title"
        gate.set()
        rest = b"".join([piece async for piece in pieces])
        assert rest == b"slowreaders</body></html>", rest
    response = await AsyncClient().get("/?whole")
    assert b"djDebug" in response.content
    assert b"slowreaders" in response.content


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    (folder / "page.html").write_text(TEMPLATE)
    configure(folder)
    django.setup()
    from debug_toolbar.toolbar import debug_toolbar_urls

    urlpatterns += debug_toolbar_urls()
    from django.contrib.auth.models import Group
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    Group.objects.create(name="readers")
    asyncio.run(main())
