"""The access mixins, ours and Django's own in front of our views: who is let in, and at what cost."""

from functools import partial
from itertools import cycle
from types import SimpleNamespace

import pytest
from django.contrib.auth import mixins
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.models import AnonymousUser, Permission, User
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.test import AsyncRequestFactory
from django.urls import path
from django.utils.decorators import method_decorator
from django.views import generic

from atemplates import views
from tests.rendering import run_async
from tests.testapp.models import Region
from tests.views.serving import Visitor, site, template_settings

pytestmark = [pytest.mark.django_db, pytest.mark.exhaustive]

NAMES = ("LoginRequiredMixin", "PermissionRequiredMixin", "UserPassesTestMixin")
DJANGOS = {name: getattr(mixins, name) for name in NAMES}
STOCK = SimpleNamespace(**DJANGOS, ListView=generic.ListView, TemplateView=generic.TemplateView)
MIXED = SimpleNamespace(**DJANGOS, ListView=views.ListView, TemplateView=views.TemplateView)
OURS = {"ours": views, "Django's in front of ours": MIXED}
USERS = [None, "plain", "able"]
PERMISSION = "testapp.view_region"


@pytest.fixture(autouse=True)
def users(settings):
    settings.TEMPLATES = template_settings(
        {"page.html": "{{ user }} {{ user.is_staff }} {{ title }} {{ object_list|length }}"}
    )
    Region.objects.create(name="north")
    User.objects.create_user("plain")
    able = User.objects.create_user("able", is_staff=True)
    able.user_permissions.add(Permission.objects.get(codename="view_region"))


# -- the view behind the guard, in three shapes ----------------------------------------------------


def plain(module):
    class Page(module.ListView):
        model = Region
        template_name = "page.html"

    return Page


def with_sync_hooks(module):
    class Page(plain(module)):
        def get_context_data(self, **kwargs):
            return super().get_context_data(title=self.request.user.username, **kwargs)

    return Page


def with_async_hooks(module):
    if module is STOCK:
        return with_sync_hooks(module)

    class Page(plain(module)):
        async def get_context_data(self, **kwargs):
            title = (await self.request.auser()).username
            return await super().get_context_data(title=title, **kwargs)

    return Page


SHAPES = [plain, with_sync_hooks, with_async_hooks]


def guarded(module, shape, mixin, attributes):
    """A view behind one of the mixins of ``module``."""
    return type("Guarded", (getattr(module, mixin), shape(module)), attributes)


def ask(settings, view, users=USERS, on_loop=False):
    """What each of the users gets."""
    settings.ROOT_URLCONF = site(path("page/", view.as_view()))
    return [
        Visitor(on_loop=on_loop, user=user).ask("/page/?a=1&b=%C3%A9", headers={"X-User": "a"})
        for user in users
    ]


def facts(answers):
    return [answer.facts for answer in answers]


def statuses(answers):
    return [answer.facts["status"] for answer in answers]


# -- the same answers ------------------------------------------------------------------------------


def may_enter(self):
    return self.request.user.username == "able"


async def amay_enter(self):
    return (await self.request.auser()).username == "able"


def raises(error):
    def test(self):
        raise error

    return test


def araises(error):
    async def test(self):
        raise error

    return test


def teapot(self):
    return HttpResponse(f"no, {self.get_permission_denied_message()}", status=418)


async def ateapot(self):
    message = await self.get_permission_denied_message()
    return HttpResponse(f"no, {message}", status=418)


def value(it):
    return lambda self: it


def avalue(it):
    async def hook(self):
        return it

    return hook


def other_test(self):
    return lambda: may_enter(self)


def async_test(self):
    return partial(amay_enter, self)


def async_test_of_the_class(self):
    return self.afunc


LOGIN, PERMITTED, TESTED = NAMES
MESSAGE = {"permission_denied_message": "no entry"}
RAISING = {**MESSAGE, "raise_exception": True}

