"""Semantics 11 to 14 and 16: each kind of relation in a loop is loaded for the loop, and shown as
stock Django shows it when it loads one by one."""

import pytest
from django.db import connection
from django.db.models import Count, Prefetch
from django.utils.functional import SimpleLazyObject

from tests.testapp.models import (
    Animal,
    Aviary,
    Chip,
    Egg,
    Enclosure,
    Food,
    Legend,
    Note,
    OldAnimal,
    Origin,
    Passport,
    Place,
    Region,
    Species,
    Ticket,
    Visitor,
)

from .pages import WAYS, compare, render

pytestmark = pytest.mark.django_db(databases=["default", "other"])


def rows(queryset):
    """A context that holds fresh rows of a queryset."""
    return lambda: {"rows": queryset.all()}


def loop(body, name="r"):
    return f"{{% for {name} in rows %}}{body};{{% endfor %}}"


# What a row is asked for, the rows, and how many queries: one for the rows, one for each relation.
RELATIONS = {
    "forward": ("{{ r.home.name }}", Animal.objects, 2),
    "forward twice": ("{{ r.home.name }}{{ r.home.name }}", Animal.objects, 2),
    "forward, forward": ("{{ r.home.region.name }}", Animal.objects, 3),
    "forward to itself": ("{{ r.mother.mother.name }}", Animal.objects, 3),
    "forward to a column": ("{{ r.chip.code }}", Ticket.objects, 2),
    "forward under another column": ("{{ r.visitor.name }}", Ticket.objects, 2),
    "forward to a swapped model": ("{{ r.tamer.region.name }}", Animal.objects, 3),
    "forward to a user": ("{{ r.sponsor.first_name }}", Animal.objects, 2),
    "forward to a proxy": ("{{ r.hero.title }}", Legend.objects, 2),
    "hidden by a manager": ("{{ r.species.name }}", Animal.objects, 2),
    "hidden, beyond": ("{{ r.species.region.parent.name }}", Animal.objects, 4),
    "dangling": ("{{ r.origin.name }}", Animal.objects, 2),
    "dangling, twice": ("{{ r.origin.name }}{{ r.origin }}", Animal.objects, 2),
    "in another database": ("{{ r.archive.shelf }}", Animal.objects, 2),
    "one-to-one": ("{{ r.chip.code }}", Animal.objects, 2),
    "one-to-one, back": ("{{ r.animal.name }}", Chip.objects, 2),
    "one-to-one, there and back": ("{{ r.chip.animal.name }}", Animal.objects, 2),
    "missing one-to-one": ("{{ r.passport.number }}", Animal.objects, 2),
    "missing, if": (
        "{% if r.passport %}{{ r.passport.number }}{% else %}-{% endif %}",
        Animal.objects,
        2,
    ),
    "missing, beyond": ("{{ r.passport.issued_in.name }}", Animal.objects, 3),
    "generic key": ("{{ r.about.name }}", Note.objects, 3),
    "generic key, beyond": ("{{ r.about.home.name }}", Note.objects, 4),
    "generic relation": ("{% for n in r.notes.all %}{{ n.text }}{% endfor %}", Animal.objects, 2),
    "reverse": ("{% for c in r.children.all %}{{ c.name }}{% endfor %}", Animal.objects, 2),
    "reverse, and back": (
        "{% for c in r.children.all %}{{ c.mother.name }}{% endfor %}",
        Animal.objects,
        2,
    ),
    "reverse, beyond": (
        "{% for c in r.children.all %}{{ c.home.name }}{% endfor %}",
        Animal.objects,
        3,
    ),
    "reverse of a column": ("{% for t in r.tickets.all %}{{ t.pk }}{% endfor %}", Chip.objects, 2),
    "reverse, filtered": ("{% for e in r.egg_set.all %}{{ e }}{% endfor %}", Animal.objects, 2),
    "reverse, length": ("{{ r.children.all|length }}", Animal.objects, 2),
    "reverse, if": ("{% if r.children.all %}x{% endif %}", Animal.objects, 2),
    "reverse, join": ("{{ r.egg_set.all|join:', ' }}", Animal.objects, 2),
    "reverse, in": ("{% if r in r.mother.children.all %}x{% endif %}", Animal.objects, 3),
    "reverse, with": (
        "{% with c=r.children.all %}{{ c|length }}{% for x in c %}{{ x.name }}{% endfor %}"
        "{{ c.count }}{% if c %}x{% endif %}{% endwith %}",
        Animal.objects,
        2,
    ),
    "reverse, empty": (
        "{% for c in r.children.all %}x{% empty %}none{% endfor %}",
        Animal.objects,
        2,
    ),
    "many-to-many": ("{% for f in r.foods.all %}{{ f.name }}{% endfor %}", Animal.objects, 2),
    "many-to-many, beyond": (
        "{% for f in r.foods.all %}{{ f.region.name }}{% endfor %}",
        Animal.objects,
        3,
    ),
    "many-to-many, back": ("{% for a in r.animals.all %}{{ a.name }}{% endfor %}", Food.objects, 2),
    "symmetrical": ("{% for f in r.friends.all %}{{ f.name }}{% endfor %}", Animal.objects, 2),
    "through": ("{% for v in r.visitors.all %}{{ v.name }}{% endfor %}", Animal.objects, 2),
    "through, the rows between": (
        "{% for v in r.visits.all %}{{ v.year }}{{ v.visitor.name }}{% endfor %}",
        Animal.objects,
        3,
    ),
    "three levels": (
        "{% for a in r.animals.all %}{% for f in a.foods.all %}{{ f.region.name }}{% endfor %}{% endfor %}",
        Species.everything,
        4,
    ),
    "child of a parent": ("{{ r.enclosure.fence }}", Place.objects, 2),
    "grandchild of a parent": ("{{ r.enclosure.aviary.height }}", Place.objects, 3),
    "parent of a child": ("{{ r.place_ptr.name }}", Enclosure.objects, 1),
    "relation of a parent": ("{{ r.region.name }}", Enclosure.objects, 2),
    "reverse relation of a parent": ("{{ r.animals.all|length }}", Enclosure.objects, 2),
    "relation of a child": ("{{ r.keeper.region.name }}", Aviary.objects, 3),
    "proxy": ("{{ r.home.name }}{{ r.title }}", OldAnimal.objects, 2),
    "proxy, reverse": ("{% for x in r.legends.all %}{{ x }}{% endfor %}", OldAnimal.objects, 2),
    "deferred": ("{{ r.story }}", Animal.objects.defer("story"), 2),
    "only": ("{{ r.weight }}{{ r.story }}", Animal.objects.only("name"), 3),
    "deferred key": ("{{ r.home.name }}", Animal.objects.defer("home"), 3),
    "deferred key of a generic key": ("{{ r.about.name }}", Note.objects.defer("content_type"), 4),
    "deferred column of a parent": ("{{ r.name }}", Enclosure.objects.only("fence"), 2),
    "deferred parent": ("{{ r.place_ptr.name }}", Enclosure.objects.only("fence"), 2),
    "an id": ("{{ r.home_id }}{{ r.species_id }}{{ r.pk }}", Animal.objects, 1),
    "values": ("{{ r.home }}{{ r.home__name }}", Animal.objects.values("home", "home__name"), 1),
    "values_list": ("{{ r.0 }}", Animal.objects.values_list("home__name"), 1),
    "annotation": ("{{ r.n }}", Animal.objects.annotate(n=Count("foods")).order_by("pk"), 1),
    "select_related": (
        "{{ r.home.region.name }}",
        Animal.objects.select_related("home__region"),
        1,
    ),
    "select_related, in part": (
        "{{ r.home.region.name }}",
        Animal.objects.select_related("home"),
        2,
    ),
    "prefetch_related": (
        "{{ r.home.name }}{{ r.foods.all|length }}",
        Animal.objects.prefetch_related("home", "foods"),
        3,
    ),
    "prefetched, beyond": (
        "{% for f in r.foods.all %}{{ f.region.name }}{% endfor %}",
        Animal.objects.prefetch_related("foods"),
        3,
    ),
    "to_attr": (
        "{% for c in r.cubs %}{{ c.home.name }}{% endfor %}",
        Animal.objects.prefetch_related(Prefetch("children", to_attr="cubs")),
        3,
    ),
}


