"""The calls that are proposed, made: after them a template loads nothing, and its output is the same.

Each case is a template over rows of the model zoo. It is analysed as a view's that loads nothing,
rendered with ``relations="raise"`` (which it must not survive), then with the calls that the
analysis proposes (which it must), and compared with what stock Django makes of it.
"""

import pytest
from django.apps import apps
from django.template import Context, Engine, engines

from atemplates.analysis.django import access_paths
from atemplates.analysis.jinja2 import jinja2_paths
from atemplates.engines.django import render_template
from atemplates.inference.data import Data
from atemplates.inference.types import type_of_data
from atemplates.inference.views import ViewRendering
from atemplates.migration.analysis import analyse
from atemplates.migration.findings import call_of
from atemplates.relations.policy import relations
from atemplates.testing import LazyAccessError

pytestmark = pytest.mark.django_db(databases=["default", "other"])

STOCK = Engine(libraries={"i18n": "django.templatetags.i18n"})


def rows_of(label):
    return apps.get_model("testapp", label)._base_manager.all().order_by("pk")


def report_of(paths, queryset, root="rows"):
    data = Data(queryset)
    rendering = ViewRendering("view", "it.html", "views.py", 1, {root: type_of_data(data)})
    return analyse({"it.html": paths}, [rendering])


def called(queryset, call):
    """The queryset with the calls made on it."""
    return eval(f"queryset{call}", {"queryset": queryset})


CASES = [
    # forward keys, one-to-one relations from both sides, over several steps
    ("Animal", "{{ r.home.region.name }} {{ r.mother.name }}"),
    ("Animal", "{{ r.chip.code }} {{ r.passport.number }} {{ r.passport.issued_in.name }}"),
    ("Chip", "{{ r.animal.name }}"),
    ("Animal", "{% if r.mother %}{{ r.mother.mother.name }}{% else %}{{ r.chip.code }}{% endif %}"),
    # a join would change the output
    ("Animal", "{{ r.species.name }} {{ r.species.region.name }}"),
    ("Animal", "{{ r.origin.name }} {{ r.archive.shelf }}"),
    ("Animal", "{{ r.mother.species.name }} {{ r.mother.archive.shelf }}"),
    # to-many
    ("Animal", "{% for f in r.foods.all %}{{ f.name }}{{ f.region.name }}{% endfor %}"),
    ("Animal", "{% for e in r.egg_set.all %}{{ e.colour }}{% endfor %}"),
    ("Animal", "{% for v in r.visits.all %}{{ v.visitor.region.name }}{% endfor %}"),
    ("Animal", "{% for c in r.children.all %}{{ c.mother.name }}{{ c.home.name }}{% endfor %}"),
    ("Animal", "{% for a in r.friends.all %}{{ a.name }}{{ a.foods.all.0.name }}{% endfor %}"),
    ("Animal", "{% if r.foods.exists %}{{ r.foods.count }}{% endif %}{{ r.foods.all|length }}"),
    ("Animal", "{% for f in r.foods.all|slice:':2' %}{{ f.name }}{% endfor %}"),
    (
        "Region",
        "{% for s in r.species.all %}{% for a in s.animals.all %}{{ a.name }}{% endfor %}{% endfor %}",
    ),
    # generic
    ("Animal", "{% for n in r.notes.all %}{{ n.text }}{% endfor %}"),
    ("Note", "{{ r.about.name }}"),
    # multi-table inheritance
    ("Enclosure", "{{ r.name }} {{ r.region.name }} {{ r.keeper.region.name }}"),
    ("Place", "{{ r.enclosure.fence }} {{ r.enclosure.aviary.height }}"),
    ("Aviary", "{{ r.enclosure_part.fence }} {{ r.keeper.name }} {{ r.region.name }}"),
    ("Enclosure", "{{ r.place_ptr.region.name }}"),
    # proxies, a key to a proxy, a swapped model
    (
        "OldAnimal",
        "{{ r.title }} {{ r.mother.name }} {% for f in r.foods.all %}{{ f }}{% endfor %}",
    ),
    ("Legend", "{{ r.hero.title }} {{ r.hero.mother.name }}"),
    ("Animal", "{{ r.tamer.name }} {{ r.tamer.region.name }} {{ r.sponsor.username }}"),
    # a key to another column
    ("Ticket", "{{ r.chip.code }} {{ r.visitor.name }}"),
    # arguments of tags and filters
    ("Animal", "{% with m=r.mother %}{{ m.chip.code }}{% endwith %}"),
    ("Animal", "{% firstof r.mother.name r.chip.code %}"),
    ("Animal", "{% if r.home.region.name == r.mother.home.region.name %}same{% endif %}"),
    ("Animal", "{% cycle r.home.name r.chip.code %}"),
    ("Animal", "{% ifchanged r.home.name %}{{ r.name }}{% endifchanged %}"),
    ("Animal", "{% widthratio r.mother.weight 100 10 %}"),
    ("Animal", "{% url 'shop:author_detail' r.home.name as u %}{{ u }}"),
    (
        "Animal",
        "{% blocktranslate with a=r.mother.name count n=r.foods.count %}{{ a }}{% plural %}{{ n }}{% endblocktranslate %}",
    ),
]


