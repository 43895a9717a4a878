"""The Django backend: everything that Django's own does, and the same from async code."""

import asyncio
import copy
import logging
import threading
from types import MappingProxyType

import django
import pytest
from django.core import checks
from django.template import Context, TemplateDoesNotExist, TemplateSyntaxError, engines
from django.template.backends import django as stock
from django.utils.safestring import SafeString

from atemplates.engines.django import DjangoTemplates

from . import loaders
from .conftest import params


async def both(template, context=None, request=None):
    """Render in both ways; the outputs have to be the same."""
    output = await template.render_async(context, request)
    assert template.render(context, request) == output
    return output


class TestDropIn:
    def test_it_is_djangos_backend(self, make_backend):
        assert isinstance(make_backend(), stock.DjangoTemplates)
        assert isinstance(make_backend().from_string(""), stock.Template)

    def test_the_default_alias_is_djangos(self, settings, async_mode):
        settings.TEMPLATES = [
            {
                "BACKEND": "atemplates.engines.django.DjangoTemplates",
                "OPTIONS": {"async_mode": async_mode},
            }
        ]
        assert list(engines) == ["django"]
        assert type(engines["django"]) is DjangoTemplates

    def test_the_admins_check_of_the_backend_passes(self, settings, async_mode):
        settings.TEMPLATES = copy.deepcopy(settings.TEMPLATES)
        for each in settings.TEMPLATES:
            if each["BACKEND"].endswith("DjangoTemplates"):
                each["OPTIONS"]["async_mode"] = async_mode
        assert not checks.run_checks(tags=[checks.Tags.admin])
        assert not checks.run_checks(tags=[checks.Tags.templates])

    def test_app_dirs(self, async_mode):
        backend = DjangoTemplates(params(async_mode=async_mode) | {"APP_DIRS": True})
        template = backend.get_template("admin/base.html")
        assert template.origin.template_name == "admin/base.html"


class TestRendering:
    @pytest.mark.parametrize("context", [None, {}])
    async def test_without_a_context(self, make_backend, context):
        assert await both(make_backend().from_string("[{{ x }}]"), context) == "[]"

    async def test_the_output_is_safe(self, make_backend):
        output = await both(make_backend().from_string("{{ x }}"), {"x": "<b>"})
        assert output == "&lt;b&gt;"
        assert type(output) is SafeString

    async def test_autoescape_off_for_the_engine(self, make_backend, request_):
        template = make_backend(autoescape=False).from_string("{{ x }}")
        assert await both(template, {"x": "<b>"}) == "<b>"
        assert await both(template, {"x": "<b>"}, request_) == "<b>"

    async def test_string_if_invalid(self, make_backend):
        template = make_backend(string_if_invalid="no %s").from_string("{{ a.b }}")
        assert await both(template) == "no a.b"

    async def test_the_request_gives_the_csrf_token(self, make_backend, request_):
        template = make_backend().from_string("{% csrf_token %}")
        output = await template.render_async({}, request_)
        assert output.startswith('<input type="hidden" name="csrfmiddlewaretoken" value="')
        assert await template.render_async({}) == ""

    async def test_the_context_wins_over_context_processors(self, make_backend, request_):
        processor = "django.template.context_processors.request"
        template = make_backend(context_processors=[processor]).from_string("{{ request }}")
        assert await both(template, {"request": "mine"}, request_) == "mine"

    async def test_inheritance_and_includes(self, make_backend):
        templates = {
            "base": "<{% block a %}base{% endblock %}>{% include 'part' with n=1 %}",
            "page": "{% extends 'base' %}{% block a %}{{ block.super }}+{{ x }}{% endblock %}",
            "part": "{{ n }}{{ x }}",
        }
        template = await make_backend(templates).aget_template("page")
        assert await both(template, {"x": "X"}) == "<base+X>1X"

    @pytest.mark.parametrize("with_request", [False, True])
    async def test_what_a_template_sets_stays_out_of_the_callers_dict(
        self, make_backend, request_, with_request
    ):
        source = "{% now 'Y' as year %}{% cycle 'a' 'b' as c %}{% firstof 'z' as x %}{{ x }}"
        context = {"x": 1}
        request = request_ if with_request else None
        assert (await both(make_backend().from_string(source), context, request)).endswith("z")
        assert context == {"x": 1}

    @pytest.mark.parametrize(
        "context", [[], [("a", 1)], "text", 1, object(), MappingProxyType({}), Context({})]
    )
    async def test_a_context_that_is_no_dict(self, make_backend, request_, context):
        template = make_backend().from_string("{{ a }}")
        message = f"context must be a dict rather than {type(context).__name__}"
        for request in (None, request_):
            with pytest.raises(TypeError, match=message):
                await template.render_async(context, request)
            with pytest.raises(TypeError, match=message):
                template.render(context, request)

    async def test_render_async_does_nothing_until_awaited(self, make_backend):
        rendered = []
        coroutine = make_backend().from_string("{{ f }}").render_async({"f": rendered.append})
        coroutine.close()
        assert rendered == []


