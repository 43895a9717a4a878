"""The books of the demo, committed, for as long as a ``with`` block."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.contrib.auth import get_user_model

from shop.catalogue import demo_staff, load, read_books
from shop.models import Author, Book, Country, Note, Publisher, Review, Tag
from shop.pages import DEMO_PASSWORD, DEMO_USER
from tests import left_rows


@contextmanager
def committed_books(blocker: Any) -> Iterator[None]:
    """Load the books and the demo account, and remove them in the end.

    For a fixture that several tests share. pytest tears one down that another module imports only
    at the end of the session, unless it is of the scope "module": so each makes one of its own.

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
