"""Querysets of django-async-backend read as Django's own do, and are asked once."""

import pytest
from django.core import paginator
from django.template import Context
from django_async_backend.db import async_connections
from django_async_backend.db.models.query import QuerySet

from tests.rendering import new_engine
from tests.tags.test_async_sources import PAGE
from tests.testapp.models import Region

from .showing import (
    ENGINES,
    REGIONS,
    WAYS,
    arender_counted,
    awaited,
    django_template,
    ours,
    shown,
)

PART = "{{ b|length }}{% for x in b %}{{ x.name }}{% endfor %}"
DJANGO = {
    "for": "{% for x in a %}{{ x.name }}{% empty %}none{% endfor %}",
    "reversed": "{% for x in a reversed %}{{ x.name }}{% endfor %}",
    "forloop": "{% for x in a %}{{ forloop.revcounter }}{{ forloop.last }}{% endfor %}",
    "empty": "{% for x in nobody %}{{ x }}{% empty %}none{% endfor %}",
    "if": "{% if a %}yes{% endif %}{% if nobody %}{% else %}no{% endif %}{% if not nobody %}!{% endif %}",
    "in": "{% if row in a %}in{% endif %}{% if row not in b %}out{% endif %}",
    "length": "{{ a|length }}{{ nobody|length }}{% if a|length > 2 %}many{% endif %}",
    "slice": "{% for x in a|slice:':2' %}{{ x.name }}{% endfor %}{{ a|slice:'1:3'|length }}",
    "slice of a slice": "{% for x in a|slice:'1:3'|slice:':1' %}{{ x.name }}{% endfor %}",
    "step": "{{ a|slice:'::2'|length }}{% for x in a|slice:'::2' %}{{ x.name }}{% endfor %}"
    "{% with s=a|slice:'::2' %}{% for x in s %}{{ x.name }}{% endfor %}{{ s|length }}{% endwith %}",
    "negative": "{{ a|slice:'-2:'|length }}",
    "slice, then all": "{% for x in a|slice:':1' %}{{ x.name }}{% endfor %}{{ a|join:'' }}",
    "first": "{{ a|first }}{% with f=a|first %}{{ f.name }}{% endwith %}[{{ nobody|first }}]",
    "join": "{{ a|join:', ' }}{{ names|join:'-' }}",
    "dictsort": "{% for x in a|dictsort:'name' %}{{ x.name }}{% endfor %}",
    "regroup": "{% regroup a by parent_id as g %}{% for k in g %}{{ k.grouper }}"
    "{% for x in k.list %}{{ x.name }}{% endfor %}{% endfor %}",
    "methods": "{{ a.count }}{{ a.exists }}{{ a.first.name }}{{ a.last.name }}{{ nobody.first }}",
    "rows": "{{ a.0.name }}{{ a.2 }}[{{ a.99 }}]{{ dicts.0.name }}",
    "all": "{{ a.all|length }}{{ a.all.count }}{% for x in a.all %}{{ x.name }}{% endfor %}",
    "chained": "{{ a.reverse.first }}{{ a.distinct.count }}{{ a.none.count }}{{ a.values.0.name }}",
    "in_bulk": "{% for pk, x in a.in_bulk.items %}{{ pk }}{{ x.name }}{% endfor %}",
    "iterator": "{% for x in a.iterator %}{{ x.name }}{% endfor %}",
    "manager": "{{ m.count }}{{ m.first }}{{ m.exists }}{% for x in m.all %}{{ x }}{% endfor %}",
    "with": "{% with b=a %}{{ b|length }}{% for x in b %}{{ x }}{% endfor %}{% endwith %}",
    "include": "{% include 'part' with b=a %}{% include 'part' with b=a only %}{{ a|length }}",
    "values": "{% for d in dicts %}{{ d.name }}{{ d.pk }}{% endfor %}"
    "{% for n, i in pairs %}{{ n }}{{ i }}{% endfor %}",
    "joined": "{% for x in joined %}{{ x.parent.name }},{% endfor %}",
    "union": "{% for x in both %}{{ x.name }}{% endfor %}{{ both|length }}",
    "cut": "{{ cut|length }}{% for x in cut %}{{ x }}{% endfor %}{{ cut.count }}{{ cut|slice:':1'|length }}",
    "default": "{{ a|yesno:'y,n' }}{{ nobody|default:'none' }}row{{ a|pluralize }}",
    "operators": "{% if a and not nobody %}1{% endif %}{% if nobody or a %}2{% endif %}"
    "{% if a.count > 2 %}3{% endif %}{% if a.exists and nobody.exists %}4{% endif %}",
    "ifchanged": "{% for x in a %}{% ifchanged a|length %}c{% endifchanged %}{% endfor %}",
}
JINJA2 = {
    "for": "{% for x in a %}{{ x.name }}{{ loop.length }}{{ loop.last }}{% else %}none{% endfor %}",
    "empty": "{% for x in nobody %}{% else %}none{% endfor %}",
    "if": "{% if a %}yes{% endif %}{{ 'some' if nobody else 'none' }}{{ not nobody }}",
    "length": "{{ a|length }}{{ a|list }}{{ a|first }}{{ a|last }}{{ nobody|length }}",
    "section": "{{ a[:2]|length }}{% for x in a[1:] %}{{ x }}{% endfor %}",
    "step": "{% set s = a[::2] %}{{ s|length }}{% for x in s %}{{ x }}{% endfor %}{{ s|list }}",
    "items": "{{ a[0].name }}{{ a[1] }}[{{ a[9] }}]",
    "methods": "{{ a.count() }}{{ a.exists() }}{{ a.first() }}{{ a.last().name }}",
    "chained": "{{ a.all().count() }}{{ a.filter(pk=1).count() }}{{ a.get(pk=1) }}"
    "{{ a.order_by('-pk').first() }}{{ a.values('name')|list }}",
    "in_bulk": "{{ a.in_bulk([1, 2]) }}{{ a.contains(row) }}{{ a.aggregate() }}",
    "iterator": "{% for x in a.iterator() %}{{ x }}{% endfor %}",
    "manager": "{{ m.count() }}{% for x in m.all() %}{{ x }}{% endfor %}{{ m.filter(pk=1)|length }}",
    "sort": "{{ a|sort(attribute='name')|join(',') }}{{ names|sort }}{{ names|max }}",
    "map": "{{ a|map(attribute='name')|join }}{{ a|selectattr('pk', 'eq', 1)|list }}",
    "groupby": "{% for n, rows in a|groupby('name') %}{{ n }}{{ rows|length }}{% endfor %}",
    "in": "{{ row in a }}{{ row not in b }}{{ (a|random) in a }}{{ a|batch(2)|list }}",
    "set": "{% set b = a %}{{ b|length }}{% for x in b %}{{ x }}{% endfor %}{{ b|length }}",
}
USES = [
    pytest.param(engine, source, id=f"{engine}, {name}")
    for engine, uses in (("django", DJANGO), ("jinja2", JINJA2))
    for name, source in uses.items()
]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(("engine", "source"), USES)
def test_they_read_as_djangos_do(engine, source, way, django_db_blocker):
    parse, stock = ENGINES[engine]
    with django_db_blocker.unblock():
        expected = stock(source, {"part": PART})
    template = parse(source, {"part": PART})
    for _ in range(2):
        assert shown(template, ours(), way) == expected


