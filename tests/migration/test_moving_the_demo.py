"""The guide, followed: the bookshop in its lazy state, until nothing is lazy any more."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.processes

# What manage.py does, for several command lines in one process; prints a list of their outputs.
COMMANDS = """
import contextlib, io, json, sys
from django.core.management import execute_from_command_line

outputs = []
for line in json.loads(sys.argv[1]):
    with contextlib.redirect_stdout(io.StringIO()) as output:
        execute_from_command_line(["manage.py", *line])
    outputs.append(output.getvalue())
print(json.dumps(outputs))
"""
CRAWL = """
import asyncio
import django
django.setup()
from django.conf import settings
from django.test import AsyncClient
from shop.pages import PAGES
settings.ALLOWED_HOSTS = ["testserver"]

async def crawl():
    for page in PAGES:
        if page.is_async:
            response = await AsyncClient().get(page.path)
            assert response.status_code == 200, page

asyncio.run(crawl())
"""
TESTS = """
import pytest
from django.test import AsyncClient
from shop.catalogue import load, read_books
from shop.pages import PAGES

@pytest.mark.parametrize("page", [p for p in PAGES if p.is_async])
async def test_page(books, page):
    assert (await AsyncClient().get(page.path)).status_code == 200

@pytest.fixture(scope="session")
def books(django_db_setup, django_db_blocker):
    with django_db_blocker.unblock():
        load(read_books())
        yield
