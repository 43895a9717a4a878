"""What other parts of Django hang on a render: signals, test client, debug page, autoreload."""

import pytest
from django import forms
from django.http import HttpResponse
from django.template import engines
from django.template.autoreload import get_template_directories
from django.test import AsyncClient, Client, SimpleTestCase
from django.test.signals import template_rendered
from django.urls import path
from django.utils.autoreload import file_changed

from atemplates import arender

TEMPLATES = {
    "base.html": "<title>{% block title %}{% endblock %}</title>",
    "page.html": (
        "{% extends 'base.html' %}"
        "{% block title %}{{ title }}{% include 'part.html' %}{% endblock %}"
    ),
    "part.html": "({{ number }})",
    "syntax.html": "first line\nsecond line\n{% nonsense %}\nlast line",
    "broken.html": "first line\nsecond line\n{{ fail }}\nlast line",
    "broken_include.html": "{% include 'syntax.html' %}",
    "missing_include.html": "before\n{% include 'absent.html' %}",
    "debug.html": "{% debug %}",
}


async def title():
    return "Awaited"


async def page(request):
    return await arender(request, "page.html", {"title": title(), "number": 7})


async def plain(request):
    return HttpResponse("no template")


async def any_page(request, name):
    def fail():
        raise ZeroDivisionError("raised in the template")

    return await arender(request, name, {"fail": fail, "a_name": "a value"})


urlpatterns = [
    path("page/", page),
    path("plain/", plain),
    path("any/<str:name>/", any_page),
]


@pytest.fixture(autouse=True)
def site(settings, async_mode):
    settings.ROOT_URLCONF = __name__
    settings.MIDDLEWARE = []
    settings.INTERNAL_IPS = ["127.0.0.1"]
    settings.TEMPLATES = [
        {
            "BACKEND": "atemplates.engines.django.DjangoTemplates",
            "OPTIONS": {
                "async_mode": async_mode,
                "debug": True,
                "context_processors": ["django.template.context_processors.debug"],
                "loaders": [
                    (
                        "django.template.loaders.cached.Loader",
                        [("django.template.loaders.locmem.Loader", TEMPLATES)],
                    )
                ],
            },
        }
    ]


def names(templates):
    return [template.name for template in templates]


class TestTestClient:
    async def test_response_templates(self):
        response = await AsyncClient().get("/page/")
        assert response.content == b"<title>Awaited(7)</title>"
        assert names(response.templates) == ["page.html", "base.html", "part.html"]

    async def test_response_context(self):
        response = await AsyncClient().get("/page/")
        assert response.context["title"] == "Awaited"
        assert response.context["number"] == 7

    async def test_assert_template_used_with_a_response(self):
        response = await AsyncClient().get("/page/")
        case = SimpleTestCase()
        case.assertTemplateUsed(response, "page.html")
        case.assertTemplateUsed(response, "base.html")
        case.assertTemplateUsed(response, "part.html", count=1)
        case.assertTemplateNotUsed(response, "syntax.html")
        with pytest.raises(AssertionError, match="was not a template used"):
            case.assertTemplateUsed(response, "syntax.html")

    async def test_assert_template_used_as_a_context_manager(self, rf):
        with SimpleTestCase().assertTemplateUsed("part.html"):
            await arender(rf.get("/"), "page.html", {"title": "x"})
        with SimpleTestCase().assertTemplateNotUsed("part.html"):
            await arender(rf.get("/"), "base.html")

    async def test_a_response_without_a_template(self):
        response = await AsyncClient().get("/plain/")
        assert response.templates == []
        assert response.context is None

    def test_the_sync_client(self):
        response = Client().get("/page/")
        assert names(response.templates) == ["page.html", "base.html", "part.html"]
        assert response.context["title"] == "Awaited"

    async def test_the_signal_carries_template_and_context(self, rf):
        seen = []

        def receive(sender, template, context, **kwargs):
            seen.append((sender is template, template.name, context["number"]))

        template_rendered.connect(receive)
        try:
            await arender(rf.get("/"), "part.html", {"number": 3})
        finally:
            template_rendered.disconnect(receive)
        assert seen == [(True, "part.html", 3)]