ONCE = {
    "django": "{% if a %}{{ a|length }}{% for x in a %}{{ x.name }}{% endfor %}{{ a|yesno }}"
    "{% for x in a %}{% if x in a %}!{% endif %}{% endfor %}{{ a.0.name }}{{ a|slice:'::2'|length }}"
    "{{ a.count }}{{ a.exists }}{% endif %}"
    "{% include 'part' with b=a %}{% with f=a|first %}{{ f.name }}{% endwith %}{{ a|slice:':2'|length }}",
    "jinja2": "{% if a %}{{ a|length }}{% for x in a %}{{ x.name }}{{ loop.length }}{% endfor %}"
    "{{ a[0].name }}{{ (a|first).name }}{{ a[:2]|length }}{{ a[::2]|length }}{{ a.count() }}"
    "{% endif %}",
}


@pytest.mark.parametrize("engine", ENGINES)
def test_one_is_asked_once_and_in_no_thread(engine):
    template = ENGINES[engine][0](ONCE[engine], {"part": PART})
    for _ in range(4):
        found = awaited(arender_counted, template, ours())
    assert len(found.queries) == 1
    assert found.hops == 0
    assert "Savanna" in found.output


@pytest.mark.parametrize(
    ("source", "asked"),
    [
        ("{{ a.count }}", "COUNT(*)"),
        ("{% if a.exists %}{% endif %}", "LIMIT 1"),
        ("{{ a.first.name }}", "LIMIT 1"),
        ("{{ a.last.name }}", "DESC LIMIT 1"),
        ("{{ a.1.name }}", "LIMIT 1 OFFSET 1"),
        ("{{ a|first }}", "LIMIT 1"),
        ("{{ a|slice:':2'|length }}", "LIMIT 2"),
        ("{{ m.count }}", "COUNT(*)"),
    ],
)
def test_it_answers_what_takes_no_rows_by_itself(source, asked):
    template = django_template(source)
    for _ in range(4):
        found = awaited(arender_counted, template, ours())
    (query,) = found.queries
    assert query.endswith(asked) or asked in query
    assert found.hops == 0


