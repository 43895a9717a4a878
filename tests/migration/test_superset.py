"""What is recorded is in what the template was said to read: on the demo, and on the model zoo."""

import pytest
from django.core.exceptions import ObjectDoesNotExist
from django.template import engines
from django.test import AsyncClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from atemplates.compiler.access import access_paths
from atemplates.engines.django import render_template
from atemplates.migration.analysis import analyse
from atemplates.migration.entries import normal
from atemplates.migration.recordings import record_of, render_record
from atemplates.relations.events import observe_everywhere
from shop.pages import PAGES
from tests.example.conftest import shelf, site
from tests.testapp.data import zoo
from tests.testapp.models import Animal

__all__ = ["shelf", "site", "zoo"]

pytestmark = pytest.mark.django_db(databases=["default", "other"])


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


@pytest.mark.parametrize("page", [p for p in PAGES if p.engine == "django" and p.is_async])
async def test_the_demos_pages(db, shelf, site, page):
    site.SHOP_LAZY = True
    seen = []
    end = observe_everywhere(lambda event: seen.append(record_of(event)))
    try:
        response = await AsyncClient().get(page.path)
    finally:
        end()
    assert response.status_code == 200
    lazy = [each for each in seen if each.is_lazy and each.kind != "python"]
    engine = engines["django"].engine
    top = response.templates[0].name
    paths = {top: access_paths(engine.get_template(top))}
    records = [render_record(top, response.resolver_match.view_name), *lazy]
    report = analyse(paths, [], records)
    static = analyse(paths, [], [each for each in records if not each.is_lazy])
    assert static.findings == []
    places = {(each.template, each.line, each.expression.partition("|")[0]) for each in paths[top]}
    for record in lazy:
        assert (record.template, record.line, record.expression.partition("|")[0]) in places
    assert {each.status for each in report.findings} <= {"confirmed", "possible"}
    assert all(each.call or each.advice for each in report.findings if each.status == "confirmed")


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
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(body=lines, loop=st.booleans())
def test_the_zoo(zoo, body, loop):
    from django.template import Context

    text = f"{{% for a in animals %}}{body}{{% endfor %}}" if loop else body
    template = engines["django"].from_string(text).template
    seen = []
    end = observe_everywhere(lambda event: seen.append(record_of(event)))
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
