"""Puts our classes in the place of Django's, for code that is imported from then on."""

import sys
from collections.abc import Iterator
from importlib import import_module
from types import ModuleType
from typing import Any


def classes_in_place(
    theirs: ModuleType, ours: ModuleType, kept: frozenset[str] = frozenset()
) -> dict[str, type]:
    """Our classes for those that a module of Django's has, by name.

    Args:
        theirs: the module of Django's.
        ours: the module that has classes of the same names.
        kept: names of classes that are to stay Django's.

    Raises:
        LookupError: there is none for a class that the module of Django's defines.
    """
    found = {
        name: getattr(ours, name)
        for name, value in public_classes(theirs)
        if name not in kept and is_subclass(getattr(ours, name, None), value)
    }
    missing = [
        name
        for name, value in public_classes(theirs)
        if value.__module__ == theirs.__name__ and name not in found and name not in kept
    ]
    if missing:
        raise LookupError(
            f"{ours.__name__} has no subclass of these of {theirs.__name__}: {missing}"
        )
    return found


def public_classes(module: ModuleType) -> Iterator[tuple[str, type]]:
    """The classes in a module, without exceptions."""
    for name, value in vars(module).items():
        is_public = isinstance(value, type) and not name.startswith("_")
        if is_public and not issubclass(value, BaseException):
            yield name, value


def is_subclass(value: Any, base: type) -> bool:
    """Whether a value is a class that derives from another."""
    return isinstance(value, type) and value is not base and issubclass(value, base)


def replace_in(name: str, values: dict[str, Any]) -> None:
    """Have everybody who imports the module ``name`` from now on find ``values`` in it.

    They find a copy. The module itself stays, for those who have it: our classes call their
    namesakes in it, and what they find there has to be Django's.
    """
    module = import_module(name)
    copy = ModuleType(name, module.__doc__)
    vars(copy).update({**vars(module), **values})
    sys.modules[name] = copy
    parent, _, last = name.rpartition(".")
    setattr(sys.modules[parent], last, copy)


def import_again(name: str) -> None:
    """Have the module ``name`` make its classes again, of what it finds now."""
    sys.modules.pop(name, None)
    import_module(name)
