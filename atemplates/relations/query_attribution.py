"""Queries that nobody announced: which place of a template made Python code ask the database.

A relation is looked at before it is read, so its load is announced. A property, a filter or a tag
is code, and whether it asks shows when it does. While somebody wants to know (an observer, the
policies ``"warn"`` and ``"raise"``), each query of a render is stopped for a moment, and the
Python stack is read for the step of the render that led to it. A render that makes no query of
this kind pays nothing for it.
"""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from threading import get_ident
from time import perf_counter
from types import FrameType
from typing import Any, NamedTuple

import django
from django.db import connections
from django.db.models import Model, QuerySet
from django.db.models.manager import BaseManager
from django.template.base import UNKNOWN_SOURCE

from ..errors import logger
from ..runtime.running_steps import RunningStep, running_step
from .batch_loading import has_own_mode, is_own_mode
from .loop_peers import StepPlace
from .models import (
    Relation,
    attributes,
    instance_of,
    is_a,
    loaded_rows,
    owner_of,
    relations_of,
    static_attribute,
    static_module,
    static_text,
)
from .policy import UNWATCHED
from .querysets import origin_of
from .reporting import Reporter

NOT_THE_USERS = (
    str(Path(__file__).resolve().parent.parent) + os.sep,
    str(Path(django.__file__).resolve().parent) + os.sep,
    str(Path(functools.__file__).resolve()),
)
"""Where code lies that is never what the user wants to be shown."""
PACKAGE = __name__.partition(".")[0]
RELATIONS = f"{PACKAGE}.relations."
DESCRIPTORS = ("django.db.models.", "django.contrib.contenttypes.fields")
"""Where the attributes of models are, which fetch what is not there."""


IGNORED = ("SAVEPOINT", "RELEASE SAVEPOINT", "ROLLBACK TO SAVEPOINT")
"""Statements of a transaction, which ask for nothing."""


class QuerySource(NamedTuple):
    """What an unannounced query is about."""

    place: StepPlace
    kind: str
    model: type[Model] | None
    related: bool
    """Whether it hangs on an object that was handed to the template."""
    is_strict: bool
    """Whether the policies ``"warn"`` and ``"raise"`` have a say."""
    relation: Relation | None = None
    holds_rows: bool = False
    """Whether code of a model may run for its rows, besides the query for them."""
    template: str = ""
    """Where, when there is no site."""
    line: int | None = None
    expression: str = ""
    file: str = ""


class WatchedCall:
    """The ``notify`` of a wait whose call may query: it is watched while it runs."""

    def __init__(self, watch: QueryWatcher, source: QuerySource) -> None:
        self.watch = watch
        self.source = source
        self._inside: Any = None

    def __call__(self, milliseconds: float, answer: Any) -> None:
        """Nothing is left to say when the call is over."""

    def __enter__(self) -> None:
        self._inside = self.watch.watching()
        self._inside.__enter__()

    def __exit__(self, *details: Any) -> None:
        self._inside.__exit__(*details)


