"""The zoo in databases of its own, committed: other connections than Django's have to see it.

Django's own connections stay shut while a test runs (pytest-django sees to that), so that a page
which is shown was read on the connection of the async backend.
"""

import time

import pytest
from django.db import connections
from django.test.utils import setup_databases, teardown_databases

from tests.testapp.data import fill


@pytest.fixture(scope="session", autouse=True)
def filled_databases(django_test_environment, django_db_blocker):
    with django_db_blocker.unblock():
        databases = setup_databases(verbosity=0, interactive=False)
        fill()
    yield
    with django_db_blocker.unblock():
        teardown_databases(databases, verbosity=0)


@pytest.fixture
def django_may_ask(django_db_blocker):
    """Open Django's own connections, for relations and for what stock Django shows."""
    with django_db_blocker.unblock():
        yield


@pytest.fixture
def sessions(django_may_ask):
    """Return what counts the sessions that PostgreSQL has open on the test's database."""

    def count(expected):
        """Count them, until they are as many as expected: the server is a little late."""
        until = time.monotonic() + 5
        while True:
            with connections["default"].cursor() as cursor:
                cursor.execute(
                    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
                )
                (found,) = cursor.fetchone()
            if found == expected or time.monotonic() > until:
                return found
            time.sleep(0.01)

    return count
