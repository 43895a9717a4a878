"""What the view's queryset means for the report: only(), defer(), values(), to_attr, managers."""

from types import ModuleType

import pytest
from django.core.exceptions import FieldError
from django.db.models import Prefetch
from django.shortcuts import render
from django.template import Context, engines
from django.urls import path

from atemplates.analysis.django import access_paths
from atemplates.engines.django import render_template
from atemplates.inference.data import Data
from atemplates.inference.types import type_of_data
from atemplates.inference.views import ViewRendering, renderings
from atemplates.migration.analysis import analyse
from atemplates.migration.edits import edits_for
from atemplates.migration.findings import call_of
from atemplates.migration.formats import as_sarif, as_text, report_as_json
from atemplates.relations.policy import relations
from atemplates.testing import LazyAccessError
from tests.testapp.models import Animal, Enclosure, Region

pytestmark = pytest.mark.django_db(databases=["default", "other"])


def parsed(body):
    return engines["django"].from_string(f"{{% for r in rows %}}{body}{{% endfor %}}").template


def report_of(body, queryset):
    rendering = ViewRendering(
        "view", "it.html", "views.py", 1, {"rows": type_of_data(Data(queryset))}
    )
    return analyse({"it.html": access_paths(parsed(body))}, [rendering])


def rendered(body, queryset):
    with relations("raise"):
        return render_template(parsed(body), Context({"rows": queryset}))


# -- only() and defer() ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("queryset", "body", "call", "also", "mended"),
    [
        (
            lambda: Animal.objects.only("name"),
            "{{ r.home.name }}",
            '.select_related("home")',
            "home",
            lambda: Animal.objects.only("name", "home"),
        ),
        (
            lambda: Animal.objects.select_related("home").only("name", "home__name"),
            "{{ r.home.region.name }}",
            '.select_related("home__region")',
            "home__region",
            lambda: Animal.objects.only("name", "home__name", "home__region"),
        ),
        (
            lambda: Animal.objects.only("name"),
            "{{ r.passport.number }}",
            '.select_related("passport")',
            "passport",
            lambda: Animal.objects.only("name", "passport"),
        ),
        (
            lambda: Animal.objects.defer("home", "story"),
            "{{ r.home.region.name }}",
            '.select_related("home__region")',
            "home",
            lambda: Animal.objects.defer("story"),
        ),
    ],
)
def test_a_join_of_a_deferred_key(zoo, queryset, body, call, also, mended):
    report = report_of(body, queryset())
    assert call_of(report.findings) == call
    (said,) = {each.also for each in report.findings if each.also}
    assert f'name "{also}" in .only(), or take it out of .defer()' in said
    for as_format in (as_text, report_as_json, as_sarif):
        assert "in .only()" in as_format(report)
    with pytest.raises(FieldError, match="deferred"):
        rendered(body, eval(f"queryset{call}", {"queryset": queryset()}))
    assert rendered(body, eval(f"queryset{call}", {"queryset": mended()}))
    assert not report_of(body, eval(f"queryset{call}", {"queryset": mended()})).findings


def test_a_prefetch_through_a_deferred_key(zoo):
    body = "{{ r.species.name }}"
    (finding,) = report_of(body, Animal.objects.only("name")).findings
    assert finding.call == '.prefetch_related("species")'
    assert "it takes a query for each row" in finding.also
    assert rendered(body, Animal.objects.only("name", "species").prefetch_related("species"))


@pytest.mark.parametrize(
    ("queryset", "body"),
    [
        (lambda: Animal.objects.only("name", "home"), "{{ r.home.name }}"),
        (lambda: Animal.objects.only("home_id"), "{{ r.home.name }}"),
        (lambda: Animal.objects.defer("story"), "{{ r.home.name }}"),
        (lambda: Animal.objects.only("name"), "{{ r.foods.count }}"),
        (lambda: Animal.objects.only("passport__number"), "{{ r.passport.number }}"),
        (lambda: Enclosure.objects.only("fence", "region"), "{{ r.region.name }}"),
    ],
)
def test_a_call_that_works_as_it_is(zoo, queryset, body):
    report = report_of(body, queryset())
    assert [each.also for each in report.findings] == [""]
    assert rendered(body, eval(f"q{call_of(report.findings)}", {"q": queryset()}))


