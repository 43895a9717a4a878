"""The chapter docs/server-sent-events.md: its code runs as it stands there, from top to bottom."""

import asyncio
import inspect
import re
from contextlib import asynccontextmanager

import django
import pytest
from django.contrib.auth import get_user_model
from django.urls import include, path

from atemplates import arender, sse
from atemplates.delivery import event_format
from shop.models import Author, Book, Review
from tests.delivery.chapters import blocks_of, names_of, text_of
from tests.delivery.conftest import messages_of, until

CHAPTER = "server-sent-events.md"


@pytest.fixture
def names():
    return names_of(CHAPTER)


@pytest.fixture
def chapter(settings, names, transactional_db):
    templates = {re.match(r"{# (\S+) #}", each)[1]: each for each in blocks_of(CHAPTER, "django")}
    if django.VERSION < (6, 0):
        del templates["shop/board.html"]
    settings.MIDDLEWARE = []
    settings.TEMPLATES = [
        {
            "BACKEND": "atemplates.engines.django.DjangoTemplates",
            "OPTIONS": {"loaders": [("django.template.loaders.locmem.Loader", templates)]},
        }
    ]
    urls = [path(f"{name}/", names[name]) for name in names if name.endswith(("_stream", "board"))]
    urls += [path("", include("shop.urls"))]
    settings.ROOT_URLCONF = type("Urls", (), {"urlpatterns": urls})
    author = Author.objects.create(name="Jane Austen", sort_name="Austen, Jane", slug="austen")
    book = Book.objects.create(title="Emma", slug="emma", author=author, year=1815)
    for text in ("<good>", "better"):
        user = get_user_model().objects.create_user(text)
        Review.objects.create(book=book, user=user, rating=5, text=text)
    return names


@pytest.fixture
def ask(async_rf):
    def request(**headers):
        return async_rf.get(
            "/", headers={name.replace("_", "-"): headers[name] for name in headers}
        )

    return request


async def read(view, request, number):
    messages = await messages_of(await view(request), number)
    return [(each.type, " ".join(each.data.split())) for each in messages]


async def test_a_page_that_follows(chapter, ask):
    found = await read(chapter["review_stream"], ask(), 2)
    assert [kind for kind, _ in found] == ["message", "message"]
    assert [text.partition(": ")[2] for _, text in found] == ["&lt;good&gt;</li>", "better</li>"]
    page = await chapter["review_page"](ask())
    assert b"new EventSource(" in page.content


@pytest.mark.skipif(django.VERSION < (6, 0), reason="partials are new in Django 6.0")
async def test_a_part_of_a_page(chapter, ask):
    found = await read(chapter["board_stream"], ask(), 2)
    assert found == [
        ("message", "<li>5: &lt;good&gt;</li>"),
        ("message", "<li>5: better</li>"),
    ]
    page = await chapter["board"](ask())
    assert b"<li>5: better</li>" in page.content


async def test_htmx(chapter, ask):
    found = await read(chapter["monitor_stream"], ask(), 4)
    assert [kind for kind, _ in found] == ["review", "count"] * 2
    assert found[1] == ("count", "2")
    names = chapter["monitored"](hours=-1)
    messages = await messages_of(sse(ask(), "shop/_review.html", names))
    assert [each.type for each in messages] == ["review", "count", "closed"]
    page = await arender(ask(), "shop/monitor.html")
    assert b'sse-close="closed"' in page.content


async def test_when_the_connection_is_lost(chapter, ask):
    first, second = await messages_of(await chapter["resumed_stream"](ask()), 2)
    [again] = await messages_of(
        await chapter["resumed_stream"](ask(last_event_id=first.last_event_id)), 1
    )
    assert again == second
    [other] = await messages_of(await chapter["resumed_stream"](ask(last_event_id="x")), 1)
    assert other == first


async def test_the_end(chapter, ask):
    left = []

    class Channel:
        @asynccontextmanager
        async def subscribe(self):
            try:
                yield self.messages()
            finally:
                await asyncio.sleep(0)
                left.append(True)

        async def messages(self):
            yield await Review.objects.select_related("book").afirst()
            await asyncio.Event().wait()

    request = ask()
    request.channel = Channel()
    [message] = await messages_of(await chapter["channel_stream"](request), 1)
    assert "good" in message.data
    await until(lambda: left)


async def test_tests(chapter):
    assert "good" in await chapter["first_event"]("/review_stream/")


def test_the_signatures():
    [signature] = blocks_of(CHAPTER, "text")
    parameters = inspect.signature(sse).parameters.values()
    bare = [each.replace(annotation=inspect.Parameter.empty) for each in parameters]
    assert signature.strip() == f"sse{inspect.Signature(bare)}"
    fields = inspect.signature(event_format.SseEvent).parameters
    listed = ", ".join(f"{name}=None" for name in fields)
    assert f"`SseEvent({listed})`" in text_of(CHAPTER)
