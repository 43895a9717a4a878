"""Templates that others name and that do not exist: stock fails when it renders these."""

import django
import pytest
from django.template import Context, Engine, TemplateDoesNotExist, TemplateSyntaxError

from atemplates.analysis.site.templates import read_site
from tests.lint.sites import django_site, jinja2_site, said

OTHERS = {
    "shop/book.html": "",
    "shop/page.html": "{% block a %}{% endblock %}",
    "there.html": "",
    "broken.html": "{% if %}",
}


def found_in(source):
    site, _ = django_site({"it.html": source, **OTHERS})
    return [said(each) for each in site.problems if each.file == "it.html"]


def fails(source, error=TemplateDoesNotExist):
    _, engine = django_site({"it.html": source, **OTHERS})
    with pytest.raises(error):
        engine.get_template("it.html").render(Context({"x": True}))
    return True


def missing(name):
    return f"no-such-template: names the template {name!r}, which does not exist"


WRONG = {
    "\n{% include 'shop/bok.html' %}": (
        f"it.html:2:13: {missing('shop/bok.html')} (did you mean 'shop/book.html'?)"
    ),
    "\n{% include 'book.html' only %}": (
        f"it.html:2:13: {missing('book.html')} (did you mean 'shop/book.html'?)"
    ),
    "{% extends 'shop/pge.html' %}": (
        f"it.html:1:13: {missing('shop/pge.html')} (did you mean 'shop/page.html'?)"
    ),
    "{% extends 'it.html' %}": f"it.html:1:13: {missing('it.html')}",
    "{% load lint_tags %}\n {% gone %}": f"it.html:2:5: {missing('gone.html')}",
    "{% extends 'shop/page.html' %}{% block a %}\n{% if x %}{% include 'none.html' %}{% endif %}{% endblock %}": (
        f"it.html:2:23: {missing('none.html')}"
    ),
}


@pytest.mark.parametrize("source", WRONG)
def test_a_template_that_does_not_exist(source):
    assert found_in(source) == [WRONG[source]]
    assert fails(source)


@pytest.mark.parametrize(
    "source",
    [
        "{% include 'there.html' %}{% include name %}{% include 'a'|add:'b' %}",
        "{% include 'broken.html' %}",
        "{% load lint_tags %}{% one_of_two %}",
        "{% extends 'shop/page.html' %}{% include 'none.html' %}",
        "{% comment %}{% include 'none.html' %}{% endcomment %}",
        "{% include 'django/forms/widgets/input.html' %}",
        "{% include './there.html' %}",
    ],
)
def test_what_may_be_there_is_left_alone(source):
    assert found_in(source) == []


def test_what_a_build_makes_may_be_there_where_the_site_runs():
    (line,) = found_in("{% include 'built/head.html' %}")
    assert line == (
        "it.html:1:13: no-such-template perhaps: names the template 'built/head.html', which does "
        "not exist (there is no folder 'built': is it made by a build?)"
    )


@pytest.mark.skipif(django.VERSION < (6, 0), reason="Django has partials since 6.0")
def test_partials_that_are_not_there():
    define = "{% partialdef card %}x{% endpartialdef %}"
    assert found_in(f"{define}{{% partial card %}}{{% include 'it.html#card' %}}") == []
    assert found_in("\n{% partial crd %}") == [
        "it.html:2:12: no-such-template: there is no partial 'crd' in this template"
    ]
    assert fails("{% partial crd %}", TemplateSyntaxError)
    assert found_in(f"{define}\n{{% partial crd %}}") == [
        "it.html:2:12: no-such-template: there is no partial 'crd' in this template "
        "(did you mean 'card'?)"
    ]
    assert found_in("\n{% include 'there.html#card' %}") == [
        "it.html:2:13: no-such-template: names the partial 'card' of the template 'there.html', "
        "which has none such"
    ]
    assert fails("{% include 'there.html#card' %}")


# -- what does not parse ---------------------------------------------------------------------------

