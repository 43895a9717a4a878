"""The chapter docs/views.md: its code runs as it stands there, and each function in it is called.

The blocks are executed from top to bottom, each section in a copy of the names before it. What a
section's views answer is in the test of the section's name.
"""

import ast
import re
from pathlib import Path
from types import SimpleNamespace

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth import get_user_model
from django.core import mail
from django.core.exceptions import ImproperlyConfigured
from django.db import connection, transaction
from django.test import AsyncClient, Client
from django.urls import include, path

from atemplates.errors import NotAwaited
from atemplates.views import AsyncRenderMixin
from shop.models import Author, Book, Review

CHAPTER = Path(__file__).resolve().parents[2] / "docs/views.md"
BOOKS = [
    ("Emma", "emma", "Jane Austen", 1815, "English"),
    ("Persuasion", "persuasion", "Jane Austen", 1817, "English"),
    ("Dubliners", "dubliners", "James Joyce", 1914, "English"),
    ("Either/Or", "either-or", "Søren Kierkegaard", 1843, "Danish"),
]
LIST = "{% for book in object_list %}{{ book.title }};{% endfor %}{{ note }}"
TEMPLATES = {
    "shop/book_list.html": LIST,
    "shop/review_list.html": "{% for review in object_list %}{{ review.text }};{% endfor %}",
    "shop/book_detail.html": "{{ book.title }} by {{ book.author.name }}",
    "shop/review_form.html": "{{ form.rating }}{{ form.errors }}{{ note }}",
    "shop/book_filter.html": "{{ filter.form.language }}" + LIST,
    "shop/book_table.html": "{% load render_table from django_tables2 %}{% render_table table %}",
    "404.html": "not here: {{ exception }}",
}


class Block(SimpleNamespace):
    """A block of code: ``language``, ``line`` in the chapter, ``source``."""


def read_chapter():
    """The sections that hold code: heading -> blocks."""
    found, heading, block = {}, "", None
    for number, line in enumerate(CHAPTER.read_text(encoding="utf-8").splitlines(), 1):
        if block is not None:
            if line == "```":
                block = None
            else:
                block.source += f"{line}\n"
        elif line.startswith("```"):
            block = Block(language=line[3:], line=number, source="")
            found.setdefault(heading, []).append(block)
        elif line.startswith("## "):
            heading = line[3:]
    return found


SECTIONS = read_chapter()


class Telling(ast.NodeTransformer):
    """Has each function add its name to ``has_run`` when it is called."""

    def __init__(self):
        self.names = []

    def visit_function(self, node):
        self.generic_visit(node)
        name = f"{node.name}, line {node.lineno}"
        self.names.append(name)
        call = ast.parse(f"has_run.add({name!r})").body
        node.body[:0] = [ast.copy_location(each, node.body[0]) for each in call]
        return ast.fix_missing_locations(node)

    visit_FunctionDef = visit_AsyncFunctionDef = visit_function


def execute(blocks, names):
    """Run the Python blocks of a section; return its names, and those of its functions."""
    names = {**names, "__name__": "shop.chapter", "has_run": set()}
    functions = []
    for block in blocks:
        if block.language == "python":
            tree = ast.increment_lineno(ast.parse(block.source), block.line)
            telling = Telling()
            tree = telling.visit(tree)
            functions += telling.names
            exec(compile(tree, CHAPTER, "exec"), names)
    return names, functions


class Site:
    """A section's names as attributes, and what asks its views.

    Attributes:
        text_blocks: the section's blocks that show an error, each on one line.
    """

    def __init__(self, names, blocks, settings):
        self.names = names
        self.settings = settings
        self.text_blocks = [
            " ".join(block.source.split()) for block in blocks if block.language == "text"
        ]

    def __getattr__(self, name):
        return self.names[name]

    def serve(self, view, kwargs):
        view = view.as_view() if isinstance(view, type) else view
        urls = [path("page/", view, kwargs), path("", include("shop.urls"))]
        handlers = {name: self.names[name] for name in {"handler404"} & self.names.keys()}
        self.settings.ROOT_URLCONF = type("Urls", (), {"urlpatterns": urls, **handlers})

    async def ask(self, view, method="get", data=None, user=None, **kwargs):
        """Request a view under ASGI and under WSGI, which have to agree; return the response."""
        self.serve(view, kwargs)
        answers = []
        for client in (AsyncClient(), Client()):
            send = getattr(client, method)
            if isinstance(client, Client):
                send, login = sync_to_async(send), sync_to_async(client.force_login)
            else:
                login = client.aforce_login
            if user is not None:
                await login(user)
            answers.append(await send("/page/", data))
        ours, theirs = answers
        assert ours.status_code == theirs.status_code
        if method == "get":
            assert ours.content == theirs.content
        return ours

    async def read(self, view, **kwargs):
        response = await self.ask(view, **kwargs)
        assert response.status_code == 200
        return " ".join(response.content.decode().split())


CHECKS = {}


def section(heading):
    def decorate(function):
        CHECKS[heading] = function
        return function

    return decorate


