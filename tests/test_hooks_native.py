"""What others hang on a render: signals, the debug toolbar, the autoreloader, forms, the admin."""

import sys

import jinja2
import pytest
from asgiref.sync import sync_to_async
from django import forms
from django.contrib.auth.models import Group, User
from django.forms.renderers import TemplatesSetting
from django.template import Context, RequestContext, Template, engines
from django.test import AsyncClient, RequestFactory, SimpleTestCase
from django.test.signals import template_rendered
from django.urls import clear_url_caches, path
from django.utils.autoreload import file_changed

from atemplates import arender
from atemplates.compiler.plan import plan_of
from atemplates.engines import native
from atemplates.engines.django import arender_template, render_template
from tests.rendering import new_engine, run_async

TEMPLATES = {
    "base": "<{% block b %}{% endblock %}>{% include 'part' %}",
    "middle": "{% extends 'base' %}",
    "page": "{% extends 'middle' %}{% block b %}{% for x in 'ab' %}{% include 'part' %}{% endfor %}{% endblock %}",
    "part": "({{ x }})",
    "tags": "{% load lib %}{% show 1 %}{% include 'part' only %}",
    "inclusion": "{{ a }}",
    "recursive": "{{ x }}{% if x %}{% include 'recursive' with x='' %}{% endif %}",
    "foreign": "{% load native %}{% for x in 'ab' %}{% wrap 1 %}{% include 'part' %}{% endwrap %}{% endfor %}",
}
LIBRARIES = {"lib": "tests.tags.library_tags", "native": "tests.tags.native_tags"}


class TestSignals:
    """``template_rendered``: once for each template, in stock's order, with its context."""

    def signals(self, name, render):
        seen = []

        def receive(sender, template, context, **kwargs):
            seen.append((template.name, sender is template, dict(context.flatten())))

        template = new_engine(TEMPLATES, libraries=LIBRARIES).get_template(name)
        template_rendered.connect(receive)
        try:
            render(template, Context({"x": "x"}))
        finally:
            template_rendered.disconnect(receive)
        return [
            (name, same, {k: v for k, v in values.items() if k != "block"})
            for name, same, values in seen
        ]

    @pytest.mark.parametrize("name", [n for n in TEMPLATES if n != "inclusion"])
    def test_as_stock(self, name):
        stock = self.signals(name, lambda template, context: template.render(context))
        assert self.signals(name, render_template) == stock
        ours = self.signals(name, lambda *args: run_async(arender_template, *args))
        assert ours == stock
        assert stock[0][0] == name

    def test_the_order(self):
        names = [name for name, *_ in self.signals("page", render_template)]
        assert names == ["page", "middle", "base", "part", "part", "part"]

    async def test_assert_template_used(self):
        template = new_engine(TEMPLATES).get_template("page")
        with SimpleTestCase().assertTemplateUsed("part"):
            await arender_template(template, Context())
        with SimpleTestCase().assertTemplateUsed("middle"):
            await arender_template(template, Context())
        with SimpleTestCase().assertTemplateNotUsed("tags"):
            await arender_template(template, Context())
        case = SimpleTestCase().assertTemplateUsed("tags")
        case.__enter__()
        await arender_template(template, Context())
        with pytest.raises(AssertionError, match="Template 'tags' was not a template used"):
            case.__exit__(None, None, None)


class TestAutoreload:
    @pytest.fixture
    def engine(self, tmp_path, settings):
        (tmp_path / "page.html").write_text("{% include 'part.html' %}old")
        (tmp_path / "part.html").write_text("part ")
        settings.TEMPLATES = [
            {"BACKEND": "atemplates.engines.django.DjangoTemplates", "DIRS": [tmp_path]}
        ]
        return engines["django"].engine

    async def test_a_changed_file_gets_a_new_plan(self, engine, tmp_path):
        first = engine.get_template("page.html")
        assert await arender_template(first, Context()) == "part old"
        assert engine.get_template("page.html") is first
        plan = plan_of(first.nodelist, first)
        (tmp_path / "page.html").write_text("{% include 'part.html' %}new")
        (tmp_path / "part.html").write_text("changed ")
        file_changed.send(sender=None, file_path=tmp_path / "page.html")
        second = engine.get_template("page.html")
        assert second is not first
        assert await arender_template(second, Context()) == "changed new"
        assert plan_of(second.nodelist, second) is not plan


