"""The views of a site, and what each gives to the templates that it renders."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from types import FunctionType
from typing import Any

from django.urls import URLPattern, URLResolver, converters, get_resolver

from ..problems import Problem
from .data import Data
from .frames import FunctionFrame, Given
from .known import Instance, Known, any_of, merged_dicts, of_object, published, structure
from .operators import A_NUMBER, A_TEXT, is_none
from .python_sources import class_source, own_function
from .reading import Reading, Rendered, names_of_templates, request_type, signed_in_user
from .statements import MOST_STATEMENTS, TooLong
from .template_mentions import mentioned_elsewhere
from .types import ANYTHING, DictType, ObjectType, OneOf, TupleType, ValueType, data_of

UNREAD = ("django.contrib.admin", "django.contrib.admindocs", "django.views.static")
"""Modules whose views render their own templates, or none."""
ERRORS = (400, 403, 404, 500)


@dataclass(slots=True)
class ViewRendering:
    """One place in a view that renders a template."""

    view: str
    """The name that the URLconf gives it, with its namespace."""
    template: str
    file: str
    line: int
    variables: dict[str, ValueType] = field(default_factory=dict)
    """What it gives under each name, known or not."""
    using: str = ""
    """The engine's alias, when the view names it."""
    after: tuple[str, ...] = ()
    """The names that are tried before: it is rendered where none of these templates is there."""
    is_complete: bool = False
    """Whether it can give no other names."""

    @property
    def loaded(self) -> dict[str, Data]:
        """The variables whose queryset is known."""
        found = {
            name: data_of(value)
            for name, value in self.variables.items()
            if not _is_paginator(value)  # what it goes through are pages
        }
        return {name: data for name, data in found.items() if data is not None}


@dataclass(slots=True)
class SiteViews:
    """What the views of a site render, and what of it could not be told."""

    renderings: list[ViewRendering] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    lost_names: set[str] = field(default_factory=set)
    """Texts that views give to code that is not read: names of templates that it may render."""
    patterns: set[str] = field(default_factory=set)
    """Names of templates that are known in part, as regular expressions."""
    read_texts: set[tuple[str, int, int]] = field(default_factory=set)
    """File, line and column of each text and name that reading the views has met."""


@dataclass(frozen=True, slots=True)
class _View:
    """A view of the URLconf."""

    name: str
    callback: Any
    extra: dict[str, Any]
    captured: dict[str, ValueType]

    def place(self) -> tuple[str, int] | None:
        """Return the file and line of the class or function."""
        view_class = getattr(self.callback, "view_class", None)
        if view_class is not None:
            source = class_source(view_class)
            return (source[1], source[0].lineno) if source is not None else None
        function = own_function(self.callback)
        if function is None:
            return None
        return function.__code__.co_filename, function.__code__.co_firstlineno


def _is_paginator(value: ValueType) -> bool:
    return isinstance(value, ObjectType) and value.data is not None and value.data.shape == "rows"


def renderings(urlconf: str | None = None) -> tuple[list[ViewRendering], list[Problem]]:
    """Find what the views of a URLconf render.

    Returns:
        The places, and the views that could not be looked at.
    """
    found = read_views(urlconf)
    return found.renderings, found.problems


def read_views(urlconf: str | None = None) -> SiteViews:
    """Read the views of a URLconf, and the functions that they call."""
    site = SiteViews()
    try:
        resolver = get_resolver(urlconf)
        views = [*_views(resolver, "", {}), *_error_views(resolver)]
    except Exception as error:
        what = f"{type(error).__name__}: {error}"
        place = str(urlconf or "ROOT_URLCONF")
        site.problems.append(Problem(f"the URLconf cannot be read: {what}", place))
        return site
    reading = Reading()
    failed: dict[str, list[str]] = {}
    seen: set[tuple[str, Any]] = set()
    for view in views:
        key = (view.name, view.callback)
        if key in seen:
            continue
        seen.add(key)
        try:
            _read_view(view, reading)
        except TooLong:
            for each in reading.rendered:  # what was found stands, and need not be all
                each.is_whole = False
        except Exception as error:
            failed.setdefault(f"{type(error).__name__}: {error}", []).append(view.name)
        _add(site, view, reading.rendered)
        reading.rendered = []
    for what, names in failed.items():
        others = f" and {len(names) - 1} more" if len(names) > 1 else ""
        site.problems.append(Problem(f"the view {names[0]}{others} cannot be read: {what}"))
    site.lost_names = reading.lost_texts
    site.patterns |= reading.lost_patterns
    site.read_texts = reading.read_texts
    _leave_open(site)
    return site


