"""Each load and each query that a page causes is an event; without an observer there is none."""

import asyncio

import pytest
from django.db.models import F

from atemplates.relations import reporting
from atemplates.relations.policy import observe_everywhere, observing
from atemplates.testing import LazyAccessError, record
from tests.testapp.models import Animal, Chip, Note, Place

from .pages import WAYS, backend, render

pytestmark = [
    pytest.mark.django_db(databases=["default", "other"]),
    pytest.mark.usefixtures("zoo"),
]


def loop(body):
    return f"{{% for r in rows %}}\n{body};{{% endfor %}}"


def animals():
    return {"rows": Animal.objects.all()}


A = "testapp.Animal"
COUNT = 7
ALL = ("rows", 1, "rows", (), A, COUNT, False)

# kind, line, expression, path, model, rows, batch; after the event for the rows themselves
EVENTS = {
    "foreign key": (
        "{{ r.home.name }}",
        [("relation", 2, "r.home.name", ("[]", "home"), A, 3, True)],
    ),
    "beyond": (
        "{{ r.home.region.name }}",
        [
            ("relation", 2, "r.home.region.name", ("[]", "home"), A, 3, True),
            (
                "relation",
                2,
                "r.home.region.name",
                ("[]", "home", "region"),
                "testapp.Place",
                2,
                True,
            ),
        ],
    ),
    "reverse": (
        "{{ r.children.all|length }}",
        [("rows", 2, "r.children.all|length", ("[]", "children"), A, COUNT, True)],
    ),
    "count": (
        "{{ r.foods.count }}",
        [("count", 2, "r.foods.count", ("[]", "foods"), A, COUNT, True)],
    ),
    "exists": (
        "{% if r.foods.exists %}x{% endif %}",
        [("exists", 2, "r.foods.exists", ("[]", "foods"), A, COUNT, True)],
    ),
}


def facts(event):
    return (
        event.kind,
        event.line,
        event.expression,
        event.path,
        event.model,
        event.rows,
        event.batch,
    )


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", EVENTS)
def test_what_an_event_says(name, way):
    body, expected = EVENTS[name]
    run = render(loop(body), animals, way, observed=True)
    run.result()
    assert [facts(event) for event in run.events] == [ALL, *expected]
    for event in run.events:
        assert (event.template, event.root) == ("page.html", "rows")
        assert event.milliseconds > 0
        assert str(event.line) in str(event)
    assert len(run.queries) == len(run.events)
    first, *lazy = run.events
    assert not first.is_lazy
    assert not first.suggestion
    assert all(event.is_lazy for event in lazy)
    assert all(event.suggestion for event in lazy)


@pytest.mark.parametrize("way", WAYS)
def test_a_deferred_field_and_a_key(way):
    chips = {"rows": Chip.objects.only("id")}
    run = render(loop("{{ r.code }}"), chips, way, observed=True)
    assert run.kinds() == ["rows", "deferred*"]
    assert run.events[1].rows == 3
    # The rows of tickets are found by the code, which was left out.
    run = render(
        loop("{{ r.tickets.all|length }}"),
        lambda: {"rows": Chip.objects.only("id")},
        way,
        observed=True,
    )
    assert run.kinds() == ["rows", "deferred*", "rows*"]


@pytest.mark.parametrize("way", WAYS)
def test_fetch_is_told_of_one_by_one(way):
    run = render(loop("{{ r.home.name }}"), animals, way, "fetch", observed=True)
    assert run.kinds() == ["rows", "relation", "relation", "relation"]
    assert [event.rows for event in run.events[1:]] == [1, 1, 1]
    assert len(run.queries) == len(run.events)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("policy", ["batch", "fetch", "warn"])
@pytest.mark.filterwarnings("ignore::atemplates.testing.LazyAccessWarning")
def test_every_query_has_its_event(way, policy):
    """A page with a bit of everything: as many events as queries, whatever the policy."""
    source = (
        "{{ total.count }}{% if total.exists %}{{ total.first.name }}{{ total.0.name }}{% endif %}"
        + loop(
            "{{ r.home.region.name }}{{ r.mother.name }}{{ r.foods.count }}{{ r.passport.number }}"
            "{% for c in r.children.all %}{{ c.chip.code }}{{ c.foods.all|length }}{% endfor %}"
            "{{ r.foods.first }}{{ r.egg_set.all|slice:':1'|length }}{{ r.children.last.name }}"
            "{% if r in r.friends.all %}x{% endif %}{{ r.origin.name }}{{ r.archive.shelf }}"
        )
    )
    run = render(
        source,
        lambda: {"rows": Animal.objects.all(), "total": Place.objects.all()},
        way,
        policy,
        observed=True,
    )
    run.result()
    # A chunk whose keys lead to several databases, say, may take more; this one does not.
    assert len(run.events) == len(run.queries), "\n".join(map(str, run.events))


