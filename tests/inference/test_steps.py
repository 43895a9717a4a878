"""What a step of a path is said to find, and when it is said to fail."""

import datetime
from collections.abc import AsyncIterator

import pytest
from django import forms
from django.contrib.auth.models import AnonymousUser, User
from django.core.paginator import Page
from django.db.models import Manager, QuerySet
from django.http import HttpRequest

from atemplates.inference import steps
from atemplates.inference.describing import describe_type, members
from atemplates.inference.faults import Fault
from atemplates.inference.loop_variables import forloop_type, loop_type
from atemplates.inference.manager_rows import rows_of
from atemplates.inference.steps import call, called_by_django, item_of, step
from atemplates.inference.types import (
    ANYTHING,
    NONE_TYPE,
    CallableType,
    ClassType,
    DictType,
    ItemsType,
    ObjectType,
    OneOf,
    RowsType,
    TupleType,
    one_of,
)
from shop.models import Author, Book
from tests.inference.real_values import (
    AnimalForm,
    AnimalFormSet,
    Colour,
    Entry,
    Open,
    Point,
    Report,
    Stage,
)
from tests.testapp.models import Animal, Aviary, OldAnimal, Place, Species


def walked(value, path, **options):
    """What a whole path gives; the first fault ends it."""
    for bit in path.split("."):
        if isinstance(value, Fault):
            return value
        value = step(value, bit, **options)
    return value


ANIMAL = ObjectType(Animal)
FORM = ObjectType(AnimalForm)
PAGE = ObjectType(Page, item=ANIMAL)


@pytest.mark.parametrize(
    ("value", "path", "found"),
    [
        (ANIMAL, "name", "str"),
        (ANIMAL, "species.name.upper", "str"),
        (ANIMAL, "mother", "Animal | None"),
        (ANIMAL, "mother.mother.name", "str"),
        (ANIMAL, "species_id", "int"),
        (ANIMAL, "pk", "int"),
        (ANIMAL, "children", "RelatedManager[Animal]"),
        (ANIMAL, "children.all", "QuerySet[Animal]"),
        (ANIMAL, "children.all.0.name", "str"),
        (ANIMAL, "children.first", "Animal | None"),
        (ANIMAL, "children.count", "int"),
        (ANIMAL, "children.exists", "bool"),
        (ANIMAL, "children.values.[].species_id", "int"),
        (ANIMAL, "egg_set.all.[].colour", "str"),
        (ANIMAL, "foods.all.[].code", "str"),
        (ANIMAL, "notes.all.[].text", "str"),
        (ANIMAL, "notes.all.[].about", "unknown"),
        (ANIMAL, "passport.issued_in.parent.name", "str"),
        (ANIMAL, "label", "str"),
        (ANIMAL, "heaviest_child.name", "str"),
        (ANIMAL, "tamer.region.name", "str"),
        (ObjectType(Aviary), "fence", "str"),
        (ObjectType(Aviary), "enclosure_part.keeper.name", "str"),
        (ObjectType(Place), "enclosure.aviary.height", "int"),
        (ObjectType(OldAnimal), "title", "str"),
        (ObjectType(OldAnimal), "legends.all.[].hero.title", "str"),
        (ObjectType(Author), "books.for_cards.[].title", "str"),
        (FORM, "name.label", "unknown"),
        (FORM, "name", "BoundField"),
        (FORM, "added", "unknown"),
        (FORM, "instance.name", "str"),
        (FORM, "visible_fields.[]", "BoundField"),
        (FORM, "is_valid", "bool"),
        (ObjectType(AnimalFormSet), "[].name", "BoundField"),
        (ObjectType(AnimalFormSet), "forms.0.DELETE", "BoundField"),
        (ObjectType(AnimalFormSet), "total_form_count", "int"),
        (PAGE, "[].name", "str"),
        (PAGE, "has_next", "bool"),
        (PAGE, "next_page_number", "int"),
        (PAGE, "paginator.num_pages", "int"),
        (forloop_type(), "counter", "int"),
        (forloop_type(), "parentloop.parentloop.first", "bool"),
        (ObjectType(Entry), "points.0.x", "int"),
        (ObjectType(Entry), "owner.species.name", "str"),
        (ObjectType(Entry), "total", "int"),
        (ObjectType(Report), "entries.[].title", "str"),
        (ObjectType(Report), "version", "int"),
        (ObjectType(Report), "make.title", "unknown"),
        (ObjectType(Report), "filled", "unknown"),
        (ObjectType(Report), "hidden_title", "unknown"),
        (ObjectType(Open), "whatever.it.is", "unknown"),
        (ObjectType(datetime.datetime), "date.year", "int"),
        (ClassType(Stage), "DRAFT", "Stage"),
        (ClassType(Stage), "choices", "unknown"),
        (ObjectType(Stage), "label", "unknown"),
        (ObjectType(Colour), "shown", "str"),
        (TupleType((ObjectType(str), ANIMAL)), "1.name", "str"),
        (DictType({"a": ANIMAL}, is_complete=True), "a.name", "str"),
        (DictType({"a": ANIMAL}, is_complete=True), "items.[].1.name", "str"),
        (DictType(), "a", "unknown"),
        (DictType(value=ObjectType(int)), "a", "int"),
        (one_of([ObjectType(User), ObjectType(AnonymousUser)]), "username", "unknown"),
        (ObjectType(HttpRequest), "anything", "unknown"),
        (ObjectType(HttpRequest, {"user": ObjectType(User)}), "user.username", "str"),
        (ObjectType(Book, {"votes": ObjectType(int)}), "votes", "int"),
        (ObjectType(Book, is_open=True), "votes", "unknown"),
        (NONE_TYPE, "anything", "unknown"),
        (ANYTHING, "anything", "unknown"),
    ],
)
def test_what_a_step_finds(value, path, found):
    assert str(walked(value, path)) == found


