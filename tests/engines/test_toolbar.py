"""django-debug-toolbar's SQL and cache panels: the template and the line of each query."""

from contextlib import contextmanager

import pytest
from django.core.cache import caches
from django.core.checks.registry import registry
from django.db import connections
from django.template.backends.django import DjangoTemplates as StockTemplates

from atemplates import aload
from atemplates.engines import native
from atemplates.engines.django import DjangoTemplates
from atemplates.engines.jinja2 import Jinja2
from atemplates.runtime import drivers
from tests.rendering import run_async
from tests.testapp.models import Animal, Place

pytestmark = pytest.mark.django_db(databases=["default", "other"])

LIBRARIES = {"foreign": "tests.compiler.foreign_tags", "asking": "tests.engines.asking_tags"}


@pytest.fixture
def installed(settings, monkeypatch):
    """The toolbar is an installed app."""
    # Other panels patch Django where they are imported, which other tests must not see; nor the
    # system checks that the app registers.
    monkeypatch.setattr(registry, "registered_checks", set(registry.registered_checks))
    monkeypatch.setattr(native, "loop_driver", native.loop_driver)
    settings.DEBUG_TOOLBAR_PANELS = ["debug_toolbar.panels.sql.SQLPanel"]
    settings.INSTALLED_APPS = [*settings.INSTALLED_APPS, "debug_toolbar"]
    from debug_toolbar.toolbar import DebugToolbar

    monkeypatch.setattr(DebugToolbar, "_panel_classes", None)


@pytest.fixture
def folder(tmp_path):
    return tmp_path


def template(folder, kind, pages):
    for name, source in pages.items():
        (folder / name).write_text(source)
    options = {"libraries": LIBRARIES, "debug": True}
    params = {"NAME": "x", "DIRS": [folder], "APP_DIRS": False, "OPTIONS": options}
    return kind(params).get_template("page.html")


class Logger:
    """What the toolbar's panel is to its cursors."""

    def __init__(self):
        self.found = []

    def record(self, template_info, sql, **values):
        self.found.append(shown(template_info))

    def new_transaction_id(self, alias):
        """As the panel has it, for PostgreSQL."""
        return alias

    current_transaction_id = new_transaction_id


def shown(template_info):
    if template_info is None:
        return None
    (line,) = [each for each in template_info["context"] if each["highlight"]]
    return template_info["name"].rpartition("/")[2], line["num"], line["content"].strip()


@contextmanager
def tracking(logger):
    """Have the toolbar's own cursors report the queries of this thread."""
    from debug_toolbar.panels.sql.tracking import wrap_cursor

    connection = connections["default"]
    wrap_cursor(connection)
    connection._djdt_logger = logger
    try:
        yield
    finally:
        for name in [each for each in vars(connection) if each.startswith("_djdt")]:
            delattr(connection, name)
        del connection.cursor, connection.chunked_cursor


def queries(folder, pages, values, way):
    """The template, line and text that the toolbar shows for each query."""
    logger = Logger()
    kind = StockTemplates if way == "stock" else DjangoTemplates
    page = template(folder, kind, pages)
    for _ in range(2):  # from a loader that caches nothing: compiled anew
        logger.found.clear()
        with tracking(logger):
            text = (
                run_async(page.render_async, values()) if way == "async" else page.render(values())
            )
    assert text
    return logger.found


def values():
    async def rows():
        return [animal async for animal in Animal.objects.order_by("pk")[:2]]

    return {
        "animals": Animal.objects.order_by("pk")[:3],
        "animal": Animal.objects.order_by("pk").first(),
        "count": Animal.objects.count,
        "rows": rows,
        "places": Place.objects.all(),
    }


PAGES = {
    "a lookup": "\n{{ animal.home.name }}",
    "a loop": "\n\n{% for a in animals %}{{ a.name }}{% endfor %}",
    "a lookup in a loop": "\n{% for a in animals %}\n{{ a.home.name }}\n{% endfor %}",
    "to many": "{% for a in animals %}\n{% for f in a.foods.all %}\n{{ f.name }}{% endfor %}{% endfor %}x",
    "a call": "\n{{ count }}",
    "a condition": "\n\n{% if places %}yes{% endif %}",
    "an operator": "\n{% if animal.home.name == 'x' %}yes{% endif %}x",
    "a filter": "\n{{ places|length }}",
    "with": "\n{% with h=animal.home %}\n{{ h.name }}{% endwith %}",
    "a simple tag": "{% load asking %}\n\n{% count_animals %}",
    "a node": "{% load asking %}\n\n\n{% counting %}",
    "inside a foreign tag": "{% load foreign %}\n{% upper %}\n{{ animal.home.name }}{% endupper %}",
    "a loop around a foreign tag": "{% load foreign %}\n{% for a in animals %}\n{% upper %}{{ a.name }}{% endupper %}{% endfor %}",
}


@pytest.mark.parametrize("way", ["sync", "async"])
@pytest.mark.parametrize("source", PAGES.values(), ids=PAGES)
def test_the_place_of_each_query_is_stocks(zoo, installed, folder, way, source):
    stock = queries(folder, {"page.html": source}, values, "stock")[1:]
    ours = queries(folder, {"page.html": source}, values, way)[1:]  # less the view's own query
    assert stock
    assert None not in stock
    assert ours
    assert set(ours) == set(stock)


