"""Which async method stands in for a sync one, in the templates of both engines."""

from contextlib import nullcontext

import pytest
from django.db.models import Manager, QuerySet
from django.db.models.manager import BaseManager

from atemplates.runtime.async_twins import async_twin, is_of_others
from atemplates.testing import record
from tests.jinja2.test_sources import shown as jinja2_shown
from tests.sources import Refusing
from tests.tags.test_async_sources import ROWS
from tests.tags.test_async_sources import shown as django_shown
from tests.testapp.data import zoo
from tests.testapp.models import Animal

__all__ = ["zoo"]

pytestmark = pytest.mark.django_db(databases=["default", "other"])

USED = []
"""The async methods that templates have called."""


@pytest.fixture(autouse=True)
def nothing_used():
    USED.clear()


class Twins(QuerySet):
    """Django's methods with async twins of its own."""

    async def acount(self):
        USED.append("acount")
        return 42

    async def afirst(self):
        USED.append("afirst")

    afirst.alters_data = True

    async def alast(self):
        USED.append("alast")

    alast.do_not_call_in_templates = True

    async def aexists(self):
        USED.append("aexists")

    aexists.unsafe_callable = True

    def names(self):
        raise AssertionError("only its twin asks nobody")

    async def aiterator(self, chunk_size=2000):
        for row in ("x", "y"):
            USED.append("aiterator")
            yield row


class Called:
    """A twin that is no function."""

    async def __call__(self):
        USED.append("called")
        return 7


class WithCalled(QuerySet):
    acount = Called()


class Counting(QuerySet):
    def count(self):
        return f"own {super().count()}"


def manager_of(queryset):
    made = Manager.from_queryset(queryset)()
    made.model = Animal
    return made


def shown(engine, source, context):
    if engine == "django":
        return django_shown(source.replace("()", ""), context, "async")
    return jinja2_shown(source, context, "async")


each_engine = pytest.mark.parametrize("engine", ["django", "jinja2"])
each_observer = pytest.mark.parametrize("observer", [nullcontext, record])
each_owner = pytest.mark.parametrize("owner", [lambda kind: kind(Animal), manager_of])


@each_engine
@each_observer
@each_owner
def test_a_twin_of_others_is_used(engine, observer, owner, zoo):
    with observer():
        assert shown(engine, "{{ a.count() }}", {"a": owner(Twins)}) == "42"
    assert USED == ["acount"]


@each_engine
@each_observer
@each_owner
def test_djangos_own_is_not(engine, observer, owner, zoo):
    with observer():
        text = shown(engine, "{{ a.count() }}", {"a": owner(QuerySet)})
    assert text == str(Animal.objects.count())


@each_engine
@each_observer
@each_owner
def test_a_twin_that_is_marked_otherwise_is_not(engine, observer, owner, zoo):
    expected = f"{Animal.objects.order_by('pk').first().name} True"
    with observer():
        source = "{{ a.first().name }} {{ a.exists() }}{% if a.last() %}{% endif %}"
        assert shown(engine, source, {"a": owner(Twins)}) == expected
    assert USED == []


@each_engine
@each_observer
def test_a_twin_stands_for_no_method_that_overrides_its_own(engine, observer, zoo):
    with observer():
        text = shown(engine, "{{ a.count() }}", {"a": Counting(Animal)})
    assert text == f"own {Animal.objects.count()}"


@each_engine
def test_rows_are_given_by_an_async_generator_or_the_sync_one(engine, zoo):
    source = "{% for x in a.iterator() %}[{% if x.pk %}{{ x.pk }}{% else %}{{ x }}{% endif %}]{% endfor %}"
    text = shown(engine, source, {"a": Twins(Animal)})
    rows = "".join(f"[{animal.pk}]" for animal in Animal.objects.all())
    assert text == ("[x][y]" if USED else rows)


@each_engine
@each_observer
def test_an_object_that_is_called(engine, observer, zoo):
    with observer():
        assert shown(engine, "{{ a.count() }}", {"a": WithCalled(Animal)}) == "7"
    assert USED == ["called"]


@each_engine
def test_a_manager_that_has_only_async_methods(engine):
    class OnlyTwins(BaseManager.from_queryset(Refusing)):
        def get_queryset(self):
            return Refusing(*ROWS)

    source = "{{ m.count() }}{% for x in m.all() %}{{ x.name }}{% endfor %}{{ m.all()|length }}"
    assert shown(engine, source, {"m": OnlyTwins()}) == "3bac3"


class TestTheTwinOfAMethod:
    @each_owner
    def test_it_has_to_be_allowed(self, owner):
        method = owner(Twins).count
        asked = []
        assert async_twin(method, lambda function: asked.append(function)) is None
        assert [function.__name__ for function in asked] == ["acount"]
        assert async_twin(method).__name__ == "acount"

    @each_owner
    def test_whose_it_is(self, owner):
        for kind, of_others in [(Twins, True), (QuerySet, False)]:
            method = owner(kind).count
            assert is_of_others(async_twin(method), method) is of_others

    def test_none_for_other_objects(self):
        class Plain:
            def count(self):
                return 1

            async def acount(self):
                return 2

        assert async_twin(Plain().count) is None
        assert async_twin(len) is None
        assert async_twin(Animal().save) is None

    def test_none_where_the_manager_takes_a_query_to_make(self):
        from django.core.exceptions import SynchronousOnlyOperation

        def refuse(function):
            raise SynchronousOnlyOperation

        assert async_twin(Twins(Animal).count, refuse) is None
