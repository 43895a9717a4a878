"""Forms look the same with our renderer, wherever they are rendered."""

import pytest
from django import forms
from django.contrib.auth.models import Group
from django.forms.renderers import get_default_renderer
from django.template import engines

from atemplates.forms import DjangoTemplates


class ContactForm(forms.Form):
    """Fields of several kinds, one of which fails."""

    name = forms.CharField(help_text="<b>Yours</b>")
    size = forms.ChoiceField(choices=[("Groups", [("a", "A & B")]), ("c", "C")])
    kinds = forms.MultipleChoiceField(
        choices=[("x", "X"), ("y", "Y")], widget=forms.CheckboxSelectMultiple
    )
    when = forms.SplitDateTimeField(required=False)
    secret = forms.CharField(widget=forms.HiddenInput, initial='"quoted"')


class GroupForm(forms.Form):
    """A form whose choices are in the database."""

    group = forms.ModelChoiceField(Group.objects.order_by("name"))


SOURCES = [
    "{{ form }}",
    "{{ form.as_p }}{{ form.as_table }}{{ form.as_ul }}{{ form.as_div }}",
    "{% for field in form %}{{ field.label_tag }}{{ field }}{{ field.errors }}{% endfor %}",
    "{{ form.errors }}{{ form.name.as_field_group }}{{ form.kinds.0 }}",
]


@pytest.mark.parametrize("source", SOURCES)
async def test_forms_look_the_same(source):
    template = engines["django"].from_string(source)
    data = {"size": "zzz", "when_0": "never"}
    expected = template.render({"form": ContactForm(data)})
    assert "zzz" in expected
    ours = {"form": ContactForm(data, renderer=DjangoTemplates())}
    assert template.render(ours) == expected
    assert await template.render_async(ours) == expected


@pytest.mark.django_db
async def test_choices_that_are_in_the_database():
    await Group.objects.acreate(name="Readers & writers")
    template = engines["django"].from_string("{{ form }}")
    html = await template.render_async({"form": GroupForm(renderer=DjangoTemplates())})
    assert ">Readers &amp; writers</option>" in html


def test_the_setting(settings):
    settings.FORM_RENDERER = "atemplates.forms.DjangoTemplates"
    assert type(get_default_renderer()) is DjangoTemplates
    assert "<input" in str(ContactForm())