def test_it_is_no_edit_that_can_be_made(zoo):
    report = report_of("{{ r.home.name }}", Animal.objects.only("name"))
    edits, by_hand = edits_for(report)
    assert edits == {}
    assert 'add .select_related("home")' in by_hand[0]
    assert 'also name "home" in .only()' in by_hand[0]


@pytest.mark.parametrize(
    ("queryset", "body", "advice"),
    [
        (lambda: Animal.objects.only("name"), "{{ r.weight }}", "weight"),
        (lambda: Animal.objects.defer("story"), "{% if r.story %}x{% endif %}", "story"),
        (lambda: Animal.objects.only("name"), "{{ r.home_id }}", "home_id"),
        (lambda: Enclosure.objects.only("fence"), "{{ r.name }}", "name"),
        (
            lambda: Animal.objects.select_related("home").only("name", "home__name"),
            "{{ r.home.region_id }}",
            "home__region_id",
        ),
    ],
)
def test_a_column_that_is_deferred(zoo, queryset, body, advice):
    (finding,) = report_of(body, queryset()).findings
    assert (finding.kind, finding.call) == ("deferred", "")
    assert f'add "{advice}" to only()' in finding.advice
    with pytest.raises(LazyAccessError):
        rendered(body, queryset())


@pytest.mark.parametrize(
    ("queryset", "body"),
    [
        (lambda: Animal.objects.only("name"), "{{ r.pk }}{{ r.id }}{{ r.name }}"),
        (lambda: Animal.objects.only("home"), "{{ r.home_id }}"),
        (lambda: Animal.objects.defer("story"), "{{ r.name }}{{ r.label.x }}"),
        (lambda: Animal.objects.select_related("home").only("home"), "{{ r.home.region_id }}"),
        (lambda: Animal.objects.all(), "{{ r.story }}"),
    ],
)
def test_a_column_that_is_there(zoo, queryset, body):
    assert report_of(body, queryset()).findings == []


def test_what_is_recorded_of_a_deferred_column_is_the_same_finding(zoo):
    from atemplates.migration.recordings import access_record
    from atemplates.relations.policy import observe_everywhere

    seen = []
    end = observe_everywhere(lambda event: seen.append(access_record(event)))
    render_template(parsed("{{ r.weight }}"), Context({"rows": Animal.objects.only("name")}))
    end()
    rendering = ViewRendering(
        "", "it.html", "views.py", 1, {"rows": type_of_data(Data(Animal.objects.only("name")))}
    )
    paths = access_paths(parsed("{{ r.weight }}"))
    for each in seen:
        each.template = "it.html"
    (finding,) = analyse({"it.html": paths}, [rendering], seen).findings
    assert finding.status == "confirmed"


# -- values() --------------------------------------------------------------------------------------


def view(request, names):
    rows = Animal.objects.select_related("home")
    context = {
        "dicts": rows.values("name", "home__name"),
        "tuples": rows.values_list("home", flat=True),
        "some": rows.values(*names),
        "days": Animal.objects.dates("born", "year"),
        "numbers": Animal.objects.filter(weight__gt=request.x).aggregate(n=names),
        "rows": rows.filter(weight__gt=request.x),
        "narrow": rows.only("name", "home"),
    }
    return render(request, "it.html", context)


def test_rows_of_values_are_no_instances():
    urls = ModuleType("urls")
    urls.urlpatterns = [path("", view, name="it")]
    (rendering,) = [each for each in renderings(urls)[0] if each.view == "it"]
    assert rendering.loaded.keys() == {"rows", "narrow"}


# -- Prefetch(to_attr=...) -------------------------------------------------------------------------

