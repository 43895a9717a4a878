"""Rendering one page in every way, and what each way did: its output, its queries, its traces."""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import django
from django.contrib.contenttypes.models import ContentType
from django.db import connections
from django.db.models import Manager, Model, QuerySet
from django.template import defaultfilters
from django.template.backends.django import DjangoTemplates as StockTemplates

from atemplates.engines.django import DjangoTemplates
from tests.rendering import run_async
from tests.streaming.eager import eager, pausing
from tests.testapp import models as zoo_models

from .relation_contexts import Context
from .relation_templates import Page

DATABASES = Path(django.__file__).parent / "db"
CONTENT_TYPES = Path(django.__file__).parent / "contrib" / "contenttypes"
ZOO = zoo_models.__file__
FILTERS = defaultfilters.__file__
ADDRESS = re.compile(r" at 0x[0-9a-f]+")
"""Where an object without a text of its own is in memory."""


@dataclass
class Outcome:
    """What one render did."""

    text: str | None = None
    error: BaseException | None = None
    queries: list[str] = field(default_factory=list)
    """What caused each query, as `cause` says; only its text for renders that are not stock."""
    context: dict[str, Any] = field(default_factory=dict)

    @property
    def result(self) -> Any:
        """What must be the same in every way of rendering."""
        if self.error is None:
            return ADDRESS.sub("", self.text or "")
        return type(self.error), ADDRESS.sub("", str(self.error))

    @property
    def causes(self) -> Counter[str]:
        return Counter(self.queries)


def render(
    page: Page,
    context: Context | dict[str, Any],
    policy: str | None,
    *,
    on_loop: bool = False,
    streamed: bool = False,
) -> Outcome:
    """Render a page once.

    Args:
        context: made anew, or used as it is when it is a dict.
        policy: None stands for stock Django.
        streamed: whether it is sent at each write, and waits before each node.
    """
    outcome = Outcome(context=context.make() if isinstance(context, Context) else context)
    template: Any = backend(page, policy).get_template("page")
    with watching(outcome.queries, explained=policy is None):
        try:
            if policy is None:
                outcome.text = template.render(outcome.context)
            elif streamed:
                chunks = partial(template.stream_async, outcome.context, relations=policy)
                outcome.text = run_async(joined_eagerly, chunks)
            elif on_loop:
                outcome.text = run_async(
                    partial(template.render_async, outcome.context, relations=policy)
                )
            else:
                outcome.text = template.render(outcome.context, relations=policy)
        except Exception as error:
            outcome.error = error
    return outcome


async def joined_eagerly(chunks: Callable[[], AsyncIterator[str]]) -> str:
    """Read a page that is sent whenever it could be; return its pieces joined."""
    with eager(), pausing():
        return "".join([chunk async for chunk in chunks()])


def backend(page: Page, policy: str | None) -> Any:
    """Return a backend that loads the templates of a page: stock Django's, or ours."""
    kind = StockTemplates if policy is None else DjangoTemplates
    loaders = [("django.template.loaders.locmem.Loader", page.sources)]
    options = {"loaders": loaders, "debug": False}
    return kind({"NAME": "page", "DIRS": [], "APP_DIRS": False, "OPTIONS": options})


# -- queries ---------------------------------------------------------------------------------------


@contextmanager
def watching(queries: list[str], *, explained: bool) -> Iterator[None]:
    """Note every query that is sent inside, to either database."""

    def note(execute: Callable[..., Any], sql: str, params: Any, many: bool, given: Any) -> Any:
        queries.append(cause() if explained else sql)
        return execute(sql, params, many, given)

    with ExitStack() as stack:
        for alias in ("default", "other"):
            stack.enter_context(connections[alias].execute_wrapper(note))
        yield


def cause() -> str:
    """Say what made stock Django send the present query.

    ``"context"``: it reads a queryset of the context. ``"template"``: the template reached for
    something that was not loaded. ``"field"`` and ``"rows"``: a property, method or ``__str__``
    of a model reached for a field, or made a queryset; ``"beyond"``: for a field of another
    instance. ``"filter"``: a path in the argument of
    a filter did. ``"repr"``: a row of a queryset or list that is written as a whole did.
    ``"content type"``: it reads Django's table of models, which is kept for good.
    """
    frames = []
    frame: Any = sys._getframe(1)
    while frame is not None:
        frames.append(frame)
        frame = frame.f_back
    python = ""
    shown = False
    own: Any = None
    instance: Any = None
    first: Any = None
    for frame in reversed(frames):
        name = frame.f_code.co_filename
        code = frame.f_code.co_name
        if name == str(CONTENT_TYPES / "models.py") and code.startswith("get_for_"):
            return "content type"
        if code == "__repr__" and isinstance(frame.f_locals.get("self"), (Model, QuerySet)):
            shown = True
        if name == ZOO and code != "get_queryset":
            python, first = "python", None
            own = own or frame.f_locals.get("self")
        elif name == FILTERS and code == "resolve":
            python, first = "filter", None
        elif first is None and name.startswith((str(DATABASES), str(CONTENT_TYPES))):
            first = frame.f_locals.get("self", frame)
            instance = frame.f_locals.get("instance")
    if python == "filter":
        return "filter"
    if python and shown:
        return "repr"
    if python:
        if isinstance(first, (QuerySet, Manager)):
            return "rows"
        return "field" if instance is own else "beyond"
    hints = getattr(first, "_hints", {})
    if "from_context" in hints and "instance" not in hints:
        return "context"
    return "template"