class ShopForm(forms.Form):
    title = forms.CharField(max_length=20, help_text="<b>help</b>")
    kind = forms.ChoiceField(choices=[("a", "A<"), ("b", "B")], widget=forms.RadioSelect)
    groups = forms.ModelMultipleChoiceField(Group.objects.all(), required=False)


@pytest.mark.django_db
class TestForms:
    """``{{ form }}`` calls back into an engine; fields may query."""

    @pytest.fixture(
        params=["django.forms.renderers.TemplatesSetting", "django.forms.renderers.DjangoTemplates"]
    )
    def renderer(self, request, settings):
        settings.INSTALLED_APPS = [*settings.INSTALLED_APPS, "django.forms"]
        settings.FORM_RENDERER = request.param
        return request.param

    @pytest.mark.parametrize(
        "source",
        [
            "{{ form }}",
            "{{ form.as_p }}",
            "{{ form.title }}{{ form.title.errors }}",
            "{{ form.errors }}",
            "{% for field in form %}{{ field.label_tag }}{{ field }}{{ field.help_text|safe }}{% endfor %}",
            "{% for radio in form.kind %}{{ radio.tag }}{{ radio.choice_label }}{% endfor %}",
            "{% if form.is_bound %}{{ form.non_field_errors }}{% endif %}{{ form.media }}",
        ],
    )
    async def test_as_stock(self, renderer, source):
        await Group.objects.acreate(name="<group>")
        template, stock = (new_engine({"main": source}).get_template("main") for _ in range(2))

        def context():
            return Context({"form": ShopForm({"title": "x" * 30})})

        expected = await sync_to_async(stock.render)(context())
        assert await arender_template(template, context()) == expected
        assert await sync_to_async(render_template)(template, context()) == expected

    async def test_the_templates_of_our_engine(self, settings):
        settings.INSTALLED_APPS = [*settings.INSTALLED_APPS, "django.forms"]
        form = ShopForm(renderer=TemplatesSetting())
        assert isinstance(
            TemplatesSetting().get_template("django/forms/div.html").template, Template
        )
        html = await engines["django"].from_string("{{ form }}").render_async({"form": form})
        assert 'name="title" maxlength="20"' in html


# -- django-debug-toolbar --------------------------------------------------------------------------


async def page(request):
    """A page with a body, at whose end the toolbar puts itself."""
    return await arender(request, "toolbar/page.html", {"title": "shown", "later": later()})


async def later():
    return "awaited"


def only_us(request):
    return True


urlpatterns = [path("page/", page)]


