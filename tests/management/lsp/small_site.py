"""A site of one page, quick to start."""

from __future__ import annotations

from pathlib import Path

MANAGE = """
import os, sys
from django.core.management import execute_from_command_line

os.environ["DJANGO_SETTINGS_MODULE"] = "site_settings"
execute_from_command_line(sys.argv)
"""


def small_site(folder: Path) -> Path:
    """Write a site of one page; its views are not where its settings and addresses are."""
    (folder / "manage.py").write_text(MANAGE)
    (folder / "site_settings.py").write_text(
        "SECRET_KEY = 'x'\nINSTALLED_APPS = ['atemplates']\nROOT_URLCONF = 'site_urls'\n"
        "TEMPLATES = [{'BACKEND': 'atemplates.engines.django.DjangoTemplates', 'DIRS': ['pages'],\n"
        "  'OPTIONS': {'context_processors': ['django.template.context_processors.debug']}}]\n"
    )
    (folder / "site_urls.py").write_text(
        "from django.urls import path\nfrom site_views import page\n"
        "urlpatterns = [path('', page)]\n"
    )
    (folder / "site_views.py").write_text(
        "from django.shortcuts import render\n\n\nclass Shelf:\n    def row(self) -> int:\n"
        "        return 1\n\n\ndef page(request):\n"
        "    return render(request, 'page.html', {'shelf': Shelf(), 'foot': 12})\n"
    )
    (folder / "pages").mkdir()
    page = folder / "pages/page.html"
    page.write_text("{{ foot }}")
    return page
