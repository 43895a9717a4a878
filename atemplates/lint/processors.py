"""The names that context processors give to every template, as far as their source says."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Iterable, Iterator
from typing import Any

from django.apps import apps
from django.contrib.auth import get_user_model
from django.http import HttpRequest

from ..inference.types import ANYTHING, ObjectType, ValueType, one_of

TEXT_TYPE = ObjectType(str)
DJANGO_PROCESSORS: dict[str, dict[str, ValueType]] = {
    "django.contrib.auth.context_processors.auth": {"user": ANYTHING, "perms": ANYTHING},
    "django.contrib.messages.context_processors.messages": {
        "messages": ANYTHING,
        "DEFAULT_MESSAGE_LEVELS": ANYTHING,
    },
    "django.template.context_processors.csp": {"csp_nonce": ANYTHING},
    "django.template.context_processors.csrf": {"csrf_token": ANYTHING},
    "django.template.context_processors.debug": {
        "debug": ObjectType(bool),
        "sql_queries": ANYTHING,
    },
    "django.template.context_processors.i18n": {
        "LANGUAGES": ANYTHING,
        "LANGUAGE_CODE": TEXT_TYPE,
        "LANGUAGE_BIDI": ObjectType(bool),
    },
    "django.template.context_processors.media": {"MEDIA_URL": TEXT_TYPE},
    "django.template.context_processors.request": {"request": ANYTHING},
    "django.template.context_processors.static": {"STATIC_URL": TEXT_TYPE},
    "django.template.context_processors.tz": {"TIME_ZONE": ANYTHING},
}


def names_of_processors(processors: Iterable[Any] | None) -> dict[str, ValueType] | None:
    """Return what context processors give; None if one may give names that cannot be told.

    Args:
        processors: None where it is not known which there are.
    """
    if processors is None:
        return None
    found: dict[str, ValueType] = {}
    for each in processors:
        function = inspect.unwrap(each) if callable(each) else each
        path = f"{getattr(function, '__module__', '')}.{getattr(function, '__qualname__', '')}"
        names = DJANGO_PROCESSORS.get(path)
        if names is None:
            given = _names_in_source(function)
            if given is None:
                return None
            names = dict.fromkeys(given, ANYTHING)
        found |= names
    if "user" in found:
        found["user"] = _user_type()
    if "request" in found:
        found["request"] = _type_of_request()
    return found


def _type_of_request() -> ValueType:
    """A request as Django makes it; what middleware sets on it is looked for elsewhere."""
    if apps.is_installed("rest_framework"):  # whose views give templates requests of their own
        return ANYTHING
    user = _user_type()
    extra = {"user": user, "auser": ANYTHING, "csrf_processing_done": ANYTHING}
    return ObjectType(HttpRequest, extra, may_be_subclass=True)


def _user_type() -> ValueType:
    if not apps.is_installed("django.contrib.auth"):
        return ANYTHING
    from django.contrib.auth.models import AnonymousUser  # needs its app

    return one_of([ObjectType(get_user_model(), may_be_subclass=True), ObjectType(AnonymousUser)])


def _names_in_source(function: Any) -> list[str] | None:
    """The keys of the dicts that a function returns, where each is written out."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    except (OSError, TypeError, SyntaxError):
        return None
    body = tree.body[0]
    if not isinstance(body, (ast.FunctionDef, ast.AsyncFunctionDef)):
        return None
    names: list[str] = []
    for value in _returned(body):
        if not isinstance(value, ast.Dict):
            return None
        for key in value.keys:
            if not isinstance(key, ast.Constant) or not isinstance(key.value, str):
                return None
            names.append(key.value)
    return names


def _returned(function: ast.AST) -> Iterator[ast.expr | None]:
    """What a function returns; not what functions inside it do."""
    for node in ast.iter_child_nodes(function):
        if isinstance(node, ast.Return):
            yield node.value
        elif not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            yield from _returned(node)