class TestDebugToolbar:
    """The toolbar's template panel, with the toolbar installed."""

    @pytest.fixture
    def site(self, settings, tmp_path, monkeypatch):
        (tmp_path / "toolbar").mkdir()
        (tmp_path / "toolbar" / "page.html").write_text(
            "<body>{% include 'toolbar/part.html' %}{{ title }}{{ later }}</body>"
        )
        (tmp_path / "toolbar" / "part.html").write_text("part ")
        # The toolbar patches Django where it is imported; other tests must not see that.
        monkeypatch.setattr(Template, "_render", Template._render)
        monkeypatch.setattr(RequestContext, "bind_template", RequestContext.bind_template)
        monkeypatch.setattr(jinja2.Template, "render", jinja2.Template.render)
        monkeypatch.setattr(native, "loop_driver", native.loop_driver)
        settings.DEBUG = True
        settings.ROOT_URLCONF = __name__
        settings.INSTALLED_APPS = [*settings.INSTALLED_APPS, "debug_toolbar"]
        settings.MIDDLEWARE = ["debug_toolbar.middleware.DebugToolbarMiddleware"]
        settings.DEBUG_TOOLBAR_CONFIG = {
            "SHOW_TOOLBAR_CALLBACK": f"{__name__}.only_us",
            "IS_RUNNING_TESTS": False,
            "RENDER_PANELS": True,
        }
        settings.DEBUG_TOOLBAR_PANELS = ["debug_toolbar.panels.templates.TemplatesPanel"]
        settings.TEMPLATES = [
            {
                "BACKEND": "atemplates.engines.django.DjangoTemplates",
                "DIRS": [tmp_path],
                "APP_DIRS": True,
                "OPTIONS": {
                    "context_processors": ["django.template.context_processors.request"],
                },
            }
        ]
        # Not at the top: its models need the app to be installed.
        from debug_toolbar.toolbar import DebugToolbar, debug_toolbar_urls

        monkeypatch.setattr(DebugToolbar, "_panel_classes", None)
        monkeypatch.setattr(DebugToolbar, "_urlpatterns", None)
        monkeypatch.delitem(sys.modules, "debug_toolbar.urls", raising=False)  # it keeps them
        monkeypatch.setitem(globals(), "urlpatterns", [*urlpatterns, *debug_toolbar_urls()])
        clear_url_caches()
        yield
        clear_url_caches()

    async def test_the_template_panel(self, site):
        response = await AsyncClient().get("/page/")
        html = response.content.decode()
        assert response.status_code == 200
        assert "part shownawaited" in html
        # Two templates, and the processors that ran for the first.
        assert "Templates (2 rendered)" in html
        assert "toolbar/page.html" in html
        assert "toolbar/part.html" in html
        assert "django.template.context_processors.request" in html


# -- the admin -------------------------------------------------------------------------------------


@pytest.mark.django_db
class TestAdmin:
    """Under ASGI, with the backend of the test settings swapped in; its views are sync."""

    @pytest.fixture
    async def staff(self):
        user = await User.objects.acreate_superuser("root", "root@example.com", "secret")
        client = AsyncClient()
        await client.aforce_login(user)
        return client

    @pytest.mark.parametrize(
        ("address", "template", "text"),
        [
            ("/admin/", "admin/index.html", "Site administration"),
            ("/admin/auth/group/", "admin/change_list.html", "0 groups"),
            ("/admin/auth/user/", "admin/change_list.html", "root@example.com"),
            ("/admin/auth/user/?q=root&is_staff__exact=1", "admin/change_list.html", "1 user"),
            ("/admin/auth/group/add/", "admin/change_form.html", "Add group"),
            ("/admin/auth/user/add/", "admin/auth/user/add_form.html", "Add user"),
            (
                "/admin/password_change/",
                "registration/password_change_form.html",
                "Password change",
            ),
        ],
    )
    async def test_pages(self, staff, address, template, text):
        response = await staff.get(address)
        assert response.status_code == 200
        assert text in response.content.decode()
        assert template in [each.name for each in response.templates]

    async def test_the_login_page(self):
        response = await AsyncClient().get("/admin/login/")
        assert 'name="csrfmiddlewaretoken"' in response.content.decode()

    async def test_saving(self, staff):
        response = await staff.post("/admin/auth/group/add/", {"name": "<group>"}, follow=True)
        assert "The group “<a" in response.content.decode()
        assert "&lt;group&gt;" in response.content.decode()

    async def test_an_admin_template_on_the_loop(self, staff):
        """The same templates through arender: the admin's tags, a queryset, the user."""
        request = RequestFactory().get("/admin/")
        request.user = await User.objects.aget(username="root")
        context = {
            "users": User.objects.all(),
            "title": "<title>",
            "site_header": "Header",
            "has_permission": True,
        }
        template = "{% extends 'admin/base_site.html' %}{% block content %}{% for u in users %}{{ u }}{% endfor %}{% endblock %}"
        html = await engines["django"].from_string(template).render_async(context, request)
        assert "root" in html
        assert "&lt;title&gt;" in html
