"""What functions and classes of Python and Django give that views call, by their names."""

from __future__ import annotations

import ast
import dataclasses
import datetime
import functools
import inspect
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeAlias, is_typeddict

from django.contrib.auth import get_user_model
from django.core.paginator import Paginator
from django.db.models import Prefetch, Q
from django.db.models.expressions import BaseExpression, Combinable
from django.template.context import Context

from .chains import list_of_rows, rows_of_manager
from .expressions import items_of, opened_dict, with_key
from .frames import FunctionFrame, Given
from .hints import type_of_hint
from .known import (
    Instance,
    Known,
    LoadedTemplate,
    Partial,
    SuperOf,
    any_of,
    known_value,
    structure,
)
from .manager_rows import is_model
from .operators import A_BOOL, A_NUMBER, A_TEXT, is_instance, truth_of, united
from .queries import no_queries
from .types import (
    ANYTHING,
    DictType,
    ItemsType,
    ObjectType,
    RowsType,
    TupleType,
    ValueType,
    data_of,
)

if TYPE_CHECKING:
    from .calls import Calls

Reader: TypeAlias = "Callable[[Calls, Given, FunctionFrame, ast.Call], ValueType | None]"


def qualified(function: Any) -> str:
    """Return the module and name of a function or class: ``django.shortcuts.render``."""
    return f"{getattr(function, '__module__', '')}.{getattr(function, '__qualname__', '')}"


def _rows_of(given: ValueType, node: ast.expr | None, frame: FunctionFrame) -> RowsType | None:
    """The rows of a model, a manager or a queryset."""
    if isinstance(given, RowsType):
        return given
    if not isinstance(given, Known):
        return None
    model = given.value
    if is_model(model):
        manager = Known(model._default_manager)
        found = rows_of_manager(manager)
        if found is None or found.data is None or node is None:
            return found
        data = replace(found.data, expression=node, file=frame.file, form="model")
        return replace(found, data=data)
    return rows_of_manager(given)


def _one_or_404(
    reader: Calls, arguments: Given, frame: FunctionFrame, node: ast.Call
) -> ValueType | None:
    given = arguments.get(0, "klass")
    rows = _rows_of(given, arguments.node(0, "klass"), frame) if given is not None else None
    if rows is None or not isinstance(rows.row, ObjectType):
        return rows.row if rows is not None else ANYTHING
    data = replace(rows.data, shape="row", call=node) if rows.data is not None else None
    return replace(rows.row, data=data)


def _list_or_404(
    reader: Calls, arguments: Given, frame: FunctionFrame, node: ast.Call
) -> ValueType | None:
    given = arguments.get(0, "klass")
    rows = _rows_of(given, arguments.node(0, "klass"), frame) if given is not None else None
    return list_of_rows(rows, list) if rows is not None else ItemsType(ANYTHING)


def _first(
    reader: Calls, arguments: Given, frame: FunctionFrame, node: ast.Call
) -> ValueType | None:
    return arguments.positional[0] if arguments.positional else ANYTHING


def _second(
    reader: Calls, arguments: Given, frame: FunctionFrame, node: ast.Call
) -> ValueType | None:
    return arguments.positional[1] if len(arguments.positional) > 1 else ANYTHING


def _begun(
    reader: Calls, arguments: Given, frame: FunctionFrame, node: ast.Call
) -> ValueType | None:
    """``aload(source)``: the rows, or what a function gives."""
    given = arguments.get(0, "source")
    if given is None:
        return ANYTHING
    if isinstance(given, Known):
        rows = rows_of_manager(given)
        if rows is not None:
            return rows
    if isinstance(given, (RowsType, ObjectType)) or given is ANYTHING:
        return given
    return reader.call(given, Given(), frame, node)


def _user_model(
    reader: Calls, arguments: Given, frame: FunctionFrame, node: ast.Call
) -> ValueType | None:
    return Known(get_user_model())


