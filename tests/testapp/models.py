"""The model zoo: every kind of relation that Django has, and every way one can be missing.

What the tests fill it with is in ``data.py``. The app has no migrations, so its tables are made
before those of the apps that have some: foreign keys to users and content types are
``db_constraint=False`` for that reason alone.
"""

from __future__ import annotations

from operator import methodcaller
from typing import Any

from django.conf import settings
from django.contrib.contenttypes.fields import GenericForeignKey, GenericRelation
from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.utils.functional import cached_property


class Region(models.Model):
    """A foreign key to the same model."""

    name = models.CharField(max_length=50)
    parent = models.ForeignKey(
        "self", models.CASCADE, related_name="parts", null=True, blank=True, help_text="null: none"
    )

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return self.name


class VisibleManager(models.Manager):
    """Only what is not hidden."""

    def get_queryset(self) -> models.QuerySet[Any]:
        return super().get_queryset().filter(hidden=False)

    def chosen(self, **wanted: Any) -> Any:
        """One row, by code that nobody can read without running it."""
        return methodcaller("get", **wanted)(self.all())


class Species(models.Model):
    """A parent whose base manager is filtered: the key of a hidden one leads to nothing."""

    name = models.CharField(max_length=50)
    hidden = models.BooleanField(default=False)
    region = models.ForeignKey(Region, models.CASCADE, related_name="species", null=True)

    everything = models.Manager()
    visible = VisibleManager()

    class Meta:
        ordering = ["pk"]
        base_manager_name = "visible"
        default_manager_name = "everything"

    def __str__(self) -> str:
        return self.name


class Origin(models.Model):
    """What keys without a constraint point to, if it is still there."""

    name = models.CharField(max_length=50)

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return self.name


class Archive(models.Model):
    """Kept in the database ``other``, see ``routers.py``."""

    shelf = models.CharField(max_length=50)

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return self.shelf


class Keeper(models.Model):
    """A swappable model, as the user model is one; the settings swap it for `StaffKeeper`."""

    name = models.CharField(max_length=50)

    class Meta:
        swappable = "TESTAPP_KEEPER_MODEL"


class StaffKeeper(models.Model):
    """What `Keeper` is swapped for."""

    name = models.CharField(max_length=50)
    region = models.ForeignKey(Region, models.CASCADE, related_name="keepers", null=True)

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return self.name


class Place(models.Model):
    """The top of a multi-table inheritance of three levels."""

    name = models.CharField(max_length=50)
    region = models.ForeignKey(Region, models.CASCADE, related_name="places", null=True)

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return self.name


class Enclosure(Place):
    """A place with a fence; its own column is in its own table."""

    fence = models.CharField(max_length=50)
    keeper = models.ForeignKey(
        settings.TESTAPP_KEEPER_MODEL, models.SET_NULL, related_name="enclosures", null=True
    )


class Aviary(Enclosure):
    """An enclosure for birds, with a parent link of its own name."""

    enclosure_part = models.OneToOneField(
        Enclosure, models.CASCADE, parent_link=True, related_name="aviary"
    )
    height = models.IntegerField()


class Food(models.Model):
    """The far side of a many-to-many relation; its primary key is no number."""

    code = models.CharField(max_length=10, primary_key=True)
    name = models.CharField(max_length=50)
    region = models.ForeignKey(Region, models.CASCADE, null=True)

    class Meta:
        ordering = ["code"]

    def __str__(self) -> str:
        return self.name


class Chip(models.Model):
    """One side of a one-to-one relation that may be null."""

    code = models.CharField(max_length=20, unique=True)

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return self.code


class Note(models.Model):
    """A generic foreign key; what it is about may be gone, or never have been."""

    content_type = models.ForeignKey(
        ContentType, models.CASCADE, related_name="+", null=True, db_constraint=False
    )
    object_id = models.PositiveBigIntegerField(null=True)
    about = GenericForeignKey("content_type", "object_id")
    text = models.CharField(max_length=100)

    class Meta:
        ordering = ["pk"]
        indexes = [models.Index(fields=["content_type", "object_id"])]

    def __str__(self) -> str:
        return self.text


