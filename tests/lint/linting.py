"""Templates and the types that views give them, looked at as ``check`` looks at a site's."""

from django.template.engine import Engine
from jinja2 import DictLoader, Environment

from atemplates.analysis.django import remembering, walk_of
from atemplates.analysis.jinja2 import jinja2_walk_of
from atemplates.lint.contexts import KnownContext
from atemplates.lint.jinja2_places import JinjaPlaces
from atemplates.lint.names import KnownTemplates, name_problems
from atemplates.lint.places import DjangoPlaces


def given(is_complete=True, others=None, **variables):
    """A context that a view is known to render with."""
    return KnownContext(variables, {} if others is None else others, is_complete)


def lint(templates, contexts, *, annotations=None, set_by_code=lambda names: set(), **options):
    """Return the problems of some Django templates.

    Args:
        templates: their sources, by name.
        contexts: template -> what it is rendered with, one or a list.
        set_by_code: says which of some attributes Python sets on objects.
    """
    engine = Engine(
        loaders=[("django.template.loaders.locmem.Loader", templates)],
        libraries={
            "some_tags": "tests.lint.some_tags",
            "i18n": "django.templatetags.i18n",
        },
        builtins=options.pop("builtins", []),
    )
    load = remembering(engine)
    walks = {name: walk_of(load(name, ()), follow=load) for name in templates}
    places = {
        file: DjangoPlaces(parsed.source, parsed.nodelist)
        for walk in walks.values()
        for file, parsed in walk.templates.items()
    }
    return _problems(walks, contexts, annotations, places, set_by_code)


def jinja2_lint(templates, contexts, *, annotations=None, **options):
    """The same of Jinja2 templates; options are those of the environment."""
    environment = Environment(loader=DictLoader(templates), **options)
    trees = {}
    walks = {name: jinja2_walk_of(environment, name, None, trees) for name in templates}
    places = {
        name: JinjaPlaces(environment, source, trees.get(name))
        for name, source in templates.items()
    }
    return _problems(walks, contexts, annotations, places)


def _problems(walks, contexts, annotations, places, set_by_code=lambda names: set()):
    names = KnownTemplates(
        {name: walk.reads for name, walk in walks.items()},
        {name: each if isinstance(each, list) else [each] for name, each in contexts.items()},
        annotations or {},
        lambda read, index: places[read.file].of(read, index),
        set_by_code=set_by_code,
    )
    return list(name_problems(names))


def said(problems):
    """The problems in short, in order: ``page.html:1:4 unknown-name``, with ``?`` if possible."""
    return sorted(
        f"{each.file}:{each.line}:{each.column} {each.code}{'?' if each.is_possible else ''}"
        for each in problems
    )
