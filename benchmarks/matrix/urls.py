"""The addresses that the matrix links to."""

from django.http import HttpRequest, HttpResponse
from django.urls import path


def nothing(request: HttpRequest, pk: int = 0) -> HttpResponse:
    """Answer nothing: only the address counts."""
    return HttpResponse()


urlpatterns = [
    path("", nothing, name="matrix-home"),
    path("item/<int:pk>/", nothing, name="matrix-item"),
]
