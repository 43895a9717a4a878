"""Names of a whole site: its templates, what its views render them with, and where all that is."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ..analysis.reads import Read
from ..analysis.site.templates import SiteTemplates
from ..inference.data import Data
from ..inference.types import ValueType, one_of, type_of_data
from ..inference.views import ViewRendering
from ..problems import Problem
from ..relations.labels import model_named
from .contexts import KnownContext
from .jinja2_places import JinjaPlaces
from .names import KnownTemplates, Locate, SetByCode, name_problems
from .places import DjangoPlaces
from .positions import TextPlace


def site_name_problems(
    site: SiteTemplates,
    renderings: Iterable[ViewRendering],
    others: Mapping[str, ValueType] | None,
    environment: Any = None,
    set_by_code: SetByCode = lambda names: set(),
) -> list[Problem]:
    """Return the names and attributes that the templates of one engine read and that are not there.

    Args:
        site: the engine's templates.
        renderings: what views render with this engine.
        others: what context processors give, with its types; None if that cannot be told.
        environment: Jinja2's, where the templates are for that.
        set_by_code: says which of some attributes Python sets on objects from outside.
    """
    contexts: dict[str, list[KnownContext]] = defaultdict(list)
    for each in renderings:
        if not site.paths.keys().isdisjoint(each.after):
            continue  # a generic view renders the first of its names that is there
        contexts[each.template].append(KnownContext(each.variables, others, each.is_complete))
    names = KnownTemplates(
        site.reads,
        contexts,
        {name: annotated_types(found) for name, found in site.annotations.items()},
        jinja2_locator(site, environment) if environment is not None else django_locator(site),
        lambda read: site.files.get(read.file, read.file),
        set_by_code,
    )
    return list(name_problems(names))


def annotated_types(labels: Mapping[str, str]) -> dict[str, ValueType]:
    """Return the types that annotations give: a row of the model, or several."""
    found: dict[str, ValueType] = {}
    for name, label in labels.items():
        model = model_named(label)
        if model is not None:
            data = Data(model._default_manager.all())
            row = Data(data.queryset, shape="row")
            found[name] = one_of([type_of_data(row), type_of_data(data)])
    return found


def django_locator(site: SiteTemplates) -> Locate:
    """Return what finds places in Django templates."""
    known: dict[str, DjangoPlaces] = {}

    def locate(read: Read, index: int) -> list[TextPlace]:
        template = site.walked.get(read.file)
        if template is None:
            return []
        if read.file not in known:
            known[read.file] = DjangoPlaces(str(template.source), template.nodelist)
        return known[read.file].of(read, index)

    return locate


def jinja2_locator(site: SiteTemplates, environment: Any) -> Locate:
    """Return what finds places in the templates of a Jinja2 environment."""
    known: dict[str, JinjaPlaces] = {}
    source_of = _sources(site, environment)

    def locate(read: Read, index: int) -> list[TextPlace]:
        if read.file not in known:
            tree = site.trees.get(read.file)
            known[read.file] = JinjaPlaces(environment, source_of(read.file), tree)
        return known[read.file].of(read, index)

    return locate


def _sources(site: SiteTemplates, environment: Any) -> Callable[[str], str]:
    def source_of(name: str) -> str:
        if name in site.sources:
            return site.sources[name]
        # One that others name; it was read to be parsed.
        return str(environment.loader.get_source(environment, name)[0])

    return source_of
