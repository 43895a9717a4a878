"""Fixtures and hooks that every test uses."""

import gc
import os
from contextvars import copy_context
from functools import partial

import hypothesis
import pytest
from django.test import TransactionTestCase

from atemplates.placement import records
from atemplates.runtime import placed_steps
from tests.event_loop import LoopBesideTheTest
from tests.left_rows import refuse_rows
from tests.rendering import Rendering

# A run of the suite tries the same examples each time, so that a change is judged by what it does;
# looking for new ones is what scripts/fuzz is for. Neither fails because the machine is slow.
unhurried = {"deadline": None, "suppress_health_check": [hypothesis.HealthCheck.too_slow]}
hypothesis.settings.register_profile("suite", derandomize=True, database=None, **unhurried)
hypothesis.settings.register_profile("fuzz", **unhurried)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "suite"))


def pytest_asyncio_loop_factories(config, item):
    return {"beside_the_test": LoopBesideTheTest}


BLOCKER = pytest.StashKey()

# By these pytest-django lets a test ask a database.
DATABASE_FIXTURES = {"db", "transactional_db", "django_db_reset_sequences", "django_db_setup"}


def pytest_itemcollected(item):
    """Mark what asks a database, so that ``-m database`` is always all of it and nothing else."""
    fixtures = set(getattr(item, "fixturenames", ()))
    is_django_test = issubclass(getattr(item, "cls", None) or object, TransactionTestCase)
    if item.get_closest_marker("django_db") or is_django_test or fixtures & DATABASE_FIXTURES:
        item.add_marker("database")
    # What a test leaves in context variables is gone with it. Each URLconf that a setting names
    # leaves one, and asgiref copies all of them from thread to thread in every hop.
    item.runtest = partial(copy_context_and_run, item.runtest)


@pytest.fixture(scope="session", autouse=True)
def blocker(django_db_blocker, pytestconfig):
    """Let `pytest_runtest_teardown` ask the databases."""
    pytestconfig.stash[BLOCKER] = django_db_blocker


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item, nextitem):
    """Refuse rows that a test leaves; with the last test the databases themselves are gone."""
    try:
        return (yield)
    finally:
        asks_a_database = item.get_closest_marker("database") and BLOCKER in item.config.stash
        if asks_a_database and nextitem is not None:
            with item.config.stash[BLOCKER].unblock():
                refuse_rows(item.nodeid)


def copy_context_and_run(function):
    copy_context().run(function)


def pytest_collection_finish():
    """Leave what was collected out of each later garbage collection, which many tests ask for."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True, scope="module")
def nothing_to_collect():
    """Leave what the modules before have left out of the collections of this one."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def render():
    """Return what renders a template in every way; see `Rendering.__call__`."""
    return Rendering()


@pytest.fixture
def no_collection_in_a_query(db):
    """Collect garbage after the test only, for tests that leave many half-read cursors behind.

    psycopg waits for itself for ever when the collector closes a server-side cursor while the same
    thread is in a query; stock's renders leave such cursors in reference cycles as ours do.
    """
    gc.collect()
    gc.disable()
    yield
    gc.enable()
    gc.collect()


@pytest.fixture(autouse=True)
def nothing_learned(monkeypatch):
    """Begin each test as a new process, in which nothing is slow however busy the machine is.

    Tests about time set the limits themselves.
    """
    records.RECORDS.clear()
    records.CARRIED.clear()
    records.BEGUN.clear()
    monkeypatch.setattr(records, "QUICK", float("inf"))
    monkeypatch.setattr(placed_steps, "BUDGET", float("inf"))
