"""Code on trial on the event loop: nothing is left of a run that has to go to the thread."""

import collections
import contextlib
import functools
import io
import types

import pytest
from django.contrib.auth.models import Group
from django.core.exceptions import SynchronousOnlyOperation
from django.template import Context, RequestContext
from django.test import RequestFactory
from django.utils import timezone, translation
from django.utils.functional import SimpleLazyObject

from atemplates.placement import trials
from atemplates.placement.guard import LeaveLoop
from atemplates.placement.records import RECORDS
from atemplates.placement.trials import LEAVE, attempt


def ask():
    """Ask for the database, as any code of a site does in the end."""
    Group.objects.count()


class Thing:
    def __init__(self, **attributes):
        vars(self).update(attributes)


class Slots:
    __slots__ = ("__weakref__", "one", "two")

    def __init__(self):
        self.one = [1]


class SlotsAndDict(Slots):
    def __init__(self):
        super().__init__()
        self.three = 3


class Rude(list):
    """Has methods of its own under the names of a list's."""

    def clear(self):
        raise AssertionError

    extend = __iter__ = __len__ = copy = clear


def state_of(item, name=id, depth=5):
    """Everything that can be seen of an object.

    Args:
        name: makes of an object what stands for it.
    """
    if type(item) in (int, str, type(None)):
        return item
    if depth == 0:
        return name(item)
    held = []
    if isinstance(item, dict):
        pairs = list(item.items())  # in the order that an ordered dict has itself
        held = [part for pair in pairs for part in pair]
    elif isinstance(item, list):
        held = list.__iter__(item)
    elif isinstance(item, (collections.deque, tuple)):
        held = item
    elif isinstance(item, (set, bytearray)):
        held = sorted(item)
    elif isinstance(item, types.MethodType):
        held = [item.__self__]
    elif isinstance(item, functools.partial):
        held = item.args
    elif isinstance(item, Slots):
        held = [getattr(item, slot, "unset") for slot in ("one", "two")]
    seen = [name(item), *(state_of(value, name, depth - 1) for value in held)]
    if hasattr(item, "__dict__"):
        seen += [(key, state_of(value, name, depth - 1)) for key, value in vars(item).items()]
    return seen


def change_all(thing):
    thing.a, thing.new = 2, 1
    del thing.b


def change_slots(item):
    item.one.append(2)
    item.one, item.two = 5, 6


def change_ordered(item):
    item.move_to_end("a")
    item["new"] = 1
    del item["b"]


CHANGES = {
    "attributes": (lambda: Thing(a=1, b=[], c=None), change_all),
    "the order of attributes": (
        lambda: Thing(a=1, b=2),
        lambda t: setattr(t, "a", vars(t).pop("a")),
    ),
    "slots": (Slots, change_slots),
    "slots, deleted": (Slots, lambda item: delattr(item, "one")),
    "slots beside a dict": (
        SlotsAndDict,
        lambda item: (change_slots(item), setattr(item, "three", 4)),
    ),
    "list": (lambda: [1, [2], 3], lambda item: (item[1].append(3), item.pop(0))),
    "list, sorted": (lambda: [3, 1, 2], lambda item: item.sort()),
    "dict": (lambda: {"a": [1], "b": 2}, lambda item: (item["a"].clear(), item.pop("b"))),
    "defaultdict": (lambda: collections.defaultdict(list, a=[1]), lambda item: item["b"].append(1)),
    "ordered dict": (lambda: collections.OrderedDict(a=1, b=2, c=3), change_ordered),
    "counter": (lambda: collections.Counter("aab"), lambda item: item.update("b")),
    "set": (lambda: {1, 2}, lambda item: (item.add(3), item.remove(1))),
    "deque": (lambda: collections.deque([1, 2], maxlen=2), lambda item: item.append(3)),
    "bytearray": (lambda: bytearray(b"ab"), lambda item: item.extend(b"c")),
    "list of another class": (lambda: Rude([1, 2]), lambda item: item.append(3)),
    "attribute of a list": (lambda: Rude([1]), lambda item: setattr(item, "seen", True)),
    "list in a tuple": (lambda: ([1], 2), lambda item: item[0].append(2)),
    "list in an attribute": (lambda: Thing(rows=[1]), lambda item: item.rows.append(2)),
    "set in an attribute": (lambda: Thing(rows={1}), lambda item: item.rows.add(2)),
    "deque in an attribute": (
        lambda: Thing(rows=collections.deque([1])),
        lambda item: item.rows.append(2),
    ),
    "dict in a dict": (lambda: {"a": {"b": 1}}, lambda item: item["a"].update(b=2)),
    "object in an attribute": (
        lambda: Thing(form=Thing(_errors=None)),
        lambda item: setattr(item.form, "_errors", {}),
    ),
    "object in an object in an attribute": (
        lambda: Thing(a=Thing(b=Thing(c=1))),
        lambda item: setattr(item.a.b, "c", 2),
    ),
    "object in a list": (lambda: [Thing(a=1)], lambda item: setattr(item[0], "a", 2)),
    "object of a method": (
        lambda: Thing(call=types.MethodType(len, Thing(a=1))),
        lambda item: setattr(item.call.__self__, "a", 2),
    ),
    "object of a partial": (
        lambda: functools.partial(len, Thing(a=1)),
        lambda item: setattr(item.args[0], "a", 2),
    ),
    "object that holds itself": (lambda: itself(), lambda item: item.me.rows.append(1)),
}


