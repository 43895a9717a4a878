"""``{% querystring %}`` against Django's own function, over generated parameters."""

import random
from types import SimpleNamespace

import pytest
from django.http import QueryDict
from django.template import defaulttags
from django.utils.safestring import mark_safe

from atemplates.runtime.fast.querystrings import query_string

NAMES = ["a", "b", "page", "a b", "é", "<", "a&b", "q=", ""]
VALUES = ["", "1", "x y", "é&<", "a+b", "%20", "/~!*()'", "\n", "\U0001f600"]


def django_gives(query, changes):
    return defaulttags.querystring(SimpleNamespace(request=SimpleNamespace(GET=query)), **changes)


def test_generated_parameters():
    chance = random.Random(3)
    taken = 0
    for _ in range(3000):
        query = QueryDict(mutable=True)
        for _ in range(chance.randrange(4)):
            query.appendlist(chance.choice(NAMES), chance.choice(VALUES))
        new = [*VALUES, None, 7, -1, mark_safe("<s>")]
        changes = {chance.choice(NAMES): chance.choice(new) for _ in range(chance.randrange(4))}
        ours = query_string(query, changes)
        if ours is not None:
            taken += 1
            assert ours == django_gives(query, changes)
            assert type(ours) is str
    assert taken > 2000


class OwnQuery(QueryDict):
    """A request's parameters of the site's own kind."""


class OwnText(str):
    """A string of the site's."""


@pytest.mark.parametrize(
    ("query", "changes"),
    [
        (OwnQuery("a=1"), {}),
        (QueryDict("a=1", encoding="latin-1"), {}),
        (QueryDict("a=1"), {"b": ["x"]}),
        (QueryDict("a=1"), {"b": OwnText("x")}),
        (QueryDict("a=1"), {"b": 2.5}),
        (QueryDict(""), {}),
        (QueryDict("a=1"), {"a": None}),
        ({"a": "1"}, {}),
    ],
)
def test_what_is_left_to_django(query, changes):
    assert query_string(query, changes) is None
