"""Decorators around our views: the answers are those of Django's sync view with the same decorator."""

import itertools
from functools import wraps
from types import SimpleNamespace

import pytest
from asgiref.sync import iscoroutinefunction
from django import forms
from django.contrib.auth.decorators import login_required, permission_required
from django.contrib.auth.models import Permission, User
from django.core.cache import caches
from django.core.management import call_command
from django.db import connections, transaction
from django.urls import path
from django.utils.decorators import method_decorator
from django.views import generic
from django.views.decorators.cache import cache_control, cache_page, never_cache
from django.views.decorators.clickjacking import xframe_options_exempt
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import condition, etag, require_http_methods
from django.views.decorators.vary import vary_on_cookie, vary_on_headers

from atemplates import views
from tests.testapp.models import Region
from tests.views.serving import Visitor, site, template_settings

pytestmark = [pytest.mark.django_db, pytest.mark.exhaustive]

TEMPLATES = {
    "list.html": "{{ visit }} {{ user }} {% for each in object_list %}{{ each }} {% endfor %}"
    + "long " * 100,
    "form.html": "{{ visit }} {% csrf_token %}{{ form }}" + "long " * 100,
}
VISITS = SimpleNamespace(numbers=itertools.count())


def visit():
    """The number of the visit: a page out of the cache has an earlier one."""
    return next(VISITS.numbers)


class NameForm(forms.Form):
    name = forms.CharField()


def list_view(module):
    """A view without hooks of its own."""

    class List(module.ListView):
        model = Region
        template_name = "list.html"
        extra_context = {"visit": visit}

    return List


def form_view(module):
    class Form(module.FormView):
        form_class = NameForm
        template_name = "form.html"
        success_url = "/done/"
        extra_context = {"visit": visit}

    return Form


def with_sync_hooks(view):
    class Sync(view):
        def get_context_data(self, **kwargs):
            return super().get_context_data(more=Region.objects.count(), **kwargs)

        def render_to_response(self, context, **kwargs):
            return super().render_to_response(context, **kwargs)

    return Sync


def with_async_hooks(view):
    class Async(view):
        async def get_context_data(self, **kwargs):
            return await super().get_context_data(more=await Region.objects.acount(), **kwargs)

        async def render_to_response(self, context, **kwargs):
            return await super().render_to_response(context, **kwargs)

    return Async


def with_no_hooks(view):
    return view


def with_sync_handler(view):
    class Sync(view):
        def get(self, request, *args, **kwargs):
            return super().get(request, *args, **kwargs)

    return Sync


def with_async_handler(view):
    class Async(view):
        async def get(self, request, *args, **kwargs):
            return await super().get(request, *args, **kwargs)

    return Async


# What the site writes, and what is the same of Django's sync views.
HOOKS = {
    with_no_hooks: with_no_hooks,
    with_sync_hooks: with_sync_hooks,
    with_async_hooks: with_sync_hooks,
    with_sync_handler: with_sync_handler,
    with_async_handler: with_sync_handler,
}


def around_as_view(decorator, view, handler):
    return decorator(view.as_view())


def on_dispatch(decorator, view, handler):
    return method_decorator(decorator, name="dispatch")(view).as_view()


def on_handler(decorator, view, handler):
    return method_decorator(decorator, name=handler)(view).as_view()


PLACES = [around_as_view, on_dispatch, on_handler]


def sync_only(view):
    def wrapper(request, *args, **kwargs):
        response = view(request, *args, **kwargs)
        response["X-Site"] = str(response.status_code)
        return response

    return wrapper


def sync_only_with_wraps(view):
    return wraps(view)(sync_only(view))


def sync_only_that_asks_the_database(view):
    def wrapper(request, *args, **kwargs):
        response = view(request, *args, **kwargs)
        response["X-Site"] = str(Region.objects.count())
        return response

    return wrapper


def async_only(view):
    async def wrapper(request, *args, **kwargs):
        response = await view(request, *args, **kwargs)
        response["X-Site"] = str(response.status_code)
        return response

    return wrapper


def async_only_with_wraps(view):
    return wraps(view)(async_only(view))


def with_tag(request, *args, **kwargs):
    return f'"{request.path}"'


def cached(view):
    return cache_page(60)(view)


GET = ("get", {})
POST = ("post", {"data": {"name": "a"}})
GZIP = ("get", {"headers": {"accept-encoding": "gzip"}})
SAME_TAG = ("get", {"headers": {"if-none-match": '"/page/"'}})
EVERYONE = [None, "plain", "able"]

