"""Multi-table inheritance in a loop: parents, children, and what they lead to, at all levels."""

import pytest

from atemplates.relations.batch_loading import HAS_FETCH_MODES
from tests.testapp.models import Aviary, Enclosure, Place, Region, StaffKeeper

from .pages import WAYS, render

pytestmark = pytest.mark.django_db(databases=["default", "other"])
needs_fetch_modes = pytest.mark.skipif(
    not HAS_FETCH_MODES, reason="code of models is followed on Django 6.1 and later"
)


@pytest.fixture(autouse=True)
def places():
    """Three places of each of the three kinds, each of its own region, keeper and animal."""
    for number in range(3):
        region = Region.objects.create(name=f"region {number}")
        keeper = StaffKeeper.objects.create(name=f"keeper {number}", region=region)
        fenced = {"region": region, "fence": f"fence {number}", "keeper": keeper}
        Place.objects.create(name=f"place {number}", region=region)
        Enclosure.objects.create(name=f"enclosure {number}", **fenced)
        Aviary.objects.create(name=f"aviary {number}", height=number, **fenced)


def loop(body):
    return f"{{% for r in rows %}}{body};{{% endfor %}}"


def mixed():  # the rows are no part of what is counted
    """Each place as what it is, as a site that knows the kinds makes it."""
    rows = [*Place.objects.all()[:3], *Enclosure.objects.all()[:3], *Aviary.objects.all()]
    return {"rows": rows}


# What a row is asked for, the rows, and how many queries: one for the rows, one for each load.
PAGES = {
    "child": ("{{ r.enclosure.fence }}", Place.objects, 2),
    "child or none": (
        "{% if r.enclosure %}{{ r.enclosure.fence }}{% if r.enclosure.aviary %}"
        "{{ r.enclosure.aviary.height }}{% endif %}{% else %}-{% endif %}",
        Place.objects,
        3,
    ),
    "child, and its relations": (
        "{{ r.enclosure.fence }}{{ r.enclosure.aviary.height }}{{ r.enclosure.keeper.name }}"
        "{{ r.enclosure.region.name }}{{ r.enclosure.aviary.keeper.name }}",
        Place.objects,
        5,
    ),
    "child and back": ("{{ r.enclosure.place_ptr.region.name }}", Place.objects, 3),
    "grandchild and back": (
        "{{ r.enclosure.aviary.enclosure_part.keeper.name }}"
        "{{ r.enclosure.aviary.enclosure_part.place_ptr.name }}",
        Place.objects,
        4,
    ),
    "parent": ("{{ r.place_ptr.name }}", Enclosure.objects, 1),
    "relation of the parent": ("{{ r.place_ptr.region.name }}", Enclosure.objects, 2),
    "relation of the child, then of the parent": (
        "{{ r.region.name }}{{ r.place_ptr.region.name }}",
        Enclosure.objects,
        3,
    ),
    "two levels up": ("{{ r.enclosure_part.place_ptr.region.name }}", Aviary.objects, 2),
    "one level up": ("{{ r.enclosure_part.keeper.region.name }}", Aviary.objects, 3),
    "all levels": (
        "{{ r.keeper.name }}{{ r.enclosure_part.keeper.name }}{{ r.enclosure_part.region.name }}"
        "{{ r.region.name }}{{ r.enclosure_part.place_ptr.region.name }}",
        Aviary.objects,
        5,
    ),
    "under a name": (
        "{% with p=r.enclosure_part.place_ptr %}{{ p.name }}{{ p.region.name }}{% endwith %}",
        Aviary.objects,
        2,
    ),
    "many of the parent": (
        "{% for a in r.place_ptr.animals.all %}{{ a.name }}{% endfor %}{{ r.animals.count }}",
        Enclosure.objects,
        3,
    ),
    "count of the parent": ("{{ r.enclosure_part.place_ptr.animals.count }}", Aviary.objects, 2),
    "deferred, parent": ("{{ r.place_ptr.region.name }}", Enclosure.objects.only("fence"), 3),
    "deferred, two levels": (
        "{{ r.enclosure_part.fence }}{{ r.enclosure_part.place_ptr.region.name }}",
        Aviary.objects.only("height"),
        3,
    ),
    "deferred, in part": (
        "{{ r.enclosure_part.place_ptr.region.name }}",
        Aviary.objects.defer("fence"),
        3,
    ),
    "deferred, parent's own": ("{{ r.place_ptr.name }}", Enclosure.objects.defer("name"), 2),
    "a child asked for itself": ("{{ r.enclosure.fence }}", Enclosure.objects, 2),
    "a grandchild asked for its parent's way": (
        "{{ r.enclosure.fence }}{{ r.aviary.height }}",
        Aviary.objects,
        3,
    ),
    "joined": (
        "{{ r.enclosure.aviary.height }}",
        Place.objects.select_related("enclosure__aviary"),
        1,
    ),
}


def check(source, make, expected):
    stock = render(source, make)
    for way in WAYS:
        for observed in (False, True):
            run = render(source, make, way, observed=observed)
            assert run.result() == stock.result()
            assert len(run.queries) == expected, run.queries
            assert len(run.queries) <= len(stock.queries)


@pytest.mark.parametrize(("body", "queryset", "expected"), PAGES.values(), ids=PAGES)
def test_a_load_for_each_relation_and_none_for_a_row(body, queryset, expected):
    check(loop(body), lambda: {"rows": queryset.all()}, expected)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("{{ r.region.name }}", 1),
        ("{{ r.enclosure.fence }}", 3),
        ("{{ r.place_ptr.region.name }}", 1),
        ("{{ r.keeper.name }}", 1),
        ("{{ r.region.name }}{{ r.keeper.region.name }}{{ r.enclosure.fence }}", 6),
    ],
)
def test_rows_of_several_kinds(body, expected):
    check(loop(body), mixed, expected)


@pytest.mark.parametrize("way", WAYS)
def test_parents_are_not_made_where_nothing_is_loaded_beyond_them(way):
    rows = list(Enclosure.objects.all())
    render("{% for r in rows %}{{ r.name }}{{ r.region.name }}{% endfor %}", {"rows": rows}, way)
    assert not any("place_ptr" in row._state.fields_cache for row in rows)


@pytest.mark.parametrize("way", WAYS)
def test_the_policy_says_what_to_load_of_a_child(way):
    run = render(loop("{{ r.enclosure.fence }}"), {"rows": Place.objects.all()}, way, "raise")
    with pytest.raises(Exception, match=r'select_related\("enclosure"\)'):
        run.result()


CODE = {
    "parent": (Enclosure, lambda self: self.place_ptr.region.name, Enclosure.objects, 2),
    "two levels up": (
        Aviary,
        lambda self: self.enclosure_part.place_ptr.region.name,
        Aviary.objects,
        2,
    ),
    "deferred": (
        Enclosure,
        lambda self: self.place_ptr.region.name,
        Enclosure.objects.only("fence"),
        3,
    ),
    "of the parent": (
        Place,
        lambda self: self.enclosure.keeper.name if hasattr(self, "enclosure") else "-",
        Place.objects,
        3,
    ),
}


@needs_fetch_modes
@pytest.mark.parametrize(("model", "code", "queryset", "expected"), CODE.values(), ids=CODE)
def test_code_of_models(monkeypatch, model, code, queryset, expected):
    monkeypatch.setattr(model, "shown", property(code), raising=False)
    check(loop("{{ r.shown }}"), lambda: {"rows": queryset.all()}, expected)