@pytest.mark.parametrize("name", RELATIONS)
def test_a_relation_in_a_loop_is_one_query(zoo, name):
    body, manager, queries = RELATIONS[name]
    pages = compare(loop(body), rows(manager))
    assert pages.queries[1:] == (queries, queries)
    assert pages.text.strip(";")


@pytest.mark.parametrize("name", RELATIONS)
def test_fetch_asks_one_by_one_as_stock_django(zoo, name):
    body, manager, _ = RELATIONS[name]
    pages = compare(loop(body), rows(manager), "fetch")
    assert pages.queries[1] == pages.queries[2] == pages.queries[0]


PATHS = {
    "with": "{% for r in rows %}{% with h=r.home %}{{ h.region.name }}{% endwith %};{% endfor %}",
    "with, twice": (
        "{% for r in rows %}{% with h=r.home %}{% with g=h.region %}{{ g.name }}{% endwith %}"
        "{% endwith %};{% endfor %}"
    ),
    "include": "{% for r in rows %}{% include 'row.html' %}{% endfor %}",
    "include with": "{% for x in rows %}{% include 'row.html' with r=x %}{% endfor %}",
    "include only": "{% for x in rows %}{% include 'row.html' with r=x only %}{% endfor %}",
    "include a part": "{% for x in rows %}{% include 'home.html' with h=x.home %}{% endfor %}",
    "include of the list": "{% include 'list.html' with all=rows %}",
    "tuples": "{% for k, r in pairs %}{{ k }}{{ r.home.region.name }}{% endfor %}",
    "tuples by index": "{% for p in pairs %}{{ p.1.home.region.name }}{% endfor %}",
    "dict items": "{% for k, r in numbered.items %}{{ k }}{{ r.home.region.name }}{% endfor %}",
    "dict rows": "{% for d in dicts %}{{ d.animal.home.region.name }}{% endfor %}",
    "object rows": "{% for o in objects %}{{ o.animal.home.region.name }}{% endfor %}",
    "list of lists": "{% for l in lists %}{% for r in l %}{{ r.home.region.name }}{% endfor %}{% endfor %}",
    "list": "{% for r in listed %}{{ r.home.region.name }}{% endfor %}",
    "tuple": "{% for r in listed_tuple %}{{ r.home.region.name }}{% endfor %}",
    "generator": "{% for r in generated %}{{ r.home.region.name }}{% endfor %}",
    "reversed": "{% for r in rows reversed %}{{ r.home.region.name }}{% endfor %}",
    "slice": "{% for r in rows|slice:'1:' %}{{ r.home.region.name }}{% endfor %}",
    "dictsort": "{% for r in rows|dictsort:'name' %}{{ r.home.region.name }}{% endfor %}",
    "parentloop": (
        "{% for r in rows %}{% for n in numbers %}{{ r.home.region.name }}"
        "{{ forloop.parentloop.counter }}{% endfor %}{% endfor %}"
    ),
    "shadowed root": "{% for rows in rows %}{{ rows.home.region.name }}{% endfor %}",
    "regroup, grouper": (
        "{% regroup rows by home.region as groups %}"
        "{% for g in groups %}{{ g.grouper.name }}{{ g.list|length }}{% endfor %}"
    ),
    "regroup, list": (
        "{% regroup rows by weight as groups %}"
        "{% for g in groups %}{% for r in g.list %}{{ r.home.region.name }}{% endfor %}{% endfor %}"
    ),
    "block": "{% extends 'base.html' %}{% block row %}{{ r.home.region.name }}{% endblock %}",
    "super": "{% extends 'base.html' %}{% block row %}{{ block.super }}{{ r.home.name }}{% endblock %}",
    "if": "{% for r in rows %}{% if r.home.region.name == 'Africa' %}{{ r.name }}{% endif %}{% endfor %}",
    "filter": "{% for r in rows %}{{ r.home.region.name|upper }}{% endfor %}",
    "filter argument": (
        "{% for r in rows %}{% if r.home_id %}{{ r.none|default:r.home.name }}{% endif %}{% endfor %}"
    ),
    "firstof": "{% for r in rows %}{% firstof r.home.region.name 'none' %}{% endfor %}",
    "ifchanged": "{% for r in rows %}{% ifchanged r.home.region.name %}{{ r.pk }}{% endifchanged %}{% endfor %}",
    "cycle": "{% for r in rows %}{% cycle r.home.region.name 'x' %}{% endfor %}",
    "blocktranslate": (
        "{% load i18n %}{% for r in rows %}"
        "{% blocktranslate with name=r.home.region.name %}at {{ name }}{% endblocktranslate %}{% endfor %}"
    ),
    "autoescape": "{% autoescape off %}{% for r in rows %}{{ r.home.region.name }}{% endfor %}{% endautoescape %}",
    "spaceless": "{% spaceless %}{% for r in rows %}{{ r.home.region.name }}{% endfor %}{% endspaceless %}",
}
OTHERS = {
    "row.html": "{{ r.home.region.name }};",
    "home.html": "{{ h.region.name }};",
    "list.html": "{% for r in all %}{{ r.home.region.name }};{% endfor %}",
    "base.html": "{% for r in rows %}{% block row %}{{ r.home.region.name }}{% endblock %};{% endfor %}",
}


