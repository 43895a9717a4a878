"""The checked-in books: what can be checked about facts without knowing them."""

from collections import Counter

import pytest
from django.utils.text import slugify

from shop.catalogue import read_books


@pytest.fixture(scope="module")
def data():
    return read_books()


def repeated(values):
    return [value for value, times in Counter(values).items() if times > 1]


def test_there_are_at_least_150_books_and_none_twice(data):
    assert len(data["books"]) >= 150
    assert repeated(slugify(book["title"]) for book in data["books"]) == []
    originals = [b["original_title"] for b in data["books"] if "original_title" in b]
    assert repeated(originals) == []


def test_nothing_else_is_there_twice(data):
    assert repeated(slugify(author["name"]) for author in data["authors"]) == []
    assert repeated(publisher["name"] for publisher in data["publishers"]) == []
    assert repeated(country["code"] for country in data["countries"]) == []
    assert repeated((review["book"], review["user"]) for review in data["reviews"]) == []


def test_years_are_plausible_and_in_the_public_domain(data):
    authors = {author["name"]: author for author in data["authors"]}
    for author in data["authors"]:
        assert author["died"] <= 1955, author
        if author["born"] is not None:
            assert 16 <= author["died"] - author["born"] <= 101, author
    for book in data["books"]:
        author = authors[book["author"]]
        assert 1300 <= book["year"] <= 1929, book
        # Billy Budd lay in a tin box for 33 years.
        assert book["year"] <= author["died"] + 40, book
        if author["born"] is not None:
            assert book["year"] >= author["born"] + 15, book


def test_every_book_has_its_facts(data):
    for book in data["books"]:
        assert book["text"], book
        assert book["language"].istitle(), book
        assert book["tags"], book
        assert repeated(book["tags"]) == [], book
        if book["language"] == "English":
            assert "original_title" not in book


def test_what_is_named_is_there_and_what_is_there_is_named(data):
    books, authors = data["books"], data["authors"]
    titles = {book["title"] for book in books}
    names = {author["name"] for author in authors}
    assert {book["author"] for book in books} == names
    publishers = {publisher["name"] for publisher in data["publishers"]}
    assert {book["publisher"] for book in books} - {None} == publishers
    countries = {country["code"] for country in data["countries"]}
    assert {publisher["country"] for publisher in data["publishers"]} == countries
    assert {review["book"] for review in data["reviews"]} <= titles
    assert {note["book"] for note in data["notes"] if "book" in note} <= titles
    assert {note["author"] for note in data["notes"] if "author" in note} <= names


def test_the_data_has_what_templates_trip_over(data):
    assert any(book["publisher"] is None for book in data["books"])
    assert any(author["born"] is None for author in data["authors"])
    assert any("biography" not in author for author in data["authors"])
    assert len({book["language"] for book in data["books"]}) >= 15


def test_ratings_are_one_to_five(data):
    assert {review["rating"] for review in data["reviews"]} <= {1, 2, 3, 4, 5}
