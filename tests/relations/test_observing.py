"""Observing never runs the site's code, never changes a page, and never ends one."""

import logging

import pytest
from django.db import connections
from django.db.models import Manager, QuerySet
from django.http import HttpRequest
from django.test import RequestFactory
from django.utils.functional import SimpleLazyObject

from atemplates.engines.jinja2 import Jinja2
from atemplates.relations.models import (
    attributes,
    owner_of,
    static_attribute,
    static_rows,
    static_text,
)
from atemplates.relations.policy import LazyAccessError, observe_everywhere, observing
from atemplates.relations.render_relations import RenderRelations
from atemplates.runtime.sites import Site
from atemplates.testing import record
from tests.rendering import run_async
from tests.testapp.models import Animal

from .pages import backend, render

pytestmark = pytest.mark.django_db(databases=["default", "other"])

WAYS = ("sync", "async")
CALLS = []


def noting(name):
    def method(self, *args):
        CALLS.append((name, *map(repr, args)))
        raise ValueError(f"{name} was asked")

    return method


HOSTILE = ("__eq__", "__bool__", "__len__", "__repr__", "__iter__", "__getattr__", "__hash__")


class Hostile:
    """Says an error to whoever asks anything of it but its text and its method."""

    def __init__(self):
        self.kept = "kept"

    def method(self):
        """A method that queries."""
        return Animal.objects.count()

    def __str__(self):
        return f"{Animal.objects.count()} animals"


for name in HOSTILE:
    setattr(Hostile, name, noting(name))


class LyingClass(Hostile):
    """Stock Django itself asks what class it is: what counts is how often."""

    __class__ = property(lambda self: CALLS.append(("__class__",)) or Hostile)


class LyingDict(Hostile):
    __dict__ = property(noting("__dict__"))

    def __init__(self):
        pass


class OddList(list):
    """A list that says nothing about itself, but by iterating."""

    __len__ = noting("__len__")
    __getitem__ = noting("__getitem__")
    __eq__ = noting("__eq__")
    __bool__ = noting("__bool__")
    __getattr__ = noting("__getattr__")


class OddManager(Manager):
    __getattr__ = noting("__getattr__")


class OddQuerySet(QuerySet):
    __getattr__ = noting("__getattr__")


def hostile():
    return {
        "h": Hostile(),
        "liar": LyingClass(),
        "dictless": LyingDict(),
        "lazy": SimpleLazyObject(Hostile),
        "odd": OddQuerySet(Animal).order_by("pk"),
        "animals": Animal.objects.order_by("pk"),
    }


SOURCES = [
    "{{ h.method }}",
    "{{ h }}",
    "{{ h.kept }}",
    "{{ liar }}",
    "{{ liar.method }}",
    "{{ dictless }}",
    "{{ dictless.method }}",
    "{{ lazy.method }}",
    "{{ lazy }}",
    "{% for a in odd %}{{ a.home.name }}{% endfor %}",
    "{{ odd.count }}{{ odd.first.home.name }}",
    "{% with x=h %}{{ x.method }}{{ x }}{% endwith %}",
    "{% for a in animals %}{{ h.method }}{{ h }}{{ a.home.name }}{% endfor %}",
    "{{ h|stringformat:'s' }}",
]


@pytest.fixture(autouse=True)
def forgotten():
    CALLS.clear()


@pytest.mark.parametrize("policy", [None, "warn"])
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.filterwarnings("ignore::atemplates.testing.LazyAccessWarning")
def test_a_page_with_odd_values_is_the_same_when_it_is_observed(zoo, way, source, policy):
    plain = render(source, hostile, way)
    before, CALLS[:] = list(CALLS), []
    observed = render(source, hostile, way, policy, observed=True)
    assert observed.result() == plain.result()
    assert before == CALLS, "what the page asked by itself"


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("source", ["{{ h.method }}", "{{ h }}", "{{ h|stringformat:'s' }}"])
def test_what_odd_values_ask_is_told(zoo, way, source):
    run = render(source, hostile, way, observed=True)
    assert [event.kind for event in run.events] == ["call"]
    assert run.events[0].root == "h"


def test_rows_in_a_list_of_an_odd_class(zoo):
    """The batch finds the rows beside a row, and asks the list nothing."""
    loops = RenderRelations("batch").loops
    rows = OddList(Animal.objects.order_by("pk"))
    loops.follow([(rows, None, Site(("rows", "rows"), "rows.rows"), False, True)])
    assert loops.peers(static_rows(rows)[1])[1] is static_rows(rows)[2]
    assert loops.path_to(static_rows(rows)[1], "row") == ("rows", ("rows", "[]"))
    assert CALLS == []


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    "make",
    [Hostile, lambda: SimpleLazyObject(Hostile), str, HttpRequest, lambda: SimpleLazyObject(dict)],
)
def test_a_variable_called_request(zoo, way, make):
    request_ = make()
    run = render(
        "{{ animals.count }}", lambda: {**hostile(), "request": request_}, way, observed=True
    )
    run.result()
    assert [event.view for event in run.events] == [""]
    assert CALLS == []
    if type(request_) is SimpleLazyObject:
        assert type(attributes(request_)["_wrapped"]) is object, "nobody woke it"


def test_the_view_of_a_request_that_a_lazy_object_holds(zoo):
    request = RequestFactory().get("/")
    request.resolver_match = type("Match", (), {"view_name": "shop:list"})()
    request = SimpleLazyObject(lambda request=request: request)
    assert request.method == "GET"
    run = render(
        "{{ animals.count }}", lambda: {**hostile(), "request": request}, observed=True, way="sync"
    )
    assert [event.view for event in run.events] == ["shop:list"]


