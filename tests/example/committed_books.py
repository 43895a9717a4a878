"""The books of the demo, committed, for as long as a ``with`` block."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.contrib.auth import get_user_model

from shop.catalogue import demo_staff, load, read_books
from shop.models import Author, Book, Country, Note, Publisher, Review, Tag
from shop.pages import DEMO_PASSWORD, DEMO_USER
from tests import left_rows


@contextmanager
def committed_books(blocker: Any) -> Iterator[None]:
    """Load the books and the demo account, and remove them in the end.

    For a fixture that several tests share.

    Args:
        blocker: the fixture ``django_db_blocker``.
    """
    left_rows.sharers += 1
    try:
        with blocker.unblock():
            load(read_books())
            demo_staff(DEMO_USER, DEMO_PASSWORD)
        yield
    finally:
        left_rows.sharers -= 1
        with blocker.unblock():
            for model in (Note, Review, Book, Author, Publisher, Country, Tag, get_user_model()):
                model.objects.all().delete()


@pytest.fixture(scope="module")
def shelf(django_db_setup, django_db_blocker):
    """For modules of other folders: pytest would keep a fixture of the scope "package" that they
    import to the end of the session."""
    with committed_books(django_db_blocker):
        yield
