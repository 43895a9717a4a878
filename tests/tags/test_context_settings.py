"""What a third party's code changes of the context's settings holds from there on."""

import datetime

import pytest
from django.template import Context, Engine

from atemplates.engines.django import arender_template, render_template
from atemplates.runtime.policy import Policy
from tests.rendering import agree, parse, run_async
from tests.tags.setting_tags import Holder

LIBRARIES = {"lib": "tests.tags.setting_tags"}
L = "{% load lib l10n tz %}"
MOMENT = datetime.datetime(2024, 2, 29, 23, 5, tzinfo=datetime.UTC)


def context():
    return {
        "t": "<t>",
        "rows": ["<a>", "<b>"],
        "n": 1234.5,
        "moment": MOMENT,
        "holder": Holder(),
        "on": True,
        "off": False,
    }


TEMPLATES = {
    "part": "({{ t }}{{ n }}{% for r in rows %}{{ r }}{% endfor %})",
    "sets": "{% load lib %}{% setting autoescape on %}{{ t }}",
    "sets_off": "{% load lib %}{% for r in rows %}{% setting autoescape off %}{{ r }}{% endfor %}",
}
SHOWN = "{{ t }}{{ t|upper }}{{ n }}{{ moment }}{% for s in rows %}{{ s }}{{ t }}{% endfor %}"
SETS = {
    "a node": "{% setting NAME VALUE %}",
    "a node around": "{% setting_around NAME VALUE %}{{ t }}{% endsetting_around %}",
    "a simple tag": "{% simple_setting 'NAME' VALUE %}",
    "a simple block tag": "{% block_setting 'NAME' VALUE %}{{ t }}{% endblock_setting %}",
    "an inclusion tag": "{% inclusion_setting 'NAME' VALUE %}",
    "in an if": "{% if t %}{% setting NAME VALUE %}{{ t }}{% endif %}",
    "in a with": "{% with u=t %}{% setting NAME VALUE %}{{ u }}{% endwith %}",
    "in an include": "{% include 'sets' %}{% include 'sets_off' %}",
    "in an ifchanged": "{% ifchanged %}{% setting NAME VALUE %}{{ t }}{% endifchanged %}",
    "in a filter": "{% filter lower %}{% setting NAME VALUE %}{{ t }}{% endfilter %}",
    "in a row": "{% for a in rows %}{% setting NAME VALUE %}{{ a }}{% endfor %}",
    "in a region": "{% autoescape on %}{{ t }}{% setting NAME VALUE %}{{ t }}{% endautoescape %}",
    "in no region": "{% autoescape off %}{{ t }}{% setting NAME VALUE %}{{ t }}{% endautoescape %}",
}
LATER = {
    "a node": "{% setting_later NAME VALUE %}",
    "a node around": "{% setting_later_around NAME VALUE %}{{ t }}{% endsetting_later_around %}",
    "a simple tag": "{% simple_setting_later 'NAME' VALUE %}",
}
AROUND = {
    "nothing": ("", ""),
    "a loop": ("{% for r in rows %}{{ r }}", "{{ r }}{{ t }}{% endfor %}"),
    "autoescape off": ("{% autoescape off %}", "{% endautoescape %}"),
    "a loop with autoescape off": (
        "{% autoescape off %}{% for r in rows %}{{ r }}",
        "{{ r }}{{ r|add:'<' }}{% firstof r %}{% cycle r t %}{% endfor %}{% endautoescape %}",
    ),
    "autoescape off in a loop": (
        "{% for r in rows %}{% autoescape off %}{{ r }}",
        "{{ r }}{% endautoescape %}{{ r }}{% endfor %}",
    ),
    "not localized": ("{% localize off %}{% for r in rows %}", "{% endfor %}{% endlocalize %}"),
    "a local time": ("{% localtime off %}{% for r in rows %}", "{% endfor %}{% endlocaltime %}"),
}
ONOFF = ("on", "off")
CHANGES = [("autoescape", "on"), ("autoescape", "off"), ("use_l10n", "off"), ("use_tz", "off")]
LOOPS = ("a loop", "a loop with autoescape off", "autoescape off in a loop")


@pytest.fixture(autouse=True)
def separators(settings):
    settings.USE_TZ = True
    settings.USE_THOUSAND_SEPARATOR = True
    settings.TIME_ZONE = "Asia/Kathmandu"


