"""Which code of others a step runs: found by types and dicts, before anything of it has run."""

import collections
import contextlib
import dataclasses
import datetime
import enum
import functools
import operator
import types
import uuid

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import Group, Permission, User
from django.db import models
from django.urls import reverse_lazy
from django.utils.functional import LazyObject, SimpleLazyObject, classproperty, lazy, lazystr
from django.utils.functional import cached_property as django_cached_property
from django.utils.safestring import SafeString, mark_safe
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy, ngettext_lazy

from atemplates.placement import python_code, quiet_modules
from atemplates.placement.python_code import SOMEBODYS, attribute_code, call_code
from atemplates.placement.value_code import (
    comparison_code,
    iteration_code,
    text_code,
    truth_code,
    use_code,
)


def fail(*args, **kwargs):
    """Nothing of a site is run in order to find out what would run."""
    raise AssertionError("code of others was run")


class Fails:
    """Runs what must not be run, by every name that Python asks a value's type for."""

    for _name in (
        *("__str__", "__repr__", "__format__", "__html__", "__bool__", "__len__", "__iter__"),
        *("__eq__", "__lt__", "__hash__", "__contains__", "__getitem__", "__getattr__"),
    ):
        locals()[_name] = fail
    __call__ = fail
    value = property(fail)


def check(function, make, code):
    """Assert what is found; `SOMEBODYS` stands for any code, named or not."""
    for _ in range(2):  # the second time from what was learned
        found = function(make())
        if code is SOMEBODYS:
            assert found is not None
        else:
            assert found is code


def table(cases):
    return pytest.mark.parametrize(
        ("make", "code"), [case[1:] for case in cases], ids=[case[0] for case in cases]
    )


# -- attributes ------------------------------------------------------------------------------------


class Plain:
    data = 1

    def __init__(self):
        self.own = 1

    def method(self):
        fail()

    @staticmethod
    def static():
        fail()

    @classmethod
    def of_class(cls):
        fail()


class Properties:
    @property
    def plain(self):
        fail()

    @functools.cached_property
    def cached(self):
        fail()

    @django_cached_property
    def django_cached(self):
        fail()

    @classproperty
    def of_class(cls):
        fail()

    by_name = property(operator.attrgetter("plain"))


class Descriptor:
    def __get__(self, instance, owner):
        fail()


class DataDescriptor(Descriptor):
    def __set__(self, instance, value):
        fail()


class Described:
    plain = Descriptor()
    data = DataDescriptor()


class Slots:
    __slots__ = ("filled", "unset")

    def __init__(self):
        self.filled = 1


class SlotsAndGetattr(Slots):
    __slots__ = ()

    def __getattr__(self, name):
        fail()


class Getattr:
    def __init__(self):
        self.own = 1

    def __getattr__(self, name):
        fail()


class Getattribute:
    def __getattribute__(self, name):
        fail()


class Getitem:
    def __getitem__(self, key):
        fail()


class Missing(dict):
    def __missing__(self, key):
        fail()


class OtherClass:
    @property
    def __class__(self):
        fail()


class Meta(type):
    @property
    def answer(cls):
        fail()


class OfMeta(metaclass=Meta):
    @classproperty
    def named(cls):
        fail()

    @property
    def plain(self):
        fail()

    described = Descriptor()


class Colour(enum.Enum):
    RED = 1

    @property
    def shade(self):
        fail()

    def method(self):
        fail()


@dataclasses.dataclass
class Data:
    x: int = 1

    @property
    def y(self):
        fail()


class Point(collections.namedtuple("Point", "x y")):
    @property
    def length(self):
        fail()


class OwnLazy(LazyObject):
    def _setup(self):
        fail()

    @property
    def own(self):
        fail()


def set_in_dict(value, **attributes):
    vars(value).update(attributes)
    return value


def unmade(function=fail):
    return SimpleLazyObject(function)


def made(value):
    lazy_object = SimpleLazyObject(lambda: value)
    bool(lazy_object.__class__)  # what it stands for is made
    return lazy_object


