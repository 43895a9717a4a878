"""The system check of class-based views."""

import pytest
from django.core.checks import run_checks
from django.urls import include, path
from django.views import generic

from atemplates import views
from tests.testapp.models import Region


class Forgotten(generic.ListView):
    model = Region

    async def get_queryset(self):
        return Region.objects.all()

    async def own_method(self):
        return None


class OwnHandler(generic.ListView):
    async def get(self, request):
        return self.render_to_response({"rows": await self.get_queryset()})

    async def get_queryset(self):
        return Region.objects.all()


class Ours(views.ListView):
    async def get_queryset(self):
        return Region.objects.all()


class BehindMixin(views.AsyncRenderMixin, generic.ListView):
    async def get_queryset(self):
        return Region.objects.all()


class Plain(generic.ListView):
    model = Region


def messages(settings, *patterns):
    settings.ROOT_URLCONF = type("Urls", (), {"urlpatterns": list(patterns)})
    return [each for each in run_checks(tags=["urls"]) if each.id == "atemplates.W008"]


def test_an_async_hook_of_a_view_of_djangos(settings):
    inner = [path("a/", Forgotten.as_view()), path("b/", Forgotten.as_view())]
    (message,) = messages(settings, path("x/", include((inner, "x"))))
    assert "Forgotten.get_queryset() is an `async def`" in message.msg
    assert "atemplates.views" in message.hint
    assert message.obj is Forgotten


@pytest.mark.parametrize("view", [OwnHandler, Ours, BehindMixin, Plain])
def test_others_pass(view, settings):
    assert messages(settings, path("", view.as_view()), path("f/", lambda request: None)) == []
