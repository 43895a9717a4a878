"""What a template does with rows that only ``async for`` gives, whoever's queryset they are of."""

import django
import pytest
from asgiref.sync import async_to_sync
from django.core import paginator
from django.template import Context

from atemplates.engines.django import arender_template, render_template
from atemplates.errors import RenderBlocked
from tests.rendering import new_engine, precompiled
from tests.sources import SHAPES, AsyncMethods, Both, Guarded, Late, OnlyAsync, Refusing, Rows

WAYS = ["sync", "async"]


def shown(source, context, way, templates=None):
    engine = new_engine({"main": source, **(templates or {})})
    template = precompiled(engine.get_template("main"))
    if way == "async":
        return async_to_sync(arender_template)(template, Context(context))
    return render_template(template, Context(context))


def stock(source, context, templates=None):
    engine = new_engine({"main": source, **(templates or {})})
    return engine.get_template("main").render(Context(context))


class Row:
    def __init__(self, name, number):
        self.name = name
        self.number = number

    def __iter__(self):
        return iter((self.name, self.number))

    def __len__(self):
        return 2

    def __repr__(self):
        return f"<{self.name}>"


ROWS = [Row("b", 1), Row("a", 1), Row("c", 2)]

USES = {
    "for": "{% for x in a %}{{ x.name }}{% endfor %}",
    "reversed": "{% for x in a reversed %}{{ x.name }}{% endfor %}",
    "unpacking": "{% for n, i in a %}{{ n }}{{ i }}{% endfor %}",
    "empty": "{% for x in a %}{{ x.name }}{% empty %}none{% endfor %}",
    "forloop": "{% for x in a %}{{ forloop.counter }}{{ forloop.revcounter }}{{ forloop.first }}"
    "{{ forloop.last }}{% endfor %}",
    "cycle": "{% for x in a %}{% cycle 'r' 'l' %}{% endfor %}",
    "nested": "{% for x in a %}{% for y in a %}{{ x.name }}{{ y.name }}{% endfor %}{% endfor %}",
    "parentloop": "{% for x in a %}{% for y in a %}{{ forloop.parentloop.counter }}{% endfor %}"
    "{% endfor %}",
    "if": "{% if a %}yes{% else %}no{% endif %}",
    "not": "{% if not a %}none{% endif %}",
    "and": "{% if a and b %}both{% else %}not{% endif %}",
    "or": "{% if b or a %}one{% endif %}",
    "if in a loop": "{% for x in 'ab' %}{% if a %}yes{% else %}no{% endif %}{% endfor %}",
    "in": "{% if row in a %}in{% else %}out{% endif %}",
    "not in": "{% if row not in a %}out{% endif %}",
    "firstof": "{% firstof b a 'none' %}",
    "length": "{{ a|length }}",
    "length compared": "{% if a|length > 2 %}many{% endif %}",
    "slice": "{% for x in a|slice:':2' %}{{ x.name }}{% endfor %}",
    "slice from": "{% for x in a|slice:'1:' %}{{ x.name }}{% endfor %}",
    "slice length": "{{ a|slice:'1:'|length }}",
    "step": "{% for x in a|slice:'::2' %}{{ x.name }}{% endfor %}{{ a|slice:'::2'|length }}",
    "step, twice": "{% with s=a|slice:'::2' %}{{ s|length }}{% for x in s %}{{ x.name }}{% endfor %}"
    "{% for x in s %}{{ x.name }}{% endfor %}{% if s %}some{% endif %}{% endwith %}",
    "first": "{{ a|first }}",
    "first name": "{% with f=a|first %}{{ f.name }}{% endwith %}",
    "join": "{{ a|join:', ' }}",
    "dictsort": "{% for x in a|dictsort:'name' %}{{ x.name }}{% endfor %}",
    "dictsortreversed": "{% for x in a|dictsortreversed:'name' %}{{ x.name }}{% endfor %}",
    "unordered_list": "{{ a|unordered_list }}",
    "default": "{% for x in a|default:other %}{{ x.name }}{% endfor %}",
    "default printed": "{{ a|default:'none' }}",
    "default_if_none": "{% for x in a|default_if_none:'' %}{{ x.name }}{% endfor %}",
    "yesno": "{{ a|yesno:'some,none' }}",
    "pluralize": "row{{ a|pluralize }}",
    "random": "{% with r=a|random %}{% if r in a %}one of them{% endif %}{% endwith %}",
    "regroup": "{% regroup a by number as groups %}{% for g in groups %}{{ g.grouper }}:"
    "{% for x in g.list %}{{ x.name }}{% endfor %} {% endfor %}",
    "with": "{% with b=a %}{{ b|length }}{% for x in b %}{{ x.name }}{% endfor %}{% endwith %}",
    "include": "{% include 'part' with b=a %}",
    "include only": "{% include 'part' with b=a only %}",
    "blocktranslate": "{% load i18n %}{% blocktranslate count n=a|length %}one{% plural %}"
    "{{ n }} many{% endblocktranslate %}",
    "count": "{{ a.count }}",
    "exists": "{% if a.exists %}yes{% else %}no{% endif %}",
    "in_bulk": "{% for n, x in a.in_bulk.items %}{{ n }}{{ x.name }}{% endfor %}",
    "iterator": "{% for x in a.iterator %}{{ x.name }}{% empty %}none{% endfor %}",
    "first row": "{{ a.first.name }}",
    "last row": "{{ a.last.name }}",
    "by position": "{{ a.1.name }}",
    "by position, none": "[{{ a.7.name }}]",
    "in a dict": "{{ d.a|length }}{{ d.a.count }}{{ d.a.0.name }}",
    "printed": "{{ a }}",
    "of no name": "[{{ a.nothing }}{{ a.delete }}{{ a.clear }}]",
}
PART = "{{ b|length }}{% for x in b %}{{ x.name }}{% endfor %}"