def _loaded(
    reader: Calls, arguments: Given, frame: FunctionFrame, node: ast.Call
) -> ValueType | None:
    names = arguments.get(0, "template_name") or arguments.get(None, "template_name_list")
    return LoadedTemplate(names or ANYTHING, arguments.get(1, "using") or Known(None), node.lineno)


def _a(value: ValueType) -> Reader:
    return lambda reader, arguments, frame, node: value


def _is_instance(
    reader: Calls, arguments: Given, frame: FunctionFrame, node: ast.Call
) -> ValueType | None:
    if len(arguments.positional) != 2:
        return A_BOOL
    found = is_instance(*arguments.positional)
    return A_BOOL if found is None else Known(found)


def _is_subclass(
    reader: Calls, arguments: Given, frame: FunctionFrame, node: ast.Call
) -> ValueType | None:
    plain = [each.value for each in arguments.positional if isinstance(each, Known)]
    if len(plain) != 2 or not all(map(inspect.isclass, plain)):
        return A_BOOL
    return Known(issubclass(plain[0], plain[1]))


def _has(reader: Calls, arguments: Given, frame: FunctionFrame, node: ast.Call) -> ValueType | None:
    if len(arguments.positional) != 2:
        return A_BOOL
    owner, name = arguments.positional
    if isinstance(name, Known) and isinstance(owner, RowsType):
        return Known(hasattr(owner.cls, name.value) or name.value == "model")
    if isinstance(name, Known) and isinstance(owner, Known) and inspect.isclass(owner.value):
        return Known(inspect.getattr_static(owner.value, name.value, None) is not None)
    return A_BOOL


def _get(reader: Calls, arguments: Given, frame: FunctionFrame, node: ast.Call) -> ValueType | None:
    if len(arguments.positional) < 2:
        return ANYTHING
    owner, name = arguments.positional[:2]
    if not isinstance(name, Known) or not isinstance(name.value, str):
        return ANYTHING
    found = reader.attribute(owner, name.value, frame)
    return any_of([found, arguments.positional[2]]) if len(arguments.positional) > 2 else found


def _set(reader: Calls, arguments: Given, frame: FunctionFrame, node: ast.Call) -> ValueType | None:
    if len(arguments.positional) == 3:
        owner, name, value = arguments.positional
        if isinstance(owner, Instance) and isinstance(name, Known):
            owner.attributes[str(name.value)] = value
    return Known(None)


def _super(
    reader: Calls, arguments: Given, frame: FunctionFrame, node: ast.Call
) -> ValueType | None:
    where: FunctionFrame | None = frame
    while where is not None and where.defined_in is None:
        where = where.outer
    receiver = where.receiver if where is not None else None
    after = where.defined_in if where is not None else None
    if len(arguments.positional) == 2 and isinstance(arguments.positional[0], Known):
        after, receiver = arguments.positional[0].value, arguments.positional[1]
    cls = getattr(receiver, "cls", None)
    if isinstance(receiver, Known):
        cls = receiver.value if inspect.isclass(receiver.value) else type(receiver.value)
    if receiver is None or after is None or not inspect.isclass(cls):
        return ANYTHING
    return SuperOf(receiver, cls, after)


def _locals(
    reader: Calls, arguments: Given, frame: FunctionFrame, node: ast.Call
) -> ValueType | None:
    return DictType(dict(frame.names), not frame.escaped)


def _vars(
    reader: Calls, arguments: Given, frame: FunctionFrame, node: ast.Call
) -> ValueType | None:
    if not arguments.positional:
        return _locals(reader, arguments, frame, node)
    given = arguments.positional[0]
    if isinstance(given, Instance):
        return DictType(dict(given.attributes))
    return _fields(given)


def _as_dict(
    reader: Calls, arguments: Given, frame: FunctionFrame, node: ast.Call
) -> ValueType | None:
    return _fields(arguments.positional[0]) if arguments.positional else DictType()


def _fields(value: ValueType) -> ValueType:
    """The fields of a dataclass, as a dict of them."""
    cls = value.cls if isinstance(value, ObjectType) else None
    if cls is None or not dataclasses.is_dataclass(cls):
        return DictType()
    given = value.extra if isinstance(value, ObjectType) else {}
    names = vars(inspect.getmodule(cls)) if inspect.getmodule(cls) else {}
    members = {
        each.name: given.get(each.name) or type_of_hint(each.type, names)
        for each in dataclasses.fields(cls)
    }
    return DictType(members, True)


