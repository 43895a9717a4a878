"""Type hints that Python has evaluated, of which it does not keep everything."""

from django.db.models import QuerySet

from atemplates.inference.hints import type_of_return
from shop.models import Book


def books() -> QuerySet[Book]:
    raise NotImplementedError


def test_the_rows_of_a_queryset_are_read_from_the_source():
    assert books.__annotations__["return"] is QuerySet
    assert str(type_of_return(books)) == "QuerySet[Book]"
