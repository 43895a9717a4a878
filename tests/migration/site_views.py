"""Views for the analysis, in each way that it can read."""

from django.contrib.auth import get_user_model
from django.core.paginator import Paginator
from django.shortcuts import aget_object_or_404, get_object_or_404, render
from django.template.response import TemplateResponse
from django.urls import include, path
from django.views.generic import DetailView, ListView

from atemplates import arender
from tests.testapp.models import Animal, Region


def rows(request):
    animals = Animal.objects.filter(weight__gt=request.GET["weight"]).order_by("name")
    return render(request, "zoo/list.html", {"animals": animals})


async def loaded(request):
    animals = Animal.objects.select_related("home__region").prefetch_related("foods", "species")
    return await arender(request, "zoo/list.html", {"animals": animals})


async def one(request, pk):
    context = {"title": "x"}
    context["animal"] = await aget_object_or_404(Animal, pk=pk)
    return await arender(request, "zoo/one.html", context)


def page(request):
    pages = Paginator(Animal.objects.all(), 10)
    context = {}
    context.update({"page": pages.get_page(request.GET.get("page"))})
    return TemplateResponse(request, "zoo/page.html", context)


def queries(request):
    region = get_object_or_404(Region.objects.select_related("parent"), pk=1)
    return render(request, ["zoo/region.html", "zoo/other.html"], {"region": region})


def people(request):
    User = get_user_model()
    context = {"people": User.objects.all(), "staff": get_user_model().objects.filter(is_staff=1)}
    return render(request, "zoo/people.html", context)


class Animals(ListView):
    model = Animal
    template_name = "zoo/generic.html"
    context_object_name = "animals"


class OneAnimal(DetailView):
    queryset = Animal.objects.select_related("home")
    template_name = "zoo/one.html"


inner = [path("one/<int:pk>/", one, name="one")]
urlpatterns = [
    path("rows/", rows, name="rows"),
    path("loaded/", loaded, name="loaded"),
    path("zoo/", include((inner, "zoo"))),
    path("page/", page, name="page"),
    path("people/", people, name="people"),
    path("region/", queries),
    path("animals/", Animals.as_view(), name="animals"),
    path("animal/", OneAnimal.as_view(), name="animal"),
]
