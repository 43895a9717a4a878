"""A small zoo, with everything in it that can be there, be null, dangle or be hidden."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

GONE = 987654
"""A primary key that no row has."""


@dataclass(repr=False)  # pytest would ask the database for what the rows are called
class Zoo:
    """The rows that tests name; the others can be reached from these."""

    leo: Any
    """Has everything: mother, home in an aviary, chip, passport, foods, friends, notes, ..."""
    mara: Any
    """Leo's mother: of the same species, at home in a plain place, without a passport."""
    ghost: Any
    """Of a hidden species, with a dangling origin and a dangling archive."""
    stray: Any
    """Every key that may be null is; nothing points to it."""
    aviary: Any
    hidden: Any
    """The hidden species of ``ghost``."""
    archive: Any
    """In the database ``other``."""
    user: Any
    region: Any
    old: Any
    """Leo, as its proxy model."""


@pytest.fixture
def zoo(db: None) -> Zoo:
    """The zoo, filled for one test.

    The test has to ask for both databases:
    ``pytestmark = pytest.mark.django_db(databases=["default", "other"])``.
    """
    return fill()


def fill() -> Zoo:
    """Make the rows of the zoo, in both databases, and return the ones that have a name."""
    # Not at the top: pytest reads fixtures before the settings are there.
    from django.contrib.auth import get_user_model

    from . import models as m

    world = m.Region.objects.create(name="World")
    africa = m.Region.objects.create(name="Africa", parent=world)
    savanna = m.Region.objects.create(name="Savanna", parent=africa)
    lion = m.Species.everything.create(name="lion", region=savanna)
    parrot = m.Species.everything.create(name="parrot")
    hidden = m.Species.everything.create(name="unicorn", hidden=True, region=world)
    origin = m.Origin.objects.create(name="born here")
    archive = m.Archive.objects.create(shelf="A 1")
    keeper = m.StaffKeeper.objects.create(name="Ada", region=africa)
    user = get_user_model().objects.create_user("sponsor", first_name="Sam")
    yard = m.Place.objects.create(name="yard", region=africa)
    pit = m.Enclosure.objects.create(name="pit", region=savanna, fence="stone", keeper=keeper)
    aviary = m.Aviary.objects.create(name="dome", fence="net", keeper=keeper, height=9)
    chips = [m.Chip.objects.create(code=f"chip-{number}") for number in range(3)]
    foods = [
        m.Food.objects.create(code=code, name=name, region=region)
        for code, name, region in [("m", "meat", africa), ("n", "nuts", None), ("f", "fish", world)]
    ]
    visitors = [
        m.Visitor.objects.create(name=name, region=region)
        for name, region in [("Vera", world), ("Viktor", None)]
    ]

    mara = m.Animal.objects.create(
        name="Mara", story="old", weight=120, species=lion, home=yard, chip=chips[0]
    )
    leo = m.Animal.objects.create(
        name="Leo",
        story="roars",
        weight=180,
        species=lion,
        mother=mara,
        home=aviary.place_ptr,
        chip=chips[1],
        origin=origin,
        archive_id=archive.pk,
        sponsor=user,
        tamer=keeper,
    )
    ghost = m.Animal.objects.create(
        name="<Ghost>",
        weight=1,
        species=hidden,
        mother=mara,
        home=pit.place_ptr,
        origin_id=GONE,
        archive_id=GONE,
    )
    stray = m.Animal.objects.create(name="Stray", species=parrot)
    cubs = [
        m.Animal.objects.create(name=f"Cub {number}", weight=number, species=lion, mother=leo)
        for number in range(1, 4)
    ]

    leo.foods.set(foods)
    mara.foods.set(foods[:1])
    ghost.foods.set(foods[1:2])
    leo.friends.set([mara, ghost])
    for animal, visitor, year in [
        (leo, visitors[0], 2001),
        (leo, visitors[1], 2002),
        (leo, visitors[0], 2003),
        (ghost, visitors[1], 2004),
    ]:
        m.Visit.objects.create(animal=animal, visitor=visitor, year=year)
    m.Passport.objects.create(animal=leo, number="P1", issued_in=africa)
    m.Passport.objects.create(animal=ghost, number="P2")
    for animal, colour, is_hidden in [
        (leo, "white", False),
        (leo, "blue", True),
        (cubs[0], "brown", False),
    ]:
        m.Egg.everything.create(animal=animal, colour=colour, hidden=is_hidden)
    m.Ticket.objects.create(chip=chips[1], visitor=visitors[0])
    m.Ticket.objects.create(chip=chips[2])
    for about, text in [(leo, "loud"), (leo, "proud"), (mara, "calm"), (aviary, "high")]:
        m.Note.objects.create(about=about, text=text)
    m.Note.objects.create(about=None, text="about nothing")
    kind = m.Note.objects.get(text="calm").content_type_id
    m.Note.objects.create(content_type_id=kind, object_id=GONE, text="about nobody")

    old = m.OldAnimal.objects.get(pk=leo.pk)
    m.Legend.objects.create(text="The lion who could", hero=old)
    return Zoo(
        # Read again, so that nothing is cached on the rows that tests get.
        leo=m.Animal.objects.get(pk=leo.pk),
        mara=m.Animal.objects.get(pk=mara.pk),
        ghost=m.Animal.objects.get(pk=ghost.pk),
        stray=m.Animal.objects.get(pk=stray.pk),
        aviary=m.Aviary.objects.get(pk=aviary.pk),
        hidden=m.Species.everything.get(pk=hidden.pk),
        archive=m.Archive.objects.get(pk=archive.pk),
        user=user,
        region=world,
        old=old,
    )
