"""Guards what we take for granted of Jinja2: the methods of its classes that ours override.

A failure here is no bug of ours yet: a Jinja2 that nobody has looked at does something in another
way. Compare it with the class named in the message, then add its hash to `OVERRIDDEN`.
"""

import hashlib
import importlib
import inspect
import pkgutil
import re
from itertools import chain

import pytest
from jinja2 import pass_context, pass_environment, pass_eval_context
from jinja2.filters import FILTERS

from atemplates import jinja2 as ours
from atemplates.engines import jinja2 as engine
from atemplates.jinja2 import function_marks

from .overridden import OVERRIDDEN


def is_theirs(kind):
    """Whether a class is Jinja2's own; some of ours say of themselves that they are."""
    if not kind.__module__.startswith("jinja2."):
        return False
    return getattr(importlib.import_module(kind.__module__), kind.__name__, None) is kind


def overridden():
    """What our classes override of Jinja2's: ``module:class.method`` of Jinja2 -> our class."""
    found = {}
    rooms = [pkgutil.iter_modules(room.__path__, f"{room.__name__}.") for room in (ours, engine)]
    for module in chain(*rooms):
        for kind in vars(importlib.import_module(module.name)).values():
            if not inspect.isclass(kind) or not any(map(is_theirs, kind.__mro__[1:])):
                continue
            if is_theirs(kind):
                continue
            for name, member in vars(kind).items():
                if not inspect.isroutine(plain(member)):
                    continue
                for base in kind.__mro__[1:]:
                    # What is data there (an extension's tags) has no source to compare.
                    there = plain(vars(base).get(name))
                    if is_theirs(base) and inspect.isroutine(there):
                        path = f"{base.__module__}:{base.__qualname__}.{name}"
                        found[path] = kind.__qualname__
                        break
    return found


def plain(member):
    if isinstance(member, (staticmethod, classmethod)):
        return member.__func__
    return member.fget if isinstance(member, property) else member


def fingerprint(path):
    """Return a short hash of a method's source, white space aside."""
    module, _, name = path.partition(":")
    found = importlib.import_module(module)
    for part in name.split("."):
        found = inspect.getattr_static(found, part)
    source = inspect.getsource(inspect.unwrap(plain(found)))
    return hashlib.sha256(re.sub(r"\s+", "", source).encode()).hexdigest()[:12]


def test_everything_that_we_override_is_guarded():
    assert set(overridden()) == set(OVERRIDDEN)


@pytest.mark.parametrize("path", OVERRIDDEN)
def test_the_source_is_one_that_was_looked_at(path):
    ours = overridden().get(path)
    assert fingerprint(path) in OVERRIDDEN[path], f"{path} has changed; compare it with our {ours}"


def test_what_jinja2_notes_on_functions():
    for mark, name in [
        (pass_context, "context"),
        (pass_eval_context, "eval_context"),
        (pass_environment, "environment"),
    ]:
        marked = mark(lambda first, value: value)
        assert hasattr(marked, function_marks.PASS_MARK)
        assert function_marks.first_argument(marked) == name
    assert function_marks.first_argument(len) == ""
    assert function_marks.is_variant(FILTERS["map"])
    assert FILTERS["map"].__wrapped__ is not FILTERS["map"]
    assert not function_marks.is_variant(FILTERS["length"])
