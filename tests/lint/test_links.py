"""Addresses that cannot be made: what is said surely fails when stock Django renders it."""

import pytest
from django.template import Context
from django.test import override_settings
from django.urls import NoReverseMatch, clear_url_caches, get_resolver, reverse
from django.utils import translation
from jinja2.utils import pass_context

from atemplates.engines.jinja2.environment import url as our_url
from atemplates.lint.jinja2_links import jinja2_link_problems
from atemplates.lint.links import link_problems
from atemplates.lint.urls import SiteUrls
from tests.lint import urls_of_links
from tests.lint.sites import django_site, jinja2_site, said

URLCONF = urls_of_links.__name__


@pytest.fixture(autouse=True)
def addresses():
    with override_settings(ROOT_URLCONF=URLCONF):
        clear_url_caches()
        yield
    clear_url_caches()


def found_in(source, **others):
    """What is said of a template; stock Django makes sure that it is true."""
    named = {f"{name}.html": text for name, text in others.items()}
    site, _ = django_site({"it.html": source, **named})
    assert not site.problems
    return list(link_problems(site, "it.html", SiteUrls(get_resolver()), None))


def fails_in_stock(source, **context):
    _, engine = django_site({"it.html": source})
    try:
        engine.get_template("it.html").render(Context(context))
    except (NoReverseMatch, ValueError):
        return True
    return False


WRONG = {
    "'boks'": "there is no address named 'boks' (did you mean 'books'?)",
    "'nothing_like_it'": "there is no address named 'nothing_like_it'",
    "'thing' 1": (
        "there is no address named 'thing' "
        "(did you mean 'others:thing' or 'owned:thing' or 'things:thing'?)"
    ),
    "'nope:home'": (
        "there is no address named 'nope:home' "
        "(did you mean 'others:home' or 'owned:home' or 'things:home'?)"
    ),
    "'nope:zzz'": "there is no address named 'nope:zzz' (no namespace 'nope' is included in the URLconf)",
    "'things:hom'": "there is no address named 'things:hom' (did you mean 'things:home'?)",
    "'book'": "the address 'book' cannot be made with no arguments (expected: slug)",
    "'book' a b": "the address 'book' cannot be made with 2 arguments (expected: slug)",
    "'book' pk=1": "the address 'book' cannot be made with the argument pk=1 (expected: slug)",
    "'book' 'a b'": "the address 'book' cannot be made with the argument 'a b' (expected: slug)",
    "'books' 1": "the address 'books' cannot be made with the argument '1' (expected: no arguments)",
    "'things:thing' 'x'": "the address 'things:thing' cannot be made with the argument 'x' (expected: pk)",
    "'things:thing' 1.5": "the address 'things:thing' cannot be made with the argument '1.5' (expected: pk)",
    "'things:thing' slug=a": (
        "the address 'things:thing' cannot be made with the argument slug (expected: pk)"
    ),
    "'year' a month=1": (
        "gives an address both positional and keyword arguments, which Django refuses "
        "(name all arguments, or none)"
    ),
    "'year' month=1": (
        "the address 'year' cannot be made with the argument month=1 (expected: year or year, month)"
    ),
    "'colour' 'green'": (
        "the address 'colour' cannot be made with the argument 'green' (expected: colour)"
    ),
    "'kind' pk=1 kind='long'": (
        "the address 'kind' cannot be made with the arguments pk=1, kind=long (expected: pk)"
    ),
    "'old' 'x'": "the address 'old' cannot be made with the argument 'x' (expected: pk or pk, page)",
    "'plain' 'A'": "the address 'plain' cannot be made with the argument 'A' (expected: 1 argument)",
    "'owned:thing' 1": (
        "the address 'owned:thing' cannot be made with the argument '1' (expected: owner, pk)"
    ),
    "'owned:home' owner='a b'": (
        "the address 'owned:home' cannot be made with the argument owner=a b (expected: owner)"
    ),
    "'row'": "the address 'row' cannot be made with no arguments (expected: shelf)",
    "'deep:thing' 1": (
        "there is no address named 'deep:thing' "
        "(did you mean 'others:thing' or 'owned:thing' or 'things:thing'?)"
    ),
    "'about' 1": "the address 'about' cannot be made with the argument '1' (expected: no arguments)",
}


@pytest.mark.parametrize("arguments", WRONG)
def test_an_address_that_cannot_be_made_is_said_with_what_was_expected(arguments):
    source = f'one\n<a href="{{% url {arguments} %}}">'
    (problem,) = found_in(source)
    assert said(problem) == f"it.html:2:18: no-such-url: {WRONG[arguments]}"
    assert problem.width == len(arguments.split("'")[1])
    assert fails_in_stock(source, a="a", b="b")