class QueryWatcher:
    """Sees each query that a render makes in a thread, while somebody wants to know."""

    def __init__(self, reporter: Reporter) -> None:
        self.reporter = reporter
        self._threads: set[int] = set()

    def watched_call(self, describe: Callable[..., QuerySource], *args: Any) -> WatchedCall:
        """Return the ``notify`` of a wait whose queries are about what ``describe`` says."""
        try:
            about = describe(*args)
        except Exception:
            logger.exception("A step of a template cannot be described")
            about = QuerySource(StepPlace(None, None, 1), "call", None, False, False)
        return WatchedCall(self, about)

    def watched_step(self, value: Any, bit: str, place: StepPlace) -> WatchedCall:
        """Return the ``notify`` of a wait that resolves ``bit`` on ``value``."""
        return self.watched_call(source_of_step, value, bit, place)

    def watched_value(self, value: Any, site: Any, root: Any) -> WatchedCall:
        """Return the ``notify`` of a wait that uses a value as it is."""
        return self.watched_call(source_of_value, value, site, root)

    def watched_filter(self, function: Any, value: Any, site: Any, root: Any) -> WatchedCall:
        """Return the ``notify`` of a wait that applies a filter."""
        return self.watched_call(source_of_filter, function, value, site, root)

    def watching(self) -> AbstractContextManager[None]:
        """Watch this thread's connections, if somebody wants to know and they are not watched."""
        if not self.reporter.is_listening or get_ident() in self._threads:
            return UNWATCHED
        return self._watching(get_ident())

    @contextmanager
    def _watching(self, thread: int) -> Iterator[None]:
        self._threads.add(thread)
        try:
            with watched_connections(self._asked):
                yield
        finally:
            self._threads.discard(thread)

    def _asked(self, execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if static_text(sql).startswith(
            IGNORED
        ):  # it may be an object of psycopg's, which is no str
            return execute(sql, params, many, context)
        try:
            about, source = find_query_source(self)
        except Exception:
            logger.exception("What a query was made for cannot be told")
            about, source = None, ""
        if about is None:
            return execute(sql, params, many, context)
        event = self.reporter.announce(
            about.kind,
            about.place,
            about.model,
            about.relation,
            related=about.related,
            is_strict=about.is_strict,
            source=source,
            where=(about.template, about.line, about.expression, about.file),
        )
        if event is None:
            return execute(sql, params, many, context)
        event.rows = 1 if about.kind in ("relation", "deferred", "python") else 0
        start = perf_counter()
        try:
            return execute(sql, params, many, context)
        finally:
            event.milliseconds = (perf_counter() - start) * 1000
            self.reporter.report(event)


@contextmanager
def watched_connections(wrapper: Any) -> Iterator[None]:
    """Have each query of this thread's connections pass through a function."""
    # Not an `ExitStack`, which takes longer than all of the rest: each traced render comes here.
    watched = [connection.execute_wrapper(wrapper) for connection in connections_here()]
    entered = []
    try:
        for each in watched:
            each.__enter__()
            entered.append(each)
        yield
    finally:
        while entered:
            entered.pop().__exit__(None, None, None)


def connections_here() -> Iterator[Any]:
    """The connections of this thread, less those that cannot be made: the page needs them not."""
    for alias in connections:
        try:
            yield connections[alias]
        except Exception:
            logger.debug("There is no connection %r to observe", alias, exc_info=True)


def source_of_step(value: Any, bit: str, place: StepPlace) -> QuerySource:
    """Say what a query is about that resolving ``bit`` on ``value`` makes."""
    instance = instance_of(value)
    if instance is not None:
        return _source_of_instance(instance, bit, place)
    if is_a(value, (QuerySet, BaseManager)):
        origin = origin_of(value, place.site, place.root, place.done)
        lazy = origin is not None
        relation = origin.relation if origin else None
        model = attributes(value).get("model")
        return QuerySource(place, "call", model, lazy, lazy, relation, holds_rows=True)
    return QuerySource(place, "call", None, False, False)


def _source_of_instance(instance: Model, bit: str, place: StepPlace) -> QuerySource:
    model = type(instance)
    relation = relations_of(model).get(bit)
    if relation is None:
        return QuerySource(place, "python", model, True, True)
    kind = "deferred" if relation.kind == "deferred" else "relation"
    # With a fetch mode that the user chose, fetching it now is what the user asked for.
    return QuerySource(place, kind, model, True, not has_own_mode(instance), relation)


def source_of_value(value: Any, site: Any, root: Any) -> QuerySource:
    """Say what a query is about that printing, testing, searching or filtering ``value`` makes.

    Args:
        site: the expression whose value it is, if that is known.
        root: the value of its first bit.
    """
    place = StepPlace(site, root, len(site.bits) if site is not None else 1)
    row = next((row for row in loaded_rows(value) if is_a(row, Model)), None)
    if row is not None:
        return QuerySource(place, "python", type(row), True, True)
    return source_of_step(value, "", place)


def source_of_filter(function: Any, value: Any, site: Any, root: Any) -> QuerySource:
    """Say what a query is about that a filter makes.

    One of Django's is part of the template; another asks for reasons of its own.
    """
    about = source_of_value(value, site, root)
    if static_module(function).startswith(("django.", f"{PACKAGE}.")):
        return about
    if about.kind == "python":
        about = about._replace(kind="call", related=False, is_strict=False)
    return about._replace(holds_rows=False)


def find_query_source(watch: QueryWatcher) -> tuple[QuerySource | None, str]:
    """Find the step of a render that led to the query being made.

    Returns:
        What it is about, or None when the query was announced or belongs to another render; and
        the ``file:line`` of the user's code nearest to it, if there is any.
    """
    source, asked_for = "", False
    frame: FrameType | None = sys._getframe(2)
    while frame is not None:
        step = running_step(frame)
        if step is not None:
            relations = step.relations
            if relations is not None and not relations.is_watched_by(watch):
                return None, source
            if step.kind == "template":
                if relations is None:
                    return None, source
                return _source_of_compiled(step.context, frame.f_lineno), source
            about = _source_of_running(watch, step)
            if about is not None and about.holds_rows and source:
                about = about._replace(kind="python", related=True, is_strict=True)
            if about is not None and asked_for:
                about = about._replace(is_strict=False)
            return about, source
        asked_for = asked_for or _is_own_mode(frame)
        if frame.f_code.co_name == "_execute_with_wrappers":
            source = ""  # what stood above is somebody else who watches queries
        source = source or _of_the_user(frame)
        frame = frame.f_back
    return None, source


def _is_own_mode(frame: FrameType) -> bool:
    """Whether a fetch mode that the user chose is at work: this query is what was asked for."""
    return frame.f_code.co_name == "fetch" and is_own_mode(frame.f_locals.get("self"))


def caller() -> str | None:
    """The place in the user's code that reached for a field: ``file:line``.

    Returns:
        None when no code did, but the template itself; ``""`` for code of Django's.
    """
    frame: FrameType | None = sys._getframe(1)
    outside = False
    while frame is not None:
        module = (
            static_text(frame.f_globals.get("__name__")) or PACKAGE
        )  # Jinja2's templates have no name
        if module.partition(".")[0] == PACKAGE:
            if not module.startswith(RELATIONS):
                return "" if outside else None
        elif not module.startswith(DESCRIPTORS):
            outside = True
            source = _of_the_user(frame)
            if source:
                return source
        frame = frame.f_back
    return ""


def _of_the_user(frame: FrameType) -> str:
    name = frame.f_code.co_filename
    return "" if name.startswith(NOT_THE_USERS) else f"{name}:{frame.f_lineno}"


# -- what a query in a step of a render is about ---------------------------------------------------


def _source_of_running(watch: QueryWatcher, step: RunningStep) -> QuerySource | None:
    place = StepPlace(step.site, step.root, step.done)
    if step.kind == "answer":
        # The driver makes a load that is announced, or a step with its own description.
        notify = step.notify
        return notify.source if isinstance(notify, WatchedCall) and notify.watch is watch else None
    if step.kind == "lookup":
        return _source_of_lookup(step.value, place)
    if step.kind == "value":
        return source_of_value(step.value, step.site, step.root)
    if step.kind == "filter":
        return source_of_filter(step.function, step.value, step.site, step.root)
    if step.kind == "tag":
        # Of a node's render(), called in the thread, only the method is known.
        return _source_of_tag(step.node if step.node is not None else owner_of(step.function))
    return None


def _source_of_lookup(value: Any, place: StepPlace) -> QuerySource:
    """A path is resolved: the value at hand is looked into, or, when it is a method, called."""
    site, root, index = place.site, place.root, place.done
    bits = site.bits
    owner = owner_of(value)
    if owner is not None and index > 1:
        place = StepPlace(site, root, index - 1, bits[index - 1])
        return source_of_step(owner, bits[index - 1], place)
    bit = bits[index] if index < len(bits) else ""
    return source_of_step(value, bit, StepPlace(site, root, index, bit))


def _source_of_tag(node: Any) -> QuerySource:
    token, origin = static_attribute(node, "token"), static_attribute(node, "origin")
    return QuerySource(
        StepPlace(None, None, 1, ""),
        "call",
        None,
        False,
        False,
        template=static_text(static_attribute(origin, "template_name"))
        or static_text(static_attribute(origin, "name")),
        line=static_attribute(token, "lineno"),
        expression=static_text(static_attribute(token, "contents")),
        file=file_of_origin(origin),
    )


def _source_of_compiled(context: Any, line: int | None) -> QuerySource:
    """Compiled code asked by itself: a comparison, say."""
    template = static_attribute(static_attribute(context, "render_context"), "template")
    return QuerySource(
        StepPlace(None, None, 1, ""),
        "call",
        None,
        False,
        False,
        template=static_text(static_attribute(template, "name")),
        line=line,
        file=file_of_origin(static_attribute(template, "origin")),
    )


def file_of_origin(origin: Any) -> str:
    """The file that an origin names; nothing for a template made from a string."""
    name = static_text(static_attribute(origin, "name"))
    return "" if name == UNKNOWN_SOURCE else name
