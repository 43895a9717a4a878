"""Our classes against Django's: a release that adds or changes a method is noticed here."""

import ast
import dis
import inspect
from types import FunctionType

import pytest
from asgiref.sync import AsyncToSync
from django.contrib.auth import mixins
from django.views import generic
from django.views.generic import base, dates, detail, edit
from django.views.generic import list as lists

from atemplates import views
from atemplates.views import colours

MODULES = (base, lists, detail, edit, dates, mixins)
CLASSES = {
    name: each
    for module in MODULES
    for name, each in vars(module).items()
    if inspect.isclass(each) and each.__module__ == module.__name__
}
METHODS = [
    (name, method)
    for name, each in CLASSES.items()
    for method, function in vars(each).items()
    if isinstance(function, FunctionType) and not method.startswith("_")
]
HARMLESS = {"_meta", "_default_manager", "__class__", "__name__", "__dict__"}


def twins_of(name):
    """The names that one of our classes says something about: its twins, and what takes a hop."""
    kind = getattr(views, name)
    (tree,) = ast.parse(inspect.getsource(kind)).body
    found = {each.name for each in tree.body if isinstance(each, ast.AsyncFunctionDef)}
    for each in tree.body:
        if isinstance(each, ast.Assign):
            found |= {target.id for target in each.targets}
    return found | kind.in_thread


def test_every_class_of_djangos_has_ours():
    exported = {name for name in vars(generic) if inspect.isclass(getattr(generic, name))}
    assert exported - {"GenericViewError"} <= set(views.__all__)
    assert set(CLASSES) | {"AsyncRenderMixin"} == set(views.__all__)


@pytest.mark.parametrize("name", CLASSES)
def test_ours_derives_from_djangos(name):
    assert issubclass(getattr(views, name), CLASSES[name])


def test_every_public_method_is_a_hook():
    assert {method for _, method in METHODS} | colours.HANDLERS == colours.HOOKS
    own = {method for name, method in METHODS if CLASSES[name].__module__ == mixins.__name__}
    assert own - {"dispatch"} == colours.ACCESS_HOOKS


@pytest.mark.parametrize(("name", "method"), METHODS, ids=lambda value: value)
def test_what_runs_on_the_loop_as_it_is_calls_no_hook_and_asks_nothing(name, method):
    """A method of Django's that has no twin and takes no hop."""
    if method in twins_of(name):
        return
    function = vars(CLASSES[name])[method]
    read = {
        instruction.argval
        for instruction in dis.get_instructions(function)
        if instruction.opname in ("LOAD_ATTR", "LOAD_METHOD", "LOAD_GLOBAL", "LOAD_SUPER_ATTR")
    }
    # `test_func` is returned and not called, and `get` is that of a dict.
    assert not read & (colours.HOOKS - {method, "test_func", "get"})
    asking = {"get", "exists", "count", "first", "save", "delete", "is_valid", "page", "has_perms"}
    assert (
        not {each for each in read if each.startswith("_")} - HARMLESS - {"_allowed_methods", "_"}
    )
    if method not in ("setup", "options", "get_redirect_url"):
        assert not read & asking


def test_what_calls_coroutine_functions_in_async_to_sync():
    assert "self.awaitable(*args, **kwargs)" in inspect.getsource(AsyncToSync.__call__)
