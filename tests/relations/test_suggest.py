"""The calls that a queryset needs: right in the text, and right when they are made."""

from contextlib import contextmanager

import pytest
from django.contrib.auth import get_user_model
from django.core.exceptions import ObjectDoesNotExist
from django.db import connections, models
from django.db.models import Manager
from django.template import Context, Engine
from django.test.utils import CaptureQueriesContext

from atemplates.analysis.django import access_paths
from atemplates.relations.advice import Suggestion, suggest
from atemplates.relations.path_steps import is_filtered, why_not_join
from atemplates.relations.paths import AccessPath
from shop.models import Author, Book, Review
from tests.testapp.models import (
    Animal,
    Aviary,
    Chip,
    Egg,
    Enclosure,
    Legend,
    Note,
    OldAnimal,
    Passport,
    Place,
    Region,
    Species,
    Visit,
)


def split(*paths):
    return [path.split() for path in paths]


@pytest.mark.parametrize(
    ("model", "paths", "call"),
    [
        (Book, ["[] author name"], '.select_related("author")'),
        (Book, ["[] author_id", "[] title", "[] century", "[] get_absolute_url"], ""),
        (
            Book,
            ["[] author name", "[] publisher country name", "[] publisher"],
            '.select_related("author", "publisher__country")',
        ),
        (
            Book,
            ["[] author", "[] tags all [] name", "[] reviews all [] user"],
            '.select_related("author").prefetch_related("tags", "reviews__user")',
        ),
        (
            Book,
            ["[] author books all [] publisher"],
            '.select_related("author").prefetch_related("author__books__publisher")',
        ),
        (Book, ["[] notes all"], '.prefetch_related("notes")'),
        (Author, ["profile biography"], '.select_related("profile")'),
        (Book, ["object_list [] author"], '.select_related("author")'),
        (Book, ["items [] 1 [] author"], '.select_related("author")'),
        (Book, ["first author"], '.select_related("author")'),
        (Note, ["[] about"], '.prefetch_related("about")'),
        (Animal, ["[] species name"], '.prefetch_related("species")'),
        (Animal, ["[] species region"], '.prefetch_related("species__region")'),
        (
            Animal,
            ["[] mother species"],
            '.select_related("mother").prefetch_related("mother__species")',
        ),
        (Animal, ["[] origin"], '.prefetch_related("origin")'),
        (Animal, ["[] archive"], '.prefetch_related("archive")'),
        (Animal, ["[] tamer region"], '.select_related("tamer__region")'),
        (Animal, ["[] home enclosure aviary height"], '.select_related("home__enclosure__aviary")'),
        (Animal, ["[] egg_set all"], '.prefetch_related("egg_set")'),
        (Animal, ["[] passport animal home"], '.select_related("passport", "home")'),
        (Animal, ["[] chip animal name"], '.select_related("chip")'),
        (
            Chip,
            ["[] animal chip tickets all"],
            '.select_related("animal").prefetch_related("tickets")',
        ),
        (
            Author,
            ["books all [] author profile"],
            '.select_related("profile").prefetch_related("books")',
        ),
        (Place, ["[] enclosure place_ptr region"], '.select_related("enclosure", "region")'),
        (Aviary, ["[] enclosure_part fence", "[] place_ptr name"], ""),
        (Aviary, ["[] place_ptr region name"], '.prefetch_related("place_ptr__region")'),
        (Aviary, ["[] region", "[] keeper"], '.select_related("region", "keeper")'),
        (Aviary, ["[] animals all"], '.prefetch_related("animals")'),
        (
            OldAnimal,
            ["[] legends all", "[] home"],
            '.select_related("home").prefetch_related("legends")',
        ),
        (Animal, ["[] label x", "[] food_names"], ""),
        (Legend, ["[] hero home"], '.select_related("hero__home")'),
        (Review, ["[] user username"], '.select_related("user")'),
        (Book, [], ""),
    ],
)
def test_calls(model, paths, call):
    assert suggest(model, split(*paths)).call() == call


# -- each call, made -------------------------------------------------------------------------------