"""
CALLS = {
    "shop:jinja2_book_list": '.select_related("author", "publisher__country")'
    '.prefetch_related("reviews", "tags")',
    "shop:jinja2_book_detail": '.select_related("author", "publisher__country")'
    '.prefetch_related("author__books", "notes", "reviews__user", "tags")',
    "shop:book_list": '.select_related("author", "publisher__country")'
    '.prefetch_related("reviews", "tags")',
    "shop:book_detail": '.select_related("author", "publisher__country")'
    '.prefetch_related("author__books", "notes", "reviews__user", "tags")',
    "shop:author_list": '.prefetch_related("books")',
    "shop:author_detail": '.select_related("profile").prefetch_related('
    '"books__publisher__country", "books__reviews", "books__tags", "notes")',
    "shop:search": '.select_related("author", "publisher__country")'
    '.prefetch_related("reviews", "tags")',
}


class Demo:
    """A copy of the demo in its lazy state, in which Python can be run.

    Attributes:
        folder: where the copy is.
    """

    def __init__(self, folder):
        self.folder = folder / "example"
        shutil.copytree(
            ROOT / "example", self.folder, ignore=shutil.ignore_patterns("*.sqlite3", "__pycache__")
        )
        inherited = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
        self.environment = inherited | {
            "PYTHONPATH": os.pathsep.join([str(self.folder), str(ROOT)]),
            "DJANGO_SETTINGS_MODULE": "bookshop_site.settings",
            "SHOP_LAZY": "1",
        }

    def run(self, *arguments, fails=False, **variables):
        done = subprocess.run(
            [sys.executable, *arguments],
            cwd=self.folder,
            env={**self.environment, **variables},
            capture_output=True,
            text=True,
            check=False,
        )
        assert fails or done.returncode == 0, done.stdout + done.stderr
        return done

    def commands(self, *lines):
        """Run command lines of ``manage.py atemplates``; a dict of what each printed."""
        arguments = [["atemplates", *line.split()] for line in lines]
        outputs = json.loads(self.run("-c", COMMANDS, json.dumps(arguments)).stdout)
        return dict(zip(lines, outputs, strict=True))

    @property
    def views(self):
        return (self.folder / "shop/views.py").read_text("utf-8")


@pytest.fixture
def demo(tmp_path):
    return Demo(tmp_path)


@pytest.fixture(scope="module")
def moved(tmp_path_factory):
    """The whole guide, followed once: a dict of what each command of it printed."""
    demo = Demo(tmp_path_factory.mktemp("moved"))
    shop = [["migrate", "--verbosity=0"], ["load_books"]]
    demo.run("-c", COMMANDS + CRAWL, json.dumps(shop), SHOP_RECORDING="shop.jsonl")
    before = demo.views
    printed = demo.commands(
        "check",
        "lazy --recording=shop.jsonl",
        "lazy --recording=shop.jsonl --format=json",
        "lazy --recording shop.jsonl --view shop:book_list",
        "lazy --recording shop.jsonl --view shop:author_list --diff",
        "lazy --recording=shop.jsonl --diff",
    )
    assert demo.views == before, "only --write writes"
    printed |= demo.commands("lazy --recording shop.jsonl --diff --write")
    assert demo.views != before
    demo.run("-c", CRAWL, SHOP_RECORDING="after.jsonl")
    return printed | demo.commands(
        "lazy --recording after.jsonl",
        "lazy --recording=after.jsonl --fail-on=any",
        "lazy --diff",
    )


def guide():
    """The commands of the guide that print something, and what they print."""
    text = (ROOT / "docs/moving-a-site.md").read_text(encoding="utf-8")
    found = {}
    for block in re.findall(r"```console\n(.*?)```", text, re.DOTALL):
        command, _, printed = block.partition("\n")
        if printed and not printed.startswith("$"):
            found[command.removeprefix("$ python manage.py atemplates ")] = printed
    return found


def test_the_guide_shows_what_the_commands_print(moved):
    """All of it, or from a ``...`` on."""
    shown_in_guide = guide()
    assert len(shown_in_guide) == 5
    for command, shown in shown_in_guide.items():
        # How many templates there are, and tags in them, depends on Django's admin.
        whole, part = (
            re.sub(r"\d+ (templates|uses|tags|records)", r"N \1", each).rstrip()
            for each in (moved[command], shown.removeprefix("...\n"))
        )
        assert whole.endswith(part) if shown.startswith("...\n") else whole == part, command
    count = moved["lazy --recording=shop.jsonl"].splitlines()[-1].partition(" in ")[0]
    assert f"{count} for the whole" in (ROOT / "docs/moving-a-site.md").read_text("utf-8")


def test_from_the_lazy_state_to_none(moved):
    report = json.loads(moved["lazy --recording=shop.jsonl --format=json"])
    assert report["problems"] == []
    assert {group["view"]: group["call"] for group in report["groups"]} == CALLS
    findings = [each for group in report["groups"] for each in group["findings"]]
    assert {each["status"] for each in findings} == {"confirmed"}

    diff = moved["lazy --recording=shop.jsonl --diff"]
    shared = 2  # both engines' pages come from the same views
    assert diff.count("\n+    ") == len(CALLS) - shared
    assert "By hand" not in diff

    assert moved["lazy --recording=after.jsonl --fail-on=any"].startswith("0 findings")
    assert "Nothing to change." in moved["lazy --diff"]


def test_the_same_through_the_pytest_plugin(demo):
    demo.run("manage.py", "migrate", "--verbosity=0")
    (demo.folder / "test_pages.py").write_text(TESTS)
    (demo.folder / "pytest.ini").write_text("[pytest]\nasyncio_mode = auto\n")
    plugin = ["-p", "atemplates.pytest_plugin"] if not plugin_is_installed() else []
    pytest_run = ["-m", "pytest", *plugin, "-q", "test_pages.py"]
    demo.run(*pytest_run, "--lazy-report=before.jsonl")
    assert demo.run(*pytest_run, "--lazy-fail", fails=True).returncode == 1
    as_json = "lazy --recording=before.jsonl --format=json"
    printed = demo.commands(as_json, "lazy --recording=before.jsonl --diff --write")
    groups = json.loads(printed[as_json])["groups"]
    assert {group["view"]: group["call"] for group in groups} == CALLS
    demo.run(*pytest_run, "--lazy-fail", "--lazy-report")


def plugin_is_installed():
    from importlib.metadata import entry_points

    return any(each.value == "atemplates.pytest_plugin" for each in entry_points(group="pytest11"))
