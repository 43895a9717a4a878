"""`atemplates.views.defaults` as ``handler404`` and its siblings, and awaited: Django's own answers."""

import inspect
from functools import partial
from types import SimpleNamespace

import pytest
from django.contrib.auth.models import User
from django.core.checks.urls import check_custom_error_handlers, check_url_config
from django.core.exceptions import BadRequest, DisallowedHost, PermissionDenied, SuspiciousOperation
from django.core.management import call_command
from django.http import Http404
from django.template import TemplateDoesNotExist, TemplateSyntaxError
from django.test import AsyncRequestFactory
from django.urls import path
from django.views import defaults as stock
from django.views import generic

from atemplates import views
from atemplates.errors import NotAwaited
from atemplates.views import defaults
from tests.engines.conftest import in_memory
from tests.rendering import run_async
from tests.views import noting_tags
from tests.views.serving import LIBRARIES, Visitor, site

pytestmark = [pytest.mark.django_db, pytest.mark.exhaustive]

NAMES = {
    400: "bad_request",
    403: "permission_denied",
    404: "page_not_found",
    500: "server_error",
}
PAGE = "{{ request_path }} | {{ exception }} | {{ user }} | {{ request.path }}"
PLAIN = {f"{status}.html": f"{status} {PAGE}" for status in NAMES}
SITES = {
    "plain": PLAIN,
    "none": {},
    "tokens": {name: page + "{% csrf_token %}" for name, page in PLAIN.items()},
    "extending": {
        "base.html": "<title>{% block title %}{% endblock %}</title>{{ user }}",
        **{
            name: "{% extends 'base.html' %}{% block title %}" + page + "{% endblock %}"
            for name, page in PLAIN.items()
        },
    },
    "broken": {name: page + "{% include 'missing.html' %}" for name, page in PLAIN.items()},
    "broken but for 500": {
        name: page + ("" if name == "500.html" else "{% include 'missing.html' %}")
        for name, page in PLAIN.items()
    },
}
ERRORS = {
    "404": Http404(),
    "404 with a message": Http404("<no> such ‘page’"),
    "404 with a dict": Http404({"path": "x"}),
    "404 with two": Http404("first", "second"),
    "403": PermissionDenied(),
    "403 with a message": PermissionDenied("<not> you"),
    "400": BadRequest("bad & wrong"),
    "suspicious": SuspiciousOperation("odd"),
    "host": DisallowedHost("odd host"),
    "500": ValueError("oops"),
}


def use_templates(settings, templates, **options):
    """Have these templates and no others: not those of the apps, which have a 404.html."""
    settings.TEMPLATES = [
        {
            "BACKEND": "atemplates.engines.django.DjangoTemplates",
            "OPTIONS": {
                "loaders": in_memory(templates),
                "libraries": LIBRARIES,
                "inline_tags": ["noting"],
                "context_processors": settings.CONTEXT_PROCESSORS,
                **options,
            },
        }
    ]


def raising(error):
    def view(request):
        raise error

    return view


def raising_async(error):
    async def view(request):
        raise error

    return view


def raising_class(error, module=views):
    class View(module.TemplateView):
        def get_context_data(self, **kwargs):
            raise error

    return View.as_view()


def raising_async_hook(error):
    class View(views.TemplateView):
        async def get_context_data(self, **kwargs):
            raise error

    return View.as_view()


VIEWS = [raising, raising_async, raising_class, raising_async_hook]


def named(module):
    """The handlers as a urlconf names them."""
    return {f"handler{status}": f"{module.__name__}.{name}" for status, name in NAMES.items()}


def functions(module):
    return {f"handler{status}": getattr(module, name) for status, name in NAMES.items()}


def context(response):
    """What the templates had, but for what is another object or token each time."""
    found = {}
    for each in response.context or ():
        found.update(each.flatten() if hasattr(each, "flatten") else each)
    return {
        name: str(value)
        for name, value in found.items()
        if name not in {"block", "csrf_token", "perms", "request", "messages", "sql_queries"}
    }


def ask(settings, handlers, view, on_loop, address="/page%20x/", **options):
    settings.ROOT_URLCONF = site(path("page x/", view), **handlers)
    try:
        answer = Visitor(on_loop=on_loop, **options).ask(address)
    except TemplateDoesNotExist as error:  # of the page for errors
        return "raised", str(error)
    return answer.facts, context(answer.response)