ENGINE = Engine()
TEMPLATES = [
    (Animal, "{{ o.species.name }}|{{ o.species.region.name }}|{{ o.mother.species.name }}"),
    (Animal, "{{ o.mother.home.region.name }}|{{ o.home.enclosure.aviary.height }}"),
    (Animal, "{{ o.chip.code }}|{{ o.origin.name }}|{{ o.archive.shelf }}|{{ o.sponsor }}"),
    (Animal, "{{ o.passport.number }}|{{ o.passport.issued_in.name }}|{{ o.tamer.region.name }}"),
    (Animal, "{% for f in o.foods.all %}{{ f.name }}{{ f.region.name }}{% endfor %}"),
    (Animal, "{% for f in o.friends.all %}{{ f.name }}{{ f.home.name }}{% endfor %}"),
    (Animal, "{% for v in o.visits.all %}{{ v.visitor.name }}{{ v.year }}{% endfor %}"),
    (Animal, "{% for v in o.visitors.all %}{{ v.region.name }}{% endfor %}"),
    (Animal, "{{ o.notes.all|join:' ' }}|{{ o.egg_set.all|length }}"),
    (Animal, "{{ o.children.all|length }}{{ o.children.count }}{{ o.children.all.0.name }}"),
    (Aviary, "{{ o.region.name }}|{{ o.keeper.name }}|{{ o.place_ptr.region.name }}|{{ o.fence }}"),
    (
        Aviary,
        "{{ o.enclosure_part.place_ptr.name }}|"
        "{% for a in o.animals.all %}{{ a.name }}{% endfor %}",
    ),
    (
        Enclosure,
        "{{ o.place_ptr.region.name }}|{% for a in o.place_ptr.animals.all %}.{% endfor %}",
    ),
    (
        Animal,
        "{{ o.passport.animal.home.name }}"
        "{% for c in o.children.all %}{{ c.mother.name }}{% endfor %}",
    ),
    (Place, "{{ o.enclosure.fence }}|{{ o.enclosure.aviary.height }}|{{ o.region.parent.name }}"),
    (Chip, "{{ o.animal.name }}|{{ o.animal.mother.name }}|{{ o.tickets.all|length }}"),
    (Note, "{{ o.about.name }}|{{ o.content_type.model }}"),
    (OldAnimal, "{{ o.species.name }}|{% for l in o.legends.all %}{{ l.text }}{% endfor %}"),
    (Legend, "{{ o.hero.home.name }}"),
    (Region, "{{ o.parent.parent.name }}|{% for p in o.parts.all %}{{ p.name }}{% endfor %}"),
    (Passport, "{{ o.animal.name }}|{{ o.animal.species.name }}"),
    (Visit, "{{ o.animal.home.name }}|{{ o.visitor.region.name }}"),
    (Species, "{% for a in o.animals.all %}{{ a.chip.code }}{% endfor %}"),
    (Egg, "{{ o.animal.passport.number }}"),
]


@pytest.mark.django_db(databases=["default", "other"])
@pytest.mark.parametrize(("model", "source"), TEMPLATES)
def test_with_the_call_the_output_is_the_same_and_nothing_is_asked_for_again(zoo, model, source):
    template = ENGINE.from_string("{% for o in objects %}" + source + ";{% endfor %}")
    paths = access_paths(template)
    assert {path.root for path in paths} == {"objects"}
    found = suggest(model, paths)
    rows = model._default_manager.all()
    with counted() as queries:
        lazy = template.render(Context({"objects": rows.all()}))
    assert len(queries()) > 1
    assert any(letter.isalnum() for letter in lazy)
    rows = rows.prefetch_related(*found.prefetch)
    loaded = list(rows.select_related(*found.select) if found.select else rows)
    with counted() as queries:
        assert template.render(Context({"objects": loaded})) == lazy
    assert queries() == []


@contextmanager
def counted():
    """Give a function that returns the queries sent so far, to both databases."""
    with (
        CaptureQueriesContext(connections["default"]) as default,
        CaptureQueriesContext(connections["other"]) as other,
    ):
        yield lambda: [*default.captured_queries, *other.captured_queries]


