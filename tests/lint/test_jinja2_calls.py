"""Calls in Jinja2 templates that do not fit what is called: stock fails when it renders them."""

from functools import wraps

import pytest
from jinja2 import Environment
from jinja2.utils import pass_context, pass_environment, pass_eval_context

from atemplates.engines.jinja2.environment import environment as our_environment
from atemplates.lint.jinja2_calls import call_problems
from tests.lint.sites import jinja2_site, said

FORMS = """
{% macro plain(a, b, c=1) %}{{ a }}{{ b }}{{ c }}{% endmacro %}
{% macro nothing() %}x{% endmacro %}
{% macro rest(a) %}{{ a }}{{ varargs|join }}{{ kwargs.x }}{% endmacro %}
{% macro box(title) %}{{ title }}{{ caller() }}{% endmacro %}
{% macro maybe(a, b) %}{% if b %}{{ a }}{% endif %}{{ b|default('x') }}{% endmacro %}
{% macro looks(book) %}{{ book.title }}{% endmacro %}
"""


def own_function(a, b=1, *, c=2):
    return f"{a}{b}{c}"


@pass_context
def with_context(context, a):
    return a


def decorated(function):
    @wraps(function)
    def wrapper(*args, **kwargs):
        return "any"

    return wrapper


@decorated
def takes_one(a):
    return a


class Callable:
    def __call__(self, a):
        return a


@pass_eval_context
def own_filter(eval_ctx, value, times):
    return value * times


@pass_environment
def own_test(environment, value, other=None):
    return value == other


GLOBALS = {
    "own_function": own_function,
    "with_context": with_context,
    "takes_one": takes_one,
    "an_object": Callable(),
}


def environment_of(**options):
    made = Environment(**options)
    made.filters["own"] = own_filter
    made.tests["own"] = own_test
    return made


def site_of(source, make=environment_of):
    return jinja2_site({"it.html": source, "forms.html": FORMS}, GLOBALS, make)


def found_in(source, make=environment_of):
    site, environment = site_of(source, make)
    assert not site.problems
    return list(call_problems(site, "it.html", environment))


def render(source, make=environment_of, **context):
    _, environment = site_of(source, make)
    return environment.get_template("it.html").render(**context)


IMPORT = "{% import 'forms.html' as forms %}{% from 'forms.html' import plain, rest as more %}\n"
WRONG = {
    "{{ a|replace('x') }}": (
        "6: filter-arguments: the filter 'replace' cannot be called like this: missing a required "
        "argument: 'new' (expected: replace(old, new, count=None))"
    ),
    "{{ a|upper(1) }}": (
        "6: filter-arguments: the filter 'upper' cannot be called like this: too many positional "
        "arguments (expected: upper())"
    ),
    "{{ a|join(seperator=',') }}": (
        "6: filter-arguments: the filter 'join' cannot be called like this: got an unexpected "
        "keyword argument 'seperator' (expected: join(d='', attribute=None))"
    ),
    "{{ a|own }}": (
        "6: filter-arguments: the filter 'own' cannot be called like this: missing a required "
        "argument: 'times' (expected: own(times))"
    ),
    "{% filter own %}x{% endfilter %}": (
        "None: filter-arguments: the filter 'own' cannot be called like this: missing a required "
        "argument: 'times' (expected: own(times))"
    ),
    "{{ a is divisibleby }}": (
        "9: test-arguments: the test 'divisibleby' cannot be called like this: missing a required "
        "argument: 'num' (expected: divisibleby(num))"
    ),
    "{{ a is own(1, 2) }}": (
        "9: test-arguments: the test 'own' cannot be called like this: too many positional "
        "arguments (expected: own(other=None))"
    ),
    "{{ own_function() }}": (
        "4: call-arguments: the function 'own_function' cannot be called like this: missing a "
        "required argument: 'a' (expected: own_function(a, b=1, c=2))"
    ),
    "{{ own_function(1, d=1) }}": (
        "4: call-arguments: the function 'own_function' cannot be called like this: got an "
        "unexpected keyword argument 'd' (expected: own_function(a, b=1, c=2))"
    ),
    "{{ own_function(1, a=1) }}": (
        "4: call-arguments: the function 'own_function' cannot be called like this: multiple values "
        "for argument 'a' (expected: own_function(a, b=1, c=2))"
    ),
    "{{ with_context() }}": (
        "4: call-arguments: the function 'with_context' cannot be called like this: missing a "
        "required argument: 'a' (expected: with_context(a))"
    ),
    "{{ an_object(1, 2) }}": (
        "4: call-arguments: the function 'an_object' cannot be called like this: too many "
        "positional arguments (expected: an_object(a))"
    ),
    "{{ plain(1, 2, 3, 4) }}": (
        "4: call-arguments: the macro 'plain' cannot be called like this: it takes at most 3 "
        "arguments, not 4 (expected: plain(a, b, c=…))"
    ),
    "{{ forms.plain(1, 2, d=3) }}": (
        "10: call-arguments: the macro 'plain' cannot be called like this: it takes no argument 'd' "
        "(expected: plain(a, b, c=…))"
    ),
    "{{ plain(1, 2, a=3) }}": (
        "4: call-arguments: the macro 'plain' cannot be called like this: the argument 'a' is given "
        "twice (expected: plain(a, b, c=…))"
    ),
    "{{ forms.nothing(1) }}": (
        "10: call-arguments: the macro 'nothing' cannot be called like this: it takes no arguments, "
        "not 1 (expected: nothing())"
    ),
    "{% call forms.plain(1, 2) %}x{% endcall %}": (
        "15: call-arguments: the macro 'plain' cannot be called like this: it has no use for the "
        "contents of {% call %}: it never calls caller() (expected: plain(a, b, c=…))"
    ),
    "{{ forms.looks() }}": (
        "10: call-arguments: the macro 'looks' cannot be called like this: the argument 'book' is "
        "missing (expected: looks(book))"
    ),
}