# -- errors of whoever observes --------------------------------------------------------------------

LOOP = "{% for a in animals %}{{ a.home.name }} {% endfor %}{{ animals.count }}"


class Failing:
    """An observer that fails, and cannot even be named."""

    def __call__(self, event):
        raise RuntimeError("no room left")

    def __repr__(self):
        raise RuntimeError("no name")


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("error", [Failing(), lambda event: 1 / 0])
def test_an_observer_that_fails_is_logged_and_the_others_are_told(zoo, way, error, caplog):
    plain = render(LOOP, hostile, way)
    with observing(error):
        run = render(LOOP, hostile, way, observed=True)
    assert run.result() == plain.text
    assert run.events
    failed = [each for each in caplog.records if each.name == "atemplates"]
    assert len(failed) == len(run.events)
    assert all(each.levelno == logging.ERROR and each.exc_info for each in failed)


@pytest.mark.parametrize("way", WAYS)
def test_a_global_observer_that_fails(zoo, way, caplog):
    end = observe_everywhere(Failing())
    try:
        render(LOOP, hostile, way).result()
    finally:
        end()
    assert "no room left" in caplog.text


@pytest.mark.parametrize("way", ["render", "render_async"])
def test_an_observer_of_a_jinja2_page_that_fails(zoo, way, caplog):
    engine = Jinja2({"NAME": "j", "DIRS": [], "APP_DIRS": False, "OPTIONS": {}})
    page = engine.from_string("{% for a in animals %}{{ a.home.name }}{% endfor %}{{ h.method() }}")
    with observing(Failing()):
        text = (
            run_async(page.render_async, hostile())
            if way == "render_async"
            else page.render(hostile())
        )
    assert text
    assert "no room left" in caplog.text


@pytest.mark.parametrize("way", WAYS)
def test_the_policy_is_no_error_of_an_observer(zoo, way):
    with observing(Failing()):
        run = render(LOOP, hostile, way, "raise", observed=True)
    assert type(run.error) is LazyAccessError


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("policy", [None, "raise"])
def test_an_error_of_ours_in_describing_is_logged(zoo, way, policy, caplog, monkeypatch):
    """Whatever goes wrong there: the page is the same, and the policy still has its say."""

    def fail(*args):
        raise RuntimeError("cannot describe")

    monkeypatch.setattr("atemplates.relations.reporting.suggestion", fail)
    run = render(LOOP, hostile, way, policy, observed=True)
    if policy == "raise":
        assert type(run.error) is LazyAccessError
    else:
        assert run.result()
    assert "cannot describe" in caplog.text


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", ["find_query_source", "source_of_step"])
def test_an_error_of_ours_in_watching_is_logged(zoo, way, name, caplog, monkeypatch):
    def fail(*args):
        raise RuntimeError("cannot watch")

    monkeypatch.setattr(f"atemplates.relations.query_attribution.{name}", fail)
    monkeypatch.setattr(f"atemplates.relations.render_relations.{name}", fail, raising=False)
    assert render("{{ h.method }}", hostile, way, observed=True).result()
    assert "cannot watch" in caplog.text


def test_a_statement_that_is_no_string(zoo):
    """psycopg's ``sql.SQL(...)`` is an object of its own."""

    class Statement:
        __getattr__ = noting("__getattr__")

    sent = []
    relations = RenderRelations("batch", (lambda event: None,))
    with relations.watching():
        (wrapper,) = connections["default"].execute_wrappers[-1:]
        wrapper(lambda *args: sent.append(args), Statement(), None, False, {})
    assert len(sent) == 1
    assert CALLS == []


def test_a_database_whose_connection_cannot_be_made(zoo, settings, monkeypatch):
    """A page that does not use it renders, observed or not."""
    broken = {"ENGINE": "no.such.engine", "NAME": "x", "TEST": {}, "OPTIONS": {}}
    monkeypatch.setitem(connections.settings, "broken", broken)
    with record() as log:
        assert backend("{{ h.method }}").get_template("page.html").render(hostile())
    assert len(log) == 1


# -- looking without asking ------------------------------------------------------------------------


class Slotted:
    __slots__ = ("empty", "full")
    constant = "constant"

    def __init__(self):
        self.full = "full"

    @property
    def code(self):
        raise ValueError


def test_attributes_as_they_are_kept():
    assert static_attribute(Slotted(), "full") == "full"
    assert static_attribute(Slotted(), "empty", "default") == "default"
    assert static_attribute(Slotted(), "code", "default") == "default"
    assert static_attribute(Slotted(), "constant") == "constant"
    assert static_attribute(Hostile(), "kept") == "kept"
    assert static_attribute(LyingClass(), "kept") == "kept"
    assert static_attribute(Hostile(), "no") is None
    assert attributes(LyingDict()) == {}
    assert attributes(3) == {}
    assert attributes(Hostile) == {}
    assert owner_of(Hostile()) is None
    assert owner_of(len) is not None
    instance = Hostile()
    assert owner_of(instance.method) is instance
    assert list(static_rows(OddList([1, 2]))) == [1, 2]
    assert static_text(type("Text", (str,), {"__str__": noting("__str__")})("abc")) == "abc"
    assert static_text(Hostile()) == ""
    assert CALLS == []