INHERITING = {
    "page.html": "{% extends 'middle.html' %}\n\n{% block a %}\n{{ block.super }}\n{{ animal.home.name }}{% endblock %}",
    "middle.html": "{% extends 'base.html' %}{% block a %}\n\n\n\n{{ count }}{% endblock %}",
    "base.html": "\n{% block a %}{% endblock %}\n{% include 'part.html' %}",
    "part.html": "{% for p in places %}{{ p.name }}{% endfor %}",
}


@pytest.mark.parametrize("way", ["sync", "async"])
def test_includes_and_inheritance(zoo, installed, folder, way):
    found = queries(folder, INHERITING, values, way)[1:]
    assert sorted(set(found)) == [
        ("middle.html", 5, "{{ count }}{% endblock %}"),
        ("page.html", 5, "{{ animal.home.name }}{% endblock %}"),
        ("part.html", 1, INHERITING["part.html"]),
    ]


def test_what_an_awaitable_asks(zoo, installed, folder):
    """The plan waits for it; the query is made by a thread that the plan is not in."""
    source = "\n{% for a in rows %}{{ a.name }}{% endfor %}"
    found = queries(folder, {"page.html": source}, values, "async")[1:]
    assert [each[:2] for each in found] == [("page.html", 2)]


def streamed_queries(folder, pages, values):
    """The same as `queries` of a page that is sent while it is rendered."""
    logger = Logger()
    page = template(folder, DjangoTemplates, pages)

    async def whole(given):
        return "".join([chunk async for chunk in page.stream_async(given)])

    with tracking(logger):
        assert run_async(whole, values())
    return logger.found


PLACED = {
    "a batch for all rows": (
        "\n{% for a in animals %}\n{{ a.home.name }}{% endfor %}",
        {2, 3},
    ),
    "an include": ("\n\n{% include 'part.html' %}", {("part.html", 2)}),
    "a tag in the thread": ("{% load asking %}\n\n\n{% count_animals %}", {4}),
    "parts at the same time": (
        "{% load atemplates %}{% parallel %}\n{{ count }}\n{% include 'part.html' %}{% endparallel %}",
        {2, ("part.html", 2)},
    ),
    "a deferred part": (
        "{% load atemplates %}<body>\n{% defer %}\n{{ count }}{% enddefer %}</body>",
        {3},
    ),
}


@pytest.mark.parametrize("way", ["sync", "async", "streamed"])
@pytest.mark.parametrize(("source", "lines"), PLACED.values(), ids=PLACED)
def test_the_place_in_each_way_to_send_a_page(zoo, installed, folder, way, source, lines):
    pages = {"page.html": source, "part.html": "\n{% for p in places %}{{ p.name }}{% endfor %}"}
    if way == "streamed":
        found = streamed_queries(folder, pages, values)
    else:
        found = queries(folder, pages, values, way)
    assert found[0] is None  # the view's own query
    wanted = {each if isinstance(each, tuple) else ("page.html", each) for each in lines}
    assert {each and each[:2] for each in found[1:]} == wanted


def test_what_a_view_begins_to_load(zoo, installed, folder):
    """`aload` begins in the view; in a test's transaction the page asks where it needs the rows."""
    (folder / "page.html").write_text("\n\n{% for p in places %}{{ p.name }}{% endfor %}")
    page, logger = template(folder, DjangoTemplates, {}), Logger()

    async def view():
        return await page.render_async({"places": aload(Place.objects.all())})

    with tracking(logger):
        assert run_async(view)
    assert [each and each[:2] for each in logger.found] == [("page.html", 3)]


@pytest.mark.parametrize("way", ["sync", "async"])
def test_queries_of_jinja2_templates_have_none(zoo, installed, folder, way):
    """The toolbar shows Django's nodes; docs/toolbar.md says so."""
    (folder / "page.jinja").write_text("\n{% for a in animals %}\n{{ a.home.name }}{% endfor %}")
    backend = Jinja2({"NAME": "x", "DIRS": [folder], "APP_DIRS": False, "OPTIONS": {}})
    page, given, logger = backend.get_template("page.jinja"), values(), Logger()
    with tracking(logger):
        assert run_async(page.render_async, given) if way == "async" else page.render(given)
    assert logger.found == [None, None]


def test_queries_outside_of_templates_have_none(zoo, installed, folder):
    template(folder, DjangoTemplates, {"page.html": ""}).render()
    logger = Logger()
    with tracking(logger):
        Animal.objects.count()
    assert logger.found == [None]


def test_the_cache_panel(zoo, installed, folder, settings):
    from debug_toolbar.panels import cache

    source = "{% load cache %}\n\n{% cache 10 name %}x{% endcache %}"
    found = []
    page = template(folder, DjangoTemplates, {"page.html": source})
    backend, usual = caches["default"], caches["default"].get

    def asking(*args, **kwargs):
        found.append(shown(cache.get_template_info()))
        return usual(*args, **kwargs)

    backend.get = asking
    try:
        page.render()
    finally:
        del backend.get
        backend.clear()
    assert found == [("page.html", 3, "{% cache 10 name %}x{% endcache %}")]


def test_without_the_toolbar_there_is_nothing_of_it(monkeypatch):
    monkeypatch.setattr(native, "loop_driver", drivers.arun)
    DjangoTemplates({"NAME": "x", "DIRS": [], "APP_DIRS": False, "OPTIONS": {}})
    assert native.loop_driver is drivers.arun
