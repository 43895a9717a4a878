"""A URLconf with each kind of address: namespaces, converters, optional groups, defaults, languages."""

from django.conf.urls.i18n import i18n_patterns
from django.urls import include, path, re_path, register_converter
from django.urls.converters import StringConverter


class FourDigits:
    """A converter of a site, which writes years with four digits."""

    regex = "[0-9]{4}"
    calls = []

    def to_python(self, value):
        return int(value)

    def to_url(self, value):
        FourDigits.calls.append(value)
        return f"{int(value):04d}"


class Colour(StringConverter):
    """A converter that takes over how Django writes texts."""

    regex = "red|blue"


register_converter(FourDigits, "four_digits_of_links")
register_converter(Colour, "colour_of_links")


def view(request, **kwargs):
    """Never called."""
    raise AssertionError


inner = (
    [
        path("", view, name="home"),
        path("<int:pk>/", view, name="thing"),
    ],
    "things",
)
urlpatterns = [
    path("", view, name="start"),
    path("books/", view, name="books"),
    path("books/<slug:slug>/", view, name="book"),
    path("years/<four_digits_of_links:year>/", view, name="year"),
    path("years/<four_digits_of_links:year>/<int:month>/", view, name="year"),
    path("colours/<colour_of_links:colour>/", view, name="colour"),
    path("kinds/<int:pk>/", view, {"kind": "short"}, name="kind"),
    re_path(r"^old/(?P<pk>[0-9]+)/(?:page-(?P<page>[0-9]+)/)?$", view, name="old"),
    re_path(r"^plain/([a-z]+)/$", view, name="plain"),
    path("things/", include(inner)),
    path("others/", include(inner, namespace="others")),
    path("of/<slug:owner>/", include((inner[0], "owned"))),
    path("shelf/<int:shelf>/", include([path("row/", view, name="row")])),
    path("deep/", include(([path("er/", include(inner))], "deep"))),
    *i18n_patterns(path("about/", view, name="about"), prefix_default_language=False),
]
