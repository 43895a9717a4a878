"""A site whose pages are streamed, served by one of several servers in a process of its own.

Run with the name of a server, a port, a folder, and ``sync`` if a sync middleware is to stand around
the views. ``/left/`` tells what the other pages have left in the process.
"""

import asyncio
import logging
import sys
import threading
import time

import django
from django.conf import settings
from django.http import HttpResponse, JsonResponse
from django.urls import path

TEMPLATES = {
    "parts": (
        "<!doctype html><html><head><title>t</title></head><body><h1>shell</h1>"
        "{% defer %}{{ one }}{% placeholder %}wait{% enddefer %}"
        "{% defer %}{{ two }}{% placeholder %}wait{% enddefer %}</body></html>"
    ),
    "in_order": "<html><head></head><body>shell {{ one }} {{ two }}</body></html>",
    "error": "<html><head></head><body>shell {{ one }}\n{{ error }} rest</body></html>",
    "waits": "<html><head></head><body>shell {{ forever }} rest</body></html>",
    "many": "<html><head></head><body>{% for x in rows %}{{ x.text }}{% flush %}{% endfor %}</body></html>",
    "queries": (
        "<html><head></head><body>{{ thread }} {{ one }} {{ query }}"
        "{% defer %}{{ one }} {{ query }}{% placeholder %}wait{% enddefer %}</body></html>"
    ),
}
SECONDS = 0.3


class Seen:
    """What has happened in this process."""

    running: list[str] = []
    logged: list[str] = []
    signals: list[str] = []
    finished = 0
    connections: list[object] = []


class Kept(logging.Handler):
    def emit(self, record):
        error = record.exc_info[1] if record.exc_info else None
        Seen.logged.append(f"{record.name}: {record.getMessage()} {error!r}")


class SyncMiddleware:
    """Has Django run the view inside an `async_to_sync`."""

    sync_capable, async_capable = True, False

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        response = self.get_response(request)
        response["X-Sync"] = "yes"
        return response


class Replacing:
    """Drops the stream of ``/replaced/``, without closing it."""

    sync_capable, async_capable = False, True

    def __init__(self, get_response):
        self.get_response = get_response

    async def __call__(self, request):
        response = await self.get_response(request)
        return HttpResponse("replaced") if request.path == "/replaced/" else response


def configure(folder, is_sync):
    settings.configure(
        DEBUG=False,
        SECRET_KEY="only for tests",
        ALLOWED_HOSTS=["*"],
        ROOT_URLCONF=__name__,
        DATABASES={
            "default": {"ENGINE": "django.db.backends.sqlite3", "NAME": f"{folder}/served.sqlite3"}
        },
        INSTALLED_APPS=[],
        MIDDLEWARE=[f"{__name__}.{'SyncMiddleware' if is_sync else 'Replacing'}"],
        LOGGING_CONFIG=None,
        TEMPLATES=[
            {
                "BACKEND": "atemplates.engines.django.DjangoTemplates",
                "OPTIONS": {
                    "loaders": [
                        (
                            "django.template.loaders.cached.Loader",
                            [("django.template.loaders.locmem.Loader", TEMPLATES)],
                        )
                    ],
                    "builtins": ["atemplates.templatetags.atemplates"],
                },
            }
        ],
    )


def query():
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("select 1")
        cursor.fetchone()
    if connection not in Seen.connections:
        Seen.connections.append(connection)
    return f"thread-{threading.get_ident()}"


async def page(request, name):
    from asgiref.sync import sync_to_async

    from atemplates import astream

    begun = time.monotonic()
    settings.DEBUG = "debug" in request.GET
    seconds = float(request.GET.get("seconds", SECONDS))

    async def later(text, seconds):
        Seen.running.append(text)
        try:
            await asyncio.sleep(seconds)
        finally:
            Seen.running.remove(text)
        return text

    async def fail():
        raise TypeError("wrong") if "type" in request.GET else ValueError("wrong")

    class Row:
        async def text(self):
            return await later("x" * 1000, 0.005)

    class Error:
        get = staticmethod(fail)

    context = {
        "one": later("one", seconds),
        "two": later("two", seconds / 3),
        "forever": later("forever", 600),
        "error": Error.get,
        "rows": [Row()] * int(request.GET.get("rows", 10)),
        "query": query,
        "thread": await sync_to_async(query)(),
    }
    context = {name_: value for name_, value in context.items() if name_ in TEMPLATES[name]} | {
        "unused": None
    }
    response = await astream(request, name, context)
    response["X-Begun"] = repr(begun)
    return response


async def replaced(request):
    return await page(request, "waits")


async def left(request):
    """Tell what is left, once it is looked for with nothing else going on."""
    others = asyncio.all_tasks() - {asyncio.current_task()}
    tasks = [repr(task.get_coro()) for task in others]
    return JsonResponse(
        {
            "tasks": [task for task in tasks if "atemplates" in task or "served_site" in task],
            "running": Seen.running,
            "logged": Seen.logged,
            "signals": Seen.signals,
            "connections": sum(each.connection is not None for each in Seen.connections),
            "threads": [
                each.name
                for each in threading.enumerate()
                if each.name.startswith("ThreadPoolExecutor")
            ],
        }
    )


async def forget(request):
    Seen.logged.clear()
    Seen.signals.clear()
    return HttpResponse()


urlpatterns = [
    path("left/", left),
    path("forget/", forget),
    path("replaced/", replaced),
    path("<str:name>/", page),
]


def note_exception(sender, request=None, **kwargs):
    Seen.signals.append(request.path)


def application():
    from django.core.handlers.asgi import ASGIHandler
    from django.core.handlers.wsgi import WSGIHandler
    from django.core.signals import got_request_exception

    got_request_exception.connect(note_exception, weak=False)
    for name in ("django.request", "atemplates"):
        logging.getLogger(name).addHandler(Kept())
    return WSGIHandler if "wsgi" in sys.argv else ASGIHandler


def run_uvicorn(app, port):
    import uvicorn

    uvicorn.run(app, host="127.0.0.1", port=port, lifespan="off", log_level="warning")


def run_hypercorn(app, port):
    from hypercorn.asyncio import serve
    from hypercorn.config import Config

    config = Config()
    config.bind = [f"127.0.0.1:{port}"]
    config.accesslog = None
    asyncio.run(serve(app, config))


def run_daphne(app, port):
    from daphne.server import Server

    Server(app, endpoints=[f"tcp:port={port}:interface=127.0.0.1"], signal_handlers=False).run()


def run_wsgiref(app, port):
    from socketserver import ThreadingMixIn
    from wsgiref.simple_server import WSGIServer, make_server

    class Threads(ThreadingMixIn, WSGIServer):
        daemon_threads = True

    make_server("127.0.0.1", port, app, Threads).serve_forever()


SERVERS = {
    "uvicorn": run_uvicorn,
    "hypercorn": run_hypercorn,
    "daphne": run_daphne,
    "wsgi": run_wsgiref,
}

if __name__ == "__main__":
    from tests.delivery import served_site

    server, port, folder, *how = sys.argv[1:]
    served_site.configure(folder, "sync" in how)
    django.setup()
    SERVERS[server](served_site.application()(), int(port))
