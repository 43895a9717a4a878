"""Which names a template may use: all of them when it cannot be told."""

import django
import pytest
from django.template import Engine

from atemplates.engines.usage import names_used


def used(templates, name="page"):
    """The names, less the words of the tags themselves."""
    engine = Engine(
        loaders=[("django.template.loaders.locmem.Loader", templates)],
        libraries={"engine_tags": "tests.engines.engine_tags"},
    )
    names = names_used(engine.get_template(name), engine)
    return names if names is None else names & {"x", "y", "z"}


@pytest.mark.parametrize(
    ("templates", "names"),
    [
        ({"page": ""}, set()),
        ({"page": "{{ x }}{# y #}"}, {"x", "y"}),
        ({"page": "{{ a.x }}{{ a|default:y }}"}, {"x", "y"}),
        ({"page": "{% for x in y %}{% if z %}{% endif %}{% endfor %}"}, {"x", "y", "z"}),
        ({"page": "{{ xy }}"}, set()),
        ({"page": "{% extends 'base' %}{{ x }}", "base": "{{ y }}"}, {"x", "y"}),
        ({"page": "{% include 'part' %}", "part": "{% include 'sub' %}", "sub": "{{ z }}"}, {"z"}),
        ({"page": "{% if 0 %}{% else %}{% include 'part' %}{% endif %}", "part": "{{ x }}"}, {"x"}),
        ({"page": "{{ x }}{% include 'page' %}"}, {"x"}),
        ({"page": "{% include 'one' %}{% include 'one' %}", "one": "{{ x }}"}, {"x"}),
    ],
)
def test_the_words_of_the_template_its_parents_and_its_includes(templates, names):
    assert used(templates) == names


@pytest.mark.parametrize(
    "templates",
    [
        {"page": "{% include x %}"},
        {"page": "{% include 'pa'|add:'rt' %}", "part": ""},
        {"page": "{% include _('part') %}", "part": ""},
        {"page": "{% extends x %}"},
        {"page": "{% extends 'page' %}"},
        {"page": "{% extends 'one' %}", "one": "{% extends 'page' %}"},
        {"page": "{% include 'none' %}"},
        {"page": "{% include 'bad' %}", "bad": "{% oops %}"},
        {"page": "{% debug %}"},
        {"page": "{% if 0 %}{% debug %}{% endif %}"},
        {"page": "{% load engine_tags %}{% foreign %}"},
        {"page": "{% load engine_tags %}{% from_context %}"},
        {"page": "{% load engine_tags %}{% included %}"},
        {"page": "{% include 'part' %}", "part": "{% debug %}"},
    ],
)
def test_when_it_cannot_be_told(templates):
    assert used(templates) is None


@pytest.mark.skipif(django.VERSION < (6, 0), reason="template partials came with Django 6.0")
class TestPartials:
    page = (
        "{% partialdef a %}{{ x }}{% partial b %}{% endpartialdef %}"
        "{% partialdef b %}{{ y }}{% endpartialdef %}"
    )

    @pytest.mark.parametrize("name", ["page", "page#a", "page#b"])
    def test_a_partial_may_use_what_its_whole_template_uses(self, name):
        assert used({"page": self.page}, name) == {"x", "y"}

    def test_an_included_partial(self):
        templates = {"page": self.page, "outer": "{{ z }}{% include 'page#b' %}"}
        assert used(templates, "outer") == {"x", "y", "z"}
