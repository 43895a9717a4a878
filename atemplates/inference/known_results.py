"""What methods and properties of Python's and Django's classes give, which have no type hints."""

from __future__ import annotations

import datetime
import decimal
import enum
import uuid
from collections.abc import Mapping

from django.core.files.base import File
from django.core.paginator import Paginator
from django.db.models.fields.files import FieldFile, ImageFieldFile
from django.forms import BaseForm, BaseFormSet
from django.forms.boundfield import BoundField
from django.http import HttpRequest
from django.utils.safestring import SafeString

from .class_attributes import mro_of
from .types import ANYTHING, NONE_TYPE, ItemsType, ObjectType, ValueType, one_of

STR = ObjectType(str)
SAFE_STR = ObjectType(SafeString)
INT = ObjectType(int)
BOOL = ObjectType(bool)
FLOAT = ObjectType(float)
STRS = ItemsType(STR)


def _table(kind: type, found: ValueType, names: str) -> dict[tuple[type, str], ValueType]:
    return {(kind, name): found for name in names.split()}


KNOWN: Mapping[tuple[type, str], ValueType] = {
    **_table(
        str,
        STR,
        "capitalize casefold center expandtabs format join ljust lower lstrip removeprefix"
        " removesuffix replace rjust rstrip strip swapcase title translate upper zfill",
    ),
    **_table(
        str,
        BOOL,
        "isalnum isalpha isascii isdecimal isdigit isidentifier islower isnumeric isprintable"
        " isspace istitle isupper startswith endswith",
    ),
    **_table(str, INT, "count find index rfind rindex"),
    **_table(str, STRS, "split rsplit splitlines"),
    **_table(int, INT, "bit_length bit_count real imag numerator denominator conjugate"),
    **_table(float, BOOL, "is_integer"),
    **_table(float, FLOAT, "real imag conjugate"),
    **_table(float, STR, "hex"),
    **_table(decimal.Decimal, BOOL, "is_finite is_infinite is_nan is_signed is_zero"),
    **_table(datetime.date, INT, "year month day weekday isoweekday toordinal"),
    **_table(datetime.date, STR, "isoformat ctime strftime"),
    **_table(datetime.datetime, INT, "hour minute second microsecond fold"),
    **_table(datetime.datetime, STR, "isoformat ctime strftime"),
    **_table(datetime.datetime, FLOAT, "timestamp"),
    **_table(datetime.datetime, ObjectType(datetime.date), "date"),
    **_table(datetime.datetime, ObjectType(datetime.time), "time timetz"),
    **_table(datetime.time, INT, "hour minute second microsecond fold"),
    **_table(datetime.time, STR, "isoformat strftime"),
    **_table(datetime.timedelta, INT, "days seconds microseconds"),
    **_table(datetime.timedelta, FLOAT, "total_seconds"),
    **_table(uuid.UUID, STR, "hex urn"),
    **_table(uuid.UUID, INT, "int"),
    **_table(enum.Enum, STR, "name"),
    **_table(Paginator, INT, "count num_pages"),
    **_table(Paginator, ObjectType(range, item=INT), "page_range"),
    **_table(HttpRequest, STR, "get_full_path get_host build_absolute_uri get_port"),
    **_table(HttpRequest, one_of([STR, NONE_TYPE]), "scheme"),
    **_table(HttpRequest, BOOL, "is_secure"),
    **_table(File, INT, "size"),
    **_table(FieldFile, STR, "path url"),
    **_table(FieldFile, INT, "size"),
    **_table(ImageFieldFile, INT, "width height"),
    **_table(BoundField, SAFE_STR, "as_widget as_text as_textarea as_hidden label_tag legend_tag"),
    **_table(BoundField, STR, "css_classes id_for_label auto_id"),
    **_table(BoundField, BOOL, "is_hidden"),
    **_table(BaseForm, SAFE_STR, "as_p as_table as_ul as_div render"),
    **_table(BaseForm, BOOL, "is_valid has_changed is_multipart"),
    **_table(BaseForm, ItemsType(ObjectType(BoundField, may_be_subclass=True)), "hidden_fields"),
    **_table(BaseForm, ItemsType(ObjectType(BoundField, may_be_subclass=True)), "visible_fields"),
    **_table(BaseFormSet, SAFE_STR, "as_p as_table as_ul as_div render"),
    **_table(BaseFormSet, BOOL, "is_valid has_changed is_multipart"),
    **_table(BaseFormSet, INT, "total_form_count initial_form_count total_error_count"),
}
"""Class that defines it, and name -> what it gives: for a method, what a call gives."""


def known_result(base: type | None, name: str) -> ValueType:
    """Return what an attribute that ``base`` defines gives; `ANYTHING` when no table has it."""
    return KNOWN.get((base, name), ANYTHING) if base is not None else ANYTHING


ITERATED: Mapping[type, ValueType] = {
    str: STR,
    bytes: INT,
    range: INT,
    BaseForm: ObjectType(BoundField, may_be_subclass=True),
}
"""What iterating over an instance gives, where only its class is known."""


def known_item(cls: type) -> ValueType:
    """Return what the items of an instance are, as far as its class tells."""
    return next((ITERATED[base] for base in mro_of(cls) if base in ITERATED), ANYTHING)
