"""What is recorded is in what the template was said to read: on the demo, and on the model zoo."""

import pytest
from django.core.exceptions import ObjectDoesNotExist
from django.template import engines
from django.test import AsyncClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jinja2 import UndefinedError

from atemplates.analysis.django import access_paths
from atemplates.analysis.jinja2 import jinja2_paths
from atemplates.engines.django import render_template
from atemplates.inference.views import renderings
from atemplates.migration.analysis import analyse
from atemplates.migration.entries import normal
from atemplates.migration.recordings import access_record, render_record
from atemplates.relations.policy import observe_everywhere
from shop.pages import PAGES
from tests.example.committed_books import shelf
from tests.example.conftest import site
from tests.testapp.data import zoo
from tests.testapp.models import Animal

__all__ = ["shelf", "site", "zoo"]

pytestmark = pytest.mark.django_db(databases=["default", "other"])

# The dashboard is delivered in several ways by one view, which no source says a template of.
READ_PAGES = [page for page in PAGES if page.is_async and "/dashboard/" not in page.path]


def known_paths(paths):
    """Every path and what lies on the way, by the place in a template."""
    known = set()
    for path in paths:
        steps = normal(path.path)
        for end in range(len(steps) + 1):
            known.add((path.template, path.root, steps[:end]))
    return known


def place(record):
    """A record's place and path; the root and steps of a template's own names are unknown."""
    return (record.template, record.root, normal(record.path))


def read_by(engine, name):
    """What a template of the demo reads, in either engine."""
    backend = engines[engine]
    if engine == "jinja2":
        return jinja2_paths(backend.env, name)
    return access_paths(backend.engine.get_template(name))


@pytest.mark.parametrize("page", READ_PAGES, ids=lambda page: page.path)
async def test_the_demos_pages(db, shelf, site, page):
    """Every recorded place is a static one; and what is static does not depend on records."""
    site.SHOP_LAZY = True
    seen, tops = [], []
    end = observe_everywhere(lambda event: seen.append(access_record(event)))
    try:
        response = await AsyncClient().get(page.path)
    finally:
        end()
    assert response.status_code == 200
    lazy = [each for each in seen if each.is_lazy and each.kind != "python"]
    view = response.resolver_match.view_name
    tops = {each.template for each in renderings()[0] if each.view == view and not each.after}
    (top,) = tops
    paths = {top: read_by(page.engine, top)}
    records = [render_record(top, view), *lazy]
    report = analyse(paths, [], records)
    static = analyse(paths, [], [each for each in records if not each.is_lazy])
    assert static.findings == []
    places = {(each.template, each.line, each.expression.partition("|")[0]) for each in paths[top]}
    for record in lazy:
        assert (record.template, record.line, record.expression.partition("|")[0]) in places
    assert {each.status for each in report.findings} <= {"confirmed", "possible"}
    assert all(each.call or each.advice for each in report.findings if each.status == "confirmed")


@pytest.mark.parametrize("page", READ_PAGES, ids=lambda page: page.path)
async def test_a_view_that_loads_everything_raises_no_alarm(db, shelf, site, page):
    """The demo as it is: nothing is lazy when it runs, and nothing is found in its source."""
    seen = []
    end = observe_everywhere(lambda event: seen.append(access_record(event)))
    try:
        response = await AsyncClient().get(page.path)
    finally:
        end()
    assert [each for each in seen if each.is_lazy] == []
    found = [each for each in renderings()[0] if each.view == response.resolver_match.view_name]
    assert any(each.variables for each in found)
    paths = {each.template: read_by(page.engine, each.template) for each in found}
    assert analyse(paths, found).findings == []


STEPS = [
    "name",
    "species.name",
    "mother.species.name",
    "home.region.parent.name",
    "chip.code",
    "passport.number",
    "origin.name",
    "archive.shelf",
    "sponsor.username",
    "tamer.region.name",
    "foods.count",
    "visits.exists",
    "notes.all.0.text",
    "label",
    "region_name",
    "home_id",
]
LISTS = ["foods.all", "children.all", "visits.all", "egg_set.all", "friends.all"]

