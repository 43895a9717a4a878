"""A site with hardly any apps: nothing of the package needs one that is not installed."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PROGRAM = """
import asyncio, io
import django
from django.conf import settings

settings.configure(
    INSTALLED_APPS={apps},
    TEMPLATES=[
        {{
            "BACKEND": "atemplates.engines.django.DjangoTemplates",
            "OPTIONS": {{
                "loaders": [
                    ("django.template.loaders.locmem.Loader", {{"page.html": "{{{{ x.y|upper }}}}"}})
                ]
            }},
        }},
        {{"BACKEND": "atemplates.engines.jinja2.Jinja2"}},
    ],
)
django.setup()
from django.core.management import call_command
from django.template import engines
import atemplates.response, atemplates.views
from atemplates import arender_to_string

assert asyncio.run(arender_to_string("page.html", {{"x": {{"y": "a"}}}})) == "A"
assert engines["django"].get_template("page.html").render({{"x": {{"y": "a"}}}}) == "A"
assert asyncio.run(engines["jinja2"].from_string("{{{{ x }}}}").render_async({{"x": 1}})) == "1"
if {apps}:
    output = io.StringIO()
    call_command("atemplates", "explain", "page.html", stdout=output)
    assert "render_filtered" in output.getvalue()
"""


@pytest.mark.parametrize("apps", [[], ["atemplates"]])
def test_a_site_without_djangos_apps(apps):
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", PROGRAM.format(apps=apps)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
