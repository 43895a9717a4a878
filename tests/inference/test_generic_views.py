"""What the source of a generic view says that its template gets, in Django's classes and in ours."""

from pathlib import Path
from types import ModuleType

import pytest
from django.urls import path
from django.views import generic

from atemplates import views
from atemplates.inference.views import read_views
from tests.testapp.models import Animal

LINES = Path(__file__).read_text(encoding="utf-8").splitlines()


def of(module):
    class Attribute(module.ListView):
        queryset = Animal.objects.select_related("home")
        paginate_by = 2

    class Model(module.ListView):
        model = Animal
        context_object_name = "animals"

    class Sync(module.ListView):
        model = Animal

        def get_queryset(self):
            return Animal.objects.prefetch_related("foods")

    class Async(module.ListView):
        model = Animal

        async def get_queryset(self):
            animals = Animal.objects.prefetch_related("foods")
            return animals

    class Dynamic(module.ListView):
        model = Animal

        def get_queryset(self):
            return super().get_queryset().filter(name=self.request.GET["name"])

    class Branches(module.ListView):
        model = Animal

        def get_queryset(self):
            if self.request.GET:
                return Animal.objects.all()
            return Animal.objects.select_related("home")

    class One(module.DetailView):
        template_name = "one.html"

        def get_queryset(self):
            return Animal.objects.select_related("home")

    class Unknown(module.DetailView):
        def get_queryset(self):
            return find(self)

    return {name: each for name, each in locals().items() if isinstance(each, type)}


def find(view):
    return view.kwargs["animals"]


def shown_by(view_class):
    """What the view at an address of its own gives to the first template that it names."""
    urls = ModuleType("urls")
    urls.urlpatterns = [path("<int:pk>/", view_class.as_view(), name="it")]
    site = read_views(urls)
    assert site.problems == []
    return [each for each in site.renderings if each.view == "it"]


@pytest.mark.parametrize("module", [generic, views])
@pytest.mark.parametrize(
    ("name", "names", "loads", "shapes", "certain", "written"),
    [
        (
            "Attribute",
            {"animal_list", "object_list", "page_obj"},
            ("home",),
            "rows page",
            True,
            True,
        ),
        ("Model", {"animals", "object_list"}, (), "rows", True, True),
        ("Sync", {"animal_list", "object_list"}, ("foods",), "rows", True, True),
        ("Async", {"animal_list", "object_list"}, ("foods",), "rows", True, True),
        ("Dynamic", {"animal_list", "object_list"}, (), "rows", True, True),
        ("Branches", {"animal_list", "object_list"}, (), "rows", False, False),
        ("One", {"animal", "object"}, ("home",), "row", True, True),
    ],
)
def test_the_variables_of_a_view(module, name, names, loads, shapes, certain, written):
    rendering = shown_by(of(module)[name])[0]
    assert rendering.template == ("one.html" if name == "One" else "testapp/animal_list.html")
    loaded = rendering.loaded
    assert rendering.is_complete
    assert loaded.keys() == names
    assert {data.shape for data in loaded.values()} == set(shapes.split())
    assert {data.loads for data in loaded.values()} == {loads}
    assert {data.certain for data in loaded.values()} == {certain}
    assert rendering.file == __file__
    assert f"class {name}(" in LINES[rendering.line - 1]
    for data in loaded.values():
        assert (data.expression is not None) is written
        if written:
            assert data.file == __file__
            place = data.expression
            start = "Animal" if data.form == "attribute" else "Animal.objects"
            assert LINES[place.lineno - 1][place.col_offset :].startswith(start)
            assert len(LINES[place.end_lineno - 1]) == place.end_col_offset


@pytest.mark.parametrize("module", [generic, views])
def test_nothing_of_a_view_that_cannot_be_told(module):
    assert all(not each.loaded for each in shown_by(of(module)["Unknown"]))
    assert shown_by(module.ListView) == []
