"""Names that templates look up on querysets and instances, where less is asked than usual."""

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import Group
from django.db.models import QuerySet
from django.template import Context, Engine

from atemplates.engines.django import arender_template, render_template
from atemplates.relations.models import is_plain_key

pytestmark = pytest.mark.django_db


class Named(QuerySet):
    """Gives something for a text, which Django's own refuses."""

    def __getitem__(self, key):
        return f"<{key}>" if isinstance(key, str) else super().__getitem__(key)


class Plain(QuerySet):
    """Has a property, and Django's own way to give rows."""

    second = property(lambda self: self[1])


SOURCE = "{{ rows.first }}|{{ rows.0 }}|{{ rows.count }}|{{ rows.second }}|{{ rows.absent }}"


@pytest.mark.parametrize("kind", [Named, Plain, QuerySet])
async def test_a_queryset_is_asked_for_names_where_it_may_know_them(kind):
    for name in ("Ada", "Bo"):
        await Group.objects.acreate(name=name)
    template = Engine(string_if_invalid="?").from_string(SOURCE)

    def context():
        return Context({"rows": kind(Group).order_by("name")})

    expected = {
        Named: "&lt;first&gt;|&lt;0&gt;|&lt;count&gt;|&lt;second&gt;|&lt;absent&gt;",
        Plain: "Ada|Ada|2|Bo|?",
        QuerySet: "Ada|Ada|2|?|?",
    }[kind]
    assert await arender_template(template, context()) == expected
    assert await sync_to_async(lambda: template.render(context()))() == expected
    assert await sync_to_async(lambda: render_template(template, context()))() == expected


def test_the_key_that_is_at_hand(monkeypatch):
    assert is_plain_key(Group(pk=7), "pk")
    assert not is_plain_key(Group(pk=7), "id")
    monkeypatch.setattr(Group, "pk", property(lambda self: "mine"))
    assert not is_plain_key(Group(), "pk")
