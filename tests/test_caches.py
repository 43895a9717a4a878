"""Nothing that the package remembers of classes or functions grows without end."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import atemplates
from atemplates.relations.models import MOST_MODELS, relations_of
from atemplates.relations.path_steps import attributes_of

ROOT = Path(atemplates.__file__).parent


def unbounded(source: str) -> Iterator[int]:
    """The lines of decorators by which a function remembers every result that it has given."""
    for node in ast.walk(ast.parse(source)):
        for decorator in getattr(node, "decorator_list", ()):
            call = decorator if isinstance(decorator, ast.Call) else None
            name = ast.unparse(call.func if call else decorator).rpartition(".")[2]
            given = [*call.args, *(each.value for each in call.keywords)] if call else []
            has_no_bound = any(
                isinstance(each, ast.Constant) and each.value is None for each in given
            )
            if name == "cache" or (name == "lru_cache" and has_no_bound):
                yield decorator.lineno


def test_no_cache_without_a_bound():
    found = {
        file.relative_to(ROOT).as_posix(): list(unbounded(file.read_text(encoding="utf-8")))
        for file in ROOT.rglob("*.py")
    }
    assert {file: lines for file, lines in found.items() if lines} == {}


@pytest.mark.parametrize("remembering", [relations_of, attributes_of])
def test_models_made_at_run_time_are_forgotten(remembering):
    """There can be any number of them: a site may make one for each file that is imported."""
    assert remembering.cache_info().maxsize == MOST_MODELS


@pytest.mark.parametrize(
    ("source", "lines"),
    [
        ("@cache\ndef f(): pass", [1]),
        ("@functools.cache\ndef f(): pass", [1]),
        ("@lru_cache(None)\ndef f(): pass", [1]),
        ("@functools.lru_cache(maxsize=None)\ndef f(): pass", [1]),
        ("@lru_cache\ndef f(): pass", []),
        ("@lru_cache(10)\ndef f(): pass", []),
        ("@cached_property\ndef f(): pass", []),
    ],
)
def test_what_it_finds(source, lines):
    assert list(unbounded(source)) == lines
