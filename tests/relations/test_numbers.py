"""The pages that batches are for, with the queries that they may take at most."""

import pytest
from django.contrib.auth import get_user_model
from django.db.models import Count

from shop.models import Author, Book, Country, Publisher, Review, Tag

from .pages import compare, thread_hops

pytestmark = pytest.mark.django_db

CARDS = """<ul>
{% for book in books %}<li>{{ book.title }} by {{ book.author.name }},
{{ book.publisher.name }}, {{ book.publisher.country.name }}
{% for tag in book.tags.all %}<i>{{ tag.name }}</i>{% endfor %}
{{ book.reviews.count }} review{{ book.reviews.count|pluralize }}</li>
{% endfor %}</ul>"""
AUTHORS = """{% for author in authors %}<h2>{{ author.name }}</h2>
{% for book in author.books.all %}<p>{{ book.title }}:
{% for tag in book.tags.all %}{{ tag.name }} {% endfor %}</p>{% endfor %}{% endfor %}"""


@pytest.fixture(autouse=True)
def shop():
    """Thirty authors and ninety books, each with three tags and up to three reviews."""
    countries = [Country.objects.create(code=f"{n:02}", name=f"Country {n}") for n in range(5)]
    publishers = Publisher.objects.bulk_create(
        Publisher(name=f"Publisher {n}", city="x", country=countries[n % 5]) for n in range(9)
    )
    authors = Author.objects.bulk_create(
        Author(name=f"Author {n}", sort_name=f"{n:02}", slug=f"author-{n}") for n in range(30)
    )
    tags = Tag.objects.bulk_create(Tag(name=f"Tag {n}", slug=f"tag-{n}") for n in range(10))
    users = get_user_model().objects.bulk_create(
        get_user_model()(username=f"reader {n}") for n in range(3)
    )
    books = Book.objects.bulk_create(
        Book(
            title=f"Book <{n}>",
            slug=f"book-{n}",
            author=authors[n % 30],
            publisher=publishers[n % 9],
            year=1900 + n,
            language="English",
        )
        for n in range(90)
    )
    link = Book.tags.through
    link.objects.bulk_create(
        link(book=book, tag=tags[(n + step) % 10])
        for n, book in enumerate(books)
        for step in range(3)
    )
    Review.objects.bulk_create(
        Review(book=book, user=user, rating=3, text="x")
        for n, book in enumerate(books)
        for user in users[: n % 4]
    )


def test_50_books_with_everything_are_a_query_for_each_relation():
    pages = compare(CARDS, lambda: {"books": Book.objects.all()[:50]})
    stock, *ours = pages.queries
    assert stock > 200
    assert ours == [6, 6]  # the books; authors, publishers, countries, tags, counts of reviews
    assert thread_hops(pages.async_) == 6


def test_authors_their_books_and_the_tags_of_each_are_three_queries():
    pages = compare(AUTHORS, lambda: {"authors": Author.objects.all()})
    stock, *ours = pages.queries
    assert stock > 100
    assert ours == [3, 3]


def loaded_books():
    books = Book.objects.select_related("author", "publisher__country")
    return books.prefetch_related("tags", "reviews")[:50]


@pytest.mark.parametrize("policy", ["batch", "fetch", "raise"])
def test_a_view_that_loads_what_it_shows_costs_nothing(policy):
    """No query beyond the view's own, and no hop beyond the one for its queryset."""
    pages = compare(CARDS, lambda: {"books": loaded_books()}, policy)
    assert pages.queries == (3, 3, 3)
    assert pages.async_.hops == 1
    books = list(loaded_books())
    pages = compare(CARDS, lambda: {"books": books}, policy)
    assert pages.queries == (0, 0, 0)
    assert pages.async_.hops == 0


@pytest.mark.parametrize("policy", ["batch", "raise"])
def test_an_annotated_count_costs_nothing(policy):
    source = "{% for book in books %}{{ book.review_count }}{% endfor %}"
    books = Book.objects.annotate(review_count=Count("reviews"))
    assert compare(source, lambda: {"books": books.all()}, policy).queries == (1, 1, 1)


@pytest.mark.parametrize("policy", ["batch", "fetch", "raise"])
def test_rows_whose_relations_nobody_touches_take_no_hop(policy):
    source = (
        "{% for book in books %}{{ book.title }}{{ book.year }}{{ book.author_id }}{% endfor %}"
    )
    books = [Book(pk=number, title="x", year=1, author_id=1) for number in range(5000)]
    pages = compare(source, {"books": books}, policy)
    assert pages.queries == (0, 0, 0)
    assert pages.async_.hops == 0