def itself():
    thing = Thing(rows=[])
    thing.me = thing
    return thing


@pytest.mark.parametrize(("make", "change"), CHANGES.values(), ids=CHANGES)
async def test_what_a_step_changed_is_put_back(make, change):
    item = make()

    def step():
        change(item)
        ask()

    before = state_of(item)
    assert attempt(step, step, objects=(item,)) is LEAVE
    assert state_of(item) == before
    # And it works as before.
    other = make()
    change(item)
    change(other)
    assert state_of(item, type) == state_of(other, type)


@pytest.mark.parametrize(("make", "change"), CHANGES.values(), ids=CHANGES)
async def test_and_stays_where_it_asked_for_nothing(make, change):
    item = make()

    def step():
        change(item)
        return "result"

    before = state_of(item)
    assert attempt(step, step, objects=(item,)) == "result"
    assert state_of(item) != before


def change_frames(context):
    context["x"] = 2
    context.dicts[1]["y"] = 3
    context.push(z=1)
    context.autoescape = False
    context.render_context["state"] = 1
    context.render_context.push()


@pytest.mark.parametrize(
    "make", [Context, lambda values: RequestContext(RequestFactory().get("/"), values)]
)
async def test_a_context(make):
    context = make({"x": 1, "rows": [1]})

    def step():
        change_frames(context)
        context["rows"].append(2)
        context.dicts[0].clear()
        ask()

    assert attempt(step, step, objects=(context,)) is LEAVE
    assert context.flatten() == {"True": True, "False": False, "None": None, "x": 1, "rows": [1]}
    assert context.autoescape
    assert "state" not in context.render_context
    fresh = make({"x": 1})
    assert len(context.render_context.dicts) == len(fresh.render_context.dicts)
    assert len(context.dicts) == len(fresh.dicts)


async def test_a_request():
    request = RequestFactory().get("/?a=1", HTTP_COOKIE="a=b")

    def step():
        request.seen = True
        request.META["seen"] = True
        request.COOKIES["seen"] = "1"
        ask()

    assert attempt(step, step, objects=(request,)) is LEAVE
    assert not hasattr(request, "seen")
    assert "seen" not in request.META
    assert request.COOKIES == {"a": "b"}


async def test_the_language_and_the_time_zone():
    def step():
        translation.activate("de")
        timezone.activate("Asia/Tokyo")
        ask()

    with translation.override("fr"), timezone.override("Europe/Paris"):
        assert attempt(step, step) is LEAVE
        assert translation.get_language() == "fr"
        assert timezone.get_current_timezone_name() == "Europe/Paris"


# -- what is never tried ---------------------------------------------------------------------------


class OwnIterator:
    def __next__(self):
        raise StopIteration


@pytest.mark.parametrize(
    "item",
    [
        iter([1]),
        (n for n in "ab"),
        map(str, "ab"),
        OwnIterator(),
        Thing(rows=iter([1])),
        [Thing(rows=iter([1]))],
        {"rows": enumerate("a")},
    ],
    ids=lambda item: type(item).__name__,
)
async def test_iterators_are_never_on_trial(item):
    def step():
        raise AssertionError("was tried")

    assert attempt(step, step, objects=(item,)) is LEAVE
    assert step not in RECORDS