@pytest.mark.parametrize("templates", SITES)
@pytest.mark.parametrize("error", ERRORS)
def test_the_same_answers(settings, error, templates):
    use_templates(settings, SITES[templates])
    stock_view = raising_class(ERRORS[error], generic)
    expected = ask(settings, named(stock), stock_view, on_loop=False)
    for view in VIEWS:
        for on_loop in (False, True):
            assert ask(settings, named(defaults), view(ERRORS[error]), on_loop) == expected
    assert ask(settings, functions(defaults), raising(ERRORS[error]), True) == expected


@pytest.mark.parametrize("templates", SITES)
def test_an_address_that_is_not_there(settings, templates):
    use_templates(settings, SITES[templates])
    for address in ("/other/", "/<b>/", "/page x"):
        expected = ask(settings, named(stock), raising(None), False, address)
        for on_loop in (False, True):
            assert ask(settings, named(defaults), raising(None), on_loop, address) == expected


def test_the_pages_are_those_of_the_templates(settings):
    """What is compared above is not always Django's page without a template."""
    use_templates(settings, SITES["plain"])
    found = {
        error: ask(settings, named(defaults), raising(ERRORS[error]), True)[0] for error in ERRORS
    }
    assert [each["status"] for each in found.values()] == [404] * 4 + [403] * 2 + [400] * 3 + [500]
    assert found["404 with a message"]["content"].startswith(
        "404 /page%20x/ | &lt;no&gt; such ‘page’ | AnonymousUser | /page x/"
    )
    assert found["500"]["content"] == "500  |  |  | "
    use_templates(settings, SITES["broken but for 500"])
    facts, _ = ask(settings, named(defaults), raising(ERRORS["403"]), True)
    assert (facts["status"], facts["content"]) == (500, "500  |  |  | ")


class TestTokensInSessions:
    @pytest.fixture(autouse=True)
    def in_sessions(self, settings):
        settings.CSRF_USE_SESSIONS = True
        use_templates(settings, SITES["tokens"])

    @pytest.mark.parametrize("error", ["404", "403", "400"])
    def test_as_handlers(self, settings, error):
        expected = ask(settings, named(stock), raising(ERRORS[error]), False)
        assert "csrfmiddlewaretoken" in expected[0]["content"]
        for view in VIEWS:
            for on_loop in (False, True):
                assert ask(settings, named(defaults), view(ERRORS[error]), on_loop) == expected

    @pytest.mark.parametrize("on_loop", [False, True])
    def test_the_token_is_that_of_the_session(self, settings, on_loop):
        """A page of the site posts what the error page gave it."""
        view = raising(ERRORS["404"])
        settings.ROOT_URLCONF = site(path("page/", view), **named(defaults))
        visitor = Visitor(on_loop=on_loop, enforce_csrf_checks=True)
        token = visitor.ask().response.context["csrf_token"]
        refused = visitor.ask("/page/", "post", data={})
        taken = visitor.ask("/page/", "post", data={"csrfmiddlewaretoken": str(token)})
        assert (refused.facts["status"], taken.facts["status"]) == (403, 404)

    @pytest.mark.parametrize("middleware", ["", "CsrfViewMiddleware"])
    @pytest.mark.parametrize("user", [None, "plain"])
    def test_awaited_in_a_view(self, settings, user, middleware):
        """Without Django's middleware, it is the handler that reads the session first."""
        User.objects.create_user("plain")
        if middleware:
            settings.MIDDLEWARE = [each for each in settings.MIDDLEWARE if middleware not in each]

        async def view(request):
            return await defaults.page_not_found(request, Http404("here"))

        def stock_view(request):
            return stock.page_not_found(request, Http404("here"))

        expected = ask(settings, {}, stock_view, False, user=user)
        assert "csrfmiddlewaretoken" in expected[0]["content"]
        assert ask(settings, {}, view, True, user=user) == expected
        assert ask(settings, {}, view, False, user=user) == expected


ARGUMENTS = {
    "page_not_found": (Http404("why"),),
    "permission_denied": (PermissionDenied("why"),),
    "bad_request": (BadRequest("why"),),
    "server_error": (),
}