def _leave_open(site: SiteViews) -> None:
    """Note for which templates others may give further names."""
    names = {each.template for each in site.renderings}
    patterns = [re.compile(each) for each in site.patterns]
    unsure = mentioned_elsewhere(names, site.read_texts) | (site.lost_names & names)
    unsure |= {name for name in names if any(each.fullmatch(name) for each in patterns)}
    for each in site.renderings:
        if each.template in unsure:
            each.is_complete = False


# -- the URLconf -----------------------------------------------------------------------------------


def _views(resolver: URLResolver, prefix: str, captured: dict[str, ValueType]) -> Iterator[_View]:
    for pattern in resolver.url_patterns:
        inner = captured | _captured(pattern)
        if isinstance(pattern, URLPattern):
            callback = pattern.callback
            name = f"{prefix}{pattern.name}" if pattern.name else _path_of(callback)
            yield _View(name, callback, pattern.default_args or {}, inner)
        elif isinstance(pattern, URLResolver):
            deeper = f"{prefix}{pattern.namespace}:" if pattern.namespace else prefix
            yield from _views(pattern, deeper, inner)


CONVERTED: dict[type, ValueType] = {
    converters.IntConverter: A_NUMBER,
    converters.StringConverter: A_TEXT,
    converters.SlugConverter: A_TEXT,
    converters.PathConverter: A_TEXT,
}


def _captured(pattern: Any) -> dict[str, ValueType]:
    """What an address gives to its view, by name."""
    found: dict[str, ValueType] = {}
    route = pattern.pattern
    for name, converter in getattr(route, "converters", {}).items():
        found[name] = CONVERTED.get(type(converter), ANYTHING)
    regex = getattr(route, "regex", None)
    if regex is not None and not found:
        found = dict.fromkeys(regex.groupindex, ANYTHING)
    return found


def _error_views(resolver: URLResolver) -> Iterator[_View]:
    """What answers when something goes wrong: ``handler404`` and its like."""
    for code in ERRORS:
        callback = resolver.resolve_error_handler(code)
        extra = {} if code == 500 else {"exception": ANYTHING}
        yield _View(f"handler{code}", callback, {}, dict(extra))


def _path_of(callback: Any) -> str:
    """What Django calls a view without a name."""
    target = getattr(callback, "view_class", callback)
    name = getattr(target, "__qualname__", type(target).__qualname__)
    return f"{getattr(target, '__module__', '')}.{name}"


# -- one view --------------------------------------------------------------------------------------


def _read_view(view: _View, reading: Reading) -> None:
    callback = view.callback
    view_class = getattr(callback, "view_class", None)
    module = str(getattr(view_class or callback, "__module__", "") or "")
    if module.startswith(UNREAD) or _is_bound_to(callback, UNREAD):
        return
    reading.statements_left = MOST_STATEMENTS
    signed_in = asks_for_login(callback) or (
        view_class is not None and class_asks_for_login(view_class)
    )
    reading.request = request_type(signed_in_user() if signed_in else None)
    keywords = view.captured | {name: of_object(each) for name, each in view.extra.items()}
    arguments = Given([reading.request], keywords)
    if view_class is None:
        if own_function(callback) is None and not hasattr(callback, "func"):
            callback = vars(type(callback)).get("__call__")
            arguments.positional.insert(0, Known(view.callback))
        reading.read(callback, arguments)
        return
    instance = Instance(view_class)
    for name, value in getattr(callback, "view_initkwargs", {}).items():
        instance.attributes[name] = of_object(value)
    instance.attributes["request"] = reading.request
    instance.attributes["args"] = TupleType(())
    frame = FunctionFrame({}, "")
    reading.call_method(instance, "setup", arguments, frame)
    instance.attributes["kwargs"] = DictType(keywords)
    reading.call_method(instance, "dispatch", arguments, frame)


