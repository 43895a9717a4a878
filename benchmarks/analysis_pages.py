"""Static analysis: how long ``manage.py atemplates lazy`` looks at 500 templates."""

from __future__ import annotations

from time import perf_counter

from django.template.engine import Engine

from atemplates.migration.analysis import analyse
from atemplates.migration.site import Site, read_site

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
BASE = "<html>{% block head %}{{ user.username }}{% endblock %}{% block body %}{% endblock %}"


def templates(count: int) -> dict[str, str]:
    """Return pages that extend one template and include each other's parts."""
    named = {"base.html": BASE}
    for number in range(count // 2):
        named[f"part_{number}.html"] = PART
        named[f"page_{number}.html"] = PAGE.replace("PART", str(number))
    return named


def analysed(named: dict[str, str]) -> Site:
    """Read and analyse a site anew."""
    loader = ("django.template.loaders.locmem.Loader", named)
    engine = Engine(loaders=[("django.template.loaders.cached.Loader", [loader])])
    site = read_site(engine)
    analyse(site.paths, annotations={name: {"things": "auth.Permission"} for name in site.paths})
    return site


@page("analysis", "static analysis of 500 templates, once")
def analysis(effort: Effort) -> list[Row]:
    """Measure one run over templates with inheritance, includes, loops and regrouping."""
    count = effort.size(TEMPLATES, 10)
    start = perf_counter()
    site = analysed(templates(count))
    seconds = perf_counter() - start
    if site.problems:
        raise ValueError(f"The templates were to be analysed without a problem: {site.problems}")
    row = Row("analysis", f"{len(site.paths)} templates", "ms", {OURS: seconds * 1000})
    row.outcomes.append(judge("seconds", seconds, at_most=SECONDS))
    return [row]
