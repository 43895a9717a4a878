"""Rendering pages over querysets of django-async-backend, and what stock Django makes of its own."""

from typing import Any, NamedTuple

import pytest
from asgiref.sync import async_to_sync
from django.template import Context
from django_async_backend.db import async_connections
from django_async_backend.test import AsyncCaptureQueriesContext

from atemplates.engines.django import DjangoTemplates
from atemplates.runtime import drivers, hops
from tests.jinja2.conftest import make_backend, stock_environment
from tests.rendering import new_engine
from tests.testapp.models import Animal, Region

WAYS = ["sync", "async", "stream"]
REGIONS = ["World", "Africa", "Savanna"]


class Shown(NamedTuple):
    """What a render by awaiting came to."""

    output: str
    queries: list[str]
    """Those on the async connection."""
    hops: int


def regions(manager: str) -> dict[str, Any]:
    """The same querysets of one or the other package, none of them evaluated."""
    rows = getattr(Region, manager)
    return {
        "a": rows.all(),
        "b": rows.filter(pk__gt=1),
        "nobody": rows.filter(name="nobody"),
        "names": rows.values_list("name", flat=True),
        "pairs": rows.values_list("name", "pk"),
        "dicts": rows.values("name", "pk"),
        "joined": rows.select_related("parent"),
        "both": rows.filter(pk=1).union(rows.filter(pk=3)).order_by("name"),
        "cut": rows.all()[1:3],
        "m": rows,
        "row": Region(pk=1),
        "animals": getattr(Animal, manager).filter(species__hidden=False),
    }


def ours() -> dict[str, Any]:
    return regions("async_objects")


def djangos() -> dict[str, Any]:
    return regions("objects")


def django_template(source: str, templates: dict[str, str] | None = None, **options: Any) -> Any:
    """A backend's template, with others to include."""
    texts = {**(templates or {}), "main": source}
    loaders = [("django.template.loaders.locmem.Loader", texts)]
    loaders = [("django.template.loaders.cached.Loader", loaders)]
    params = {"NAME": "django", "DIRS": [], "APP_DIRS": False}
    backend = DjangoTemplates({**params, "OPTIONS": {"loaders": loaders, **options}})
    return backend.get_template("main")


def jinja2_template(source: str, templates: dict[str, str] | None = None) -> Any:
    return make_backend(templates).from_string(source)


def stock_django(source: str, templates: dict[str, str] | None = None) -> str:
    engine = new_engine({**(templates or {}), "main": source})
    return engine.get_template("main").render(Context(djangos()))


def stock_jinja2(source: str, templates: dict[str, str] | None = None) -> str:
    return stock_environment(autoescape=True).from_string(source).render(djangos())


ENGINES = {"django": (django_template, stock_django), "jinja2": (jinja2_template, stock_jinja2)}


async def with_connections_closed(function: Any, *args: Any) -> Any:
    """Await something as a request is answered: its connections are closed at the end."""
    try:
        return await function(*args)
    finally:
        await async_connections.close_all()


def awaited(function: Any, *args: Any) -> Any:
    """Await something on a loop of its own; its sync work is done in the test's thread."""
    return async_to_sync(with_connections_closed)(function, *args)


async def arender_counted(template: Any, context: dict[str, Any]) -> Shown:
    """Render, and count queries and hops."""
    made: list[Any] = []

    class Counting(hops.Hop):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            made.append(args)
            super().__init__(*args, **kwargs)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(drivers, "Hop", Counting)
        patch.setattr(hops, "Hop", Counting)
        async with AsyncCaptureQueriesContext(async_connections["default"]) as captured:
            output = await template.render_async(context)
    return Shown(output, [query["sql"] for query in captured.captured_queries], len(made))


def shown(template: Any, context: dict[str, Any], way: str = "async") -> str:
    """Render in one of the ways."""
    if way == "sync":
        return template.render(context)
    return awaited(joined if way == "stream" else type(template).render_async, template, context)


async def joined(template: Any, context: dict[str, Any]) -> str:
    """Render in pieces, after the task that reads them has used its connection."""
    await Region.async_objects.acount()
    return "".join([chunk async for chunk in template.stream_async(context)])
