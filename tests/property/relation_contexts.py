"""Contexts for the relation tests: a few lines of Python that make querysets, lists and dicts.

They are kept as text, so that a failing example reads like a view and can be made anew for each
render: what one render loads must not help the next.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import django
from django.apps import apps
from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.db.models import Count, Prefetch
from hypothesis import strategies as st

Draw = Callable[[st.SearchStrategy[Any]], Any]


@dataclass(frozen=True)
class One:
    """An instance of a model, or None."""

    model: str
    extra: tuple[tuple[str, Any], ...] = ()
    """What else its rows have: annotations, and the lists of a ``Prefetch(to_attr=...)``."""


@dataclass(frozen=True)
class Manager:
    """A related manager."""

    model: str


@dataclass(frozen=True)
class Rows:
    """A queryset or a list."""

    item: Any
    queryset: bool = False


@dataclass(frozen=True)
class Record:
    """A dict or an object with these entries; as a tuple, its entries are numbered."""

    entries: tuple[tuple[str, Any], ...]
    tuple: bool = False


@dataclass(frozen=True)
class Scalar:
    """Text, a number, anything without relations."""


SCALAR = Scalar()

PYTHON: dict[str, dict[str, Any]] = {
    "Animal": {
        "label": SCALAR,
        "region_name": SCALAR,
        "food_names": SCALAR,
        "heaviest_child": One("Animal"),
    },
    "OldAnimal": {"title": SCALAR, "label": SCALAR, "region_name": SCALAR},
}
"""Properties and methods of the zoo's models."""

MODELS = (
    "Animal",
    "Aviary",
    "Chip",
    "Egg",
    "Enclosure",
    "Food",
    "Legend",
    "Note",
    "OldAnimal",
    "Passport",
    "Place",
    "Region",
    "Species",
    "Ticket",
    "Visit",
    "Visitor",
)


def model_of(name: str) -> type[models.Model]:
    """Return a model by its class name."""
    if name == "User":
        from django.contrib.auth import get_user_model

        return get_user_model()
    if name == "ContentType":
        return ContentType
    return apps.get_model("testapp", name)


@cache
def attributes(name: str) -> tuple[tuple[str, Any], ...]:
    """Return what a template can reach from an instance: pairs of a name and a type."""
    found: dict[str, Any] = {"pk": SCALAR, "nothing": SCALAR}
    if name == "User":
        return (("username", SCALAR), ("pk", SCALAR), ("animals", Manager("Animal")))
    if name == "ContentType":
        return (("model", SCALAR),)
    for entry in model_of(name)._meta.get_fields():
        target = entry.related_model and entry.related_model.__name__
        if not entry.is_relation:
            found[entry.name] = SCALAR
        elif entry.related_model is None:
            found[entry.name] = One("Animal")  # a generic key: mostly
        elif entry.auto_created and not entry.concrete:
            accessor = entry.get_accessor_name()
            # The other side of a generic relation is no accessor that Django documents.
            if accessor is not None and not entry.field.one_to_many:
                found[accessor] = One(target) if entry.one_to_one else Manager(target)
        elif entry.many_to_many or entry.one_to_many:
            found[entry.name] = Manager(target)
        else:
            found[entry.name] = One(target)
            found[entry.attname] = SCALAR
    found.update(PYTHON.get(name, {}))
    return tuple(sorted(found.items()))


def names_of(name: str, kind: Any) -> list[str]:
    """Return the attributes of one type that a queryset method can take."""
    python = PYTHON.get(name, ())
    skipped = ("pk", "nothing")
    return [
        attribute
        for attribute, found in attributes(name)
        if isinstance(found, kind) and attribute not in python and attribute not in skipped
    ]


def columns(name: str) -> list[str]:
    """Return the plain columns of a model, without those of its relations."""
    return [entry.name for entry in model_of(name)._meta.concrete_fields if not entry.is_relation]


def joins(name: str) -> list[str]:
    """Return what ``select_related`` may name."""
    generic = {entry.name for entry in model_of(name)._meta.private_fields}
    return [attribute for attribute in names_of(name, One) if attribute not in generic]


