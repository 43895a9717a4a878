"""The law, for Jinja2: a page on the loop reads as in a thread, whatever its objects keep or hide."""

import itertools

import jinja2
import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import Group
from jinja2.sandbox import SandboxedEnvironment

from atemplates.engines.jinja2.plans import use_plans
from atemplates.jinja2 import state
from atemplates.placement import records
from atemplates.runtime.policy import Policy
from tests import swallowing
from tests.rendering import plain
from tests.swallowing import HIDING, objects

pytestmark = pytest.mark.django_db

SOURCES = [
    "{{ o.prop }}|{{ o.prop }}",
    "{{ o.method() }}|{{ o.method() }}",
    "{{ o.by_getattr }}|{{ o.by_getattr_2 }}",
    "{{ s.key }}|{{ s['key'] }}|{{ s|attr('prop') }}",
    "{{ o }}|{{ o }}|{{ h }}",
    "{{ o|length }}|{{ o }}|{{ 'a' ~ o ~ h }}",
    "{% if o %}yes{% else %}no{% endif %}|{{ o }}|{{ 'y' if not o else 'n' }}",
    "{% for x in o %}{{ x }}{{ loop.index }},{% endfor %}|{{ o }}",
    "{% if o == 'x' %}yes{% endif %}|{{ o != 'x' }}|{{ o }}",
    "{{ 'hidden' in o }}|{{ o }}|{{ o is iterable }}{{ o is sequence }}{{ o is string }}",
    "{{ o|answered }}|{{ o|answered|upper }}|{{ o|upper }}|{{ o|default('d') }}",
    "{{ answer(o) }}|{{ answer(o, suffix='!') }}|{{ answer(value=o) }}",
    "{{ answer_in('o') }}|{{ answer_in('o') }}",
    "{{ 'y' if o is answering else 'n' }}|{{ o }}",
    "{{ l|join(',') }}|{{ l|join(',', attribute='prop') }}|{{ o }}",
    "{{ l|map(attribute='prop')|join('/') }}|{{ l|map('answered')|list }}",
    "{{ l|selectattr('prop')|list|length }}|{{ l|select('answering')|list|length }}|{{ l[0] }}",
    "{{ l|sort(attribute='prop')|length }}{{ l|first }}{{ l|groupby('prop')|length }}",
    "{% macro m(a) %}{{ a.prop }}{{ a }}{% endmacro %}{{ m(o) }}{{ m(h) }}",
    "{% set x = o.method() %}{{ x }}{% set y = o %}{{ y }}{{ [o, h]|string|length }}",
    "{% call(a) each(l) %}{{ a.prop }}{% endcall %}",
    "{% for x in l %}{{ loop.changed(x.prop) }}{{ x }}{% endfor %}{{ (o.prop, h.prop) }}",
]


def environment(kind=jinja2.Environment, **options):
    made = kind(autoescape=True, **options)
    made.filters["answered"] = swallowing.answered
    made.tests["answering"] = lambda value: "hidden" not in value.answer()
    made.globals["answer"] = lambda value, suffix="": value.answer() + suffix

    @jinja2.pass_context
    def answer_in(context, name):
        return context[name].answer()

    made.globals["answer_in"] = answer_in
    made.globals["each"] = lambda rows, caller: "".join(caller(row) for row in rows)
    return made


KEPT = [swallowing.Flag, swallowing.Appending, swallowing.Slotted, swallowing.Formlike]


@pytest.fixture(autouse=True)
def nothing_is_learned():
    records.RECORDS.clear()
    yield
    records.RECORDS.clear()


@pytest.fixture(autouse=True)
def a_group(db):
    Group.objects.create(name="g")


def context_of(kept, hide, asks):
    values = objects(kept, hide, asks)
    values["l"] = [objects(kept, hide, asks)["o"], objects(kept, hide, asks)["o"]]
    return values


def outcome_of(template, values):
    try:
        return plain(template.render(values))
    except Exception as error:
        return f"{type(error).__name__}: {plain(str(error))}"


async def aoutcome_of(template, values):
    try:
        return plain(await template.render_async(values))
    except Exception as error:
        return f"{type(error).__name__}: {plain(str(error))}"


# Which of the objects ask the database, render after render: code that was quiet may ask later.
ASKING = {
    records.TRUSTED_AFTER: [[True, True], [*[False] * 4, True, True]],
    0: [[True], [False, True]],
}
WAYS = [
    *((jinja2.Environment, hide) for hide in HIDING),
    (SandboxedEnvironment, swallowing.by_exception),
    (SandboxedEnvironment, swallowing.by_nobody),
]


@pytest.mark.exhaustive
@pytest.mark.parametrize("trusted_after", ASKING)
@pytest.mark.parametrize(("kind", "hide"), WAYS)
async def test_jinja2_templates(monkeypatch, trusted_after, kind, hide):
    monkeypatch.setattr(state, "PLACEMENT", Policy(trusted_after=trusted_after))
    stock = environment(kind)
    ours = use_plans(environment(kind, enable_async=True))
    differ = []
    for source, kept in itertools.product(SOURCES, KEPT):
        wanted = {
            asks: await sync_to_async(outcome_of)(
                stock.from_string(source), context_of(kept, hide, asks)
            )
            for asks in (True, False)
        }
        template = ours.from_string(source)
        for asking in ASKING[trusted_after]:
            records.RECORDS.clear()
            for number, asks in enumerate(asking):
                got = await aoutcome_of(template, context_of(kept, hide, asks))
                if got != wanted[asks]:
                    place = f"{source} {kept.__name__} {asking[: number + 1]}"
                    differ.append(f"{place}: {got!r} for {wanted[asks]!r}")
    assert not differ, f"{len(differ)} differ:\n" + "\n".join(differ[:20])
