"""A site of one page that is streamed, behind Django's usual middleware."""

import asyncio
import re
from contextvars import copy_context

import jinja2
from django.http import StreamingHttpResponse
from django.urls import path

from atemplates import aget_template
from atemplates.delivery.guarded import begin_rendering
from atemplates.delivery.header_values import (
    load_messages,
    messages_hold_shell,
    prepare_request,
)
from atemplates.delivery.late_writes import guard_request
from atemplates.delivery.sent_headers import HeadersLeave
from tests.engines.conftest import in_memory
from tests.event_loop import turns

MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
]
CONTEXT_PROCESSORS = [
    "django.template.context_processors.request",
    "django.contrib.auth.context_processors.auth",
    "django.contrib.messages.context_processors.messages",
]


class Site:
    """What the view does for the next request."""

    def __init__(self):
        self.using = "django"
        self.words = True
        """Whether the words of the template are known."""
        self.context = {}
        """Callables are given the request, and called by the template."""
        self.begin = self.end = None
        """What the view does before and after it has begun the page."""
        self.request = self.response = None


SITE = Site()


class Page(HeadersLeave, StreamingHttpResponse):
    pass


async def page(request):
    SITE.request = request
    if SITE.begin is not None:
        await SITE.begin(request)
    context = {name: bound(value, request) for name, value in SITE.context.items()}
    response = await stream(request, context)
    if SITE.end is not None:
        await SITE.end(request)
    SITE.response = response
    return response


def bound(value, request):
    if not callable(value):
        return value

    def called():
        return value(request)

    return called


urlpatterns = [path("", page)]


def install(settings, source):
    """Make the page of a template; Jinja2's is got from the Django one."""
    settings.ROOT_URLCONF = __name__
    settings.MIDDLEWARE = MIDDLEWARE
    options = {"context_processors": CONTEXT_PROCESSORS}
    settings.TEMPLATES = [
        {
            "BACKEND": "atemplates.engines.django.DjangoTemplates",
            "OPTIONS": {"loaders": in_memory({"page": source}), **options},
        },
        {
            "BACKEND": "atemplates.engines.jinja2.Jinja2",
            "OPTIONS": {"loader": jinja2.DictLoader({"page": as_jinja2(source)}), **options},
        },
    ]
    SITE.__init__()
    SITE.source = source


def as_jinja2(source):
    source = re.sub(r"\{\{ (\w+_it) \}\}", r"{{ \1() }}", source)
    return source.replace("{% csrf_token %}", "{{ csrf_input }}")


async def stream(request, context):
    """Until there is `astream`, and Jinja2 streams."""
    words = frozenset(re.findall(r"\w+", SITE.source)) if SITE.words else None
    await load_messages(request, words)
    template = await aget_template("page", using=SITE.using)
    reached, sent = asyncio.Event(), asyncio.Event()

    async def later():
        reached.set()
        await sent.wait()
        return ""

    def is_held():
        if messages_hold_shell(request, words):
            return True
        prepare_request(request, words)
        guard_request(request)
        return False

    context["later"] = later()
    renders = copy_context()
    renders.run(begin_rendering, request)
    if SITE.using == "django":
        chunks = template.stream_async(context, request)
        chunks.feed.is_held = is_held
        shell = asyncio.create_task(chunks.shell(), context=renders)
        await asyncio.wait(
            [shell, asyncio.create_task(reached.wait())], return_when=asyncio.FIRST_COMPLETED
        )
        await turns(5)
        if not shell.done() and messages_hold_shell(request, words):
            sent.set()
        await shell
    else:
        render = asyncio.create_task(template.render_async(context, request), context=renders)
        await asyncio.wait(
            [render, asyncio.create_task(reached.wait())], return_when=asyncio.FIRST_COMPLETED
        )
        if not render.done() and is_held():
            sent.set()
            await asyncio.wait([render])
        if render.done():
            await render

        async def whole():
            yield await render

        chunks = whole()

    async def content():
        sent.set()
        async for chunk in chunks:
            response.mark_sent()
            yield chunk

    response = Page(content())
    return response
