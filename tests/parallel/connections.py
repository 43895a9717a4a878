"""How many connections the databases of the tests have, and waiting until something is so."""

import os
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
    name = connection.settings_dict["NAME"]
    return sum(
        os.path.realpath(f"/proc/self/fd/{each}") == name for each in os.listdir("/proc/self/fd")
    )
