"""The steps of a render that the watch knows by name are there, with the names it reads."""

import inspect
import pkgutil
from importlib import import_module

import pytest

import atemplates
from atemplates.relations import query_attribution

NEEDED = {
    query_attribution._announced: {"wait"},
    query_attribution._filter: {"function", "value", "site", "root"},
    query_attribution._value_at_hand: {"value"},
    query_attribution._walk: {"site", "index", "root", "value"},
}


def functions_of(room):
    package = import_module(f"atemplates.{room}")
    modules = [package]
    for found in pkgutil.iter_modules(getattr(package, "__path__", ())):
        modules.append(import_module(f"{package.__name__}.{found.name}"))
    for module in modules:
        for function in vars(module).values():
            if inspect.isfunction(function) and function.__module__ == module.__name__:
                yield function
            elif inspect.isclass(function) and function.__module__ == module.__name__:
                yield from filter(inspect.isfunction, vars(function).values())


@pytest.mark.parametrize("step", query_attribution.STEPS, ids=".".join)
def test_a_step_is_a_function_with_these_names(step):
    room, name = step
    found = [function for function in functions_of(room) if function.__name__ == name]
    assert len(found) == 1
    code = found[0].__code__
    assert NEEDED.get(query_attribution.STEPS[step], set()) <= {
        *code.co_varnames,
        *code.co_cellvars,
    }


def test_the_package_is_where_the_steps_are_looked_for():
    assert atemplates.__name__ == query_attribution.PACKAGE