RIGHT = [
    *("'start'", "'books'", "'book' 'a-b'", "'book' slug=a", "'year' a", "'year' 1", "'year' a b"),
    *("'year' year=a month=b", "'colour' 'red'", "'kind' 1", "'kind' pk=1", "'kind' pk=1 kind=a"),
    *("'kind' pk=1 kind='short'", "'old' 1", "'old' pk=1 page=2", "'plain' 'abc'", "'plain' a"),
    *("'things:home'", "'others:thing' 1", "'owned:thing' 'me' 1", "'row' shelf=1", "'row' a"),
    *("'deep:things:thing' pk=a", "'about'", "name", "name|default:'boks'", "'boks' as x"),
    *("'book' a|slugify", "'colour' a", "'old' a", "_('books')"),
]


@pytest.mark.parametrize("arguments", RIGHT)
def test_an_address_that_may_be_made_is_left_alone(arguments):
    assert found_in(f"{{% url {arguments} %}}") == []


def test_the_converter_of_a_site_is_not_run():
    urls_of_links.FourDigits.calls.clear()
    assert found_in("{% url 'year' 'x' %}{% url 'year' 1 month='x' %}") != []
    assert urls_of_links.FourDigits.calls == []


@pytest.mark.parametrize("language", ["en-us", "de", None])
def test_addresses_are_the_same_in_every_language(language):
    with translation.override(language):
        assert found_in("{% url 'about' %}{% url 'start' %}") == []
        assert len(found_in("{% url 'abou' %}")) == 1


def test_an_app_is_found_in_each_of_its_namespaces():
    urls = SiteUrls(get_resolver())
    for name in ("things:home", "others:home"):
        assert urls.fault(name, (), {}) is None
        reverse(name)
    assert urls.fault("things:nope", (), {}) is not None