# -- what a render leaves behind -------------------------------------------------------------------


class Traces:
    """What a render may leave on the context's instances: what the database says, nothing else."""

    def __init__(self) -> None:
        self.known: dict[tuple[type, Any], dict[str, Any]] = {}

    def check(self, outcome: Outcome, context: Context) -> None:
        """Fail for a wrong cache, and for a fetch mode that was left behind."""
        allowed = {entry for _, entry in caches(evaluate(context.make()))}
        for instance, entry in caches(outcome.context):
            name, value = entry[2:]
            truth = self.truth(instance).get(name, value)
            if entry not in allowed and not is_key(instance, name, value):
                assert value == truth, f"{entry[:3]}: cached {value}, the database has {truth}"
        for instance in instances(outcome.context):
            mode = getattr(instance._state, "fetch_mode", None)
            module = type(mode).__module__
            assert not module.startswith("atemplates"), f"{instance.__class__}: {mode} is left"

    def truth(self, instance: Model) -> dict[str, Any]:
        """Return what the database says about an instance: name -> summary."""
        key = type(instance), instance.pk
        if key not in self.known:
            fresh = type(instance)._base_manager.filter(pk=instance.pk).first()
            self.known[key] = {} if fresh is None else survey(fresh)
        return self.known[key]


def is_key(instance: Model, name: str, value: Any) -> bool:
    """Whether a cached object is the one that the instance's key names.

    The rows of ``species.animals.all`` know their species, also one that is hidden otherwise.
    """
    fields = {entry.name: entry for entry in instance._meta.concrete_fields if entry.is_relation}
    if value is None or name not in fields:
        return False
    return bool(value[1] == instance.__dict__.get(fields[name].attname))


def evaluate(value: Any) -> Any:
    """Load the querysets of a context as a template would, where that is possible."""
    for item in value.values() if isinstance(value, dict) else ():
        if isinstance(item, QuerySet):
            try:
                len(item)
            except Exception:
                # What cannot be read has no rows whose caches could be wrong.
                continue
    return value


def survey(instance: Model) -> dict[str, Any]:
    """Read every field and relation of an instance in Python: name -> summary."""
    found: dict[str, Any] = {}
    for entry in type(instance)._meta.get_fields():
        many = entry.many_to_many or entry.one_to_many
        if entry.auto_created and not entry.concrete:
            name = entry.get_accessor_name()
            if name is None:
                continue
        else:
            name = entry.name
        try:
            value = getattr(instance, name)
            found[name] = summary(value.all() if many else value)
        except Exception as error:
            found[name] = type(error).__name__
            if entry.one_to_one and entry.auto_created:
                found[name] = None  # how a missing one is cached
        if entry.concrete and not entry.many_to_many:
            found[entry.attname] = summary(getattr(instance, entry.attname))
    return found


def summary(value: Any) -> Any:
    """Return something comparable: an instance's model and key, the keys of rows, or the value."""
    if isinstance(value, Model):
        return table(type(value)), value.pk
    if isinstance(value, (QuerySet, list)):
        return tuple(summary(row) for row in value)
    return value


def table(model: type[Model]) -> str:
    """Return the name that a model shares with its proxies and with what inherits from it."""
    tops = [parent for parent in model._meta.all_parents if not parent._meta.parents]
    return (tops[0] if tops else model)._meta.concrete_model.__name__


def caches(context: Any) -> Iterator[tuple[Model, tuple[str, Any, str, Any]]]:
    """Give what is kept on each instance: ``(instance, (model, key, name, summary))``."""
    for instance in instances(context):
        if instance.pk is None or instance._state.adding:
            continue
        start = table(type(instance)), instance.pk
        for name, value in instance._state.fields_cache.items():
            accessor = _accessor(type(instance), name)
            yield instance, (*start, accessor, summary(value))
        for name, rows in getattr(instance, "_prefetched_objects_cache", {}).items():
            yield instance, (*start, _accessor(type(instance), name), summary(rows))
        for column in type(instance)._meta.concrete_fields:
            if column.attname in instance.__dict__:
                value = instance.__dict__[column.attname]
                yield instance, (*start, column.attname, summary(value))


def _accessor(model: type[Model], cache_name: str) -> str:
    """Return the attribute whose value is kept under a name."""
    for entry in model._meta.related_objects:
        if entry.cache_name == cache_name:
            return str(entry.get_accessor_name())
    return cache_name


def instances(context: Any) -> list[Model]:
    """Return every instance that can be reached without a query."""
    found: dict[int, Model] = {}
    waiting = [context]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            waiting.extend(value.values())
        elif isinstance(value, (list, tuple)):
            waiting.extend(value)
        elif isinstance(value, QuerySet):
            waiting.extend(value._result_cache or ())
        elif isinstance(value, Model) and id(value) not in found:
            found[id(value)] = value
            waiting.extend(value._state.fields_cache.values())
            waiting.extend(getattr(value, "_prefetched_objects_cache", {}).values())
            waiting.extend(item for item in value.__dict__.values() if isinstance(item, list))
    return list(found.values())


def warm_content_types() -> None:
    """Read Django's table of models, so that whether it was read before makes no difference."""
    for model in zoo_models.__dict__.values():
        if isinstance(model, type) and issubclass(model, Model) and not model._meta.abstract:
            ContentType.objects.get_for_model(model)
            ContentType.objects.get_for_model(model, for_concrete_model=False)
    for kind in ContentType.objects.all():
        ContentType.objects.get_for_id(kind.pk)