@pytest.mark.parametrize(
    ("value", "path", "code", "says"),
    [
        (ANIMAL, "nmae", "unknown-attribute", "did you mean 'name'?"),
        (ANIMAL, "species.nmae", "unknown-attribute", "Species has no attribute 'nmae'"),
        (ANIMAL, "mother.nmae", "unknown-attribute", "Animal has no attribute 'nmae'"),
        (ANIMAL, "species_name", "unknown-attribute", "did you mean 'species.name'?"),
        (ANIMAL, "animal_set", "unknown-attribute", "did you mean 'children'?"),
        (ANIMAL, "get_name_display", "unknown-attribute", "'name' has no choices"),
        (ANIMAL, "objects", "unknown-attribute", "a manager of the class"),
        (ANIMAL, "delete", "alters-data", "Animal.delete() alters data"),
        (ANIMAL, "children.delete", "unknown-attribute", "has no attribute 'delete'"),
        (ANIMAL, "children.all.delete", "alters-data", "alters data"),
        (ANIMAL, "children.all.update", "alters-data", "alters data"),
        (ANIMAL, "children.in_bulk.x.nmae", "unknown-attribute", "has no attribute 'nmae'"),
        (ANIMAL, "children.contains", "needs-arguments", "its argument 'obj'"),
        (ANIMAL, "children.all.dates", "needs-arguments", "'field_name', 'kind'"),
        (ANIMAL, "children.[]", "not-iterable", "write .all after it"),
        (ANIMAL, "[]", "not-iterable", "Animal cannot be looped over"),
        (ANIMAL, "children.species", "unknown-attribute", "each of its rows has it"),
        (ANIMAL, "children.values.[].nmae", "unknown-key", "did you mean 'name'?"),
        (ANIMAL, "name.uper", "unknown-attribute", "did you mean 'upper'?"),
        (ANIMAL, "children.count.x", "unknown-attribute", "int has no attribute 'x'"),
        (ObjectType(Species), "everything", "unknown-attribute", "a manager of the class"),
        (ObjectType(Aviary), "fense", "unknown-attribute", "did you mean 'fence'?"),
        (ObjectType(OldAnimal), "tilte", "unknown-attribute", "did you mean 'title'?"),
        (FORM, "nmae", "unknown-attribute", "did you mean 'name'?"),
        (FORM, "addd", "unknown-attribute", "did you mean 'added'?"),
        (FORM, "name.lable", "unknown-attribute", "did you mean 'label'?"),
        (FORM, "save", "alters-data", "alters data"),
        (ObjectType(AnimalFormSet), "[].nmae", "unknown-attribute", "did you mean 'name'?"),
        (PAGE, "has_nxt", "unknown-attribute", "did you mean 'has_next'?"),
        (PAGE, "[].nmae", "unknown-attribute", "did you mean 'name'?"),
        (PAGE, "paginator.page", "needs-arguments", "its argument 'number'"),
        (forloop_type(), "conter", "unknown-attribute", "did you mean 'counter'?"),
        (forloop_type(), "parentloop.conter", "unknown-attribute", "did you mean 'counter'?"),
        (ObjectType(Entry), "titel", "unknown-attribute", "did you mean 'title'?"),
        (ObjectType(Entry), "points.[].z", "unknown-attribute", "Point has no attribute 'z'"),
        (ObjectType(Point), "shifted", "needs-arguments", "its argument 'by'"),
        (ObjectType(Report), "titel", "unknown-attribute", "did you mean 'title'?"),
        (ObjectType(Report), "remove", "alters-data", "alters data"),
        (ObjectType(Report), "between", "needs-arguments", "arguments 'first', 'last'"),
        (ClassType(Stage), "DRAFTT", "unknown-attribute", "did you mean 'DRAFT'?"),
        (TupleType((ANIMAL,)), "3", "unknown-attribute", "none at position 3"),
        (DictType({"a": ANIMAL}, is_complete=True), "b", "unknown-key", "no key 'b'"),
        (one_of([ObjectType(User), ObjectType(AnonymousUser)]), "usrname", "unknown-attribute", ""),
        (ObjectType(HttpRequest, {"user": ANYTHING}), "usr", "unknown-attribute", "'user'"),
        (ObjectType(Book, {"votes": ANYTHING}), "vote", "unknown-attribute", "'votes'"),
    ],
)
def test_what_surely_fails(value, path, code, says):
    fault = walked(value, path)
    assert isinstance(fault, Fault), fault
    assert fault.code == code
    assert says in str(fault)


