"""The demo with ten mistakes planted: `check` finds the ten, each in its place, and nothing else.

And no false alarm: on the demo as it is, on Django's admin and contrib templates, and on those of
three installed packages.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.processes

DJANGO, JINJA2 = "shop/templates/shop", "shop/jinja2/shop"
MISTAKES = [
    # file, what stands there, what is written in its place, the word that is wrong, the rule
    (f"{DJANGO}/_book_card.html", "{{ book.title }}", "{{ book.titel }}", "titel", "unknown-attribute"),
    (f"{DJANGO}/book_list.html", "{{ paginator.count }}", "{{ pagniator.count }}", "pagniator", "unknown-name"),
    (f"{DJANGO}/search.html", "{{ field.errors }}", "{{ form.tag.erors }}", "erors", "unknown-attribute"),
    (f"{DJANGO}/book_detail.html", "forloop.first", "forloop.frist", "frist", "unknown-attribute"),
    (f"{DJANGO}/author_detail.html", "{{ author.years }}", "{{ author.delete }}", "delete", "alters-data"),
    (f"{DJANGO}/base.html", "{% url 'shop:search' %}", "{% url 'shop:serch' %}", "shop:serch", "no-such-url"),
    (f"{DJANGO}/base.html", "shop/icon.svg", "shop/icno.svg", "shop/icno.svg", "no-such-static-file"),
    (f"{DJANGO}/book_detail.html", '"shop/_notes.html"', '"shop/_note.html"', "shop/_note.html", "no-such-template"),
    (f"{DJANGO}/search.html", "{% block title %}", "{% block titel %}", "titel", "no-such-block"),
    (f"{JINJA2}/book_detail.html", "{{ book.language }}", "{{ book.langauge }}", "langauge", "unknown-attribute"),
]  # fmt: skip


class Site:
    """A copy of the demo in which ``check`` can be run."""

    def __init__(self, folder):
        self.folder = folder / "example"
        shutil.copytree(
            ROOT / "example", self.folder, ignore=shutil.ignore_patterns("*.sqlite3", "__pycache__")
        )

    def check(self, *arguments, settings="bookshop_site.settings"):
        inherited = {name: text for name, text in os.environ.items() if name != "DATABASE_URL"}
        path = os.pathsep.join([str(self.folder), str(ROOT)])
        done = subprocess.run(
            [sys.executable, "manage.py", "atemplates", "check", "--format=json", *arguments],
            cwd=self.folder,
            env={**inherited, "PYTHONPATH": path, "DJANGO_SETTINGS_MODULE": settings},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.stdout, done.stderr
        return done.returncode, json.loads(done.stdout)["problems"]

    def plant(self, file, old, new, wrong):
        """Replace the first ``old``; return the line and column of what is wrong then."""
        path = self.folder / file
        source = path.read_text("utf-8")
        at = source.index(old)
        path.write_text(source[:at] + new + source[at + len(old) :], "utf-8")
        offset = at + new.index(wrong)
        line = source.count("\n", 0, offset) + 1
        return line, offset - source.rfind("\n", 0, offset)


@pytest.fixture(scope="module")
def planted(tmp_path_factory):
    """Where the mistakes are, and what ``check`` says."""
    site = Site(tmp_path_factory.mktemp("planted"))
    wanted = set()
    for file, old, new, wrong, rule in MISTAKES:
        wanted.add((file, *site.plant(file, old, new, wrong), rule))
    return wanted, *site.check("--strict")


def test_the_ten_are_found_and_nothing_else(planted):
    wanted, code, problems = planted
    found = {(each["file"], each["line"], each["column"], each["rule"]) for each in problems}
    assert len(wanted) == 10
    assert found == wanted
    assert len(problems) == 10
    assert code == 2


def test_none_of_the_ten_is_only_possible(planted):
    assert {each["level"] for each in planted[2]} == {"error"}


def test_what_was_meant_is_said(planted):
    hints = {each["hint"] for each in planted[2]}
    for name in ("title", "paginator", "errors", "first", "shop:search", "shop/icon.svg"):
        assert f"did you mean {name!r}?" in hints


ALL_APPS = """
from pathlib import Path

import django
from bookshop_site.settings import *

INSTALLED_APPS += [
    *(f"django.contrib.{name}" for name in ALL),
    *("debug_toolbar", "django_filters", "django_tables2", "django.forms"),
]
SITE_ID = 1
ROOT_URLCONF = "all_urls"
# Its app needs libraries that are not there.
TEMPLATES[0]["DIRS"] = [Path(django.__file__).parent / "contrib/gis/templates"]
""".replace(
    "ALL)",
    "('admindocs', 'sites', 'flatpages', 'redirects', 'sitemaps', 'syndication', 'humanize'))",
)
ALL_URLS = """
from bookshop_site.urls import urlpatterns as shop
from django.urls import include, path

urlpatterns = [
    *shop,
    path("docs/", include("django.contrib.admindocs.urls")),
    path("accounts/", include("django.contrib.auth.urls")),
    path("pages/", include("django.contrib.flatpages.urls")),
    path("__debug__/", include("debug_toolbar.urls")),
]
"""


def test_no_false_alarm_on_the_demo_and_on_installed_packages(tmp_path):
    site = Site(tmp_path)
    (site.folder / "all_settings.py").write_text(ALL_APPS)
    (site.folder / "all_urls.py").write_text(ALL_URLS)
    code, problems = site.check("--all", "--strict", settings="all_settings")
    assert code == 0
    # A form for crispy-forms, which is not installed: it does not parse.
    said = [each for each in problems if not each["file"].endswith("crispy_form.html")]
    assert said == []
