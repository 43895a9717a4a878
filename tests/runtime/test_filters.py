"""What is prepared before a filter is applied."""

import asyncio
import datetime

import pytest
from django.utils.safestring import SafeString

from atemplates.relations.render_relations import RenderRelations
from atemplates.runtime.filters import is_bare
from tests.testapp.models import Region


class Text(str):
    """A subclass may run its own code."""

    __slots__ = ()


@pytest.mark.parametrize(
    "value",
    [
        "a",
        SafeString("a"),
        5,
        None,
        [],
        (),
        [1, "a", None],
        (datetime.date(2024, 2, 29),),
        range(3),
    ],
)
def test_bare_values(value):
    assert is_bare(value)


@pytest.mark.parametrize(
    "value",
    [Text("a"), [Text("a")], [[1]], ({},), {}, {"a": 1}, {1}, object(), [object()], Region()],
)
def test_values_that_may_run_code(value):
    assert not is_bare(value)


def test_awaitables_are_none_of_them():
    loop = asyncio.new_event_loop()
    future = loop.create_future()
    assert not is_bare(future)
    assert not is_bare([future])
    loop.close()


@pytest.mark.parametrize(
    ("rows", "prepared"), [(["a", "b"], 0), ([Region(name="a"), "b"], 1), ([["a"]], 1), ([], 0)]
)
def test_only_lists_that_may_hold_instances_are_prepared(render, monkeypatch, rows, prepared):
    """Where instances are prepared, what their code reaches for is loaded together."""
    seen = []
    prepare = RenderRelations.prepare_value

    def noting(self, value, *args):
        seen.append(value)
        return prepare(self, value, *args)

    monkeypatch.setattr(RenderRelations, "prepare_value", noting)
    render("{{ rows|make_list|length }}", {"rows": rows}, waits=None)
    assert bool(seen) == bool(prepared)