class TestErrors:
    async def test_an_exception_in_a_template_is_the_original(self, make_backend):
        def fail():
            raise ZeroDivisionError("of mine")

        template = make_backend().from_string("{{ f }}")
        with pytest.raises(ZeroDivisionError, match="of mine"):
            await template.render_async({"f": fail})

    @pytest.mark.parametrize("name", ["none", ""])
    async def test_a_missing_template(self, make_backend, name):
        with pytest.raises(TemplateDoesNotExist) as stock_way:
            make_backend({"page": ""}).get_template(name)
        backend = make_backend({"page": ""})
        with pytest.raises(TemplateDoesNotExist) as ours:
            await backend.aget_template(name)
        assert ours.value.args == stock_way.value.args == (name,)
        assert ours.value.backend is backend
        assert [(str(origin), why) for origin, why in ours.value.tried] == [
            (str(origin), why) for origin, why in stock_way.value.tried
        ]

    async def test_a_missing_include_names_the_backend(self, make_backend):
        backend = make_backend({"page": "{% include 'none' %}"})
        template = await backend.aget_template("page")
        with pytest.raises(TemplateDoesNotExist) as caught:
            await template.render_async()
        assert caught.value.args == ("none",)
        assert caught.value.backend is backend

    async def test_a_missing_parent_names_the_backend_and_what_was_tried(self, make_backend):
        backend = make_backend({"page": "{% extends 'none' %}"})
        template = await backend.aget_template("page")
        with pytest.raises(TemplateDoesNotExist) as caught:
            await template.render_async()
        assert caught.value.args == ("none",)
        assert caught.value.backend is backend
        assert [why for _, why in caught.value.tried] == ["Source does not exist"]

    async def test_a_syntax_error_has_its_debug_information(self, make_backend):
        backend = make_backend({"page": "one\n{% oops %}\nthree"}, debug=True)
        with pytest.raises(TemplateSyntaxError, match="Invalid block tag on line 2: 'oops'") as e:
            await backend.aget_template("page")
        assert e.value.template_debug["line"] == 2
        assert e.value.template_debug["during"] == "{% oops %}"

    async def test_an_error_while_rendering_has_its_debug_information(self, make_backend):
        def fail():
            raise ZeroDivisionError

        backend = make_backend({"page": "one\n\n{{ f }}"}, debug=True)
        template = await backend.aget_template("page")
        with pytest.raises(ZeroDivisionError) as caught:
            await template.render_async({"f": fail})
        assert caught.value.template_debug["line"] == 3
        assert caught.value.template_debug["during"] == "{{ f }}"

    async def test_an_invalid_variable_is_logged(self, make_backend, caplog):
        template = make_backend().from_string("{{ nobody.home }}")
        with caplog.at_level(logging.DEBUG, "django.template"):
            await template.render_async()
        assert "Exception while resolving variable 'nobody'" in caplog.text


