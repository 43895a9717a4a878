"""`aload` in templates of both engines: what it shows, and that it loads beside the page."""

import threading

import pytest
from django.db import transaction

from atemplates import aload
from atemplates.testing import record
from tests.event_loop import PATIENCE
from tests.parallel.showing import WAYS, Watching, meeting, show
from tests.testapp.models import Region

pytestmark = pytest.mark.django_db(transaction=True)

ways = pytest.mark.parametrize("way", WAYS)

PAGES = {
    "for": "{% for r in load %}{{ r.name }} {% endfor %}",
    "for twice": "{% for r in load %}{{ r.name }}{% endfor %}{% for r in load %}{{ r.id }}{% endfor %}",
    "if": "{% if load %}yes{% else %}no{% endif %}",
    "if not": "{% if not load %}yes{% else %}no{% endif %}",
    "length": "{{ load|length }}",
    "first": "{{ (load|first).name }}",
    "index": "{{ load.0.name }}",
    "relation": "{% for r in load %}{{ r.parent.name }}{% endfor %}",
    "join": "{{ load|join:', ' }}",
    "count": "{{ load.count }}",
    "text": "{{ load }}",
    "set": "{% with a=load %}{% for r in a %}{{ r.name }}{% endfor %}{% endwith %}",
}
IN_JINJA2 = {
    "index": "{{ load[0].name }}",
    "join": "{{ load|join(', ') }}",
    "count": "{{ load.count() }}",
    "set": "{% set a = load %}{% for r in a %}{{ r.name }}{% endfor %}",
}
IN_DJANGO = {"first": "{% with r=load|first %}{{ r.name }}{% endwith %}"}


def source_of(page, way):
    own = IN_JINJA2 if way.startswith("jinja2") else IN_DJANGO
    return own.get(page, PAGES[page])


@ways
@pytest.mark.parametrize("page", PAGES)
def test_it_shows_what_the_queryset_shows(page, way, regions):
    source = source_of(page, way)
    with meeting() as before:
        expected = show(way, source, lambda: {"load": Region.objects.all()})
    with meeting() as seen:
        assert show(way, source, lambda: {"load": aload(Region.objects.all())}) == expected
    assert seen.elsewhere == 1
    assert len(seen.queries) <= len(before.queries)


@ways
def test_three_load_at_the_same_time(way, regions):
    source = "{% for r in a %}{{ r }}{% endfor %}{% for r in b %}{{ r }}{% endfor %}{{ c }}"
    expected = "WorldAfricaAsia" * 2 + "3"
    with meeting(3) as seen:
        shown = show(
            way,
            source,
            lambda: {
                "a": aload(Region.objects.all()),
                "b": aload(Region.objects),
                "c": aload(Region.objects.count),
            },
        )
    assert shown == expected
    assert seen.elsewhere == 3


async def test_a_view_awaits_it(regions):
    queryset = Region.objects.all()
    async with Watching(2) as seen:
        load, count = aload(queryset), aload(queryset.count)
        assert await load is queryset
        assert await count == 3
        assert await load is queryset
    assert [r.name for r in queryset] == ["World", "Africa", "Asia"]
    assert seen.elsewhere == 2


@ways
def test_what_the_page_does_not_use_is_not_waited_for(way, regions):
    go = threading.Event()
    try:
        assert show(way, "text", lambda: {"a": aload(lambda: go.wait(PATIENCE))}) == "text"
    finally:
        go.set()


@ways
def test_in_a_transaction_it_loads_in_the_requests_thread(way, db):

    source = "{% if no %}{{ other }}{% endif %}{% for r in load %}{{ r.name }}{% endfor %}"
    with transaction.atomic():
        Region.objects.create(name="uncommitted")
        with meeting() as seen, record() as log:
            shown = show(
                way,
                source,
                lambda: {"load": aload(Region.objects.all()), "other": aload(Region.objects.count)},
            )
        transaction.set_rollback(True)
    assert shown == "uncommitted"
    assert (len(seen.queries), seen.elsewhere) == (1, 0)
    loads = [event for event in log if event.kind == "load"]
    assert [event.reason for event in loads] == ["a transaction is open on 'default'"]