class TestDebugPage:
    @pytest.fixture(autouse=True)
    def debug(self, settings):
        settings.DEBUG = True

    async def get(self, name):
        response = await AsyncClient(raise_request_exception=False).get(f"/any/{name}/")
        assert response.status_code == 500
        return response.content.decode()

    async def test_a_syntax_error_shows_the_templates_source(self):
        html = await self.get("syntax.html")
        assert "TemplateSyntaxError" in html
        assert "Error during template rendering" in html
        assert "error at line <strong>3</strong>" in html
        assert '<span class="specific">{% nonsense %}</span>' in html
        assert "second line" in html
        assert "last line" in html

    async def test_so_does_one_in_an_include(self):
        html = await self.get("broken_include.html")
        assert '<span class="specific">{% nonsense %}</span>' in html
        assert "In template <code>syntax.html</code>" in html

    async def test_an_error_while_rendering_shows_the_templates_source(self):
        html = await self.get("broken.html")
        assert "raised in the template" in html
        assert "error at line <strong>3</strong>" in html
        assert '<span class="specific">{{ fail }}</span>' in html

    async def test_a_missing_template_shows_what_was_tried(self):
        html = await self.get("absent.html")
        assert "TemplateDoesNotExist" in html
        assert "Template-loader postmortem" in html
        assert "Using engine <code>django</code>" in html

    async def test_a_missing_include_shows_the_including_line(self):
        html = await self.get("missing_include.html")
        assert "Template-loader postmortem" in html
        assert "error at line <strong>2</strong>" in html

    async def test_the_debug_tag_prints_the_context(self):
        response = await AsyncClient().get("/any/debug.html/")
        assert "a_name" in response.content.decode()
        assert "a value" in response.content.decode()


class TestAutoreload:
    async def test_a_changed_file_is_read_again(self, tmp_path, settings, async_mode, rf):
        (tmp_path / "page.html").write_text("old")
        settings.TEMPLATES = [
            {
                "BACKEND": "atemplates.engines.django.DjangoTemplates",
                "DIRS": [tmp_path],
                "OPTIONS": {"async_mode": async_mode},
            }
        ]
        assert (await arender(rf.get("/"), "page.html")).content == b"old"
        (tmp_path / "page.html").write_text("new")
        assert (await arender(rf.get("/"), "page.html")).content == b"old"
        file_changed.send(sender=None, file_path=tmp_path / "page.html")
        assert (await arender(rf.get("/"), "page.html")).content == b"new"

    def test_the_folders_are_watched(self, tmp_path, settings, async_mode):
        settings.TEMPLATES = [
            {
                "BACKEND": "atemplates.engines.django.DjangoTemplates",
                "DIRS": [tmp_path],
                "OPTIONS": {"async_mode": async_mode},
            }
        ]
        assert tmp_path in get_template_directories()


class TestForms:
    """``{{ form }}`` renders through the engine of ``TemplatesSetting``."""

    async def test_a_form_with_its_own_templates(self, settings, async_mode, rf):
        class Form(forms.Form):
            title = forms.CharField(max_length=20)

        settings.INSTALLED_APPS = [*settings.INSTALLED_APPS, "django.forms"]
        settings.FORM_RENDERER = "django.forms.renderers.TemplatesSetting"
        settings.TEMPLATES = [
            {
                "BACKEND": "atemplates.engines.django.DjangoTemplates",
                "APP_DIRS": True,
                "OPTIONS": {"async_mode": async_mode},
            }
        ]
        template = engines["django"].from_string("{{ form }}{{ form.title }}")
        html = await template.render_async({"form": Form()}, rf.get("/"))
        assert html == template.render({"form": Form()}, rf.get("/"))
        assert html.count('<input type="text" name="title" maxlength="20" required') == 2