class Holder:
    def __init__(self, animal):
        self.animal = animal


def everything():
    listed = list(Animal.objects.all())
    return {
        "rows": Animal.objects.all(),
        "listed": listed,
        "listed_tuple": tuple(Animal.objects.all()),
        "generated": (animal for animal in list(Animal.objects.all())),
        "pairs": [(animal.pk, animal) for animal in Animal.objects.all()],
        "numbered": {animal.pk: animal for animal in Animal.objects.all()},
        "dicts": [{"animal": animal} for animal in Animal.objects.all()],
        "objects": [Holder(animal) for animal in Animal.objects.all()],
        "lists": [[animal] for animal in Animal.objects.all()],
        "lazy": [SimpleLazyObject(lambda animal=animal: animal) for animal in listed],
        "numbers": [1, 2],
    }


@pytest.mark.parametrize("name", PATHS)
def test_a_path_is_followed(zoo, name):
    pages = compare(PATHS[name], everything, others=OTHERS)
    assert "savanna" in pages.text.lower() or name in ("if", "ifchanged", "filter argument")
    # The rows (if they are not there yet), the homes, the regions.
    assert pages.queries[1] == pages.queries[2] <= 3


def test_two_lists_of_the_same_rows_are_two_lists(zoo):
    source = (
        "{% for r in rows %}{% for r in listed %}{{ r.home.region.name }}{% endfor %}"
        "{{ r.home.region.name }}{% endfor %}"
    )
    assert compare(source, everything).queries[1:] == (5, 5)