@dataclass
class Context:
    """The lines that make a context, and the types of its names."""

    lines: list[str] = field(default_factory=list)
    types: dict[str, Any] = field(default_factory=dict)

    def __repr__(self) -> str:
        return "Context:\n    " + "\n    ".join(self.lines)

    def make(self) -> dict[str, Any]:
        """Run the lines; return the variables they made."""
        namespace = toolbox()
        known = set(namespace)
        exec("\n".join(self.lines), namespace)  # our own text
        return {
            name: value
            for name, value in namespace.items()
            if name not in known and not name.startswith("_")
        }


def chance(draw: Draw, one_in: int) -> bool:
    """Draw True once in so many times; False is the simpler one."""
    return bool(draw(st.sampled_from([False] * (one_in - 1) + [True])))


def rows(model: type[models.Model]) -> Any:
    """Return all rows of a model, as a queryset that is known to come from the context."""
    return model._default_manager.db_manager(hints={"from_context": True}).all()


def evaluated(queryset: Any) -> Any:
    """Return a queryset with its rows in it."""
    len(queryset)
    return queryset


def toolbox() -> dict[str, Any]:
    """What the lines of a context may name."""
    tools: dict[str, Any] = {
        "rows": rows,
        "evaluated": evaluated,
        "Count": Count,
        "Prefetch": Prefetch,
        "__builtins__": __builtins__,
    }
    tools.update((name, model_of(name)) for name in (*MODELS, "Archive", "StaffKeeper"))
    if django.VERSION >= (6, 1):
        tools["FETCH_PEERS"] = models.FETCH_PEERS
        tools["FETCH_ONE"] = models.FETCH_ONE
    return tools


@st.composite
def contexts(draw: Draw) -> Context:
    """Contexts of one to three variables and what hangs on them."""
    context = Context()
    for number in range(draw(st.integers(1, 3))):
        model = draw(st.sampled_from(("Animal",) * 8 + MODELS))
        _add(draw, context, f"{model.lower()}s{number or ''}", model)
    return context


def _add(draw: Draw, context: Context, name: str, model: str) -> None:
    """Add a variable with rows of a model, in one of many shapes."""
    query, extra, values = queryset(draw, model)
    item = One(model, extra)
    if values is not None:
        context.lines.append(f"{name} = {query}")
        context.types[name] = Rows(values, queryset=True)
        return
    shape = draw(st.sampled_from(SHAPES))
    code, kind = shape(query, item)
    context.lines.append(f"{name} = {code}")
    context.types[name] = kind
    if kind == Rows(item) and not code.startswith("(") and draw(st.booleans()):
        more, other = draw(st.sampled_from(PARTS))
        context.lines.append(more.format(name=name))
        context.types[f"{name}_{other}"] = {
            "first": item,
            "again": Rows(item),
            "pairs": Rows(Record((("0", item), ("1", item)), tuple=True)),
            "boxes": Rows(Record((("this", item), ("beside", item)))),
            "index": Record((("last", item), ("all", Rows(item)))),
        }[other]


SHAPES: tuple[Callable[[str, One], tuple[str, Any]], ...] = (
    lambda query, item: (query, Rows(item, queryset=True)),
    lambda query, item: (query, Rows(item, queryset=True)),
    lambda query, item: (f"evaluated({query})", Rows(item, queryset=True)),
    lambda query, item: (f"list({query})", Rows(item)),
    lambda query, item: (f"list({query})", Rows(item)),
    lambda query, item: (f"tuple({query})", Rows(item)),
    lambda query, item: (f"[*reversed({query}), None, 3]", Rows(item)),
    lambda query, item: (f"[{item.model}(), *{query}]", Rows(item)),
    lambda query, item: (f"(_row for _row in {query})", Rows(item)),
    lambda query, item: (f"{query}.first()", item),
)
PARTS = (
    ("{name}_first = {name}[0]", "first"),
    ("{name}_again = [*{name}[1:], *{name}]", "again"),
    ("{name}_pairs = list(zip({name}, reversed({name})))", "pairs"),
    ("{name}_boxes = [dict(this=_a, beside=_b) for _a, _b in zip({name}, {name}[1:])]", "boxes"),
    ('{name}_index = {{"last": {name}[-1], "all": {name}}}', "index"),
)


