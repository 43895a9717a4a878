"""``manage.py load_books``: fill the shop."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from ...catalogue import demo_staff, load, read_books
from ...pages import DEMO_PASSWORD, DEMO_USER


class Command(BaseCommand):
    """Loads the checked-in books; run again, it adds and corrects what differs."""

    help = (
        "Load the shop's books, and with DEBUG on an account for the admin. "
        "Can be run again at any time: it adds and corrects what differs, and removes nothing."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        data = read_books()
        touched = load(data)
        if settings.DEBUG and demo_staff(DEMO_USER, DEMO_PASSWORD):
            self.stdout.write(f"Sign in to the admin as {DEMO_USER}, password {DEMO_PASSWORD}.")
        summary = f"{len(data['books'])} books by {len(data['authors'])} authors"
        self.stdout.write(
            f"{summary}: {touched} records added or changed."
            if touched
            else f"{summary}: all there, nothing to do."
        )
