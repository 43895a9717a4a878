"""``arender`` and its siblings: every argument, every backend, every wrong use."""

import asyncio
import inspect
import threading
from collections import OrderedDict, UserDict

import jinja2
import pytest
from django.http import HttpResponse
from django.shortcuts import render
from django.template import TemplateDoesNotExist, TemplateSyntaxError, engines, loader
from django.template.backends import django as stock
from django.template.backends import dummy
from django.template.utils import InvalidTemplateEngineError
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext_lazy

import atemplates
from atemplates import aget_template, arender, arender_to_string, aselect_template
from atemplates.engines.django import DjangoTemplates
from atemplates.engines.jinja2 import Jinja2
from tests.engines import loaders
from tests.engines.conftest import ASYNC_MODES, in_memory

made = []
"""Whether a loop was running when a `NotingBackend` was made."""


class NotingBackend(DjangoTemplates):
    def __init__(self, params):
        made.append(loaders.where()[0])
        super().__init__(params)


class Minimal:
    """A backend of the shape that Django's documentation asks for, and no more."""

    class Template:
        def __init__(self, name):
            self.name = name

        def render(self, context=None, request=None):
            on_loop, thread = loaders.where()
            context["written"] = "by the backend"
            path = request.path if request else None
            return f"{self.name} {context['x']} {path} {on_loop} {thread.name}"

    def __init__(self, params):
        self.name = params["NAME"]

    def get_template(self, template_name):
        if template_name != "minimal":
            raise TemplateDoesNotExist(template_name, tried=[], backend=self)
        return self.Template(f"{template_name}:{loaders.where()[0]}")


@pytest.fixture(params=ASYNC_MODES, autouse=True)
def backends(request, settings, tmp_path):
    """Both of ours, and three that know nothing of async."""
    (tmp_path / "dummy.txt").write_text("dummy $x")
    settings.TEMPLATES = [
        {
            "BACKEND": "atemplates.engines.django.DjangoTemplates",
            "OPTIONS": {
                "async_mode": request.param,
                "loaders": in_memory({"page": "django {{ x }} {{ request.path }}", "django": "d"}),
                "context_processors": ["django.template.context_processors.request"],
            },
        },
        {
            "BACKEND": "atemplates.engines.jinja2.Jinja2",
            "OPTIONS": {
                "loader": jinja2.DictLoader(
                    {"page": "jinja2 {{ x }} {{ request.path if request }}", "jinja2": "j"}
                )
            },
        },
        {
            "NAME": "stock",
            "BACKEND": "django.template.backends.django.DjangoTemplates",
            "OPTIONS": {
                "loaders": in_memory({"page": "stock {{ x }}", "stock": "{{ x }}"}),
            },
        },
        {
            "NAME": "dummy",
            "BACKEND": "django.template.backends.dummy.TemplateStrings",
            "DIRS": [tmp_path],
        },
        {"NAME": "minimal", "BACKEND": f"{__name__}.Minimal"},
    ]


@pytest.fixture
def page(rf):
    return rf.get("/page/")


async def value():
    return "awaited"