@pytest.fixture(params=ARGUMENTS)
def handler(request):
    name = request.param
    return SimpleNamespace(
        name=name,
        ours=getattr(defaults, name),
        stock=getattr(stock, name),
        arguments=ARGUMENTS[name],
        template=next(f"{status}.html" for status, each in NAMES.items() if each == name),
    )


def awaited(handler, *args, **kwargs):
    """What a handler gives on the event loop; it is no coroutine function to whom looks at it."""

    async def respond():
        return await handler(*args, **kwargs)

    return run_async(respond)


class TestAwaited:
    @pytest.fixture(params=["sync", "async"])
    def page(self, request, rf):
        return (rf if request.param == "sync" else AsyncRequestFactory()).get("/page é/?a=b")

    @pytest.mark.parametrize("templates", ["plain", "none", "extending"])
    def test_the_same_response(self, settings, page, handler, templates):
        use_templates(
            settings,
            SITES[templates],
            context_processors=["django.template.context_processors.request"],
        )
        expected = handler.stock(page, *handler.arguments)
        for response in (
            awaited(handler.ours, page, *handler.arguments),
            handler.ours(page, *handler.arguments),
        ):
            assert type(response) is type(expected)
            assert response.content == expected.content
            assert response.headers == expected.headers
            assert response.status_code == expected.status_code

    def test_rendered_on_the_loop(self, settings, page, handler):
        settings.CONTEXT_PROCESSORS = []
        use_templates(settings, {handler.template: "{% load noting %}{% place %}"})
        noting_tags.rendered_on_loop.clear()
        handler.ours(page, *handler.arguments)
        awaited(handler.ours, page, *handler.arguments)
        assert noting_tags.rendered_on_loop == [False, True]

    def test_another_template(self, settings, page, handler):
        use_templates(settings, {"mine.html": "mine"}, context_processors=[])
        for arguments, named_arguments in [
            ((*handler.arguments, "mine.html"), {}),
            (handler.arguments, {"template_name": "mine.html"}),
        ]:
            for call in (partial(awaited, handler.ours), handler.ours):
                assert call(page, *arguments, **named_arguments).content == b"mine"

    def test_another_template_that_is_missing(self, settings, page, handler):
        use_templates(settings, PLAIN, context_processors=[])
        with pytest.raises(TemplateDoesNotExist, match=r"mine\.html"):
            handler.stock(page, *handler.arguments, "mine.html")
        with pytest.raises(TemplateDoesNotExist, match=r"mine\.html"):
            handler.ours(page, *handler.arguments, "mine.html")
        with pytest.raises(TemplateDoesNotExist, match=r"mine\.html"):
            awaited(handler.ours, page, *handler.arguments, "mine.html")

    def test_a_template_with_an_error(self, settings, page, handler):
        use_templates(settings, {handler.template: "{% nothing %}"}, context_processors=[])
        with pytest.raises(TemplateSyntaxError, match="nothing"):
            handler.ours(page, *handler.arguments)
        with pytest.raises(TemplateSyntaxError, match="nothing"):
            awaited(handler.ours, page, *handler.arguments)

    def test_forgotten_to_await(self, settings, page, handler):
        use_templates(settings, PLAIN, context_processors=[])

        async def forgetful():
            return handler.ours(page, *handler.arguments).status_code

        with pytest.raises(NotAwaited, match=rf"`await {handler.name}\(request"):
            run_async(forgetful)


class TestChecks:
    @pytest.mark.parametrize("handlers", [named, functions])
    def test_the_system_check_passes(self, settings, handlers):
        settings.ROOT_URLCONF = site(path("page/", raising(None)), **handlers(defaults))
        assert check_custom_error_handlers(None) == []
        assert check_url_config(None) == []
        call_command("check", tags=["urls"], fail_level="WARNING")

    def test_it_would_find_a_wrong_one(self, settings):
        wrong = {"handler404": f"{defaults.__name__}.server_error_of_nobody"}
        settings.ROOT_URLCONF = site(**wrong)
        assert [each.id for each in check_custom_error_handlers(None)] == ["urls.E008"]

    def test_the_signatures_are_djangos(self, handler):
        ours, stocks = inspect.signature(handler.ours), inspect.signature(handler.stock)
        assert [*ours.parameters] == [*stocks.parameters]
        for name, parameter in stocks.parameters.items():
            assert ours.parameters[name].default == parameter.default
