"""Every private name of Django, Jinja2, asgiref and markupsafe that the package uses is there.

The package's source is searched for names with a leading underscore that are not its own. Each has an
entry below that looks for it where it is expected, so that a release which moves or renames one is
noticed by name, and none is used that nobody wrote down. What the objects behind the names *do* is
guarded by the tests called ``test_upstream.py``.
"""

import ast
import inspect
import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import asgiref.sync
import jinja2.compiler
import jinja2.ext
import jinja2.runtime
import jinja2.utils
import markupsafe._speedups
import pytest
from asgiref.current_thread_executor import CurrentThreadExecutor
from django.contrib.auth.middleware import get_user as get_user_of_request
from django.contrib.messages.storage.base import BaseStorage
from django.core.handlers.asgi import ASGIRequest
from django.db.backends.utils import CursorWrapper
from django.db.models import Manager, Model, QuerySet
from django.db.models.fields.related_descriptors import (
    ManyToManyDescriptor,
    ReverseManyToOneDescriptor,
)
from django.db.models.manager import BaseManager
from django.forms import BaseFormSet
from django.http import HttpRequest
from django.template import Engine, RequestContext, Template, engines
from django.template.base import Node
from django.template.defaultfilters import register
from django.template.response import SimpleTemplateResponse
from django.urls import get_resolver
from django.utils import dateformat
from django.utils.functional import LazyObject, SimpleLazyObject, empty

import atemplates
from tests.testapp.models import Species

ROOT = Path(atemplates.__file__).parent

# Documented in spite of the underscore, or Python's own.
PROMISED = {
    *("_meta", "_state", "_default_manager", "_base_manager"),  # Django's reference of models
    *("_asdict", "_fields", "_replace", "_make"),  # of named tuples
    *("_getframe", "_", "_get_running_loop"),
}
# What one of our own dicts or texts holds, and nobody else's object.
OUR_TEXTS = {"_display", "_set", "_list", "_id", "_from_", "_in_thread"}


def names_of_source(value: Callable[..., object] | type, name: str) -> bool:
    """Whether a function or class of theirs mentions a name."""
    return re.search(rf"\b{name}\b", inspect.getsource(value)) is not None


def macro() -> jinja2.runtime.Macro:
    source = "{% macro m(a, b=1) %}{% endmacro %}"
    found = jinja2.Environment().from_string(source).module.m
    assert isinstance(found, jinja2.runtime.Macro)
    return found


def changed_node() -> Node:
    return Engine().from_string("{% ifchanged a %}{% endifchanged %}").nodelist[0]


def block_reference(name: str) -> bool:
    return names_of_source(jinja2.runtime.BlockReference.__init__, f"self.{name}")


WHERE: dict[str, Callable[[], bool]] = {
    # Django
    "_cached_user": lambda: names_of_source(get_user_of_request, "_cached_user"),
    "_chain": lambda: inspect.isfunction(QuerySet._chain),
    "_construct_form": lambda: inspect.isfunction(BaseFormSet._construct_form),
    "_db": lambda: names_of_source(BaseManager.__init__, "_db"),
    "_fetch_all": lambda: inspect.isfunction(QuerySet._fetch_all),
    "_hints": lambda: names_of_source(BaseManager.__init__, "_hints"),
    "_clone": lambda: inspect.isfunction(QuerySet._clone),
    "_culprit_node": lambda: names_of_source(Node.render_annotated, "_culprit_node"),
    "_engines": lambda: isinstance(engines._engines, dict),
    "_execute_with_wrappers": lambda: inspect.isfunction(CursorWrapper._execute_with_wrappers),
    "_filter_name": lambda: register.filters["upper"]._filter_name == "upper",
    "_is_rendered": lambda: SimpleTemplateResponse("name")._is_rendered is False,
    "_get_FIELD_display": lambda: inspect.isfunction(Model._get_FIELD_display),
    "_iterable_class": lambda: isinstance(QuerySet(Species)._iterable_class, type),
    "_post_render_callbacks": lambda: SimpleTemplateResponse("name")._post_render_callbacks == [],
    "_loaded_data": lambda: names_of_source(BaseStorage, "_loaded_data"),
    "_prefetch_done": lambda: QuerySet(Species)._prefetch_done is False,
    "_prefetch_related_lookups": lambda: QuerySet(Species)._prefetch_related_lookups == (),
    "_prefetched_objects_cache": lambda: names_of_source(
        inspect.getmodule(QuerySet).prefetch_one_level, "_prefetched_objects_cache"
    ),
    "_processors": lambda: RequestContext(HttpRequest(), processors=[len])._processors == (len,),
    "_processors_index": lambda: RequestContext(HttpRequest())._processors_index == 1,
    "_queryset_class": lambda: Manager()._queryset_class is QuerySet,
    "_queued_messages": lambda: names_of_source(BaseStorage.__iter__, "_queued_messages"),
    "_render": lambda: inspect.isfunction(Template._render),
    "_result_cache": lambda: QuerySet(Species)._result_cache is None,
    "_setup": lambda: inspect.isfunction(LazyObject._setup),
    "_setupfunc": lambda: vars(SimpleLazyObject(int))["_setupfunc"] is int,
    "_varlist": lambda: len(changed_node()._varlist) == 1,
    "_wrapped": lambda: SimpleLazyObject(int)._wrapped is empty,
    "related_manager_cls": lambda: all(
        hasattr(descriptor, "related_manager_cls")
        for descriptor in (ManyToManyDescriptor, ReverseManyToOneDescriptor)
    ),
    "re_formatchars": lambda: isinstance(dateformat.re_formatchars, re.Pattern),
    "re_escaped": lambda: isinstance(dateformat.re_escaped, re.Pattern),
    "reverse_dict": lambda: hasattr(get_resolver().reverse_dict, "getlist"),
    # Django REST framework's request holds Django's by this name, too; it is not installed here.
    "_request": lambda: (
        not hasattr(ASGIRequest, "_request") and SimpleTemplateResponse("name")._request is None
    ),
    # Jinja2
    "_PassArg": lambda: hasattr(jinja2.utils._PassArg, "from_obj"),
    "_argument_count": lambda: macro()._argument_count == 2,
    "_assign_stack": lambda: names_of_source(jinja2.compiler.CodeGenerator, "_assign_stack"),
    "_block_vars": lambda: names_of_source(jinja2.runtime.Context.call, "_block_vars"),
    "_body_stream": lambda: names_of_source(
        jinja2.environment.TemplateModule.__init__, "_body_stream"
    ),
    "_depth": lambda: block_reference("_depth"),
    "_func": lambda: callable(macro()._func),
    "_loop_vars": lambda: names_of_source(jinja2.runtime.Context.call, "_loop_vars"),
    "_stack": lambda: block_reference("_stack"),
    "_trans": lambda: names_of_source(jinja2.ext.InternationalizationExtension.parse, "_trans"),
    "_uptodate": lambda: names_of_source(jinja2.Template, "_uptodate"),
    # asgiref, markupsafe
    "_escape_inner": lambda: callable(markupsafe._speedups._escape_inner),
    "_restore_context": lambda: callable(asgiref.sync._restore_context),
    "_broken": lambda: not CurrentThreadExecutor(None)._broken,
    "_old_executor": lambda: CurrentThreadExecutor(None)._old_executor is None,
}