class TestArender:
    async def test_returns_a_response(self, page):
        response = await arender(page, "page", {"x": "<x>"})
        assert type(response) is HttpResponse
        assert response.content == b"django &lt;x&gt; /page/"
        assert response.status_code == 200
        assert response["Content-Type"] == "text/html; charset=utf-8"

    def test_has_the_signature_of_render(self):
        ours, stocks = inspect.signature(arender), inspect.signature(render)
        assert list(ours.parameters) == list(stocks.parameters)
        for name, parameter in stocks.parameters.items():
            assert ours.parameters[name].default == parameter.default
            assert ours.parameters[name].kind == parameter.kind

    @pytest.mark.parametrize(
        ("ours", "stocks"),
        [
            (arender_to_string, loader.render_to_string),
            (aget_template, loader.get_template),
        ],
    )
    def test_its_siblings_have_the_signatures_of_the_loaders(self, ours, stocks):
        assert list(inspect.signature(ours).parameters) == list(
            inspect.signature(stocks).parameters
        )

    def test_they_are_the_public_names(self):
        assert atemplates.__all__ == [
            "EventStream",
            "SseEvent",
            "TemplateStream",
            "aget_template",
            "aload",
            "arender",
            "arender_to_string",
            "aselect_template",
            "astream",
            "batched",
            "sse",
            "trace",
        ]
        for name in atemplates.__all__:
            assert name in dir(atemplates)
            assert getattr(atemplates, name).__name__.rpartition(".")[2] == name
        with pytest.raises(AttributeError, match="no attribute 'aloud'"):
            _ = atemplates.aloud

    async def test_positional_arguments(self, page):
        response = await arender(page, "page", {"x": 1}, "text/plain", 418, "jinja2")
        assert response.content == b"jinja2 1 /page/"
        assert response["Content-Type"] == "text/plain"
        assert response.status_code == 418

    @pytest.mark.parametrize("status", [201, 404, 500])
    async def test_status(self, page, status):
        assert (await arender(page, "page", status=status)).status_code == status

    async def test_content_type(self, page):
        response = await arender(page, "page", content_type="application/xhtml+xml")
        assert response["Content-Type"] == "application/xhtml+xml"

    @pytest.mark.parametrize("using", ["django", "jinja2"])
    async def test_using(self, page, using):
        response = await arender(page, "page", {"x": 1}, using=using)
        assert response.content.decode() == f"{using} 1 /page/"

    @pytest.mark.parametrize("using", ["django", "jinja2"])
    async def test_without_a_request(self, using):
        response = await arender(None, "page", {"x": 1}, using=using)
        assert response.content.decode() == f"{using} 1 "

    async def test_without_a_context(self, page):
        assert (await arender(page, "page")).content == b"django  /page/"

    async def test_the_same_as_render(self, page):
        ours = await arender(page, "page", {"x": "<"}, status=203)
        stocks = render(page, "page", {"x": "<"}, status=203)
        assert ours.content == stocks.content
        assert ours.headers == stocks.headers
        assert ours.status_code == stocks.status_code

    @pytest.mark.parametrize("using", ["django", "jinja2", "stock", "dummy", "minimal"])
    async def test_awaitables_with_every_backend(self, page, using):
        name = {"dummy": "dummy.txt", "minimal": "minimal"}.get(using, "page")
        context = {"x": value()}
        response = await arender(page, name, context, using=using)
        assert "awaited" in response.content.decode()
        assert list(context) == ["x"]

    async def test_a_lazy_object_is_not_made_on_the_loop(self, page):
        places = []

        def make():
            places.append(loaders.where()[0])
            return "made"

        for using in ("django", "stock"):
            lazy = SimpleLazyObject(make)
            response = await arender(page, "page", {"x": lazy}, using=using)
            assert "made" in response.content.decode()
        assert places[-1] is False


class TestTemplateName:
    @pytest.mark.parametrize("names", [["none", "page"], ("none", "nor this", "page"), ["page"]])
    async def test_a_list_takes_the_first_found(self, page, names):
        assert (await arender(page, names, {"x": 1})).content == b"django 1 /page/"

    async def test_each_name_is_looked_for_in_every_engine_before_the_next(self, page):
        assert (await arender(page, ["jinja2", "django"])).content == b"j"
        assert (await aselect_template(["jinja2", "page"])).backend is engines["jinja2"]

    async def test_an_iterable_for_aselect_template(self):
        template = await aselect_template(name for name in ("none", "page"))
        assert template.backend is engines["django"]

    async def test_a_lazy_string(self, page):
        assert (await arender(page, gettext_lazy("page"))).content == b"django  /page/"
        assert (await arender(page, [gettext_lazy("none"), gettext_lazy("page")])).content

    @pytest.mark.parametrize("name", [None, 1, b"page", {"page"}, {"page": 1}, object()])
    async def test_neither_a_string_nor_a_list(self, page, name):
        message = "must be a string, or a list or tuple of strings, not " + type(name).__name__
        with pytest.raises(TypeError, match=message):
            await arender(page, name)
        with pytest.raises(TypeError, match=message):
            await arender_to_string(name)
        with pytest.raises(TypeError, match=message):
            await aget_template(name)

    @pytest.mark.parametrize("names", [[None], ["none", 1], [b"page"], (["page"],)])
    async def test_a_list_that_holds_something_else(self, page, names):
        with pytest.raises(TypeError, match="the list holds " + type(names[-1]).__name__):
            await arender(page, names)

    async def test_a_string_for_aselect_template(self):
        with pytest.raises(TypeError, match=r"'page'.*aget_template"):
            await aselect_template("page")

    @pytest.mark.parametrize("names", [None, 1])
    async def test_no_iterable_for_aselect_template(self, names):
        with pytest.raises(TypeError, match="an iterable of template names"):
            await aselect_template(names)

    @pytest.mark.parametrize("names", [[], ()])
    async def test_an_empty_list(self, page, names):
        with pytest.raises(TemplateDoesNotExist, match="No template names provided"):
            await arender(page, names)


