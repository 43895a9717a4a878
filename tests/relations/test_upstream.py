"""Guards the private names of Django that relations lean on: where loaded rows are kept."""

import pytest
from django.db.models import prefetch_related_objects

from atemplates.relations import models
from atemplates.relations.batch_loading import HAS_FETCH_MODES
from tests.testapp.models import Animal

pytestmark = [
    pytest.mark.django_db(databases=["default", "other"]),
    pytest.mark.usefixtures("zoo"),
]


def test_an_evaluated_queryset_keeps_its_rows():
    queryset = Animal.objects.all()
    assert queryset._result_cache is None
    assert not models.is_loaded(queryset)
    rows = list(queryset)
    assert queryset._result_cache == rows
    assert models.is_loaded(queryset)


def test_a_filled_queryset_asks_nothing(django_assert_num_queries):
    loaded, queryset = (Animal.objects.prefetch_related("foods") for _ in range(2))
    assert queryset._prefetch_done is False
    rows = list(loaded)
    models.fill(queryset, loaded)
    with django_assert_num_queries(0):
        assert list(queryset) == rows


def test_a_prefetch_is_kept_on_the_instance():
    animal = Animal.objects.first()
    assert models.PREFETCHED not in vars(animal)
    prefetch_related_objects([animal], "foods")
    assert list(vars(animal)[models.PREFETCHED]) == ["foods"]
    assert models.is_loaded(animal.foods.all())
    models.forget_prefetched(animal, "foods")
    assert not models.is_loaded(animal.foods.all())


def test_a_related_object_is_kept_in_the_state():
    animal = Animal.objects.exclude(species=None).first()
    relation = models.relations_of(Animal)["species"]
    assert "species" not in animal._state.fields_cache
    assert models.is_missing(animal, relation)
    species = animal.species
    assert animal._state.fields_cache["species"] is species
    assert not models.is_missing(animal, relation)


def test_a_deferred_column_is_not_in_the_dict():
    animal = Animal.objects.only("name").first()
    field = Animal._meta.get_field("story")
    assert animal.get_deferred_fields() >= {"story"}
    assert models.lacks(animal, [field])
    animal.story  # noqa: B018 - reading it loads it
    assert not models.lacks(animal, [field])


@pytest.mark.skipif(not HAS_FETCH_MODES, reason="fetch modes came with Django 6.1")
def test_the_fetch_mode_of_an_instance_is_in_its_state():
    from django.db.models import FETCH_ONE, FETCH_PEERS

    assert Animal.objects.first()._state.fetch_mode is FETCH_ONE
    animal = Animal.objects.fetch_mode(FETCH_PEERS).first()
    assert animal._state.fetch_mode is FETCH_PEERS
    assert animal.species._state.fetch_mode is FETCH_PEERS
