"""``manage.py load_books``: complete, repeatable, and harmless to what others wrote."""

from io import StringIO

import pytest
from django.contrib.auth import authenticate, get_user_model
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from shop.catalogue import load, read_books
from shop.models import Author, AuthorProfile, Book, Country, Note, Publisher, Review, Tag

TABLES = (Author, AuthorProfile, Book, Country, Note, Publisher, Review, Tag, Book.tags.through)


@pytest.fixture(autouse=True)
def empty(db):
    """Other tests may have filled the shop; this lasts until the test's rollback."""
    for model in (Note, Review, Book, Author, Publisher, Country, Tag, get_user_model()):
        model.objects.all().delete()


def counts():
    return {model.__name__: model.objects.count() for model in TABLES}


def load_books():
    output = StringIO()
    call_command("load_books", stdout=output)
    return output.getvalue()


def test_everything_is_loaded():
    data = read_books()
    assert "records added or changed" in load_books()
    assert counts() == {
        "Author": len(data["authors"]),
        "AuthorProfile": sum("biography" in author for author in data["authors"]),
        "Book": len(data["books"]),
        "Country": len(data["countries"]),
        "Note": len(data["notes"]),
        "Publisher": len(data["publishers"]),
        "Review": len(data["reviews"]),
        "Tag": len({tag for book in data["books"] for tag in book["tags"]}),
        "Book_tags": sum(len(book["tags"]) for book in data["books"]),
    }
    emma = Book.objects.get(slug="emma")
    assert (emma.author.sort_name, emma.publisher.country.name) == (
        "Austen, Jane",
        "United Kingdom",
    )
    assert emma.notes.get().text.startswith("Dedicated")
    assert Author.objects.get(name="Honoré de Balzac").sort_name == "Balzac, Honoré de"


def test_a_second_run_changes_nothing_and_only_reads():
    load_books()
    before = counts()
    with CaptureQueriesContext(
        connection,
    ) as queries:
        assert "nothing to do" in load_books()
    assert counts() == before
    written = [q["sql"] for q in queries if q["sql"].startswith(("INSERT", "UPDATE", "DELETE"))]
    assert written == []
    assert len(queries) < 20


def test_what_differs_is_corrected_and_what_others_added_stays():
    load_books()
    Book.objects.filter(slug="emma").update(year=1999)
    Note.objects.all().delete()
    reader = get_user_model().objects.create_user("reader")
    own = Review.objects.create(
        book=Book.objects.get(slug="emma"), user=reader, rating=5, text="Mine."
    )
    data = read_books()
    assert load(data) == 1 + len(data["notes"])
    assert Book.objects.get(slug="emma").year == 1815
    own.refresh_from_db()
    assert not own.is_sample


@pytest.mark.parametrize("debug", [True, False])
def test_the_demo_account_is_made_only_while_debugging(settings, debug):
    settings.DEBUG = debug
    assert ("Sign in" in load_books()) is debug
    user = authenticate(username="demo", password="demo")
    assert bool(user and user.is_superuser) is debug


def test_a_changed_password_stays(settings):
    settings.DEBUG = True
    load_books()
    user = get_user_model().objects.get(username="demo")
    user.set_password("something else")
    user.save()
    assert "Sign in" not in load_books()
    assert authenticate(username="demo", password="something else")


def test_nobody_can_sign_in_as_a_sample_reviewer():
    load_books()
    reviewers = get_user_model().objects.filter(reviews__is_sample=True)
    assert reviewers.exists()
    assert not any(reviewer.has_usable_password() for reviewer in reviewers)