@pytest.mark.parametrize("source", WRONG)
def test_a_call_that_fails_when_it_renders(source):
    (problem,) = found_in(IMPORT + source)
    assert said(problem) == f"it.html:2:{WRONG[source]}"
    with pytest.raises(Exception, match=r"argument|'book' was not provided"):
        render(IMPORT + source, a="x")


RIGHT = [
    "{{ a|replace('x', 'y') }}{{ a|replace('x', new='y', count=1) }}{{ a|join }}{{ a|own(2) }}",
    "{{ a|map('upper')|join(',') }}{{ a|default('x', true) }}{{ a|first }}{{ a|list|length }}",
    "{{ a is divisibleby 3 if 0 }}{{ a is own }}{{ a is own('x') }}{{ a is in 'xyz' }}{{ a is eq 1 }}",
    "{{ own_function(1) }}{{ own_function(1, 2, c=3) }}{{ with_context(1) }}{{ an_object(1) }}",
    "{{ takes_one(1, 2, 3) }}{{ own_function(*[1]) }}{{ own_function(**{'a': 1}) }}",
    "{{ range(3)|list }}{{ dict(a=1) }}{{ lipsum(1) }}{{ cycler(1, 2).next() }}{{ joiner()() }}",
    "{{ plain(1, 2) }}{{ forms.plain(1, b=2, c=3) }}{{ more(1, 2, 3, x=4) }}{{ plain(*[1, 2]) }}",
    "{% call forms.box('x') %}y{% endcall %}{% call forms.box(title='x') %}y{% endcall %}",
    "{{ forms.maybe(1) }}{{ forms.box('x', caller=forms.nothing) }}",
    "{% macro own_function() %}{% endmacro %}{{ own_function() }}",
]


@pytest.mark.parametrize("source", RIGHT)
def test_a_call_that_works_is_left_alone(source):
    assert found_in(IMPORT + source) == []
    render(IMPORT + source, a="x")


def test_a_missing_argument_that_is_only_shown_may_be_meant():
    (problem,) = found_in(IMPORT + "{{ plain(1) }}")
    assert problem.is_possible
    assert "the argument 'b' is missing" in problem.message
    assert render(IMPORT + "{{ plain(1) }}").strip() == "11"


@pytest.mark.parametrize(
    "source",
    [
        "{% if x %}{% macro m(a) %}{% endmacro %}{% endif %}{{ m(1, 2) }}",
        "{% macro m() %}{% endmacro %}{% set m = f %}{{ m(1, 2) }}",
        "{% for own_function in f %}{{ own_function() }}{% endfor %}",
        "{% macro m(plain) %}{{ plain(1, 2, 3, 4) }}{% endmacro %}",
        "{% import name as forms2 %}{{ forms2.plain(1, 2, 3, 4) }}",
        "{{ unknown(1, 2) }}{{ a.b.c(1, 2) }}",
    ],
)
def test_what_is_known_only_when_it_renders_is_left_alone(source):
    assert found_in(IMPORT + source) == []


def test_djangos_filters_in_our_environment():
    for source in (
        "{{ a|date('Y', 'x') }}",
        "{{ a|floatformat(1, 2, 3) }}",
        "{{ a|truncatewords }}",
    ):
        (problem,) = found_in(source, our_environment)
        assert problem.code == "filter-arguments"
        with pytest.raises(TypeError):
            render(source, our_environment, a="1")
    for source in (
        "{{ a|date('Y') }}{{ a|floatformat }}{{ a|floatformat(1) }}{{ a|truncatewords(1) }}",
        "{{ a|linebreaks }}{{ a|default_if_none('x') }}{{ a|filesizeformat }}{{ _('x') }}",
        "{% trans n=1 %}{{ n }} book{% pluralize %}{{ n }} books{% endtrans %}{{ url('x', 1) }}",
    ):
        assert found_in(source, our_environment) == []