# The mixin, its attributes in Django's view, and in ours where they differ.
CASES = {
    "login": (LOGIN, {}),
    "login elsewhere": (LOGIN, {"login_url": "/in/?c=d", "redirect_field_name": "to"}),
    "login at another site": (LOGIN, {"login_url": "https://else.where/in/"}),
    "login without a field": (LOGIN, {"redirect_field_name": None}),
    "login or 403": (LOGIN, RAISING),
    "login, hooks": (
        LOGIN,
        {"get_login_url": value("/in/"), "get_redirect_field_name": value("to")},
        {"get_login_url": avalue("/in/"), "get_redirect_field_name": avalue("to")},
    ),
    "login, no permission": (
        LOGIN,
        {**MESSAGE, "handle_no_permission": teapot},
        {**MESSAGE, "handle_no_permission": ateapot},
    ),
    "permission": (PERMITTED, {"permission_required": PERMISSION}),
    "permission or 403": (PERMITTED, {"permission_required": [PERMISSION], **RAISING}),
    "permissions": (PERMITTED, {"permission_required": (PERMISSION, "testapp.add_region")}),
    "permission, none": (PERMITTED, {}),
    "permission, hooks": (
        PERMITTED,
        {"get_permission_required": value([PERMISSION]), **MESSAGE},
        {"get_permission_required": avalue([PERMISSION]), **MESSAGE},
    ),
    "permission, its own": (
        PERMITTED,
        {"has_permission": may_enter, **MESSAGE},
        {"has_permission": amay_enter, **MESSAGE},
    ),
    "permission, its message": (
        PERMITTED,
        {"has_permission": value(False), "get_permission_denied_message": value("not you")},
        {"has_permission": avalue(False), "get_permission_denied_message": avalue("not you")},
    ),
    "permission, raises": (
        PERMITTED,
        {"has_permission": raises(ValueError("x"))},
        {"has_permission": araises(ValueError("x"))},
    ),
    "test": (TESTED, {"test_func": may_enter, **MESSAGE}),
    "test, async": (TESTED, {"test_func": may_enter}, {"test_func": amay_enter}),
    "test, missing": (TESTED, {}),
    "test, none": (TESTED, {"test_func": value(None)}, {"test_func": avalue(None)}),
    "test, true": (TESTED, {"test_func": value(["x"])}, {"test_func": avalue(["x"])}),
    "test, 403": (
        TESTED,
        {"test_func": raises(PermissionDenied("why"))},
        {"test_func": araises(PermissionDenied("why"))},
    ),
    "test, 404": (
        TESTED,
        {"test_func": raises(Http404("why"))},
        {"test_func": araises(Http404("why"))},
    ),
    "test, error": (
        TESTED,
        {"test_func": raises(KeyError("why"))},
        {"test_func": araises(KeyError("why"))},
    ),
    "another test": (TESTED, {"get_test_func": other_test}),
    "another test, async": (
        TESTED,
        {"get_test_func": other_test},
        {"get_test_func": async_test},
    ),
    "another test of the class": (
        TESTED,
        {"get_test_func": other_test},
        {"get_test_func": async_test_of_the_class, "afunc": amay_enter},
    ),
    "test, no permission": (
        TESTED,
        {"test_func": may_enter, "handle_no_permission": teapot, **MESSAGE},
        {"test_func": amay_enter, "handle_no_permission": ateapot, **MESSAGE},
    ),
}


# Each case meets each of the mixins, in front of the shapes in turn: all with all take minutes.
PAIRS = [(case, module) for case in CASES for module in OURS]
IN_TURN = [(*pair, shape) for pair, shape in zip(PAIRS, cycle(SHAPES), strict=False)]


