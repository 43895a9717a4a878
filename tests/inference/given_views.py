"""Views of every kind, for the reading of what they give to their templates."""

from dataclasses import asdict, dataclass
from functools import partial, wraps
from typing import TypedDict

from asgiref.sync import sync_to_async
from django.contrib.auth.decorators import login_required
from django.contrib.auth.mixins import LoginRequiredMixin
from django.contrib.auth.views import LoginView
from django.core.paginator import Paginator
from django.db import models
from django.db.models import Count, Prefetch, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.template import loader
from django.template.response import TemplateResponse
from django.urls import path
from django.views import View, generic

from atemplates import aload, arender, astream, views
from tests.testapp.models import Animal, Region, Species

PAGE = "given/constant.html"
DEFAULTS = {"title": "Zoo", "size": 3}


class AnimalPage(TypedDict):
    animals: QuerySet[Animal]
    count: int


@dataclass
class Summary:
    title: str
    animals: list[Animal]


# -- functions -------------------------------------------------------------------------------------


def steps(request):
    animals = Animal.objects.select_related("home")
    if request.GET.get("q"):
        animals = animals.filter(name=request.GET["q"])
    context = {"animals": animals}
    context["first"] = animals.first()
    context.update({"names": [each.name for each in animals]}, size=len(animals))
    context |= {"user": request.user}
    return render(request, "given/steps.html", context)


def base_context(request):
    return {"region": get_object_or_404(Region, pk=1), **DEFAULTS}


def helper(request):
    context = base_context(request)
    add_animals(context)
    return respond(request, "helper", context)


def add_animals(context):
    context["animals"] = Animal.objects.filter(home=context["region"])


def respond(request, name, context=None):
    return render(request, f"given/{name}.html", context)


def rows(request):
    found = []
    for animal in Animal.objects.annotate(friends_there=Count("friends", filter=request.x)):
        found.append({"animal": animal, "label": f"{animal.name}!"})
    return render(request, PAGE, {"rows": found, "pairs": list(enumerate(found))})


def unpacked(request):
    first, (second, *rest) = 1, ("a", 2.0, None)
    total = 0
    total += 1
    text = "x" if request.GET else None
    return render(request, "given/unpacked.html", locals())  # noqa: DJ003


def typed(request):
    page = AnimalPage(animals=Animal.objects.select_related("home"), count=request.x)
    return render(request, "given/typed.html", page)


def data(request):
    return render(request, "given/data.html", asdict(Summary("x", list(Animal.objects.all()))))


def nothing(request):
    return render(request, "given/nothing.html")


def unknown(request):
    return render(request, "given/unknown.html", {"a": 1, **request.session})


def loaded(request):
    template = loader.get_template("given/loaded.html")
    return HttpResponse(template.render({"page": pages(request)}, request))


def pages(request):
    return Paginator(Animal.objects.order_by("name"), 10).get_page(request.GET.get("page"))


def annotated(request: HttpRequest, pk: int):
    return TemplateResponse(request, "given/annotated.html", {"pk": pk, "who": who(pk)})


def mail():
    return loader.render_to_string("given/annotated.html", {"other": 1})


def who(pk) -> Animal | None:
    return None if pk.x else pk.y


def dispatched(request):
    return {"one": one_kind, "other": other_kind}[request.GET["kind"]](request, {"a": 1})


def one_kind(request, context):
    return render(request, "given/one_kind.html", context | {"b": 2})


def other_kind(request, context):
    return render(request, "given/other_kind.html", {"c": True, **context})


def prefetched(request):
    regions = Region.objects.prefetch_related(
        Prefetch("species", queryset=Animal.home.field.model.objects.none(), to_attr="known")
    ).values("name", total=Count("pk"))
    return render(request, "given/prefetched.html", {"regions": regions})


def rendered_by(template):
    def decorator(view):
        @wraps(view)
        def wrapper(request, *args, **kwargs):
            context = view(request, *args, **kwargs)
            return render(request, template, context) if isinstance(context, dict) else context

        return wrapper

    return decorator


@rendered_by("given/decorated.html")
def decorated(request):
    return {"animal": Animal.objects.get(pk=1)}


@login_required
def private(request):
    return render(request, "given/private.html", {"me": request.user})


