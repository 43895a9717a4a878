"""What the documents point at is there."""

import re
from pathlib import Path

import pytest

from atemplates.engines.django import DJANGO_OPTIONS
from atemplates.engines.options import COMMON_OPTIONS

ROOT = Path(__file__).resolve().parent.parent
DOCUMENTS = [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")]
link = re.compile(r"\]\((?!https?:|#|mailto:)([^)#]+)(?:#[^)]*)?\)")
module = re.compile(r"`((?:[a-z_]+/)+[a-z_0-9]+\.py|[a-z_]+\.py)(?::[a-z_]+)?`")


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(document):
    for target in link.findall(document.read_text(encoding="utf-8")):
        assert (document.parent / target).exists(), target


def test_the_files_that_internals_names_exist():
    named = set(module.findall((ROOT / "docs/internals.md").read_text(encoding="utf-8")))
    assert len(named) > 10
    for name in named:
        assert (ROOT / "atemplates" / name).exists() or (ROOT / name).exists(), name


def test_every_option_is_documented():
    text = (ROOT / "docs/django.md").read_text(encoding="utf-8")
    for option in (*COMMON_OPTIONS, *DJANGO_OPTIONS):
        assert f"| `{option}` |" in text, option
