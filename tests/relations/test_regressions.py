"""What the generated pages of tests/property/test_relations.py have found, each as a plain test."""

import pickle

import pytest
from django.db.models import Prefetch

from atemplates.relations.batch_loading import HAS_FETCH_MODES
from atemplates.runtime import types
from atemplates.testing import LazyAccessError
from tests.testapp.data import GONE
from tests.testapp.models import (
    Animal,
    Archive,
    Aviary,
    Chip,
    Food,
    Note,
    OldAnimal,
    Passport,
    Region,
    Species,
)

from .pages import WAYS, compare, render

pytestmark = [
    pytest.mark.django_db(databases=["default", "other"]),
    pytest.mark.usefixtures("zoo"),
]

needs_fetch_modes = pytest.mark.skipif(
    not HAS_FETCH_MODES, reason="without fetch modes (Django 6.1) code of a model fetches singly"
)


def rows(queryset):
    return lambda: {"rows": queryset.all()}


def loop(body):
    return f"{{% for r in rows %}}{body};{{% endfor %}}"


def first(body):
    """Only the first row is asked: no load may take more queries than it alone."""
    return loop(f"{{% if forloop.first %}}{body}{{% endif %}}")


# -- no more queries than stock --------------------------------------------------------------------


FIRST_ROWS = {
    "dangling": ("{{ r.origin.name }}", Animal.objects.filter(origin_id__isnull=False)),
    "only dangling": ("{{ r.origin.name }}", Animal.objects.filter(origin_id=GONE)),
    "content types": ("{{ r.about.name }}", Note.objects),
    "databases": ("{{ r.archive.shelf }}", Animal.objects.filter(archive_id__isnull=False)),
    "null after its key": ("{{ r.mother.name }}", Animal.objects.only("name")),
    "deferred": ("{{ r.story }}", Animal.objects.only("name")),
    "generic key deferred": ("{{ r.about.name }}", Note.objects.only("text")),
}


@pytest.mark.parametrize("policy", ["fetch", "batch"])
@pytest.mark.parametrize(("body", "queryset"), FIRST_ROWS.values(), ids=FIRST_ROWS)
def test_one_row_takes_no_more_queries_than_alone(body, queryset, policy):
    for ordered in (queryset, queryset.order_by("-pk")):
        compare(first(body), rows(ordered), policy)
        compare(loop(body), rows(ordered), policy)


@pytest.mark.parametrize("body", ["{{ r.story }}", "{{ r.mother.name }}", "{{ r.home_id }}"])
def test_a_row_that_is_gone_is_looked_for_once(body):
    def make():
        return {
            "rows": [
                Animal.from_db("default", ["id", "name"], [GONE + place, "gone"])
                for place in range(3)
            ]
        }

    compare(first(body), make)
    compare(loop(body), make)


def test_a_key_that_code_of_a_model_finds_deferred_is_loaded_once():
    # The column of a foreign key has a descriptor of its own, whose field is the foreign key.
    def make():
        chosen = Prefetch("animals", queryset=Animal.objects.only("id"), to_attr="chosen")
        return {"rows": Food.objects.filter(code="m").prefetch_related(chosen)}

    compare(loop("{{ r.chosen|first }}"), make)


def test_a_parent_row_costs_a_query_only_when_a_column_was_deferred():
    compare(loop("{{ r.place_ptr.name }}{{ r.enclosure_part.fence }}"), rows(Aviary.objects))
    compare(loop("{{ r.place_ptr.name }}{{ r.id }}"), rows(Aviary.objects.only("fence")))
    compare(loop("{{ r.enclosure_part.name }}"), rows(Aviary.objects.defer("name")))


# -- the same output -------------------------------------------------------------------------------


def test_a_name_of_another_relation_does_not_change_what_a_manager_counts():
    counted = "{{ children.count }}{% for x in notes.all %}{{ x.name }}{% endfor %}"
    source = f"{{% with children=r.friends notes=r.foods %}}{counted}{{{{ notes.exists }}}}"
    compare(loop(source + "{% endwith %}"), rows(Animal.objects))


def test_a_generic_key_is_followed_in_the_database_of_its_instance():
    there = [Archive.objects.create(shelf=f"there {place}") for place in range(2)]
    for archive in there:
        Note.objects.create(about=archive, text="archive")
    Archive.objects.using("default").create(pk=there[1].pk, shelf="here")
    page = compare(loop("{{ r.about.shelf }}"), rows(Note.objects.filter(text="archive")))
    assert page.text == ";here;"


