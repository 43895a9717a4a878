"""A site that used django-jinja: its environment, rendered by our backend, as docs/jinja2.md says."""

import pytest
from django.conf import settings
from django.http import HttpRequest
from django.template import TemplateDoesNotExist, engines
from django.test import override_settings

from tests.delivery.chapters import blocks_of

pytest.importorskip("django_jinja", reason="it comes with the extra 'test'")

# Imported only where the package is.
from django_jinja.backend import Jinja2 as StockBackend
from django_jinja.builtins.extensions import DjangoFiltersExtension

CHAPTER = "jinja2.md"
SOURCES = {
    "page.jinja": (
        "{% extends 'base.jinja' %}{% block body %}{{ name|upper }} {{ url('admin:index') }} "
        "{{ static('a.css') }} {{ 3.14159|floatformat(1) }} {{ 'a b'|slugify }} {% csrf_token %}"
        "{% trans n=2 %}\n  one\n {% pluralize %} {{ n }}\n  of them {% endtrans %}"
        "{% do rows.append(2) %}{{ rows }}{{ nothing }}{{ '<b>' }}{% endblock %}"
    ),
    "base.jinja": "<p>{% block body %}{% endblock %}</p>",
    "other.html": "not one of Jinja2's",
}


def part(word):
    """The block of the chapter that has a word in it."""
    (source,) = [each for each in blocks_of(CHAPTER, "python") if word in each]
    found = {"__name__": "shop.chapter"}
    exec(compile(source, CHAPTER, "exec"), found)
    return found


environment = part("DjangoJinja(params)").get("environment")


@pytest.fixture
def folder(tmp_path):
    for name, text in SOURCES.items():
        (tmp_path / name).write_text(text)
    return tmp_path


def backends(folder):
    """The chapter's backend, and django-jinja's own with the same options."""
    (ours,) = part("DjangoFiltersExtension")["TEMPLATES"]
    options = {**ours["OPTIONS"], "environment": f"{__name__}.environment"}
    # As in the chapter, but for the folder of the templates.
    ours = {**ours, "DIRS": [folder], "APP_DIRS": False, "OPTIONS": options}
    others = {name: value for name, value in options.items() if name != "environment"}
    theirs = {"NAME": "stock", "DIRS": [folder], "APP_DIRS": False}
    with override_settings(TEMPLATES=[ours]):
        made = engines["jinja2"]
    stock = StockBackend({**theirs, "OPTIONS": {**others, "match_extension": ""}})
    return made, stock


def request_of():
    request = HttpRequest()
    request.META["CSRF_COOKIE"] = "c" * 32
    return request


def without_token(text):
    """A page without the token, which is masked anew in each."""
    before, _, rest = text.partition("value='")
    return before + rest.partition("'")[2]


async def test_pages_are_those_of_django_jinja(folder):
    ours, stock = backends(folder)
    expected = stock.get_template("page.jinja").render({"name": "a", "rows": [1]}, request_of())
    assert "<p>A /admin/ /static/a.css 3.1 a-b <input type=" in expected
    assert "2 of them[1, 2]&lt;b&gt;" in expected
    template = await ours.aget_template("page.jinja")
    page = await template.render_async({"name": "a", "rows": [1]}, request_of())
    assert without_token(page) == without_token(expected)


def test_a_plain_render_gives_the_same(folder):
    ours, stock = backends(folder)
    pages = [
        backend.get_template("page.jinja").render({"name": "a", "rows": [1]}, request_of())
        for backend in (ours, stock)
    ]
    assert without_token(pages[0]) == without_token(pages[1])


def test_what_django_jinja_has_registered_is_there(folder):
    ours, stock = backends(folder)
    assert set(stock.env.filters) <= set(ours.env.filters)
    assert set(stock.env.globals) <= set(ours.env.globals)
    assert any(isinstance(each, DjangoFiltersExtension) for each in ours.env.extensions.values())
    assert settings.USE_I18N


def test_templates_are_told_apart_by_their_ending(folder):
    by_ending = part("class ByEnding")["ByEnding"]([folder])
    made = environment(loader=by_ending, auto_reload=False)
    assert by_ending.list_templates() == ["base.jinja", "page.jinja"]
    assert made.get_template("base.jinja").render() == "<p></p>"
    with pytest.raises(Exception, match=r"other\.html"):
        made.get_template("other.html")


def test_a_template_that_is_missing(folder):
    ours, _ = backends(folder)
    with pytest.raises(TemplateDoesNotExist):
        ours.get_template("none.jinja")
