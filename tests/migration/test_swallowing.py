"""Python that may catch Django's guard: which clauses do, and behind which decorators."""

import ast
import contextlib
import functools
import textwrap

import pytest
from django.core.exceptions import SynchronousOnlyOperation
from django.utils.functional import cached_property

from atemplates.migration.swallowing import functions_of, swallowers, swallowing_line

RAISES = {
    "raise": "raise",
    "another": "raise ValueError from error",
    "after": "log()\nraise",
    "both branches": "if x:\n    raise\nelse:\n    raise ValueError",
    "elif": "if x:\n    raise\nelif y:\n    raise\nelse:\n    raise",
    "with": "with x:\n    raise",
    "finally": "try:\n    log()\nfinally:\n    raise",
    "match": "match x:\n    case 1:\n        raise\n    case _:\n        raise",
    "for the guard": "if isinstance(error, SynchronousOnlyOperation):\n    raise\nreturn 1",
    "one of several": "if isinstance(error, (A, exceptions.SynchronousOnlyOperation)):\n    raise\nreturn 1",
    "a loop before": "for x in y:\n    log(x)\nraise",
    "a function inside": "def f():\n    return 1\nraise",
}
SWALLOWS = {
    "pass": "pass",
    "return": "return 1",
    "conditional raise": "if settings.DEBUG:\n    raise\nreturn None",
    "conditional raise, falls through": "if settings.DEBUG:\n    raise",
    "conditional return": "if x:\n    return 1\nraise",
    "return in a loop": "for x in y:\n    return 1\nraise",
    "continue": "if x:\n    continue\nraise",
    "one branch": "if x:\n    raise\nelif y:\n    raise",
    "raise in a function": "def f():\n    raise\nreturn 1",
    "raise in a loop": "while x:\n    raise",
    "match without the rest": "match x:\n    case 1:\n        raise",
    "other than the guard": "if not isinstance(error, SynchronousOnlyOperation):\n    raise\nreturn 1",
    "return in with": "with x:\n    if y:\n        return 1\nraise",
    "return in try": "try:\n    return 1\nexcept A:\n    raise\nraise",
    "return in match": "match x:\n    case 1:\n        return 1\nraise",
}


def line(source):
    return swallowing_line(ast.parse(textwrap.dedent(source)))


def clause(body):
    return "for _ in x:\n  try:\n    run()\n  except Exception as error:\n" + textwrap.indent(
        body, "    "
    )


@pytest.mark.parametrize("body", RAISES.values(), ids=RAISES)
def test_a_clause_that_always_raises(body):
    assert line(clause(body)) is None


@pytest.mark.parametrize("body", SWALLOWS.values(), ids=SWALLOWS)
def test_a_clause_that_may_swallow(body):
    assert line(clause(body)) == 4


@pytest.mark.parametrize(
    ("source", "at"),
    [
        ("try:\n  x()\nexcept SynchronousOnlyOperation:\n  raise\nexcept Exception:\n  pass", None),
        ("try:\n  x()\nexcept SynchronousOnlyOperation:\n  pass\nexcept Exception:\n  raise", 3),
        ("try:\n  x()\nexcept KeyError:\n  pass\nexcept Exception:\n  pass", 5),
        ("def f():\n  try:\n    x()\n  finally:\n    return 1", 5),
        ("try:\n  x()\nfinally:\n  y()", None),
        ("try:\n  x()\nexcept* Exception:\n  pass", 3),
        ("with suppress(Exception):\n  x()", 1),
        ("with contextlib.suppress(KeyError):\n  x()", None),
        ("with ExitStack() as s:\n  s.enter_context(suppress(Exception))\n  x()", 2),
        ("with ExitStack() as s:\n  s.enter_context(suppress(OSError))\n  x()", None),
    ],
)
def test_the_clause_that_sees_the_guard(source, at):
    assert line(source) == at


# -- behind decorators -----------------------------------------------------------------------------


def quiet(function):
    """Says what it wraps."""

    @functools.wraps(function)
    def quietly(*args):
        try:
            return function(*args)
        except Exception:
            return None

    return quietly


def silent(default):
    """Has an argument, and does not say what it wraps."""

    def decorate(function):
        def silently(*args):
            with contextlib.suppress(Exception):
                return function(*args)
            return default

        return silently

    return decorate


def loud(function):
    @functools.wraps(function)
    def loudly(*args):
        return function(*args)

    return loudly


def mute(function):
    def mutely(*args):
        return function(*args)

    return mutely


class Kept:
    """A decorator that is a class."""

    def __init__(self, function):
        self.function = function

    def __call__(self, *args):
        return self.function(*args)


class Quiet(Kept):
    def __call__(self, *args):
        try:
            return self.function(*args)
        except Exception:
            return None


class quiet_property:
    """A descriptor of the site's own."""

    def __init__(self, function):
        self.function = function

    def __get__(self, instance, owner=None):
        try:
            return self.function(instance)
        except Exception:
            return None


def plain(value):
    return value.home.name


def careless(value):
    try:
        return value.home.name
    except SynchronousOnlyOperation:
        return None


FOUND = [
    (quiet(plain), {"quietly"}),
    (silent("")(plain), {"silently"}),
    (loud(plain), set()),
    (mute(plain), set()),
    (loud(careless), {"careless"}),
    (mute(careless), {"careless"}),
    (loud(quiet(mute(careless))), {"quietly", "careless"}),
    (Kept(careless), {"careless"}),
    (Kept(plain), set()),
    (Quiet(plain), {"Quiet.__call__"}),
    (quiet_property(plain), {"quiet_property.__get__"}),
    (property(quiet(plain)), {"quietly"}),
    (cached_property(quiet(plain)), {"quietly"}),
    (functools.cached_property(quiet(plain)), {"quietly"}),
    (functools.cache(careless), {"careless"}),
    (functools.lru_cache(1)(quiet(plain)), {"quietly"}),
    (functools.partial(careless, 1), {"careless"}),
    (functools.partial(quiet(plain), 1), {"quietly"}),
    (functools.singledispatch(careless), {"careless"}),
    (staticmethod(quiet(plain)), {"quietly"}),
    (Kept(plain).__call__, set()),
    (Quiet(plain).__call__, {"Quiet.__call__"}),
    (len, set()),
    (None, set()),
]


@pytest.mark.parametrize(("function", "names"), FOUND)
def test_decorators(function, names):
    found = swallowers([], [(function, "a.html:1")])
    assert {
        each.name.removeprefix(f"{__name__}.").rpartition("<locals>.")[2] for each in found
    } == names
    assert all(each.places == ("a.html:1",) for each in found)
    assert all(each.file == __file__ for each in found)


def test_what_refers_to_itself_has_an_end():
    def function():
        return function

    function.__wrapped__ = function
    assert functions_of(function) == [function]
