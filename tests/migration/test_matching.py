"""Following paths through the model zoo: every kind of relation, and what is none."""

import pytest
from django.apps import apps

from atemplates.migration.matching import call_for, covers, match_path
from atemplates.relations.labels import model_named

pytestmark = pytest.mark.django_db(databases=["default", "other"])


def matched(model, dotted):
    """Follow ``[]`` -free steps with dots between them from a model of the zoo."""
    return match_path(apps.get_model("testapp", model), dotted.replace("[]", ".[]").split("."))


def call(model, *paths):
    return call_for(need for path in paths for need in matched(model, path).needs)


SELECT, PREFETCH = '.select_related("{}")', '.prefetch_related("{}")'


@pytest.mark.parametrize(
    ("model", "path", "expected"),
    [
        # columns, properties, methods and what a key itself holds are no relations
        ("Animal", "name", ""),
        ("Animal", "species_id", ""),
        ("Animal", "pk", ""),
        ("Animal", "label", ""),
        ("Animal", "region_name", ""),
        ("Animal", "food_names", ""),
        ("Animal", "nothing.of.this", ""),
        # forward keys are joined
        ("Animal", "mother.name", SELECT.format("mother")),
        ("Animal", "home.region.parent.name", SELECT.format("home__region__parent")),
        ("Animal", "chip.code", SELECT.format("chip")),
        ("Animal", "sponsor.username", PREFETCH.format("sponsor")),
        # one-to-one from the other side
        ("Chip", "animal.name", SELECT.format("animal")),
        ("Animal", "passport.issued_in.name", SELECT.format("passport__issued_in")),
        # a join would change the output
        ("Animal", "species.name", PREFETCH.format("species")),
        ("Animal", "species.region.name", PREFETCH.format("species__region")),
        ("Animal", "origin.name", PREFETCH.format("origin")),
        ("Animal", "archive.shelf", PREFETCH.format("archive")),
        # to-many
        ("Animal", "foods.all[].name", PREFETCH.format("foods")),
        ("Animal", "foods.all[].region.name", PREFETCH.format("foods__region")),
        ("Animal", "children.all[].name", PREFETCH.format("children")),
        ("Animal", "friends.all[]", PREFETCH.format("friends")),
        ("Animal", "egg_set.all[].colour", PREFETCH.format("egg_set")),
        ("Animal", "foods.count", PREFETCH.format("foods")),
        ("Animal", "foods.all.exists", PREFETCH.format("foods")),
        ("Animal", "foods.all.0.name", PREFETCH.format("foods")),
        ("Region", "species.all[].animals.all[].name", PREFETCH.format("species__animals")),
        # generic
        ("Note", "about.name", PREFETCH.format("about")),
        ("Animal", "notes.all[].text", PREFETCH.format("notes")),
        # multi-table inheritance: the way up is free, the way down is a one-to-one
        ("Enclosure", "region.name", SELECT.format("region")),
        ("Enclosure", "place_ptr.name", ""),
        ("Enclosure", "place_ptr.region.name", PREFETCH.format("place_ptr__region")),
        ("Place", "enclosure.fence", SELECT.format("enclosure")),
        ("Place", "enclosure.aviary.height", SELECT.format("enclosure__aviary")),
        # a proxy, a key to a proxy, a swapped model
        ("OldAnimal", "mother.name", SELECT.format("mother")),
        ("OldAnimal", "title", ""),
        ("Legend", "hero.mother.name", SELECT.format("hero__mother")),
        ("Enclosure", "keeper.region.name", SELECT.format("keeper__region")),
        ("Animal", "tamer.name", SELECT.format("tamer")),
        # Django sets the way back by itself
        ("Animal", "children.all[].mother.name", PREFETCH.format("children")),
        ("Animal", "passport.animal.name", SELECT.format("passport")),
    ],
)
def test_calls(model, path, expected):
    assert call(model, path) == expected


def test_calls_of_several_paths_are_one():
    assert (
        call("Animal", "home.name", "home.region.name", "species.name", "foods.all[].name")
        == '.select_related("home__region").prefetch_related("foods", "species")'
    )


@pytest.mark.parametrize("method", ["filter", "last", "latest", "aggregate", "of_our_own"])
def test_what_no_prefetch_helps(method):
    match = matched("Animal", f"foods.{method}.name")
    assert match.unhelped == method


def test_first_takes_the_first_of_ordered_rows(zoo, django_assert_num_queries):
    from tests.testapp.models import Animal

    assert matched("Animal", "foods.all.first.name").unhelped == ""
    animal = Animal.objects.prefetch_related("foods").get(pk=zoo.leo.pk)
    with django_assert_num_queries(0):
        animal.foods.first()
    with django_assert_num_queries(1):
        animal.foods.last()


def test_where_a_path_goes_into_python():
    assert matched("Animal", "label").hidden == "testapp.Animal.label"
    assert matched("Animal", "food_names").hidden == "testapp.Animal.food_names"
    assert matched("Animal", "region_name").hidden == "testapp.Animal.region_name"
    assert matched("Animal", "name").hidden == ""
    assert matched("Animal", "pk").hidden == ""


def test_where_a_path_stops():
    assert "to_attr" in matched("Animal", "best_foods").stops
    assert "generic" in matched("Note", "about.species.name").stops


@pytest.mark.parametrize(
    ("loads", "lookup", "covered"),
    [
        (["a"], "a", True),
        (["a__b"], "a", True),
        (["ab"], "a", False),
        (["a"], "a__b", False),
        (["*"], "a", True),
        (["*"], "a__b", False),
        ([], "a", False),
    ],
)
def test_what_is_loaded(loads, lookup, covered):
    assert covers(loads, lookup) is covered


@pytest.mark.parametrize("label", ["", "x", "x.Y", "testapp.Nothing", "a.b.c"])
def test_no_such_model(label):
    assert model_named(label) is None