# Names without an underscore that no documentation has.
UNDOCUMENTED = {"related_manager_cls", "re_formatchars", "re_escaped", "reverse_dict"}
# Names that a subclass of ours annotates.
ANNOTATED = {
    *("_processors", "_processors_index"),
    *("_is_rendered", "_post_render_callbacks", "_request"),
}


class Use(NamedTuple):
    """A place where a name of others is used."""

    file: str
    line: int


def own_names(trees: dict[str, ast.Module]) -> set[str]:
    """The names that the package defines somewhere: functions, classes, attributes, slots."""
    found = set()
    for node in (each for tree in trees.values() for each in ast.walk(tree)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            found.add(node.name)
        elif isinstance(node, (ast.Attribute, ast.Name)) and isinstance(node.ctx, ast.Store):
            if isinstance(node, ast.Name):
                found.add(node.id)
            elif isinstance(node.value, ast.Name) and node.value.id == "self":
                found.add(node.attr)
        elif isinstance(node, ast.arg):
            found.add(node.arg)
        if isinstance(node, ast.Assign) and any(
            isinstance(target, ast.Name) and target.id == "__slots__" for target in node.targets
        ):
            found |= {c.value for c in ast.walk(node.value) if isinstance(c, ast.Constant)}
    return found


def names_in(tree: ast.Module) -> Iterator[tuple[str, int]]:
    """Attributes, imported names and texts that could be names, with their lines."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            yield node.attr, node.lineno
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value, node.lineno


def is_private(name: str) -> bool:
    return re.fullmatch(r"_(?!_)[A-Za-z]\w*", name) is not None and not name.endswith("__")


def used(root: Path) -> dict[str, list[Use]]:
    """The private and undocumented names of others that the package below ``root`` uses."""
    trees = {
        file.relative_to(root).as_posix(): ast.parse(file.read_text(encoding="utf-8"))
        for file in sorted(root.rglob("*.py"))
    }
    own = own_names(trees) | PROMISED | OUR_TEXTS
    found = defaultdict(list)
    for file, tree in trees.items():
        for name, line in names_in(tree):
            private = is_private(name) and name not in own and "atemplates" not in name
            if private or name in UNDOCUMENTED | ANNOTATED:
                found[name].append(Use(file, line))
    return found


def test_every_private_name_is_written_down():
    found = used(ROOT)
    assert {name: found[name] for name in found if name not in WHERE} == {}


def test_no_entry_is_left_over():
    assert WHERE.keys() - used(ROOT).keys() == set()


@pytest.mark.parametrize("name", WHERE)
def test_it_is_there(name):
    assert WHERE[name]()


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("x._private", {"_private"}),
        ("getattr(x, '_private')", {"_private"}),
        ("from django.m import _private", {"_private"}),
        ("x.reverse_dict", {"reverse_dict"}),
        ("from .own import _private", set()),
        ("class A:\n    __slots__ = ('_private',)\n\nx._private", set()),
        ("class A:\n    def f(self):\n        self._private = 1\n\nx._private", set()),
        ("x._meta, x.__dict__, x.public, '_atemplates_plan', '_no name'", set()),
    ],
)
def test_what_it_finds(tmp_path, source, names):
    (tmp_path / "module.py").write_text(source)
    assert used(tmp_path).keys() == names
