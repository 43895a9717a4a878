"""The tables of the pages that query: books, and what hangs on them."""

from __future__ import annotations

from django.db import models


class Country(models.Model):
    """Three steps from a book."""

    name = models.CharField(max_length=50)


class Publisher(models.Model):
    """Two steps from a book."""

    name = models.CharField(max_length=50)
    country = models.ForeignKey(Country, models.CASCADE)


class Author(models.Model):
    """One step from a book."""

    name = models.CharField(max_length=50)
    publisher = models.ForeignKey(Publisher, models.CASCADE)


class Tag(models.Model):
    """On the far side of a relation to many."""

    name = models.CharField(max_length=50)


class Book(models.Model):
    """What the pages list."""

    title = models.CharField(max_length=100)
    slug = models.SlugField()
    year = models.IntegerField()
    summary = models.TextField()
    author = models.ForeignKey(Author, models.CASCADE, related_name="books")
    tags = models.ManyToManyField(Tag)


class Review(models.Model):
    """What the pages count."""

    book = models.ForeignKey(Book, models.CASCADE, related_name="reviews")
    text = models.TextField()


class Good(models.Model):
    """The top of a multi-table inheritance."""

    name = models.CharField(max_length=50)
    country = models.ForeignKey(Country, models.CASCADE)


class Device(Good):
    """A good with a row of its own in the middle table."""

    volts = models.IntegerField()


class Phone(Device):
    """A device with a row of its own in the lowest table."""

    inches = models.IntegerField()
    maker = models.ForeignKey(Publisher, models.CASCADE)


class Parcel(models.Model):
    """Prints itself, and has a field with choices."""

    name = models.CharField(max_length=50)
    state = models.CharField(max_length=1, choices={"S": "sent", "D": "delivered"})

    def __str__(self) -> str:
        return self.name

    @property
    def label(self) -> str:
        """What a page of many rows asks each of them."""
        return f"{self.name} ({self.state})"
