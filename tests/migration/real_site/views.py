"""Views as real sites have them."""

from django.shortcuts import get_list_or_404, get_object_or_404, render
from django.urls import path
from django.views.generic import DetailView, ListView

from tests.testapp import models as zoo
from tests.testapp.models import Animal, Place, Region


def animal(request, pk):
    """One object by its model: the call is named, and edited."""
    return render(request, "animal.html", {"animal": get_object_or_404(Animal, pk=pk)})


def place(request, pk):
    """A context that is built step by step; a model under another name, by keyword."""
    context = {"today": 3}
    context["place"] = get_object_or_404(klass=zoo.Place, pk=pk)
    return render(request, "place.html", context)


def visible(region):
    """A helper of the same module."""
    return Animal.objects.filter(home__region=region).order_by("name")


def region(request, pk):
    """One of two templates, of which one extends the base that reads ``region``."""
    region = Region.objects.get(pk=pk)
    name = "region_bare.html" if "bare" in request.GET else "region.html"
    return render(request, name, {"region": region, "animals": visible(region)})


def everything(request):
    """A list, and what tags of the site's own are given."""
    places = get_list_or_404(Place)
    numbers = {"count": len(places), "title": "All"}
    return render(request, "everything.html", {"places": places, "numbers": numbers})


class Animals(ListView):
    """An overridden ``get_queryset()``, whose prefetches are there."""

    template_name = "animals.html"
    context_object_name = "animals"

    def get_queryset(self):
        return Animal.objects.select_related("home").prefetch_related("foods")


class Visitors(ListView):
    """A model and no queryset."""

    model = zoo.Visitor
    template_name = "visitors.html"


class OneFood(DetailView):
    """The same for one object, in a Jinja2 template."""

    model = zoo.Food
    template_name = "food.html"
    template_engine = "jinja2"


urlpatterns = [
    path("animal/<int:pk>/", animal, name="animal"),
    path("place/<int:pk>/", place, name="place"),
    path("region/<int:pk>/", region, name="region"),
    path("everything/", everything, name="everything"),
    path("animals/", Animals.as_view(), name="animals"),
    path("visitors/", Visitors.as_view(), name="visitors"),
    path("food/<str:pk>/", OneFood.as_view(), name="food"),
]
