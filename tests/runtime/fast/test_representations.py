"""Plain values are pretty-printed as Django does it."""

import random

import pytest
from django.template import defaultfilters as django

from atemplates.runtime.fast import representations
from tests.runtime.fast.text_values import NUMBERS, SIGNS, SPACES, compare, some_texts


def containers(seed):
    """Yield lists, tuples and dicts of all kinds of values."""
    chance = random.Random(seed)
    texts = list(some_texts(seed, 60, SIGNS, SPACES))
    plain = [*texts, *NUMBERS, None, True]
    yield from ([], (), {}, [[]], (1,), {1: 2}, {"b": [1], "a": 2}, {None: 1, "a": 2}, [10**5000])
    for _ in range(1500):
        items = chance.choices(plain, k=chance.choice((1, 2, 3, 5, 9)))
        yield items
        yield tuple(items)
        yield dict(zip(chance.choices(texts, k=len(items)), items, strict=True))
        yield [items, *items]


def test_pprint_is_djangos():
    assert compare(django.pprint, some_texts(11, 600, SIGNS, SPACES), [()]) > 0.8
    compare(django.pprint, containers(12), [()])


@pytest.mark.parametrize("value", ["x" * 78, ["x" * 76], {"b": 1, "a": "x" * 63}, ("x" * 75,)])
def test_up_to_the_width_of_a_line(value):
    assert len(representations.pprint(value)) == representations.LINE
    assert representations.pprint(value) == django.pprint(value)


def test_longer_values_are_left_to_django():
    for value in ("a b " * 20, ["x" * 77], {"a": "b " * 40}, 10**5000):
        assert representations.pprint(value) is None