def test_a_step_on_one_of_several_fails_only_if_it_fails_on_each():
    either = one_of([ObjectType(str), ObjectType(int), NONE_TYPE])
    assert step(either, "upper") == ObjectType(str)
    assert isinstance(step(either, "uper"), Fault)


def test_rows_of_a_manager_that_may_annotate_them_may_have_more():
    class Annotating(Manager):
        def get_queryset(self):
            return super().get_queryset().annotate(votes=1)

    class Filtering(Manager):
        def get_queryset(self):
            return super().get_queryset().filter(name="a").order_by("name")

    assert walked(rows_of(Annotating, Animal), "all.[].votes") is ANYTHING
    assert isinstance(walked(rows_of(Filtering, Animal), "all.[].votes"), Fault)


def test_what_code_of_a_class_may_set():
    class ByName:
        def __init__(self, **values):
            for name, value in values.items():
                setattr(self, name, value)

    class InItsDict:
        def __init__(self, **values):
            self.__dict__.update(values)

    class Other:
        def copy_to(self, other, name):
            setattr(other, name, self)

    assert step(ObjectType(ByName), "title") is ANYTHING
    assert step(ObjectType(InItsDict), "title") is ANYTHING
    assert isinstance(step(ObjectType(Other), "title"), Fault)


def test_a_form_whose_fields_depend():
    class Dynamic(forms.Form):
        def __init__(self, names):
            super().__init__()
            for name in names:
                self.fields[name] = forms.CharField()

    class Without(forms.Form):
        title = forms.CharField()

        def __init__(self):
            super().__init__()
            del self.fields["title"]

    assert step(ObjectType(Dynamic), "title") is ANYTHING
    assert isinstance(step(ObjectType(Without), "titel"), Fault)