def _is_bound_to(callback: Any, modules: tuple[str, ...]) -> bool:
    """Whether a view is a method of something of these modules, or a wrapper around one."""
    owner = getattr(callback, "admin_site", None) or getattr(callback, "model_admin", None)
    owner = owner or getattr(callback, "__self__", None)
    return owner is not None and type(owner).__module__.startswith(modules)


def asks_for_login(callback: Any) -> bool:
    """Whether ``login_required`` stands around a view."""
    seen = 0
    while callback is not None and seen < 50:
        seen += 1
        for cell in getattr(callback, "__closure__", None) or ():
            try:
                inner = cell.cell_contents
            except ValueError:
                continue
            for each in inner if isinstance(inner, (tuple, list)) else (inner,):
                if isinstance(each, FunctionType) and _is_login(each):
                    return True
        callback = getattr(callback, "__wrapped__", None)
    return False


def _is_login(function: FunctionType) -> bool:
    module = str(function.__globals__.get("__name__", ""))
    return module == "django.contrib.auth.decorators" and function.__code__.co_qualname.startswith(
        "login_required"
    )


def class_asks_for_login(cls: type) -> bool:
    """Whether a class of views lets only users in who have signed in."""
    if any(
        each.__name__ == "LoginRequiredMixin" and each.__module__.startswith(("django.", "atemp"))
        for each in cls.__mro__
    ):
        return True
    return asks_for_login(getattr(cls, "dispatch", None))


# -- what it renders -------------------------------------------------------------------------------


def _add(site: SiteViews, view: _View, rendered: list[Rendered]) -> None:
    found: dict[tuple[str, str, int, str], ViewRendering] = {}
    for each in rendered:
        names, patterns = names_of_templates(each.names)
        site.patterns |= {pattern for pattern in patterns if not _says_nothing(pattern)}
        given, is_complete = _given(each.context)
        is_complete = is_complete and each.is_whole
        using = _alias(each.using)
        place = view.place() if each.is_library else None
        file, line = place or (each.file, each.line)
        for at, name in enumerate(names):
            key = (name, file, line, using)
            one = found.get(key)
            if one is None:
                before = tuple(names[:at]) if each.is_library else ()
                found[key] = ViewRendering(
                    view.name, name, file, line, dict(given), using, before, is_complete
                )
                continue
            one.is_complete = one.is_complete and is_complete
            for variable, value in given.items():
                known = one.variables.get(variable, value)
                one.variables[variable] = any_of([known, value])
    site.renderings += found.values()


def _says_nothing(pattern: str) -> bool:
    return not re.sub(r"\.\*|\\|html|\.", "", pattern).strip("/_-")


def _alias(using: ValueType) -> str:
    return using.value if isinstance(using, Known) and isinstance(using.value, str) else ""


def _given(context: ValueType) -> tuple[dict[str, ValueType], bool]:
    """What a context gives, by name, and whether that is all."""
    inner = structure(context) or context
    if isinstance(inner, OneOf):
        dicts: list[Any] = [
            DictType({}, True) if is_none(each) else structure(each) or each for each in inner.types
        ]
        if not all(isinstance(each, DictType) for each in dicts):
            return {}, False
        inner = dicts[0]
        for each in dicts[1:]:
            inner = merged_dicts(inner, each)
    if not isinstance(inner, DictType):
        return {}, False
    return {name: published(value) for name, value in inner.members.items()}, inner.is_complete
