"""Reading what views give to templates."""

from inspect import getsource

import pytest
from django.contrib.auth import get_user_model

from atemplates.inference.views import renderings
from tests.migration import site_views
from tests.testapp.models import Animal, Region


@pytest.fixture(scope="module")
def found():
    places, problems = renderings(site_views.__name__)
    assert problems == []
    return {(each.view, each.template): each for each in places}


def known(rendering):
    return {
        name: (data.model, data.shape, data.loads, data.certain)
        for name, data in rendering.loaded.items()
    }


@pytest.mark.parametrize(
    ("view", "template", "variables"),
    [
        ("rows", "zoo/list.html", {"animals": (Animal, "rows", (), True)}),
        (
            "loaded",
            "zoo/list.html",
            {"animals": (Animal, "rows", ("foods", "home", "home__region", "species"), True)},
        ),
        ("zoo:one", "zoo/one.html", {"animal": (Animal, "row", (), True)}),
        ("page", "zoo/page.html", {"page": (Animal, "page", (), True)}),
        (
            f"{site_views.__name__}.queries",
            "zoo/other.html",
            {"region": (Region, "row", ("parent",), True)},
        ),
        (
            "people",
            "zoo/people.html",
            dict.fromkeys(("people", "staff"), (get_user_model(), "rows", (), True)),
        ),
        (
            "animals",
            "zoo/generic.html",
            dict.fromkeys(("animals", "object_list"), (Animal, "rows", (), True)),
        ),
        (
            "animal",
            "zoo/one.html",
            dict.fromkeys(("animal", "object"), (Animal, "row", ("home",), True)),
        ),
    ],
)
def test_what_a_view_gives(found, view, template, variables):
    assert known(found[view, template]) == variables
    assert found[view, template].is_complete


def test_an_expression_that_can_be_edited_has_its_place(found):
    data = found["rows", "zoo/list.html"].loaded["animals"]
    lines = getsource(site_views).splitlines()
    assert "Animal.objects.filter" in lines[data.expression.lineno - 1]


def test_a_urlconf_that_does_not_import():
    places, problems = renderings("tests.migration.no_such_urls")
    assert places == []
    assert "no_such_urls" in str(problems[0])