@pytest.mark.parametrize(("case", "module", "shape"), IN_TURN)
def test_the_same_answers(settings, case, module, shape):
    mixin, stocks, *ours = CASES[case]
    expected = ask(settings, guarded(STOCK, shape, mixin, stocks))
    for attributes in (stocks, *ours):
        view = guarded(OURS[module], shape, mixin, attributes)
        assert facts(ask(settings, view)) == facts(expected)
        on_loop = ask(settings, view, on_loop=True)
        assert facts(on_loop) == facts(expected)
        if attributes is stocks and shape is not with_async_hooks:
            for answer, stock in zip(on_loop, expected, strict=True):
                assert len(answer.queries) <= len(stock.queries)


def test_the_cases_let_some_in_and_some_not(settings):
    """What is compared above is not always the same."""
    found = {
        case: statuses(ask(settings, guarded(STOCK, plain, mixin, stocks)))
        for case, (mixin, stocks, *_) in CASES.items()
    }
    assert found["login"] == [302, 200, 200]
    assert found["login or 403"] == [403, 200, 200]
    assert found["permission"] == found["test"] == found["another test"] == [302, 403, 200]
    assert found["permissions"] == [302, 403, 403]
    assert found["login, no permission"] == [418, 200, 200]
    assert found["test, true"] == [200, 200, 200]
    assert found["permission, none"] == found["test, missing"] == [500, 500, 500]


def test_no_login_page(settings):
    settings.LOGIN_URL = ""
    expected = facts(ask(settings, guarded(STOCK, plain, LOGIN, {})))
    assert expected[0]["status"] == 500
    assert facts(ask(settings, guarded(views, plain, LOGIN, {}), on_loop=True)) == expected


class TestQueries:
    @pytest.mark.parametrize("module", OURS)
    @pytest.mark.parametrize("shape", SHAPES)
    @pytest.mark.parametrize("case", ["login", "permission", "test"])
    def test_the_user_is_loaded_once(self, settings, case, shape, module):
        mixin, attributes = CASES[case]
        view = guarded(OURS[module], shape, mixin, attributes)
        (answer,) = ask(settings, view, ["able"], on_loop=True)
        assert answer.facts["status"] == 200
        loads = [query for query in answer.queries if 'FROM "auth_user" WHERE' in query]
        assert len(loads) == (
            2 if shape is with_async_hooks and loads_by_itself(case, module) else 1
        )


def loads_by_itself(case, module):
    """Whether ``request.auser()`` of a hook finds nothing of what the guard has loaded."""
    return case == "test" or module != "ours"


# -- never open ------------------------------------------------------------------------------------

GUARDS = {
    LOGIN: {},
    PERMITTED: {"permission_required": PERMISSION},
    TESTED: {"test_func": lambda self: self.request.user.is_authenticated},
}


@pytest.fixture(params=GUARDS)
def guard(request):
    return request.param, GUARDS[request.param]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("module", OURS)
class TestTheSitesOwnRules:
    """A rule that only sync code knows holds on the event loop."""

    def expect(self, settings, guard, module, shape, expected, user="able"):
        for view_of, on_loop in [(STOCK, False), (OURS[module], False), (OURS[module], True)]:
            (answer,) = ask(settings, guarded(view_of, shape, *guard), [user], on_loop)
            assert answer.facts["status"] == expected

    def test_a_backend_that_loads_nobody(self, settings, guard, module, shape):
        settings.AUTHENTICATION_BACKENDS = ["tests.views.guards.NobodyBackend"]
        self.expect(settings, guard, module, shape, 302)

    def test_a_backend_that_grants_nothing(self, settings, module, shape):
        settings.AUTHENTICATION_BACKENDS = ["tests.views.guards.NoPermissionsBackend"]
        self.expect(settings, (PERMITTED, GUARDS[PERMITTED]), module, shape, 403)

    def test_a_session_store(self, settings, guard, module, shape):
        settings.SESSION_ENGINE = "tests.views.guards"
        self.expect(settings, guard, module, shape, 302)

    @pytest.mark.parametrize("name", ["Banning", "BanningLazily", "BanningAfterALook"])
    def test_a_middleware(self, settings, guard, module, shape, name):
        settings.MIDDLEWARE = [*settings.MIDDLEWARE, f"tests.views.guards.{name}"]
        self.expect(settings, guard, module, shape, 302)

    def test_a_middleware_that_gives_another_user(self, settings, module, shape):
        settings.MIDDLEWARE = [*settings.MIDDLEWARE, "tests.views.guards.Replacing"]
        self.expect(settings, (PERMITTED, GUARDS[PERMITTED]), module, shape, 403)
        self.expect(settings, (LOGIN, {}), module, shape, 200, user=None)

    def test_no_auser(self, settings, guard, module, shape):
        if shape is with_async_hooks:
            pytest.skip("the async hook of this view asks request.auser(), which is missing here")
        settings.MIDDLEWARE = [*settings.MIDDLEWARE, "tests.views.guards.WithoutAuser"]
        self.expect(settings, guard, module, shape, 200)
        self.expect(settings, guard, module, shape, 302, user=None)


