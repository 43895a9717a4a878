"""One name for one thing: what the package defines at the top of its modules, read from the source."""

import ast
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

import atemplates

ROOT = Path(atemplates.__file__).parent

# Two names that settings of a site hold, and that are those of Django's own counterparts:
# `TEMPLATES` names the one, `FORM_RENDERER` the other. Every tag library has a `register`.
AS_IN_DJANGO = {
    "DjangoTemplates": {"engines/django.py", "forms.py"},
    "register": {"templatetags/atemplates.py", "toolbar/numbers.py"},
}

# What stands beside the rooms, and is called from outside: by users, Django, pytest.
AT_THE_ROOT = {
    *("__init__", "apps", "checks", "errors", "forms", "problems", "pytest_plugin", "response"),
    *("shortcuts", "site_settings", "testing"),
}


def names_of(statement: ast.stmt) -> Iterator[str]:
    """The names that a statement defines, those in an ``if`` or ``try`` included."""
    if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        yield statement.name
    elif isinstance(statement, ast.Assign):
        for target in statement.targets:
            for node in ast.walk(target):
                if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                    yield node.id
    elif isinstance(statement, ast.AnnAssign):
        if isinstance(statement.target, ast.Name):
            yield statement.target.id
    elif isinstance(statement, (ast.If, ast.Try)):
        for inner in ast.iter_child_nodes(statement):
            if isinstance(inner, ast.ExceptHandler):
                for each in inner.body:
                    yield from names_of(each)
            elif isinstance(inner, ast.stmt):
                yield from names_of(inner)


def doubled(root: Path) -> dict[str, set[str]]:
    """Public names that more than one module below ``root`` defines -> those modules."""
    found = defaultdict(set)
    for file in sorted(root.rglob("*.py")):
        for statement in ast.parse(file.read_text(encoding="utf-8")).body:
            for name in names_of(statement):
                if not name.startswith("_"):
                    found[name].add(file.relative_to(root).as_posix())
    return {name: files for name, files in found.items() if len(files) > 1}


def test_no_public_name_is_defined_in_two_modules():
    assert doubled(ROOT) == AS_IN_DJANGO


def test_only_what_is_called_from_outside_stands_at_the_root():
    found = {file.stem for file in ROOT.glob("*.py")}
    assert found <= AT_THE_ROOT
    assert len(found - {"__init__"}) <= 10


@pytest.mark.parametrize(
    ("first", "second", "names"),
    [
        ("def f(): pass", "class f: pass", {"f"}),
        ("async def f(): pass", "f = 1", {"f"}),
        ("f: int = 1", "f: int", {"f"}),
        ("a, (b, *c) = 1, (2, 3)", "a = b = c = 1", {"a", "b", "c"}),
        ("try:\n    f = 1\nexcept E:\n    f = 2\nelse:\n    g = 1", "f = g = 1", {"f", "g"}),
        ("if x:\n    f = 1\nelse:\n    def f(): pass", "f = 1", {"f"}),
        ("_f = 1", "_f = 1", set()),
        ("from m import f", "f = 1", set()),
        ("def g():\n    f = 1", "f = 1", set()),
        ("class g:\n    f = 1", "f = 1", set()),
    ],
)
def test_what_it_finds(tmp_path, first, second, names):
    (tmp_path / "inner").mkdir()
    (tmp_path / "one.py").write_text(first)
    (tmp_path / "inner" / "two.py").write_text(second)
    assert doubled(tmp_path) == {name: {"one.py", "inner/two.py"} for name in names}