def queryset(draw: Draw, model: str, depth: int = 0) -> tuple[str, tuple[Any, ...], Any]:
    """Draw the code of a queryset, what its rows have besides, and their type if no instances."""
    code = f"rows({model})"
    extra: list[tuple[str, Any]] = []
    joined: list[str] = []
    deferring = ""
    fields = {entry.name for entry in model_of(model)._meta.concrete_fields}
    for step in draw(st.lists(st.sampled_from(STEPS), max_size=3, unique=True)):
        if step == "select_related" and joins(model) and not deferring:
            joined = draw(st.lists(st.sampled_from(joins(model)), min_size=1, max_size=2))
            code += f".select_related({', '.join(map(repr, joined))})"
        elif step == "prefetch_related":
            code += f".prefetch_related({_lookup(draw, model)})"
        elif step == "Prefetch" and depth == 0:
            many = names_of(model, Manager)
            if not many:
                continue
            name = draw(st.sampled_from(many))
            target = dict(attributes(model))[name].model
            inner, inner_extra, values = queryset(draw, target, depth + 1)
            if values is not None:
                continue
            attribute = draw(st.sampled_from(("", "chosen")))
            kept = f", to_attr={attribute!r}" if attribute else ""
            code += f".prefetch_related(Prefetch({name!r}, queryset={inner}{kept}))"
            if attribute:
                extra.append((attribute, Rows(One(target, inner_extra))))
        elif step in ("only", "defer") and not deferring and not set(joined) - fields:
            deferring = _deferring(draw, model, step, joined)
            code += deferring
        elif step == "order_by":
            code += '.order_by("-pk")'
        elif step == "annotate":
            many = [name for name in names_of(model, Manager) if not name.endswith("_set")]
            generic = {entry.name for entry in model_of(model)._meta.private_fields}
            many = [name for name in many if name not in generic]
            if many:
                code += f".annotate(number=Count({draw(st.sampled_from(many))!r}, distinct=True))"
                extra.append(("number", SCALAR))
        elif step == "fetch_mode" and django.VERSION >= (6, 1) and depth == 0:
            code += ".fetch_mode(FETCH_PEERS)"
    if depth == 0 and chance(draw, 10):
        names = draw(st.lists(st.sampled_from(_value_names(model)), min_size=1, max_size=3))
        entries = tuple((name, SCALAR) for name in names)
        if draw(st.booleans()):
            return f"rows({model}).values({', '.join(map(repr, names))})", (), Record(entries)
        numbered = tuple((str(place), SCALAR) for place in range(len(names)))
        values = Record(numbered, tuple=True)
        return f"rows({model}).values_list({', '.join(map(repr, names))})", (), values
    if depth == 0 and chance(draw, 6):
        code += "[:3]"
    return code, tuple(extra), None


STEPS = (
    "select_related",
    "prefetch_related",
    "Prefetch",
    "only",
    "defer",
    "order_by",
    "annotate",
    "fetch_mode",
)


def _value_names(model: str) -> list[str]:
    keys = [entry.attname for entry in model_of(model)._meta.concrete_fields]
    beyond = [f"{name}__pk" for name in joins(model)]
    return [*keys, *beyond]


def _lookup(draw: Draw, model: str) -> str:
    """Draw one or two lookups that follow each other."""
    names = names_of(model, (One, Manager))
    if not names:
        return ""
    name = draw(st.sampled_from(names))
    target = dict(attributes(model))[name].model
    generic = name in {
        entry.name for entry in model_of(model)._meta.private_fields if entry.related_model is None
    }
    further = [] if generic else names_of(target, (One, Manager))
    if further and draw(st.booleans()):
        return repr(f"{name}__{draw(st.sampled_from(further))}")
    return repr(name)


def _deferring(draw: Draw, model: str, method: str, joined: list[str]) -> str:
    names = [entry.name for entry in model_of(model)._meta.concrete_fields]
    chosen = draw(st.lists(st.sampled_from(names), min_size=1, max_size=2, unique=True))
    if method == "only":
        chosen += [name for name in joined if name in names and name not in chosen]
    else:
        chosen = [name for name in chosen if name not in joined]
    return f".{method}({', '.join(map(repr, chosen))})" if chosen else ""
