"""The words of a page's templates, as far as they are known before it is rendered."""

import jinja2
import pytest

from atemplates.engines.django import DjangoTemplates
from atemplates.engines.jinja2 import Jinja2
from tests.engines.conftest import in_memory

SHARED = {
    "base": "{{ in_base }}{% block b %}{% endblock %}",
    "child": "{% extends 'base' %}{% block b %}{% include 'inner' %}{% endblock %}",
    "inner": "{{ in_inner }}",
    "itself": "{{ once }}{% if no %}{% include 'itself' %}{% endif %}",
    "any": "{% include chosen %}",
    "missing": "{% if no %}{% include 'nowhere' %}{% endif %}",
    "through": "{% include 'any' %}",
}


def django_backend():
    options = {"loaders": in_memory(SHARED)}
    return DjangoTemplates({"NAME": "d", "DIRS": [], "APP_DIRS": False, "OPTIONS": options})


def jinja2_backend():
    options = {"loader": jinja2.DictLoader(SHARED)}
    return Jinja2({"NAME": "j", "DIRS": [], "APP_DIRS": False, "OPTIONS": options})


@pytest.fixture(params=[django_backend, jinja2_backend])
def backend(request):
    return request.param()


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("inner", {"in_inner"}),
        ("child", {"in_base", "in_inner", "block", "include"}),
        ("itself", {"once", "no"}),
    ],
)
async def test_words_of_all_templates(backend, name, words):
    for _ in range(2):
        assert words <= await backend.get_template(name).page_words()


@pytest.mark.parametrize("name", ["any", "through", "missing"])
async def test_unknown_where_one_is_not_known(backend, name):
    for _ in range(2):
        assert await backend.get_template(name).page_words() is None


async def test_of_a_string(backend):
    words = await backend.from_string("{% include 'inner' %}{{ own }}").page_words()
    assert {"own", "in_inner"} <= words


async def test_another_template_is_another_page(backend):
    assert "in_inner" not in await backend.get_template("itself").page_words()
    assert "once" not in await backend.get_template("inner").page_words()