P = Properties.__dict__
ATTRIBUTES = [
    ("data", Plain, "data", None),
    ("own", Plain, "own", None),
    ("method", Plain, "method", None),
    ("static method", Plain, "static", None),
    ("class method", Plain, "of_class", None),
    ("missing", Plain, "missing", None),
    ("index of a list", lambda: [Fails()], "0", None),
    ("key of a dict", lambda: {"a": Fails()}, "a", None),
    ("scalar", lambda: "text", "upper", None),
    ("property", Properties, "plain", P["plain"].fget),
    ("cached", Properties, "cached", P["cached"].func),
    ("cached, there", lambda: set_in_dict(Properties(), cached=1), "cached", None),
    ("django's cached", Properties, "django_cached", P["django_cached"].func),
    (
        "django's cached, there",
        lambda: set_in_dict(Properties(), django_cached=1),
        "django_cached",
        None,
    ),
    (
        "property, a dict entry",
        lambda: set_in_dict(Properties(), plain=1),
        "plain",
        P["plain"].fget,
    ),
    ("classproperty", Properties, "of_class", P["of_class"].fget),
    ("builtin getter", Properties, "by_name", None),
    ("descriptor", Described, "plain", Descriptor.__get__),
    ("descriptor, there", lambda: set_in_dict(Described(), plain=1), "plain", None),
    ("data descriptor", Described, "data", Descriptor.__get__),
    (
        "data descriptor, a dict entry",
        lambda: set_in_dict(Described(), data=1),
        "data",
        Descriptor.__get__,
    ),
    ("slot", Slots, "filled", None),
    ("slot, unset", Slots, "unset", None),
    ("slots and __getattr__", SlotsAndGetattr, "other", SlotsAndGetattr.__getattr__),
    ("__getattr__", Getattr, "other", Getattr.__getattr__),
    ("__getattr__, there", Getattr, "own", None),
    ("__getattribute__", Getattribute, "any", Getattribute.__dict__["__getattribute__"]),
    ("__getitem__", Getitem, "any", Getitem.__getitem__),
    ("__missing__", Missing, "any", Missing.__missing__),
    ("defaultdict", lambda: collections.defaultdict(fail), "any", SOMEBODYS),
    ("OrderedDict", collections.OrderedDict, "any", None),
    ("Counter", collections.Counter, "any", None),
    ("__class__", OtherClass, "any", SOMEBODYS),
    ("property of a metaclass", lambda: OfMeta, "answer", Meta.__dict__["answer"].fget),
    ("classproperty of a class", lambda: OfMeta, "named", OfMeta.__dict__["named"].fget),
    ("property of a class", lambda: OfMeta, "plain", None),
    ("descriptor of a class", lambda: OfMeta, "described", Descriptor.__get__),
    ("attribute of a class", lambda: Plain, "data", None),
    ("enum's value", lambda: Colour.RED, "value", None),
    ("enum's name", lambda: Colour.RED, "name", None),
    ("enum's property", lambda: Colour.RED, "shade", Colour.__dict__["shade"].fget),
    ("enum's method", lambda: Colour.RED, "method", None),
    ("dataclass", Data, "x", None),
    ("dataclass's property", Data, "y", Data.__dict__["y"].fget),
    ("namedtuple", lambda: Point(1, 2), "x", None),
    ("namedtuple's property", lambda: Point(1, 2), "length", Point.__dict__["length"].fget),
    ("lazy object, unmade", unmade, "any", SOMEBODYS),
    ("lazy object", lambda: made(Plain()), "data", None),
    ("lazy object of a property", lambda: made(Properties()), "plain", P["plain"].fget),
    ("own lazy object", lambda: set_in_dict(OwnLazy(), _wrapped=Plain()), "own", SOMEBODYS),
    ("field", lambda: User(username="u"), "username", None),
    ("property of a model", lambda: User(), "is_anonymous", SOMEBODYS),
    ("method of a model", lambda: User(), "get_full_name", None),
    ("pk", lambda: User(), "pk", None),
    ("manager of a class", lambda: User, "objects", None),
    ("queryset", lambda: User.objects.all(), "query", None),
]


@pytest.mark.parametrize(
    ("make", "name", "code"),
    [case[1:] for case in ATTRIBUTES],
    ids=[case[0] for case in ATTRIBUTES],
)
def test_attributes(make, name, code):
    check(lambda value: attribute_code(value, name), make, code)


def test_what_was_learned_of_a_type_can_be_forgotten():
    class Changing:
        pass

    assert attribute_code(Changing(), "later") is None
    Changing.later = property(fail)
    python_code.forget_python_code()
    assert attribute_code(Changing(), "later") is fail