UNPARSED = {
    "\n{{ a|uper }}": (
        "it.html:2:6: unknown-filter: does not parse: Invalid filter: 'uper' (did you mean 'upper'?)"
    ),
    "\n{{ a|intcomma }}": (
        "it.html:2:6: unknown-filter: does not parse: Invalid filter: 'intcomma' "
        "(add {% load humanize %})"
    ),
    "{% incldue 'x' %}": (
        "it.html:1:4: unknown-tag: does not parse: Invalid block tag on line 1: 'incldue'. Did you "
        "forget to register or load this tag? (did you mean 'include'?)"
    ),
    "{% static 'x' %}": (
        "it.html:1:4: unknown-tag: does not parse: Invalid block tag on line 1: 'static'. Did you "
        "forget to register or load this tag? (add {% load static %})"
    ),
    "{{ a|truncatewords }}": (
        "it.html:1:6: filter-arguments: does not parse: truncatewords requires 2 arguments, 1 "
        "provided (expected: {{ value|truncatewords:arg }})"
    ),
    "{{ a|upper:1 }}": (
        "it.html:1:6: filter-arguments: does not parse: upper requires 1 arguments, 2 provided "
        "(expected: {{ value|upper }})"
    ),
    "{% load lint_tags %}{% greet %}": (
        "it.html:1:24: tag-arguments: does not parse: 'greet' did not receive value(s) for the "
        "argument(s): 'name' (expected: {% greet name greeting='Hello' %})"
    ),
    "{% load lint_tags %}{% own_greet 'x' quiet=1 %}": (
        "it.html:1:24: tag-arguments: does not parse: 'own_greet' received unexpected keyword "
        "argument 'quiet' (expected: {% own_greet name loud %})"
    ),
    "{% url %}": (
        "it.html:1:4: tag-arguments: does not parse: 'url' takes at least one argument, a URL "
        "pattern name."
    ),
    "{% endif %}": (
        "it.html:1:4: does-not-parse: does not parse: Invalid block tag on line 1: 'endif'. Did you "
        "forget to register or load this tag?"
    ),
}


@pytest.mark.parametrize("source", UNPARSED)
def test_what_does_not_parse_names_its_rule_and_what_was_expected(source):
    assert found_in(source) == [UNPARSED[source]]
    assert fails(source, TemplateSyntaxError)


# -- Jinja2 ----------------------------------------------------------------------------------------


def jinja2_found(source):
    templates = {"it.html": source, "shop/book.html": "{% macro m() %}{% endmacro %}"}
    site, environment = jinja2_site(templates)
    return [said(each) for each in site.problems], environment.get_template("it.html")


@pytest.mark.parametrize(
    "source",
    [
        "\n{% include 'shop/bok.html' %}",
        "\n{% extends 'shop/bok.html' %}",
        "\n{% import  'shop/bok.html' as b %}",
        "\n{% from    'shop/bok.html' import m %}",
    ],
)
def test_a_template_of_jinja2_that_does_not_exist(source):
    found, template = jinja2_found(source)
    column = source.index("shop")
    assert found == [
        f"it.html:2:{column}: {missing('shop/bok.html')} (did you mean 'shop/book.html'?)"
    ]
    with pytest.raises(Exception, match="bok"):
        template.render()


def test_what_jinja2_may_do_without_is_left_alone():
    for source in (
        "{% include 'none.html' ignore missing %}{% include ['none.html', 'shop/book.html'] %}",
        "{% from 'shop/book.html' import m %}{% include name ignore missing %}",
    ):
        found, template = jinja2_found(source)
        assert found == []
        template.render(name="none.html")


def test_a_file_that_does_not_parse_says_its_place_once(tmp_path):
    (tmp_path / "it.html").write_text("\n{{ a|uper }}")
    (problem,) = read_site(Engine(dirs=[tmp_path])).problems
    assert (problem.code, problem.line, problem.column) == ("unknown-filter", 2, 6)
    assert problem.message == "does not parse: Invalid filter: 'uper'"