def _next(
    reader: Calls, arguments: Given, frame: FunctionFrame, node: ast.Call
) -> ValueType | None:
    if not arguments.positional:
        return ANYTHING
    return any_of([reader.item_of(arguments.positional[0]), *arguments.positional[1:]])


def _sorted(
    reader: Calls, arguments: Given, frame: FunctionFrame, node: ast.Call
) -> ValueType | None:
    if not arguments.positional:
        return ItemsType(ANYTHING)
    return items_of(reader.item_of(arguments.positional[0]), list)


def _any(reader: Calls, arguments: Given, frame: FunctionFrame, node: ast.Call) -> ValueType | None:
    """``max()`` and ``min()``: one of the arguments, or of the items of the only one."""
    given = arguments.positional
    return reader.item_of(given[0]) if len(given) == 1 else any_of(given or [ANYTHING])


def _sum(reader: Calls, arguments: Given, frame: FunctionFrame, node: ast.Call) -> ValueType | None:
    item = reader.item_of(arguments.positional[0]) if arguments.positional else ANYTHING
    return item if isinstance(item, ObjectType) and item.cls in (int, float) else ANYTHING


def _made_class(factory: Any) -> Reader:
    """A function of Django that makes a class of a form, called for real."""

    def made(
        reader: Calls, arguments: Given, frame: FunctionFrame, node: ast.Call
    ) -> ValueType | None:
        if arguments.is_open:
            return ANYTHING
        try:
            positional = [known_value(each) for each in arguments.positional]
            keywords = {name: _plain(each) for name, each in arguments.keywords.items()}
        except LookupError:
            return ANYTHING
        key = (qualified(factory), repr(positional), repr(keywords))
        if key not in reader.made_classes:
            with no_queries():
                try:
                    reader.made_classes[key] = Known(factory(*positional, **keywords))
                except Exception:
                    # The factory says no to what a view would have to change: nothing is known.
                    reader.made_classes[key] = ANYTHING
        return reader.made_classes[key]

    return made


def _plain(value: ValueType) -> Any:
    if isinstance(value, ItemsType):
        items = value.item
        types = getattr(items, "types", (items,))
        return [known_value(each) for each in types]
    return known_value(value)


def _factories() -> dict[str, Reader]:
    from django.forms import formsets, models

    return {
        qualified(factory): _made_class(factory)
        for factory in (
            *(models.modelform_factory, models.modelformset_factory),
            *(models.inlineformset_factory, formsets.formset_factory),
        )
    }


