"""Relations in parts and rows that are rendered at the same time: as many queries as without."""

import pytest

from tests.testapp.models import Animal, Note, Species

from .pages import WAYS, backend, render
from .test_batch import RELATIONS, loop, rows

pytestmark = pytest.mark.django_db(databases=["default", "other"])


def parallel(source, limit=""):
    return f"{{% load atemplates %}}{{% parallel {limit} %}}{source}{{% endparallel %}}"


@pytest.fixture(autouse=True)
def animals(zoo):
    return zoo


def same(source, make, queries=None, **options):
    """Render a page with and without the tag, and compare output and number of queries."""
    stock = render(source, make, **options)
    for way in WAYS:
        plain = render(source, make, way, **options)
        ours = render(parallel(source), make, way, **options)
        assert (way, ours.result()) == (way, stock.result())
        assert len(ours.queries) == len(plain.queries), (way, ours.queries, plain.queries)
        if queries is not None:
            assert len(ours.queries) == queries, (way, ours.queries)
    return ours


@pytest.mark.parametrize("name", RELATIONS)
def test_rows_at_the_same_time_load_a_relation_once(name):
    body, manager, queries = RELATIONS[name]
    same(loop(body), rows(manager), queries)


@pytest.mark.parametrize("limit", ["1", "2", "limit=50"])
def test_with_a_limit(limit):
    body = "{{ r.home.region.name }}{% for c in r.children.all %}{{ c.home.name }}{% endfor %}"
    stock = render(loop(body), rows(Animal.objects))
    ours = render(parallel(loop(body), limit), rows(Animal.objects), "async")
    assert ours.result() == stock.result()
    assert len(ours.queries) == len(render(loop(body), rows(Animal.objects), "async").queries)


def test_parts_share_what_one_of_them_has_loaded():
    source = "".join([loop("{{ r.home.name }}"), loop("{{ r.home.name }}{{ r.chip.code }}")])
    same(source, rows(Animal.objects), 3)


def test_parts_load_different_things():
    def make():
        return {"rows": Animal.objects.all(), "others": Note.objects.all()}

    source = loop("{{ r.home.name }}") + "{% for n in others %}{{ n.about.name }}{% endfor %}"
    same(source, make)


def test_counts_of_rows_at_the_same_time_are_one_query():
    same(loop("{{ r.children.count }}{% if r.foods.exists %}x{% endif %}"), rows(Animal.objects), 3)


def test_properties_of_rows_at_the_same_time():
    same(loop("{{ r }}{{ r.home.name }}"), rows(Animal.objects.filter(species__hidden=False)))
    same(loop("{{ r.label }}"), rows(Animal.objects.filter(species__hidden=False)))


def test_a_loop_in_a_row():
    body = "{% for a in r.animals.all %}{{ a.home.name }}{% for f in a.foods.all %}{{ f.region.name }}{% endfor %}{% endfor %}"
    same(loop(body), rows(Species.everything))


def test_rows_within_rows_at_the_same_time():
    inner = parallel("{% for f in a.foods.all %}{{ f.region.name }}{% endfor %}")
    plain = "{% for f in a.foods.all %}{{ f.region.name }}{% endfor %}"
    stock = render(loop(plain, "a"), rows(Animal.objects))
    ours = render(parallel(loop(inner, "a")), rows(Animal.objects), "async")
    assert ours.result() == stock.result()
    assert len(ours.queries) == 3, ours.queries


def test_a_strict_policy_names_the_line():
    source = parallel("\n" + loop("\n{{ r.home.name }}"))
    for way in WAYS:
        run = render(source, rows(Animal.objects), way, "raise")
        assert type(run.error).__name__ == "LazyAccessError"
        assert run.error.location.line == 3
        assert run.error.suggestion


@pytest.mark.parametrize("observed", [False, True])
def test_events_are_those_of_one_load(observed):
    run = render(
        parallel(loop("{{ r.home.name }}")), rows(Animal.objects), "async", observed=observed
    )
    kinds = [kind for kind in run.kinds() if kind.startswith("relation")]
    assert kinds == (["relation*"] if observed else [])


def test_nothing_is_left_on_the_instances():
    animals = list(Animal.objects.filter(species__hidden=False))
    template = backend(parallel(loop("{{ r }}{{ r.home.name }}")))
    from tests.rendering import run_async

    run_async(template.get_template("page.html").render_async, {"rows": animals})
    for animal in animals:
        mode = getattr(animal._state, "fetch_mode", None)
        assert not type(mode).__module__.startswith("atemplates")