def test_lazy_objects_that_nobody_has_looked_at_stay_so(zoo):
    """What they stand for may take a query to make: each is looked at in its own turn."""
    source = "{% for r in lazy %}{{ r.home.region.name }};{% endfor %}"
    assert "Savanna" in compare(source, everything).text
    looked_at = "{% for r in lazy %}{{ r.name }}{% endfor %}" + source
    assert compare(looked_at, everything).queries[1:] == (2, 2)


def test_what_a_loop_needs_is_loaded_for_the_loop_around_it(zoo):
    source = (
        "{% for s in rows %}{% for a in s.animals.all %}{{ a.home.name }}"
        "{% for f in a.foods.all %}{{ f.region.name }}{% endfor %}{% endfor %}{% endfor %}"
    )
    pages = compare(source, rows(Species.everything))
    assert pages.queries[1:] == (5, 5)


def test_a_single_object_is_loaded_singly(zoo):
    source = (
        "{{ a.home.region.name }}{{ a.species.name }}{% for f in a.foods.all %}{{ f }}{% endfor %}"
    )
    pages = compare(source, lambda: {"a": Animal.objects.get(name="Leo")})
    assert pages.queries == (3, 3, 3)  # the home has no region


def test_where_a_path_is_lost_each_is_fetched(zoo):
    """The object is a function's result: what stands beside it is not known."""

    class Keeper:
        def __init__(self, animal):
            self.held = animal

        def animal(self):
            return self.held

    source = "{% for k in keepers %}{{ k.animal.home.name }};{% endfor %}"
    pages = compare(source, lambda: {"keepers": [Keeper(a) for a in Animal.objects.all()]})
    assert pages.queries[1] == pages.queries[2] == pages.queries[0] == 3