@pytest.fixture
def shop_settings(settings):
    templates = dict(TEMPLATES)
    for blocks in SECTIONS.values():
        for block in blocks:
            if block.language == "django":
                name = re.match(r"{# (\S+) #}", block.source)[1]
                templates[name] = block.source
    engine = settings.TEMPLATES[0]
    options = {**engine["OPTIONS"], "loaders": loaders(templates)}
    settings.TEMPLATES = [{"BACKEND": engine["BACKEND"], "OPTIONS": options}]
    settings.MAILERS = {"default": {"BACKEND": "django.core.mail.backends.locmem.EmailBackend"}}
    settings.INSTALLED_APPS = [*settings.INSTALLED_APPS, "django_filters", "django_tables2"]
    return settings


def loaders(templates):
    return [
        ("django.template.loaders.locmem.Loader", templates),
        "django.template.loaders.app_directories.Loader",
    ]


@pytest.fixture
def shelf(db):
    """Four books of three authors, a reader with two reviews and one with none."""
    for model in (Review, Book, Author):  # those of the demo, which stay for a whole run
        model.objects.all().delete()
    authors = {
        name: Author.objects.create(name=name, slug=name.lower().replace(" ", "-"), sort_name=name)
        for name in dict.fromkeys(row[2] for row in BOOKS)
    }
    for title, slug, author, year, language in BOOKS:
        Book.objects.create(
            title=title, slug=slug, author=authors[author], year=year, language=language
        )
    users = get_user_model().objects
    reader, quiet = users.create_user("reader"), users.create_user("quiet")
    for slug in ("emma", "either-or"):
        book = Book.objects.get(slug=slug)
        Review.objects.create(book=book, user=reader, rating=4, text=f"on {slug}")
    return SimpleNamespace(emma=Book.objects.get(slug="emma"), reader=reader, quiet=quiet)


@pytest.mark.parametrize("heading", SECTIONS)
async def test_the_chapter(heading, shelf, shop_settings):
    names = {}
    for each, blocks in SECTIONS.items():
        names, functions = execute(blocks, names)
        if each == heading:
            break
    await CHECKS[heading](Site(names, blocks, shop_settings), shelf)
    assert [name for name in functions if name not in names["has_run"]] == []


def test_each_section_with_code_is_asked():
    assert {*CHECKS} == {*SECTIONS}


async def test_the_limits(shelf, shop_settings, monkeypatch, rf):
    names, _ = execute(SECTIONS["Change the import"], {})
    site = Site(names, [], shop_settings)
    sync_view = type("SyncBookList", (AsyncRenderMixin, site.BookList), {})
    monkeypatch.setitem(connection.settings_dict, "ATOMIC_REQUESTS", True)
    with pytest.raises(RuntimeError, match="You cannot use ATOMIC_REQUESTS with async views"):
        await site.ask(site.BookList)
    page = await site.read(sync_view)
    assert page == await site.read(transaction.non_atomic_requests(site.BookList.as_view()))
    view, request = site.BookList.as_view(), rf.get("/")
    for response in (await view(request), await sync_to_async(lambda: view(request))()):
        assert response.status_code == 200


@section("Change the import")
async def change_the_import(site, shelf):
    everything = "Emma;Persuasion;Either/Or;Dubliners;"
    assert await site.read(site.BookList) == everything
    assert await site.read(site.BookPage, slug="emma") == "Emma by Jane Austen"
    assert (await site.ask(site.BookPage, slug="nothing")).content == (
        b"not here: No book found matching the query"
    )
    for view in (site.BookList, site.BookPage):
        assert view.view_is_async
        assert any(each.__module__.startswith("django.views.generic") for each in view.__mro__)


@section("Hooks")
async def hooks(site, shelf):
    assert await site.read(site.OldBookList) == "Emma;Persuasion;Either/Or;3 authors"
    assert await site.read(site.BookListByLanguage, language="Danish") == "Either/Or;3 authors"
    assert (await site.read(site.CountedBookList)).endswith("4 books in all")
    site.serve(site.ForgetfulBookList, {})
    with pytest.raises(NotAwaited) as caught:
        await AsyncClient().get("/page/")
    assert site.text_blocks == [f"NotAwaited: {caught.value}"]


@section("Where a view runs")
async def where_a_view_runs(site, shelf):
    review = await Review.objects.aget(text="on emma")
    page = await site.read(site.ReviewForm, pk=review.pk)
    assert '<option value="4" selected>' in page or 'value="4"' in page
    assert "one of 2" in page
    wrong = await site.ask(site.ReviewForm, "post", {"rating": 9, "text": "x"}, pk=review.pk)
    assert b"less than or equal to 5" in wrong.content
    right = await site.ask(site.ReviewForm, "post", {"rating": 2, "text": "x"}, pk=review.pk)
    assert (right.status_code, right["Location"]) == (302, "/thanks/")
    await review.arefresh_from_db()
    assert (review.rating, review.text) == (2, "x")


