"""The panel for django-debug-toolbar: what it shows of each way to render a page."""

import asyncio
import json
import re
import sys

import jinja2
import pytest
from django.core.checks.registry import registry
from django.core.exceptions import SynchronousOnlyOperation
from django.http import HttpResponse
from django.template import engines
from django.test import AsyncClient, Client
from django.urls import path

from atemplates import arender, astream
from atemplates.engines import native
from atemplates.response import TemplateResponse
from atemplates.views import TemplateView
from tests.rendering import run_async
from tests.testapp.data import zoo
from tests.testapp.models import Animal

__all__ = ["zoo"]

pytestmark = pytest.mark.django_db(databases=["default", "other"])

PAGES = {
    "page.html": "{% extends 'base.html' %}\n{% block a %}\n{% for a in animals %}{{ a.home.name }}{% endfor %}{% endblock %}",
    "base.html": "<html><body>\n{% block a %}{% endblock %}\n{% include 'part.html' %}</body></html>",
    "part.html": "\n{{ title|upper }}\n{% if title %}{{ late }}{% endif %}",
    "evil.html": "<body>\n{{ title }}<script>alert('source')</script>\n</body>",
}
JINJA2 = {
    "page.jinja": "{% extends 'base.jinja' %}\n{% block a %}\n{% for a in animals %}{{ a.home.name }}{% endfor %}{% endblock %}",
    "base.jinja": "<html><body>\n{% block a %}{% endblock %}\n{{ late }}</body></html>",
}


def context():
    async def late():
        await asyncio.sleep(0.01)
        return "late"

    return {"animals": Animal.objects.order_by("pk")[:3], "title": "<b>", "late": late()}


async def whole(request):
    return await arender(request, "page.html", context())


async def whole_jinja2(request):
    return await arender(request, "page.jinja", context(), using="jinja")


async def response(request):
    return TemplateResponse(request, "page.html", context())


async def streamed(request):
    return await astream(request, "page.html", context())


async def evil(request):
    return await arender(request, "evil.html", {"title": "x"})


def sync(request):
    values = {"animals": Animal.objects.order_by("pk")[:3], "title": "<b>"}
    return HttpResponse(engines["lines"].get_template("page.html").render(values, request))


class Page(TemplateView):
    template_name = "page.html"

    def get_context_data(self, **kwargs):
        return {**super().get_context_data(**kwargs), **context()}


VIEWS = (whole, whole_jinja2, response, streamed, evil, sync)
urlpatterns = []


@pytest.fixture
def site(settings, monkeypatch):
    """A site with the toolbar."""
    # Other panels patch Django where they are imported, which other tests must not see.
    monkeypatch.setattr(registry, "registered_checks", set(registry.registered_checks))
    monkeypatch.setattr(native, "loop_driver", native.loop_driver)
    settings.DEBUG = True
    settings.DEBUG_TOOLBAR_CONFIG = {"SHOW_TOOLBAR_CALLBACK": f"{__name__}.shows"}
    settings.DEBUG_TOOLBAR_PANELS = [
        "debug_toolbar.panels.history.HistoryPanel",
        "atemplates.toolbar.TemplatesPanel",
    ]
    settings.INSTALLED_APPS = [*settings.INSTALLED_APPS, "debug_toolbar"]
    settings.MIDDLEWARE = ["debug_toolbar.middleware.DebugToolbarMiddleware"]
    loader = ("django.template.loaders.locmem.Loader", PAGES)
    cached = [("django.template.loaders.cached.Loader", [loader])]
    settings.TEMPLATES = [
        {
            "NAME": "lines",
            "BACKEND": "atemplates.engines.django.DjangoTemplates",
            "OPTIONS": {"loaders": cached},
        },
        {
            "NAME": "jinja",
            "BACKEND": "atemplates.engines.jinja2.Jinja2",
            "OPTIONS": {"loader": jinja2.DictLoader(JINJA2)},
        },
        {
            "NAME": "stock",
            "BACKEND": "django.template.backends.django.DjangoTemplates",
            "APP_DIRS": True,
        },
    ]
    from debug_toolbar import middleware, toolbar

    monkeypatch.setattr(toolbar.DebugToolbar, "_panel_classes", None)
    monkeypatch.setattr(toolbar.DebugToolbar, "_urlpatterns", None)
    monkeypatch.delitem(sys.modules, "debug_toolbar.urls", raising=False)  # it keeps them as well
    monkeypatch.setattr(toolbar.DebugToolbar, "store", None)
    middleware.show_toolbar_func_or_path.cache_clear()
    settings.ROOT_URLCONF = __name__
    urlpatterns[:] = [
        *(path(f"{view.__name__}/", view) for view in VIEWS),
        path("view/", Page.as_view()),
        *toolbar.debug_toolbar_urls(),
    ]
    yield
    middleware.show_toolbar_func_or_path.cache_clear()


def shows(request):
    return True