@pytest.mark.parametrize("way", WAYS)
def test_rows_of_several_kinds(zoo, way):
    def make():
        return {
            "rows": [*Animal.objects.all(), *Place.objects.all(), None, 7, *OldAnimal.objects.all()]
        }

    source = loop("{{ r.home.name }}{{ r.region.name }}")
    run = render(source, make, way)
    assert run.result() == render(source, make).text
    assert len(run.queries) == 2  # homes of animals, also of old ones; regions of places


def test_unsaved_and_foreign_instances(zoo):
    def make():
        home = Place(name="unsaved", region=Region(name="nowhere"))
        return {
            "rows": [
                Animal(name="new", home=home),
                Animal(name="x"),
                *Animal.objects.all(),
                Animal(),
            ]
        }

    pages = compare(loop("{{ r.home.region.name }}{{ r.origin.name }}{{ r.passport }}"), make)
    assert "nowhere" in pages.text


def test_only_the_first_instance_of_an_object_that_is_there_twice(zoo):
    def make():
        leo = Animal.objects.get(name="Leo")
        return {"rows": [leo, leo, Animal.objects.get(name="Leo")]}

    assert compare(loop("{{ r.home.name }}"), make).queries[1:] == (1, 1)


# -- bounds ----------------------------------------------------------------------------------------


@pytest.fixture
def many(zoo):
    """1,200 animals with a home each; every one has two eggs."""
    places = Place.objects.bulk_create(Place(name=f"home {n}") for n in range(1200))
    lion = Species.everything.get(name="lion")
    animals = Animal.objects.bulk_create(
        Animal(name=f"animal {n}", species=lion, home=place) for n, place in enumerate(places)
    )
    Egg.objects.bulk_create(
        Egg(animal=animal, colour=str(n)) for animal in animals for n in range(2)
    )
    return Animal.objects.filter(pk__in=[animal.pk for animal in animals]).order_by("pk")


@pytest.mark.parametrize("way", WAYS)
def test_a_load_is_for_500_rows_at_most(many, way):
    run = render(loop("{{ r.home.name }}"), rows(many), way, observed=True)
    assert [event.rows for event in run.events[1:]] == [500, 500, 200]
    assert len(run.queries) == 4
    run = render(loop("{{ r.egg_set.all|length }}"), rows(many), way, observed=True)
    assert [event.rows for event in run.events[1:]] == [500, 500, 200]
    assert run.text == "2;" * 1200


@pytest.mark.parametrize("way", WAYS)
def test_a_load_is_for_500_rows_backwards_too(many, way):
    run = render("{% for r in rows reversed %}{{ r.home.name }};{% endfor %}", rows(many), way)
    assert run.text.startswith("home 1199;home 1198;")
    assert len(run.queries) == 4


