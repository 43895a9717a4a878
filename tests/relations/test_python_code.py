"""Lazy access inside Python code: properties, methods and ``__str__`` that cross relations."""

import pytest
from django.db.models import Prefetch

from atemplates.relations.batch_loading import HAS_FETCH_MODES
from atemplates.testing import LazyAccessError
from tests.testapp.models import Animal, Passport, Visit

from .pages import WAYS, compare, render

pytestmark = [
    pytest.mark.django_db(databases=["default", "other"]),
    pytest.mark.usefixtures("zoo"),
]
needs_fetch_modes = pytest.mark.skipif(
    not HAS_FETCH_MODES, reason="without fetch modes (Django 6.1) code of a model fetches singly"
)
without_fetch_modes = pytest.mark.skipif(
    HAS_FETCH_MODES, reason="with fetch modes (Django 6.1) code of a model is batched"
)


def loop(body):
    return f"{{% for r in rows %}}\n{body};{{% endfor %}}"


def visible():
    """Those whose text is not an error: their species is there."""
    return Animal.objects.exclude(name="<Ghost>")


# The body, the rows, and the queries on Django 6.1: one for the rows, one for each relation.
CODE = {
    "text": ("{{ r }}", visible, 2),
    "text across two": ("{{ r }}", lambda: Passport.objects.all(), 3),
    "text across three": ("{{ r }}", lambda: Visit.objects.filter(animal__name="Leo"), 4),
    "property": ("{{ r.label }}", visible, 3),
    "kept property": ("{{ r.region_name }}", visible, 3),
    "property in if": ("{% if r.label == 'x' %}{% else %}y{% endif %}", visible, 3),
    "filter on text": ("{{ r|upper }}", visible, 2),
    "deferred in code": ("{{ r.label }}", lambda: visible().only("species"), None),
    "text of a related row": ("{{ r.mother }}", visible, 3),
    "text of rows": (
        "{% for c in r.children.all %}{{ c.label }}{% endfor %}",
        visible,
        3,
    ),
    "beyond what is loaded": ("{{ r.label }}", lambda: visible().select_related("mother"), 2),
    "beyond what was loaded here": ("{{ r.mother.name }}{{ r.label }}", visible, 3),
    "joined": (
        "{{ r.visits.all|join:', ' }}",
        lambda: Animal.objects.filter(name__in=["Leo", "Mara"]),
        None,
    ),
}


@pytest.mark.parametrize("name", CODE)
def test_it_works_on_the_loop(name):
    body, make, queries = CODE[name]
    pages = compare(loop(body), lambda: {"rows": make()})
    assert pages.text.strip(";\n")
    if HAS_FETCH_MODES and queries is not None:
        assert pages.queries[1:] == (queries, queries)


@pytest.mark.parametrize("name", CODE)
def test_fetch_is_as_stock(name):
    body, make, _ = CODE[name]
    pages = compare(loop(body), lambda: {"rows": make()}, "fetch")
    assert pages.queries[1] == pages.queries[2] == pages.queries[0]


@needs_fetch_modes
@pytest.mark.parametrize("way", WAYS)
def test_it_is_recorded_in_batches(way):
    run = render(loop("{{ r.label }}"), {"rows": Animal.objects.all()}, way, observed=True)
    run.result()
    assert run.kinds() == ["rows", "python*", "python*"]
    for event in run.events[1:]:
        assert (event.template, event.line, event.expression) == ("page.html", 2, "r.label")
        assert event.root == "rows"
        assert "testapp/models.py:" in event.source
        assert event.milliseconds > 0
    assert run.events[1].path == ("[]", "mother")
    assert run.events[2].path == ("[]", "mother", "species")


@without_fetch_modes
@pytest.mark.parametrize("way", WAYS)
def test_it_is_recorded_singly(way):
    run = render(loop("{{ r.label }}"), {"rows": Animal.objects.all()}, way, observed=True)
    run.result()
    assert set(run.kinds()) == {"rows", "python"}
    assert len(run.events) == len(run.queries)
    for event in run.events[1:]:
        assert (event.template, event.line, event.expression) == ("page.html", 2, "r.label")
        assert "testapp/models.py:" in event.source
        assert not event.batch


@pytest.mark.parametrize("way", WAYS)
def test_raise_names_the_code(way):
    run = render(loop("{{ r.label }}"), {"rows": Animal.objects.all()}, way, "raise")
    with pytest.raises(LazyAccessError, match=r"testapp/models\.py:\d+") as raised:
        run.result()
    assert (raised.value.location.template, raised.value.location.line) == ("page.html", 2)
    assert raised.value.expression == "r.label"
    assert raised.value.suggestion