expressions = st.builds("{{{{ a.{} }}}}".format, st.sampled_from(STEPS))
lines = st.recursive(
    expressions,
    lambda inner: st.one_of(
        st.builds("{{% if a.{} %}}{}{{% endif %}}".format, st.sampled_from(STEPS), inner),
        st.builds(
            "{{% for b in a.{} %}}{{{{ b.pk }}}}{{% endfor %}}{}".format,
            st.sampled_from(LISTS),
            inner,
        ),
        st.builds("{{% with a=a.mother %}}{}{{% endwith %}}".format, inner),
        st.builds("{}{}".format, inner, inner),
    ),
    max_leaves=6,
)


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(body=lines, loop=st.booleans())
def test_the_zoo(zoo, body, loop):
    from django.template import Context

    text = f"{{% for a in animals %}}{body}{{% endfor %}}" if loop else body
    template = engines["django"].from_string(text).template
    seen = []
    end = observe_everywhere(lambda event: seen.append(access_record(event)))
    try:
        values = (
            {"animals": Animal.objects.all()} if loop else {"a": Animal.objects.get(pk=zoo.leo.pk)}
        )
        render_template(template, Context(values))
    except ObjectDoesNotExist:
        pass  # an animal's __str__ reads its species, which may be hidden: stock Django raises too
    finally:
        end()
    known = {(root, steps) for _, root, steps in known_paths(access_paths(template))}
    for record in seen:
        if record.kind != "python":
            assert (record.root, normal(record.path)) in known, record


JINJA2_STEPS = [
    "name",
    "species.name",
    "mother.species.name",
    "home.region.parent.name",
    "chip.code",
    "tamer.region.name",
    "foods.count()",
    "visits.exists()",
    "notes.all()[0].text",
    "label",
    "region_name",
    "home_id",
]
JINJA2_LISTS = ["foods.all()", "children.all()", "visits.all()", "friends.all()"]

jinja2_expressions = st.builds("{{{{ a.{} }}}}".format, st.sampled_from(JINJA2_STEPS))
jinja2_lines = st.recursive(
    jinja2_expressions,
    lambda inner: st.one_of(
        st.builds("{{% if a.{} %}}{}{{% endif %}}".format, st.sampled_from(JINJA2_STEPS), inner),
        st.builds(
            "{{% for b in a.{} %}}{{{{ b.pk }}}}{{% endfor %}}{}".format,
            st.sampled_from(JINJA2_LISTS),
            inner,
        ),
        st.builds("{{% with a=a.mother %}}{}{{% endwith %}}".format, inner),
        st.builds("{{% set a = a.mother %}}{}".format, inner),
        st.builds("{{% macro m(a) %}}{}{{% endmacro %}}{{{{ m(a.home) }}}}".format, inner),
        st.builds(
            "{{% macro n(b) %}}{{{{ caller(b.mother) }}}}{{% endmacro %}}"
            "{{% call(a) n(a) %}}{}{{% endcall %}}".format,
            inner,
        ),
        st.builds("{{{{ (a.mother or a).home.name }}}}{}".format, inner),
        st.builds("{{{{ a.foods.all()|map(attribute='region.name')|join }}}}{}".format, inner),
        st.builds(
            "{{% for k, v in a.children.all()|groupby('weight') %}}{{% for b in v %}}"
            "{{{{ b.chip.code }}}}{{% endfor %}}{{% endfor %}}{}".format,
            inner,
        ),
        st.builds("{}{}".format, inner, inner),
    ),
    max_leaves=6,
)


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(body=jinja2_lines, loop=st.booleans())
def test_the_zoo_in_jinja2(zoo, body, loop):
    """What is lazy is in a static path's steps, in whichever variable it begins."""
    from jinja2 import ChainableUndefined, DictLoader

    from atemplates.engines.jinja2 import Jinja2

    text = f"{{% for a in animals %}}{body}{{% endfor %}}" if loop else body
    options = {
        "environment": "jinja2.Environment",
        "loader": DictLoader({"it.html": text}),
        "undefined": ChainableUndefined,
        "finalize": lambda value: "" if value is None else value,
    }
    backend = Jinja2({"NAME": "j", "DIRS": [], "APP_DIRS": False, "OPTIONS": options})
    leo, mara = zoo.leo.pk, zoo.mara.pk
    rows = Animal.objects.filter(pk__in=[leo, mara])
    values = {"animals": rows} if loop else {"a": Animal.objects.get(pk=leo)}
    seen = []
    end = observe_everywhere(lambda event: seen.append(access_record(event)))
    try:
        backend.get_template("it.html").render(values)
    except UndefinedError:
        pass  # an attribute of None, as in stock Jinja2
    finally:
        end()
    model = {"animals" if loop else "a": "testapp.Animal"}
    paths = jinja2_paths(backend.env, "it.html")
    report = analyse({"it.html": paths}, annotations={"it.html": model})
    needs = {each.need.lookup.rpartition("__")[2] for each in report.findings if each.need}
    known = {(root, steps) for _, root, steps in known_paths(paths)}
    unknown = []
    for record in seen:
        if not record.is_lazy or record.kind == "python":
            continue
        path = normal(record.path)
        last = [step for step in path if step not in ("[]", "all", "count", "exists")][-1]
        if (record.root, path) not in known and last not in needs:
            unknown.append(f"{record.expression}: {record.root}, {path}")
    assert unknown == [], text
