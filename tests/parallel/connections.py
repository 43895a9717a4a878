"""How many connections the databases of the tests have, and waiting until something is so."""

import gc
import sqlite3
import time

from django.db import connection

from tests.parallel.showing import SOON


def eventually(condition):
    """Wait until a condition holds."""
    end = time.monotonic() + SOON
    while not (found := condition()):
        assert time.monotonic() < end, "it never came true"
        time.sleep(0.005)
    return found


def open_connections():
    """The connections to the default database that this process has open."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
            )
            return cursor.fetchone()[0]
    return sum(map(is_open, gc.get_objects()))


def is_open(value):
    """Whether an object is an SQLite connection that is open; its file may stay open longer.

    Asks for what takes no query: a query in this thread while another closes the connection ends
    the process.
    """
    if type(value) is not sqlite3.Connection:
        return False
    try:
        value.in_transaction  # noqa: B018
    except sqlite3.ProgrammingError:
        return False
    return True