TRANSLATIONS = frozenset(
    f"django.utils.translation.{name}"
    for name in ("gettext", "pgettext", "ngettext", "npgettext", "gettext_noop")
)
LOADERS = (
    *("django.template.loader.get_template", "django.template.loader.select_template"),
    *("atemplates.shortcuts.aget_template", "atemplates.shortcuts.aselect_template"),
)
BY_NAME: dict[str, Reader] = {
    "django.shortcuts.get_object_or_404": _one_or_404,
    "django.shortcuts.aget_object_or_404": _one_or_404,
    "django.shortcuts.get_list_or_404": _list_or_404,
    "django.shortcuts.aget_list_or_404": _list_or_404,
    "django.contrib.auth.get_user_model": _user_model,
    "atemplates.parallel.loads.aload": _begun,
    "asgiref.sync.sync_to_async": _first,
    "asgiref.sync.async_to_sync": _first,
    "asgiref.sync.SyncToAsync": _first,
    "asgiref.sync.AsyncToSync": _first,
    "typing.cast": _second,
    "copy.copy": _first,
    "copy.deepcopy": _first,
    "dataclasses.asdict": _as_dict,
    "django.urls.base.reverse": _a(A_TEXT),
    "django.utils.timezone.now": _a(ObjectType(datetime.datetime)),
    "django.utils.timezone.localtime": _a(ObjectType(datetime.datetime)),
    "django.utils.timezone.localdate": _a(ObjectType(datetime.date)),
    **dict.fromkeys(TRANSLATIONS, _a(A_TEXT)),
    **dict.fromkeys(LOADERS, _loaded),
    **_factories(),
    "builtins.isinstance": _is_instance,
    "builtins.issubclass": _is_subclass,
    "builtins.hasattr": _has,
    "builtins.getattr": _get,
    "builtins.setattr": _set,
    "builtins.super": _super,
    "builtins.locals": _locals,
    "builtins.vars": _vars,
    "builtins.next": _next,
    "builtins.anext": _next,
    "builtins.iter": _first,
    "builtins.sorted": _sorted,
    "builtins.max": _any,
    "builtins.min": _any,
    "builtins.sum": _sum,
    "builtins.len": _a(A_NUMBER),
    "builtins.id": _a(A_NUMBER),
    "builtins.any": _a(A_BOOL),
    "builtins.all": _a(A_BOOL),
    "builtins.callable": _a(A_BOOL),
    "builtins.repr": _a(A_TEXT),
    "builtins.format": _a(A_TEXT),
    "builtins.round": _a(ANYTHING),
}
"""Module and name -> what a call gives; None where it is a function like others."""
MADE_FOR_REAL = frozenset({"django.db.models.aggregates.Count"})
REAL_CLASSES = (Prefetch, Q, Combinable, BaseExpression)
"""Classes of Django's ORM whose instances only hold what they are given."""


def of_class(reader: Calls, cls: Any, arguments: Given) -> ValueType:
    """Return an instance of a class of Python or Django; `ANYTHING` where the class tells more."""
    given = arguments.positional
    first = given[0] if given else None
    if cls in PYTHON_CLASSES:
        return PYTHON_CLASSES[cls](reader, first, arguments)
    if cls is functools.partial and first is not None:
        return Partial(first, tuple(given[1:]), dict(arguments.keywords))
    if is_typeddict(cls):
        return _typed_dict(cls, first, arguments)
    if not inspect.isclass(cls):
        return ANYTHING
    if cls.__name__.endswith("Paginator") and (
        issubclass(cls, Paginator) or hasattr(cls, "get_page") or hasattr(cls, "aget_page")
    ):
        return _paginator(reader, cls, arguments)
    if issubclass(cls, Context):
        return _context(arguments)
    if issubclass(cls, REAL_CLASSES):
        return _real(cls, arguments)
    if dataclasses.is_dataclass(cls):
        return _dataclass(cls, arguments)
    return ANYTHING


def _list(reader: Calls, first: ValueType | None, arguments: Given, cls: type) -> ValueType:
    if first is None:
        from .known import NEVER

        return ItemsType(NEVER, cls)
    inner = structure(first) or first
    if cls is tuple and isinstance(inner, TupleType):
        return inner
    if isinstance(inner, RowsType):
        return list_of_rows(inner, cls)
    return items_of(reader.item_of(inner), cls)


def _dict(reader: Calls, first: ValueType | None, arguments: Given) -> ValueType:
    found = DictType({}, not arguments.is_open)
    if first is not None:
        inner = structure(first) or first
        found = united(found, inner) if isinstance(inner, DictType) else opened_dict(found)
    for name, value in arguments.keywords.items():
        found = with_key(found, Known(name), value)
    return found


def _str(reader: Calls, first: ValueType | None, arguments: Given) -> ValueType:
    if isinstance(first, Known) and isinstance(first.value, (str, int)):
        return Known(str(first.value))
    return A_TEXT


def _bool(reader: Calls, first: ValueType | None, arguments: Given) -> ValueType:
    truth = truth_of(first) if first is not None else False
    return A_BOOL if truth is None else Known(truth)


def _zipped(reader: Calls, first: ValueType | None, arguments: Given) -> ValueType:
    items = tuple(reader.item_of(each) for each in arguments.positional)
    return ItemsType(TupleType(items), zip)