# The decorator, the view it is on, who asks, and what.
CASES = {
    "login": (login_required, list_view, EVERYONE, [GET, ("head", {})]),
    "login elsewhere": (
        login_required(login_url="/in/", redirect_field_name="to"),
        list_view,
        EVERYONE,
        [("get", {"data": {"page": "2"}})],
    ),
    "permission": (permission_required("testapp.view_region"), list_view, EVERYONE, [GET]),
    "permission or 403": (
        permission_required(["testapp.view_region"], raise_exception=True),
        list_view,
        EVERYONE,
        [GET],
    ),
    "csrf_exempt": (csrf_exempt, form_view, [None], [GET, POST]),
    "csrf_protect": (csrf_protect, form_view, [None], [POST, GET, POST]),
    "cache_page": (cached, list_view, [None, "plain"], [GET, GET, ("head", {}), POST]),
    "never_cache": (never_cache, list_view, [None], [GET]),
    "cache_control": (cache_control(max_age=9, private=True), list_view, [None], [GET]),
    "vary_on_headers": (vary_on_headers("X-A", "X-B"), list_view, [None], [GET]),
    "vary_on_cookie": (vary_on_cookie, list_view, [None], [GET]),
    "methods": (require_http_methods(["GET"]), list_view, [None], [GET, POST, ("head", {})]),
    "xframe": (xframe_options_exempt, list_view, [None], [GET]),
    "condition": (condition(etag_func=with_tag), list_view, [None], [GET, SAME_TAG]),
    "etag": (etag(with_tag), list_view, ["plain"], [GET, SAME_TAG]),
    "gzip": (gzip_page, list_view, [None, "plain"], [GET, GZIP]),
    "non_atomic": (transaction.non_atomic_requests, list_view, [None], [GET]),
    "sync only": (sync_only, list_view, [None, "plain"], [GET, POST]),
    "sync only, of a form": (sync_only, form_view, ["plain"], [GET, POST]),
    "sync only with wraps": (sync_only_with_wraps, list_view, [None, "plain"], [GET, POST]),
    "sync only that asks": (sync_only_that_asks_the_database, list_view, [None], [GET]),
    "async only": (async_only, list_view, [None, "plain"], [GET, POST]),
    "async only with wraps": (async_only_with_wraps, list_view, [None, "plain"], [GET, POST]),
}
SYNC_TWINS = {async_only: sync_only, async_only_with_wraps: sync_only_with_wraps}
HANDLERS = {list_view: "get", form_view: "post"}


@pytest.fixture(autouse=True)
def visited(settings):
    settings.TEMPLATES = template_settings(TEMPLATES)
    settings.MIDDLEWARE = [
        *settings.MIDDLEWARE,
        "django.middleware.clickjacking.XFrameOptionsMiddleware",
    ]
    Region.objects.create(name="north")
    User.objects.create_user("plain")
    able = User.objects.create_user("able")
    able.user_permissions.add(Permission.objects.get(codename="view_region"))


def answers(settings, view, users, requests, on_loop, **options):
    """What each user gets; the numbers of the visits and the caches begin anew."""
    settings.ROOT_URLCONF = site(path("page/", view))
    VISITS.numbers = itertools.count(1)
    caches["default"].clear()
    found = []
    for user in users:
        visitor = Visitor(on_loop=on_loop, user=user, **options)
        for method, how in requests:
            found.append((user, method, visitor.ask("/page/", method, **how).facts))
    return found


def compare(settings, case, hooks, place, monkeypatch):
    """Ask Django's view by the sync client, and ours by both."""
    decorator, make, users, requests = CASES[case]
    if case == "csrf_protect":
        settings.MIDDLEWARE = [each for each in settings.MIDDLEWARE if "Csrf" not in each]
    if case == "non_atomic":
        monkeypatch.setitem(connections.settings["default"], "ATOMIC_REQUESTS", True)
    handler = HANDLERS[make]
    asked = {"users": users, "requests": requests, "enforce_csrf_checks": make is form_view}
    stock = place(SYNC_TWINS.get(decorator, decorator), HOOKS[hooks](make(generic)), handler)
    expected = answers(settings, stock, on_loop=False, **asked)
    ours = place(decorator, hooks(make(views)), handler)
    assert answers(settings, ours, on_loop=False, **asked) == expected
    assert answers(settings, ours, on_loop=True, **asked) == expected
    return expected


def makes_sense(case, hooks, place):
    """Whether Django has an answer."""
    decorator, make, *_ = CASES[case]
    if make is form_view and "handler" in hooks.__name__:
        return False  # it has more handlers than one, which are all sync or all async
    if decorator in SYNC_TWINS and hooks is with_sync_handler:
        return False  # what it awaits is sync
    return not (case == "non_atomic" and place is on_handler)  # not looked for there


# Each decorator stands in each place, around every other shape of view: all with all take minutes.
TABLE = [
    pytest.param(*row, id="-".join([row[0], row[1].__name__, row[2].__name__]))
    for number, row in enumerate(itertools.product(CASES, HOOKS, PLACES))
    if makes_sense(*row) and number % 2 == 0
]


@pytest.mark.parametrize(("case", "hooks", "place"), TABLE)
def test_the_same_answers(settings, monkeypatch, case, hooks, place):
    compare(settings, case, hooks, place, monkeypatch)