@pytest.mark.parametrize("way", WAYS)
def test_one_row_of_many_that_touches_a_relation_loads_one_chunk(many, way):
    def make():
        return {"rows": [*many], "number": 700}

    source = "{% for r in rows %}{% if forloop.counter0 == number %}{{ r.home.name }}{% endif %}{% endfor %}"
    with_event = render(source, make, way, observed=True)
    assert with_event.text == "home 700"
    assert [event.rows for event in with_event.events] == [500]
    # From the row on: none of those before it.
    assert len(with_event.queries) == 1


@pytest.mark.parametrize("way", WAYS)
def test_ten_thousand_rows_of_which_one_touches_a_relation(zoo, way):
    lion = Species.everything.get(name="lion")
    home = Place.objects.first()
    listed = [Animal(pk=number, species=lion, home_id=home.pk) for number in range(1, 10_001)]
    for animal in listed:
        animal._state.db = "default"
    source = "{% for r in rows %}{% if r.pk == 9990 %}{{ r.home.name }}{% endif %}{% endfor %}"
    run = render(source, {"rows": listed}, way, observed=True)
    assert run.text == home.name
    assert [event.rows for event in run.events] == [11]
    assert sum(Animal.home.is_cached(animal) for animal in listed) == 11


# -- counts ----------------------------------------------------------------------------------------

COUNTED = {
    "reverse": (Animal.objects, "children"),
    "reverse, filtered": (Animal.objects, "egg_set"),
    "reverse of a column": (Chip.objects, "tickets"),
    "many-to-many": (Animal.objects, "foods"),
    "many-to-many, back": (Food.objects, "animals"),
    "symmetrical": (Animal.objects, "friends"),
    "through": (Animal.objects, "visitors"),
    "through, back": (Visitor.objects, "animals"),
    "generic relation": (Animal.objects, "notes"),
    "behind a hidden manager": (Species.everything, "animals"),
    "of a proxy": (OldAnimal.objects, "foods"),
    "to a proxy": (OldAnimal.objects, "legends"),
    "of a parent": (Enclosure.objects, "animals"),
}


@pytest.mark.parametrize("name", COUNTED)
@pytest.mark.parametrize(
    "source",
    [
        "{{ r.%s.count }}",
        "{% if r.%s.exists %}some{% else %}none{% endif %}",
        "{{ r.%s.all.count }}{{ r.%s.count }}{{ r.%s.exists }}",
        "{% with m=r.%s %}{{ m.count }}{% if m.exists %}x{% endif %}{% endwith %}",
        "{% if r.%s.count > 1 %}several{% endif %}",
    ],
)
def test_counts_in_a_loop_are_one_grouped_query(zoo, name, source):
    manager, relation = COUNTED[name]
    body = source.replace("%s", relation)
    pages = compare(loop(body), rows(manager))
    assert pages.queries[1:] == (2, 2)
    for run in pages.ours:
        assert "COUNT(*)" in run.queries[1]
        assert "GROUP BY" in run.queries[1]


@pytest.mark.parametrize("way", WAYS)
def test_counts_load_no_rows(many, way):
    run = render(
        loop("{{ r.egg_set.count }}{{ r.egg_set.exists }}"), rows(many), way, observed=True
    )
    assert run.text == "2True;" * 1200
    assert run.kinds() == ["rows", "count*", "count*", "count*"]
    assert not any("colour" in query for query in run.queries)


def test_counts_of_rows_that_were_loaded_are_theirs(zoo):
    body = "{% for c in r.children.all %}{{ c.name }}{% endfor %}{{ r.children.count }}{{ r.children.exists }}"
    assert compare(loop(body), rows(Animal.objects)).queries[1:] == (2, 2)


def test_a_count_of_one_object_is_a_count(zoo):
    pages = compare("{{ a.foods.count }}", lambda: {"a": Animal.objects.get(name="Leo")})
    assert pages.queries == (1, 1, 1)


# -- one query a row -------------------------------------------------------------------------------

