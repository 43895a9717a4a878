"""The addresses that the pages link to."""

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import path


def nothing(request: HttpRequest, **arguments: object) -> HttpResponse:
    """Stand for a view; nothing here is requested."""
    return HttpResponse()


urlpatterns = [
    path("", nothing, name="home"),
    path("articles/", nothing, name="articles"),
    path("articles/<int:number>/<slug:slug>/", nothing, name="article"),
    path("authors/<slug:slug>/", nothing, name="author"),
    path("topics/<slug:slug>/", nothing, name="topic"),
    path("account/", nothing, name="account"),
    path("admin/", admin.site.urls),
    path("about/", nothing, name="about"),
]