class TestLoading:
    """Reading a template is work for the request's thread."""

    @pytest.fixture(autouse=True)
    def reads(self):
        loaders.Loader.reads = []
        return loaders.Loader.reads

    @pytest.fixture
    def backend(self, make_backend):
        templates = {
            "page": "{% extends 'base' %}{% block b %}{% include name %}{% endblock %}",
            "base": "{% block b %}{% endblock %}",
            "part": "part",
        }
        return make_backend(
            loaders=[
                (
                    "django.template.loaders.cached.Loader",
                    [("tests.engines.loaders.Loader", templates)],
                )
            ]
        )

    async def test_never_on_the_loop(self, backend, reads):
        template = await backend.aget_template("page")
        assert await template.render_async({"name": "part"}) == "part"
        assert [name for name, *_ in reads] == ["page", "base", "part"]
        assert [on_loop for _, on_loop, _ in reads] == [False] * 3
        assert threading.current_thread() not in {thread for *_, thread in reads}

    async def test_an_awaitable_in_the_context_does_not_bring_it_there(self, backend, reads):
        async def name():
            return "part"

        template = await backend.aget_template("page")
        assert await template.render_async({"name": name()}) == "part"
        assert [on_loop for _, on_loop, _ in reads] == [False] * 3

    async def test_once(self, backend, reads):
        for _ in range(3):
            await backend.aget_template("page")
        assert [name for name, *_ in reads] == ["page"]

    async def test_a_loaded_template_takes_no_hop(self, backend, monkeypatch):
        await backend.aget_template("page")

        def refuse(*args, **kwargs):
            raise AssertionError("hopped")

        monkeypatch.setattr("atemplates.runtime.hops.sync_to_async", refuse)
        template = await backend.aget_template("page")
        assert template.origin.template_name == "page"

    async def test_without_a_cache_each_time_in_the_thread(self, make_backend, reads):
        backend = make_backend(loaders=[("tests.engines.loaders.Loader", {"page": "x"})])
        for _ in range(2):
            await backend.aget_template("page")
        assert [(name, on_loop) for name, on_loop, _ in reads] == [("page", False)] * 2

    async def test_many_at_the_same_time(self, backend, reads):
        await asyncio.gather(*(backend.aget_template("page") for _ in range(20)))
        assert {on_loop for _, on_loop, _ in reads} == {False}

    async def test_a_template_whose_name_has_a_hash(self, make_backend, reads):
        templates = {"page": "{% partialdef a %}A{% endpartialdef %}", "page#a": "a file"}
        if django.VERSION < (6, 0):
            templates["page"] = "no partials"
        backend = make_backend(
            loaders=[
                (
                    "django.template.loaders.cached.Loader",
                    [("tests.engines.loaders.Loader", templates)],
                )
            ]
        )
        await backend.aget_template("page")
        template = await backend.aget_template("page#a")
        expected = "a file" if django.VERSION < (6, 0) else "A"
        assert await template.render_async() == expected
        assert {on_loop for _, on_loop, _ in reads} == {False}

    async def test_a_partial_that_does_not_exist(self, make_backend):
        backend = make_backend({"page": "x"})
        await backend.aget_template("page")
        with pytest.raises(TemplateDoesNotExist) as caught:
            await backend.aget_template("page#none")
        assert caught.value.backend is backend

    async def test_a_reset_cache_is_read_again(self, backend, reads):
        await backend.aget_template("page")
        backend.engine.template_loaders[0].reset()  # what the autoreloader does
        await backend.aget_template("page")
        assert [name for name, *_ in reads] == ["page", "page"]

    @pytest.mark.parametrize("name", [None, 1, b"page", ["page"]])
    async def test_a_name_that_is_no_string(self, backend, name):
        with pytest.raises((TemplateDoesNotExist, TypeError, AttributeError)) as stock_way:
            backend.get_template(name)
        with pytest.raises(type(stock_way.value)):
            await backend.aget_template(name)
