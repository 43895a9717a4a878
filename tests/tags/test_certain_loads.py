"""Which names of its context a template certainly loads whole, and which it leaves to chance."""

from functools import partial

import django
import pytest

from atemplates.compiler.cached_loader import cached_template
from atemplates.tags.certain_loads import inherited, uses_of
from atemplates.tags.certain_steps import Passes
from tests.rendering import new_engine

LIBRARIES = "{% load i18n l10n tz atemplates library_tags %}"

TEMPLATES = {
    "rows": "{% for x in a %}{{ x }}{% endfor %}{% for x in items %}{{ x }}{% endfor %}",
    "harmless": "{{ a.name }}{% if a %}{% endif %}",
    "passing": "{% load library_tags %}{{ b|own }}",
    "foreign": "{% load library_tags %}{% anything %}",
    "base": "{% for x in a %}{% endfor %}{% block one %}{% if b %}{% endif %}{% endblock %}"
    "{% block two %}{% endblock %}{% for x in d %}{% endfor %}",
    "middle": "{% extends 'base' %}{% block two %}{% for x in c %}{% endfor %}{% endblock %}",
    "shadowing": "{% with a=b %}{% include 'rows' %}{% endwith %}",
    "itself": "{% for x in a %}{% endfor %}{% include 'itself' %}{% for x in b %}{% endfor %}",
    "child of rows": "{% extends 'base' %}{% block one %}{{ block.super }}{% endblock %}",
}


@pytest.fixture
def certain():
    """Return a function: a template's source -> what it certainly loads, as one text."""

    def find(source, loads=True, name="page"):
        engine = new_engine({**TEMPLATES, "page": source}, libraries=OWN)
        template = engine.get_template(name)
        if loads:
            for each in TEMPLATES:
                engine.get_template(each)
        at_hand = partial(cached_template, engine)
        found = inherited(at_hand, template)
        names = []
        for use in uses_of(at_hand, found.root, found.blocks):
            name = ".".join(use.path)
            if use.place is not None and name not in names:
                names.append(name)
        return " ".join(names)

    return find


OWN = {"library_tags": "tests.tags.certain_tags"}
EACH = "{% for x in a %}{{ x }}{% endfor %}"