# -- calls -----------------------------------------------------------------------------------------


def function():
    fail()


async def coroutine_function():
    fail()


def generator_function():
    yield fail()


@functools.wraps(len)
def named_like_a_builtin(value):
    fail()


def wrapping(inner):
    @functools.wraps(inner)
    def wrapper(*args):
        fail()

    return wrapper


wrapped = wrapping(function)
cached = functools.lru_cache(function)


@contextlib.contextmanager
def managed():
    yield fail()


@functools.cache
def also_cached():
    fail()


class Callable:
    def __call__(self):
        fail()

    @functools.lru_cache  # noqa: B019
    def remembered(self):
        fail()

    part = functools.partialmethod(__call__)


class Made:
    def __init__(self):
        fail()


class MadeByNew:
    def __new__(cls):
        fail()


class MadeByMeta(metaclass=type("M", (type,), {"__call__": fail})):
    pass


class OwnRows(models.QuerySet):
    def mine(self):
        fail()

    def _clone(self):
        fail()


class MoreRows(models.QuerySet):
    def more(self):
        fail()


MoreManager = models.Manager.from_queryset(MoreRows)


class OwnManager(models.Manager):
    def get_queryset(self):
        fail()


class Validated(models.Model):
    class Meta:
        app_label = "nowhere"
        managed = False

    def clean(self):
        fail()


def of_model(manager_class):
    manager = manager_class()
    manager.model = User
    return manager


CALLS = [
    ("function", lambda: function, function),
    ("lambda", lambda: fail, fail),
    ("coroutine function", lambda: coroutine_function, None),
    ("generator function", lambda: generator_function, None),
    ("function named like a builtin", lambda: named_like_a_builtin, named_like_a_builtin),
    ("function around a function", lambda: wrapped, wrapped),
    ("function around Django's", lambda: wrapping(mark_safe), SOMEBODYS),
    ("Django's around a function", lambda: sync_to_async(function), SOMEBODYS),
    ("cached function", lambda: cached, function),
    ("cached function 2", lambda: also_cached, also_cached.__wrapped__),
    ("context manager", lambda: managed, None),
    ("method", lambda: Plain().method, Plain.method),
    ("class method", lambda: Plain.of_class, Plain.__dict__["of_class"].__func__),
    ("static method", lambda: Plain.static, Plain.static),
    ("cached method", lambda: Callable().remembered, Callable.remembered.__wrapped__),
    ("partial method", lambda: Callable().part, Callable.__call__),
    ("partial", lambda: functools.partial(function), function),
    ("partial of a partial", lambda: functools.partial(functools.partial(function), 1), function),
    ("partial of a builtin", lambda: functools.partial(len, "abc"), None),
    ("partial of a builtin on an object", lambda: functools.partial(str, Fails()), SOMEBODYS),
    ("callable instance", Callable, Callable.__call__),
    ("instance that cannot be called", Plain, None),
    ("builtin", lambda: len, None),
    ("builtin method", lambda: "abc".upper, None),
    ("sorting numbers", lambda: [2, 1].sort, None),
    ("sorting objects", lambda: [Fails(), Fails()].sort, SOMEBODYS),
    ("plain class", lambda: Fails, None),
    ("class with __init__", lambda: Made, Made.__init__),
    ("class with __new__", lambda: MadeByNew, MadeByNew.__new__),
    ("class whose metaclass calls", lambda: MadeByMeta, fail),
    ("builtin class", lambda: dict, None),
    ("dataclass", lambda: Data, Data.__init__),
    ("exception class", lambda: ValueError, None),
    ("model class", lambda: Group, SOMEBODYS),
    ("Django's function", lambda: mark_safe, None),
    ("queryset's method", lambda: User.objects.all().all, None),
    ("queryset's own method", lambda: OwnRows(User).mine, OwnRows.mine),
    ("queryset with its own _clone", lambda: OwnRows(User).all, OwnRows._clone),
    ("queryset with one more method", lambda: MoreRows(User).all, None),
    ("manager", lambda: of_model(models.Manager).all, None),
    ("manager with get_queryset", lambda: of_model(OwnManager).all, OwnManager.get_queryset),
    (
        "manager of a queryset with _clone",
        lambda: of_model(models.Manager.from_queryset(OwnRows)).all,
        OwnRows._clone,
    ),
    (
        "manager of a queryset with methods",
        lambda: of_model(MoreManager).more,
        MoreManager.more,
    ),
    (
        "manager of a queryset with other methods",
        lambda: of_model(MoreManager).count,
        None,
    ),
    ("model's method", lambda: Permission().natural_key, Permission.natural_key),
    ("Django's method that calls a model's", lambda: Validated().full_clean, Validated.clean),
]


