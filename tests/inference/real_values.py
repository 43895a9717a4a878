"""Values of many kinds with the types that inference would give them, and what Django's own
templates find on them."""

from __future__ import annotations

import dataclasses
import datetime
import decimal
import enum
import inspect
import uuid
from typing import Any, NamedTuple, NotRequired, TypedDict

from django import forms
from django.apps import apps
from django.contrib.auth.models import AnonymousUser, User
from django.core.handlers.asgi import ASGIRequest
from django.core.handlers.wsgi import WSGIRequest
from django.core.paginator import Page, Paginator
from django.db import models, transaction
from django.template import Context, Engine
from django.template.base import Variable, VariableDoesNotExist
from django.test import AsyncRequestFactory, RequestFactory
from django.utils.functional import cached_property
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext_lazy

from atemplates.inference.types import (
    ANYTHING,
    CallableType,
    ClassType,
    DictType,
    ItemsType,
    ObjectType,
    OneOf,
    RowsType,
    TupleType,
    ValueType,
)
from shop.models import Book
from tests.testapp.models import Animal, Species

MISSING = object()
"""What stands for a lookup that finds nothing."""
ENGINE = Engine()


class Stage(models.TextChoices):
    """A choice, as models have them."""

    DRAFT = "d", gettext_lazy("Draft")
    FINAL = "f", gettext_lazy("Final")


class Colour(enum.Enum):
    """An enumeration of Python's own."""

    RED = 1

    @property
    def shown(self) -> str:
        return self.name.title()


class Point(NamedTuple):
    """A place on a map."""

    x: int
    y: float = 0.0

    def shifted(self, by: int) -> Point:
        return Point(self.x + by, self.y)


@dataclasses.dataclass
class Entry:
    """A line of a report."""

    title: str
    points: list[Point] = dataclasses.field(default_factory=list)
    owner: Animal | None = None

    def total(self) -> int:
        return len(self.points)


@dataclasses.dataclass(frozen=True, slots=True)
class Frozen:
    """One that has slots, and no dict."""

    title: str


class Report:
    """A plain class, whose attributes its methods set."""

    kind = "report"
    subtitle: str

    def __init__(self, title: str) -> None:
        self.title = title
        setattr(self, "hidden_title", title)  # noqa: B010

    def fill(self) -> None:
        self.filled = True

    @property
    def entry(self) -> Entry:
        return Entry(self.title)

    @cached_property
    def entries(self) -> list[Entry]:
        return [self.entry]

    @staticmethod
    def version() -> int:
        return 1

    @classmethod
    def make(cls) -> Report:
        return cls("made")

    def between(self, first: int, last: int) -> list[int]:
        return [first, last]

    def remove(self) -> None:
        raise AssertionError("A template must not call this.")

    remove.alters_data = True  # type: ignore[attr-defined]


class Open:
    """A class that answers by any name."""

    def __getattr__(self, name: str) -> str:
        if name.startswith("__"):
            raise AttributeError(name)
        return name


class Record(TypedDict):
    """A dict with known keys."""

    title: str
    animal: Animal
    note: NotRequired[str]