def flat(error):
    """What a TemplateDoesNotExist says, as far down as it goes."""
    return (
        error.args,
        error.backend and error.backend.name,
        [(str(getattr(origin, "name", origin)), why) for origin, why in error.tried],
        [flat(each) for each in error.chain],
    )


class TestMissing:
    """The chain is that of ``django.template.loader``; a fresh settings gives fresh caches."""

    async def test_one_name(self, page):
        with pytest.raises(TemplateDoesNotExist) as ours:
            await arender(page, "none")
        assert [each.backend.name for each in ours.value.chain] == list(engines)
        reset()
        with pytest.raises(TemplateDoesNotExist) as stocks:
            render(page, "none")
        assert flat(ours.value) == flat(stocks.value)
        assert ours.value.chain[0].tried

    async def test_several_names(self, page):
        with pytest.raises(TemplateDoesNotExist, match="none, nor this") as ours:
            await arender(page, ["none", "nor this"])
        reset()
        with pytest.raises(TemplateDoesNotExist) as stocks:
            render(page, ["none", "nor this"])
        assert flat(ours.value) == flat(stocks.value)
        assert len(ours.value.chain) == 2 * len(list(engines))

    async def test_with_using(self):
        with pytest.raises(TemplateDoesNotExist) as ours:
            await aget_template("jinja2", using="django")
        assert [each.backend.name for each in ours.value.chain] == ["django"]

    async def test_lazy_names(self):
        with pytest.raises(TemplateDoesNotExist, match="none, nor this"):
            await aselect_template([gettext_lazy("none"), gettext_lazy("nor this")])

    async def test_the_context_can_be_used_for_another_template(self, page):
        context = {"x": value()}
        with pytest.raises(TemplateDoesNotExist):
            await arender(page, "none", context)
        assert (await arender(page, "page", context)).content == b"django awaited /page/"

    async def test_a_syntax_error_is_not_a_missing_template(self, settings):
        settings.TEMPLATES[0]["OPTIONS"]["loaders"] = in_memory({"page": "{% oops %}"})
        reset()
        with pytest.raises(TemplateSyntaxError, match="oops"):
            await aget_template("page")


def reset():
    """Forget all engines, as a change of settings does."""
    from django.conf import settings
    from django.test.signals import setting_changed

    setting_changed.send(sender=None, setting="TEMPLATES", value=settings.TEMPLATES, enter=True)


class TestBadUse:
    @pytest.mark.parametrize("using", ["nobody", "", "DJANGO"])
    async def test_an_alias_that_does_not_exist(self, page, using):
        for call in (
            arender(page, "page", using=using),
            arender_to_string("page", using=using),
            aget_template("page", using=using),
            aselect_template(["page"], using=using),
        ):
            with pytest.raises(InvalidTemplateEngineError) as caught:
                await call
            assert repr(using) in str(caught.value)
            assert "'django', 'jinja2', 'stock'" in str(caught.value)

    @pytest.mark.parametrize("context", [[], "text", 1, [("x", 1)], object()])
    @pytest.mark.parametrize("using", ["django", "jinja2", "stock"])
    async def test_a_context_that_is_no_mapping(self, page, context, using):
        message = f"context must be a dict rather than {type(context).__name__}"
        if using == "jinja2" and context == []:
            message = "context must be a dict"
        with pytest.raises(TypeError, match=message):
            await arender(page, "page", context, using=using)

    @pytest.mark.parametrize("using", ["django", "jinja2", "stock"])
    async def test_a_dict_of_another_class(self, page, using):
        response = await arender(page, "page", OrderedDict(x=1), using=using)
        assert "1" in response.content.decode()

    async def test_a_mapping_that_is_no_dict_is_refused_as_in_django(self, page):
        with pytest.raises(TypeError, match="context must be a dict rather than UserDict"):
            await arender(page, "page", UserDict(x=1))

    def test_without_await_there_is_only_pythons_own_warning(self, page):
        ran = []

        async def inner():
            ran.append(True)

        coroutine = arender(page, "page", {"x": 1})
        with pytest.warns(RuntimeWarning) as caught:
            del coroutine
        assert [str(each.message) for each in caught] == ["coroutine 'arender' was never awaited"]
        assert not ran

    async def test_an_awaitable_that_raises(self, page):
        async def fails():
            raise ZeroDivisionError("the original")

        with pytest.raises(ZeroDivisionError, match="the original"):
            await arender(page, "page", {"x": fails()})
        assert asyncio.all_tasks() == {asyncio.current_task()}

    async def test_cancelled(self, page):
        started, ended = asyncio.Event(), []

        async def forever():
            started.set()
            try:
                await asyncio.Event().wait()
            finally:
                ended.append(True)

        task = asyncio.ensure_future(arender(page, "page", {"x": forever()}))
        await started.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert ended
        assert asyncio.all_tasks() == {asyncio.current_task()}