@table(CALLS)
def test_calls(make, code):
    check(call_code, make, code)


# -- a value as a whole ----------------------------------------------------------------------------


class Text:
    def __str__(self):
        fail()


class Repr:
    def __repr__(self):
        fail()


class Html(str):
    __slots__ = ()

    def __html__(self):
        fail()


class ReprOfText(str):
    __slots__ = ()

    def __repr__(self):
        fail()


class Format:
    def __format__(self, spec):
        fail()


class Day(datetime.date):
    def isoformat(self):
        fail()


class Number(int):
    def __repr__(self):
        fail()


class LongWord(str):
    """Nothing of what a string has is another one here."""

    __slots__ = ()

    def shout(self):
        fail()


class Truth:
    def __bool__(self):
        fail()


class Length:
    def __len__(self):
        fail()


class Iterates:
    def __iter__(self):
        fail()


class Iterator:
    def __next__(self):
        fail()

    def __iter__(self):
        return self


class Equal:
    __hash__ = object.__hash__

    def __eq__(self, other):
        fail()


class Contains:
    def __contains__(self, item):
        fail()


class Ordered:
    def __lt__(self, other):
        fail()


class OwnList(list):
    __slots__ = ()

    def __iter__(self):
        fail()


class OwnMapping(collections.abc.Mapping):
    def __getitem__(self, key):
        fail()

    def __iter__(self):
        fail()

    def __len__(self):
        fail()


class Printed(models.Model):
    name = models.TextField()

    class Meta:
        app_label = "nowhere"
        managed = False

    def __str__(self):
        fail()


class PrintedByRepr(models.Model):
    class Meta:
        app_label = "nowhere"
        managed = False

    def __repr__(self):
        fail()


def rows_of(model, count=2):
    queryset = models.QuerySet(model)
    queryset._result_cache = [model(pk=number) for number in range(count)]
    return queryset


own_lazy = lazy(fail, str)
MORE = python_code.MOST_ITEMS + 1