async def test_nor_what_is_too_much_to_note():
    def step():
        raise AssertionError("was tried")

    assert attempt(step, step, objects=([Thing() for _ in range(trials.MOST_NOTED + 1)],)) is LEAVE


async def test_files_do_not_keep_a_step_from_being_tried():
    assert attempt(None, lambda: 1, objects=(Thing(body=io.BytesIO()),)) == 1


async def test_a_lazy_object_is_not_made_to_be_noted():
    lazy = SimpleLazyObject(ask)
    assert attempt(None, lambda: 1, objects=(Thing(user=lazy), lazy)) == 1


async def test_one_that_the_step_makes_is_unmade_again():
    def make():
        return Thing(name="made")

    lazy = SimpleLazyObject(make)

    def step():
        assert lazy.name == "made"
        ask()

    assert attempt(step, step, objects=(lazy,)) is LEAVE
    assert vars(lazy)["_wrapped"] is not None
    assert "name" not in repr(vars(lazy)["_wrapped"])
    assert lazy.name == "made"


# -- whoever swallows it ---------------------------------------------------------------------------


def by_exception():
    try:
        ask()
    except Exception:
        return "swallowed"


def by_base_exception():
    try:
        ask()
    except BaseException:
        return "swallowed"


def by_bare_except():
    try:
        ask()
    except:  # noqa: E722
        return "swallowed"


def by_suppress():
    with contextlib.suppress(Exception):
        ask()
    return "swallowed"


def by_suppress_base():
    with contextlib.suppress(BaseException):
        ask()
    return "swallowed"


def by_finally():
    try:
        ask()
    finally:
        return "swallowed"  # noqa: B012


def by_another_error():
    try:
        ask()
    except BaseException as error:
        raise ValueError("another") from error


class AsksAttribute:
    def __getattr__(self, name):
        ask()

    @property
    def count(self):
        ask()

    def __eq__(self, other):
        ask()

    __hash__ = None


def by_hasattr():
    return hasattr(AsksAttribute(), "anything")


def by_getattr():
    return getattr(AsksAttribute(), "count", "default")


def by_decorator():
    def quiet(function):
        def wrapper():
            try:
                return function()
            except BaseException:
                return None

        return wrapper

    return quiet(quiet(ask))()


def by_iteration():
    def rows():
        try:
            ask()
        except BaseException:
            yield 1

    return list(rows())


@pytest.mark.parametrize(
    "step",
    [
        *(by_exception, by_base_exception, by_bare_except, by_suppress, by_suppress_base),
        *(by_finally, by_another_error, by_hasattr, by_getattr, by_decorator, by_iteration),
    ],
)
async def test_the_guard_is_noticed(step):
    assert attempt(step, step) is LEAVE
    assert RECORDS[step].asked
    assert RECORDS[step].place == "thread"


async def test_except_exception_does_not_catch_it():
    caught = []

    def step():
        try:
            ask()
        except Exception as error:
            caught.append(error)
        caught.append("went on")

    assert attempt(step, step) is LEAVE
    assert caught == []
    assert not issubclass(LeaveLoop, Exception)


async def test_one_that_somebody_raises_by_hand():
    """What refuses to run on a loop by itself, without Django's guard."""

    def step():
        raise SynchronousOnlyOperation("not on a loop")

    assert attempt(step, step) is LEAVE
    assert RECORDS[step].asked


@pytest.mark.parametrize("message", trials.NEEDS_NO_LOOP)
async def test_what_works_in_a_thread_only(message):
    def step():
        raise RuntimeError(message + ".")

    assert attempt(step, step) is LEAVE


@pytest.mark.parametrize("error", [ValueError("x"), RuntimeError("x"), KeyboardInterrupt()])
async def test_other_errors_are_the_steps_own(error):
    def step():
        raise error

    with pytest.raises(type(error)):
        attempt(step, step)
    assert not RECORDS[step].asked


async def test_a_coroutine_that_is_not_wanted_is_closed(recwarn):
    async def later():
        raise AssertionError

    def step():
        by_exception_of_all()
        return later()

    def by_exception_of_all():
        try:
            ask()
        except BaseException:
            pass

    assert attempt(step, step) is LEAVE
    assert [str(warning.message) for warning in recwarn] == []
