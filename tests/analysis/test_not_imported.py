"""No render imports the analysis of templates, nor what moves a site."""

import subprocess
import sys

RENDER = """
import sys
import django
from django.conf import settings

settings.configure(
    INSTALLED_APPS=["atemplates"],
    TEMPLATES=[
        {"BACKEND": "atemplates.engines.django.DjangoTemplates"},
        {"BACKEND": "atemplates.engines.jinja2.Jinja2", "OPTIONS": OWN_OPTIONS},
    ],
)
django.setup()
from django.template import engines

for name in ("django", "jinja2"):
    template = engines[name].from_string("{% for a in b %}{{ a }}{% endfor %}")
    assert template.render({"b": [1, 2]}) == "12"
print(*(name for name in sorted(sys.modules) if name.startswith("atemplates.")))
"""


def modules_of_a_render(options):
    command = [sys.executable, "-c", RENDER.replace("OWN_OPTIONS", repr(options))]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def test_a_render_imports_neither_analysis_nor_migration():
    found = modules_of_a_render({})
    assert "atemplates.tags.relations" in found
    assert not [
        name for name in found if name.startswith(("atemplates.analysis", "atemplates.migration"))
    ]


def test_a_backend_that_records_imports_the_recorder(tmp_path):
    found = modules_of_a_render({"recorder": {"file": str(tmp_path / "recording")}})
    assert "atemplates.migration.recorder" in found
    assert not [name for name in found if name.startswith("atemplates.analysis")]