TEXTS = [
    ("str", lambda: "a", None),
    ("safe text", lambda: SafeString("a"), None),
    ("number", lambda: 1.5, None),
    ("None", lambda: None, None),
    ("date", lambda: datetime.date(2024, 1, 1), None),
    ("uuid", uuid.uuid4, None),
    ("list of numbers", lambda: [1, [2, (3,)], {"a": {4}}], None),
    ("plain object", Plain, None),
    ("class", lambda: Plain, None),
    ("__str__", Text, Text.__str__),
    ("__repr__", Repr, Repr.__repr__),
    ("__format__", Format, Format.__format__),
    ("__html__", lambda: Html("a"), Html.__html__),
    ("__getattr__", Getattr, Getattr.__getattr__),
    ("__class__", OtherClass, SOMEBODYS),
    ("text with another __repr__", lambda: ReprOfText("a"), SOMEBODYS),
    ("text with more methods", lambda: LongWord("a"), None),
    ("date that writes itself", lambda: Day(2024, 1, 1), Day.isoformat),
    ("number that writes itself", lambda: Number(1), Number.__repr__),
    ("enum", lambda: Colour.RED, None),
    ("dataclass", Data, Data.__repr__),
    ("namedtuple", lambda: Point(1, 2), None),
    ("namedtuple with an object", lambda: Point(1, Text()), Text.__str__),
    ("list with an object", lambda: [1, Text()], Text.__str__),
    ("list with two kinds", lambda: [Text(), Repr()], SOMEBODYS),
    ("list with text with another __repr__", lambda: [ReprOfText("a")], ReprOfText.__repr__),
    ("dict with an object", lambda: {1: Text()}, Text.__str__),
    ("dict with an object as a key", lambda: {Text(): 1}, Text.__str__),
    ("many numbers", lambda: list(range(MORE)), None),
    ("many objects", lambda: [Plain()] * MORE, SOMEBODYS),
    ("a list in itself", lambda: in_itself(), SOMEBODYS),
    ("UserList", lambda: collections.UserList([Text()]), SOMEBODYS),
    ("ChainMap", lambda: collections.ChainMap({1: Text()}), SOMEBODYS),
    ("mapping proxy", lambda: types.MappingProxyType({1: Text()}), SOMEBODYS),
    ("mapping of its own", OwnMapping, SOMEBODYS),
    ("exception", lambda: ValueError("a"), None),
    ("exception with an object", lambda: ValueError(Text()), Text.__str__),
    ("exception with its own text", lambda: type("E", (Exception,), {"__str__": fail})(), fail),
    ("translation", lambda: gettext_lazy("Yes"), None),
    ("plural translation", lambda: ngettext_lazy("a", "b", 2), None),
    ("address", lambda: reverse_lazy("name"), None),
    ("address with an object", lambda: reverse_lazy("name", args=[Text()]), SOMEBODYS),
    ("lazy text of its own", lambda: own_lazy(), fail),
    ("joined lazy texts", lambda: format_lazy("{}", gettext_lazy("Yes")), None),
    ("joined lazy texts of its own", lambda: format_lazy("{}", own_lazy()), SOMEBODYS),
    ("lazy text of an object", lambda: lazystr(Text()), SOMEBODYS),
    ("lazy object, unmade", unmade, SOMEBODYS),
    ("lazy object", lambda: made(1), None),
    ("lazy object of an object", lambda: made(Text()), Text.__str__),
    ("model", lambda: models.Model.__new__(Group), Group.__str__),
    ("model with __str__", lambda: Printed(), Printed.__str__),
    ("model with __repr__", lambda: PrintedByRepr(), None),
    ("list of models with __repr__", lambda: [PrintedByRepr()], PrintedByRepr.__repr__),
    ("rows", lambda: rows_of(Printed), Printed.__str__),
    ("rows with __repr__", lambda: rows_of(PrintedByRepr), PrintedByRepr.__repr__),
    ("no rows", lambda: rows_of(Printed, 0), None),
    ("rows that were not read", lambda: models.QuerySet(Printed), None),
]


def in_itself():
    items = []
    items.append(items)
    return items


@table(TEXTS)
def test_texts(make, code):
    check(text_code, make, code)


TRUTHS = [
    ("number", lambda: 1, None),
    ("list", lambda: [Fails()], None),
    ("plain object", Plain, None),
    ("__bool__", Truth, Truth.__bool__),
    ("__len__", Length, Length.__len__),
    ("UserList", lambda: collections.UserList([1]), None),
    ("lazy object, unmade", unmade, SOMEBODYS),
    ("lazy object", lambda: made(Truth()), Truth.__bool__),
    ("rows", lambda: rows_of(Printed), None),
    ("class", lambda: Truth, None),
    ("enum", lambda: Colour.RED, None),
]


@table(TRUTHS)
def test_truth(make, code):
    check(truth_code, make, code)


ITERATIONS = [
    ("list", lambda: [Fails()], None),
    ("range", lambda: range(3), None),
    ("dict's items", lambda: {1: Fails()}.items(), None),
    ("__iter__", Iterates, Iterates.__iter__),
    ("__getitem__", Getitem, Getitem.__getitem__),
    ("__len__", Length, Length.__len__),
    ("list with its own", OwnList, OwnList.__iter__),
    ("namedtuple", lambda: Point(1, 2), None),
    ("iterator", lambda: iter([1]), SOMEBODYS),
    ("own iterator", Iterator, SOMEBODYS),
    ("generator", generator_function, SOMEBODYS),
    ("mapping's items", lambda: OwnMapping().items(), SOMEBODYS),
    ("mapping proxy", lambda: types.MappingProxyType(OwnMapping()), SOMEBODYS),
    ("enum class", lambda: Colour, None),
    ("lazy object", lambda: made(Iterates()), Iterates.__iter__),
    ("lazy object, unmade", unmade, SOMEBODYS),
    ("rows", lambda: rows_of(Printed), None),
    ("plain object", Plain, None),
]


@table(ITERATIONS)
def test_iteration(make, code):
    check(iteration_code, make, code)