@pytest.mark.parametrize(
    "way",
    # On the loop Django's guard raises where the code catches, unless a fetch mode comes first.
    ["sync", pytest.param("async", marks=needs_fetch_modes)],
)
def test_code_that_catches_everything_hides_no_error(way):
    class Careful(Animal):
        class Meta:
            proxy = True
            app_label = "testapp"

        @property
        def safe_mother(self):
            try:
                return self.mother.name
            except Exception:
                return "caught"

    try:
        rows = list(Careful.objects.filter(name="Leo"))
        with pytest.raises(LazyAccessError):
            render(loop("{{ r.safe_mother }}"), {"rows": rows}, way, "raise").result()
    finally:
        Careful._meta.apps.all_models["testapp"].pop("careful")
        Careful._meta.apps.clear_cache()


# -- a fetch mode that the user chose --------------------------------------------------------------


@needs_fetch_modes
class TestOwnMode:
    """Django 6.1: ``queryset.fetch_mode(...)`` is the user's word."""

    @pytest.mark.parametrize("way", WAYS)
    @pytest.mark.parametrize("policy", ["batch", "fetch", "raise"])
    @pytest.mark.parametrize("body", ["{{ r.home.name }}", "{{ r }}", "{{ r.label }}"])
    def test_peers(self, body, policy, way):
        from django.db.models import FETCH_PEERS

        rows = visible().fetch_mode(FETCH_PEERS)
        stock = render(loop(body), {"rows": rows.all()})
        run = render(loop(body), {"rows": rows.all()}, way, policy)
        assert run.result() == stock.text
        assert run.queries == stock.queries

    @pytest.mark.parametrize("way", WAYS)
    @pytest.mark.parametrize("policy", ["batch", "fetch", "raise"])
    @pytest.mark.parametrize(
        "body", ["{{ r.home.name }}", "{{ r }}", "{{ r.label }}", "{{ r.story }}"]
    )
    def test_raise(self, body, policy, way):
        from django.core.exceptions import FieldFetchBlocked
        from django.db.models import FETCH_RAISE as RAISE

        rows = Animal.objects.defer("story").fetch_mode(RAISE)
        with pytest.raises(FieldFetchBlocked):
            render(loop(body), {"rows": rows.all()}, way, policy).result()

    @pytest.mark.parametrize("way", WAYS)
    def test_raise_is_not_swallowed_by_if(self, way):
        from django.core.exceptions import FieldFetchBlocked
        from django.db.models import FETCH_RAISE as RAISE

        rows = Animal.objects.fetch_mode(RAISE)
        source = loop("{% if r.home.name == 'x' %}{% endif %}")
        with pytest.raises(FieldFetchBlocked):
            render(source, {"rows": rows.all()}, way).result()

    @pytest.mark.parametrize("way", WAYS)
    def test_rows_of_both_kinds_in_one_list(self, way):
        from django.db.models import FETCH_PEERS

        def make():
            own = visible().filter(name__startswith="C").fetch_mode(FETCH_PEERS)
            return {"rows": [*visible().exclude(name__startswith="C"), *own]}

        stock = render(loop("{{ r.mother.name }}{{ r }}"), make)
        run = render(loop("{{ r.mother.name }}{{ r }}"), make, way)
        assert run.result() == stock.text
        assert len(run.queries) <= len(stock.queries)

    @pytest.mark.parametrize("way", WAYS)
    @pytest.mark.parametrize("source", ["children", "friends", "notes"])
    def test_rows_of_a_relation_inherit_the_mode(self, source, way):
        from django.core.exceptions import FieldFetchBlocked
        from django.db.models import FETCH_PEERS, FETCH_RAISE

        body = f"{{% for x in r.{source}.all %}}{{{{ x.home.name }}}}{{{{ x.text }}}}{{% endfor %}}"
        body += "{% for x in r.visits.all %}{{ x.visitor.name }}{% endfor %}"
        rows = visible().fetch_mode(FETCH_PEERS)
        stock = render(loop(body), {"rows": rows.all()})
        run = render(loop(body), {"rows": rows.all()}, way)
        assert run.result() == stock.text
        assert run.queries == stock.queries
        with pytest.raises(FieldFetchBlocked):
            render(loop(body), {"rows": rows.fetch_mode(FETCH_RAISE)}, way).result()

    @pytest.mark.parametrize("way", WAYS)
    def test_the_mode_of_a_prefetch(self, way):
        from django.core.exceptions import FieldFetchBlocked
        from django.db.models import FETCH_RAISE as RAISE

        rows = Animal.objects.prefetch_related(
            Prefetch("children", Animal.objects.fetch_mode(RAISE))
        )
        source = loop("{{ r.home.name }}{% for c in r.children.all %}{{ c.home.name }}{% endfor %}")
        with pytest.raises(FieldFetchBlocked):
            render(source, {"rows": rows}, way).result()
