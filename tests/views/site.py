"""One site made twice: of Django's generic views, and of ours with only the import changed.

`generic_views(module)` gives the classes, by names that say what they are for; `REQUESTS` what is
asked of each.
"""

from __future__ import annotations

import datetime
from types import ModuleType
from typing import Any, NamedTuple

from django import forms
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.core.management.color import no_style
from django.db import connection

from tests.testapp.models import Region, Species

DAY = datetime.datetime(2024, 2, 29, 12, tzinfo=datetime.UTC)
PAGE = (
    "{{ view.kwargs|length }} {{ user }} {{ page_obj.number }}/{{ paginator.num_pages }}"
    " {% for each in object_list %}{{ each }} {{ each.parent.name }};{% empty %}none{% endfor %}"
    " {{ object }} {{ object.parent.name }} {{ form.as_p }} {{ extra }}"
    " {{ date_list|length }} {{ year }}{{ month }}{{ week }}{{ day }}"
    " {{ next_year }}{{ next_month }}{{ next_week }}{{ next_day }}"
    " {{ previous_year }}{{ previous_month }}{{ previous_week }}{{ previous_day }}"
)


class Asked(NamedTuple):
    """A request: its method, the arguments of the address, the query or the data."""

    method: str
    kwargs: dict[str, Any]
    data: dict[str, Any] = {}


class RegionForm(forms.ModelForm):
    """Asks the database when it is made, when it is validated, and when it is saved."""

    class Meta:
        model = Region
        fields = ["name", "parent"]

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        if Region.objects.exclude(pk=self.instance.pk).filter(name=name).exists():
            raise ValidationError("There is such a region.")
        return name


class SearchForm(forms.Form):
    """A form whose choices are in the database."""

    region = forms.ModelChoiceField(Region.objects.all())


TEMPLATES = [
    {
        "BACKEND": "atemplates.engines.django.DjangoTemplates",
        "OPTIONS": {
            "loaders": [("django.template.loaders.locmem.Loader", {"page.html": PAGE})],
            "context_processors": ["django.contrib.auth.context_processors.auth"],
        },
    }
]


def generic_views(generic: ModuleType) -> dict[str, type[Any]]:
    """A view of each kind, of the classes in ``generic``, whose template is ``page.html``."""

    class Plain(generic.TemplateView):
        extra_context = {"extra": "e"}

    class Redirect(generic.RedirectView):
        url = "/to/%(pk)s/"
        query_string = True

    class List(generic.ListView):
        model = Region

    class Pages(generic.ListView):
        queryset = Region.objects.order_by("name")
        paginate_by = 2
        paginate_orphans = 1
        allow_empty = False
        ordering = "-name"

    class NonEmpty(generic.ListView):
        queryset = Species.everything.none()
        allow_empty = False

    class Items(generic.ListView):
        queryset = ["a", "b", "c"]
        paginate_by = 2

    class Detail(generic.DetailView):
        model = Region
        slug_field = "name"

    class Form(generic.FormView):
        form_class = SearchForm
        success_url = "/done/"
        initial = {"region": 1}

    class Create(generic.CreateView):
        form_class = RegionForm
        model = Region
        success_url = "/made/{name}/"

    class Update(generic.UpdateView):
        model = Region
        fields = ["name", "parent"]
        success_url = "/changed/{id}/"

    class Delete(generic.DeleteView):
        model = Region
        success_url = "/deleted/{id}/"

    class Index(generic.ArchiveIndexView):
        model = User
        date_field = "date_joined"

    class Year(generic.YearArchiveView):
        model = User
        date_field = "date_joined"
        make_object_list = True

    class Month(generic.MonthArchiveView):
        model = User
        date_field = "date_joined"
        month_format = "%m"

    class Week(generic.WeekArchiveView):
        model = User
        date_field = "date_joined"

    class Day(generic.DayArchiveView):
        model = User
        date_field = "date_joined"
        month_format = "%m"
        allow_empty = True

    class Today(generic.TodayArchiveView):
        model = User
        date_field = "date_joined"

    class DateDetail(generic.DateDetailView):
        model = User
        date_field = "date_joined"
        month_format = "%m"

    found = {name: each for name, each in locals().items() if isinstance(each, type)}
    for each in found.values():
        if hasattr(each, "template_name"):
            each.template_name = "page.html"
    return found


