"""What a test leaves in the databases is an error of that test, not of those that come after it."""

from django.apps import apps
from django.core.management import call_command
from django.db import connections

KEPT = {"contenttypes.contenttype", "auth.permission"}
"""Models whose rows come with the tables."""

sharers = 0
"""How many fixtures have rows now that several tests share."""


class RowsLeft(Exception):
    """A test wrote into a database and did not take it back."""


def tables_with_rows(alias: str) -> list[str]:
    """The names of the tables in which there are rows."""
    connection = connections[alias]
    kept = {apps.get_model(label)._meta.db_table for label in KEPT}
    # Some tests make tables of their own, for models that stay registered.
    names = set(connection.introspection.django_table_names(only_existing=True)) - kept
    quote = connection.ops.quote_name
    with connection.cursor() as cursor:
        cursor.execute(
            " UNION ALL ".join(
                f"SELECT '{name}' WHERE EXISTS (SELECT 1 FROM {quote(name)})"
                for name in sorted(names)
            )
        )
        return [name for (name,) in cursor.fetchall()]


def refuse_rows(test: str) -> None:
    """Look into the databases after a test, and empty them if they are not.

    Not while several tests share rows.

    Raises:
        RowsLeft: there were rows.
    """
    if sharers:
        return
    found = {alias: names for alias in connections if (names := tables_with_rows(alias))}
    for alias in found:
        call_command("flush", database=alias, interactive=False, verbosity=0)
    if found:
        raise RowsLeft(
            f"{test} left rows in {found}. Whatever writes without a transaction of the test (in a "
            f"thread of its own, say) needs the fixture transactional_db."
        )