def _numbered(reader: Calls, first: ValueType | None, arguments: Given) -> ValueType:
    item = reader.item_of(first) if first is not None else ANYTHING
    return ItemsType(TupleType((A_NUMBER, item)), enumerate)


def _same(reader: Calls, first: ValueType | None, arguments: Given) -> ValueType:
    return items_of(reader.item_of(first), list) if first is not None else ItemsType(ANYTHING)


def _filtered(reader: Calls, first: ValueType | None, arguments: Given) -> ValueType:
    given = arguments.positional
    return items_of(reader.item_of(given[1]), list) if len(given) > 1 else ItemsType(ANYTHING)


def _mapped(reader: Calls, first: ValueType | None, arguments: Given) -> ValueType:
    if first is None or len(arguments.positional) < 2:
        return ItemsType(ANYTHING)
    items = [reader.item_of(each) for each in arguments.positional[1:]]
    node = ast.Call(ast.Name("map"), [], [], lineno=0, col_offset=0)
    return items_of(reader.call(first, Given(items), FunctionFrame({}, ""), node), list)


def _type(reader: Calls, first: ValueType | None, arguments: Given) -> ValueType:
    cls = getattr(first, "cls", None)
    return Known(cls) if inspect.isclass(cls) and len(arguments.positional) == 1 else ANYTHING


PYTHON_CLASSES: dict[Any, Callable[[Any, ValueType | None, Given], ValueType]] = {
    dict: _dict,
    str: _str,
    bool: _bool,
    int: lambda reader, first, arguments: A_NUMBER,
    float: lambda reader, first, arguments: ObjectType(float),
    zip: _zipped,
    enumerate: _numbered,
    reversed: _same,
    filter: _filtered,
    map: _mapped,
    range: lambda reader, first, arguments: ItemsType(A_NUMBER, range),
    type: _type,
    super: lambda reader, first, arguments: ANYTHING,
    property: lambda reader, first, arguments: ANYTHING,
    **{each: functools.partial(_list, cls=each) for each in (list, tuple, set, frozenset)},
}


def _typed_dict(cls: Any, first: ValueType | None, arguments: Given) -> ValueType:
    promised = type_of_hint(cls)
    given = dict(first.members) if isinstance(first, DictType) else {}
    given |= arguments.keywords
    members = dict(promised.members) if isinstance(promised, DictType) else {}
    for name, value in given.items():
        hint = members.get(name, ANYTHING)
        # What is given may say what its queryset loads, which no hint does.
        if hint is ANYTHING or data_of(value) is not None:
            members[name] = value
    return DictType(members, not arguments.is_open, name=cls.__name__)


def _paginator(reader: Calls, cls: type, arguments: Given) -> ValueType:
    rows = arguments.get(0, "object_list") or ANYTHING
    inner = structure(rows) or rows
    if isinstance(inner, Known):
        inner = rows_of_manager(inner) or inner
    data = data_of(inner)
    return ObjectType(cls, data=data, item=reader.item_of(inner))


def _context(arguments: Given) -> ValueType:
    for value in arguments.all():
        inner = structure(value) or value
        if isinstance(inner, DictType):
            return replace(inner)
    return DictType({}, not arguments.is_open and not any(True for _ in arguments.all()))


def _real(cls: Any, arguments: Given) -> ValueType:
    if arguments.is_open:
        return ObjectType(cls)
    try:
        positional = [known_value(each) for each in arguments.positional]
        keywords = {name: known_value(each) for name, each in arguments.keywords.items()}
        with no_queries():
            return Known(cls(*positional, **keywords))
    except Exception:
        # An argument is not known, or the class refuses it, as it would in the view.
        return ObjectType(cls)


def _dataclass(cls: type, arguments: Given) -> ValueType:
    """An instance of a dataclass: its fields are what they are given, where that says more."""
    names = [each.name for each in dataclasses.fields(cls) if each.init]
    given = dict(zip(names, arguments.positional, strict=False)) | arguments.keywords
    extra = {name: value for name, value in given.items() if data_of(value) is not None}
    return ObjectType(cls, extra)
