"""The report of ``lazy`` on a small site that has what real sites taught, line by line."""

import difflib
import re
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command
from django.test import Client

from tests.testapp.models import Animal, Place, Region

from .real_site import views

SITE = Path(__file__).with_name("real_site")
PAGES = [
    "/animal/{animal}/",
    "/place/{place}/",
    "/region/{region}/",
    "/region/{region}/?bare=1",
    "/everything/",
    "/animals/",
    "/visitors/",
    "/food/n/",
]

pytestmark = pytest.mark.django_db(databases=["default", "other"])


@pytest.fixture
def recording(zoo, tmp_path, settings):
    """The file in which the pages of the site were recorded, as they were really rendered."""
    file = tmp_path / "site.jsonl"
    settings.ROOT_URLCONF = views.__name__
    library = {"tags": "tests.migration.real_site.tags"}
    auth = "django.contrib.auth.context_processors.auth"
    request = "django.template.context_processors.request"
    settings.TEMPLATES = [
        {
            "BACKEND": "atemplates.engines.django.DjangoTemplates",
            "DIRS": [SITE / "django"],
            "OPTIONS": {
                "recorder": {"file": str(file)},
                "libraries": library,
                "context_processors": [auth, request],
            },
        },
        {
            "BACKEND": "atemplates.engines.jinja2.Jinja2",
            "DIRS": [SITE / "jinja2"],
            "OPTIONS": {"recorder": {"file": str(file)}},
        },
    ]
    client = Client()
    client.force_login(zoo.user)
    made = {
        "animal": zoo.leo.pk,
        "place": Place.objects.first().pk,
        "region": Region.objects.get(name="Africa").pk,
    }
    assert Animal.objects.count() > 5
    for page in PAGES:
        assert client.get(page.format(**made)).status_code == 200
    return file


def lazy(*arguments):
    out = StringIO()
    call_command("atemplates", "lazy", *arguments, stdout=out)
    return re.sub(r"(views\.py):\d+", r"\1:N", out.getvalue())


def expected(name):
    """The lines of a report, without the reasons behind them."""
    lines = (SITE / name).read_text("utf-8").splitlines()
    return [line.partition("  ##")[0].rstrip() for line in lines if not line.startswith("##")]


def same(printed, wanted):
    found = [line.rstrip() for line in printed.splitlines()]
    assert found == wanted, "\n".join(difflib.unified_diff(wanted, found, lineterm=""))


def test_the_recorded_report(recording):
    same(lazy("--recording", str(recording)), expected("expected.txt"))


def test_the_report_without_a_recording(recording):
    same(lazy(), expected("expected_static.txt"))


def test_the_edits(recording, settings):
    settings.BASE_DIR = SITE
    same(lazy("--diff"), expected("expected_diff.txt"))
