"""The words of a page's templates, as far as they are known before it is rendered."""

import jinja2
import pytest
from jinja2 import nodes
from jinja2.ext import Extension

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


@pytest.mark.parametrize("tag", ["from_context", "included", "foreign"])
async def test_unknown_where_a_tag_may_use_any_name(tag):
    source = "{% load engine_tags %}{% if x %}{% " + tag + " %}{% endif %}"
    options = {
        "loaders": in_memory({"page": source, "outer": "{% include 'page' %}", "included": ""}),
        "libraries": {"engine_tags": "tests.engines.engine_tags"},
    }
    backend = DjangoTemplates({"NAME": "d", "DIRS": [], "APP_DIRS": False, "OPTIONS": options})
    assert await backend.get_template("page").page_words() is None
    assert await backend.get_template("outer").page_words() is None


class OwnTag(Extension):
    """A tag as a third party would write it."""

    tags = {"own"}

    def parse(self, parser):
        return nodes.Output([nodes.TemplateData("")], lineno=next(parser.stream).lineno)


@jinja2.pass_context
def own_function(context):
    return context["x"]


@pytest.mark.parametrize(
    ("source", "is_known"),
    [
        ("{{ own_function() }}", False),
        ("{{ x|own_filter }}", False),
        ("{% own %}", False),
        ("{{ range(3)|map('upper')|list }}{{ dict(a=1) }}{{ x is defined }}", True),
        ("{% csrf_token %}{{ loop }}", True),
    ],
)
async def test_unknown_where_code_of_others_is_given_the_context(source, is_known):
    options = {
        "environment": f"{__name__}.make_environment",
        "loader": jinja2.DictLoader({"page": source}),
        "extensions": [OwnTag, "atemplates.jinja2.extensions.CsrfTokenExtension"],
    }
    backend = Jinja2({"NAME": "j", "DIRS": [], "APP_DIRS": False, "OPTIONS": options})
    words = await backend.get_template("page").page_words()
    assert (words is not None) is is_known


def make_environment(**options):
    made = jinja2.Environment(**options)
    made.globals["own_function"] = own_function
    made.filters["own_filter"] = own_filter
    return made


@jinja2.pass_context
def own_filter(context, value):
    return value


async def test_tags_that_use_what_their_text_says():
    source = (
        "{% load i18n static l10n tz cache atemplates %}{% url 'a' b %}{% static 'c' %}{% now 'Y' %}"
        "{% cycle d e %}{% get_current_language as f %}{% blocktranslate %}g{% endblocktranslate %}"
        "{% cache 5 h %}{% csrf_token %}{% endcache %}{% parallel %}{{ i }}{% endparallel %}{% flush %}"
        "{% defer %}{{ j }}{% enddefer %}"
    )
    options = {"loaders": in_memory({"page": source})}
    backend = DjangoTemplates({"NAME": "d", "DIRS": [], "APP_DIRS": False, "OPTIONS": options})
    words = await backend.get_template("page").page_words()
    assert words is not None
    assert set("bdefhij") < words


async def test_of_a_string(backend):
    words = await backend.from_string("{% include 'inner' %}{{ own }}").page_words()
    assert {"own", "in_inner"} <= words


async def test_another_template_is_another_page(backend):
    assert "in_inner" not in await backend.get_template("itself").page_words()
    assert "once" not in await backend.get_template("inner").page_words()
