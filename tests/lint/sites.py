"""Small sites of templates that lie in memory, for both languages."""

from django.template import Engine
from jinja2 import DictLoader, Environment

from atemplates.analysis.site.jinja2_templates import read_jinja2_site
from atemplates.analysis.site.templates import read_site

LIBRARIES = {
    "i18n": "django.templatetags.i18n",
    "static": "django.templatetags.static",
    "humanize": "django.contrib.humanize.templatetags.humanize",
    "lint_tags": "tests.lint.lint_tags",
}


def engine_with(templates):
    loader = ("django.template.loaders.locmem.Loader", templates)
    return Engine(
        loaders=[("django.template.loaders.cached.Loader", [loader])], libraries=LIBRARIES
    )


def django_site(templates):
    """A site of Django templates, and its engine."""
    engine = engine_with(templates)
    return read_site(engine, templates), engine


def jinja2_site(templates, globals=None, environment=Environment):
    """A site of Jinja2 templates, and its environment."""
    made = environment(loader=DictLoader(templates), autoescape=True)
    made.globals.update(globals or {})
    return read_jinja2_site(made, templates), made


def said(problem):
    """A problem as one line: place, code, message, hint."""
    place = f"{problem.file}:{problem.line}:{problem.column}"
    perhaps = " perhaps" if problem.is_possible else ""
    hint = f" ({problem.hint})" if problem.hint else ""
    return f"{place}: {problem.code}{perhaps}: {problem.message}{hint}"
