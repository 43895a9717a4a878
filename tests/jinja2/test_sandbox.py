"""What Jinja2's sandbox refuses, we refuse: with its exception, and before anything is called.

Each source goes through every kind of sandbox, rendered by blocking and by awaiting, through our
backend and through a plain environment that was made ours, with an observer and without one.
"""

import re
from contextlib import nullcontext
from functools import cache

import jinja2
import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import Group
from django.db.models import QuerySet
from jinja2.sandbox import SandboxedEnvironment, SecurityError
from jinja2.utils import import_string

from atemplates.engines.jinja2.plans import use_plans
from atemplates.testing import record, relations
from tests.testapp.models import Animal, Food, Region

from .conftest import OPTIONS, make_backend, outcome, queries, run
from .refused import ALLOWED, PLACES, PRIVATE, RUN, STRICTER, STRICTER_STILL, WRITES

pytestmark = pytest.mark.django_db(databases=["default", "other"])


@pytest.fixture(autouse=True)
def filled(zoo):
    group = Group.objects.create(name="keepers")
    zoo.user.groups.add(group)
    return zoo


class Stricter(SandboxedEnvironment):
    """A sandbox of a site's own, which refuses more."""

    names = frozenset(
        {"count", "exists", "first", "all", "get_full_name", "upper", "forbidden", "b"}
    )
    attributes = frozenset({"weight", "mother", "children"})

    def is_safe_callable(self, obj):
        name = getattr(obj, "__name__", None) or getattr(obj, "name", None)
        if name in self.names or isinstance(obj, type(self).recursion):
            return False
        return super().is_safe_callable(obj)

    def is_safe_attribute(self, obj, attr, value):
        return attr not in self.attributes and super().is_safe_attribute(obj, attr, value)

    recursion = (
        jinja2.runtime.LoopContext,
        import_string("atemplates.jinja2.loops:LoopContext"),
    )


class Asking(SandboxedEnvironment):
    """A sandbox that looks its answer up in the database."""

    names = frozenset({"count", "exists", "first", "all", "get_full_name"})

    def is_safe_callable(self, obj):
        name = getattr(obj, "__name__", "")
        if Food.objects.filter(name=name).exists() or name in self.names:
            return False
        return super().is_safe_callable(obj)


class Calling(SandboxedEnvironment):
    """A sandbox that calls in a way of its own, and refuses with an exception of its own."""

    refused = frozenset({"count", "exists", "first", "all", "get_full_name"})

    def call(self, context, obj, *args, **kwargs):
        if getattr(obj, "__name__", "") in self.refused:
            raise PermissionError("not here")
        return super().call(context, obj, *args, **kwargs)


KINDS = {
    "sandbox": "jinja2.sandbox.SandboxedEnvironment",
    "immutable": "jinja2.sandbox.ImmutableSandboxedEnvironment",
    "stricter": f"{__name__}.Stricter",
    "asking": f"{__name__}.Asking",
    "calling": f"{__name__}.Calling",
}
OF_ITS_OWN = ("stricter", "asking", "calling")


def values(zoo):
    # Without the one whose text raises an error of its own, in the text of a queryset too.
    animals = Animal.objects.exclude(pk=zoo.ghost.pk).order_by("pk")
    read = animals.all()
    len(read)
    return {
        "qs": animals,
        "read": read,
        "manager": Region.objects,
        "leo": Animal.objects.get(pk=zoo.leo.pk),
        "user": type(zoo.user).objects.get(pk=zoo.user.pk),
        "region": zoo.region,
        "text": ["a", "b"],
    }


@cache
def environments(kind):
    """Our backend with such an environment, and plain ones made ours: for blocking, for awaiting."""
    made = import_string(KINDS[kind])
    plain, waiting = (made(autoescape=True, enable_async=a, **OPTIONS) for a in (False, True))
    return make_backend(environment=KINDS[kind]), use_plans(plain), use_plans(waiting)


def templates_of(kind, source):
    """A template for each way: as stock has it, and as we render it."""
    backend, plain, waiting = environments(kind)
    ours, plain, waiting = (each.from_string(source) for each in (backend, plain, waiting))
    ways = {
        "backend, sync": sync_to_async(ours.render),
        "backend, async": ours.render_async,
        "environment, sync": sync_to_async(plain.render),
        "environment, async": waiting.render_async,
    }
    return backend.env.from_string(source).render, ways


def plain(error):
    """The text of an exception without the addresses of objects, which differ each time."""
    return re.sub(r"0x[0-9a-f]+", "0x", str(error))


async def changes(work):
    """Run something; return what came of it, and the statements that changed the database."""
    async with queries() as sent:
        found = await work
    return found, [sql for sql in sent if not sql.startswith(("SELECT", "SAVEPOINT", "RELEASE"))]


async def same_as_stock(kind, source, zoo, around=nullcontext):
    """Compare each way with stock.

    Raises:
        AssertionError: a way gives something else, or changes the database.
    """
    fill = sync_to_async(values)
    stock, ways = templates_of(kind, source)
    context = await fill(zoo)
    expected, changed = await changes(sync_to_async(run)(stock, context))
    assert not changed
    for way, render in ways.items():
        for observer in (nullcontext, record):
            context = await fill(zoo)
            with observer(), around():
                found, changed = await changes(outcome(render, context))
            title = f"{source}: {way}, {'observed' if observer is record else 'nobody looks'}"
            assert not changed, title
            assert found == expected, f"{title}: {found}, stock: {expected}"
            if expected.error is not None:
                assert plain(found.error) == plain(expected.error), title
    return expected


