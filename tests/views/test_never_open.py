"""What a site's guard refuses stays refused, however the guard is written."""

from functools import lru_cache, partial, partialmethod

import pytest
from django.contrib.auth.decorators import login_required, permission_required
from django.core.exceptions import PermissionDenied
from django.urls import path
from django.utils.decorators import method_decorator

from atemplates import views
from tests.views.serving import Visitor, site
from tests.views.test_auth import (
    OURS,
    PERMISSION,
    PERMITTED,
    SHAPES,
    STOCK,
    TESTED,
    USERS,
    ask,
    avalue,
    guarded,
    statuses,
    users,
)

pytestmark = [pytest.mark.django_db, pytest.mark.exhaustive]
__all__ = ["users"]


async def no():
    return False


async def no_of(self):
    return False


class AsyncNo:
    async def __call__(self, *args):
        return False


class AwaitableNo:
    def __await__(self):
        return no().__await__()


NEVER = {
    "a coroutine of the test": (TESTED, {"test_func": lambda self: no()}),
    "an awaitable of the test": (TESTED, {"test_func": lambda self: AwaitableNo()}),
    "an async object": (TESTED, {"test_func": AsyncNo()}),
    "a static async": (TESTED, {"test_func": staticmethod(no)}),
    "a coroutine of another test": (TESTED, {"get_test_func": lambda self: lambda: no()}),
    "an awaitable of another test": (TESTED, {"get_test_func": lambda self: AwaitableNo}),
    "a partial": (TESTED, {"get_test_func": lambda self: partial(no)}),
    "another async object": (TESTED, {"get_test_func": lambda self: AsyncNo()}),
    "an async getter": (TESTED, {"get_test_func": avalue(no)}),
    "an async getter of a sync test": (TESTED, {"get_test_func": avalue(lambda: False)}),
    "an async getter of a lambda": (TESTED, {"get_test_func": avalue(lambda: no())}),
    "a coroutine of has_permission": (PERMITTED, {"has_permission": lambda self: no()}),
    "an awaitable of has_permission": (PERMITTED, {"has_permission": lambda self: AwaitableNo()}),
    "an async has_permission object": (PERMITTED, {"has_permission": AsyncNo()}),
    "a static has_permission": (PERMITTED, {"has_permission": staticmethod(no)}),
    "a property": (TESTED, {"test_func": property(lambda self: no)}),
    "a partial method": (TESTED, {"test_func": partialmethod(no_of)}),
    "a class method": (TESTED, {"test_func": classmethod(no_of)}),
    "a cached function": (TESTED, {"test_func": lru_cache(no_of)}),
    "a property for another test": (TESTED, {"get_test_func": property(lambda self: lambda: no)}),
    "a property for permissions": (PERMITTED, {"has_permission": property(lambda self: no)}),
    "a partial method for permissions": (PERMITTED, {"has_permission": partialmethod(no_of)}),
}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("module", OURS)
@pytest.mark.parametrize("case", NEVER)
def test_what_means_no_is_never_yes(settings, case, module, shape):
    mixin, attributes = NEVER[case]
    view = guarded(OURS[module], shape, mixin, attributes)
    for on_loop in (False, True):
        answers = ask(settings, view, [None, "able"], on_loop)
        assert not {200} & {*statuses(answers)}


@pytest.mark.parametrize("on_loop", [False, True])
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("module", OURS)
def test_what_is_set_later(settings, module, shape, on_loop):
    later = guarded(OURS[module], shape, TESTED, {})
    later.test_func = no_of
    for view in (
        later.as_view(),
        guarded(OURS[module], shape, TESTED, {}).as_view(test_func=no),
        guarded(OURS[module], shape, PERMITTED, {}).as_view(has_permission=no),
    ):
        settings.ROOT_URLCONF = site(path("page/", view))
        assert Visitor(on_loop=on_loop, user="able").ask().facts["status"] != 200


class AsyncDispatch:
    async def dispatch(self, request, *args, **kwargs):
        if not (await request.auser()).is_staff:
            raise PermissionDenied
        return await super().dispatch(request, *args, **kwargs)


class SyncDispatch:
    def dispatch(self, request, *args, **kwargs):
        if not request.user.is_staff:
            raise PermissionDenied
        return super().dispatch(request, *args, **kwargs)


class AsyncSetup:
    async def setup(self, request, *args, **kwargs):
        await super().setup(request, *args, **kwargs)
        if not (await request.auser()).is_staff:
            raise PermissionDenied


class SyncSetup:
    def setup(self, request, *args, **kwargs):
        super().setup(request, *args, **kwargs)
        if not request.user.is_staff:
            raise PermissionDenied


@pytest.mark.parametrize("on_loop", [False, True])
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("guard", [AsyncDispatch, SyncDispatch, AsyncSetup, SyncSetup])
def test_mixins_of_a_site(settings, guard, shape, on_loop):
    view = type("Guarded", (guard, shape(views)), {})
    assert statuses(ask(settings, view, USERS, on_loop)) == [403, 403, 200]


RULES = {
    "middleware": ("MIDDLEWARE", "tests.views.guards.Banning"),
    "nobody": ("AUTHENTICATION_BACKENDS", "tests.views.guards.NobodyBackend"),
    "nothing": ("AUTHENTICATION_BACKENDS", "tests.views.guards.NoPermissionsBackend"),
    "session": ("SESSION_ENGINE", "tests.views.guards"),
}


def around(decorator, view):
    return decorator(view.as_view())


def on(name):
    return lambda decorator, view: method_decorator(decorator, name=name)(view).as_view()


PLACES = {"as_view": around, "dispatch": on("dispatch"), "get": on("get")}


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("name", ["login", "permission"])
def test_decorators_know_the_rules_of_a_site(settings, name, shape, place, rule):
    """As around Django's sync views."""
    decorator = login_required if name == "login" else permission_required(PERMISSION)
    setting, value = RULES[rule]
    if setting == "MIDDLEWARE":
        value = [*settings.MIDDLEWARE, value]
    setattr(settings, setting, [value] if setting == "AUTHENTICATION_BACKENDS" else value)
    found = []
    for module, on_loop in [(STOCK, False), (views, False), (views, True)]:
        settings.ROOT_URLCONF = site(path("page/", PLACES[place](decorator, shape(module))))
        found.append(Visitor(on_loop=on_loop, user="able").ask().facts["status"])
    assert found == [200 if (name, rule) == ("login", "nothing") else 302] * 3
