"""What inference says of a lookup, beside what Django's own templates find."""

import pytest

from atemplates.inference.class_attributes import names_of
from atemplates.inference.faults import Fault
from atemplates.inference.steps import step
from tests.inference.real_values import MISSING, fits, plain_values, resolved, rows
from tests.testapp.data import zoo

__all__ = ["zoo"]

pytestmark = pytest.mark.django_db(databases=["default", "other"])

TYPOS = ("titel", "nmae", "objcts", "lenght", "get_absolut_url", "0", "7", "x")


def names_to_try(value):
    """All that a value has, the same with a letter too much, and what hardly anything has."""
    names = [each for each in {*dir(value), *names_of(type(value))} if not each.startswith("_")]
    return [*names, *(f"{each}s" for each in names[::4]), *TYPOS]


def wrong_steps(value, kind):
    """The lookups of which inference says what is not so."""
    for bit in names_to_try(value):
        said = step(kind, bit)
        try:
            found = resolved(value, bit)
        except (AttributeError, TypeError):
            continue  # a fault is as right as anything
        except Exception as error:
            if isinstance(said, Fault):
                yield bit, str(said), repr(error)
            continue
        if isinstance(said, Fault):
            if found is not MISSING:
                yield bit, str(said), found
        elif found is not MISSING and not fits(found, said):
            yield bit, str(said), found


@pytest.mark.parametrize("name", plain_values())
def test_plain_values(name):
    value, kind = plain_values()[name]
    assert list(wrong_steps(value, kind)) == []


def test_rows_and_their_managers(zoo):
    assert [(name, *each) for name, of in rows().items() for each in wrong_steps(*of)] == []