WHAT_THEY_DO = {
    "login": lambda found: {each["status"] for each in found} == {200, 302},
    "permission or 403": lambda found: [each["status"] for each in found] == [403, 403, 200],
    "csrf_exempt": lambda found: [each["status"] for each in found] == [200, 302],
    "csrf_protect": lambda found: [each["status"] for each in found] == [403, 200, 403],
    "cache_page": lambda found: found[0]["content"] == found[1]["content"],
    "methods": lambda found: [each["status"] for each in found] == [200, 405, 405],
    "xframe": lambda found: "X-Frame-Options" not in found[0]["headers"],
    "condition": lambda found: [each["status"] for each in found] == [200, 304],
    "gzip": lambda found: found[1]["headers"]["Content-Encoding"] == "gzip",
    "sync only": lambda found: [each["headers"]["X-Site"] for each in found] == ["200", "405"] * 2,
    "async only": lambda found: [each["headers"]["X-Site"] for each in found] == ["200", "405"] * 2,
    "non_atomic": lambda found: found[0]["status"] == 200,
}


@pytest.mark.parametrize("case", WHAT_THEY_DO)
def test_the_decorators_do_something(settings, monkeypatch, case):
    """What is compared above is not an error page, nor the page without the decorator."""
    found = compare(settings, case, with_no_hooks, around_as_view, monkeypatch)
    assert WHAT_THEY_DO[case]([facts for *_, facts in found])


class TestCachedInTheDatabase:
    """A cache that cannot be asked on the event loop."""

    @pytest.fixture(autouse=True)
    def database_cache(self, settings):
        settings.DATABASE_ROUTERS = []
        settings.CACHES = {
            "default": {
                "BACKEND": "django.core.cache.backends.db.DatabaseCache",
                "LOCATION": "cache_of_a_test",
            }
        }
        call_command("createcachetable", verbosity=0)

    @pytest.mark.parametrize(
        ("hooks", "place"),
        [
            *((hooks, on_dispatch) for hooks in HOOKS),
            *((hooks, on_handler) for hooks in HOOKS if hooks is not with_async_handler),
            *((hooks, around_as_view) for hooks in HOOKS if hooks is not with_async_handler),
        ],
    )
    def test_the_second_page_is_that_of_the_first(self, settings, monkeypatch, hooks, place):
        found = compare(settings, "cache_page", hooks, place, monkeypatch)
        contents = [facts["content"] for *_, facts in found]
        assert contents[0] == contents[1]
        assert contents[4] == contents[5]

    @pytest.mark.parametrize("place", PLACES)
    def test_with_async_render_mixin(self, settings, place):
        view = with_sync_hooks(list_view(generic))
        ours = type("Ours", (views.AsyncRenderMixin, view), {})
        expected = answers(settings, place(cached, view, "get"), [None], [GET, GET], False)
        assert answers(settings, place(cached, ours, "get"), [None], [GET, GET], True) == expected
        assert expected[0][2]["content"] == expected[1][2]["content"]

    @pytest.mark.parametrize(
        ("hooks", "place"),
        [
            (with_async_handler, around_as_view),
            (with_async_handler, on_handler),
        ],
    )
    def test_djangos_decorator_asks_on_the_loop_around_an_async_handler_of_the_site(
        self, settings, log_of_answers, hooks, place
    ):
        """It does around any async view of Django's."""
        view = place(cached, hooks(list_view(views)), "get")
        ((*_, facts),) = answers(settings, view, [None], [GET], on_loop=True)
        assert facts["status"] == 500
        assert "django/utils/decorators.py" in log_of_answers.text
        assert "SynchronousOnlyOperation" in log_of_answers.text


class TestAtomicRequests:
    """Django refuses them to async views, and ours are async unless a handler is sync."""

    @pytest.fixture(autouse=True)
    def atomic(self, monkeypatch):
        monkeypatch.setitem(connections.settings["default"], "ATOMIC_REQUESTS", True)

    @pytest.mark.parametrize("on_loop", [False, True])
    def test_refused(self, settings, log_of_answers, on_loop):
        ((*_, facts),) = answers(
            settings, list_view(views).as_view(), [None], [GET], on_loop=on_loop
        )
        assert facts["status"] == 500
        assert "You cannot use ATOMIC_REQUESTS with async views." in log_of_answers.text

    @pytest.mark.parametrize("on_loop", [False, True])
    @pytest.mark.parametrize(
        "view",
        [
            with_sync_handler(list_view(views)),
            type("Ours", (views.AsyncRenderMixin, list_view(generic)), {}),
        ],
    )
    def test_kept_by_sync_views(self, settings, on_loop, view):
        settings.ROOT_URLCONF = site(path("page/", view.as_view()))
        answer = Visitor(on_loop=on_loop).ask()
        assert answer.facts["status"] == 200
        assert [query for query in answer.queries if query.startswith("SAVEPOINT")]


def test_a_decorator_sees_an_async_view_unless_a_handler_is_sync():
    seen = [iscoroutinefunction(hooks(list_view(views)).as_view()) for hooks in HOOKS]
    assert seen == [True, True, True, False, True]