# Several sources a test: filling the database takes longer than to compare one.


@pytest.mark.parametrize(
    ("kind", "sources"),
    [
        ("sandbox", WRITES),
        ("sandbox", PLACES),
        ("sandbox", PRIVATE),
        ("immutable", WRITES),
        ("immutable", PLACES),
        *((kind, [*WRITES[:2], *PLACES[:3], *STRICTER]) for kind in OF_ITS_OWN),
        ("stricter", STRICTER_STILL),
    ],
)
async def test_what_a_sandbox_refuses_is_refused(kind, sources, filled):
    for source in sources:
        expected = await same_as_stock(kind, source, filled)
        assert isinstance(expected.error, (SecurityError, PermissionError)), source


@pytest.mark.parametrize("kind", ["sandbox", "immutable"])
async def test_what_a_sandbox_allows_is_allowed(kind, filled):
    for source in ALLOWED:
        expected = await same_as_stock(kind, source, filled)
        assert expected.error is None


@pytest.mark.parametrize("kind", ["asking", "calling"])
async def test_what_sandboxes_of_their_own_allow_is_allowed(kind, filled):
    source = (
        RUN
        + "{{ qs.filter(weight=1).last() }}{{ run(qs.last) }}{{ leo.foods.order_by('name').last() }}"
    )
    expected = await same_as_stock(kind, source, filled)
    assert expected.error is None


@pytest.mark.parametrize("policy", ["raise", "warn", "fetch"])
async def test_a_policy_for_relations_changes_nothing(policy, filled):
    """The text of the refusal prints the queryset, which is no access of the template's."""
    for source in ("{{ qs.delete() }}", "{{ leo.foods.clear() }}", "{{ leo.delete() }}"):
        await same_as_stock("sandbox", source, filled, around=lambda: relations(policy))


# -- async twins -----------------------------------------------------------------------------------


class Twins(QuerySet):
    """Methods with async twins that are marked otherwise than they are."""

    called = []

    def harmless(self):
        return f"harmless {self.count()}"

    async def aharmless(self):
        self.called.append("aharmless")
        return await self.adelete()

    aharmless.alters_data = True

    def careful(self):
        return f"careful {self.count()}"

    async def acareful(self):
        self.called.append("acareful")

    acareful.unsafe_callable = True

    def harm(self):
        self.called.append("harm")

    harm.unsafe_callable = True

    async def aharm(self):
        self.called.append("aharm")

    def tally(self):
        return f"tally {len(list(self.all()))}"

    tally.__name__ = "count"


@pytest.fixture
def called():
    Twins.called.clear()
    return Twins.called


@pytest.mark.parametrize("name", ["harmless", "careful", "harm", "tally"])
@pytest.mark.parametrize("kind", ["sandbox", "none"])
@pytest.mark.parametrize("observer", [nullcontext, record])
async def test_a_marked_twin_stands_in_for_no_method(observer, kind, name, called, filled):
    environment = KINDS.get(kind, "tests.jinja2.conftest.stock_environment")
    backend = make_backend(environment=environment)
    source = f"{{{{ qs.{name}() }}}}"
    stock = backend.env.from_string(source)
    expected = await sync_to_async(run)(stock.render, lambda: {"qs": Twins(Animal)})
    asked = list(called)
    called.clear()
    with observer():
        found, changed = await changes(
            outcome(backend.from_string(source).render_async, {"qs": Twins(Animal)})
        )
    assert (found, called, changed) == (expected, asked, [])


class Noting(SandboxedEnvironment):
    """Refuses all that is async, and notes what it was asked."""

    asked = []

    def is_safe_callable(self, obj):
        self.asked.append(obj.__name__)
        return not obj.__name__.startswith("a") and super().is_safe_callable(obj)


@pytest.mark.parametrize("observer", [nullcontext, record])
async def test_a_sandbox_that_refuses_twins_is_asked_about_the_method_first(observer, filled):
    backend = make_backend(environment=f"{__name__}.Noting")
    template = backend.from_string(
        "{{ qs.count() }},{{ qs.first().name }},{{ qs.get(pk=pk).name }}"
    )
    Noting.asked.clear()
    animals = Animal.objects.order_by("pk")
    with observer():
        text = await template.render_async({"qs": animals, "pk": filled.leo.pk})
    first = await animals.afirst()
    assert text == f"{await animals.acount()},{first.name},{filled.leo.name}"
    methods = [name for name in Noting.asked if not name.startswith("a")]
    assert methods == ["count", "first", "get"]
    assert Noting.asked[0] == "count"


class Careful(jinja2.Environment):
    """No sandbox, but a context that calls in a way of its own."""

    class context_class(jinja2.runtime.Context):
        def call(self, obj, *args, **kwargs):
            if getattr(obj, "__name__", "") in ("count", "delete"):
                raise PermissionError("not here")
            return super().call(obj, *args, **kwargs)


@pytest.mark.parametrize(
    "source", ["{{ qs.count() }}", "{{ qs.delete() }}", "{{ leo.foods.count() }}"]
)
@pytest.mark.parametrize("observer", [nullcontext, record])
async def test_a_context_of_the_sites_own_is_asked(observer, source, filled):
    backend = make_backend(environment=f"{__name__}.Careful")
    context = await sync_to_async(values)(filled)
    with observer():
        found, changed = await changes(outcome(backend.from_string(source).render_async, context))
    assert type(found.error) is PermissionError
    assert not changed