def test_rows_that_were_read_are_not_asked_for_again():
    async def page():
        context = ours()
        assert [row.name async for row in context["a"]] == REGIONS
        return await arender_counted(django_template(ONCE["django"], {"part": PART}), context)

    assert awaited(page).queries == []


def test_a_second_render_takes_a_fresh_queryset():
    template = django_template("{% for x in a %}{{ x.name }}{% endfor %}")

    async def page():
        context = {"a": Region.async_objects.filter(name="added")}
        before = await template.render_async(context)
        added = await Region.async_objects.acreate(name="added")
        try:
            same = await template.render_async(context)
            return before, same, await template.render_async({"a": context["a"].all()})
        finally:
            await Region.async_objects.filter(pk=added.pk).adelete()

    assert awaited(page) == ("", "", "added")


RELATIONS = {
    "django": "{% for x in animals %}{{ x.species.name }},{{ x.mother.name }},"
    "{{ x.mother.species.name }},{{ x.children.count }}{% for c in x.children.all %}{{ c.name }}"
    "{% endfor %}{% for f in x.foods.all %}{{ f.name }}{% endfor %}{{ x.passport.number }}"
    "{{ x.label }}{% endfor %}",
    "jinja2": "{% for x in animals %}{{ x.species.name }},{{ x.mother.name }}"
    "{% for c in x.children.all() %}{{ c.name }}{% endfor %}{{ x.foods.count() }}{% endfor %}",
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("engine", ENGINES)
def test_relations_of_its_rows_are_loaded_for_all_rows(
    engine, way, django_may_ask, django_assert_max_num_queries
):
    parse, stock = ENGINES[engine]
    expected = stock(RELATIONS[engine])
    template = parse(RELATIONS[engine])
    with django_assert_max_num_queries(7):  # one for each relation, on Django's own connection
        assert shown(template, ours(), way) == expected


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("way", WAYS)
def test_one_that_is_printed_shows_its_query(engine, way):
    template = ENGINES[engine][0]("{{ a }}")
    assert "QuerySet [SELECT" in shown(template, ours(), way)


@pytest.mark.parametrize("way", WAYS)
def test_the_last_of_rows_that_are_there(way):
    """Of rows that are not, Django's own refuse a negative position as these do."""
    assert shown(django_template("{{ names|length }}{{ names|last }}"), ours(), way) == "3Savanna"
    with pytest.raises(ValueError, match="Negative indexing is not supported"):
        shown(django_template("{{ names|last }}"), ours(), way)


def test_a_page_of_rows(django_db_blocker):
    with django_db_blocker.unblock():
        stock = new_engine({"main": PAGE}).get_template("main")
        rows = list(Region.objects.all())
        expected = stock.render(Context({"page": paginator.Paginator(rows, 2).page(1)}))

    async def page():
        found = await paginator.AsyncPaginator(ours()["a"], 2).apage(1)
        return await django_template(PAGE).render_async({"page": found})

    assert awaited(page) == expected


def test_what_the_database_says_is_raised():
    class Broken(QuerySet):
        pass

    async def page():
        broken = Broken(Region).extra(select={"n": "no_such_column"})
        await django_template("{{ a|length }}").render_async({"a": broken})

    with pytest.raises(Exception, match="no_such_column"):
        awaited(page)


def test_a_transaction_of_the_view_is_seen():
    from django_async_backend.db.transaction import async_atomic

    async def page():
        async with async_atomic():
            await Region.async_objects.acreate(name="uncommitted")
            output = await django_template("{{ a|join:',' }}").render_async(ours())
            async_connections["default"].set_rollback(True)
        return output

    assert awaited(page) == "World,Africa,Savanna,uncommitted"
