"""The rows of the pages that query, in a SQLite database that all threads share."""

from __future__ import annotations

from django.core.management import call_command

from .models import Author, Book, Country, Device, Good, Phone, Publisher, Review, Tag

BOOKS_OF_ONE = 3
"""How many books an author has."""


def fill(books: int) -> None:
    """Make the tables anew, with some books: by a third as many authors, three tags each."""
    call_command("migrate", run_syncdb=True, verbosity=0)
    call_command("flush", interactive=False, verbosity=0)
    countries = Country.objects.bulk_create(Country(name=f"Country {n}") for n in range(7))
    publishers = Publisher.objects.bulk_create(
        Publisher(name=f"Publisher {n}", country=countries[n % 7]) for n in range(15)
    )
    authors = Author.objects.bulk_create(
        Author(name=f"Author {n}", publisher=publishers[n % 15])
        for n in range(-(-books // BOOKS_OF_ONE))
    )
    tags = Tag.objects.bulk_create(Tag(name=f"Tag {n}") for n in range(20))
    made = Book.objects.bulk_create(
        Book(
            title=f"Book <{number}>",
            slug=f"book-{number}",
            year=1800 + number % 200,
            summary=f"What happens in book {number} & why",
            author=authors[number // BOOKS_OF_ONE],
        )
        for number in range(books)
    )
    link = Book.tags.through
    link.objects.bulk_create(
        link(book=book, tag=tags[(place + step * 7) % 20])
        for place, book in enumerate(made)
        for step in range(3)
    )
    Review.objects.bulk_create(
        Review(book=book, text="Good") for place, book in enumerate(made) for _ in range(place % 4)
    )


def fill_goods(goods: int) -> None:
    """Make the tables anew, with some goods of which a third are devices, and a third phones."""
    fill(0)
    countries, makers = list(Country.objects.all()), list(Publisher.objects.all())
    for number in range(goods):
        values = {"name": f"Good <{number}>", "country": countries[number % 7]}
        if number % 3 == 0:
            Good.objects.create(**values)
        elif number % 3 == 1:
            Device.objects.create(volts=number, **values)
        else:
            Phone.objects.create(volts=number, inches=6, maker=makers[number % 15], **values)