class Animal(models.Model):
    """What everything else hangs on."""

    name = models.CharField(max_length=50)
    story = models.TextField(blank=True)
    weight = models.IntegerField(default=0)
    species = models.ForeignKey(
        Species, models.CASCADE, related_name="animals", help_text="may be hidden"
    )
    mother = models.ForeignKey("self", models.SET_NULL, related_name="children", null=True)
    home = models.ForeignKey(Place, models.SET_NULL, related_name="animals", null=True)
    chip = models.OneToOneField(Chip, models.SET_NULL, related_name="animal", null=True)
    origin = models.ForeignKey(
        Origin,
        models.DO_NOTHING,
        related_name="animals",
        null=True,
        db_constraint=False,
        help_text="may dangle",
    )
    archive = models.ForeignKey(
        Archive,
        models.DO_NOTHING,
        related_name="animals",
        null=True,
        db_constraint=False,
        help_text="in another database; may dangle",
    )
    sponsor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        related_name="animals",
        null=True,
        db_constraint=False,
    )
    tamer = models.ForeignKey(
        settings.TESTAPP_KEEPER_MODEL, models.SET_NULL, related_name="+", null=True
    )
    foods = models.ManyToManyField(Food, related_name="animals")
    friends = models.ManyToManyField("self")
    visitors = models.ManyToManyField("Visitor", through="Visit", related_name="animals")
    notes = GenericRelation(Note, related_query_name="animal")

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.name} the {self.species}"

    @property
    def label(self) -> str:
        """A property that crosses a relation, and one beyond it."""
        return f"{self.name}/{self.mother.species.name if self.mother else '-'}"

    @cached_property
    def region_name(self) -> str:
        """The same, kept on the instance."""
        return self.home.region.name if self.home and self.home.region else ""

    def food_names(self) -> str:
        """A method that reads a many-to-many relation."""
        return ", ".join(food.name for food in self.foods.all())

    def heaviest_child(self) -> Animal | None:
        """A method that returns an instance from a query of its own."""
        return self.children.order_by("-weight").first()


class OldAnimal(Animal):
    """A proxy."""

    class Meta:
        proxy = True

    @property
    def title(self) -> str:
        return f"old {self.name}"


class Legend(models.Model):
    """A foreign key to a proxy."""

    text = models.CharField(max_length=100)
    hero = models.ForeignKey(OldAnimal, models.CASCADE, related_name="legends")

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return self.text


class Passport(models.Model):
    """A one-to-one relation that is missing on the other side of some."""

    animal = models.OneToOneField(Animal, models.CASCADE, related_name="passport")
    number = models.CharField(max_length=20)
    issued_in = models.ForeignKey(Region, models.CASCADE, null=True)

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        """A text that crosses two relations."""
        return f"{self.number}: {self.animal.name}, {self.animal.home}"


class Visitor(models.Model):
    """The far side of a many-to-many relation with a table of its own between."""

    name = models.CharField(max_length=50)
    region = models.ForeignKey(Region, models.CASCADE, null=True)

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return self.name


class Visit(models.Model):
    """What stands between animals and visitors."""

    animal = models.ForeignKey(Animal, models.CASCADE, related_name="visits")
    visitor = models.ForeignKey(Visitor, models.CASCADE, related_name="visits")
    year = models.IntegerField()

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.visitor} at {self.animal}, {self.year}"


class Egg(models.Model):
    """A reverse relation without a name of its own, behind a filtered default manager."""

    animal = models.ForeignKey(Animal, models.CASCADE)
    colour = models.CharField(max_length=20)
    hidden = models.BooleanField(default=False)

    everything = models.Manager()
    objects = VisibleManager()

    class Meta:
        ordering = ["pk"]
        default_manager_name = "objects"

    def __str__(self) -> str:
        return self.colour


class Ticket(models.Model):
    """A foreign key to a column that is not the primary key, and one under another column name."""

    chip = models.ForeignKey(Chip, models.CASCADE, to_field="code", related_name="tickets")
    visitor = models.ForeignKey(
        Visitor, models.CASCADE, related_name="tickets", db_column="guest", null=True
    )

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"ticket of {self.chip_id}"
