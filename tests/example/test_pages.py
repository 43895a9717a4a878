"""Every page of the bookshop, through both engines."""

import asyncio
import re
from html import unescape
from html.parser import HTMLParser

import pytest
from asgiref.sync import async_to_sync
from django.db import connection
from django.template import engines
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from atemplates.engines.django import DjangoTemplates
from atemplates.engines.jinja2 import Jinja2
from atemplates.testing import LazyAccessError, relations
from shop.models import Book, Review
from shop.pages import PAGES
from tests.example.pages_read import fetch, text_of
from tests.tags.deferring import filled

VOID = {"br", "hr", "img", "input", "link", "meta"}
ASYNC_PAGES = [page for page in PAGES if page.is_async]


def body_of(response):
    text = text_of(response)
    return filled(text) if response.streaming else text


def without_facts(response):
    """A page without its times and query count."""
    page = re.sub(r"Rendered by .* ms\.", "", body_of(response))
    return re.sub(r'[\d.]+ ms|style="--.*?"', "", page)


def mode_of(page):
    """What the footer says of how a page is rendered."""
    if not page.is_async:
        return "sync"
    compared = {"stock": "thread", "parallel": "native"}
    return compared.get(page.engine) or engines[page.engine].async_mode


def titles_on(response):
    return [
        unescape(t) for t in re.findall(r"<h3><a href=[^>]+>([^<]+)</a></h3>", body_of(response))
    ]


class Outline(HTMLParser):
    """Reads a page strictly: every element closed in order, every id once."""

    def __init__(self, html):
        super().__init__()
        self.open = []
        self.ids = []
        self.labelled = []
        self.fields = []
        self.tags = []
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        self.tags.append(tag)
        if tag not in VOID:
            self.open.append(tag)
        if "id" in attrs:
            self.ids.append(attrs["id"])
        if tag == "label":
            self.labelled.append(attrs["for"])
        if tag in {"input", "select", "textarea"} and attrs.get("type") != "hidden":
            self.fields.append(attrs["id"])

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.path)
async def test_a_page_is_right_and_says_who_rendered_it(page, shop, signed_in):
    response = await fetch(signed_in if page.signed_in else shop, page.path)
    assert response.status_code == 200
    assert page.text in body_of(response)
    mode = mode_of(page)
    assert response["X-Atemplates-Engine"] == page.engine
    assert response["X-Atemplates-Mode"] == mode
    assert float(response["X-Render-Ms"]) > 0
    sentence = f"Rendered by <strong>{page.engine} / {mode}</strong> with "
    if not response.streaming:  # a page makes queries after its headers have left
        sentence += f"{response['X-Queries']} quer"
    assert sentence in body_of(response)


async def test_the_engines_are_ours(shop):
    assert isinstance(engines["django"], DjangoTemplates)
    assert isinstance(engines["jinja2"], Jinja2)
    assert engines["jinja2"].async_mode == "async"


@pytest.mark.parametrize("page", ASYNC_PAGES, ids=lambda page: page.path)
async def test_a_page_is_well_formed_and_accessible(page, shop, signed_in):
    for client in (shop, signed_in):
        outline = Outline(body_of(await fetch(client, page.path)))
        assert outline.tags.count("h1") == outline.tags.count("main") == 1
        assert len(outline.ids) == len(set(outline.ids))
        assert set(outline.fields) <= set(outline.labelled)


async def test_both_lists_show_the_same_books_and_together_all_of_them(shop):
    seen = []
    for number in range(1, 9):
        ours = await shop.get(f"/?page={number}")
        jinja = await shop.get(f"/jinja2/?page={number}")
        assert titles_on(ours) == titles_on(jinja)
        seen += titles_on(ours)
    assert seen == [book.title async for book in Book.objects.all()]


@pytest.mark.parametrize("slug", ["emma", "faust-part-one", "we", "billy-budd", "robinson-crusoe"])
async def test_a_book_has_the_same_text_in_both_engines(shop, slug):
    """Of the main part, without markup and white space; links differ."""

    def text_of(response):
        main = re.search(r"<main.*</main>", body_of(response), re.S)[0]
        return unescape(re.sub(r"\s+", "", re.sub(r"<[^>]+>", " ", main)))

    ours = await shop.get(reverse("shop:book_detail", args=[slug]))
    jinja = await shop.get(reverse("shop:jinja2_book_detail", args=[slug]))
    assert text_of(ours) == text_of(jinja)


@pytest.mark.parametrize(
    ("path", "queries"),
    [
        ("/", 4),  # count, books with author, publisher and country; tags; reviews
        ("/jinja2/", 4),
        ("/authors/", 3),  # count; authors; books
        ("/authors/virginia-woolf/", 5),  # author with profile; notes; books; tags; reviews
        ("/books/emma/", 6),  # book; tags; notes; reviews; their users; the author's books
        ("/jinja2/books/emma/", 6),
    ],
)
async def test_a_page_takes_one_query_for_each_relation(shop, path, queries):
    await shop.get(path)  # Content types are looked up once and then remembered.
    assert (await shop.get(path))["X-Queries"] == str(queries)