def written(body):
    return f"{{% load i18n %}}{{% for r in rows %}}{body}\n{{% endfor %}}"


def loads_nothing_after(source, queryset):
    """Analyse, see it fail, make the calls, and see it pass."""
    template = engines["django"].from_string(source).template
    paths = access_paths(template)
    report = report_of(paths, queryset)
    call = call_of(report.findings)
    assert call, [str(each) for each in paths]
    expected = STOCK.from_string(source).render(Context({"rows": queryset.all()}))
    assert expected.strip()
    with relations("raise"), pytest.raises(LazyAccessError):
        render_template(template, Context({"rows": queryset.all()}))
    helped = called(queryset, call)
    with relations("raise"):
        assert render_template(template, Context({"rows": helped})) == expected
    again = report_of(paths, called(queryset, call))
    assert again.findings == []
    return call


@pytest.mark.parametrize(("label", "body"), CASES, ids=[body for _, body in CASES])
def test_django(zoo, label, body):
    loads_nothing_after(written(body), rows_of(label))


@pytest.mark.parametrize(
    "source",
    [
        "{% regroup rows by home.region as gs %}{% for g in gs %}{{ g.grouper.name }}"
        "{% for a in g.list %}{{ a.chip.code }}{% endfor %}{% endfor %}",
        "{% for r in rows|dictsort:'home.name' %}{{ r.name }}{% endfor %}",
        "{% for r in rows %}{{ r.name|default:r.home.name }}{{ r.name|cut:r.home.name }}{% endfor %}",
        "{% for r in rows reversed %}{{ r.home.name }}{% endfor %}",
        "{% for r in rows %}{% for c in r.children.all %}{{ forloop.parentloop.counter }}{{ r.home.name }}{{ c.chip.code }}{% endfor %}{% endfor %}",
        "{{ rows.0.home.name }} {% with x=rows|first %}{{ x.mother.name }}{% endwith %}",
    ],
)
def test_ways_through_a_list(zoo, source):
    loads_nothing_after(source, rows_of("Animal").filter(home__isnull=False))


@pytest.mark.parametrize(
    ("label", "source"),
    [
        ("Animal", "{% for r in rows %}{{ r.home.region.name }}{{ r.origin.name if r.origin_id == 1 }}{% endfor %}"),
        ("Animal", "{% for r in rows %}{% for f in r.foods.all() %}{{ f.region.name }}{% endfor %}{% endfor %}"),
        ("Animal", "{% macro m(a) %}{{ a.mother.name }}{{ a.chip.code }}{% endmacro %}{% for r in rows %}{{ m(r) }}{% endfor %}"),
        ("Animal", "{% macro m(a) %}{{ caller(a.mother) }}{% endmacro %}{% for r in rows %}{% call(x) m(r) %}{{ x.home.name }}{{ r.chip.code }}{% endcall %}{% endfor %}"),
        ("Animal", "{{ rows|map(attribute='home.name')|join }}{{ rows|selectattr('mother')|sort(attribute='mother.chip_id')|length }}"),
        ("Animal", "{% for g, xs in rows|selectattr('home')|groupby('home.name') %}{{ g }}{% for x in xs %}{{ x.chip.code }}{% endfor %}{% endfor %}"),
        ("Animal", "{% set ns = namespace(a=none) %}{% for r in rows %}{{ ns.a.home.name }}{% set ns.a = r.mother %}{{ ns.a.name }}{% endfor %}"),
        ("Animal", "{% for r in rows recursive %}{{ r.home.name }}{{ loop(r.children.all()) }}{% endfor %}"),
        ("Animal", "{% for r in rows %}{{ r['home']['name'] }}{{ r.notes.all()[0].text }}{% endfor %}"),
        ("Animal", "{% for r in rows %}{{ r.mother.name if r.mother else r.chip.code }}{% endfor %}"),
        ("Animal", "{% for r in rows %}{{ '%s'|format(r.home.name) }}{{ [r.mother.name, r.tamer.name]|join }}{{ r.name ~ r.chip.code }}{% endfor %}"),
    ],
)  # fmt: skip
def test_jinja2(zoo, label, source):
    from jinja2 import ChainableUndefined, DictLoader

    from atemplates.engines.jinja2 import Jinja2

    options = {"undefined": ChainableUndefined, "loader": DictLoader({"it.html": source}), "extensions": ["jinja2.ext.do"]}  # fmt: skip
    backend = Jinja2({"NAME": "j", "DIRS": [], "APP_DIRS": False, "OPTIONS": {"environment": "jinja2.Environment", **options}})  # fmt: skip
    backend.env.globals["none"] = None
    paths = jinja2_paths(backend.env, "it.html")
    queryset = rows_of(label).filter(pk=zoo.leo.pk) if "recursive" in source else rows_of(label)
    call = call_of(report_of(paths, queryset).findings)
    template = backend.get_template("it.html")
    expected = backend.env.get_template("it.html").render(rows=queryset.all())
    with pytest.raises(LazyAccessError):
        template.render({"rows": queryset.all()}, relations="raise")
    assert template.render({"rows": called(queryset, call)}, relations="raise") == expected
