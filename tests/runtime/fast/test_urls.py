"""Addresses are Django's: every kind of pattern, prefix, language and argument."""

import types
from typing import Any

import pytest
from django.conf.urls.i18n import i18n_patterns
from django.http import HttpResponse
from django.urls import include, path, re_path, register_converter, set_script_prefix, set_urlconf
from django.urls import reverse as stock_reverse
from django.urls.converters import REGISTERED_CONVERTERS
from django.utils import translation
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy

from atemplates.runtime.ambient import Ambient
from atemplates.runtime.fast import urls


class EvenConverter:
    """Takes even numbers only."""

    regex = "[0-9]+"

    def to_python(self, value: str) -> int:
        return int(value)

    def to_url(self, value: Any) -> str:
        if value % 2:
            raise ValueError("odd")
        return str(value)


if "even" not in REGISTERED_CONVERTERS:
    register_converter(EvenConverter, "even")


def view(request: Any, **arguments: Any) -> HttpResponse:
    """Stand for a view."""
    return HttpResponse()


inner = ([path("<int:pk>/", view, name="thing")], "inner")
patterns = [
    path("", view, name="home"),
    path("100%/", view, name="percent"),
    path("plain/<str:name>/", view, name="plain"),
    path("numbers/<int:a>/<int:b>/", view, name="numbers"),
    path("even/<even:number>/", view, name="several"),
    path("any/<int:number>/", view, name="several"),
    path("default/", view, {"page": 1}, name="default"),
    path("default/<int:page>/", view, name="default"),
    path("deep/<path:rest>", view, name="deep"),
    path("uuid/<uuid:key>/", view, name="uuid"),
    re_path(r"^old/(\d+)/(\w+)/$", view, name="old"),
    re_path(r"^named/(?P<year>[0-9]{4})/$", view, name="named"),
    re_path(r"^optional/(?:page-(?P<page>\d+)/)?$", view, name="optional"),
    path("inner/", include(inner)),
    path("outer/<slug:slug>/", include([path("x/<int:pk>/", view, name="nested")])),
    path("//slashes/", view, name="slashes"),
    path("view/", view),
    *i18n_patterns(
        path(gettext_lazy("Search"), view, name="search"), prefix_default_language=False
    ),
]
module: Any = types.ModuleType("tests.reversing_urls")
module.urlpatterns = patterns

VIEWS = [
    *("home", "percent", "plain", "numbers", "several", "default", "deep", "uuid", "old", "named"),
    *("optional", "inner:thing", "nested", "slashes", "search", "missing", "no:such", view, None),
    SafeString("numbers"),
]
ARGUMENTS: list[tuple[tuple[Any, ...], dict[str, Any]]] = [
    ((), {}),
    ((3,), {}),
    ((4,), {}),
    ((1, 2), {}),
    (("a b",), {}),
    (("é/ü",), {}),
    (("a/b",), {}),
    (("%s",), {}),
    (("",), {}),
    ((True,), {}),
    ((None,), {}),
    ((1.0,), {}),
    ((SafeString("x&y'z"),), {}),
    (("2024",), {}),
    ((12, "word"), {}),
    ((), {"a": 1, "b": 2}),
    ((), {"b": 1, "a": 2}),
    ((), {"number": 3}),
    ((), {"number": 4}),
    ((), {"page": 1}),
    ((), {"page": 2}),
    ((), {"name": "x"}),
    ((), {"year": "2024"}),
    ((), {"slug": "s", "pk": 5}),
    ((), {"other": 1}),
    ((1,), {"b": 2}),
]


@pytest.fixture(autouse=True)
def urlconf() -> Any:
    """The patterns above, as the URLconf of a request."""
    set_urlconf(module)
    yield
    set_urlconf(None)
    set_script_prefix("/")


def outcome(function: Any, *args: Any, **kwargs: Any) -> Any:
    """Return the address, or the exception's type and text."""
    try:
        return function(*args, **kwargs)
    except Exception as error:
        return type(error), str(error)


@pytest.mark.parametrize("prefix", ["/", "/app/", "/100%.*/", "//x/"])
@pytest.mark.parametrize("view_name", VIEWS, ids=lambda name: getattr(name, "__name__", str(name)))
def test_addresses_are_djangos(view_name, prefix):
    set_script_prefix(prefix)
    for args, kwargs in ARGUMENTS:
        for language in ("en-us", "de"):
            with translation.override(language):
                expected = outcome(stock_reverse, view_name, args=args, kwargs=kwargs)
                ambient = Ambient()
                for _ in range(2):  # found, then remembered
                    ours = outcome(urls.reverse, ambient, view_name, args, kwargs, None)
                    assert ours == expected, (args, kwargs, language)


def test_what_is_remembered_belongs_to_its_surroundings():
    """The same name and argument, in another language, under another prefix, elsewhere."""
    other: Any = types.ModuleType("tests.other_urls")
    other.urlpatterns = [path("elsewhere/", view, name="search")]
    found = []
    ambient = Ambient()
    for urlconf, prefix, language in [
        (module, "/", "en-us"),
        (module, "/", "de"),
        (module, "/x/", "de"),
        (other, "/x/", "de"),
        (module, "/", "en-us"),
    ]:
        set_urlconf(urlconf)
        set_script_prefix(prefix)
        with translation.override(language):
            found.append(urls.reverse(ambient, "search", (), {}, None))
    assert len(set(found)) == 4
    assert found[0] == found[4]


def test_few_routes_are_remembered(monkeypatch):
    monkeypatch.setattr(urls, "MOST_ROUTES", 3)
    monkeypatch.setattr(urls, "routes", {})
    ambient = Ambient()
    for number in range(10):
        url = urls.reverse(ambient, "plain", (f"n{number}",), {}, None)
        assert url == f"/plain/n{number}/"
        outcome(urls.reverse, ambient, f"missing{number}", (), {}, None)
        assert len(urls.routes) <= 3