def test_the_undocumented_other_side_of_a_generic_relation():
    source = loop("{% for a in r.animal.all %}{{ a.name }},{% endfor %}{{ r.animal.count }}")
    compare(source, rows(Note.objects))


UNSAVED = {
    "no such name": "{{ r.children.nothing }}",
    "to one": "{{ r.mother.name }}{{ r.passport.number }}{{ r.notes }}",
    "count": "{{ r.children.count }}",
    "exists": "{% if r.children.exists %}x{% endif %}",
    "many to many": "{{ r.foods.all|length }}",
    "generic relation": "{{ r.notes.all|length }}{{ r.notes.count }}",
}


@pytest.mark.parametrize("body", UNSAVED.values(), ids=UNSAVED)
def test_an_unsaved_row_among_others(body):
    def make():
        return {"rows": [Animal(name="new"), *Animal.objects.all()[:2]]}

    compare(loop(body), make, may_raise=True)


def test_a_key_of_one_row_that_is_no_value_spoils_no_other():
    def make():
        return {"rows": [*Animal.objects.all()[:2], Animal(pk=GONE, mother_id="x", chip_id="y")]}

    compare(loop("{{ r.mother.name }}{{ r.chip.code }}"), make, may_raise=True)
    compare(first("{{ r.mother.name }}{{ r.chip.code }}"), make)


@pytest.mark.parametrize("policy", ["fetch", "batch"])
@pytest.mark.parametrize("body", ["{{ r.tickets.all|length }}", "{{ r.tickets.count }}"])
def test_a_manager_whose_key_is_deferred(body, policy):
    for make in (rows(Chip.objects.defer("code")), lambda: {"rows": list(Chip.objects.only("id"))}):
        compare(loop(body), make, policy)
        compare(first(body), make, policy)


def test_proxies_hidden_parents_and_trees():
    source = "{{ r.title }}{% for l in r.legends.all %}{{ l.hero.title }}{% endfor %}"
    compare(loop(source + "{{ r.legends.count }}"), rows(OldAnimal.objects))
    source = "{{ r.name }}{% for a in r.animals.all %}{{ a.species.name }}{% endfor %}"
    compare(loop(source), rows(Species.everything))
    compare(loop("{{ r.parts.all|length }}{{ r.parent.parent }}"), rows(Region.objects))


# -- relations="raise" -----------------------------------------------------------------------------

