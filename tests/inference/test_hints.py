"""What type hints promise."""

from __future__ import annotations

import typing
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from typing import (
    TYPE_CHECKING,
    Annotated,
    Any,
    Literal,
    NotRequired,
    Optional,
    Protocol,
    TypedDict,
)

import pytest
from django.db.models import QuerySet

from atemplates.inference.hints import type_of_class, type_of_hint, type_of_return
from atemplates.inference.types import ANYTHING, DictType, ObjectType, RowsType
from shop.models import Book

if TYPE_CHECKING:
    from shop.models import Author

NAMES = globals()
USED = (typing, Awaitable, Callable, Coroutine, Iterable, Annotated, Any, Literal, Optional)


def writer() -> Author:
    raise NotImplementedError


class Readable(Protocol):
    title: str


class Base(TypedDict):
    book: Book


class Node(Base):
    books: QuerySet[Book]
    inner: NotRequired[Node]


@pytest.mark.parametrize(
    ("hint", "found"),
    [
        ("Book", "Book"),
        ("Book | None", "Book | None"),
        ("Optional[Book]", "Book | None"),
        ("typing.Union[Book, str]", "Book | str"),
        ("list[Book]", "list[Book]"),
        ("list['Book']", "list[Book]"),
        ("Iterable[Book]", "Iterable[Book]"),
        ("tuple[int, ...]", "tuple[int]"),
        ("tuple[int, str]", "tuple[int, str]"),
        ("QuerySet[Book]", "QuerySet[Book]"),
        ("Awaitable[Book]", "Book"),
        ("Coroutine[None, None, Book]", "Book"),
        ("Annotated[Book, 1]", "Book"),
        ("Literal['a', 2]", "str | int"),
        ("type[Book]", "type[Book]"),
        ("float", "float | int"),
        ("Author", "Author"),  # imported for type checkers only
        (list[Book], "list[Book]"),
        (Book | None, "Book | None"),
        (None, "None"),
    ],
)
def test_what_a_hint_promises(hint, found):
    assert str(type_of_hint(hint, NAMES)) == found


@pytest.mark.parametrize(
    "hint",
    [
        *("Nope", "nope.Nope", "list[", "1 +", "Any", "Readable", "Book | Nope", "Self"),
        *("__import__('os').sep", "[Book]", "(lambda: Book)()", typing.TypeVar("T"), 3),
    ],
)
def test_what_cannot_be_told_is_anything(hint):
    assert type_of_hint(hint, NAMES) is ANYTHING


def test_a_text_is_looked_up_and_never_evaluated():
    called = []
    assert type_of_hint("note()", {"note": lambda: called.append(1)}) is ANYTHING
    assert called == []


def test_a_typed_dict_has_its_keys_however_often_it_is_asked():
    for _ in range(2):
        found = type_of_class(Node)
        assert isinstance(found, DictType)
        assert found.is_complete
        assert found.members.keys() == {"book", "books", "inner"}
        assert str(found.members["books"]) == "QuerySet[Book]"
        assert found.members["inner"] == DictType(name="Node")


def test_what_a_function_returns():
    def rows() -> QuerySet[Book]:
        raise NotImplementedError

    async def later() -> Book:
        raise NotImplementedError

    def unhinted():
        raise NotImplementedError

    assert type_of_return(rows) == RowsType(QuerySet, ObjectType(Book, may_be_subclass=True))
    assert type_of_return(later) == ObjectType(Book, may_be_subclass=True)
    assert str(type_of_return(writer)) == "Author"
    assert type_of_return(unhinted) is ANYTHING
    assert type_of_return(print) is ANYTHING
