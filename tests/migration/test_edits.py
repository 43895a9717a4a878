"""``lazy --diff``: what is edited, what is said instead, and that nothing else of a file changes."""

import ast
import importlib.util
import os
import sys
from io import StringIO

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from atemplates.migration.edits import CannotRead, Edit, changed

pytestmark = pytest.mark.django_db(databases=["default", "other"])

CALL = '.select_related("home")'


def edited(source, *texts, call=CALL):
    """Append a call to expressions of a source, found by their text."""
    wanted = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, (ast.Call, ast.Attribute)):
            text = ast.get_source_segment(source, node)
            if text in texts:
                start, end = (node.lineno, node.col_offset), (node.end_lineno, node.end_col_offset)
                wanted.append(Edit("views.py", start, end, call))
    assert len(wanted) == len(texts)
    return changed(source, wanted)


@pytest.mark.parametrize(
    ("source", "text", "expected"),
    [
        ("x = A.objects\n", "A.objects", "x = A.objects.C\n"),
        ("x = A.objects.all()\n", "A.objects.all()", "x = A.objects.all().C\n"),
        ("f(A.objects.filter(a=b.c), 1)", "A.objects.filter(a=b.c)", "f(A.objects.filter(a=b.c).C, 1)"),
        ("x = 'ü𝄞', A.objects  # ß\n", "A.objects", "x = 'ü𝄞', A.objects.C  # ß\n"),
        ("if x:\n\ty = A.objects # tab\n", "A.objects", "if x:\n\ty = A.objects.C # tab\n"),
        ("x = A.objects\r\ny = 1\r\n", "A.objects", "x = A.objects.C\r\ny = 1\r\n"),
        (
            "x = (\n    A.objects  # all\n    .filter(a=1)\n)\n",
            "A.objects  # all\n    .filter(a=1)",
            "x = (\n    A.objects  # all\n    .filter(a=1)\n).C\n",
        ),
        ("x = await one(A.objects.all(), [ 1,2 ])", "A.objects.all()", "x = await one(A.objects.all().C, [ 1,2 ])"),
    ],
)  # fmt: skip
def test_a_call_is_appended_and_nothing_else_changes(source, text, expected):
    assert edited(source, text) == expected.replace(".C", CALL)


def test_several_edits_of_one_file():
    source = "x = A.objects.all(); y = B.objects.all()\n"
    assert edited(source, "A.objects.all()", "B.objects.all()") == (
        f"x = A.objects.all(){CALL}; y = B.objects.all(){CALL}\n"
    )


def test_both_calls():
    both = '.select_related("a", "b__c").prefetch_related("d")'
    assert edited("x = A.objects.all()\n", "A.objects.all()", call=both) == (
        f"x = A.objects.all(){both}\n"
    )


def test_a_syntax_that_libcst_does_not_know():
    with pytest.raises(CannotRead, match="line 2"):
        changed("x = A.objects\nthis has no meaning\n", [Edit("v.py", (1, 4), (1, 13), CALL)])


# -- the whole command -----------------------------------------------------------------------------

HEAD = """
from django.shortcuts import render
from django.urls import path
from tests.testapp.models import Animal

def helper():
    return Animal.objects.all()

"""
TAIL = """
urlpatterns = [path("", view, name="view")]
"""
LIST = "{% for animal in animals %}{{ animal.home.name }}{% endfor %}"


@pytest.fixture
def views(tmp_path, settings, monkeypatch):
    """Return a function: the source of a view -> its file, which is the site's URLconf."""
    settings.TEMPLATES = [
        {
            "BACKEND": "atemplates.engines.django.DjangoTemplates",
            "OPTIONS": {
                "loaders": [
                    (
                        "django.template.loaders.locmem.Loader",
                        {"list.html": LIST, "other.html": LIST.replace("home", "mother")},
                    )
                ]
            },
        }
    ]
    monkeypatch.chdir(tmp_path)

    def make(source, folder="."):
        file = tmp_path / folder / "edited_views.py"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(HEAD + source + TAIL)
        spec = importlib.util.spec_from_file_location("edited_views", file)
        module = importlib.util.module_from_spec(spec)
        monkeypatch.setitem(sys.modules, "edited_views", module)
        spec.loader.exec_module(module)
        settings.ROOT_URLCONF = "edited_views"
        return file

    return make


def diff(*arguments):
    out = StringIO()
    try:
        call_command("atemplates", "lazy", "--diff", *arguments, stdout=out)
    except CommandError as error:
        return f"{out.getvalue()}{error}"
    return out.getvalue()


@pytest.mark.parametrize(
    ("source", "added"),
    [
        (
            "def view(request):\n"
            "    animals = Animal.objects.filter(pk__gt=request.GET['x'])\n"
            "    return render(request, 'list.html', {'animals': animals})\n",
            f"    animals = Animal.objects.filter(pk__gt=request.GET['x']){CALL}",
        ),
        (
            "def view(request):\n"
            "    return render(request, 'list.html', {'animals': Animal.objects.all()})\n",
            f"    return render(request, 'list.html', {{'animals': Animal.objects.all(){CALL}}})",
        ),
        (
            "def view(request):\n    return render(request, 'list.html', {'animals': helper()})\n",
            f"    return Animal.objects.all(){CALL}",
        ),
        (
            "def view(request):\n"
            "    animals = Animal.objects.all()\n"
            "    name = 'list.html' if request.GET else 'other.html'\n"
            "    return render(request, ['list.html', 'other.html'], {'animals': animals})\n",
            '    animals = Animal.objects.all().select_related("home", "mother")',
        ),
    ],
)
def test_one_queryset_of_one_render_is_edited(views, source, added):
    file = views(source)
    before = file.read_text()
    text = diff()
    assert f"+{added}" in text.splitlines()
    assert "By hand" not in text
    assert file.read_text() == before, "only --write writes"
    assert "Changed: edited_views.py." in diff("--write")
    assert added in file.read_text()
    changes = set(file.read_text().splitlines()) - set(before.splitlines())
    assert changes == {added}