def placed(sets, around, name, value):
    head, end = AROUND[around]
    sets = sets.replace("NAME", name).replace("VALUE", value)
    return f"{L}{SHOWN}{head}{sets}{SHOWN}{end}{SHOWN}"


def check(sources, later=None, **options):
    agree(sources, context, templates=TEMPLATES, later=later, libraries=LIBRARIES, **options)


@pytest.mark.parametrize("around", AROUND)
@pytest.mark.parametrize("sets", SETS)
def test_sync_tags(sets, around):
    check([placed(SETS[sets], around, name, value) for name, value in CHANGES])


@pytest.mark.parametrize("autoescape", [True, False])
@pytest.mark.parametrize("sets", SETS)
def test_sync_tags_on_the_loop(sets, autoescape):
    check(
        [placed(SETS[sets], around, "autoescape", value) for around in LOOPS for value in ONOFF],
        autoescape=autoescape,
        policy=Policy(sync_tags="inline"),
    )


@pytest.mark.parametrize("around", AROUND)
@pytest.mark.parametrize("sets", LATER)
def test_async_tags(sets, around):
    check(
        [placed(SETS[sets], around, name, value) for name, value in CHANGES],
        [placed(LATER[sets], around, name, value) for name, value in CHANGES],
    )


@pytest.mark.parametrize(
    "change",
    [
        "{{ holder.escaping }}",
        "{{ holder.raw }}",
        "{{ t|escaping:holder }}",
        "{{ t|raw:holder }}",
        "{{ holder }}",
        "{% if holder.escaping %}{{ t }}{% endif %}",
        "{% if t|raw:holder == t %}{{ t }}{% endif %}",
        "{% with u=holder.raw v=t %}{{ u }}{{ v }}{% endwith %}",
        "{% for c in holder.escaping %}{{ c }}{% endfor %}",
        "{% firstof holder.raw %}{% firstof holder.escaping %}",
        "{% cycle holder.escaping holder.raw %}",
        "{% include 'part' with t=holder.raw %}",
        "{% filter escaping:holder %}{{ t }}{% endfilter %}",
    ],
)
def test_what_was_not_given_the_context(change):
    parts = [f"{head}{{{{ t }}}}{change}{SHOWN}{end}{SHOWN}" for head, end in AROUND.values()]
    check([f"{L}{{% hold holder %}}{part}" for part in parts])


@pytest.mark.parametrize(
    "source",
    [
        "{{ t }}{% new_dicts t='new' %}{{ t }}",
        "{% for r in rows %}{{ t }}{% new_dicts t='new' %}{{ t }}{{ r }}{% endfor %}{{ t }}",
        "{% with u=1 %}{% new_dicts t='new' %}{{ t }}{{ u }}{% endwith %}{{ t }}",
        "{% if t %}{% new_dicts t='new' u='u' %}{% endif %}{{ t }}{{ u }}{% include 'part' %}",
        "{% include 'new' %}{{ t }}{{ u }}",
        "{% for r in rows %}{% include 'new' %}{{ t }}{{ u }}{% endfor %}{{ t }}",
    ],
)
def test_other_dicts(render, source):
    templates = {**TEMPLATES, "new": L + "{% new_dicts t='new' u='u' %}{{ t }}"}
    render(L + source, context, templates=templates, libraries=LIBRARIES, waits=None)


@pytest.mark.parametrize(
    "source",
    [
        "{{ nothing }}{% setting template other %}{{ nothing }}{{ nothing.x }}",
        "{% for r in rows %}{% setting template other %}{{ nothing }}{% endfor %}{{ nothing }}",
        "{% setting_around template other %}{{ nothing }}{% endsetting_around %}{{ nothing }}",
        "{% include 'others' %}{{ nothing }}",
        "{% include 'others' with other=other only %}{{ nothing }}",
        "{% simple_setting 'template' other %}{{ nothing }}{{ t.upper.x|add:'y' }}",
    ],
)
def test_another_template(source):
    """What stands for missing variables is what the engine of the context's template says."""
    other = Engine(string_if_invalid="other %s").from_string("")
    templates = {"others": L + "{% setting template other %}{{ nothing }}"}
    values = {"other": other, "rows": [1, 2], "t": "t"}
    stock = parse(L + source, templates, libraries=LIBRARIES)
    ours = parse(L + source, templates, libraries=LIBRARIES)
    expected = stock.render(Context(values))
    assert "other" in expected
    assert render_template(ours, Context(values)) == expected
    assert run_async(arender_template, ours, Context(values)) == expected
