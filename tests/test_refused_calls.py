"""What Django refuses to call, no way of ours calls: nor its async twin, nor a load in its place."""

from contextlib import nullcontext

import pytest
from asgiref.sync import async_to_sync
from django.db import connection
from django.db.models import QuerySet
from django.template.backends.django import DjangoTemplates as Stock
from django.test.utils import CaptureQueriesContext

from atemplates.engines.django import DjangoTemplates
from atemplates.testing import record
from tests.testapp.data import zoo
from tests.testapp.models import Animal, Region

__all__ = ["zoo"]

pytestmark = pytest.mark.django_db(databases=["default", "other"])

CALLED = []
"""What the methods below were called by."""


@pytest.fixture(autouse=True)
def nothing_called():
    CALLED.clear()


def noting(name, **marks):
    """A method that notes that it was called, and asks the database."""

    def method(self):
        CALLED.append(name)
        return f"{name} {len(list(self.all()[:1]))}"

    method.__name__ = name
    vars(method).update(marks)
    return method


def anoting(name, **marks):
    """An async method that notes that it was called."""

    async def method(self):
        CALLED.append(name)
        return f"{name} {await self.acount()}"

    method.__name__ = name
    vars(method).update(marks)
    return method


class Marked(QuerySet):
    """Methods and async twins that are marked alike, or otherwise."""

    uncalled = noting("uncalled", do_not_call_in_templates=True)
    auncalled = anoting("auncalled")
    altering = noting("altering", alters_data=True)
    aaltering = anoting("aaltering")
    both = noting("both", alters_data=True, do_not_call_in_templates=True)
    aboth = anoting("aboth", alters_data=True)
    plain = noting("plain")
    aplain = anoting("aplain", alters_data=True)
    tame = noting("tame")
    atame = anoting("atame", do_not_call_in_templates=True)
    wrapping = noting("count")


def outcome(render, context):
    try:
        return render(context)
    except Exception as error:
        return type(error), str(error)


def compare(source, make):
    """Compare our ways with stock: what they write, what they call, what they change.

    Returns:
        The output.
    """
    params = {"NAME": "django", "DIRS": [], "APP_DIRS": False, "OPTIONS": {}}
    stock = Stock({**params, "OPTIONS": {"string_if_invalid": "INVALID"}}).from_string(source)
    ours = DjangoTemplates({**params, "OPTIONS": {"string_if_invalid": "INVALID"}})
    template = ours.from_string(source)
    results = []
    for render in (stock.render, template.render, async_to_sync(template.render_async)):
        for observer in (nullcontext, record):
            CALLED.clear()
            context = make()
            with observer(), CaptureQueriesContext(connection) as sent:
                text = outcome(render, context)
            changed = [q["sql"] for q in sent.captured_queries if not q["sql"].startswith("SELECT")]
            # A step that needs the database begins on the loop and is repeated in the thread.
            results.append((text, set(CALLED), changed))
    assert all(result == results[0] for result in results), results
    assert not results[0][2]
    return results[0][0]


@pytest.mark.parametrize("name", ["uncalled", "altering", "both", "plain", "tame", "wrapping"])
@pytest.mark.parametrize(
    "source",
    [
        "{{ qs.NAME|slice:':8' }}",
        "{% if qs.NAME %}yes{% endif %}",
        "{% with x=qs.NAME %}{% if x %}yes{% endif %}{% endwith %}",
        "{% for qs in several %}{% if qs.NAME %}yes{% endif %}{% endfor %}",
        "{{ qs.NAME|default:'x'|length }}",
    ],
)
def test_a_mark_counts_on_a_method_and_on_its_twin(source, name, zoo):
    source = source.replace("NAME", name)
    compare(source, lambda: {"qs": Marked(Animal), "several": [Marked(Animal), Marked(Animal)]})


REFUSED = [
    *("qs.delete", "qs.adelete", "read.delete", "leo.delete", "leo.save", "leo.foods.clear"),
    *("leo.foods.aclear", "leo.foods.all.delete", "leo.visits.all.delete", "leo.children.clear"),
    *("qs.update", "qs.bulk_create", "qs._raw_delete", "leo._state.db", "leo.children.update"),
    *("leo.mother.delete", "qs.all.delete", "qs.0.delete", "user.groups.clear", "qs.first.delete"),
]


@pytest.mark.parametrize("name", REFUSED)
def test_what_alters_data_is_never_called(name, zoo):
    source = f"{{{{ {name} }}}}{{% if {name} %}}{{% endif %}}{{% for x in {name} %}}{{% endfor %}}"
    read = Animal.objects.order_by("pk")
    len(read)

    def make():
        return {
            "qs": Animal.objects.order_by("pk"),
            "read": read,
            "leo": Animal.objects.get(pk=zoo.leo.pk),
            "user": zoo.user,
        }

    if name in ("qs._raw_delete", "leo._state.db"):
        source = "{% if leo %}{% endif %}"  # private names are an error of the parser
    compare(source, make)


MARKS = [{}, {"alters_data": True}, {"do_not_call_in_templates": True}]


@pytest.mark.parametrize("mark", MARKS, ids=["own", "alters_data", "do_not_call_in_templates"])
@pytest.mark.parametrize("name", ["count", "exists", "all"])
def test_no_load_for_a_loop_stands_for_a_method_that_is_not_djangos(name, mark, zoo, monkeypatch):
    """Counts are grouped for a loop, and rows loaded: for Django's own methods."""

    def method(self):
        CALLED.append(name)
        return self.filter(hidden=True) if name == "all" else ""

    vars(method).update(mark)
    monkeypatch.setattr(type(zoo.region.species), name, method)
    source = f"{{% for r in regions %}}{{% if r.species.{name} %}}x{{% endif %}}{{% endfor %}}"
    compare(source, lambda: {"regions": list(Region.objects.order_by("pk"))})