async def body_of(answer):
    if answer.streaming:
        return b"".join([chunk async for chunk in answer])
    return answer.content


def asked(address):
    """What the panel keeps of a request, its number, and the body of the response."""

    async def ask():
        answer = await AsyncClient().get(address)
        return answer.headers["djdt-request-id"], await body_of(answer)

    number, body = run_async(ask)
    return stats_of(number), number, body


def stats_of(number):
    from debug_toolbar.store import get_store

    return get_store().panel(number, "LinesOfTemplatesPanel")


def content_of(number):
    panel = f"/__debug__/render_panel/?request_id={number}&panel_id=LinesOfTemplatesPanel"
    return Client().get(panel).json()["content"]


def template_of(stats, name):
    return next(each for each in stats["templates"] if each["name"] == name)


def line_of(stats, name, number):
    return template_of(stats, name)["lines"][number - 1]


@pytest.mark.parametrize("address", ["whole", "response", "view", "streamed"])
def test_what_each_line_cost(zoo, site, address):
    stats, _, _ = asked(f"/{address}/")
    assert stats["is_done"]
    assert [each["name"] for each in stats["renders"]] == ["page.html"]
    assert {each["name"] for each in stats["templates"]} == {"page.html", "base.html", "part.html"}
    loop = line_of(stats, "page.html", 3)
    assert loop["text"] == PAGES["page.html"].splitlines()[2]
    assert (loop["queries"], loop["ms"] > 0) == (2, True)
    assert loop["rows"] >= 3
    assert line_of(stats, "part.html", 2)["runs"] == 1
    (batch,) = [each for each in template_of(stats, "page.html")["loaded"] if each["advice"]]
    assert "select_related" in batch["advice"]
    assert stats["total"]["queries"] == 2
    assert stats["total"]["waits"] >= 1
    json.dumps(stats)


def test_jinja2(zoo, site):
    stats, number, _ = asked("/whole_jinja2/")
    assert line_of(stats, "page.jinja", 3)["queries"] == 2
    assert line_of(stats, "page.jinja", 3)["ms"] > 0
    assert {each["language"] for each in stats["templates"]} == {"jinja2"}
    assert "run_root" in content_of(number)


def test_a_sync_view(zoo, site):
    number = Client().get("/sync/").headers["djdt-request-id"]
    assert line_of(stats_of(number), "page.html", 3)["queries"] == 2


def test_the_page_of_the_panel(zoo, site):
    _, number, body = asked("/whole/")
    assert b"LinesOfTemplatesPanel" in body
    content = content_of(number)
    assert "Lines that took most" in content
    assert "What it compiles to" in content
    assert "yield from extends_plan" in content
    style = re.search(r'href="([^"]+style.css)"', content)[1]
    answer = Client().get(style)
    assert answer.headers["Content-Type"].startswith("text/css")
    assert b".at-panel" in answer.content


def test_everything_is_escaped(zoo, site):
    _, number, _ = asked("/evil/")
    content = content_of(number)
    assert "<script" not in content
    assert "&lt;script&gt;alert(&#x27;source&#x27;)" in content


def test_requests_at_the_same_time_do_not_mix(zoo, site):
    async def both():
        client = AsyncClient()
        answers = await asyncio.gather(*(client.get(f"/{each}/") for each in ("whole", "evil")))
        return [answer.headers["djdt-request-id"] for answer in answers]

    first, second = map(stats_of, run_async(both))
    assert [each["name"] for each in first["renders"]] == ["page.html"]
    assert [each["name"] for each in second["renders"]] == ["evil.html"]
    assert {each["name"] for each in second["templates"]} == {"evil.html"}


def test_a_streamed_page_is_complete_when_it_has_ended(zoo, site):
    async def ask():
        answer = await AsyncClient().get("/streamed/")
        number = answer.headers["djdt-request-id"]
        before = stats_of(number)
        await body_of(answer)
        return before, stats_of(number)

    before, after = run_async(ask)
    assert not before["is_done"]
    assert after["is_done"]
    assert after["renders"][0]["mode"] == "stream"
    assert after["renders"][0]["first_byte_ms"] is not None


def test_a_store_that_refuses_the_second_time_ends_no_page(zoo, site, monkeypatch, caplog):
    """As one that asks the database on the event loop may."""
    from debug_toolbar.store import get_store

    store = get_store()
    usual = store.save_panel

    async def ask():
        answer = await AsyncClient().get("/streamed/")

        def refusing(number, panel, data=None):
            if panel == "LinesOfTemplatesPanel":
                raise SynchronousOnlyOperation("not on the loop")
            usual(number, panel, data)

        monkeypatch.setattr(store, "save_panel", refusing)
        return answer.headers["djdt-request-id"], await body_of(answer)

    number, body = run_async(ask)
    assert body.endswith(b"</body></html>")
    assert not stats_of(number)["is_done"]
    assert "cannot be kept for the toolbar" in caplog.text
