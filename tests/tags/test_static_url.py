"""``{% url %}``, ``{% static %}`` and the prefixes."""

import pytest
from django.http import HttpRequest
from django.test import RequestFactory
from django.urls import NoReverseMatch, include, path
from django.urls.resolvers import ResolverMatch

S = "{% load static %}"


def view(request, **kwargs):
    raise AssertionError("never called")


app = ([path("<int:n>/", view, name="page"), path("", view, name="index")], "app")
urlpatterns = [
    path("", view, name="home"),
    path("item/<int:n>/", view, name="item"),
    path("two/<str:a>/<str:b>/", view, name="two"),
    path("app/", include(app, namespace="app")),
    path("other/", include(app, namespace="other")),
]


@pytest.fixture(autouse=True)
def urls(settings):
    settings.ROOT_URLCONF = __name__
    settings.MEDIA_URL = "/media/"


@pytest.mark.parametrize(
    ("source", "output"),
    [
        ("{% url 'home' %}", "/"),
        ("{% url name %}", "/"),
        ("{% url 'item' 5 %}", "/item/5/"),
        ("{% url 'item' n=obj.pk %}", "/item/7/"),
        ("{% url 'item' obj.pk|add:1 %}", "/item/8/"),
        ("{% url 'two' a='x y' b=amp %}", "/two/x%20y/&amp;/"),
        ("{% url 'two' 'x' obj.call %}", "/two/x/called/"),
        ("{% autoescape off %}{% url 'two' 'x' amp %}{% endautoescape %}", "/two/x/&/"),
        ("{% url 'home' as u %}[{{ u }}]", "[/]"),
        ("{% url 'nowhere' as u %}[{{ u }}]", "[]"),
        ("{% url 'item' 'x' as u %}[{{ u }}]", "[]"),
        ("{% url 'app:page' 1 %}{% url 'other:page' 1 %}", "/app/1//other/1/"),
        ("{% for n in numbers %}{% url 'item' n %}{% endfor %}", "/item/1//item/2/"),
        (
            ("{% for n in numbers %}{% url 'item' n as u %}{{ u }}{% endfor %}[{{ u }}]"),
            "/item/1//item/2/[]",
        ),
        ("{% with n=3 %}{% url 'item' n %}{% url 'item' n=n %}{% endwith %}", "/item/3//item/3/"),
        ("{% if 1 %}{% url 'home' %}{% endif %}", "/"),
    ],
)
def test_url(render, source, output):
    class Obj:
        pk = 7

        def call(self):
            return "called"

    context = {"name": "home", "obj": Obj(), "amp": "&", "numbers": [1, 2]}
    assert render(source, context) == output


@pytest.mark.parametrize(
    "source",
    [
        "{% url 'nowhere' %}",
        "{% url '' %}",
        "{% url missing %}",
        "{% url 'item' 'x' %}",
        "{% url 'item' missing %}",
        "{% url 'item' n='x' %}",
        "{% url 'nope:page' 1 %}",
        "{% for x in 'a' %}\n{% url 'nowhere' x %}{% endfor %}",
    ],
)
def test_no_match(render, source):
    with pytest.raises(NoReverseMatch):
        render("a\n" + source)


def test_an_argument_whose_filter_fails(render):
    outcome = render.outcome("a\n{% url 'item' 'x'|cut:missing %}")
    assert type(outcome.error).__name__ == "VariableDoesNotExist"
    outcome = render.outcome("{% url 'item' 'x'|cut:missing as u %}")
    assert type(outcome.error).__name__ == "VariableDoesNotExist"


@pytest.mark.parametrize("kind", ["current_app", "resolver_match", "none"])
def test_the_current_app_of_the_request(render, kind):
    request = RequestFactory().get("/")
    if kind == "current_app":
        request.current_app = "other"
    elif kind == "resolver_match":
        request.resolver_match = ResolverMatch(view, (), {}, namespaces=["other"])
    output = render("{% url 'app:index' %}", request=request)
    assert output == ("/app/" if kind == "none" else "/other/")


@pytest.mark.parametrize(
    ("source", "output"),
    [
        ("{% static 'a.css' %}", "/static/a.css"),
        ("{% static name %}", "/static/n%26.css"),
        ("{% static 'a b&c.css' %}", "/static/a%20b%26c.css"),
        ("{% static 'a.css' as s %}[{{ s }}]", "[/static/a.css]"),
        ("{% static name|upper %}", "/static/N%26.CSS"),
        ("{% for f in files %}{% static f %}{% endfor %}", "/static/x/static/y"),
        (
            ("{% for f in files %}{% static f as s %}{{ s }}{% endfor %}[{{ s }}]"),
            "/static/x/static/y[]",
        ),
        ("{% with f='z' %}{% static f %}{% endwith %}", "/static/z"),
        ("{% get_static_prefix %}{% get_media_prefix %}", "/static//media/"),
        (
            ("{% get_static_prefix as p %}{{ p }}{% get_media_prefix as m %}{{ m }}"),
            "/static//media/",
        ),
        ("{% autoescape off %}{% static 'a&b' %}{% endautoescape %}", "/static/a%26b"),
    ],
)
def test_static(render, source, output):
    assert render(S + source, {"name": "n&.css", "files": "xy"}) == output


def test_static_asks_the_storage(render, settings):
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": f"{__name__}.Versioned"},
    }
    assert render(S + "{% static 'a.css' %}{% static 'a.css' as s %}{{ s }}") == "/v1/a.css" * 2


class Versioned:
    def url(self, path):
        return f"/v1/{path}"


class TestAwaitables:
    def test_arguments(self, render):
        async def value(result):
            return result

        source = S + "{% url name n=n %}{% static file %}{% url name n as u %}{{ u }}"
        output = render(
            source,
            lambda: {"name": value("item"), "n": value(5), "file": value("f")},
            stock={"name": "item", "n": 5, "file": "f"},
            waits=3,
        )
        assert output == "/item/5//static/f/item/5/"


def test_a_request_without_anything(render):
    assert render("{% url 'home' %}", request=HttpRequest()) == "/"