class TestOtherBackends:
    """A backend without ``render_async`` loads and renders in the request's thread."""

    async def test_stock_django(self, page):
        response = await arender(page, "stock", {"x": "<"}, using="stock")
        assert response.content == b"&lt;"
        assert type(await aget_template("stock", using="stock")) is stock.Template

    async def test_dummy(self, page):
        response = await arender(page, "dummy.txt", {"x": "<"}, using="dummy")
        assert response.content == b"dummy &lt;"
        assert isinstance(await aget_template("dummy.txt"), dummy.Template)

    async def test_a_third_partys(self, page):
        context = {"x": "X"}
        response = await arender(page, "minimal", context)
        name, x, path, on_loop, thread = response.content.decode().split(maxsplit=4)
        assert (name, x, path, on_loop) == ("minimal:False", "X", "/page/", "False")
        assert thread == threading.main_thread().name
        assert context == {"x": "X"}  # it writes into what it gets

    async def test_many_at_the_same_time(self, page):
        responses = await asyncio.gather(
            *(arender(page, "stock", {"x": n}, using="stock") for n in range(100))
        )
        assert [int(response.content) for response in responses] == list(range(100))


class TestLoading:
    """No disk is read on the event loop."""

    async def test_the_loader_is_called_in_the_thread(self, settings, page):
        loaders.Loader.reads = []
        reader = "tests.engines.loaders.Loader"
        for each in settings.TEMPLATES:
            if each["BACKEND"].endswith("DjangoTemplates"):
                each["OPTIONS"]["loaders"] = [(reader, {each.get("NAME", "django"): "x"})]
        reset()
        await arender(page, ["none", "django"])
        await arender(page, "stock", using="stock")
        assert [name for name, *_ in loaders.Loader.reads].count("stock") == 1
        assert {on_loop for _, on_loop, _ in loaders.Loader.reads} == {False}

    async def test_jinja2s_loader_is_called_in_the_thread(self, settings, page):
        reads = []

        def load(name):
            reads.append((name, loaders.where()[0]))
            return {"page": "{% include 'part' %}", "part": "part"}.get(name)

        settings.TEMPLATES[1]["OPTIONS"]["loader"] = jinja2.FunctionLoader(load)
        reset()
        assert isinstance(engines["jinja2"], Jinja2)
        await aget_template("page", using="jinja2")
        assert reads
        assert {on_loop for _, on_loop in reads} == {False}

    async def test_engines_are_made_in_the_thread(self, settings, page):
        made.clear()
        settings.TEMPLATES[0]["BACKEND"] = f"{__name__}.NotingBackend"
        settings.TEMPLATES[0]["NAME"] = "django"
        reset()
        for _ in range(2):
            await arender(page, "page")
        assert made == [False]


class TestToString:
    async def test_returns_a_string(self, page):
        assert await arender_to_string("page", {"x": "<"}, page) == "django &lt; /page/"
        assert await arender_to_string(["none", "page"], {"x": 1}) == "django 1 "
        assert await arender_to_string("page", using="jinja2", context={"x": 1}) == "jinja2 1 "

    async def test_the_same_as_render_to_string(self, page):
        for using in ("django", "jinja2", "stock"):
            ours = await arender_to_string("page", {"x": "<"}, page, using)
            assert ours == loader.render_to_string("page", {"x": "<"}, page, using)