CERTAIN = [
    # Loops.
    (EACH, "a"),
    ("{% for x in a reversed %}{% empty %}-{% endfor %}", "a"),
    ("{% for x, y in a.b.c %}{% endfor %}", "a.b.c"),
    ("{% for x in a|slice:'2' %}{% endfor %}", ""),
    ("{% for x in a|dictsort:'b' %}{% endfor %}", "a"),
    ("{% for x in a|dictsort:b %}{% endfor %}", ""),
    ("{% for x in a %}{% for y in b %}{% endfor %}{% for y in x.c %}{% endfor %}{% endfor %}", "a"),
    ("{% for x in a %}{% empty %}{% for y in b %}{% endfor %}{% endfor %}", "a"),
    ("{% for a in a %}{{ a }}{% endfor %}{% for x in b %}{% endfor %}", "a b"),
    ("{% for x in a.all %}{% endfor %}", "a.all"),
    ("{% for x in 'abc' %}{% endfor %}", ""),
    # Conditions.
    ("{% if a %}{% for x in b %}{% endfor %}{% else %}{{ c|length }}{% endif %}", "a"),
    ("{% if not a %}{% elif b %}{% endif %}{% if c and d %}{% endif %}", "a c"),
    ("{% if a or b %}{% endif %}{% if not c or d %}{% endif %}", "a c"),
    ("{% if a|length > 3 %}{% endif %}{% if 3 < b|length %}{% endif %}", "a"),
    ("{% if a == b %}{% endif %}{% if a in b %}{% endif %}{% if a|first %}{% endif %}", ""),
    ("{% if a.b %}{% endif %}", "a.b"),
    # Output and filters.
    ("{{ a }}{{ a.count }}{{ a.0 }}{{ a|first }}{{ a|last }}", ""),
    ("{{ a|length }}{{ b|join:', ' }}{{ c|unordered_list }}{{ d|yesno }}", "a b c d"),
    ("{{ a|length|add:1 }}{{ b|default_if_none:'' }}{{ c|default:'' }}", "a c"),
    ("{{ a|join:b }}{{ b|length }}", "b"),
    ("{{ a|slice:'2'|length }}", ""),
    # Tags that always render what is inside.
    ("{% autoescape off %}{% for x in a %}{% endfor %}{% endautoescape %}", "a"),
    ("{% spaceless %}{{ a|length }}{% endspaceless %}", "a"),
    ("{% filter upper %}{{ a|length }}{% endfilter %}", "a"),
    ("{% filter default:b %}{{ a|length }}{% endfilter %}", "a"),
    (LIBRARIES + "{% language 'de' %}{{ a|length }}{% endlanguage %}", "a"),
    (LIBRARIES + "{% localize on %}{{ a|length }}{% endlocalize %}", "a"),
    (LIBRARIES + "{% localtime on %}{{ a|length }}{% endlocaltime %}", "a"),
    (LIBRARIES + "{% timezone 'UTC' %}{{ a|length }}{% endtimezone %}", "a"),
    (LIBRARIES + "{% relations 'fetch' %}{{ a|length }}{% endrelations %}", "a"),
    (LIBRARIES + "{% parallel %}{{ a|length }}{% for x in b %}{% endfor %}{% endparallel %}", "a b"),
    ("{% regroup a by b as c %}{% for x in c %}{% endfor %}{{ d|length }}", "a d"),
    # Tags that may not.
    ("{% load cache %}{% cache 5 x %}{{ a|length }}{% endcache %}{{ b|length }}", "b"),
    ("{% ifchanged %}{{ a|length }}{% endifchanged %}{% firstof a b %}{{ b|length }}", "b"),
    # Names.
    ("{% with a=b %}{{ a|length }}{% endwith %}{{ a|length }}", "b a"),
    ("{% with a=b.c %}{{ a.d|length }}{% endwith %}", "b.c.d"),
    ("{% with a=b|length %}{{ a|length }}{% endwith %}", "b"),
    ("{% with a=b|first %}{{ a|length }}{% endwith %}", ""),
    ("{% with a=b b=c %}{{ a|length }}{{ b|length }}{% endwith %}", "b c"),
    ("{% now 'Y' as a %}{{ a|length }}{{ b|length }}", "b"),
    ("{% with c=1 %}{% now 'Y' as a %}{% endwith %}{{ a|length }}{{ b|length }}", "b"),
    ("{% for x in b %}{% cycle 1 2 as a %}{% endfor %}{{ a|length }}{{ c|length }}", "b c"),
    ("{% if c %}{% url 'x' as a %}{% endif %}{{ a|length }}{{ b|length }}", "c b"),
    ("{% for x in forloop.y %}{% endfor %}", "forloop.y"),
    # Code of others.
    (LIBRARIES + "{{ a|length }}{% anything %}{{ b|length }}", "a"),
    (LIBRARIES + "{% if x %}{% anything %}{% endif %}{{ b|length }}", "x"),
    (LIBRARIES + "{% wrapped %}{{ a|length }}{% endwrapped %}{{ b|length }}", ""),
    (LIBRARIES + "{% with_context %}{{ b|length }}", ""),
    (LIBRARIES + "{% without_context c %}{{ b|length }}", "b"),
    (LIBRARIES + "{% without_context c as b %}{{ a|length }}{{ b|length }}", "a"),
    (LIBRARIES + "{% shown_apart c %}{{ b|length }}", "b"),
    (LIBRARIES + "{% awaited %}{{ b|length }}", "b"),
    (LIBRARIES + "{% awaited_with_context %}{{ b|length }}", ""),
    # Includes.
    ("{% include 'rows' %}{{ b|length }}", "a items b"),
    ("{% include 'rows' with items=b %}", "a b"),
    ("{% include 'rows' with items=b only %}", "b"),
    ("{% include 'rows' with a=b|first %}", "items"),
    ("{% include 'shadowing' %}", "b items"),
    ("{% for x in a %}{% include 'harmless' %}{% endfor %}{{ b|length }}", "a b"),
    ("{% for x in a %}{% include 'foreign' %}{% endfor %}{{ b|length }}", "a"),
    ("{% include 'ro'|add:'ws' %}{{ b|length }}", ""),
    ("{% include name %}{{ b|length }}", ""),
    ("{% include 'absent' %}{{ b|length }}", ""),
    ("{% include 'itself' %}", "a"),
    ("{% include 'middle' %}{{ e|length }}", "a b c d e"),
    # Inheritance.
    ("{% extends 'base' %}", "a b d"),
    ("{% extends 'middle' %}", "a b c d"),
    ("{% extends 'base' %}{% block one %}{% endblock %}{% for x in e %}{% endfor %}", "a d"),
    ("{% extends 'base' %}{% block one %}{{ e|length }}{{ block.super }}{% endblock %}", "a e b d"),
    ("{% extends 'child of rows' %}{% block one %}{{ block.super }}{{ e|length }}{% endblock %}",
     "a b e d"),
    ("{% extends 'middle' %}{% block one %}{% include 'foreign' %}{% endblock %}", "a"),
    ("{% block x %}{{ a|length }}{% block y %}{{ b|length }}{% endblock %}{% endblock %}", "a b"),
    ("{% if e %}{% block x %}{{ a|length }}{% endblock %}{% endif %}{{ b|length }}", "e b"),
]  # fmt: skip

