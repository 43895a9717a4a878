"""Labels of choices, compared with Django's ``get_FOO_display()``."""

from functools import partial

import pytest
from django.db import models
from django.test.utils import isolate_apps
from django.utils.safestring import mark_safe
from django.utils.translation import gettext_lazy

from atemplates.runtime.fast.choices import chosen_label

PLAIN = [("a", "Alpha <"), ("b", gettext_lazy("Yes")), ("s", mark_safe("<b>"))]
CHOICES = [
    PLAIN,
    tuple(PLAIN),
    [(1, "one"), (2, "two"), (1, "last")],
    [(True, "on"), (False, "off")],
    [("a", "x"), ("group", [("b", "inside"), ("a", "again")])],
    [("g", (("a", "A"),))],
    [(None, "nothing"), ("a", "A")],
    {"a": "from a dict", "b": {"c": "nested"}},
    lambda: [("a", "called")],
]
TAKEN = (0, 1, 2)
VALUES = ["a", "b", "c", "s", "zz", "", None, 1, 2, True, 1.0, mark_safe("a"), ("a",)]


@pytest.mark.parametrize("number", range(len(CHOICES)))
@isolate_apps("tests.testapp")
def test_labels(number):
    class Chosen(models.Model):
        field = models.CharField(max_length=9, choices=CHOICES[number])

        class Meta:
            app_label = "testapp"

    taken = 0
    for value in VALUES:
        instance = Chosen(field=value)
        method = instance.get_field_display
        found = chosen_label(method)
        if found is not None:
            taken += 1
            expected = method()
            assert (found, type(found)) == (expected, type(expected))
    assert bool(taken) is (number in TAKEN)


@isolate_apps("tests.testapp")
def test_what_is_left_to_django():
    class OtherField(models.CharField):
        @property
        def flatchoices(self):
            return [("a", "other")]

    class Chosen(models.Model):
        other = OtherField(max_length=9, choices=PLAIN)
        own = models.CharField(max_length=9, choices=PLAIN)

        class Meta:
            app_label = "testapp"

        def get_own_display(self):
            return "own"

    instance = Chosen(other="a", own="a")
    assert chosen_label(instance.get_other_display) is None
    assert instance.get_other_display() == "other"
    assert chosen_label(partial(instance.get_own_display)) is None
    deferred = Chosen(own="a")
    del deferred.__dict__["own"]
    assert chosen_label(partial(deferred.get_own_display)) is None
