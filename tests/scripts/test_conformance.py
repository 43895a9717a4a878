"""scripts/conformance: what it prints, and what its views suite does to Django's tests."""

import asyncio
import importlib
import sys
from inspect import iscoroutinefunction
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest
import run_conformance
from comparison import Excuse, Outcomes
from django.http import HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.test import Client, client, override_settings
from django.urls import path

DJANGO_SUITE = Path(run_conformance.__file__).parent / "django_suite"


@pytest.fixture
def suite(monkeypatch):
    """The modules of the suite that are imported where Django's tests run."""
    monkeypatch.syspath_prepend(DJANGO_SUITE)
    names = ("asgi_client", "replacement", "uses")
    yield SimpleNamespace(**{name: importlib.import_module(name) for name in names})
    for name in names:
        sys.modules.pop(name)


# -- what is printed -------------------------------------------------------------------------------


def test_a_route_that_a_kind_of_thing_never_took_has_failed(capsys):
    stock = Outcomes({"a": "passed"})
    assert run_conformance.report("wsgi", stock, Outcomes({"a": "passed"}, {}, {"views": 1}))
    taken = {"views": 1, "responses": 0}
    assert not run_conformance.report("wsgi", stock, Outcomes({"a": "passed"}, {}, taken))
    printed = capsys.readouterr().out
    assert "1 views, 0 responses routed" in printed
    assert "no responses took this route, so the run shows nothing" in printed


def test_an_excused_failure_is_printed_with_its_reason(capsys):
    stock = Outcomes({"a": "passed"})
    routed = Outcomes({"a": "failed"}, {"a": "Traceback ...\nAssertionError: no"}, {"views": 1})
    assert not run_conformance.report("asgi", stock, routed)
    assert (
        "failed only here: a\n      AssertionError: no\n      | Traceback"
        in capsys.readouterr().out
    )
    excuses = {"a": Excuse("AssertionError: no", "It need not be.")}
    assert run_conformance.report("asgi", stock, routed, excuses)
    assert "failed only here, which is right: a\n      It need not be." in capsys.readouterr().out


def test_every_suite_has_a_stock_route_for_each_of_its_own():
    for suite in run_conformance.SUITES.values():
        assert all(route.startswith("stock") for route in suite.routes.values())
        assert not set(suite.routes) & set(suite.routes.values())


# -- the sync client through the ASGI handler ------------------------------------------------------


def where(request):
    """What the handler made of the request."""
    return JsonResponse(
        {
            "request": type(request).__name__,
            "method": request.method,
            "path": request.path,
            "query": request.GET.dict(),
            "posted": request.POST.dict(),
            "header": request.headers.get("X-Shop"),
            "cookie": request.COOKIES.get("basket"),
            "host": request.get_host(),
            "secure": request.is_secure(),
        }
    )


async def loop(request):
    return HttpResponse(type(asyncio.get_running_loop()).__name__)


urlpatterns = [
    path("where/", where),
    path("wohin/ä/", where),
    path("away/", lambda request: redirect("/where/?from=away")),
    path("loop/", loop),
]


@pytest.fixture
def asgi_client(suite, monkeypatch):
    monkeypatch.setattr(client, "ClientHandler", suite.asgi_client.AsgiClientHandler)
    with override_settings(ROOT_URLCONF=__name__, MIDDLEWARE=[]):
        yield Client()


def test_the_asgi_handler_gets_the_request_that_the_client_made(asgi_client):
    asgi_client.cookies["basket"] = "7"
    response = asgi_client.post(
        "/wohin/ä/?q=ü", {"title": "Öl"}, headers={"X-Shop": "books"}, secure=True
    )
    assert response.json() == {
        "request": "ASGIRequest",
        "method": "POST",
        "path": "/wohin/ä/",
        "query": {"q": "ü"},
        "posted": {"title": "Öl"},
        "header": "books",
        "cookie": "7",
        "host": "testserver",
        "secure": True,
    }


def test_a_scope_has_the_same_address_as_the_environment(suite):
    environ = Client()._base_environ(
        PATH_INFO="/ä/".encode().decode("iso-8859-1"),
        SCRIPT_NAME="/shop",
        QUERY_STRING="a=1",
        HTTP_X_TWO_WORDS="yes",
        CONTENT_LENGTH=12,
        REMOTE_USER="left out",
    )
    scope = suite.asgi_client.scope_from(environ)
    assert (scope["root_path"], scope["path"]) == ("/shop", "/shop/ä/")
    assert scope["query_string"] == b"a=1"
    assert dict(scope["headers"]) == {
        b"x-two-words": b"yes",
        b"content-length": b"12",
        b"cookie": b"",
    }


def test_a_response_over_asgi_has_what_tests_look_at(asgi_client):
    response = asgi_client.get("/away/", follow=True)
    assert response.redirect_chain == [("/where/?from=away", 302)]
    assert response.json()["query"] == {"from": "away"}
    assert response.wsgi_request is response.asgi_request
    assert response.resolver_match.func is where
    assert asgi_client.get("/loop/").content.endswith(b"Loop")


# -- our classes in the place of Django's ----------------------------------------------------------


@pytest.fixture
def modules(monkeypatch):
    """A package with a module of two classes and an exception, and a module with a subclass."""
    theirs, ours = ModuleType("theirs.views"), ModuleType("ours")
    for name, base in (("View", object), ("Mixin", object), ("Failure", Exception)):
        setattr(theirs, name, type(name, (base,), {"__module__": "theirs.views"}))
    theirs.imported = theirs.ListView = type("ListView", (), {"__module__": "elsewhere"})
    ours.View = type("View", (theirs.View,), {})
    ours.Mixin = theirs.Mixin
    package = ModuleType("theirs")
    package.views = theirs
    monkeypatch.setitem(sys.modules, "theirs", package)
    monkeypatch.setitem(sys.modules, "theirs.views", theirs)
    return theirs, ours


def test_a_class_for_which_there_is_none_of_ours_is_named(suite, modules):
    theirs, ours = modules
    with pytest.raises(LookupError, match=r"ours has no subclass .* theirs.views: \['Mixin'\]"):
        suite.replacement.classes_in_place(theirs, ours)
    kept = frozenset({"Mixin"})
    assert suite.replacement.classes_in_place(theirs, ours, kept) == {"View": ours.View}


def test_who_imports_later_finds_ours_and_the_module_stays_as_it_was(suite, modules):
    theirs, ours = modules
    stock = theirs.View
    suite.replacement.replace_in("theirs.views", {"View": ours.View})
    found = importlib.import_module("theirs.views")
    assert found.View is ours.View
    assert found.Mixin is theirs.Mixin
    assert sys.modules["theirs"].views is found
    assert theirs.View is stock


def test_counting_keeps_the_colour_of_a_function(suite):
    calls = []

    async def on_loop():
        return "awaited"

    counted = suite.uses.counted(on_loop, lambda: calls.append("async"))
    assert iscoroutinefunction(counted)
    assert asyncio.run(counted()) == "awaited"
    counted = suite.uses.counted(lambda: "called", lambda: calls.append("sync"))
    assert not iscoroutinefunction(counted)
    assert counted() == "called"
    assert calls == ["async", "sync"]