DATE = {"year": 2024, "month": "02", "day": 29}
REQUESTS: dict[str, list[Asked]] = {
    "Plain": [Asked("get", {}), Asked("get", {"name": "n"}), Asked("head", {}), Asked("post", {})],
    "Redirect": [
        Asked("get", {"pk": 1}, {"a": "b"}),
        *(Asked(method, {"pk": 1}) for method in ("post", "head", "options", "delete", "put")),
    ],
    "List": [Asked("get", {}), Asked("options", {}), Asked("put", {})],
    "Pages": [
        *(Asked("get", {}, {"page": page}) for page in ("1", "2", "last", "3", "0", "x", "")),
        Asked("get", {"page": 2}),
    ],
    "NonEmpty": [Asked("get", {})],
    "Items": [Asked("get", {}), Asked("get", {}, {"page": "2"}), Asked("get", {}, {"page": "9"})],
    "Detail": [
        *(Asked("get", kwargs) for kwargs in ({"pk": 2}, {"slug": "north"}, {"pk": 999})),
        *(Asked("get", kwargs) for kwargs in ({"slug": "none"}, {})),
        Asked("head", {"pk": 2}),
    ],
    "Form": [Asked("get", {}), Asked("post", {}, {"region": 1}), Asked("post", {}, {"region": 99})],
    "Create": [
        Asked("get", {}),
        Asked("post", {}, {"name": "new", "parent": 1}),
        Asked("post", {}, {"name": "north"}),
        Asked("post", {}, {"name": "", "parent": 99}),
        Asked("put", {}, {"name": "put"}),
    ],
    "Update": [
        Asked("get", {"pk": 2}),
        Asked("post", {"pk": 2}, {"name": "renamed"}),
        Asked("post", {"pk": 2}, {"name": ""}),
        Asked("post", {"pk": 999}, {"name": "x"}),
    ],
    "Delete": [
        Asked("get", {"pk": 2}),
        Asked("post", {"pk": 2}),
        Asked("delete", {"pk": 2}),
        Asked("post", {"pk": 999}),
    ],
    "Index": [Asked("get", {})],
    "Year": [Asked("get", {"year": 2024}), Asked("get", {"year": 1999}), Asked("get", {})],
    "Month": [Asked("get", {"year": 2024, "month": "02"}), Asked("get", {"year": 1, "month": "x"})],
    "Week": [Asked("get", {"year": 2024, "week": 8}), Asked("get", {"year": 2024, "week": 60})],
    "Day": [
        Asked("get", DATE),
        Asked("get", {**DATE, "day": 1}),
        Asked("get", {**DATE, "day": 31}),
    ],
    "Today": [Asked("get", {})],
    "DateDetail": [Asked("get", {**DATE, "pk": 1}), Asked("get", {**DATE, "day": 1, "pk": 1})],
}
CASES = [
    (name, asked, f"{name}-{number}")
    for name, requests in REQUESTS.items()
    for number, asked in enumerate(requests)
]


def fill() -> None:
    """What the requests ask for."""
    north = Region.objects.create(pk=1, name="north")
    for number, name in enumerate(("east", "south", "west", "up")):
        Region.objects.create(pk=2 + number, name=name, parent=north if number % 2 else None)
    User.objects.create(pk=1, username="ann", date_joined=DAY)
    User.objects.create(pk=2, username="bob", date_joined=DAY + datetime.timedelta(days=400))
    # PostgreSQL does not count rows that come with a key.
    with connection.cursor() as cursor:
        for statement in connection.ops.sequence_reset_sql(no_style(), [Region, User]):
            cursor.execute(statement)
