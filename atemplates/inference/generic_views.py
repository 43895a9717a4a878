"""What generic views of a site give to their templates: its class and ``get_queryset()`` say it."""

from __future__ import annotations

import ast
import inspect
import sys
from dataclasses import replace
from typing import Any

from django.db.models import QuerySet
from django.views.generic.detail import SingleObjectMixin, SingleObjectTemplateResponseMixin
from django.views.generic.list import MultipleObjectMixin, MultipleObjectTemplateResponseMixin

from .data import Data
from .values import Scope, scope_of, value_of


def is_of_library(defined: Any) -> bool:
    """Whether a function or class is Django's, or ours in its place."""
    return str(defined.__module__).startswith(("django.", "atemplates."))


def shown_by(view_class: Any, initkwargs: dict[str, Any]) -> tuple[list[str], dict[str, Data], str]:
    """Return the templates of a generic view, their variables, and the file that makes them.

    The list of templates is empty where the view has no model and no queryset that can be told.
    """
    many = issubclass(view_class, MultipleObjectMixin)
    if not (many or issubclass(view_class, SingleObjectMixin)) or is_of_library(view_class):
        return [], {}, ""
    view = view_class(**initkwargs)
    made, file = _made_by(view_class, view)
    if made is None:
        return [], {}, ""
    word = str(made.model._meta.model_name)
    data = made if many else replace(made, shape="row")
    names = {view.context_object_name or (f"{word}_list" if many else word)}
    variables = dict.fromkeys({*names, "object_list" if many else "object"}, data)
    if getattr(view, "paginate_by", None):
        variables["page_obj"] = replace(made, shape="page")
    return _templates(view, made.queryset, many), variables, file


def _made_by(view_class: Any, view: Any) -> tuple[Data | None, str]:
    """The rows of a view, as its source or its attributes say, and the file where they stand."""
    file = inspect.getsourcefile(view_class) or ""
    function = inspect.unwrap(view_class.get_queryset)
    own = not (inspect.isfunction(function) and is_of_library(function))
    if own:
        returned = _returned_by(function)
        if returned is not None:
            return returned, inspect.getsourcefile(function) or ""
    if isinstance(view.queryset, QuerySet):
        data = Data(view.queryset, expression=None if own else _in_class(view_class))
    elif view.model is not None:
        data = Data(view.model._default_manager.all())
    else:
        return None, file
    return replace(data, certain=not own), file


def _returned_by(function: Any) -> Data | None:
    """What a function of the site returns, if it does so in one place."""
    parsed = scope_of(function)
    if parsed is None:
        return None
    scope, tree = parsed
    returns = [each.value for each in ast.walk(tree) if isinstance(each, ast.Return)]
    if len(returns) != 1 or returns[0] is None:
        return None
    data = value_of(returns[0], scope)
    return data if data is not None and data.shape == "rows" else None


def _in_class(view_class: Any) -> ast.expr | None:
    """The expression that the class's own body assigns to ``queryset``."""
    parsed = scope_of(view_class)
    if parsed is None:
        return None
    outside = vars(sys.modules[view_class.__module__])
    for each in parsed[1].body:  # type: ignore[attr-defined]
        if isinstance(each, ast.Assign) and getattr(each.targets[0], "id", "") == "queryset":
            data = value_of(each.value, Scope(outside))
            return data.expression if data is not None else None
    return None


def _templates(view: Any, queryset: QuerySet[Any], many: bool) -> list[str]:
    if view.template_name:
        return [view.template_name]
    mixin: Any = MultipleObjectTemplateResponseMixin if many else SingleObjectTemplateResponseMixin
    if not isinstance(view, mixin):
        return []
    meta = queryset.model._meta
    return [f"{meta.app_label}/{meta.model_name}{view.template_name_suffix}.html"]
