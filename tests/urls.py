"""The addresses of the tests: the demo site's, admin included."""

from django.urls import include, path

urlpatterns = [path("", include("bookshop_site.urls"))]
