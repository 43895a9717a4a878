"""A bound form that the template is first to validate reads as in a thread, whoever asked first."""

import pytest
from asgiref.sync import sync_to_async
from django import forms
from django.contrib.auth.models import Group
from django.template import Context

from atemplates.engines.django import arender_template, render_template
from atemplates.runtime.policy import Policy
from tests.rendering import parse, precompiled


class GroupForm(forms.Form):
    name = forms.CharField()
    group = forms.ModelChoiceField(Group.objects.all(), required=False)


class Holder:
    """As a wizard or a crispy helper: has a form, and asks it."""

    def __init__(self, form):
        self.form = form

    @property
    def errors(self):
        return self.form.errors

    @property
    def is_fine(self):
        try:
            return self.form.is_valid()
        except Exception:
            return "unknown"


SOURCES = [
    "{% for field in form %}{{ field.errors }}{% endfor %}|{{ form.is_valid }}",
    "{{ form.errors }}|{{ form.is_valid }}",
    "{{ form.group.errors }}|{{ form.is_valid }}",
    "{{ field.errors }}|{{ form.is_valid }}",
    "{% if form.is_valid %}valid{% endif %}{{ form.errors }}",
    "{{ holder.errors }}|{{ form.is_valid }}",
    "{{ holder.is_fine }}|{{ form.errors }}",
    "{{ holder.holder.is_fine }}|{{ form.errors }}",
]


@pytest.mark.parametrize("policy", [Policy(), Policy(trusted_after=0)])
@pytest.mark.parametrize("source", SOURCES)
async def test_a_wrong_choice(transactional_db, source, policy):
    """After many forms that asked for nothing, so that all of their code had been trusted."""
    template = precompiled(parse(source, policy=policy))

    def context(**data):
        form = GroupForm({"name": "x", **data})
        holder = Holder(form)
        holder.holder = Holder(form)
        return Context({"form": form, "field": form["group"], "holder": holder})

    async def both(**data):
        ours = await arender_template(template, await sync_to_async(context)(**data))
        stock = await sync_to_async(lambda: render_template(template, context(**data)))()
        return ours, stock

    for _ in range(12):
        ours, stock = await both()
        assert ours == stock
        assert "True" in ours or "valid" in ours
    ours, stock = await both(group="99")
    assert ours == stock
    assert "Select a valid choice" in ours
