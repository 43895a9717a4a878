"""The zoo itself: it holds every kind of relation, loaded, null, missing, dangling and hidden."""

import pytest
from django.core.management import call_command
from django.db.models import ObjectDoesNotExist

from tests.testapp.models import Animal, Archive, Egg, Enclosure, Keeper, Note, Place, StaffKeeper

pytestmark = pytest.mark.django_db(databases=["default", "other"])


def test_models_pass_the_system_checks(settings):
    # Registered when another test has imported the toolbar, which is not in use here.
    settings.SILENCED_SYSTEM_CHECKS = ["debug_toolbar.W001"]
    call_command("check", "testapp", fail_level="WARNING")


def test_what_is_there_can_be_reached(zoo):
    leo = zoo.leo
    assert (leo.mother.name, leo.home.name, leo.chip.code) == ("Mara", "dome", "chip-1")
    assert (leo.origin.name, leo.tamer.name, leo.sponsor.username) == (
        "born here",
        "Ada",
        "sponsor",
    )
    assert leo.passport.number == "P1"
    assert leo.home.enclosure.aviary.height == 9
    assert leo.home.enclosure.keeper == leo.tamer
    assert [food.name for food in leo.foods.all()] == ["fish", "meat", "nuts"]
    assert {friend.name for friend in leo.friends.all()} == {"Mara", "<Ghost>"}
    assert {note.text for note in leo.notes.all()} == {"loud", "proud"}
    assert zoo.old.title == "old Leo"
    assert zoo.old.legends.get().hero == zoo.old
    assert [str(egg) for egg in leo.egg_set.all()] == ["white"]
    assert Egg.everything.filter(animal=leo).count() == 2


def test_what_is_null_missing_hidden_or_gone(zoo):
    assert not any(
        (zoo.stray.mother, zoo.stray.home, zoo.stray.chip, zoo.stray.origin, zoo.stray.tamer)
    )
    for animal, name in [
        (zoo.stray, "passport"),
        (zoo.ghost, "species"),
        (zoo.ghost, "origin"),
        (zoo.ghost, "archive"),
    ]:
        with pytest.raises(ObjectDoesNotExist):
            getattr(animal, name)
    with pytest.raises(ObjectDoesNotExist):
        _ = Place.objects.get(name="yard").enclosure
    with pytest.raises(ObjectDoesNotExist):
        _ = Enclosure.objects.get(name="pit").aviary
    assert Note.objects.get(text="about nobody").about is None
    assert Note.objects.get(text="about nothing").about is None


def test_archives_are_in_the_other_database(zoo):
    assert zoo.leo.archive == zoo.archive
    assert zoo.archive._state.db == "other"
    assert not Archive.objects.using("default").exists()
    assert list(zoo.archive.animals.all()) == [zoo.leo]


def test_the_keeper_model_is_swapped(zoo):
    assert Keeper._meta.swapped == "testapp.StaffKeeper"
    assert Animal._meta.get_field("tamer").related_model is StaffKeeper
