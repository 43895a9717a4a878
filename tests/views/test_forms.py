"""Forms that ask the database: choices, unique fields, formsets and inline formsets."""

import threading

import pytest
from asgiref.sync import sync_to_async
from django import forms
from django.contrib.auth.models import Group, User
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpResponseRedirect
from django.views import generic

from atemplates import views
from tests.testapp.models import Region, Species
from tests.views import site
from tests.views.asking import ask, without_savepoints

pytestmark = pytest.mark.usefixtures("filled")

Regions = forms.modelformset_factory(Region, fields=["name", "parent"], extra=1)
Parts = forms.inlineformset_factory(Region, Region, fields=["name"], extra=1)
ROWS = {
    "form-TOTAL_FORMS": "2",
    "form-INITIAL_FORMS": "1",
    "form-0-id": "1",
    "form-0-name": "renamed",
    "form-1-name": "added",
    "form-1-parent": "2",
}
PARTS = {"parts-TOTAL_FORMS": "1", "parts-INITIAL_FORMS": "0", "parts-0-name": "part"}


class GroupForm(forms.ModelForm):
    """Unique names, a choice of rows, and a rule of its own that asks."""

    class Meta:
        model = Group
        fields = ["name", "permissions"]

    def clean(self):
        if User.objects.filter(username=self.cleaned_data.get("name")).exists():
            raise ValidationError("A user has that name.")
        return super().clean()


def views_of(generic):
    class Unique(generic.CreateView):
        form_class = GroupForm
        model = Group
        success_url = "/made/{name}/"

    class Formset(generic.FormView):
        success_url = "/done/"

        def get_form(self, form_class=None):
            kwargs = self.get_form_kwargs()
            del kwargs["initial"]
            return Regions(**kwargs, queryset=Region.objects.filter(pk=1))

        @transaction.atomic
        def form_valid(self, form):
            form.save()
            return super().form_valid(form)

    class Inline(generic.UpdateView):
        model = Region
        fields = ["name"]
        success_url = "/changed/{id}/"

        def get_context_data(self, **kwargs):
            if self.request.method == "POST":
                kwargs.setdefault("extra", Parts(self.request.POST, instance=self.object))
            else:
                kwargs["extra"] = Parts(instance=self.object)
            return super().get_context_data(**kwargs)

        def form_valid(self, form):
            parts = self.get_context_data(form=form)["extra"]
            if not parts.is_valid():
                return self.form_invalid(form)
            with transaction.atomic():
                self.object = form.save()
                parts.save()
            return HttpResponseRedirect(self.get_success_url())

    found = {name: each for name, each in locals().items() if isinstance(each, type)}
    for each in found.values():
        each.template_name = "page.html"
    return found


STOCK, OURS = views_of(generic), views_of(views)
CASES = [
    ("Unique", site.Asked("get", {})),
    ("Unique", site.Asked("post", {}, {"name": "new"})),
    ("Unique", site.Asked("post", {}, {"name": "taken"})),
    ("Unique", site.Asked("post", {}, {"name": "ann"})),
    ("Unique", site.Asked("post", {}, {"name": "new", "permissions": ["1", "999999"]})),
    ("Formset", site.Asked("get", {})),
    ("Formset", site.Asked("post", {}, ROWS)),
    ("Formset", site.Asked("post", {}, {**ROWS, "form-1-parent": "999999"})),
    ("Formset", site.Asked("post", {}, {**ROWS, "form-0-name": ""})),
    ("Inline", site.Asked("get", {"pk": 1})),
    ("Inline", site.Asked("post", {"pk": 1}, {"name": "renamed", **PARTS})),
    (
        "Inline",
        site.Asked("post", {"pk": 1}, {"name": "renamed", **PARTS, "parts-0-name": "x" * 99}),
    ),
    ("Inline", site.Asked("post", {"pk": 1}, {"name": "", **PARTS})),
]


@pytest.mark.parametrize("asgi", [True, False], ids=["asgi", "wsgi"])
@pytest.mark.parametrize("number", range(len(CASES)))
def test_the_same_as_in_djangos_views(number, asgi):
    Group.objects.create(name="taken")
    name, asked = CASES[number]
    stock = ask(STOCK[name].as_view(), asked, asgi=False)
    ours = ask(OURS[name].as_view(), asked, asgi=asgi)
    assert not stock.error
    sent, expected = without_savepoints(ours.queries), without_savepoints(stock.queries)
    stock.queries = ours.queries = []
    assert ours == stock
    assert len(sent) <= len(expected)


@pytest.mark.parametrize("colour", ["def", "async def"])
@pytest.mark.parametrize("answer", ["valid", "invalid"])
async def test_a_form_is_made_cleaned_and_saved_once_and_in_the_thread(colour, answer, rf):
    seen = []

    class Noting(forms.ModelForm):
        class Meta:
            model = Species
            fields = ["name"]

        def __init__(self, *args, **kwargs):
            seen.append(("made", threading.current_thread()))
            super().__init__(*args, **kwargs)

        def clean_name(self):
            seen.append(("cleaned", threading.current_thread()))
            if answer == "invalid":
                raise ValidationError("no")
            return self.cleaned_data["name"]

        def save(self):
            seen.append(("saved", threading.current_thread()))
            return super().save()

    class Create(views.CreateView):
        form_class = Noting
        model = Species
        success_url = "/"

        if colour == "def":

            def form_valid(self, form):
                return super().form_valid(form)

            def form_invalid(self, form):
                return super().form_invalid(form)

        else:

            async def form_valid(self, form):
                return await super().form_valid(form)

            async def form_invalid(self, form):
                return await super().form_invalid(form)

    response = await Create.as_view()(rf.post("/", {"name": "n"}))
    assert response.status_code == {"valid": 302, "invalid": 200}[answer]
    own = await sync_to_async(threading.current_thread)()
    steps = ["made", "cleaned"] + ["saved"] * (answer == "valid")
    assert seen == [(step, own) for step in steps]
