"""The values of the matrix: rows that have one of everything, and what stands beside them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django import forms
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext_lazy

from ..models import Parcel

START = datetime(2026, 1, 1, 12, tzinfo=UTC)


class Other:
    """What an attribute holds."""

    def __init__(self, number: int) -> None:
        self.name = f"other {number}"

    def __str__(self) -> str:
        return self.name


class Titled:
    """An object of a class that has a property, so that reading an attribute may run code."""

    def __init__(self, number: int) -> None:
        self.name = f"titled {number}"

    @property
    def title(self) -> str:
        """Return the name, by a property."""
        return self.name


class Markup:
    """Knows its own HTML."""

    def __init__(self, number: int) -> None:
        self.number = number

    def __html__(self) -> SafeString:
        return mark_safe(f"<b>{self.number}</b>")

    __str__ = __html__


class MatrixRow:
    """One row: a value of every kind. Its class has no property, which all lines would pay for."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.digit = number % 10
        self.kind = number // 10
        self.big = number * 123456
        self.ratio = number / 7
        self.price = Decimal(f"{number * 7}.{number % 100:02}")
        self.name = f"name {number}"
        self.text = f"Some <b>text</b> number {number} with words & more, enough to be cut here"
        self.plain = f"Some text number {number} with words and more of them, enough to be cut"
        self.quoted = f'it\'s "number" {number}'
        self.path = f"/some path/{number}/ä?x=<y>"
        self.file = f"images/{number}.png"
        self.paragraphs = f"First line {number}\nsecond line\n\na new one & more"
        self.linked = f"see www.example.com/{number} or mail@example.com, ok"
        self.empty = ""
        self.safe = mark_safe("<i>x</i>")
        self.lazy = gettext_lazy("Yes")
        self.none = None
        self.true = True
        self.odd = number % 2 == 1
        self.day = date(2026, 1, 1) + timedelta(days=number)
        self.when = START + timedelta(hours=number)
        self.time = time(number % 24, 3)
        self.span = timedelta(minutes=number)
        self.key = UUID(int=number)
        self.parts = [f"a{number}", "b", "c<"]
        self.tags = ["red", "green", "blue"]
        self.same = ["red"] * 3
        self.nothing: list[str] = []
        self.pair = (number, "<")
        self.pairs = [("x", number), ("y", "<")]
        self.nested = ["one", ["two", f"three {number}"], "four <"]
        self.mapping = {"x": number, "y": "<"}
        self.dicts = [{"x": number % 3}, {"x": 1}, {"x": number % 5}]
        self.code = ("de", "fr", "ar")[number % 3]
        self.codes = ["de", "fr"]
        self.other = Other(number)
        self.titled = Titled(number)
        self.markup = Markup(number)
        self.form = filled_form(number)
        self.parcel = Parcel(pk=number + 1, name=f"parcel {number}", state="SD"[number % 2])

    def __str__(self) -> str:
        return f"row {self.number}"

    def get_name(self) -> str:
        """Return the name, by a method."""
        return self.name

    def get_parts(self) -> list[str]:
        """Return a list, by a method."""
        return self.parts

    def make_parts(self) -> Iterator[str]:
        """Yield what a list has."""
        yield from self.parts


class MatrixForm(forms.Form):
    """Two fields, one of them with a value."""

    name = forms.CharField(max_length=50)
    number = forms.IntegerField(required=False)


def filled_form(number: int) -> MatrixForm:
    """Return a form that has an error."""
    form = MatrixForm({"name": "", "number": str(number)})
    form.is_valid()
    return form


def matrix_values(count: int) -> dict[str, Any]:
    """Return the context of every construct."""
    return {
        "rows": [MatrixRow(number) for number in range(count)],
        "word": "hello",
        "other": "world",
        "five": 5,
        "cell": "matrix/cell.html",
        "earlier": START - timedelta(days=40),
        "later": START + timedelta(days=400),
        "csrf_token": "c" * 64,
        "csp_nonce": "n" * 22,
    }
