"""Attributes of values as Python code reads them: of modules, classes, views and rows."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from functools import cached_property as python_cached_property
from types import FunctionType, ModuleType
from typing import TYPE_CHECKING, Any

from django.db.models import Model, QuerySet
from django.db.models.manager import BaseManager
from django.db.models.options import Options
from django.forms.models import BaseModelForm
from django.utils.functional import cached_property

from .faults import Fault
from .frames import FunctionFrame, Given
from .known import (
    Bound,
    Instance,
    Known,
    LoadedTemplate,
    Method,
    NamedAt,
    SuperOf,
    any_of,
    of_object,
    published,
    structure,
)
from .manager_rows import is_model
from .operators import is_text
from .python_sources import class_source, is_of_library, own_function
from .steps import step
from .types import (
    ANYTHING,
    CallableType,
    ClassType,
    DictType,
    ItemsType,
    ObjectType,
    OneOf,
    RowsType,
    TupleType,
    ValueType,
    rows_behind,
)

OUR_VIEWS = "atemplates.views"
"""Our generic views do what Django's of the same names do, whose source is read."""
OPTIONS = frozenset(
    {"app_label", "model_name", "object_name", "label", "label_lower", "verbose_name"}
    | {"verbose_name_plural", "model", "concrete_model"}
)
"""What is plain data of a model's ``_meta``."""
PAGING = frozenset({"get_page", "page", "aget_page", "apage"})
"""What gives a page of a paginator."""
UNSET = object()


class ObjectAttributes:
    """The reading of attributes; functions are read by who derives from it."""

    read_texts: set[tuple[str, int, int]]

    if TYPE_CHECKING:

        def invoke(
            self,
            function: FunctionType,
            arguments: Given,
            receiver: ValueType | None,
            defined_in: type | None,
            frame: FunctionFrame,
        ) -> ValueType:
            """Read a function that is called."""
            ...

    def attribute(self, owner: ValueType, name: str, frame: FunctionFrame) -> ValueType:
        if isinstance(owner, OneOf):
            found = [
                self.attribute(each, name, frame)
                for each in owner.types
                if not (isinstance(each, Known) and each.value is None)
                and published(each) != published(Known(None))
            ]
            return any_of(found) if found else ANYTHING
        if isinstance(owner, Instance):
            return self._of_instance(owner, name, frame)
        if isinstance(owner, SuperOf):
            mro = owner.cls.__mro__
            after = mro[mro.index(owner.after) + 1 :] if owner.after in mro else ()
            return self._of_class(owner.receiver, after, name, frame)
        if isinstance(owner, Known):
            return self._of_known(owner, name, frame)
        if isinstance(owner, RowsType):
            if name == "model" and isinstance(owner.row, ObjectType):
                return Known(owner.row.cls)
            return Method(owner, name)
        if isinstance(owner, (DictType, ItemsType, TupleType, LoadedTemplate)) or is_text(owner):
            return Method(owner, name)
        if isinstance(owner, ClassType):
            return self._of_known(Known(owner.cls), name, frame)
        if hasattr(QuerySet, name) and rows_behind(owner) is not None:
            return Method(owner, name)
        return self._of_object(owner, name, frame) if isinstance(owner, ObjectType) else ANYTHING

    # -- objects of Python -------------------------------------------------------------------------

    def _of_known(self, owner: Known, name: str, frame: FunctionFrame) -> ValueType:
        value = owner.value
        if isinstance(value, ModuleType):
            found = vars(value).get(name, UNSET)
            return ANYTHING if found is UNSET else of_object(found)
        if isinstance(value, BaseManager):
            return Known(value.model) if name == "model" else Method(owner, name)
        if isinstance(value, (str, dict, list, set, frozenset)) or type(value) is tuple:
            return Method(structure(owner) or owner, name)
        if inspect.isclass(value):
            return self._of_class_object(owner, value, name)
        if isinstance(value, Options):
            return Known(getattr(value, name)) if name in OPTIONS else ANYTHING
        if isinstance(value, FunctionType):
            return Known(value.__name__) if name == "__name__" else ANYTHING
        if isinstance(value, tuple) and name in getattr(value, "_fields", ()):
            return of_object(value[value._fields.index(name)])  # type: ignore[attr-defined]
        if type(value).__module__ == "django.conf":
            return _setting(value, name)
        own = getattr(value, "__dict__", None)
        if isinstance(own, dict) and name in own:
            return of_object(own[name])
        if isinstance(value, QuerySet):
            return ANYTHING
        if is_of_library(type(value)) or type(value).__module__ == "builtins":
            return self._of_object(ObjectType(type(value)), name, frame)
        return self._of_class(owner, type(value).__mro__, name, frame)

    def _of_class_object(self, owner: Known, cls: type, name: str) -> ValueType:
        if name in ("__name__", "__qualname__"):
            return Known(cls.__name__)
        if is_model(cls):
            if name == "_meta":
                return Known(cls._meta)
            manager = _manager(cls, name)
            if manager is not None:
                origin = owner.origin
                kept = origin if origin is not None and origin.form == "attribute" else None
                return Known(manager, kept)
        found = inspect.getattr_static(cls, name, UNSET)
        if isinstance(found, (classmethod, staticmethod)):
            function = own_function(found)
            if function is None:
                return ANYTHING
            if isinstance(found, classmethod):
                return Bound(function, owner, cls)
            return Known(function)
        if found is UNSET or isinstance(found, property) or hasattr(type(found), "__get__"):
            function = own_function(found) if found is not UNSET else None
            return Known(function) if function is not None else ANYTHING
        return of_object(found)

    def _of_object(self, owner: ObjectType, name: str, frame: FunctionFrame) -> ValueType:
        cls = owner.cls
        if name in owner.extra:
            return owner.extra[name]
        if name == "__class__":
            return Known(cls)
        if name == "_meta" and is_model(cls):
            return Known(cls._meta)
        if not is_of_library(cls) and cls.__module__ != "builtins":
            for base in cls.__mro__:
                found = vars(base).get(name, UNSET)
                if found is UNSET:
                    continue
                function = own_function(found)
                if function is not None and not is_of_library(base):
                    return Bound(function, owner, base)
                break
        if (
            name in PAGING
            and isinstance(getattr(cls, "per_page", UNSET), object)
            and (cls.__name__.endswith("Paginator"))
        ):
            return Method(owner, name)
        if name == "save" and issubclass(cls, BaseModelForm):
            return CallableType("save", _form_model(cls))
        told = step(published(owner), name, calls=False)
        return ANYTHING if isinstance(told, Fault) else told

    # -- views and their like ----------------------------------------------------------------------

    def _of_instance(self, owner: Instance, name: str, frame: FunctionFrame) -> ValueType:
        if name in owner.attributes:
            return owner.attributes[name]
        if name == "__class__":
            return Known(owner.cls)
        if inspect.getattr_static(owner.cls, name, UNSET) is UNSET:
            return self._set_elsewhere(owner, name, frame)
        return self._of_class(owner, owner.cls.__mro__, name, frame)

    def _of_class(
        self, receiver: ValueType, mro: tuple[type, ...], name: str, frame: FunctionFrame
    ) -> ValueType:
        """What a class has for an instance, the first of ``mro`` that defines it."""
        for base in mro:
            found = vars(base).get(name, UNSET)
            if found is UNSET or _stands_for_djangos(base, found):
                continue
            if isinstance(found, (property, cached_property, python_cached_property)):
                getter = found.fget if isinstance(found, property) else found.func
                function = own_function(getter)
                if function is None:
                    return ANYTHING
                return self.invoke(function, Given([receiver]), receiver, base, frame)
            if isinstance(found, classmethod):
                function = own_function(found)
                return Bound(function, Known(_class(receiver)), base) if function else ANYTHING
            function = own_function(found)
            if function is not None:
                return (
                    Known(function)
                    if isinstance(found, staticmethod)
                    else Bound(function, receiver, base)
                )
            return self._constant(base, name, found)
        return ANYTHING

    def _constant(self, base: type, name: str, value: Any) -> ValueType:
        """An attribute that the body of a class assigns."""
        origin = None
        source = class_source(base) if not is_of_library(base) else None
        for node in source[0].body if source is not None else ():
            written = _assigned(node, name)
            if written is not None and source is not None:
                form = "attribute" if inspect.isclass(value) else "queryset"
                origin = NamedAt(written, source[1], form)
                for each in ast.walk(written):
                    if isinstance(each, (ast.Constant, ast.Name, ast.Attribute)):
                        self.read_texts.add((source[1], each.lineno, each.col_offset))
        return of_object(value, origin)

    def _set_elsewhere(self, owner: Instance, name: str, frame: FunctionFrame) -> ValueType:
        """An attribute that other methods of the class set."""
        if name in owner.reading:
            return ANYTHING
        owner.reading.add(name)
        try:
            for function, base in _setting_methods(owner.cls, name):
                self.invoke(function, Given([owner], is_open=True), owner, base, frame)
        finally:
            owner.reading.discard(name)
        return owner.attributes.get(name, ANYTHING)