PARTIALS = [
    ("{% partialdef p %}{{ a|length }}{% endpartialdef %}{{ b|length }}", "b"),
    ("{% partialdef p inline %}{{ a|length }}{% endpartialdef %}{{ b|length }}", "a b"),
    ("{% partialdef p %}{{ a|length }}{% endpartialdef %}{{ b|length }}{% partial p %}", "b a"),
    ("{% partialdef p %}{{ a|length }}{% partial p %}{% endpartialdef %}{% partial p %}", "a"),
    ("{% partial q %}{{ a|length }}", ""),
    ("{% partialdef p %}{{ a|length }}{% endpartialdef %}{% include 'page#p' %}", "a"),
]


@pytest.mark.parametrize(("source", "names"), CERTAIN)
def test_certain(certain, source, names):
    assert certain(source) == names


@pytest.mark.skipif(django.VERSION < (6, 0), reason="template partials came with Django 6.0")
@pytest.mark.parametrize(("source", "names"), PARTIALS)
def test_partials(certain, source, names):
    assert certain(source) == names


@pytest.mark.skipif(django.VERSION < (6, 0), reason="template partials came with Django 6.0")
def test_a_partial_by_its_name(certain):
    source = "{% partialdef p %}{{ a|length }}{% endpartialdef %}{{ b|length }}"
    assert certain(source, name="page#p") == "a"


def test_an_include_that_is_not_loaded_ends_it(certain):
    source = "{{ b|length }}{% include 'rows' %}{{ c|length }}"
    assert certain(source, loads=False) == "b"
    assert certain(source) == "b a items c"


def test_what_is_not_certain_in_a_branch_is_told_all_the_same():
    engine = new_engine({"page": LIBRARIES + "{% if a %}{{ b|own }}{% endif %}"}, libraries=OWN)
    uses = uses_of(engine.get_template, engine.get_template("page"), {})
    assert [(use.path, use.is_certain) for use in uses] == [(("a",), True), (("b",), False)]
    assert isinstance(uses[1].step, Passes)


def test_places():
    engine = new_engine(
        {"page": "\n{% if a %}{% endif %}\n{% include 'x' %}", "x": "\n\n{{ b|length }}"}
    )
    found = uses_of(engine.get_template, engine.get_template("page"), {})
    places = [use.place for use in found]
    assert [tuple(place) for place in places] == [("page", 2), ("x", 3)]