def context_of(shape, rows):
    source = shape(*rows)
    return {"a": source, "b": shape(), "d": {"a": source}, "row": ROWS[1], "other": ROWS[:1]}


@pytest.mark.exhaustive
@pytest.mark.parametrize("use", USES.values(), ids=USES)
@pytest.mark.parametrize("shape", SHAPES)
def test_a_source_reads_as_its_rows_do(shape, use):
    # Of no rows random.choice() raises IndexError.
    for rows in (ROWS, ROWS[:1]) if "random" in use else (ROWS, ROWS[:1], []):
        templates = {"part": PART}
        expected = stock(use, context_of(Rows, rows), templates)
        for way in WAYS:
            assert shown(use, context_of(shape, rows), way, templates) == expected, (way, rows)


USED_OFTEN = (
    "{% if a %}{{ a|length }}{% for x in a %}{{ x.name }}{% endfor %}{{ a|join:'' }}"
    "{% for x in a %}{{ x.name }}{% if x in a %}!{% endif %}{% endfor %}{{ a.0.name }}"
    "{% regroup a by number as g %}{{ g|length }}{% endif %}{{ a|yesno }}{{ a|first }}"
)


@pytest.mark.parametrize("shape", [shape for shape in SHAPES if shape is not Both])
@pytest.mark.parametrize("way", WAYS)
def test_a_source_is_evaluated_once(shape, way):
    context = context_of(shape, ROWS)
    assert shown(USED_OFTEN, context, way) == stock(USED_OFTEN, context_of(Rows, ROWS))
    assert context["a"].asked == 1


def test_one_that_is_both_is_read_asynchronously_on_the_loop():
    context = context_of(Both, ROWS)
    assert shown(USED_OFTEN, context, "async") == stock(USED_OFTEN, context_of(Rows, ROWS))
    assert context["a"].asked == 1


@pytest.mark.parametrize("way", WAYS)
def test_rows_that_are_at_hand_are_not_asked_for(way):
    context = context_of(Refusing, ROWS)
    context["a"]._result_cache = list(ROWS)
    assert shown(USED_OFTEN, context, way) == stock(USED_OFTEN, context_of(Rows, ROWS))
    assert context["a"].asked == 0


@pytest.mark.parametrize("way", WAYS)
def test_rows_whose_prefetch_is_not_done_are_not_at_hand(way):
    class Prefetching(Refusing):
        _prefetch_done = False

        async def _fetch_all(self):
            self.asked += 1

    source = Prefetching(*ROWS)
    source._result_cache, source._prefetch_related_lookups = list(ROWS), ("species",)
    assert shown("{% for x in a %}{{ x.name }}{% endfor %}", {"a": source}, way) == "bac"
    assert source.asked == 1


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("use", ["{{ a|first }}", "{{ a.0 }}", "{{ a|slice:':1'|join:'' }}"])
def test_a_part_of_the_rows_does_not_take_all_of_them(use, way):
    source = Refusing(*ROWS)
    assert shown(use, {"a": source}, way) == "&lt;b&gt;"
    assert source.asked == 0


