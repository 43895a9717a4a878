"""What is learned of a type, by several threads at a time."""

import threading
from concurrent.futures import ThreadPoolExecutor, wait

import pytest
from django.db.models import QuerySet
from django.utils.functional import LazyObject

from atemplates.jinja2 import values
from atemplates.relations.policy import current_policy, relations_everywhere
from atemplates.runtime import types
from atemplates.runtime.waits import Pending
from atemplates.tags.inheritance import looked_into
from tests.testapp.models import Animal

PATIENCE = 10


class Stop:
    """A point where one thread stands still until the test lets it go on."""

    def __init__(self):
        self.reached = threading.Event()
        self.go_on = threading.Event()

    def stand(self):
        self.reached.set()
        assert self.go_on.wait(PATIENCE)


def stopping(known, stop, kind, *, before):
    """A set like ``known`` that stands still where ``kind`` is added to it."""

    class Stopping(set):
        def add(self, item):
            if item is kind and before:
                stop.stand()
            super().add(item)
            if item is kind and not before:
                stop.stand()

    return Stopping(known)


@pytest.fixture
def stop():
    stop = Stop()
    yield stop
    stop.go_on.set()


@pytest.fixture
def threads(stop):
    with ThreadPoolExecutor(2) as pool:
        yield pool
        stop.go_on.set()


def replace(monkeypatch, name, stop, kind, *, before=False, module=types):
    known = stopping(getattr(module, name), stop, kind, before=before)
    monkeypatch.setattr(module, name, known)


def both_threads(stop, threads, learn, ask):
    """What the second thread is told while the first stands still, or when it goes on."""
    first = threads.submit(learn)
    assert stop.reached.wait(PATIENCE)
    second = threads.submit(ask)
    wait([second], timeout=0.05)  # it may have to wait for the first one
    stop.go_on.set()
    first.result(PATIENCE)
    return second.result(PATIENCE)


class Rows(QuerySet):
    """A queryset that only ``async for`` can go through."""

    async def __aiter__(self):
        yield None

    def __len__(self):
        raise TypeError


class Lazy(LazyObject):
    pass


@pytest.fixture(params=[Rows, Lazy, Animal])
def kind(request):
    """A type that nobody has learned, and that has relations."""
    everywhere = [*types.ALL, values.SETTLED_TYPES, values.FREE_TRUTH_TYPES, values.ORM_TYPES]
    had = [known for known in everywhere if request.param in known]
    for known in had:
        known.discard(request.param)
    yield request.param
    for known in had:
        known.add(request.param)


@pytest.mark.parametrize("before", [True, False])
@pytest.mark.parametrize("name", ["RELATED", "INERT", "LEARNED_TYPES"])
def test_a_type_that_another_thread_is_learning(monkeypatch, stop, threads, name, before, kind):
    """Wherever the first thread stands, the second is not told that a model is none."""
    replace(monkeypatch, name, stop, kind, before=before)
    asked = both_threads(
        stop,
        threads,
        lambda: types.learn_type(kind),
        lambda: (types.is_related(kind), types.is_source(kind)),
    )
    assert asked == (True, kind is Rows)


@pytest.mark.parametrize("before", [True, False])
@pytest.mark.parametrize("name", ["PLAIN_OR_MODEL", "MODELS", "INERT"])
def test_what_is_inert_is_known_to_be_a_model(monkeypatch, stop, threads, name, before):
    """Compiled code asks no more of a type than these sets, and then whether it is related."""
    for known in types.ALL:
        known.discard(Animal)
    replace(monkeypatch, name, stop, Animal, before=before)

    def ask():
        inert = any(Animal in known for known in (types.INERT, types.PLAIN_OR_MODEL, types.MODELS))
        return not inert or Animal in types.RELATED

    assert both_threads(stop, threads, lambda: types.learn_type(Animal), ask)


def test_a_type_that_is_learned_while_the_sets_are_emptied(monkeypatch, stop, threads, kind):
    monkeypatch.setattr(types, "FORGET", [*types.FORGET, stop.stand])
    monkeypatch.setattr(types, "MOST_TYPES", -1)
    first = type("New", (), {})
    asked = both_threads(
        stop, threads, lambda: types.learn_type(first), lambda: types.is_related(kind)
    )
    assert asked
    assert kind in types.RELATED
    assert kind in types.LEARNED_TYPES


def test_emptying_the_sets_keeps_what_has_relations(monkeypatch):
    types.learn_type(Animal)
    monkeypatch.setattr(types, "MOST_TYPES", len(types.RELATED) + 1)
    while Animal in types.LEARNED_TYPES:
        types.learn_type(type("New", (), {}))
    assert Animal in types.RELATED
    assert Animal not in types.MODELS


def test_what_stands_for_a_value_to_come_belongs_to_no_set():
    # Code that a plan is made of asks for it by its type, after what is in `INERT`.
    types.learn_type(Pending)
    assert not any(Pending in known for known in types.ALL)


@pytest.mark.parametrize("before", [True, False])
@pytest.mark.parametrize("name", ["ORM_TYPES", "SETTLED_TYPES"])
def test_a_queryset_that_jinja2_is_learning(monkeypatch, stop, threads, name, before):
    class Rows(QuerySet):
        pass

    replace(monkeypatch, name, stop, Rows, before=before, module=values)
    asked = both_threads(
        stop,
        threads,
        lambda: values.remember_type(Rows),
        lambda: Rows not in values.SETTLED_TYPES or Rows in values.ORM_TYPES,
    )
    assert asked


def test_a_queryset_that_jinja2_learns_while_its_sets_are_emptied(monkeypatch, stop, threads):
    class Rows(QuerySet):
        pass

    replace(monkeypatch, "ORM_TYPES", stop, Rows, module=values)
    both_threads(stop, threads, lambda: values.remember_type(Rows), values.forget_types)
    assert Rows not in values.SETTLED_TYPES or Rows in values.ORM_TYPES


def test_policies_that_end_in_another_order_than_they_began(stop, threads):
    def outer():
        with relations_everywhere("raise"):
            stop.stand()

    def inner():
        with relations_everywhere("warn"):
            stop.go_on.set()
            first.result(PATIENCE)
            return current_policy("batch")

    first = threads.submit(outer)
    assert stop.reached.wait(PATIENCE)
    assert threads.submit(inner).result(PATIENCE) == "warn"
    assert current_policy("batch") == "batch"


def test_partials_that_another_thread_looks_into(stop, threads):
    """A partial that one thread is busy with is looked into by another one all the same."""
    node = object()
    looked_into.nodes.add(node)
    try:
        assert threads.submit(lambda: node in looked_into.nodes).result(PATIENCE) is False
    finally:
        looked_into.nodes.remove(node)