COMPARISONS = [
    ("numbers", lambda: 1, None),
    ("list of numbers", lambda: [1, 2], None),
    ("plain object", Plain, None),
    ("__eq__", Equal, Equal.__eq__),
    ("__lt__", Ordered, Ordered.__lt__),
    ("__contains__", Contains, Contains.__contains__),
    ("__iter__", Iterates, Iterates.__iter__),
    ("list with an object", lambda: [1, Equal()], Equal.__eq__),
    ("dict with an object", lambda: {1: Equal()}, Equal.__eq__),
    ("many objects", lambda: [Plain()] * MORE, SOMEBODYS),
    ("iterator", lambda: iter([1]), SOMEBODYS),
    ("lazy text of its own", lambda: own_lazy(), fail),
    ("lazy object, unmade", unmade, SOMEBODYS),
    ("lazy object", lambda: made(Equal()), Equal.__eq__),
    ("dataclass", Data, Data.__eq__),
    ("namedtuple with an object", lambda: Point(1, Equal()), Equal.__eq__),
    ("UserList", lambda: collections.UserList([Equal()]), SOMEBODYS),
    ("model", lambda: Printed(), None),
    ("enum", lambda: Colour.RED, None),
    ("class", lambda: Equal, None),
]


@table(COMPARISONS)
def test_comparison(make, code):
    check(comparison_code, make, code)
    check(lambda value: comparison_code(1, value), make, code)


USES = [
    ("scalars", lambda: ["a", 1, None, datetime.date(2024, 1, 1)], None),
    ("nested", lambda: {"a": [1, (2, {3})]}, None),
    ("plain data", lambda: types.SimpleNamespace(a=1), None),
    ("object with methods", Plain, SOMEBODYS),
    ("list with an object", lambda: [Text()], SOMEBODYS),
    ("list of its own", OwnList, SOMEBODYS),
    ("translation", lambda: gettext_lazy("Yes"), None),
    ("lazy text of its own", lambda: own_lazy(), SOMEBODYS),
    ("lazy object, unmade", unmade, SOMEBODYS),
    ("rows", lambda: rows_of(Printed), SOMEBODYS),
    ("rows that were not read", lambda: models.QuerySet(Group), SOMEBODYS),
]


@table(USES)
def test_use(make, code):
    check(use_code, make, code)


# -- where code was written ------------------------------------------------------------------------


def written_in(module, filename):
    """Make a function as a module of that name and file would."""
    scope = {"__name__": module}
    exec(compile("def made(): pass", filename, "exec"), scope)
    return scope["made"]


@pytest.mark.parametrize(
    ("module", "filename", "quiet"),
    [
        ("collections", collections.__file__, True),
        ("os.path", "<frozen posixpath>", True),
        ("calendar.models", "/srv/site/calendar/models.py", False),
        ("profile", "/srv/site/profile.py", False),
        ("queue.tasks", quiet_modules.LIBRARY + "site-packages/queue/tasks.py", False),
        ("__main__", collections.__file__, False),
        ("django.utils.text", "/srv/django/utils/text.py", True),
        ("django.forms.forms", "/srv/django/forms/forms.py", False),
        ("django.contrib.auth.models", "/srv/django/contrib/auth/models.py", False),
        ("djangostuff.utils", "/srv/djangostuff/utils.py", False),
        ("markupsafe", "/srv/markupsafe/__init__.py", True),
        ("shop.views", "/srv/site/shop/views.py", False),
    ],
)
def test_whose_code_it_is(module, filename, quiet):
    """By module and file: a site may name its packages like Python's own."""
    function = written_in(module, filename)
    assert call_code(function) is (None if quiet else function)


def test_what_is_known_of_classes_made_at_run_time_has_a_bound(monkeypatch):
    monkeypatch.setattr(python_code, "MOST_KNOWN", 50)
    python_code.forget_python_code()

    def method(self):
        return len(self.rows)

    for number in range(200):
        kind = type(f"Made{number}", (), {"method": method, "__str__": method})
        attribute_code(kind(), "method")
        python_code.special_code(kind, "__str__")
        python_code.reached_code(kind, method)
    known = (python_code.ATTRIBUTES, python_code.SPECIAL, python_code.REACHED)
    assert all(0 < len(each) <= 50 for each in known)
