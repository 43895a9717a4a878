"""``{% defer %}``: what the page does not wait for, the same page in every way to render it."""

import pytest

from .deferring import rendered

# What stands in the page, and the context.
PAGES = {
    "text": ("a{% defer %}b{% enddefer %}c", {}),
    "variable": ("{{ a }}{% defer %}[{{ a }}]{% enddefer %}{{ a }}", {"a": "<"}),
    "waits": ("a{% defer %}{% slow 0.01 b %}{% enddefer %}c", {}),
    "waits, with a placeholder": (
        "a{% defer %}{% slow 0.01 b %}{% placeholder %}…{% enddefer %}c",
        {},
    ),
    "several": (
        "{% defer %}{% slow 0.02 a %}{% placeholder %}1{% enddefer %}-"
        "{% defer %}{% slow 0.01 b %}{% placeholder %}2{% enddefer %}-"
        "{% defer %}c{% placeholder %}3{% enddefer %}",
        {},
    ),
    "inner is ready first": (
        "{% defer %}a{% defer %}b{% placeholder %}2{% enddefer %}{% slow 0.02 c %}"
        "{% placeholder %}1{% enddefer %}d",
        {},
    ),
    "inner is ready last": (
        "{% defer %}a{% defer %}{% slow 0.02 b %}{% placeholder %}2{% enddefer %}c"
        "{% placeholder %}1{% enddefer %}d",
        {},
    ),
    "three in each other": (
        "{% defer %}a{% defer %}b{% defer %}{% slow 0.01 c %}{% placeholder %}3{% enddefer %}"
        "{% slow 0.02 d %}{% placeholder %}2{% enddefer %}{% slow 0.01 e %}"
        "{% placeholder %}1{% enddefer %}f",
        {},
    ),
    "in a placeholder": (
        "{% defer %}{% slow 0.01 a %}{% placeholder %}1{% defer %}2{% enddefer %}3{% enddefer %}",
        {},
    ),
    "loop": (
        "{% for x in xs %}{% defer %}{% slow 0.01 s %}{{ x }}{{ forloop.counter }}"
        "{{ forloop.counter0 }}{{ forloop.revcounter }}{{ forloop.revcounter0 }}"
        "{{ forloop.first }}{{ forloop.last }}{% placeholder %}{{ x }}?{% enddefer %};{% endfor %}",
        {"xs": "abc"},
    ),
    "loop, reversed and unpacked": (
        "{% for x, y in xs reversed %}{% defer %}{% slow 0.01 s %}{{ x }}{{ y }}"
        "{{ forloop.counter }}{{ forloop.last }}{% enddefer %};{% endfor %}",
        {"xs": ["ab", "cd", "ef"]},
    ),
    "parentloop": (
        "{% for x in xs %}{% for y in x %}{% defer %}{% slow 0.01 s %}{{ x }}{{ y }}"
        "{{ forloop.parentloop.counter }}.{{ forloop.counter }}{{ forloop.parentloop.last }}"
        "{% enddefer %}{% endfor %};{% endfor %}",
        {"xs": ["ab", "c", ""]},
    ),
    "three loops": (
        "{% for x in xs %}{% for y in x %}{% for z in y %}{% defer %}{% slow 0.01 s %}{{ z }}"
        "{{ forloop.parentloop.parentloop.counter }}{{ forloop.parentloop.counter }}"
        "{{ forloop.counter }}{% enddefer %}{% endfor %}{% endfor %};{% endfor %}",
        {"xs": [["ab", "c"], ["de"]]},
    ),
    "loop inside": (
        "{% defer %}{% for x in xs %}{% slow 0.005 s %}{{ x }}{{ forloop.counter }}"
        "{% empty %}none{% endfor %}{% placeholder %}?{% enddefer %}{{ xs }}",
        {"xs": "ab"},
    ),
    "loop inside, of a row": (
        "{% for x in xs %}{% defer %}{% for y in x %}{% slow 0.005 s %}{{ y }}"
        "{{ forloop.parentloop.counter }}{% endfor %}{% enddefer %}{% endfor %}",
        {"xs": ["ab", "cd"]},
    ),
    "set behind it": (
        "{% set_name 'a' 1 %}{% defer %}{% slow 0.01 s %}{{ a }}{% enddefer %}"
        "{% set_name 'a' 2 %}{{ a }}",
        {"a": 0},
    ),
    "set inside": (
        "{% defer %}{% set_name 'a' 1 %}{% slow 0.01 s %}{{ a }}{% enddefer %}{{ a }}"
        "{% defer %}{% firstof b 'x' as c %}{% now 'x' as d %}{{ c }}{% enddefer %}{{ c }}{{ d }}",
        {"a": 0},
    ),
    "set in a placeholder and an error": (
        "{% defer %}{% slow_fail 0.01 x %}{% placeholder %}{% set_name 'a' 1 %}"
        "{% error %}{% set_name 'a' 2 %}{{ a }}{% enddefer %}{{ a }}",
        {"a": 0},
    ),
    "set in the rows of a loop": (
        "{% for x in xs %}{% set_name 'a' x %}{% defer %}{% slow 0.01 s %}{{ a }}{% enddefer %}"
        "{% endfor %}{{ a }}",
        {"xs": "abc", "a": 0},
    ),
    "with": (
        "{% with a=1 %}{% defer %}{% slow 0.01 s %}{{ a }}{% placeholder %}{{ a }}{% enddefer %}"
        "{% endwith %}{{ a }}",
        {"a": 0},
    ),
    "autoescape": (
        "{% autoescape off %}{% defer %}{% slow 0.01 s %}{{ a }}{% placeholder %}{{ a }}"
        "{% enddefer %}{% endautoescape %}{{ a }}{% defer %}{{ a }}{% enddefer %}",
        {"a": "<"},
    ),
    "language": (
        "{% load i18n %}{% language 'de' %}{% defer %}{% slow 0.01 s %}{% translate 'Monday' %}"
        "{% placeholder %}{% translate 'Monday' %}{% enddefer %}{% endlanguage %}"
        "{% translate 'Monday' %}",
        {},
    ),
    "language inside": (
        "{% load i18n %}{% defer %}{% language 'de' %}{% slow 0.01 s %}{% translate 'Monday' %}"
        "{% endlanguage %}{% enddefer %}{% translate 'Monday' %}",
        {},
    ),
    "timezone": (
        "{% load tz %}{% timezone 'Asia/Tokyo' %}{% defer %}{% slow 0.01 s %}"
        "{% get_current_timezone as t %}{{ t }}{% enddefer %}{% endtimezone %}",
        {},
    ),
    "if": (
        "{% if a %}{% defer %}{% slow 0.01 s %}{{ a }}{% enddefer %}{% endif %}"
        "{% if not a %}{% defer %}no{% enddefer %}{% else %}{% defer %}yes{% enddefer %}{% endif %}",
        {"a": 1},
    ),
    "filter": (
        "{% filter upper %}a{% defer %}{% slow 0.01 b %}{% placeholder %}p{% enddefer %}c"
        "{% endfilter %}{% defer %}{% filter upper %}d{% slow 0.01 e %}{% endfilter %}{% enddefer %}",
        {},
    ),
    "spaceless": (
        "{% spaceless %}<b> {% defer %}<i> </i>{% slow 0.01 b %}{% enddefer %}</b> <b></b>"
        "{% endspaceless %}",
        {},
    ),
    "cache": (
        "{% load cache %}{% cache 0 defer_test %}a{% defer %}{% slow 0.01 b %}{% placeholder %}p"
        "{% enddefer %}{% endcache %}c",
        {},
    ),
    "parallel": (
        "{% parallel %}{% slow 0.01 a %}{% defer %}{% slow 0.02 b %}{% placeholder %}p{% enddefer %}"
        "{% slow 0.01 c %}{% endparallel %}",
        {},
    ),
    "parallel rows": (
        "{% parallel %}{% for x in xs %}{% slow 0.01 a %}{% defer %}{% slow 0.02 b %}{{ x }}"
        "{{ forloop.counter }}{% placeholder %}p{% enddefer %}{% endfor %}{% endparallel %}",
        {"xs": "xyz"},
    ),
    "parallel inside": (
        "{% defer %}{% parallel %}{% slow 0.02 a %}{% slow 0.01 b %}{{ x }}{% endparallel %}"
        "{% placeholder %}p{% enddefer %}c",
        {"x": 1},
    ),
    "cycle inside": (
        "{% defer %}{% for x in xs %}{% cycle 'a' 'b' %}{% slow 0.001 s %}{% endfor %}{% enddefer %}",
        {"xs": "abc"},
    ),
    "ifchanged inside": (
        "{% defer %}{% for x in xs %}{% ifchanged %}{{ x }}{% endifchanged %}{% slow 0.001 s %}"
        "{% endfor %}{% enddefer %}",
        {"xs": "aab"},
    ),
    "around it a tag of others": (
        "{% around %}a{% defer %}{% slow 0.01 b %}{% placeholder %}p{% enddefer %}{% endaround %}",
        {},
    ),
    "a tag of others inside": (
        "{% defer %}{% around %}{% slow 0.01 b %}{% endaround %}{% placeholder %}p{% enddefer %}",
        {},
    ),
    "include": (
        "{% include 'part.html' with a=1 %}{% include 'part.html' %}{{ a }}",
        {"a": 0},
    ),
    "include only": ("{% include 'part.html' with b=a only %}{{ a }}", {"a": 0}),
    "include in a loop": (
        "{% for a in xs %}{% include 'part.html' %}{% endfor %}",
        {"xs": "xyz"},
    ),
    "include inside": ("{% defer %}{% include 'part.html' %}{% enddefer %}", {"a": 0}),
    "base": (
        "{% extends 'base.html' %}{% block b %}B{{ block.super }}{% endblock %}",
        {"a": 0},
    ),
    "child": (
        "{% extends 'base.html' %}{% block c %}"
        "{% defer %}{% slow 0.01 s %}{{ block.super }}{{ a }}{% placeholder %}p{% enddefer %}"
        "{{ block.super }}{% endblock %}",
        {"a": 0},
    ),
    "block inside": (
        "{% defer %}{% slow 0.01 s %}{% block x %}{{ a }}{% endblock %}{% placeholder %}p"
        "{% enddefer %}",
        {"a": 0},
    ),
    "error": (
        "a{% defer %}b{% slow_fail 0.01 x %}{% placeholder %}p{% error %}oops{{ error }}"
        "{% enddefer %}c",
        {},
    ),
    "no error": ("a{% defer %}b{% slow_fail 0.01 x %}{% placeholder %}p{% enddefer %}c", {}),
    "nothing": ("a{% defer %}b{% slow_fail 0.01 x %}{% enddefer %}c", {}),
    "error at once": (
        "a{% defer %}b{% fail 'x' %}{% placeholder %}p{% error %}oops{% enddefer %}c",
        {},
    ),
    "error in a loop": (
        "{% for x in xs %}{% defer %}{{ x }}{% if x == 'b' %}{% slow_fail 0.01 x %}{% endif %}"
        "{% placeholder %}p{% error %}oops{{ x }}{{ forloop.counter }}{% enddefer %};{% endfor %}",
        {"xs": "abc"},
    ),
    "error inside of an inner one": (
        "{% defer %}a{% defer %}{% slow_fail 0.01 x %}{% placeholder %}p{% error %}i{% enddefer %}b"
        "{% placeholder %}q{% error %}o{% enddefer %}",
        {},
    ),
    "error in an error": (
        "{% defer %}{% slow_fail 0.01 x %}{% placeholder %}p{% error %}a{% fail 'y' %}{% enddefer %}c",
        {},
    ),
    "error around an inner one": (
        "{% defer %}a{% defer %}{% slow 0.02 b %}{% placeholder %}p{% enddefer %}"
        "{% slow_fail 0.01 x %}{% placeholder %}q{% error %}o{% enddefer %}c",
        {},
    ),
    "defer in an error": (
        "{% defer %}{% slow_fail 0.01 x %}{% placeholder %}p{% error %}o{% defer %}{% slow 0.01 b %}"
        "{% placeholder %}q{% enddefer %}{% enddefer %}c",
        {},
    ),
    "timeout that is kept": (
        "{% defer timeout=5 %}{% slow 0.01 a %}{% placeholder %}p{% enddefer %}",
        {},
    ),
    "timeout of the context": (
        "{% defer timeout=seconds %}{% slow 0.01 a %}{% placeholder %}p{% enddefer %}"
        "{% defer timeout=no|default:7 %}{% slow 0.01 a %}{% placeholder %}p{% enddefer %}"
        "{% defer timeout=none %}a{% enddefer %}",
        {"seconds": 5, "no": 0, "none": None},
    ),
    "flush": ("a{% flush %}b{% defer %}c{% flush %}{% slow 0.01 d %}{% enddefer %}{% flush %}", {}),
    "a whole page": (
        "<!doctype html><html><head><title>t</title></head><body>{% defer %}<p>{% slow 0.01 a %}</p>"
        "{% placeholder %}<i>p</i>{% enddefer %}<hr></body></html>",
        {},
    ),
}
OTHERS = {
    "part.html": (
        "[{% defer %}{% slow 0.01 s %}{{ a }}{{ b }}{% placeholder %}{{ a }}?{% enddefer %}]"
    ),
    "base.html": (
        "({% defer %}{% slow 0.01 s %}"
        "{% block b %}b{{ a }}{% endblock %}{% placeholder %}p{% enddefer %}"
        "{% block c %}c{% endblock %})"
    ),
}


@pytest.mark.parametrize("name", PAGES)
def test_every_way_shows_the_same_page(name):
    source, make = PAGES[name]
    rendered(source, make, OTHERS)
