"""Pages with deferred parts in every way there is to render them, and what tells these apart."""

import re

from django.template.backends.django import DjangoTemplates as StockTemplates

from atemplates.engines.django import DjangoTemplates
from tests.rendering import run_async
from tests.streaming.eager import eager, pausing

BUILTINS = [
    "tests.tags.parallel_tags",
    "tests.tags.defer_tags",
    "atemplates.templatetags.atemplates",
]

PLACEHOLDER = re.compile(r'<\?start name="([\w-]+)">(.*?)<\?end>', re.S)
SCRIPT_BEFORE_FILLS = re.compile(r"<script[^>]*>.*?</script>(?=<template for=)", re.S)
FILL = re.compile(r'<template for="([\w-]+)">(.*?)</template>(?:<!---->)?', re.S)


def backend(templates=None, **options):
    """Return a backend with templates in memory, whose tags each of them may load."""
    own = {"loaders": in_memory(templates), "builtins": BUILTINS, **options}
    return DjangoTemplates({"NAME": "django", "DIRS": [], "APP_DIRS": False, "OPTIONS": own})


def stock_backend(templates=None, **options):
    """Return stock Django's backend with the same."""
    own = {"loaders": in_memory(templates), "builtins": BUILTINS, **options}
    return StockTemplates({"NAME": "stock", "DIRS": [], "APP_DIRS": False, "OPTIONS": own})


def in_memory(templates):
    loaders = [("django.template.loaders.locmem.Loader", dict(templates or {}))]
    return [("django.template.loaders.cached.Loader", loaders)]


def filled(text):
    """Put the parts that follow into their places, as a browser does.

    Raises:
        AssertionError: a part has no place, or two.
    """
    text = SCRIPT_BEFORE_FILLS.sub("", text, count=1)
    while (fill := FILL.search(text)) is not None:
        name, content = fill.groups()
        before, after = text[: fill.start()], text[fill.end() :]
        places = [each for each in PLACEHOLDER.finditer(before) if each[1] == name]
        assert len(places) == 1, f"{len(places)} places for {name} in {before!r}"
        text = before[: places[0].start()] + content + before[places[0].end() :] + after
    return PLACEHOLDER.sub(r"\2", text)


async def chunks_of(template, values, **options):
    """Read a page piece by piece."""
    return [chunk async for chunk in template.stream_async(values, **options)]


async def in_order(template, values):
    return "".join(await chunks_of(template, values))


async def out_of_order(template, values):
    return filled("".join(await chunks_of(template, values, out_of_order=True)))


async def awaited(template, values):
    return await template.render_async(values)


WAYS = {"awaited": awaited, "in order": in_order, "out of order": out_of_order}


def values_of(make):
    return dict(make() if callable(make) else make)


def rendered(source, make=(), templates=None, *, stock=True, name=None, **options):
    """Render a page in every way, several times; return its text.

    Args:
        source: the template.
        make: the context, or what makes one for each render.
        templates: those that it refers to.
        stock: whether stock Django's own renderer can, which awaits nothing.
        options: of the backend.

    Raises:
        AssertionError: the ways differ.
    """
    ours = backend(templates, **options).from_string(source)
    text = ours.render(values_of(make))
    if stock:
        parsed = stock_backend(templates).from_string(source)
        found = parsed.render(values_of(make))
        assert found == text, f"stock: {found!r}"
    for _ in range(2):
        for way, render in WAYS.items():
            found = run_async(render, ours, values_of(make))
            assert found == text, f"{way}: {found!r}"
    with eager(), pausing():
        pausing_ours = backend(templates, **options).from_string(source)
        for way in ("in order", "out of order"):
            found = run_async(WAYS[way], pausing_ours, values_of(make))
            assert found == text, f"{way}, sent at each write: {found!r}"
    return text
