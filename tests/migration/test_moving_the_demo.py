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

CRAWL = """
import django
django.setup()
import asyncio
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


@pytest.fixture
def demo(tmp_path):
    """Return what runs Python in a copy of the demo, in its lazy state."""
    folder = tmp_path / "example"
    shutil.copytree(ROOT / "example", folder, ignore=shutil.ignore_patterns("*.sqlite3"))
    environment = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    environment |= {
        "PYTHONPATH": os.pathsep.join([str(folder), str(ROOT)]),
        "DJANGO_SETTINGS_MODULE": "bookshop_site.settings",
        "SHOP_LAZY": "1",
    }

    def run(*arguments, fails=False, **variables):
        done = subprocess.run(
            [sys.executable, *arguments],
            cwd=folder,
            env={**environment, **variables},
            capture_output=True,
            text=True,
            check=False,
        )
        assert fails or done.returncode == 0, done.stdout + done.stderr
        return done

    run("manage.py", "migrate", "--verbosity=0")
    run("manage.py", "load_books")
    run.folder = folder
    return run


def lazy(demo, *arguments):
    return json.loads(demo("manage.py", "atemplates", "lazy", "--format=json", *arguments).stdout)


def guide():
    """The commands of the guide that print something, and what they print."""
    text = (ROOT / "docs/moving-a-site.md").read_text(encoding="utf-8")
    found = {}
    for block in re.findall(r"```console\n(.*?)```", text, re.DOTALL):
        command, _, printed = block.partition("\n")
        if printed and not printed.startswith("$"):
            found[command.removeprefix("$ python manage.py atemplates ")] = printed
    return found


def prints(demo, command):
    """Run a command of the guide; what it prints is what the guide shows, from a ``...`` on."""
    printed = demo("manage.py", "atemplates", *command.split()).stdout
    shown = guide()[command]
    # How many templates there are, and tags in them, depends on Django's admin.
    whole, part = (
        re.sub(r"\d+ (templates|uses|tags|records)", r"N \1", each).rstrip()
        for each in (printed, shown.removeprefix("...\n"))
    )
    assert whole.endswith(part) if shown.startswith("...\n") else whole == part


def test_the_guide_shows_what_the_commands_print(demo):
    prints(demo, "check")
    demo("-c", CRAWL, SHOP_RECORDING="shop.jsonl")
    found = demo("manage.py", "atemplates", "lazy", "--recording=shop.jsonl").stdout
    count = found.splitlines()[-1].partition(" in ")[0]
    assert f"{count} for the whole" in (ROOT / "docs/moving-a-site.md").read_text("utf-8")
    prints(demo, "lazy --recording shop.jsonl --view shop:book_list")
    prints(demo, "lazy --recording shop.jsonl --view shop:author_list --diff")
    prints(demo, "lazy --recording shop.jsonl --diff --write")
    demo("-c", CRAWL, SHOP_RECORDING="after.jsonl")
    prints(demo, "lazy --recording after.jsonl")
    assert len(guide()) == 5


def test_from_the_lazy_state_to_none(demo):
    demo("-c", CRAWL, SHOP_RECORDING="before.jsonl")
    report = lazy(demo, "--recording=before.jsonl")
    assert report["problems"] == []
    assert {group["view"]: group["call"] for group in report["groups"]} == CALLS
    findings = [each for group in report["groups"] for each in group["findings"]]
    assert {each["status"] for each in findings} == {"confirmed"}

    before = (demo.folder / "shop/views.py").read_text()
    diff = demo("manage.py", "atemplates", "lazy", "--recording=before.jsonl", "--diff").stdout
    assert (demo.folder / "shop/views.py").read_text() == before, "only --write writes"
    shared = 2  # both engines' pages come from the same views
    assert diff.count("\n+    ") == len(CALLS) - shared
    assert "By hand" not in diff
    demo("manage.py", "atemplates", "lazy", "--recording=before.jsonl", "--diff", "--write")

    demo("-c", CRAWL, SHOP_RECORDING="after.jsonl")
    after = demo("manage.py", "atemplates", "lazy", "--recording=after.jsonl", "--fail-on=any")
    assert after.stdout.startswith("0 findings")
    assert "Nothing to change." in demo("manage.py", "atemplates", "lazy", "--diff").stdout


def test_the_same_through_the_pytest_plugin(demo):
    (demo.folder / "test_pages.py").write_text(TESTS)
    (demo.folder / "pytest.ini").write_text("[pytest]\nasyncio_mode = auto\n")
    plugin = ["-p", "atemplates.pytest_plugin"] if not plugin_is_installed() else []
    pytest_run = ["-m", "pytest", *plugin, "-q", "test_pages.py"]
    demo(*pytest_run, "--lazy-report=before.jsonl")
    report = lazy(demo, "--recording=before.jsonl")
    assert {group["view"]: group["call"] for group in report["groups"]} == CALLS
    assert demo(*pytest_run, "--lazy-fail", fails=True).returncode == 1
    demo("manage.py", "atemplates", "lazy", "--recording=before.jsonl", "--diff", "--write")
    demo(*pytest_run, "--lazy-fail", "--lazy-report")


def plugin_is_installed():
    from importlib.metadata import entry_points

    return any(each.value == "atemplates.pytest_plugin" for each in entry_points(group="pytest11"))