@pytest.mark.parametrize("way", WAYS)
def test_under_raise_an_error_is_not_an_event(way):
    run = render(loop("{{ r.home.name }}"), animals, way, "raise", observed=True)
    assert isinstance(run.error, LazyAccessError)
    assert run.kinds() == ["rows"]
    run = render(loop("{{ r.foods.first }}"), animals, way, "raise", observed=True)
    assert isinstance(run.error, LazyAccessError)
    assert run.kinds() == ["rows"]


@pytest.mark.parametrize("way", WAYS)
def test_a_query_that_fails_is_not_an_event_of_rows(way):
    broken = Animal.objects.annotate(n=F("pk") / 0).extra(where=["no_such_function(1)"])
    run = render(loop("x"), {"rows": broken}, way, observed=True)
    assert run.error is not None
    assert run.events == []


@pytest.mark.parametrize("way", WAYS)
def test_the_view_is_named_when_the_context_knows_the_request(way, rf):
    request = rf.get("/animals/")
    request.resolver_match = type("Match", (), {"view_name": "zoo:animals"})()
    run = render(
        loop("{{ r.home.name }}"), lambda: {**animals(), "request": request}, way, observed=True
    )
    assert {event.view for event in run.events} == {"zoo:animals"}


@pytest.mark.parametrize("way", WAYS)
def test_events_of_an_include_name_the_included_template(way):
    run = render(
        loop("{% include 'row' %}"),
        animals,
        way,
        others={"row": "\n\n{{ r.home.name }}"},
        observed=True,
    )
    assert [(event.template, event.line) for event in run.events] == [("page.html", 1), ("row", 3)]
    assert run.events[1].root == "rows"


@pytest.mark.parametrize("way", WAYS)
def test_generic_keys_are_one_event_for_each_kind(way):
    run = render(loop("{{ r.about.name }}"), {"rows": Note.objects.all()}, way, observed=True)
    run.result()
    assert run.kinds() == ["rows", "relation*", "relation"]


# -- observers -------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", WAYS)
def test_without_an_observer_no_event_is_made(way, monkeypatch):
    made = []

    class Counted(reporting.Event):
        def __init__(self, *args, **kwargs):
            made.append(self)
            super().__init__(*args, **kwargs)

    monkeypatch.setattr(reporting, "Event", Counted)
    source = loop(
        "{{ r.home.name }}{{ r.foods.count }}{% for c in r.children.all %}{{ c.name }}{% endfor %}"
        "{{ r.label }}{{ r.foods.first }}"
    )
    run = render(source, animals, way)
    run.result()
    assert made == []
    assert not any(wait.notify for wait in run.waits)
    render(source, animals, way, observed=True).result()
    assert made


async def test_record_is_for_async_with_too():
    template = backend(loop("{{ r.home.name }}")).get_template("page.html")
    async with record() as log:
        await template.render_async(animals())
        assert [event.kind for event in log] == ["rows", "relation"]
    assert [event.kind for event in log.lazy] == ["relation"]
    assert "page.html:2: r.home.name - relation rows[].home" in str(log)
    await template.render_async(animals())
    assert len(log) == 2
    async with record() as log:
        await template.render_async({"rows": []})
    assert str(log) == "nothing was loaded"


async def test_each_task_has_its_own_record():
    template = backend(loop("{{ r.home.name }}")).get_template("page.html")

    async def page(kind):
        async with record() as log:
            await template.render_async({"rows": kind.objects.all()})
        return [event.model for event in log if event.kind == "rows"]

    models = await asyncio.gather(page(Animal), page(Note), page(Animal))
    assert models == [[A], ["testapp.Note"], [A]]


@pytest.mark.parametrize("way", WAYS)
def test_several_observers_hear_the_same(way):
    first, second = [], []
    end = observe_everywhere(first.append)
    try:
        with observing(second.append):
            run = render(loop("{{ r.home.name }}"), animals, way, observed=True)
    finally:
        end()
    assert first == second == run.events
    assert len(first) == 2
    render(loop("{{ r.home.name }}"), animals, way)
    assert len(first) == 2