LISTS = [
    lambda: Prefetch("foods", to_attr="r_foods"),
    lambda: Prefetch("children", Animal.objects.order_by("weight"), to_attr="r_children"),
    lambda: Prefetch("mother__children", Animal.objects.filter(weight__gt=0), to_attr="r_sisters"),
]


@pytest.mark.parametrize(
    ("made", "body", "call"),
    [
        (0, "{% for f in r.r_foods %}{{ f.name }}{% endfor %}", ""),
        (
            0,
            "{% for f in r.r_foods %}{{ f.region.name }}{% endfor %}",
            '.prefetch_related("r_foods__region")',
        ),
        (0, "{{ r.r_foods.0.region.name }}", '.prefetch_related("r_foods__region")'),
        (
            1,
            "{% for c in r.r_children %}{{ c.home.name }}{{ c.r_foods }}{% endfor %}",
            '.prefetch_related("r_children__home")',
        ),
        (
            2,
            "{% for c in r.mother.r_sisters %}{{ c.chip.code }}{% endfor %}",
            '.prefetch_related("mother__r_sisters__chip")',
        ),
        # the relation itself is not loaded by it
        (0, "{% for f in r.foods.all %}{{ f }}{% endfor %}", '.prefetch_related("foods")'),
    ],
)
def test_the_list_of_a_prefetch(zoo, made, body, call):
    queryset = Animal.objects.prefetch_related(LISTS[made]())
    if made == 2:
        queryset = Animal.objects.select_related("mother").prefetch_related(LISTS[made]())
    report = report_of(body, queryset)
    assert call_of(report.findings) == call
    if call:
        with pytest.raises(LazyAccessError):
            rendered(body, queryset.all())
        rendered(body, eval(f"q{call}", {"q": queryset.all()}))
    else:
        rendered(body, queryset.all())


def test_lists_inside_lists(zoo):
    inner = Region.objects.prefetch_related(Prefetch("species", to_attr="kinds"))
    queryset = Animal.objects.select_related("home").prefetch_related(
        Prefetch("foods", to_attr="meals"), Prefetch("meals__region", inner)
    )
    body = (
        "{% for f in r.meals %}{{ f.region.name }}"
        "{% for s in f.region.kinds %}{{ s.animals.count }}{% endfor %}{% endfor %}"
    )
    report = report_of(body, queryset)
    assert call_of(report.findings) == '.prefetch_related("meals__region__kinds__animals")'


# -- managers --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "offered"),
    [
        ("{{ r.visits.latest.year }}", 'Prefetch("visits", queryset=..., to_attr="latest_visits")'),
        ("{{ r.foods.last.name }}", 'Prefetch("foods", queryset=..., to_attr="last_foods")'),
        (
            "{% for f in r.foods.distinct %}{{ f.name }}{% endfor %}",
            'Prefetch("foods", queryset=..., to_attr="distinct_foods")',
        ),
        ("{{ r.mother.foods.last.name }}", 'Prefetch("mother__foods", queryset=...'),
    ],
)
def test_what_a_prefetch_does_not_help(zoo, body, offered):
    """Also not when the view has prefetched it."""
    for queryset in (Animal.objects.all(), Animal.objects.prefetch_related("visits", "foods")):
        report = report_of(body, queryset)
        (finding,) = [each for each in report.findings if each.kind == "call"]
        assert finding.call == ""
        assert finding.advice.startswith("a prefetch does not help .")
        assert offered in finding.advice
        assert "does not help" in as_text(report)
    with pytest.raises(LazyAccessError):
        rendered(body, Animal.objects.select_related("mother").prefetch_related("visits", "foods"))


def test_what_is_offered_helps(zoo):
    from tests.testapp.models import Food

    offered = Prefetch("foods", queryset=Food.objects.order_by("-name"), to_attr="last_foods")
    body = "{{ r.last_foods.0.name }}"
    queryset = Animal.objects.prefetch_related(offered)
    assert report_of(body, queryset).findings == []
    assert "nuts" in rendered(body, queryset)
