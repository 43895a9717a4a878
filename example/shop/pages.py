"""Every page that a check of the whole site requests, and what has to be on it.

Imports nothing, so that a script can read it without Django.
"""

from typing import NamedTuple

# The account that ``manage.py load_books`` makes when DEBUG is on.
DEMO_USER = "demo"
DEMO_PASSWORD = "demo"


class Page(NamedTuple):
    """An address and what is expected there.

    Attributes:
        path: the address, from the root.
        engine: the alias of the template engine that has to render it.
        text: HTML that has to be on it.
        signed_in: whether it takes the demo account.
        is_async: whether an async view renders it; the admin's views are not.
    """

    path: str
    engine: str
    text: str
    signed_in: bool = False
    is_async: bool = True


PAGES = [
    Page("/", "django", "The Divine Comedy"),
    Page("/?page=2", "django", "19th century"),
    Page("/books/pride-and-prejudice/", "django", "Thomas Egerton"),
    Page("/books/faust-part-one/", "django", "Nobody has reviewed this book yet"),
    Page("/authors/", "django", "Austen, Jane"),
    Page("/authors/franz-kafka/", "django", "Workers’ Accident Insurance"),
    Page("/authors/saki/", "django", "The Chronicles of Clovis"),
    Page("/search/", "django", "Any language"),
    Page("/search/?q=whale&language=English", "django", "Moby-Dick"),
    Page("/search/?tag=gothic", "django", "Carmilla"),
    Page("/dashboard/", "django", "George Eliot"),
    Page("/dashboard/stock/?latency=20", "stock", "George Eliot"),
    Page("/dashboard/plain/?latency=20", "django", "George Eliot"),
    Page("/dashboard/tag/?latency=20", "django", "George Eliot"),
    Page("/dashboard/aload/?latency=20", "django", "George Eliot"),
    Page("/dashboard/option/?latency=20", "parallel", "George Eliot"),
    Page("/dashboard/stream/?latency=20", "django", "George Eliot"),
    Page("/dashboard/defer/?latency=20&uneven=on", "django", "George Eliot"),
    Page("/jinja2/", "jinja2", "The Divine Comedy"),
    Page("/jinja2/?page=2", "jinja2", "19th century"),
    Page("/jinja2/books/pride-and-prejudice/", "jinja2", "Thomas Egerton"),
    Page("/jinja2/books/faust-part-one/", "jinja2", "Nobody has reviewed this book yet"),
    Page("/admin/login/", "django", 'name="password"', is_async=False),
    Page("/admin/", "django", "Site administration", signed_in=True, is_async=False),
    Page("/admin/shop/book/", "django", "The Decameron", signed_in=True, is_async=False),
    Page(
        "/admin/shop/country/GB/change/", "django", "United Kingdom", signed_in=True, is_async=False
    ),
]
