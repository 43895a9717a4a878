"""Labels of choices, compared with Django's ``get_FOO_display()``."""

import pytest
from django.db import models
from django.test.utils import isolate_apps
from django.utils.safestring import mark_safe
from django.utils.translation import gettext_lazy

from atemplates.runtime.fast.choices import chosen_label, known_labels, labels_of

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
        found = chosen_label(instance, "get_field_display")
        if found is not None:
            taken += 1
            expected = instance.get_field_display()
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
    assert chosen_label(instance, "get_other_display") is None
    assert instance.get_other_display() == "other"
    assert chosen_label(instance, "get_own_display") is None
    assert chosen_label(instance, "get_missing_display") is None
    assert chosen_label(instance, "own") is None


@isolate_apps("tests.testapp")
def test_what_is_not_in_the_dict():
    class Chosen(models.Model):
        field = models.CharField(max_length=9, choices=PLAIN)

        class Meta:
            app_label = "testapp"

    instance = Chosen(field="a")
    assert chosen_label(instance, "get_field_display") == "Alpha <"
    instance.get_field_display = lambda: "own"
    assert chosen_label(instance, "get_field_display") is None
    del instance.get_field_display
    del instance.__dict__["field"]
    assert chosen_label(instance, "get_field_display") is None


@isolate_apps("tests.testapp")
def test_a_list_that_changes():
    class Chosen(models.Model):
        field = models.CharField(max_length=9, choices=PLAIN)

        class Meta:
            app_label = "testapp"

    instance = Chosen(field="a")
    choices = Chosen._meta.get_field("field").choices
    for change in (
        lambda: choices.__setitem__(0, ("a", "changed")),
        lambda: choices.append(("a", "appended")),
        choices.clear,
    ):
        change()
        found = chosen_label(instance, "get_field_display")
        assert found in (None, instance.get_field_display())


def test_lists_are_forgotten(monkeypatch):
    monkeypatch.setattr("atemplates.runtime.fast.choices.MOST_LABELLED", 2)
    lists = [[("a", f"label {number}")] for number in range(5)]
    assert [labels_of(each) for each in lists] == [dict(each) for each in lists]
    assert len(known_labels) <= 2