class Promised:
    """Of which no other test derives anything."""


class Kept(Promised):
    fence = "high"


class AnswersAsAttribute(type):
    def __get__(cls, instance, owner):
        return cls(owner, instance)


class WithInnerClasses:
    class urls(metaclass=AnswersAsAttribute):
        def __init__(self, owner, instance):
            self.owner = owner

    class Plain:
        def __init__(self, owner):
            self.owner = owner


@pytest.mark.parametrize("value", [ObjectType(WithInnerClasses), ClassType(WithInnerClasses)])
def test_a_metaclass_may_make_an_inner_class_a_value(value):
    assert step(value, "urls") is ANYTHING
    assert step(value, "Plain").code == "needs-arguments"


def test_a_promised_class_may_be_a_subclass():
    assert isinstance(step(ObjectType(Place), "fence"), Fault)
    assert step(ObjectType(Place, may_be_subclass=True), "fence") is ANYTHING
    assert step(ObjectType(Promised, may_be_subclass=True), "fence") is ANYTHING
    assert isinstance(step(ObjectType(Promised, may_be_subclass=True), "fense"), Fault)


def test_jinja2_calls_by_itself():
    method = step(ANIMAL, "food_names", calls=False)
    assert isinstance(method, CallableType)
    assert call(method) == ObjectType(str, may_be_subclass=True)
    needing = step(ObjectType(Report), "between", calls=False)
    assert call(needing).code == "needs-arguments"
    assert call(needing, has_arguments=True) == ItemsType(ObjectType(int, may_be_subclass=True))
    assert call(ObjectType(str)).code == "not-callable"
    assert walked(ObjectType(Species), "animals", calls=False).cls is not None
    pytest.importorskip("jinja2")
    assert step(loop_type(), "index", calls=False) == ObjectType(int, may_be_subclass=True)
    assert "did you mean 'index'" in str(step(loop_type(), "indx", calls=False))


def test_a_class_is_called_unless_it_says_no():
    assert called_by_django(ClassType(Entry)).code == "needs-arguments"
    assert called_by_django(ClassType(Stage)) == ClassType(Stage)
    assert called_by_django(ClassType(Report)).code == "needs-arguments"


def test_items():
    assert item_of(RowsType(QuerySet, ANIMAL)) == ANIMAL
    assert item_of(ObjectType(int)).code == "not-iterable"
    assert item_of(one_of([ItemsType(ANIMAL), NONE_TYPE])) == ANIMAL
    assert item_of(ItemsType(ANIMAL, AsyncIterator)) == ANIMAL


def test_in_words():
    assert describe_type(ObjectType(Book)) == "Book (shop.models)"
    assert describe_type(OneOf((ObjectType(Book), NONE_TYPE))) == "Book | None (shop.models)"
    assert describe_type(RowsType(QuerySet, ObjectType(Book))) == "QuerySet[Book]"
    assert describe_type(one_of([ObjectType(str), NONE_TYPE])) == "str | None"


def test_what_a_template_may_read():
    of_row = members(ANIMAL)
    assert {"name", "species", "children", "label", "food_names", "pk"} <= of_row.keys()
    assert of_row.keys().isdisjoint({"save", "delete", "objects", "_state", "clean_fields"})
    assert of_row["name"] == step(ANIMAL, "name")
    assert {"name", "species", "remark", "errors", "as_p"} <= members(FORM).keys()
    assert members(ANYTHING) == {}


def test_a_step_that_was_seen_before_is_looked_up():
    first = step(ANIMAL, "nmae")
    before = steps._missing_on.cache_info().misses
    assert step(ANIMAL, "nmae") is first
    assert steps._missing_on.cache_info().misses == before