@pytest.mark.parametrize(
    "path",
    [page.path for page in ASYNC_PAGES if page.engine == "django"],
)
async def test_the_lazy_state_gives_the_same_page(shop, site, path):
    eager = await fetch(shop, path)
    site.SHOP_LAZY = True
    lazy = await fetch(shop, path)
    assert without_facts(lazy) == without_facts(eager)


async def test_the_lazy_state_asks_for_rows_one_by_one_only_when_told_to(shop, site):
    site.SHOP_LAZY = True
    assert int((await shop.get("/"))["X-Queries"]) <= 10
    with relations("fetch"):
        assert int((await shop.get("/"))["X-Queries"]) > 150


@pytest.mark.parametrize("handler", ["asgi", "wsgi"])
@pytest.mark.parametrize("path", ["/authors/franz-kafka/", "/jinja2/books/emma/"])
def test_the_footer_counts_what_the_database_was_asked(shop, path, handler):
    get = async_to_sync(shop.get) if handler == "asgi" else Client().get
    with CaptureQueriesContext(connection) as captured:
        response = get(path)
    assert int(response["X-Queries"]) == len(captured) > 0


async def test_requests_at_the_same_time_do_not_mix_their_counts(shop):
    paths = ["/", "/authors/", "/jinja2/", "/search/"]
    alone = [(await shop.get(path))["X-Queries"] for path in paths]
    together = await asyncio.gather(*(shop.get(path) for path in paths))
    assert [response["X-Queries"] for response in together] == alone


@pytest.mark.parametrize(
    ("query", "titles"),
    [
        ("q=whale", ["Moby-Dick"]),
        ("q=brontë&tag=gothic", ["Jane Eyre", "Wuthering Heights"]),
        ("language=Danish&tag=philosophy", ["Either/Or", "Fear and Trembling", "Niels Lyhne"]),
        ("q=no+such+book", []),
    ],
)
async def test_the_search_finds(shop, query, titles):
    assert titles_on(await shop.get(f"/search/?{query}")) == titles


async def test_a_search_for_an_unknown_tag_says_so_and_lists_nothing(shop):
    response = await shop.get("/search/?tag=cookery")
    assert titles_on(response) == []
    assert "Select a valid choice" in body_of(response)


async def test_what_was_searched_for_comes_back_escaped(shop):
    response = await shop.get("/search/", {"q": '"><script>'})
    assert "<script>" not in body_of(response)
    assert "&quot;&gt;&lt;script&gt;" in body_of(response)


@pytest.mark.parametrize(
    "path",
    [
        *("/books/nothing/", "/jinja2/books/nothing/", "/authors/nobody/"),
        *("/?page=0", "/?page=99", "/jinja2/?page=x", "/search/?q=whale&page=2"),
    ],
)
async def test_what_is_not_there_is_a_404_in_the_shops_clothes(shop, path):
    response = await shop.get(path)
    assert response.status_code == 404
    assert "Not on the shelf" in body_of(response)


@pytest.mark.parametrize("prefix", ["", "/jinja2"])
async def test_a_reader_who_is_signed_in_is_greeted(signed_in, prefix):
    for path in (f"{prefix}/", f"{prefix}/books/emma/"):
        page = body_of(await signed_in.get(path))
        assert "Hello, Demo" in page
        assert "csrfmiddlewaretoken" in page


@pytest.mark.parametrize("prefix", ["", "/jinja2"])
async def test_a_review_is_published_and_can_be_changed(signed_in, prefix):
    for rating in (4, 2):
        response = await signed_in.post(
            f"{prefix}/books/emma/", {"rating": rating, "text": "<b>Bold</b>"}, follow=True
        )
        page = body_of(response)
        assert "Thank you" in page
        assert "&lt;b&gt;Bold&lt;/b&gt;" in page
    review = await Review.objects.aget(user__username="demo")
    assert (review.rating, review.is_sample) == (2, False)


@pytest.mark.parametrize("prefix", ["", "/jinja2"])
async def test_a_review_that_is_not_right_comes_back(signed_in, prefix):
    response = await signed_in.post(f"{prefix}/books/emma/", {"rating": 9, "text": "Too good"})
    assert "less than or equal to 5" in body_of(response)
    assert not await Review.objects.filter(user__username="demo").aexists()


async def test_only_who_is_signed_in_can_review(shop):
    response = await shop.post("/books/emma/", {"rating": 5, "text": "Anonymous"})
    assert response["Location"] == "/admin/login/?next=/books/emma/"
    assert not await Review.objects.filter(text="Anonymous").aexists()


async def test_the_debug_tools_of_the_test_client_work(shop):
    response = await shop.get("/books/emma/")
    assert response.context["book"].slug == "emma"
    assert "shop/_cover.html" in [template.name for template in response.templates]


@pytest.mark.parametrize("page", ASYNC_PAGES, ids=lambda page: page.path)
async def test_no_page_reaches_for_what_its_view_did_not_load(shop, page):
    with relations("raise"):
        response = await fetch(shop, page.path)
    assert response.status_code == 200
    assert page.text in body_of(response)


async def test_a_page_that_does_is_refused(shop, site):
    site.SHOP_LAZY = True
    with relations("raise"), pytest.raises(LazyAccessError, match="select_related"):
        await shop.get("/")
