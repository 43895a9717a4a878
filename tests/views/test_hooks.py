"""Every hook of every generic view, as a ``def`` and as an ``async def``.

A hook that passes on to ``super()`` changes nothing: not the answer, not which hooks are called, how
often and in which order. A ``def`` runs in a thread, an ``async def`` on the loop.
"""

import asyncio

import pytest
from asgiref.sync import iscoroutinefunction
from django.views import generic

from atemplates import views
from atemplates.views.colours import HANDLERS, HOOKS
from tests.views import site
from tests.views.asking import ask, without_savepoints

pytestmark = [
    pytest.mark.usefixtures("filled"),
    pytest.mark.filterwarnings("ignore::django.core.paginator.UnorderedObjectListWarning"),
]

STOCK = site.generic_views(generic)
OURS = site.generic_views(views)


def hooks_of(view):
    """The hooks that a view has, its handlers left out."""
    return sorted(name for name in HOOKS - HANDLERS if hasattr(view, name))


def is_on_loop():
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def passing_on(view, colours, log):
    """Derive a class whose hooks are noted in ``log`` and pass on.

    Args:
        colours: the hooks, each with ``"def"`` or ``"async def"``.
    """

    def sync(name):
        def hook(self, *args, **kwargs):
            log.append((name, is_on_loop()))
            return getattr(super(made, self), name)(*args, **kwargs)

        return hook

    def coroutine(name):
        async def hook(self, *args, **kwargs):
            log.append((name, is_on_loop()))
            return await getattr(super(made, self), name)(*args, **kwargs)

        return hook

    body = {
        name: sync(name) if colour == "def" else coroutine(name) for name, colour in colours.items()
    }
    # In the class from the start, as in a class statement.
    made = type(view)(view.__name__, (view,), body)
    return made  # `hook` finds it by this name


def compare(name, asked, colours, *, asgi=True):
    """Compare a view of ours that passes on with Django's; give both logs."""
    stock_log, our_log = [], []
    stock = ask(
        passing_on(STOCK[name], dict.fromkeys(colours, "def"), stock_log).as_view(),
        asked,
        asgi=False,
    )
    ours = ask(passing_on(OURS[name], colours, our_log).as_view(), asked, asgi=asgi)
    sent, expected = without_savepoints(ours.queries), without_savepoints(stock.queries)
    stock.queries = ours.queries = []
    assert ours == stock
    assert len(sent) <= len(expected)
    assert [each for each, _ in our_log] == [each for each, _ in stock_log]
    for each, on_loop in our_log:
        assert on_loop is (colours[each] == "async def"), each
    return our_log


FIRST = [(name, site.REQUESTS[name][0]) for name in site.REQUESTS]
POSTED = [
    (name, asked)
    for name in ("Form", "Create", "Update", "Delete")
    for asked in site.REQUESTS[name]
    if asked.method == "post"
]
EACH = [
    (name, asked, hook)
    for name, asked in [*FIRST, ("Form", POSTED[0][1]), ("Create", POSTED[2][1])]
    for hook in hooks_of(OURS[name])
]


@pytest.mark.exhaustive
@pytest.mark.parametrize("colour", ["def", "async def"])
@pytest.mark.parametrize(
    ("name", "asked", "hook"), EACH, ids=[f"{n}-{a.method}-{h}" for n, a, h in EACH]
)
def test_each_hook(name, asked, hook, colour):
    compare(name, asked, {hook: colour})


@pytest.mark.parametrize("asgi", [True, False], ids=["asgi", "wsgi"])
@pytest.mark.parametrize("colour", ["def", "async def"])
@pytest.mark.parametrize(
    ("name", "asked"), FIRST + POSTED, ids=[f"{n}-{a.method}{a.data}" for n, a in FIRST + POSTED]
)
def test_all_hooks_at_once(name, asked, colour, asgi):
    log = compare(name, asked, dict.fromkeys(hooks_of(OURS[name]), colour), asgi=asgi)
    assert log


@pytest.mark.parametrize("turn", [0, 1])
@pytest.mark.parametrize(
    ("name", "asked"), FIRST + POSTED, ids=[f"{n}-{a.method}{a.data}" for n, a in FIRST + POSTED]
)
def test_hooks_of_both_colours_in_turn(name, asked, turn):
    hooks = hooks_of(OURS[name])
    compare(
        name,
        asked,
        {hook: ("def", "async def")[(n + turn) % 2] for n, hook in enumerate(hooks)},
    )


def test_the_table_has_every_hook():
    met = {hook for _, _, hook in EACH}
    assert HOOKS - HANDLERS - met == {
        # Of the access mixins, which have a table of their own.
        *("get_login_url", "get_permission_denied_message", "get_redirect_field_name"),
        *("handle_no_permission", "get_permission_required", "has_permission"),
        *("test_func", "get_test_func"),
    }


def test_handlers_of_djangos_are_coroutine_functions():
    for view in OURS.values():
        assert iscoroutinefunction(view.as_view())
