"""Books and all that hangs on them: each kind of relation that Django has, once."""

from __future__ import annotations

from zlib import crc32

from django.conf import settings
from django.contrib.contenttypes.fields import GenericForeignKey, GenericRelation
from django.contrib.contenttypes.models import ContentType
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.urls import reverse
from django.utils import timezone

from .querysets import AuthorQuerySet, BookQuerySet


class Country(models.Model):
    """A country, by its ISO 3166-1 code."""

    code = models.CharField(max_length=2, primary_key=True)
    name = models.CharField(max_length=100, unique=True)

    class Meta:
        ordering = ["name"]
        verbose_name_plural = "countries"

    def __str__(self) -> str:
        return self.name


class Publisher(models.Model):
    """A publishing house, printer or magazine."""

    name = models.CharField(max_length=200, unique=True)
    city = models.CharField(max_length=100)
    country = models.ForeignKey(
        Country,
        models.PROTECT,
        related_name="publishers",
        help_text="the country in which the city lies today",
    )

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Tag(models.Model):
    """A subject or a form."""

    name = models.CharField(max_length=50, unique=True)
    slug = models.SlugField(unique=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return f"{reverse('shop:search')}?tag={self.slug}"


class Note(models.Model):
    """A remark about anything in the shop."""

    content_type = models.ForeignKey(ContentType, models.CASCADE)
    object_id = models.PositiveBigIntegerField()
    about = GenericForeignKey("content_type", "object_id")
    text = models.TextField()

    class Meta:
        ordering = ["pk"]
        indexes = [models.Index(fields=["content_type", "object_id"])]

    def __str__(self) -> str:
        return self.text


class Author(models.Model):
    """A writer."""

    name = models.CharField(max_length=200)
    sort_name = models.CharField(max_length=200, help_text="as in a catalogue: Austen, Jane")
    slug = models.SlugField(max_length=200, unique=True)
    born = models.SmallIntegerField(null=True, blank=True, help_text="empty when not certain")
    died = models.SmallIntegerField(null=True, blank=True)
    notes = GenericRelation(Note, related_query_name="author")

    objects = AuthorQuerySet.as_manager()

    class Meta:
        ordering = ["sort_name", "pk"]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("shop:author_detail", args=[self.slug])

    @property
    def years(self) -> str:
        """The years of a life, as far as they are known: ``1775–1817``, ``died 1731``."""
        if self.born and self.died:
            return f"{self.born}–{self.died}"
        if self.died:
            return f"died {self.died}"
        return f"born {self.born}" if self.born else ""


class AuthorProfile(models.Model):
    """What we can say about an author; many have none yet."""

    author = models.OneToOneField(Author, models.CASCADE, related_name="profile")
    birthplace = models.CharField(max_length=100)
    biography = models.TextField()

    class Meta:
        ordering = ["author"]

    def __str__(self) -> str:
        return f"Profile of {self.author}"


class Book(models.Model):
    """A work, by the title it has in English."""

    title = models.CharField(max_length=200)
    slug = models.SlugField(max_length=200, unique=True)
    original_title = models.CharField(
        max_length=200, blank=True, help_text="where it differs from the title"
    )
    author = models.ForeignKey(Author, models.CASCADE, related_name="books")
    publisher = models.ForeignKey(
        Publisher,
        models.SET_NULL,
        related_name="books",
        null=True,
        blank=True,
        help_text="who brought it out first; empty when not certain",
    )
    tags = models.ManyToManyField(Tag, related_name="books", blank=True)
    year = models.SmallIntegerField(
        db_index=True, help_text="of the first printing, first night or first manuscript"
    )
    language = models.CharField(max_length=50, help_text="that it was written in")
    text = models.TextField(blank=True, help_text="on the cover")
    notes = GenericRelation(Note, related_query_name="book")

    objects = BookQuerySet.as_manager()

    class Meta:
        ordering = ["year", "title"]

    def __str__(self) -> str:
        return f"{self.title} by {self.author}"

    def get_absolute_url(self) -> str:
        return reverse("shop:book_detail", args=[self.slug])

    @property
    def century(self) -> str:
        """The century the book is from, in words for a heading: ``19th century``."""
        number = (self.year - 1) // 100 + 1
        ending = (
            "th" if 10 <= number % 100 <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
        )
        return f"{number}{ending} century"

    @property
    def hue(self) -> int:
        """The colour of the cover, in degrees of the colour wheel: always the same for a book."""
        return crc32(self.slug.encode()) % 360


class Review(models.Model):
    """What a reader thinks of a book."""

    book = models.ForeignKey(Book, models.CASCADE, related_name="reviews")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="reviews")
    rating = models.PositiveSmallIntegerField(
        validators=[MinValueValidator(1), MaxValueValidator(5)], help_text="1 to 5"
    )
    text = models.TextField()
    is_sample = models.BooleanField(default=False, help_text="written for this demo")
    created = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["book", "user"], name="one_review_per_reader"),
            models.CheckConstraint(
                condition=models.Q(rating__gte=1, rating__lte=5), name="rating_from_1_to_5"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user} on {self.book}"

    @property
    def stars(self) -> str:
        """The rating drawn: ``★★★★☆``."""
        return "★" * self.rating + "☆" * (5 - self.rating)