SINGLE = {
    "slice": "{% for c in r.children.all|slice:':2' %}{{ c.name }}{% endfor %}",
    "slice, length": "{{ r.children.all|slice:':2'|length }}",
    "first": "{{ r.children.first.name }}",
    "first filter": "{% with c=r.children.all|first %}{{ c.name }}{% endwith %}",
    "index": "{{ r.children.all.0.name }}",
    "last": "{{ r.children.last.name }}",
    "reverse": "{% for c in r.children.reverse %}{{ c.name }}{% endfor %}",
    "values": "{% for c in r.children.values %}{{ c.name }}{% endfor %}",
    "iterator": "{% for c in r.children.iterator %}{{ c.name }}{% endfor %}",
    "output": "{{ r.egg_set.all }}",
}


@pytest.mark.parametrize("name", SINGLE)
@pytest.mark.parametrize("way", WAYS)
def test_a_part_of_a_relation_is_one_query_a_row_and_is_reported(zoo, name, way):
    source = loop(SINGLE[name])
    stock = render(source, rows(Animal.objects))
    run = render(source, rows(Animal.objects), way, observed=True)
    assert run.result() == stock.text
    assert len(run.queries) == len(stock.queries) == 1 + Animal.objects.count()
    lazy = run.events[1:]
    assert [event.kind for event in lazy] == ["call"] * Animal.objects.count()
    for event in lazy:
        assert (event.line, event.template, event.batch) == (1, "page.html", False)
        assert event.expression
        if name != "iterator":
            assert event.root == "rows"
            assert event.path[:2] == ("[]", event.path[1])
            assert event.is_lazy


def test_a_part_never_loads_all(zoo):
    pages = compare(loop(SINGLE["slice"]), rows(Animal.objects))
    assert all("LIMIT 2" in query for run in pages.ours for query in run.queries[1:])


# -- what is left behind ---------------------------------------------------------------------------


@pytest.mark.parametrize("way", WAYS)
def test_rows_of_a_relation_are_not_kept_after_the_render(zoo, way):
    """A second render, or the view, sees what has changed in between."""
    animals = list(Animal.objects.all())
    source = loop(
        "{% for e in r.egg_set.all %}{{ e }}{% endfor %}{% for f in r.foods.all %}{{ f }}{% endfor %}"
    )
    before = render(source, {"rows": animals}, way).result()
    Egg.objects.create(animal=animals[0], colour="new")
    after = render(source, {"rows": animals}, way).result()
    assert "new" in after
    assert "new" not in before
    assert not any("_prefetched_objects_cache" in vars(animal) for animal in animals)


@pytest.mark.parametrize("way", WAYS)
def test_a_users_own_prefetch_stays(zoo, way):
    animals = list(Animal.objects.prefetch_related("foods"))
    render(
        loop("{{ r.foods.all|length }}{{ r.egg_set.all|length }}"), {"rows": animals}, way
    ).result()
    for animal in animals:
        assert set(animal._prefetched_objects_cache) == {"foods"}


@pytest.mark.parametrize("way", WAYS)
def test_a_key_without_a_row_still_raises_afterwards(zoo, way):
    animals = list(Animal.objects.all())
    render(loop("{{ r.origin.name }}{{ r.species.name }}"), {"rows": animals}, way).result()
    ghost = next(animal for animal in animals if animal.name == "<Ghost>")
    with pytest.raises(Origin.DoesNotExist):
        _ = ghost.origin
    with pytest.raises(Species.DoesNotExist):
        _ = ghost.species


def test_all_dangling_keys_together_take_no_more_than_stock(zoo):
    Animal.objects.update(origin_id=4711)
    pages = compare(loop("{{ r.origin.name }}"), rows(Animal.objects))
    assert pages.queries == (1 + Animal.objects.count(), 2, 2)


def test_the_backend_that_is_tested(zoo):
    """Says in the output which database the suite has been through."""
    assert connection.vendor in ("sqlite", "postgresql")


def test_passports_text_crosses_two_relations(zoo):
    compare("{% for r in rows %}{{ r }};{% endfor %}", rows(Passport.objects))
