"""The chapter docs/streaming.md: its code runs as it stands there, from top to bottom."""

import asyncio
import inspect
import re

import pytest
from django.contrib.auth import get_user_model
from django.template import engines
from django.test import AsyncClient
from django.urls import path

from atemplates import arender, astream
from atemplates.engines.options import COMMON_OPTIONS
from shop.models import Author, Book, Review
from tests.delivery.chapters import blocks_of, names_of, text_of
from tests.event_loop import PATIENCE

CHAPTER = "streaming.md"
CRAWLER = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"


@pytest.fixture
def names():
    return names_of(CHAPTER)


@pytest.fixture
def chapter(settings, names, transactional_db):
    templates = {re.match(r"{# (\S+) #}\n", each)[1]: each for each in blocks_of(CHAPTER, "django")}
    templates = {name: source.partition("\n")[2] for name, source in templates.items()}
    [ours] = names["TEMPLATES"]
    loaders = [("django.template.loaders.locmem.Loader", templates)]
    settings.TEMPLATES = [ours | {"OPTIONS": ours["OPTIONS"] | {"loaders": loaders}}]
    settings.MIDDLEWARE = []

    async def search(request):
        return await astream(request, "shop/search.html", {"books": Book.objects.all(), "q": "<"})

    urls = [
        path("books/<slug:slug>/", names["book_page"]),
        path("deferred/<slug:slug>/", names["book_deferred"]),
        path("class/<slug:slug>/", names["BookPage"].as_view()),
        path("search/", search),
    ]
    settings.ROOT_URLCONF = type("Urls", (), {"urlpatterns": urls})
    author = Author.objects.create(name="Jane Austen", sort_name="Austen, Jane", slug="austen")
    book = Book.objects.create(title="Emma", slug="emma", author=author, year=1815)
    Book.objects.create(title="Persuasion", slug="persuasion", author=author, year=1817)
    user = get_user_model().objects.create_user("reader")
    Review.objects.create(book=book, user=user, rating=5, text="<good>")
    return names


async def chunks_of(url, **headers):
    response = await AsyncClient().get(url, headers=headers)
    assert response.status_code == 200
    return response, [chunk.decode() async for chunk in response]


async def test_a_page_that_leaves_while_it_is_rendered(chapter):
    await chunks_of("/books/emma/")
    response, (*before, last) = await chunks_of("/books/emma/")
    assert response.headers["X-Accel-Buffering"] == "no"
    assert before[0].startswith("<!doctype html>")
    assert "&lt;good&gt;" in "".join(before)
    assert "<li>" not in before[0]
    assert last.startswith("<li>Persuasion</li></ul>")
    assert last.endswith("</html>\n")
    [missing] = [await AsyncClient().get("/books/nothing/")]
    assert missing.status_code == 404


async def test_a_class_based_view(chapter):
    _, (*before, last) = await chunks_of("/class/emma/")
    assert "<h1>Emma</h1>" in "".join(before)
    assert last.startswith("<li>Persuasion</li></ul>")


async def test_flush(chapter):
    _, chunks = await chunks_of("/search/")
    assert chunks[0].rstrip().endswith('value="&lt;"></form>')
    assert "Emma" in "".join(chunks[1:])


async def test_defer(chapter):
    _, chunks = await chunks_of("/deferred/emma/")
    html = "".join(chunks)
    assert "Looking …" in chunks[0]
    assert "Persuasion" not in chunks[0]
    [name] = re.findall(r'<\?start name="([\w-]+)">', html)
    [part] = re.findall(rf'<template for="{name}">(.*?)</template>', html, re.S)
    assert "<li>Persuasion</li>" in part
    assert html.index("&lt;good&gt;") < html.index(part)


async def test_a_part_that_fails(chapter, monkeypatch, caplog):
    async def fail(book):
        raise RuntimeError("out of order")

    monkeypatch.setitem(chapter, "liked_by_readers_of", fail)
    _, chunks = await chunks_of("/deferred/emma/")
    assert "Nothing to suggest today." in "".join(chunks)
    assert "out of order" in caplog.text


async def test_a_part_that_is_too_late(chapter, settings, monkeypatch, caplog):
    monkeypatch.setitem(chapter, "liked_by_readers_of", lambda book: asyncio.sleep(60))
    [engine] = settings.TEMPLATES
    [(loader, templates)] = engine["OPTIONS"]["loaders"]
    templates = {
        name: each.replace("timeout=2", "timeout=0.02") for name, each in templates.items()
    }
    settings.TEMPLATES = [engine | {"OPTIONS": {"loaders": [(loader, templates)]}}]
    async with asyncio.timeout(PATIENCE):
        _, chunks = await chunks_of("/deferred/emma/")
    assert "Looking …" in chunks[0]
    assert "Nothing to suggest today." in "".join(chunks)
    assert "not ready after 0.02 seconds" in caplog.text


async def test_the_modes_give_the_same_page(chapter, rf):
    async def page(deliver, **how):
        context = {"book": book, "reviews": [], "alike": chapter["liked_by_readers_of"](book)}
        response = await deliver(rf.get("/"), "shop/book_deferred.html", context, **how)
        if response.streaming:
            return b"".join([chunk async for chunk in response]).decode()
        return response.content.decode()

    book = await Book.objects.aget(slug="emma")
    whole = await page(arender)
    assert "<li>Persuasion</li>" in whole
    assert await page(astream, out_of_order=False) == whole


async def test_who_gets_it_whole(chapter):
    response, chunks = await chunks_of("/deferred/emma/", x_export="1")
    assert response.is_complete
    assert len(chunks) == 1
    assert "Looking" not in chunks[0]
    response, _ = await chunks_of("/deferred/emma/", user_agent=CRAWLER)
    assert not response.is_complete  # the chapter's own function does not look at that


async def test_tests(chapter):
    assert await chapter["titles_on_the_page"]("/books/emma/") == 2


async def test_jinja2(settings):
    settings.TEMPLATES = [{"BACKEND": "atemplates.engines.jinja2.Jinja2"}]
    [source] = blocks_of(CHAPTER, "jinja")
    template = engines["jinja2"].from_string(source)

    def context():
        return {"book": {"title": "Emma"}, "alike": asyncio.sleep(0.02, [{"title": "Persuasion"}])}

    chunks = [chunk async for chunk in template.stream_async(context(), out_of_order=True)]
    assert chunks[0] == "<h1>Emma</h1>\n"
    assert "Looking …" in chunks[1]
    assert "<li>Persuasion</li>" in "".join(chunks[2:])
    whole = await template.render_async(context())
    assert "Looking" not in whole
    assert "".join([chunk async for chunk in template.stream_async(context())]) == whole


def test_the_signature():
    [signature] = blocks_of(CHAPTER, "text")
    parameters = inspect.signature(astream).parameters.values()
    bare = [each.replace(annotation=inspect.Parameter.empty) for each in parameters]
    assert signature.strip() == f"astream{inspect.Signature(bare)}"


@pytest.mark.parametrize("option", ["stream", "yield_after"])
def test_the_options(option):
    assert option in COMMON_OPTIONS
    assert f"| `{option}` |" in text_of(CHAPTER)
