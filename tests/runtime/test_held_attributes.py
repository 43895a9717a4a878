"""Attributes that compiled code reads where a value's own dict has them, on the loop as well."""

import pytest
from django.utils.functional import cached_property

from atemplates.runtime import held_attributes, types
from atemplates.runtime.held_attributes import HELD, held_key, is_held, types_holding
from tests.testapp.models import Animal, Enclosure, Food, Place


class Held:
    in_class = "class"

    def __init__(self):
        self.own = "own"
        self.in_class = "instance"
        self.method = "hidden"
        self.__dict__["prop"] = "hidden"
        self.__dict__["cached"] = "kept"

    def method(self):
        return "method"

    @property
    def prop(self):
        return "prop"

    @cached_property
    def cached(self):
        return "cached"


class Slots:
    __slots__ = ("own",)

    def __init__(self):
        self.own = "own"

    @property
    def prop(self):
        return "prop"


class OwnDict:
    def __init__(self):
        object.__setattr__(self, "kept", {"own": "own"})

    @property
    def __dict__(self):
        return object.__getattribute__(self, "kept")

    def __getattr__(self, name):
        return f"given {name}"

    @property
    def prop(self):
        return "prop"


@pytest.fixture
def held(monkeypatch):
    monkeypatch.setattr("atemplates.runtime.held_attributes.HELD", {})
    for kind in (Held, Slots, OwnDict, Animal):
        types.learn_type(kind)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        *(("own", True), ("in_class", True), ("method", True), ("cached", True)),
        *(("prop", False), ("missing", False)),
    ],
)
def test_held(held, name, expected):
    value = Held()
    assert is_held(value, name) is expected  # nobody asks for the name: nothing is remembered
    known = types_holding(name)
    assert [is_held(value, name) for _ in range(2)] == [expected] * 2
    assert known == ({Held} if expected else set())


def test_what_the_dict_has_not(held):
    known = types_holding("own")
    value = Held()
    assert is_held(value, "own")
    del value.own
    assert known == {Held}
    assert not is_held(value, "own")


def test_types_without_a_dict_of_pythons(held):
    known = types_holding("own")
    assert not is_held(Slots(), "own")
    is_held(OwnDict(), "own")
    assert not known


def test_models(held):
    known = types_holding("name")
    assert is_held(Animal(name="x"), "name")
    assert known == {Animal}


class OtherKey(Place):
    pk = property(lambda self: "mine", lambda self, value: self.__dict__.update(id=value))

    class Meta:
        proxy = True
        app_label = "testapp"


class OtherGetter(Place):
    def _get_pk_val(self, meta=None):
        return "mine"  # the property keeps the function that it was made of

    class Meta:
        proxy = True
        app_label = "testapp"


@pytest.fixture
def learned(monkeypatch):
    monkeypatch.setattr("atemplates.runtime.held_attributes.PRIMARY_KEYS", {})
    for kind in (Animal, Place, Enclosure, Food, OtherKey, OtherGetter):
        types.learn_type(kind)


@pytest.mark.parametrize(
    ("value", "name"),
    [
        (Animal(pk=5), "id"),
        (Animal(), "id"),
        (Enclosure(pk=5), "place_ptr_id"),
        (Food(code="a"), "code"),
        (OtherKey(pk=5), ""),
        (OtherGetter(pk=5), "id"),
    ],
)
def test_keys(learned, value, name):
    assert [held_key(value) for _ in range(3)] == [name] * 3
    assert not name or value.__dict__[name] == value.pk


def test_keys_that_the_instance_has_not(learned):
    held, deferred, other = (Animal(pk=number) for number in range(3))
    del deferred.__dict__["id"]
    other._meta = Food._meta
    assert [held_key(each) for each in (held, deferred, other)] == ["id", "", ""]


def test_keys_are_forgotten(learned):
    held_key(Animal(pk=5))
    with types.changing:
        types._forget()
    assert held_attributes.PRIMARY_KEYS == {}  # the fixture's: the module's own has others


def test_output_of_keys(render):
    def values():
        other = Place(pk=7)
        other._meta = Food._meta
        other.code = "<x>"
        rows = [Place(pk=5), Place(), Enclosure(pk=6), Food(code="<b>"), OtherKey(pk=5), other]
        return {"rows": [*rows, {"pk": "<key>"}, Held()] * 2}

    render("{% for row in rows %}{{ row.pk }},{{ row.pk|add:1 }};{% endfor %}", values, waits=None)


def test_types_are_forgotten():
    known = types_holding("own")
    assert known is HELD["own"]
    known.add(Held)
    with types.changing:
        types._forget()
    assert Held not in known
    assert HELD["own"] is known


BITS = ("own", "in_class", "method", "prop", "cached", "missing")


def test_output(render):
    def values():
        return {"rows": [Held(), Slots(), OwnDict(), Held(), {"own": Held(), "x": Slots()}] * 2}

    printed = "".join(f"{{{{ row.{bit} }}}},{{{{ row.own.{bit} }}}}," for bit in BITS)
    render(f"{{% for row in rows %}}{printed};{{% endfor %}}", values, waits=None)
