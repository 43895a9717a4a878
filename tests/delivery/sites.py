"""A site of one page that is streamed, behind Django's usual middleware."""

import asyncio
import re

import jinja2
from django.urls import path

from atemplates import astream
from atemplates.delivery.header_values import messages_hold_shell
from tests.engines.conftest import in_memory

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
        self.context = {}
        """Callables are given the request, and called by the template."""
        self.begin = self.end = None
        """What the view does before and after it has begun the page."""
        self.request = self.response = None
        self.is_read = False
        """Set by the test when it reads the response."""
        self.has_waited = False
        """Whether the page is past its `later`."""


SITE = Site()


async def later():
    """Wait until the response is read, or could not be: messages hold it."""
    for _ in range(10_000):
        if SITE.is_read or messages_hold_shell(SITE.request, None):
            SITE.has_waited = True
            return ""
        await asyncio.sleep(0.001)
    raise AssertionError("nobody reads the response")


async def page(request):
    SITE.request = request
    SITE.is_read = SITE.has_waited = False
    if SITE.begin is not None:
        await SITE.begin(request)
    context = {name: bound(value, request) for name, value in SITE.context.items()}
    context["later"] = later()
    response = await astream(request, "page", context, using=SITE.using)
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