def by_default(request, template_name="given/default.html", extra=None):
    context = {"a": 1}
    context.update(extra or {})
    return render(request, template_name, context)


async def loads(request):
    one = await Animal.objects.select_related("home").aget(pk=1)
    region = await sync_to_async(get_object_or_404)(Region, pk=1)
    context = {"one": one, "region": region, "rows": aload(Animal.objects.all())}
    return await arender(request, "given/loads.html", context)


class ScopedManager(models.Manager):
    """As of django-scopes: nobody may ask outside of a scope."""

    def get_queryset(self):
        raise RuntimeError("A scope on dimension(s) event needs to be active for this query.")


in_scope = ScopedManager()
in_scope.model = Species


def scoped(request, pk):
    species = get_object_or_404(in_scope.select_related("region"), pk=pk)
    context = {"species": species, "all": in_scope.filter(hidden=False), "first": in_scope.first()}
    return render(request, "given/scoped.html", context)


def tiles(request, more):
    found = [{"left": 1}]
    found.append({"left": 1, "right": 2})
    context = {"literal": [{"left": 1}], "tiles": found, "extended": [{"left": 1}]}
    context["extended"] += more
    return render(request, "given/tiles.html", context)


def chosen(request, pk):
    one = Species.visible.chosen(pk=pk)
    return render(request, "given/chosen.html", {"one": one, "more": one.filter(pk=1)})


async def sent(request):
    try:
        animal = await Animal.objects.aget(pk=1)
    except Animal.DoesNotExist:
        animal = None
    return await astream(request, "given/sent.html", dict(animal=animal))  # noqa: C408


def raises(request):
    raise ValueError(1 / 0)


# -- classes ---------------------------------------------------------------------------------------


class Rows(generic.ListView):
    model = Animal
    paginate_by = 10
    template_name = "given/list.html"

    def get_queryset(self):
        rows = super().get_queryset().prefetch_related("foods")
        if self.request.GET:
            return rows.filter(name=self.request.GET["q"])
        return rows

    def get_context_data(self, **kwargs):
        context = super().get_context_data(**kwargs)
        context["regions"] = Region.objects.all()
        return context


class OurRows(views.ListView):
    queryset = Animal.objects.select_related("home")
    context_object_name = "animals"
    template_name = "given/our_list.html"

    async def get_context_data(self, **kwargs):
        return {**await super().get_context_data(**kwargs), "title": "x"}


class One(LoginRequiredMixin, generic.DetailView):
    model = Animal
    template_name = "given/one.html"

    def get_context_data(self, **kwargs):
        return super().get_context_data(me=self.request.user, home=self.object.home, **kwargs)


class Edit(generic.UpdateView):
    model = Animal
    fields = ["name"]
    template_name = "given/edit.html"


class Plain(View):
    template_name = "given/plain.html"

    def setup(self, request, *args, **kwargs):
        super().setup(request, *args, **kwargs)
        self.region = Region.objects.get(pk=1)

    def get(self, request):
        return render(request, self.template_name, self.context())

    def context(self):
        return {"region": self.region, "text": self.text}

    @property
    def text(self):
        return "x"


class Static(generic.TemplateView):
    template_name = "given/static.html"


class Choice(generic.TemplateView):
    extra_context = {"a": 1}

    def get_template_names(self):
        return ["given/special.html" if self.request.GET else "given/usual.html"]


urlpatterns = [
    *(
        path(f"{view.__name__}/", view, name=view.__name__)
        for view in (
            *(steps, helper, rows, unpacked, typed, data, nothing, unknown, loaded, dispatched),
            *(
                prefetched,
                decorated,
                private,
                by_default,
                loads,
                chosen,
                scoped,
                sent,
                raises,
                tiles,
            ),
        )
    ),
    path("annotated/<int:pk>/", annotated, name="annotated"),
    path("partial/", partial(by_default, template_name="given/partial.html"), name="partial"),
    path("extra/", by_default, {"template_name": "given/extra.html", "extra": {"b": "x"}}),
    *(
        path(f"{view.__name__}/<int:pk>/", view.as_view(), name=view.__name__)
        for view in (Rows, OurRows, One, Edit, Plain, Static, Choice)
    ),
    path("login/", LoginView.as_view(template_name="given/login.html"), name="login"),
    path("about/", generic.TemplateView.as_view(template_name="given/about.html"), name="about"),
]
