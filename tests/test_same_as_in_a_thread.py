"""The law: a page on the loop reads as in a thread, whatever its objects keep or hide."""

import functools
import itertools

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import Group
from django.template import Context, RequestContext

from atemplates.engines.django import arender_template
from atemplates.placement import records
from atemplates.runtime.policy import Policy
from tests import swallowing
from tests.rendering import new_engine, plain, precompiled
from tests.swallowing import HIDING, STATES, objects

pytestmark = pytest.mark.django_db

DJANGO = [
    "{{ o.prop }}|{{ o.prop }}",
    "{{ o.method }}|{{ o.method }}",
    "{{ o.by_getattr }}|{{ o.by_getattr_2 }}",
    "{{ s.key }}|{{ s.key }}",
    "{{ o }}|{{ o }}",
    "{{ h }}|{{ h }}",
    "{{ o|length }}|{{ o }}",
    "{% if o %}yes{% else %}no{% endif %}|{{ o }}",
    "{% if not o %}yes{% else %}no{% endif %}|{{ o.prop }}",
    "{% for x in o %}{{ x }},{% endfor %}|{{ o }}",
    "{% if o == 'x' %}yes{% else %}no{% endif %}|{{ o }}",
    "{% if 'hidden' in o %}yes{% else %}no{% endif %}|{{ o }}",
    "{% if o.prop == 'x' or o.method %}yes{% endif %}|{{ o }}",
    "{% load swallowing %}{{ o|answered }}|{{ o|answered|upper }}",
    "{% load swallowing %}{% answer o %}|{% answer o suffix='!' %}",
    "{% load swallowing %}{% answer o as a %}{{ a }}{{ o }}",
    "{% load swallowing %}{% answer_in 'o' %}|{% answer_in 'o' %}",
    "{% load swallowing %}{% answer_node o %}|{% answer_node o %}",
    "{{ o|upper }}|{{ o|default:'d' }}|{{ h|escape }}",
    "{{ l|join:',' }}|{{ l }}|{{ o }}",
    "{% with a=o.prop %}{{ a }}{% endwith %}{% firstof o.prop h %}",
    "{% for x in l %}{{ x.prop }}{% ifchanged x %}{{ x }}{% endifchanged %}{% endfor %}",
    "{% load i18n %}{% blocktranslate with a=o.prop b=o %}{{ a }} {{ b }}{% endblocktranslate %}",
    "{% for x in l %}{% cycle o.prop h.prop %}{% endfor %}{% include 'part' with p=o %}",
    "{% regroup l by prop as groups %}{% for g in groups %}{{ g.grouper }}{% endfor %}",
    "{{ l|dictsort:'prop'|length }}{{ l|first }}{{ o }}{{ o|yesno }}{{ o|add:'x' }}",
]

POLICIES = {
    "learned": Policy(),
    "trusted": Policy(trusted_after=0),
    "inline": Policy(sync_tags="inline"),
    "inline and trusted": Policy(sync_tags="inline", trusted_after=0),
    "in the thread": Policy(sync_tags="thread"),
}


@pytest.fixture(autouse=True)
def nothing_is_learned():
    records.RECORDS.clear()
    yield
    records.RECORDS.clear()


@pytest.fixture(autouse=True)
def a_group(db):
    Group.objects.create(name="g")


@functools.cache
def stock_template_of(source):
    """Stock's template, which keeps nothing from one render to the next."""
    return template_of(source)


def template_of(source, policy=None):
    engine = new_engine(
        {"main": source, "part": "{{ p.method }}{{ p }}"},
        libraries={"swallowing": "tests.swallowing"},
        policy=policy,
    )
    return engine.get_template("main")


def context_of(state, hide, asks):
    values = objects(state, hide, asks)
    values["l"] = [objects(state, hide, asks)["o"], objects(state, hide, asks)["o"]]
    return Context(values)


def outcome_of(render, *args):
    try:
        return plain(render(*args))
    except Exception as error:
        return f"{type(error).__name__}: {error}"


async def aoutcome_of(template, context):
    try:
        return plain(await arender_template(template, context))
    except Exception as error:
        return f"{type(error).__name__}: {error}"


# Which of the objects ask the database, render after render: code that was quiet may ask later.
LEARNED = [[True, True], [False, False, False, False, True, True]]
TRUSTED = [[True], [False, True]]
ASKING = {"learned": LEARNED, "in the thread": [[True]]}

WAYS = [
    *((policy, hide) for policy in ("learned", "trusted") for hide in HIDING),
    *(
        (policy, hide)
        for policy in ("inline", "inline and trusted", "in the thread")
        for hide in (swallowing.by_exception, swallowing.by_base_exception, swallowing.by_nobody)
    ),
]


@pytest.mark.exhaustive
@pytest.mark.parametrize(("policy", "hide"), WAYS)
async def test_django_templates(policy, hide):
    differ = []
    for source, state in itertools.product(DJANGO, STATES):
        stock = stock_template_of(source)
        ours = precompiled(template_of(source, POLICIES[policy]))
        wanted = {
            asks: await sync_to_async(outcome_of)(stock.render, context_of(state, hide, asks))
            for asks in (True, False)
        }
        for asking in ASKING.get(policy, TRUSTED):
            records.RECORDS.clear()
            for number, asks in enumerate(asking):
                want = wanted[asks]
                got = await aoutcome_of(ours, context_of(state, hide, asks))
                if got != want:
                    place = f"{source} {state.__name__} {asking[: number + 1]}"
                    differ.append(f"{place}: {got!r} for {want!r}")
    assert not differ, f"{len(differ)} differ:\n" + "\n".join(differ[:20])


@pytest.mark.parametrize("policy", POLICIES)
async def test_context_processors(policy, rf):
    for hide, state in itertools.product(HIDING, STATES):
        stock = stock_template_of("{{ processed }}|{{ processed }}")
        ours = precompiled(template_of("{{ processed }}|{{ processed }}", POLICIES[policy]))
        for number, asks in enumerate(itertools.chain(*ASKING.get(policy, TRUSTED))):
            if number in (0, 1, 2):
                records.RECORDS.clear()
            results = []
            for template in (stock, ours):
                request = rf.get("/")
                request.kept = objects(state, hide, asks)["o"]
                context = RequestContext(request, {}, processors=[swallowing.processor])
                if template is stock:
                    results.append(await sync_to_async(template.render)(context))
                else:
                    results.append(await arender_template(template, context))
            assert results[1] == results[0], (hide, state, asks)