@pytest.mark.django_db(databases=["default", "other"])
def test_what_a_join_would_show_that_lazy_access_does_not(zoo):
    """Why a relation behind a filtered base manager is prefetched."""
    (joined,) = Animal.objects.select_related("species").filter(pk=zoo.ghost.pk)
    assert joined.species.hidden
    (prefetched,) = Animal.objects.prefetch_related("species").filter(pk=zoo.ghost.pk)
    for animal in (prefetched, zoo.ghost):
        with pytest.raises(ObjectDoesNotExist):
            _ = animal.species
    assert suggest(Animal, split("[] species")).prefetch == ("species",)


# -- notes -----------------------------------------------------------------------------------------


def notes_of(model, source, **given):
    template = ENGINE.from_string(source)
    return suggest(model, access_paths(template), **given)


def test_counting_in_a_loop():
    found = notes_of(Book, "{% for b in books %}{{ b.reviews.count }}{% endfor %}")
    assert found.call() == ""
    assert found.notes == (
        "shop.Book.reviews.count asks the database for each row, and a prefetch would load the "
        'rows only to count them: add .annotate(reviews_count=Count("reviews", distinct=True)) '
        "to the queryset of shop.Book and read reviews_count.",
    )


def test_whether_there_are_any_in_a_loop():
    found = notes_of(Book, "{% for b in books %}{% if b.reviews.exists %}+{% endif %}{% endfor %}")
    assert found.call() == ""
    (note,) = found.notes
    assert ".annotate(has_reviews=Exists(...)) to the queryset of shop.Book" in note


def test_a_count_uses_the_name_that_queries_use():
    (note,) = suggest(Animal, split("[] egg_set count")).notes
    assert '.annotate(egg_set_count=Count("egg", distinct=True))' in note


def test_a_count_beside_a_loop_is_served_by_the_prefetch():
    found = notes_of(
        Book,
        "{% for b in books %}{{ b.reviews.count }}{% if b.reviews.exists %}{% endif %}"
        "{% for r in b.reviews.all %}{{ r.text }}{% endfor %}{{ b.reviews.first.text }}"
        "{% endfor %}",
    )
    assert found == Suggestion(prefetch=("reviews",))


def test_a_filter_on_a_prefetched_manager_is_said():
    found = notes_of(
        Book,
        "{% for b in books %}{% for r in b.reviews.all %}{{ r.text }}{% endfor %}"
        "{{ b.reviews.last.user.username }}{% endfor %}",
    )
    assert found.prefetch == ("reviews",)
    assert found.notes == (
        "A prefetch does not help shop.Book.reviews.last, a query of its own for each row: use "
        'Prefetch("reviews", queryset=Review.objects.select_related("user").last(...), '
        'to_attr="some_reviews") and read that attribute.',
    )


def test_a_slice_is_not_answered_by_loading_all():
    found = notes_of(
        Author,
        "{% for a in authors %}{% for b in a.books.all|slice:':3' %}{{ b.publisher.name }}"
        "{% for t in b.tags.all %}{{ t }}{% endfor %}{% endfor %}{% endfor %}",
    )
    assert found.call() == ""
    assert found.notes == (
        "a slice of shop.Author.books asks the database for each row, and a plain prefetch would "
        'load them all: use Prefetch("books", queryset=Book.objects.select_related("publisher")'
        '.prefetch_related("tags").order_by(...)[:3], to_attr="some_books") and read that '
        "attribute.",
    )


def test_first_on_rows_without_an_order_is_a_query_even_after_a_prefetch(monkeypatch):
    monkeypatch.setattr(Review._meta, "ordering", [])
    found = suggest(Book, split("[] reviews all []", "[] reviews first"))
    assert found.prefetch == ("reviews",)
    assert ".first of shop.Book.reviews asks the database for each row" in found.notes[0]


def test_the_way_to_a_manager_is_loaded_even_if_its_rows_are_not():
    found = notes_of(Book, "{% for b in books %}{{ b.author.books.count }}{% endfor %}")
    assert found.call() == '.select_related("author")'
    assert "shop.Author.books.count" in found.notes[0]


