"""Brings the database in line with ``data/books.json``: adds and corrects, never removes."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.db.models import Model
from django.utils.text import slugify

from .models import Author, AuthorProfile, Book, Country, Note, Publisher, Review, Tag

BOOKS_FILE = Path(__file__).parent / "data" / "books.json"

Row = dict[str, Any]


def read_books() -> dict[str, list[Row]]:
    """The checked-in data: countries, publishers, authors, books, reviews and notes."""
    return json.loads(BOOKS_FILE.read_text(encoding="utf-8"))


@transaction.atomic
def load(data: dict[str, list[Row]]) -> int:
    """Add what is missing and correct what differs.

    Args:
        data: as `read_books` gives it.

    Returns:
        How many records were added or changed; 0 when everything was there.
    """
    merge = Merge()
    merge(Country, ["code"], data["countries"])
    publishers = merge(
        Publisher,
        ["name"],
        (
            {"name": row["name"], "city": row["city"], "country_id": row["country"]}
            for row in data["publishers"]
        ),
    )
    authors = merge(Author, ["slug"], map(author_values, data["authors"]))
    merge(
        AuthorProfile,
        ["author_id"],
        (
            {
                "author_id": authors[slugify(row["name"]),].pk,
                "birthplace": row["birthplace"],
                "biography": row["biography"],
            }
            for row in data["authors"]
            if "biography" in row
        ),
    )
    books = merge(
        Book,
        ["slug"],
        (
            {
                "title": row["title"],
                "slug": slugify(row["title"]),
                "original_title": row.get("original_title", ""),
                "author_id": authors[slugify(row["author"]),].pk,
                "publisher_id": row["publisher"] and publishers[row["publisher"],].pk,
                "year": row["year"],
                "language": row["language"],
                "text": row["text"],
            }
            for row in data["books"]
        ),
    )
    names = sorted({name for row in data["books"] for name in row["tags"]})
    tags = merge(Tag, ["slug"], ({"name": name, "slug": slugify(name)} for name in names))
    merge(
        Book.tags.through,
        ["book_id", "tag_id"],
        (
            {"book_id": books[slugify(row["title"]),].pk, "tag_id": tags[slugify(name),].pk}
            for row in data["books"]
            for name in row["tags"]
        ),
    )
    readers = demo_readers({row["user"] for row in data["reviews"]})
    merge(
        Review,
        ["book_id", "user_id"],
        (
            {
                "book_id": books[slugify(row["book"]),].pk,
                "user_id": readers[row["user"]].pk,
                "rating": row["rating"],
                "text": row["text"],
                "is_sample": True,
            }
            for row in data["reviews"]
        ),
    )
    types = ContentType.objects.get_for_models(Book, Author)
    merge(
        Note,
        ["content_type_id", "object_id", "text"],
        (
            {
                "content_type_id": types[Book if "book" in row else Author].pk,
                "object_id": (
                    books[slugify(row["book"]),]
                    if "book" in row
                    else authors[slugify(row["author"]),]
                ).pk,
                "text": row["text"],
            }
            for row in data["notes"]
        ),
    )
    return merge.touched


def author_values(row: Row) -> Row:
    """The fields of an author; the sort name is "Last, First" where the data does not give it."""
    first, _, last = row["name"].rpartition(" ")
    return {
        "name": row["name"],
        "sort_name": row.get("sort") or (f"{last}, {first}" if first else last),
        "slug": slugify(row["name"]),
        "born": row["born"],
        "died": row["died"],
    }


def demo_readers(names: Iterable[str]) -> dict[str, Any]:
    """The accounts of the sample reviewers, made where missing; nobody can sign in with them."""
    users = get_user_model().objects
    readers = {user.username: user for user in users.filter(username__in=names)}
    for name in sorted(set(names) - readers.keys()):
        readers[name] = users.create_user(name, first_name=name.capitalize())
    return readers


def demo_staff(name: str, password: str) -> bool:
    """Make an account that may do everything in the admin.

    Returns:
        Whether it was made; one that exists is left alone, password and all.
    """
    users = get_user_model().objects
    if users.filter(username=name).exists():
        return False
    users.create_superuser(name, password=password, first_name=name.capitalize())
    return True


class Merge:
    """Merges rows into tables, with at most three queries for each table.

    Attributes:
        touched: how many records were added or changed so far.
    """

    def __init__(self) -> None:
        self.touched = 0

    def __call__(
        self, model: type[Model], key: list[str], rows: Iterable[Row]
    ) -> dict[tuple[Any, ...], Any]:
        """Merge rows into a model's table.

        Args:
            model: the model.
            key: the fields that identify a record.
            rows: field values.

        Returns:
            The table's records by the values of their key.
        """
        records = {self.key_of(record, key): record for record in model._base_manager.all()}
        added: list[Model] = []
        changed: list[Model] = []
        fields: set[str] = set()
        for row in rows:
            identity = tuple(row[name] for name in key)
            record = records.get(identity)
            if record is None:
                records[identity] = record = model(**row)
                added.append(record)
                continue
            differing = {name for name in row if getattr(record, name) != row[name]}
            if differing:
                for name in differing:
                    setattr(record, name, row[name])
                changed.append(record)
                fields |= differing
        model._base_manager.bulk_create(added)
        if changed:
            model._base_manager.bulk_update(changed, sorted(fields))
        self.touched += len(added) + len(changed)
        return records

    @staticmethod
    def key_of(record: Model, key: list[str]) -> tuple[Any, ...]:
        """The values that identify a record."""
        return tuple(getattr(record, name) for name in key)