def _form_model(form: type[BaseModelForm[Any]]) -> ValueType:
    model = getattr(getattr(form, "_meta", None), "model", None)
    return ObjectType(model) if inspect.isclass(model) else ANYTHING


def _class(value: ValueType) -> Any:
    return value.cls if isinstance(value, (Instance, ObjectType)) else None


def _stands_for_djangos(base: type, found: Any) -> bool:
    """Whether a class of ours has a function where a class of Django's has its own."""
    return (
        base.__module__.startswith(OUR_VIEWS)
        and not inspect.isclass(found)
        and (callable(found) or hasattr(type(found), "__get__"))
    )


def _manager(model: type[Model], name: str) -> BaseManager[Any] | None:
    if name in ("_default_manager", "_base_manager"):
        return getattr(model, name)  # type: ignore[no-any-return]
    if any(each.name == name for each in model._meta.managers):
        return getattr(model, name, None)
    return None


def _setting(settings: Any, name: str) -> ValueType:
    """A setting of the site: its type, as its value may differ where the site runs."""
    if not name.isupper():
        return ANYTHING
    missing = object()
    value = getattr(settings, name, missing)
    return ANYTHING if value is missing or value is None else published(Known(value))


def _assigned(node: ast.stmt, name: str) -> ast.expr | None:
    if isinstance(node, ast.Assign):
        names = [getattr(target, "id", "") for target in node.targets]
        return node.value if name in names else None
    if isinstance(node, ast.AnnAssign) and getattr(node.target, "id", "") == name:
        return node.value
    return None


def _setting_methods(cls: type, name: str) -> Iterator[tuple[FunctionType, type]]:
    """The methods of the site's classes that assign ``self.<name>``."""
    for base in cls.__mro__:
        source = class_source(base) if not is_of_library(base) else None
        for node in source[0].body if source is not None else ():
            if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                continue
            if any(
                isinstance(each, ast.Attribute)
                and each.attr == name
                and isinstance(each.ctx, ast.Store)
                for each in ast.walk(node)
            ):
                function = own_function(vars(base).get(node.name))
                if function is not None:
                    yield function, base