def test_a_name_given_to_rows_reads_none_of_them():
    found = notes_of(Book, "{% with r=book.reviews.all %}{% endwith %}")
    assert found == Suggestion()


def test_behind_a_method_or_property_nothing_is_known():
    found = suggest(Animal, split("[] heaviest_child species name", "[] label"))
    assert found == Suggestion(
        notes=(
            "testapp.Animal.heaviest_child is a method: what .species.name needs behind it cannot "
            "be seen in the template. Record a render, or load it in the view.",
        )
    )


def test_values_are_no_instances():
    found = notes_of(Book, "{% for b in books.values_list %}{{ b.author }}{% endfor %}")
    assert found.call() == ""
    assert found.notes[0].startswith(".values_list() gives no instances of shop.Book")


def test_only_leaves_something_out():
    source = (
        "{% for b in books %}{{ b.title }}{{ b.year }}{{ b.author.name }}{{ b.pk }}{% endfor %}"
    )
    found = notes_of(Book, source, only=["title", "slug"])
    assert found.select == ("author",)
    assert found.notes == (
        'The queryset\'s only() leaves out "year", "author", which would be asked for again for '
        "each row: add them to it.",
    )
    assert notes_of(Book, source, only=["title", "year", "author__name"]).notes == ()


def test_only_with_a_generic_key():
    (note,) = suggest(Note, split("[] about"), only=["text"]).notes
    assert '"content_type", "object_id"' in note


def test_behind_a_generic_key():
    (note,) = suggest(Note, split("[] about author name")).notes
    assert 'GenericPrefetch("about", [...])' in note


def test_why_something_is_prefetched_is_said():
    origin, archive, species = suggest(
        Animal, split("[] origin name", "[] archive", "[] species")
    ).notes
    assert origin == (
        '"origin" is prefetched and not joined: its key has no constraint (db_constraint=False), '
        "so its row may be gone."
    )
    assert "the prefetched value is None and is written so" in archive
    assert species == (
        '"species" is prefetched and not joined: the base manager of testapp.Species does not '
        "give every row as it is."
    )


# -- joins -----------------------------------------------------------------------------------------


def test_another_database_is_a_reason_of_its_own(monkeypatch):
    monkeypatch.setattr(Animal._meta.get_field("archive"), "db_constraint", True)
    assert why_not_join(Animal, Animal._meta.get_field("archive")) == (
        "testapp.Archive is in the database 'other', testapp.Animal in 'default'"
    )


def test_a_base_manager_that_raises_is_a_reason(monkeypatch):
    class Tenants(Manager):
        def get_queryset(self):
            raise RuntimeError("no tenant")

    monkeypatch.setattr(Region._meta, "base_manager", Tenants())
    assert why_not_join(Region, Region._meta.get_field("parent")) == (
        "the base manager of testapp.Region raised RuntimeError: no tenant"
    )


@pytest.mark.parametrize(
    "change",
    [
        lambda rows: rows.filter(pk=1),
        lambda rows: rows.annotate(x=models.F("pk")),
        lambda rows: rows.defer("name"),
        lambda rows: rows.only("name"),
        lambda rows: rows[:3],
        lambda rows: rows.none(),
        lambda rows: rows.distinct(),
        lambda rows: rows.union(rows),
    ],
)
def test_managers_that_do_not_give_every_row_as_it_is(change):
    class Changed(Manager):
        def get_queryset(self):
            return change(super().get_queryset())

    manager = Changed()
    manager.model = Region
    assert is_filtered(manager)
    assert not is_filtered(Region._base_manager)
    assert not is_filtered(get_user_model()._base_manager)


def test_an_access_path_counts_by_what_becomes_of_its_end():
    def path(consumption, lost=None):
        return AccessPath("t", 1, "x", "o", ("tags", "all"), False, consumption, lost)

    assert suggest(Book, [path("loop")]).prefetch == ("tags",)
    assert suggest(Book, [path("length")]).prefetch == ("tags",)
    assert suggest(Book, [path("argument")]).prefetch == ("tags",)
    assert suggest(Book, [path("argument", "passed to {% show %}")]) == Suggestion()
    assert not suggest(Book, [])
