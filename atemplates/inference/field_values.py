"""What the columns of a model hold, by the class of the field."""

from __future__ import annotations

import datetime
import decimal
import uuid
from types import FunctionType
from typing import Any

from django.db import models

from ..runtime.types import is_django
from .cached import found_once
from .class_attributes import NOT_THERE, defining_module, dict_of, mro_of, static_value
from .types import ANYTHING, NONE_TYPE, ObjectType, ValueType, one_of

COLUMN_VALUES: dict[type, type] = {
    models.AutoField: int,
    models.BigAutoField: int,
    models.SmallAutoField: int,
    models.IntegerField: int,
    models.BooleanField: bool,
    models.CharField: str,
    models.TextField: str,
    models.GenericIPAddressField: str,
    models.FilePathField: str,
    models.DateTimeField: datetime.datetime,
    models.DateField: datetime.date,
    models.TimeField: datetime.time,
    models.DurationField: datetime.timedelta,
    models.DecimalField: decimal.Decimal,
    models.FloatField: float,
    models.UUIDField: uuid.UUID,
}
"""Field -> the class of what it gives when a row is loaded."""
CONVERTING = (
    *("from_db_value", "to_python", "get_db_converters", "pre_save", "get_default"),
    *("contribute_to_class", "descriptor_class", "value_from_object"),
)
"""With these a field of the site has a say in what it gives."""


def value_of_field(field: Any) -> ValueType:
    """Return what a row has for a column; a key column has what it points to.

    A row that the site has just made may hold a subclass: the member of an enumeration.
    """
    found = _value(field, 0)
    if found is not ANYTHING and field.null:
        return one_of([found, NONE_TYPE])
    return found


def _value(field: Any, depth: int) -> ValueType:
    if depth > 5:  # keys that point to keys, in a circle
        return ANYTHING
    if field.is_relation:
        targets: list[Any] = list(getattr(field, "foreign_related_fields", ()))
        return _value(targets[0], depth + 1) if len(targets) == 1 else ANYTHING
    if isinstance(field, models.GeneratedField):
        return _value(field.output_field, depth + 1)
    found = _class_of(type(field))
    return ANYTHING if found is None else ObjectType(found, may_be_subclass=True)


@found_once
def _class_of(kind: type) -> type | None:
    for base in mro_of(kind):
        if not is_django(str(defining_module(base))):
            if any(name in dict_of(base) for name in CONVERTING):
                return None
        elif base in COLUMN_VALUES:
            return COLUMN_VALUES[base]
    return None


@found_once
def gives_bound_field(kind: type) -> bool:
    """Whether a field of a form gives Django's own bound field."""
    found, base = static_value(kind, "get_bound_field")
    return found is not NOT_THERE and isinstance(found, FunctionType) and _is_django(base)


def _is_django(base: type | None) -> bool:
    return base is not None and is_django(str(defining_module(base)))
