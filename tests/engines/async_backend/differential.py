"""Pages made at random read a queryset of django-async-backend as they read a list of its rows."""

import random

import pytest
from django.template import Context

from tests.jinja2.conftest import stock_environment
from tests.rendering import new_engine
from tests.testapp.models import Region

from .showing import WAYS, django_template, jinja2_template, shown

ROWS = ["World", "Africa", "Savanna"]

DJANGO = [
    "{% for x in NAME %}{{ x.name }}{{ forloop.revcounter }}{% empty %}-{% endfor %}",
    "{% for x in NAME reversed %}{{ x.name }}{% endfor %}",
    "{{ NAME|length }}",
    "{% if NAME %}1{% else %}0{% endif %}",
    "{% if NAME|length > 1 %}many{% endif %}",
    "{% for x in NAME|slice:':2' %}{{ x.name }}{% endfor %}",
    "{{ NAME|slice:'1:'|length }}",
    "{{ NAME|slice:'::2'|length }}",
    "{% for x in NAME|slice:'::2' %}{{ x.name }}{% endfor %}",
    "{% with f=NAME|first %}{{ f.name }}{% endwith %}",
    "{{ NAME.0.name }}[{{ NAME.7.name }}]",
    "{{ NAME|join:'+' }}",
    "{% for x in NAME|dictsort:'name' %}{{ x.name }}{% endfor %}",
    "{% regroup NAME by parent_id as g %}{% for k in g %}{{ k.grouper }}{{ k.list|length }}{% endfor %}",
    "{{ NAME|yesno:'y,n' }}{{ NAME|default:'none'|length }}{{ NAME|pluralize }}",
    "{% include 'part' with p=NAME %}",
    "{% include 'part' with p=NAME only %}",
    "{% with p=NAME %}{% include 'part' %}{{ p|length }}{% endwith %}",
    "{% for x in NAME %}{% for y in NAME %}{% if x == y %}={% endif %}{% endfor %}{% endfor %}",
    "{% for x in NAME %}{% if x in OTHER %}{{ x.name }}{% endif %}{% endfor %}",
    "{% if NAME and OTHER %}both{% elif NAME or OTHER %}one{% endif %}",
    "{% for x in OTHER %}{% cycle NAME|length 'c' %}{% endfor %}",
]
PART = "{% for x in p %}{{ x.name }}{% endfor %}{{ p|length }}"
JINJA2 = [
    "{% for x in NAME %}{{ x.name }}{{ loop.revindex }}{{ loop.last }}{% else %}-{% endfor %}",
    "{{ NAME|length }}",
    "{% if NAME %}1{% else %}0{% endif %}",
    "{{ NAME[:2]|list }}{{ NAME[1:]|length }}{{ NAME[::2]|length }}",
    "{{ (NAME|first).name }}[{{ NAME[7] }}]",
    "{{ NAME|map(attribute='name')|join('+') }}",
    "{% for x in NAME|sort(attribute='name') %}{{ x.name }}{% endfor %}",
    "{% for x in NAME if x in OTHER %}{{ x.name }}{{ loop.length }}{% endfor %}",
    "{% set p = NAME %}{{ p|length }}{% for x in p %}{{ x.name }}{% endfor %}",
    "{% for x in NAME %}{% for y in NAME %}{{ x == y }}{% endfor %}{% endfor %}",
    "{{ 'both' if NAME and OTHER else 'one' if NAME or OTHER }}",
    "{{ NAME|batch(2)|list }}{{ NAME|reverse|list }}",
    "{% macro m(p) %}{{ p|length }}{{ p|join }}{% endmacro %}{{ m(NAME) }}",
]


def querysets():
    rows = Region.async_objects
    return {"a": rows.all(), "b": rows.filter(pk__gt=1), "c": rows.none(), "d": rows.all()[:2]}


def page(rng, parts):
    names = list(querysets())
    made = rng.choices(parts, k=rng.randint(2, 6))
    return "|".join(
        part.replace("NAME", rng.choice(names)).replace("OTHER", rng.choice(names)) for part in made
    )


@pytest.fixture
def lists(django_db_blocker):
    with django_db_blocker.unblock():
        rows = list(Region.objects.all())
    return {"a": rows, "b": rows[1:], "c": [], "d": rows[:2]}


def expected_of(render):
    """What stock gives, or the type of what it raises."""
    try:
        return render()
    except Exception as error:
        return type(error)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("seed", range(60))
def test_django_pages(seed, way, lists):
    source = page(random.Random(seed), DJANGO)
    engine = new_engine({"main": source, "part": PART})
    expected = expected_of(lambda: engine.get_template("main").render(Context(lists)))
    template = django_template(source, {"part": PART})
    for _ in range(2):
        assert expected_of(lambda: shown(template, querysets(), way)) == expected, source


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("seed", range(60))
def test_jinja2_pages(seed, way, lists):
    source = page(random.Random(seed), JINJA2)
    stock = stock_environment(autoescape=True).from_string(source)
    expected = expected_of(lambda: stock.render(lists))
    template = jinja2_template(source)
    for _ in range(2):
        assert expected_of(lambda: shown(template, querysets(), way)) == expected, source
