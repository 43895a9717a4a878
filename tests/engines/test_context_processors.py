"""Context processors: async ones are awaited, sync ones may query the database."""

import asyncio
import threading

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import AnonymousUser, Group, User
from django.db import connection
from django.template import Context, RequestContext

from atemplates.errors import RenderBlocked

HERE = __name__


async def from_the_loop(request):
    await asyncio.sleep(0)
    asyncio.get_running_loop()
    return {"path": request.path, "who": "async"}


async def with_a_query(request):
    return {"groups": [group.name async for group in Group.objects.order_by("name")]}


def sync_query(request):
    return {"names": [group.name for group in Group.objects.order_by("name")]}


def lazy_query(request):
    return {"lazy": Group.objects.order_by("name")}


def which_thread(request):
    return {"thread": threading.current_thread().name, "connection": id(connection.connection)}


def second(request):
    return {"who": "sync"}


async def nothing(request):
    return None


class AsyncProcessor:
    async def __call__(self, request):
        return {"who": "object"}


processor_object = AsyncProcessor()


async def fails(request):
    raise ZeroDivisionError("in a processor")


@pytest.fixture
def render(make_backend, request_):
    async def render(source, *processors, context=None):
        names = [f"{HERE}.{each}" for each in processors]
        template = make_backend(context_processors=names).from_string(source)
        return await template.render_async(context, request_)

    return render


async def test_an_async_processor_is_awaited(render):
    assert await render("{{ path }} {{ who }}", "from_the_loop") == "/page/ async"


async def test_an_object_whose_call_is_async(render):
    assert await render("{{ who }}", "processor_object") == "object"


@pytest.mark.parametrize(
    ("order", "who"),
    [(("from_the_loop", "second"), "sync"), (("second", "from_the_loop"), "async")],
)
async def test_the_later_one_wins(render, order, who):
    assert await render("{{ who }}", *order) == who


async def test_the_context_wins(render):
    assert await render("{{ who }}", "from_the_loop", context={"who": "mine"}) == "mine"


async def test_its_exception_is_the_original(render):
    with pytest.raises(ZeroDivisionError, match="in a processor"):
        await render("", "fails")
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_a_result_that_is_no_dict_names_the_processor(render):
    with pytest.raises(TypeError, match="Context processor nothing didn't return a dictionary"):
        await render("", "nothing")


async def test_without_a_request_none_runs(make_backend):
    template = make_backend(context_processors=[f"{HERE}.fails"]).from_string("[{{ who }}]")
    assert await template.render_async({}) == "[]"


@pytest.mark.django_db
class TestQueries:
    @pytest.fixture(autouse=True)
    def groups(self, db):
        Group.objects.create(name="readers")
        Group.objects.create(name="writers")

    async def test_a_sync_processor_may_query(self, render):
        assert await render("{{ names|join:' ' }}", "sync_query") == "readers writers"

    async def test_an_async_processor_may_query(self, render):
        assert await render("{{ groups|join:' ' }}", "with_a_query") == "readers writers"

    async def test_both_in_one_render(self, render):
        output = await render("{{ names.0 }} {{ groups.1 }}", "sync_query", "with_a_query")
        assert output == "readers writers"

    async def test_a_queryset_that_a_processor_left_lazy(self, render):
        assert await render("{% for g in lazy %}{{ g }} {% endfor %}", "lazy_query") == (
            "readers writers "
        )

    async def test_a_sync_processor_runs_in_the_requests_thread(self, render):
        def here():
            return f"{threading.current_thread().name} {id(connection.connection)}"

        assert await render("{{ thread }} {{ connection }}", "which_thread") == (
            await sync_to_async(here)()
        )


@pytest.mark.django_db
class TestDjangosOwn:
    """The default context processors, from an async view with a lazy ``request.user``."""

    async def test_user_perms_messages_and_request(self, rf, make_backend, django_user_model):
        from django.contrib.messages.storage.base import Message
        from django.contrib.sessions.backends.db import SessionStore
        from django.utils.functional import SimpleLazyObject

        user = await django_user_model.objects.acreate_user("ann", password="x")
        request = rf.get("/page/")
        request.session = SessionStore()
        request.user = SimpleLazyObject(lambda: User.objects.get(pk=user.pk))
        request._messages = [Message(20, "hello")]
        template = make_backend(
            context_processors=[
                "django.template.context_processors.debug",
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        ).from_string(
            "{{ user.username }} {{ perms.auth.add_user }} {{ request.path }}"
            "{% for m in messages %} {{ m }}{% endfor %} {{ request.session.nothing }}"
            "{% if user.is_authenticated %}in{% endif %}"
        )
        assert await template.render_async({}, request) == "ann False /page/ hello in"

    async def test_a_lazy_user_in_the_context_is_not_made_on_the_loop(self, rf, make_backend):
        from django.utils.functional import SimpleLazyObject

        user = await User.objects.acreate_user("ann")
        lazy = SimpleLazyObject(lambda: User.objects.get(pk=user.pk))
        template = make_backend().from_string("{{ who.username }}")
        assert await template.render_async({"who": lazy}) == "ann"

    async def test_nobody(self, rf, make_backend):
        request = rf.get("/page/")
        request.user = AnonymousUser()
        auth = "django.contrib.auth.context_processors.auth"
        template = make_backend(context_processors=[auth]).from_string("[{{ user }}]")
        assert await template.render_async({}, request) == "[AnonymousUser]"


class TestSyncRender:
    """An async processor also serves sync code, where there is no loop."""

    def test_it_is_awaited(self, make_backend, request_):
        backend = make_backend(context_processors=[f"{HERE}.from_the_loop"])
        assert backend.from_string("{{ who }}").render({}, request_) == "async"

    @pytest.mark.django_db
    def test_it_sees_the_transaction(self, make_backend, request_):
        Group.objects.create(name="readers")
        backend = make_backend(context_processors=[f"{HERE}.with_a_query"])
        template = backend.from_string("{{ groups|join:' ' }}")
        assert template.render({}, request_) == "readers"

    async def test_on_a_running_loop_the_error_says_what_to_write(self, make_backend, request_):
        template = make_backend(context_processors=[f"{HERE}.from_the_loop"]).from_string("")
        with pytest.raises(RenderBlocked, match=r"from_the_loop.*await arender"):
            template.render({}, request_)

    def test_djangos_request_context_on_our_engine(self, make_backend, request_):
        """Code that makes its own context (``inclusion_admin_node``) has sync processors only."""
        engine = make_backend(context_processors=[f"{HERE}.second"]).engine
        template = engine.from_string("{{ who }}")
        assert template.render(RequestContext(request_)) == "sync"
        assert template.render(Context({"who": "x"})) == "x"