REACHES = {
    "slice": "{{ r.foods.all|slice:':2'|join:'-' }}",
    "index": "{{ r.foods.all.0.name }}",
    "first": "{{ r.foods.first.name }}",
    "filter first": "{{ r.foods.all|first }}",
    "last": "{{ r.foods.last.name }}",
    "reverse": "{% for c in r.children.reverse %}{{ c.name }}{% endfor %}",
    "distinct": "{{ r.foods.distinct|length }}",
    "iterator": "{% for f in r.foods.iterator %}{{ f.name }}{% endfor %}",
    "values": "{% for f in r.foods.values %}{{ f.name }}{% endfor %}",
    "printed": "{{ r.foods.all }}",
    "as text": "{{ r.foods.all|upper }}",
    "in": "{% if r in r.friends.all %}x{% endif %}",
    "renamed": "{% with x=r.foods %}{{ x.count }}{% endwith %}",
    "renamed all": "{% with x=r.foods.all %}{{ x|length }}{% endwith %}",
    "default": "{{ r.foods.all|default:'none' }}",
    "cycle": "{% cycle r.species.name 'odd' %}",
    "firstof": "{% firstof r.nothing r.species.name %}",
    "regroup": "{% regroup r.children.all by name as g %}{{ g|length }}",
    "ifchanged": "{% ifchanged r.species.name %}x{% endifchanged %}",
    "count": "{{ r.notes.count }}",
    "argument": "{{ r.nothing|default:r.species.name }}",
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("body", REACHES.values(), ids=REACHES)
def test_what_reaches_for_a_relation_raises(body, way):
    run = render("\n" + loop(body), rows(Animal.objects), way, "raise")
    with pytest.raises(LazyAccessError) as raised:
        run.result()
    assert raised.value.location.line == 2
    assert raised.value.suggestion
    assert Animal.objects.exists()


@pytest.mark.parametrize("way", WAYS)
def test_the_deferred_key_of_a_manager_raises(way):
    run = render(loop("{{ r.tickets.all|length }}"), rows(Chip.objects.only("id")), way, "raise")
    with pytest.raises(LazyAccessError):
        run.result()


ASKS_NOBODY = {
    "prefetched": "{{ r.foods.all|length }}{{ r.foods.count }}{{ r.foods.first.name }}"
    "{% for f in r.foods.all %}{{ f.name }}{% endfor %}{{ r.foods.all.0.name }}",
    "none": "{% for f in r.foods.none %}x{% endfor %}",
    "manager": "{% if r.children %}x{% endif %}",
    "keys": "{{ r.mother_id }}{{ r.pk }}{{ r.species_id }}",
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("body", ASKS_NOBODY.values(), ids=ASKS_NOBODY)
def test_what_asks_nobody_does_not_raise(body, way):
    make = rows(Animal.objects.prefetch_related("foods"))
    assert render(loop(body), make, way, "raise").result() == render(loop(body), make).result()


@pytest.mark.parametrize("way", WAYS)
def test_a_model_that_was_never_seen_before_raises(way):
    for known in (types.INERT, types.PLAIN, types.PLAIN_OR_MODEL, types.RELATED, types.MODELS):
        known.discard(Passport)
    types.LEARNED_TYPES.discard(Passport)
    with pytest.raises(LazyAccessError):
        render("{{ rows.first.issued_in.name }}", rows(Passport.objects), way, "raise").result()


@needs_fetch_modes
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("expression", ['r|stringformat:"s"', 'rows|join:", "', "r|upper"])
def test_a_filter_that_needs_the_text_of_a_row_raises(expression, way):
    run = render(loop(f"{{{{ {expression} }}}}"), rows(Animal.objects), way, "raise")
    with pytest.raises(LazyAccessError) as raised:
        run.result()
    assert raised.value.location.line == 1


# -- what is left on the instances -----------------------------------------------------------------

CROSSING = {
    "text": "{{ r }}",
    "property": "{{ r.label }}",
    "kept property": "{{ r.region_name }}",
    "method": "{{ r.food_names }}{{ r.heaviest_child.name }}",
    "rows": "{% for c in r.children.all %}{{ c.label }}{% endfor %}{{ r.foods.all|length }}",
    "related": "{{ r.mother.label }}{{ r.home.region }}{{ r.passport }}",
}


def instances_on(instance):
    """The instance, and what can be reached from it without a query."""
    found, waiting = {}, [instance]
    while waiting:
        value = waiting.pop()
        if id(value) in found:
            continue
        found[id(value)] = value
        waiting += [kept for kept in value._state.fields_cache.values() if kept is not None]
        for kept in getattr(value, "_prefetched_objects_cache", {}).values():
            waiting += kept
    return found.values()


@needs_fetch_modes
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("body", CROSSING.values(), ids=CROSSING)
def test_no_fetch_mode_of_ours_is_left(body, way):
    from django.db.models import FETCH_ONE

    animals = list(Animal.objects.exclude(name="<Ghost>"))
    render(loop(body), {"rows": animals}, way).result()
    for animal in animals:
        for instance in instances_on(animal):
            assert instance._state.fetch_mode is FETCH_ONE, instance


@needs_fetch_modes
@pytest.mark.parametrize("way", WAYS)
def test_no_fetch_mode_of_ours_is_left_on_rows_that_code_keeps(way, monkeypatch):
    from django.db.models import FETCH_ONE

    def keep(self):
        self.kept = list(self.children.all())
        return len(self.kept)

    monkeypatch.setattr(Animal, "keep", keep, raising=False)
    animals = list(Animal.objects.all())
    render(loop("{{ r.keep }}"), {"rows": animals}, way).result()
    kept = [row for animal in animals for row in animal.kept]
    assert kept
    assert {row._state.fetch_mode for row in kept} == {FETCH_ONE}


class Pickling:
    """An object whose text is a pickle of a row: what a cache makes of it."""

    def __init__(self, row):
        self.row = row

    def __str__(self):
        return pickle.loads(pickle.dumps(self.row)).species.name


@pytest.mark.parametrize("way", WAYS)
def test_a_row_can_be_pickled_while_it_renders(way):
    animals = list(Animal.objects.filter(species__name="lion"))
    values = {"rows": animals, "pickles": [Pickling(animal) for animal in animals]}
    source = loop("{{ r }}") + "{% for p in pickles %}{{ p }}{% endfor %}"
    assert render(source, values, way).result().endswith("lion")
