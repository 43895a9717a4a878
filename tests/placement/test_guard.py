"""Django's guard is noticed, whatever becomes of its exception."""

import asyncio
import threading

import django.utils.asyncio
import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import Group
from django.core.exceptions import SynchronousOnlyOperation

from atemplates.placement import guard
from atemplates.placement.guard import WATCHES, GuardWatch, LeaveLoop


def ask():
    Group.objects.count()


def swallow():
    try:
        ask()
    except BaseException:
        return "swallowed"


@pytest.fixture(autouse=True)
def nobody_watches():
    yield
    assert WATCHES == {}


async def test_without_a_watch_it_is_djangos():
    with pytest.raises(SynchronousOnlyOperation):
        ask()


async def test_on_the_loop_it_raises_what_django_raises():
    with GuardWatch() as watch, pytest.raises(SynchronousOnlyOperation):
        ask()
    assert watch.asked


async def test_it_is_noticed_though_nothing_comes_out():
    with GuardWatch() as watch:
        assert swallow() == "swallowed"
    assert watch.asked


async def test_on_trial_it_is_no_exception():
    def asking():
        try:
            ask()
        except Exception:
            raise AssertionError("was caught") from None

    with GuardWatch(leave=True) as watch, pytest.raises(LeaveLoop):
        asking()
    assert watch.asked


async def test_what_asks_for_nothing():
    with GuardWatch() as watch:
        asyncio.get_running_loop()
        Group.objects.all().filter(name="a")
    assert not watch.asked


def test_in_a_thread_the_query_is_sent_and_noticed(db):
    for leave in (False, True):
        with GuardWatch(leave=leave) as watch:
            assert Group.objects.count() == 0
        assert watch.asked


async def test_inside_another():
    """The outer one knows what the inner one noticed, and not the other way round."""
    with GuardWatch() as outer:
        with GuardWatch() as inner:
            pass
        assert not inner.asked
        with GuardWatch() as inner:
            swallow()
        assert inner.asked
        with GuardWatch() as later:
            pass
    assert outer.asked
    assert not later.asked


async def test_the_innermost_decides_whether_it_leaves():
    with GuardWatch(leave=True) as outer:
        with GuardWatch() as inner, pytest.raises(SynchronousOnlyOperation):
            ask()
        with pytest.raises(LeaveLoop):
            ask()
    assert (outer.asked, inner.asked) == (True, True)


async def test_each_thread_has_its_own(transactional_db):
    entered, asked = threading.Event(), threading.Event()

    def watching():
        with GuardWatch() as watch:
            entered.set()
            asked.wait(5)
        return watch.asked

    watched = asyncio.ensure_future(asyncio.to_thread(watching))
    await asyncio.to_thread(entered.wait, 5)
    with GuardWatch() as here:
        swallow()
    await sync_to_async(ask)()
    asked.set()
    assert await watched is False
    assert here.asked


async def test_a_watch_ends_with_an_exception():
    with pytest.raises(ZeroDivisionError), GuardWatch(leave=True):
        raise ZeroDivisionError
    with pytest.raises(SynchronousOnlyOperation):
        ask()


def test_installing_again_changes_nothing():
    before = guard.original
    guard.install_guard()
    assert django.utils.asyncio.get_running_loop is guard.get_running_loop
    assert guard.original is before is asyncio.get_running_loop