@section("Handlers")
async def handlers(site, shelf):
    assert await site.read(site.ReviewedBookPage, slug="emma") == "Emma by Jane Austen"
    site.serve(site.ReviewedBookPage, {"slug": "emma"})
    client = AsyncClient()
    await client.aforce_login(shelf.quiet)
    response = await client.post("/page/", {"text": "mine"})
    assert response["Location"] == shelf.emma.get_absolute_url()
    assert await Review.objects.filter(book=shelf.emma, user=shelf.quiet, text="mine").aexists()

    with pytest.raises(ImproperlyConfigured) as caught:
        site.MixedBookPage.as_view()
    assert site.text_blocks == [f"ImproperlyConfigured: {caught.value}"]
    # No request gets as far as this handler, so nothing but the test can call it.
    site.MixedBookPage.post.__wrapped__(SimpleNamespace(get=lambda request: None), None)

    assert not site.SyncBookPage.view_is_async
    for method in ("get", "post"):
        assert (await site.ask(site.SyncBookPage, method, slug="emma")).content == (
            b"Emma by Jane Austen"
        )
    assert not site.BookCount.view_is_async
    assert await site.read(site.BookCount) == "4 books"


@section("Template responses")
async def template_responses(site, shelf):
    everything = "Emma;Persuasion;Either/Or;Dubliners;"
    assert await site.read(site.book_list) == everything
    response = await site.ask(site.counted_book_list)
    assert (response["X-Books"], response.content.decode()) == ("4", everything)
    assert await site.read(site.NotedBookList) == f"{everything}3 authors"


@section("Querysets stay lazy")
async def querysets_stay_lazy(site, shelf):
    assert await site.read(site.AuthorPage, slug="jane-austen") == (
        "Jane Austen: Emma Persuasion last Persuasion"
    )
    assert await site.read(site.AuthorPage, slug="james-joyce") == "James Joyce: last Dubliners"


@section("Who may see it")
async def who_may_see_it(site, shelf):
    reviews = "on emma;on either-or;"
    for view in (site.OwnReviewList, site.LongReaderReviewList):
        assert (await site.ask(view))["Location"] == "/accounts/login/?next=/page/"
        assert await site.read(view, user=shelf.reader) == reviews
    assert await site.read(site.OwnReviewList, user=shelf.quiet) == ""
    assert (await site.ask(site.LongReaderReviewList, user=shelf.quiet)).status_code == 403
    for view in (site.MembersBookList, site.fresh_book_list):
        assert (await site.ask(view))["Location"] == "/accounts/login/?next=/page/"
        assert "Emma;" in await site.read(view, user=shelf.reader)
    data = {"text": "mine"}
    response = await site.ask(site.MembersReviewedBookPage, "post", data, slug="emma")
    assert response["Location"] == "/accounts/login/?next=/page/"
    site.serve(site.MembersReviewedBookPage, {"slug": "emma"})
    client = AsyncClient()
    await client.aforce_login(shelf.quiet)
    assert (await client.post("/page/", data))["Location"] == shelf.emma.get_absolute_url()
    assert await shelf.quiet.reviews.filter(text="mine").aexists()
    response = await site.ask(site.fresh_book_list, user=shelf.reader)
    assert "no-store" in response["Cache-Control"]
    response = await site.ask(site.stamped_book_list)
    assert response["X-Stamp"] == "The Open Shelf"
    assert "Emma;" in response.content.decode()


@section("Views of other packages")
async def views_of_other_packages(site, shelf):
    page = await site.read(site.FilteredBookList, data={"language": "Danish"})
    assert page.endswith("Either/Or;")
    assert 'value="Danish"' in page
    for view in (site.BookTablePage, site.BookTableList):
        page = await site.read(view, data={"sort": "-year"})
        titles = ["Dubliners", "Either/Or", "Persuasion", "Emma"]
        assert [page.index(title) for title in titles] == sorted(page.index(t) for t in titles)
        assert "Jane Austen" in page


@section("Error pages")
async def error_pages(site, shelf):
    assert await site.read(site.shop_page, name="emma") == "Emma by Jane Austen"
    response = await site.ask(site.shop_page, name="nothing")
    assert (response.status_code, response.content) == (
        404,
        b"not here: nothing is not on the shelf",
    )
    assert site.handler404 == "atemplates.views.defaults.page_not_found"
    response = await AsyncClient().get("/no/such/address/")
    assert (response.status_code, response.content) == (404, b"not here: Resolver404")


@section("E-mail")
async def e_mail(site, shelf):
    response = await site.ask(
        site.Recommendation, "post", {"address": "you@example.org"}, slug="emma"
    )
    assert response["Location"] == shelf.emma.get_absolute_url()
    ours, theirs = mail.outbox
    for message in (ours, theirs):
        assert (message.subject, message.to) == ("Read Emma", ["you@example.org"])
        assert message.body.strip() == "Emma by Jane Austen"
        [alternative] = message.alternatives
        assert alternative[1] == "text/html"
        assert "<p><b>Emma</b> by Jane Austen</p>" in alternative[0]