class Endless:
    """Neither a length nor what a queryset can be asked: its truth is Python's."""

    async def __aiter__(self):
        raise AssertionError("nobody asks for rows")
        yield


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("use", ["{% if a %}True{% endif %}", "{{ a|yesno:'True,False' }}"])
def test_the_truth_of_what_has_no_length(use, way):
    if "yesno" in use and way == "async":
        use = "{% if a and a %}True{% endif %}"
    assert shown(use, {"a": Endless()}, way) == "True"


async def generator():
    for row in ROWS:
        yield row


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    "use",
    [
        "{% for x in a %}{{ x.name }}{% endfor %}{% for x in a %}again{% endfor %}",
        "{{ a|join:'' }}{{ a|join:'' }}",
        "{% for x in a|dictsort:'name' %}{{ x.name }}{% endfor %}",
        "{% if row in a %}in{% endif %}",
        "{% if a %}true{% endif %}{{ a|length }}{{ a|yesno }}{{ a.0 }}{% for x in a %}x{% endfor %}",
        "{% regroup a by number as g %}{{ g|length }}",
    ],
)
def test_an_async_generator_reads_as_a_generator_does(use, way):
    expected = stock(use, {"a": (row for row in ROWS), "row": ROWS[1]})
    assert shown(use, {"a": generator(), "row": ROWS[1]}, way) == expected


@pytest.mark.parametrize("way", WAYS)
def test_a_generator_function_is_called(way):
    assert shown("{% for x in a %}{{ x.name }}{% endfor %}", {"a": generator}, way) == "bac"


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("shape", [OnlyAsync, Late, Guarded, AsyncMethods])
def test_methods_that_templates_must_not_call(shape, way):
    class Marked(shape):
        async def acount(self):
            raise AssertionError("it is marked")

        acount.alters_data = True

        async def aexists(self):
            raise AssertionError("it is marked")

        aexists.do_not_call_in_templates = True

        def first(self):
            raise AssertionError("it is marked")

        first.alters_data = True
        count = exists = None

    assert shown("[{{ a.first }}]", {"a": Marked(*ROWS)}, way) == "[]"
    assert shown("{{ a.count }}{{ a.exists }}", {"a": Marked(*ROWS)}, way) == "NoneNone"


@pytest.mark.parametrize("way", WAYS)
def test_errors_of_a_source_are_its_own(way):
    class Broken(Refusing):
        async def _fetch_all(self):
            raise LookupError("no such table")

        async def acount(self):
            raise LookupError("no such table")

    for use in ("{% for x in a %}{% endfor %}", "{% if a %}{% endif %}", "{{ a|length }}"):
        with pytest.raises(LookupError, match="no such table"):
            shown(use, {"a": Broken()}, way)
    with pytest.raises(LookupError, match="no such table"):
        shown("{{ a.count }}", {"a": Broken()}, way)


async def test_a_sync_render_on_the_loop_says_what_it_met():
    template = new_engine({"main": "{% for x in a %}{% endfor %}"}).get_template("main")
    with pytest.raises(RenderBlocked, match=r"async for.*<rows>"):
        render_template(template, Context({"a": Refusing(*ROWS)}))


PAGE = (
    "{% for x in page %}{{ x.name }}{% endfor %}{{ page|length }}{{ page.0.name }}{{ page.number }}"
    "{% if page.has_next %}next {{ page.next_page_number }}{% endif %}{% if page %}rows{% endif %}"
    "{% if page.has_previous %}{{ page.previous_page_number }}{% endif %}{{ page.end_index }}"
    "{{ page.start_index }}{{ page.paginator.num_pages }}{{ page.paginator.count }}"
    "{% for n in page.paginator.page_range %}{{ n }}{% endfor %}{{ page|first }}{{ page|last }}"
)


@pytest.mark.skipif(django.VERSION < (6, 0), reason="Django has no AsyncPaginator before 6.0")
@pytest.mark.parametrize("way", WAYS)
def test_an_async_page_reads_as_a_page_does(way):
    expected = stock(PAGE, {"page": paginator.Paginator(ROWS, 2).page(1)})
    page = async_to_sync(paginator.AsyncPaginator(Refusing(*ROWS), 2).apage)(1)
    assert shown(PAGE, {"page": page}, way) == expected


def test_a_manager_that_has_only_async_methods():
    from django.db.models.manager import BaseManager

    class Manager(BaseManager.from_queryset(Refusing)):
        def get_queryset(self):
            return Refusing(*ROWS)

    source = "{{ m.count }}{% for x in m.all %}{{ x.name }}{% endfor %}{{ m.all|length }}"
    for way in WAYS:
        assert shown(source, {"m": Manager()}, way) == "3bac3"
