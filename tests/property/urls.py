"""Addresses for the ``{% url %}`` of generated templates."""

from django.http import HttpResponse
from django.urls import path


def page(request, item=""):
    return HttpResponse(item)


urlpatterns = [
    path("page/", page, name="property-page"),
    path("item/<item>/", page, name="property-item"),
]