def sync_dispatch(self, request, *args, **kwargs):
    response = super(type(self), self).dispatch(request, *args, **kwargs)
    response["X-Dispatched"] = "yes"
    return response


async def async_dispatch(self, request, *args, **kwargs):
    response = await super(type(self), self).dispatch(request, *args, **kwargs)
    response["X-Dispatched"] = "yes"
    return response


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("module", OURS)
def test_a_dispatch_of_the_site_in_front(settings, guard, module, shape):
    mixin, attributes = guard
    stock = guarded(STOCK, shape, mixin, {**attributes, "dispatch": sync_dispatch})
    expected = facts(ask(settings, stock))
    assert [each["status"] for each in expected][::2] == [302, 200]
    assert expected[0]["headers"]["X-Dispatched"] == "yes"
    for dispatch in (sync_dispatch, async_dispatch):
        if module != "ours" and dispatch is async_dispatch:
            continue  # Django's dispatch is a `def`, which cannot be awaited
        view = guarded(OURS[module], shape, mixin, {**attributes, "dispatch": dispatch})
        assert facts(ask(settings, view)) == expected
        assert facts(ask(settings, view, on_loop=True)) == expected


@pytest.mark.parametrize("shape", SHAPES)
def test_login_required_middleware(settings, shape):
    name = "django.contrib.auth.middleware.LoginRequiredMiddleware"
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, name]
    for module in (STOCK, views):
        for on_loop in (False, True)[: 1 if module is STOCK else 2]:
            assert statuses(ask(settings, shape(module), on_loop=on_loop)) == [302, 200, 200]
            free = method_decorator(login_not_required, name="dispatch")(shape(module))
            settings.ROOT_URLCONF = site(path("page/", free.as_view()))
            assert Visitor(on_loop=on_loop).ask().facts["status"] == 200
            settings.ROOT_URLCONF = site(path("page/", login_not_required(shape(module).as_view())))
            assert Visitor(on_loop=on_loop).ask().facts["status"] == 200


# -- requests without a handler --------------------------------------------------------------------


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("module", OURS)
class TestRequestFactory:
    @pytest.fixture(params=["sync", "async"])
    def request_(self, request, rf):
        factory = rf if request.param == "sync" else AsyncRequestFactory()
        return factory.get("/page/")

    def test_user_without_auser(self, request_, guard, module, shape):
        if shape is with_async_hooks:
            pytest.skip("the async hook of this view asks request.auser(), which is missing here")
        view = guarded(OURS[module], shape, *guard).as_view()
        request_.user = User.objects.get(username="able")
        assert run_async(view, request_).status_code == 200
        assert view(request_).status_code == 200
        request_.user = AnonymousUser()
        assert run_async(view, request_).status_code == 302
        assert view(request_).status_code == 302

    def test_no_user_at_all(self, request_, guard, module, shape):
        view = guarded(OURS[module], shape, *guard).as_view()
        with pytest.raises(AttributeError, match="user"):
            run_async(view, request_)
        with pytest.raises(AttributeError, match="user"):
            view(request_)
