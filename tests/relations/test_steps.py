"""What each step of a path is on a model."""

import pytest

from atemplates.relations.path_steps import step_on, steps_of
from shop.models import Author, Book, Review
from tests.testapp.models import (
    Animal,
    Archive,
    Aviary,
    Chip,
    Enclosure,
    Food,
    Keeper,
    Legend,
    Note,
    OldAnimal,
    Passport,
    Place,
    Region,
    StaffKeeper,
    Ticket,
)


@pytest.mark.parametrize(
    ("model", "name", "kind", "target"),
    [
        (Animal, "species", "foreign key", "testapp.Species"),
        (Animal, "species_id", "key column", None),
        (Animal, "mother", "foreign key", "testapp.Animal"),
        (Animal, "children", "reverse foreign key", "testapp.Animal"),
        (Animal, "chip", "one-to-one", "testapp.Chip"),
        (Chip, "animal", "reverse one-to-one", "testapp.Animal"),
        (Animal, "passport", "reverse one-to-one", "testapp.Passport"),
        (Passport, "animal", "one-to-one", "testapp.Animal"),
        (Animal, "foods", "many-to-many", "testapp.Food"),
        (Food, "animals", "reverse many-to-many", "testapp.Animal"),
        (Food, "code", "field", None),
        (Food, "pk", "field", None),
        (Animal, "friends", "many-to-many", "testapp.Animal"),
        (Animal, "visitors", "many-to-many", "testapp.Visitor"),
        (Animal, "visits", "reverse foreign key", "testapp.Visit"),
        (Animal, "egg_set", "reverse foreign key", "testapp.Egg"),
        (Animal, "egg", "unknown", None),
        (Animal, "notes", "generic relation", "testapp.Note"),
        (Note, "about", "generic foreign key", None),
        (Note, "content_type", "foreign key", "contenttypes.ContentType"),
        (Aviary, "enclosure_part", "parent link", "testapp.Enclosure"),
        (Aviary, "place_ptr", "parent link", "testapp.Place"),
        (Aviary, "region", "foreign key", "testapp.Region"),
        (Aviary, "animals", "reverse foreign key", "testapp.Animal"),
        (Place, "enclosure", "child", "testapp.Enclosure"),
        (Enclosure, "aviary", "child", "testapp.Aviary"),
        (OldAnimal, "species", "foreign key", "testapp.Species"),
        (OldAnimal, "legends", "reverse foreign key", "testapp.Legend"),
        (Animal, "legends", "reverse foreign key", "testapp.Legend"),
        (Legend, "hero", "foreign key", "testapp.OldAnimal"),
        (Animal, "tamer", "foreign key", "testapp.StaffKeeper"),
        (StaffKeeper, "enclosures", "reverse foreign key", "testapp.Enclosure"),
        (Ticket, "chip_id", "key column", None),
        (Ticket, "visitor_id", "key column", None),
        (Animal, "sponsor", "foreign key", "auth.User"),
        (Animal, "label", "property", None),
        (Animal, "region_name", "property", None),
        (Animal, "food_names", "method", None),
        (Animal, "objects", "attribute", None),
        (Animal, "some_annotation", "unknown", None),
        (Region, "parent", "foreign key", "testapp.Region"),
        (Archive, "animals", "reverse foreign key", "testapp.Animal"),
        (Review, "user", "foreign key", "auth.User"),
        (Book, "century", "property", None),
        (Book, "get_absolute_url", "method", None),
        (Author, "profile", "reverse one-to-one", "shop.AuthorProfile"),
    ],
)
def test_kinds(model, name, kind, target):
    step = step_on(model, name)
    assert step.kind == kind
    assert (step.target._meta.label if step.target else None) == target


def test_a_property_that_hides_a_relation_is_a_property():
    class Odd(Animal):
        species = property(lambda self: None)

        class Meta:
            proxy = True
            app_label = "testapp"

    try:
        assert step_on(Odd, "species").kind == "property"
        assert step_on(Odd, "mother").kind == "foreign key"
    finally:
        del Odd._meta.apps.all_models["testapp"]["odd"]
        Odd._meta.apps.clear_cache()


@pytest.mark.parametrize(
    ("model", "path", "kinds"),
    [
        (Book, "[] author name", "item, foreign key, field"),
        (Book, "author name upper", "foreign key, field, unknown"),
        (Book, "[] tags all [] name", "item, many-to-many, all, item, field"),
        (Book, "0 tags all 0 name", "item, many-to-many, all, item, field"),
        (Book, "[] tags [] name", "item, many-to-many, unknown, unknown"),
        (Book, "items [] 1 [] author", "container, item, item, item, foreign key"),
        (Book, "object_list [] author", "container, item, foreign key"),
        (Book, "[] reviews count", "item, reverse foreign key, query"),
        (Book, "[] reviews first user", "item, reverse foreign key, query, foreign key"),
        (
            Book,
            "[] reviews all reverse [] user",
            "item, reverse foreign key, all, query, item, foreign key",
        ),
        (Book, "all [] author", "all, item, foreign key"),
        (Book, "first author", "query, foreign key"),
        (Book, "values_list [] author", "query, unknown, unknown"),
        (Book, "values [] author", "container, item, foreign key"),
        (Book, "for_cards [] author", "unknown, unknown, unknown"),
        (Author, "books for_cards [] author", "reverse foreign key, query, unknown, unknown"),
        (Note, "[] about name", "item, generic foreign key, unknown"),
        (Animal, "heaviest_child species", "method, unknown"),
        (Keeper, "region", "unknown"),
    ],
)
def test_paths(model, path, kinds):
    assert ", ".join(step.kind for step in steps_of(model, path.split())) == kinds


def test_a_step_reads_as_its_model_and_kind():
    assert str(step_on(Book, "author")) == "shop.Book.author (foreign key)"
    assert str(steps_of(Book, ["[]"])[0]) == "[] (item)"