class ChoosesByHost:
    """A middleware that gives requests another URLconf."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        request.urlconf = "tests.urls"
        return self.get_response(request)


def test_a_middleware_may_choose_the_urlconf():
    djangos = [
        "django.middleware.locale.LocaleMiddleware",
        "django.middleware.common.CommonMiddleware",
    ]
    urls = SiteUrls.of_site([*djangos, "no.such.Middleware"])
    assert urls.fault("books", (), {}) is None
    assert urls.fault("boks", (), {}) is not None
    assert SiteUrls.of_site([*djangos, f"{__name__}.ChoosesByHost"]) is None


def test_what_is_not_rendered_is_not_asked():
    parent = "{% block a %}{% endblock %}"
    outside = "{% extends 'parent.html' %}{% url 'boks' %}{% block a %}{% endblock %}"
    assert found_in(outside, parent=parent) == []
    assert not fails_in_stock("{% comment %}{% url 'boks' %}{% endcomment %}")
    assert found_in("{% comment %}{% url 'boks' %}{% endcomment %}{# {% url 'boks' %} #}") == []
    inside = "{% extends 'parent.html' %}{% block a %}{% url 'boks' %}{% endblock %}"
    assert len(found_in(inside, parent=parent)) == 1


@pytest.mark.parametrize(
    ("condition", "is_possible"),
    [
        ("use_payments", True),
        ("settings.payments", True),
        ("request.user.is_staff and DEBUG", True),
        ("not features.payments", True),
        ("user.is_authenticated", False),
        ("book.author and forloop.first", False),
    ],
)
def test_a_switch_of_the_site_may_stand_for_an_address_that_is_included_or_not(
    condition, is_possible
):
    (problem,) = found_in(f"{{% if {condition} %}}{{% url 'boks' %}}{{% endif %}}")
    assert problem.is_possible is is_possible
    # What it is given is wrong wherever there is such an address.
    (problem,) = found_in(f"{{% if {condition} %}}{{% url 'books' 1 %}}{{% endif %}}")
    assert not problem.is_possible
    (problem,) = found_in(f"{{% if {condition} %}}a{{% else %}}{{% url 'boks' %}}{{% endif %}}")
    assert problem.is_possible is is_possible


# -- Jinja2 ----------------------------------------------------------------------------------------


def url(name, *args, **kwargs):
    return reverse(name, args=args or None, kwargs=kwargs or None)


@pass_context
def url_with_context(context, view, *args, **kwargs):
    made = reverse(view, args=args, kwargs=kwargs, current_app=context.get("app"))
    return made


def lenient(name, *args, **kwargs):
    try:
        return reverse(name, args=args, kwargs=kwargs)
    except NoReverseMatch:
        return "#"


def with_default(name, *args, **kwargs):
    if name == "boks":
        return "#"
    return reverse(name, args=args, kwargs=kwargs)


def of_elsewhere(name, *args, **kwargs):
    return reverse(name, "tests.urls", args, kwargs)


def with_query(name, *args, **kwargs):
    query = kwargs.pop("query", "")
    return reverse(name, args=args, kwargs=kwargs) + query


GLOBALS = {
    "url": url,
    "our_url": our_url,
    "url_with_context": url_with_context,
    "reverse": reverse,
    "lenient": lenient,
    "with_default": with_default,
    "of_elsewhere": of_elsewhere,
    "with_query": with_query,
}


def jinja2_found(source):
    site, environment = jinja2_site({"it.html": source}, GLOBALS)
    assert not site.problems
    urls = SiteUrls(get_resolver())
    return list(jinja2_link_problems(site, "it.html", environment, urls, None))


def fails_in_stock_jinja2(source, **context):
    _, environment = jinja2_site({"it.html": source}, GLOBALS)
    try:
        environment.get_template("it.html").render(**context)
    except (NoReverseMatch, ValueError):
        return True
    return False


JINJA2_WRONG = {
    "url('boks')": "there is no address named 'boks' (did you mean 'books'?)",
    "our_url('book', pk=1)": (
        "the address 'book' cannot be made with the argument pk=1 (expected: slug)"
    ),
    "url_with_context('things:hom')": (
        "there is no address named 'things:hom' (did you mean 'things:home'?)"
    ),
    "url('book')": "the address 'book' cannot be made with no arguments (expected: slug)",
    "url('book', a, b)": "the address 'book' cannot be made with 2 arguments (expected: slug)",
    "url('year', 1, month=2)": (
        "gives an address both positional and keyword arguments, which Django refuses "
        "(name all arguments, or none)"
    ),
    "reverse('boks')": "there is no address named 'boks' (did you mean 'books'?)",
    "reverse('book', args=['a b'])": (
        "the address 'book' cannot be made with the argument 'a b' (expected: slug)"
    ),
    "reverse('book', kwargs={'pk': a})": (
        "the address 'book' cannot be made with the argument pk (expected: slug)"
    ),
}


@pytest.mark.parametrize("call", JINJA2_WRONG)
@pytest.mark.parametrize("form", ["{{ %s }}", "{%% set x = %s %%}", "{{ 'x' ~ %s|upper }}"])
def test_a_call_that_cannot_make_an_address(call, form):
    source = "\n" + form % call
    (problem,) = jinja2_found(source)
    assert said(problem).partition(": ")[2] == f"no-such-url: {JINJA2_WRONG[call]}"
    assert (problem.line, source.splitlines()[1][problem.column - 1 :][: problem.width]) == (
        2,
        call.split("'")[1],
    )
    assert fails_in_stock_jinja2(source, a="a", b="b")


@pytest.mark.parametrize(
    "source",
    [
        "{{ url('books') }}{{ url('book', slug=a) }}{{ url(name) }}{{ url('book', *args) }}",
        "{{ url('boks' ~ a) }}{{ url('book', **kwargs) }}",
        "{{ reverse('boks', urlconf='tests.urls') }}{{ reverse('boks', 'tests.urls') }}",
        "{{ reverse('book', args=args) }}{{ reverse('book', kwargs={a: 1}) }}",
        "{{ lenient('boks') }}{{ with_default('boks') }}{{ of_elsewhere('boks') }}",
        "{{ with_query('book', 'a', query='x') }}",
        "{% set url = f %}{{ url('boks') }}",
        "{% macro url(a) %}{% endmacro %}{{ url('boks') }}",
        "{% macro m(url) %}{{ url('boks') }}{% endmacro %}",
        "{% for url in urls %}{{ url('boks') }}{% endfor %}",
        "{{ other.url('boks') }}{# {{ url('boks') }} #}{% raw %}{{ url('boks') }}{% endraw %}",
    ],
)
def test_what_jinja2_may_make_is_left_alone(source):
    assert jinja2_found(source) == []


@pytest.mark.parametrize(
    ("source", "is_possible"),
    [
        ("{% if use_payments %}{{ url('boks') }}{% endif %}", True),
        ("{{ url('boks') if use_payments }}", True),
        ("{{ settings.payments and url('boks') }}", True),
        ("{% if switch('payments') %}{{ url('boks') }}{% endif %}", True),
        ("{% if user.is_staff %}{{ url('boks') }}{% endif %}", False),
        ("{% if user.can('see') %}{{ url('boks') }}{% endif %}", False),
    ],
)
def test_a_switch_of_the_site_in_jinja2(source, is_possible):
    (problem,) = jinja2_found(source)
    assert problem.is_possible is is_possible


def test_what_a_child_of_jinja2_does_not_write_is_not_asked():
    parent = "{% block a %}{% endblock %}"
    for outside, count in [
        ("{{ url('boks') }}{% if 1 %}{{ url('boks') }}{% endif %}", 0),
        ("{% set x = url('boks') %}", 1),
        ("{% block a %}{{ url('boks') }}{% endblock %}", 1),
    ]:
        templates = {"it.html": "{% extends 'parent.html' %}" + outside, "parent.html": parent}
        site, environment = jinja2_site(templates, GLOBALS)
        urls = SiteUrls(get_resolver())
        found = list(jinja2_link_problems(site, "it.html", environment, urls, None))
        assert len(found) == count
        try:
            environment.get_template("it.html").render()
        except NoReverseMatch:
            assert count
        else:
            assert not count
