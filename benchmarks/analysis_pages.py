"""Static analysis: how long ``manage.py atemplates lazy`` looks at 500 templates of a language."""

from __future__ import annotations

from time import perf_counter

from django.template.engine import Engine
from jinja2 import DictLoader, Environment

from atemplates.analysis.site.jinja2_templates import read_jinja2_site
from atemplates.analysis.site.templates import SiteTemplates, read_site
from atemplates.migration.analysis import analyse

from .measure import Effort
from .registry import page
from .results import OURS, Row, judge

TEMPLATES = 500
SECONDS = 30
PART = """<li>{{ item.name }} {{ item.owner.name }}{% if item.maker %}{{ item.maker.city.name }}
{% endif %}{% for tag in item.tags.all %}{{ tag.name|title }}{% endfor %}</li>"""
PAGE = """{% extends "base.html" %}{% block body %}<ul>
{% for item in things %}{% include "part_PART.html" %}{% empty %}none{% endfor %}</ul>
{% with first=things.0 %}{% url "page" first.owner.pk %}{{ first.owner.name }}{% endwith %}
{% regroup things by owner as owners %}{% for owner in owners %}{{ owner.grouper.name }}
{% for item in owner.list %}{{ item.maker.name|default:item.owner.name }}{% endfor %}{% endfor %}
{% endblock %}"""
JINJA2_PART = """{% macro item(item) %}<li>{{ item.name }} {{ item.owner.name }}
{% if item.maker %}{{ item.maker.city.name }}{% endif %}
{% for tag in item.tags.all() %}{{ tag.name|title }}{% endfor %}</li>{% endmacro %}"""
JINJA2_PAGE = """{% extends "base.html" %}{% from "part_PART.html" import item as part %}
{% block body %}<ul>{% for item in things %}{{ part(item) }}{% else %}none{% endfor %}</ul>
{% with first=things[0] %}{{ first.owner.name }}{% endwith %}
{% for owner, items in things|groupby("owner.name") %}{{ owner }}
{% for item in items %}{{ item.maker.name or item.owner.name }}{% endfor %}{% endfor %}
{% endblock %}"""
BASE = "<html>{% block head %}{{ user.username }}{% endblock %}{% block body %}{% endblock %}"


def templates(count: int) -> dict[str, str]:
    """Return pages that extend one template and include each other's parts."""
    named = {"base.html": BASE}
    for number in range(count // 2):
        named[f"part_{number}.html"] = PART
        named[f"page_{number}.html"] = PAGE.replace("PART", str(number))
    return named


def analysed(named: dict[str, str]) -> SiteTemplates:
    """Read and analyse a site anew."""
    loader = ("django.template.loaders.locmem.Loader", named)
    engine = Engine(loaders=[("django.template.loaders.cached.Loader", [loader])])
    site = read_site(engine)
    analyse(site.paths, annotations={name: {"things": "auth.Permission"} for name in site.paths})
    return site


def jinja2_templates(count: int) -> dict[str, str]:
    """The same in Jinja2's language, with a macro for each include."""
    named = {"base.html": BASE}
    for number in range(count // 2):
        named[f"part_{number}.html"] = JINJA2_PART
        named[f"page_{number}.html"] = JINJA2_PAGE.replace("PART", str(number))
    return named


def jinja2_analysed(named: dict[str, str]) -> SiteTemplates:
    """Read and analyse a site of Jinja2 templates anew."""
    site = read_jinja2_site(Environment(loader=DictLoader(named)))
    analyse(site.paths, annotations={name: {"things": "auth.Permission"} for name in site.paths})
    return site


@page("analysis", "static analysis of 500 templates of each language, once")
def analysis(effort: Effort) -> list[Row]:
    """Measure one run over templates with inheritance, includes, loops and regrouping."""
    count = effort.size(TEMPLATES, 10)
    rows = []
    for language, run, named in (
        ("Django", analysed, templates(count)),
        ("Jinja2", jinja2_analysed, jinja2_templates(count)),
    ):
        start = perf_counter()
        site = run(named)
        seconds = perf_counter() - start
        if site.problems:
            raise ValueError(f"They were to be analysed without a problem: {site.problems}")
        what = f"{len(site.paths)} {language} templates"
        row = Row("analysis", what, "ms", {OURS: seconds * 1000})
        row.outcomes.append(judge(f"{language}, seconds", seconds, at_most=SECONDS))
        rows.append(row)
    return rows