@pytest.mark.parametrize(
    "source",
    [
        # one of two querysets
        "def view(request):\n"
        "    animals = Animal.objects.all()\n"
        "    if request.GET:\n"
        "        animals = Animal.objects.none()\n"
        "    return render(request, 'list.html', {'animals': animals})\n",
        # made by what cannot be followed
        "def view(request):\n    return render(request, 'list.html', {'animals': request.rows()})\n",
        # the key is not selected
        "def view(request):\n"
        "    animals = Animal.objects.only('name')\n"
        "    return render(request, 'list.html', {'animals': animals})\n",
    ],
)
def test_what_is_not_edited_is_said(views, source, tmp_path):
    from atemplates.migration.recordings import AccessRecord, render_record, write_recordings

    file = views(source)
    before = file.read_text()
    home = AccessRecord(
        "list.html", 1, "animal.home.name", "animals", ("[]", "home"), "relation",
        "testapp.Animal", entry="testapp.Animal", entry_at=1, view="view",
    )  # fmt: skip
    write_recordings(tmp_path / "r.jsonl", [render_record("list.html", "view"), home])
    text = diff("--write", "--recording", "r.jsonl")
    assert text.startswith("By hand:")
    assert f"view view, list.html: add {CALL} to the queryset of 'animals'" in text
    assert file.read_text() == before


VIEW = (
    "def view(request):\n"
    "    return render(request, 'list.html', {'animals': Animal.objects.all()})\n"
)


def test_packages_of_others_are_not_edited(views):
    file = views(VIEW, folder="venv/site-packages/app")
    before = file.read_text()
    text = diff("--write")
    assert text.startswith("By hand:")
    assert "site-packages/app/edited_views.py:" in text
    assert file.read_text() == before


def linked(tmp_path, outside):
    """A link inside the project to the folder of a file outside."""
    (tmp_path / "project" / "linked").symlink_to(outside.parent, target_is_directory=True)
    return "project/linked"


@pytest.mark.parametrize("how", ["beside", "linked folder", "linked file", "linked environment"])
@pytest.mark.parametrize("base", [False, True])
def test_a_file_outside_the_project_is_not_edited(
    views, tmp_path, settings, monkeypatch, how, base
):
    (tmp_path / "project").mkdir()
    outside = tmp_path / "library" / "edited_views.py"
    if how == "linked environment":
        outside = tmp_path / "project" / "site-packages" / "edited_views.py"
    outside.parent.mkdir()
    if how == "linked file":
        outside.write_text(HEAD + VIEW + TAIL)
        (tmp_path / "project" / "edited_views.py").symlink_to(outside)
        folder = "project"
    else:
        folder = "library" if how == "beside" else linked(tmp_path, outside)
    views(VIEW, folder=folder)
    before = outside.read_text()
    monkeypatch.chdir(tmp_path / "project")
    if base:
        settings.BASE_DIR = tmp_path / "project"
    text = diff("--write")
    assert text.startswith("By hand:")
    assert "edited_views.py:" in text
    assert outside.read_text() == before


def test_a_link_that_stays_inside_and_a_project_that_the_settings_name(
    views, tmp_path, settings, monkeypatch
):
    (tmp_path / "project" / "real").mkdir(parents=True)
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "project" / "linked").symlink_to(tmp_path / "project" / "real")
    views(VIEW, folder="project/linked")
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert diff("--write").startswith("By hand:")
    settings.BASE_DIR = str(tmp_path / "project")
    assert "Changed:" in diff("--write")
    assert CALL in (tmp_path / "project" / "real" / "edited_views.py").read_text()


def test_the_root_of_a_file_system_is_no_project(views, tmp_path, settings, monkeypatch):
    views(VIEW)
    monkeypatch.chdir("/")
    settings.BASE_DIR = "/"
    assert diff("--write").startswith("By hand:")


def test_an_environment_inside_the_project_is_not_the_projects(views, tmp_path, monkeypatch):
    views(VIEW, folder="env/src/package")
    monkeypatch.setattr(sys, "prefix", str(tmp_path / "env"))
    assert diff("--write").startswith("By hand:")
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    assert "Changed:" in diff("--write"), "the project may stand inside the environment"


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write it")
def test_a_file_that_cannot_be_written(views):
    file = views(VIEW)
    file.chmod(0o444)
    assert "edited_views.py: Permission denied." in diff("--write")


def test_without_libcst_it_says_what_to_install(views, monkeypatch):
    views(VIEW)
    monkeypatch.setitem(sys.modules, "libcst", None)
    assert "pip install 'atemplates[edits]'" in diff()


def test_nothing_to_change(views):
    views(VIEW.replace("all()", f"all(){CALL}"))
    assert diff().strip() == "Nothing to change."