class AnimalForm(forms.ModelForm):
    """A form of a model, with a field of its own and one that is added when it is made."""

    remark = forms.CharField(required=False)

    class Meta:
        model = Animal
        fields = ["name", "species"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["name"].widget.attrs["class"] = "wide"
        self.fields["added"] = forms.BooleanField(required=False)


AnimalFormSet = forms.modelformset_factory(Animal, form=AnimalForm, can_delete=True)


def with_middleware(request: Any) -> Any:
    request.user = AnonymousUser()
    return request


def plain_values() -> dict[str, tuple[Any, ValueType]]:
    """Return values that need no database, by a name for each."""
    now = datetime.datetime(2026, 11, 29, 17, 50)
    of_request = {"user": ObjectType(AnonymousUser)}
    found: dict[str, tuple[Any, ValueType]] = {
        "text": ("text", ObjectType(str)),
        "hinted text": (mark_safe("text"), ObjectType(str, may_be_subclass=True)),
        "safe text": (mark_safe("text"), ObjectType(SafeString)),
        "lazy text": (gettext_lazy("Draft"), ObjectType(type(gettext_lazy("")))),
        "number": (3, ObjectType(int)),
        "hinted choice": (Stage.DRAFT, ObjectType(str, may_be_subclass=True)),
        "truth": (True, ObjectType(bool)),
        "float": (1.5, ObjectType(float)),
        "decimal": (decimal.Decimal("1.5"), ObjectType(decimal.Decimal)),
        "date": (now.date(), ObjectType(datetime.date)),
        "hinted date": (now, ObjectType(datetime.date, may_be_subclass=True)),
        "datetime": (now, ObjectType(datetime.datetime)),
        "time": (now.time(), ObjectType(datetime.time)),
        "timedelta": (datetime.timedelta(1), ObjectType(datetime.timedelta)),
        "uuid": (uuid.UUID(int=1), ObjectType(uuid.UUID)),
        "list": (["a"], ItemsType(ObjectType(str), list)),
        "tuple": (("a",), ItemsType(ObjectType(str), tuple)),
        "set": ({"a"}, ItemsType(ObjectType(str), set)),
        "pair": (("a", 1), TupleType((ObjectType(str), ObjectType(int)))),
        "dict": ({"a": 1}, DictType({"a": ObjectType(int)}, is_complete=True)),
        "open dict": ({"a": 1}, DictType()),
        "dict of numbers": ({"a": 1}, DictType(value=ObjectType(int))),
        "range": (range(3), ObjectType(range)),
        "choice": (Stage.DRAFT, ObjectType(Stage)),
        "choices": (Stage, ClassType(Stage)),
        "member": (Colour.RED, ObjectType(Colour)),
        "point": (Point(1), ObjectType(Point)),
        "entry": (Entry("a"), ObjectType(Entry)),
        "frozen": (Frozen("a"), ObjectType(Frozen)),
        "report": (Report("a"), ObjectType(Report)),
        "open": (Open(), ObjectType(Open)),
        "form": (AnimalForm(prefix="a"), ObjectType(AnimalForm)),
        "bound field": (AnimalForm()["name"], ObjectType(type(AnimalForm()["name"]))),
        "wsgi request": (
            with_middleware(RequestFactory().get("/a")),
            ObjectType(WSGIRequest, of_request),
        ),
        "asgi request": (
            with_middleware(AsyncRequestFactory().get("/a")),
            ObjectType(ASGIRequest, of_request),
        ),
        "anonymous": (AnonymousUser(), ObjectType(AnonymousUser)),
        "page": (Paginator(["a"], 1).page(1), ObjectType(Page, item=ObjectType(str))),
        "paginator": (Paginator(["a"], 1), ObjectType(Paginator)),
        "nothing or text": ("text", OneOf((ObjectType(type(None)), ObjectType(str)))),
        "text or number": (3, OneOf((ObjectType(str), ObjectType(int)))),
    }
    return found


def rows() -> dict[str, tuple[Any, ValueType]]:
    """Return a row of each model that has one, its managers' rows, and querysets."""
    found: dict[str, tuple[Any, ValueType]] = {}
    for model in apps.get_models():
        manager: Any = model._default_manager
        row = manager.first() or model()
        found[model._meta.label] = (row, ObjectType(model))
    for each in (Animal, Species, Book):
        manager = each._default_manager
        found[f"{each.__name__} manager"] = (manager, RowsType(type(manager), ObjectType(each)))
        queryset = manager.all()
        found[f"{each.__name__} rows"] = (queryset, RowsType(type(queryset), ObjectType(each)))
    found["formset"] = (AnimalFormSet(), ObjectType(AnimalFormSet))
    page = Paginator(Animal.objects.all(), 2).page(1)
    found["page of rows"] = (page, ObjectType(Page, item=ObjectType(Animal)))
    found["user"] = (User.objects.first(), ObjectType(User))
    return found


def resolved(value: Any, bit: str) -> Any:
    """Return what Django's own lookup finds; `MISSING` where that is nothing.

    Raises:
        Exception: what code behind the name raises.
    """
    context = Context({"value": value})
    context.template = Marked()  # type: ignore[attr-defined]
    try:
        found = Variable(f"value.{bit}").resolve(context)
    except VariableDoesNotExist:
        return MISSING
    if inspect.iscoroutine(found):
        found.close()  # what it would give, needs a loop
        return None
    return found


class Marked:
    """What a context has for its template, where invalid values are noticed."""

    class engine:
        string_if_invalid = MISSING


def some_rows(queryset: Any) -> list[Any]:
    """Return the first rows; none of a union, of which not every database sorts the rows."""
    if queryset.query.combinator:
        return []
    with transaction.atomic():
        return list(queryset.all()[:2])


def fits(value: Any, kind: ValueType) -> bool:
    """Whether a value is of a type that inference has told."""
    if kind is ANYTHING or value is None:
        return True
    if isinstance(kind, OneOf):
        return any(fits(value, each) for each in kind.types)
    if isinstance(kind, ObjectType):
        # The class of a lazy object is asked, as templates see it.
        return isinstance(value, kind.cls)
    if isinstance(kind, RowsType):
        return isinstance(value, kind.cls) and (
            not isinstance(value, models.QuerySet)
            or all(fits(row, kind.row) for row in some_rows(value))
        )
    if isinstance(kind, ItemsType):
        return isinstance(value, kind.cls) and (
            not isinstance(value, (list, tuple, set)) or all(fits(x, kind.item) for x in value)
        )
    if isinstance(kind, TupleType):
        return isinstance(value, tuple) and len(value) == len(kind.items)
    if isinstance(kind, DictType):
        return isinstance(value, dict) and (
            not kind.is_complete or kind.members.keys() >= value.keys()
        )
    if isinstance(kind, ClassType):
        return value is kind.cls
    return isinstance(kind, CallableType) and callable(value)
