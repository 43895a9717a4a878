"""``forloop`` used as a value, and not just one of its entries: it is a dict then, as in Django."""

import pytest

from tests.rendering import agree

LIBRARIES = {"lib": "tests.tags.library_tags"}
L = "{% load lib i18n %}"
TEMPLATES = {
    "part": "<{{ forloop }}{{ f }}{{ forloop.counter }}>",
    "loops": "{% for q in 'pq' %}{{ forloop }}{{ forloop.parentloop }}{% endfor %}",
    "inclusion": "{{ a }}{{ b }}{{ forloop }}",
    "base": "{% for q in 'pq' %}{% block b %}{{ forloop }}{% endblock %}{% endfor %}",
}
USES = {
    "printed": "{{ forloop }}",
    "filtered": "{{ forloop|length }}{{ forloop|default:'x' }}{{ x|default:forloop }}",
    "joined": "{{ forloop|join:',' }}{{ forloop|dictsort:0 }}{{ ''|default:forloop }}",
    "with": "{% with f=forloop %}{{ f }}{{ f.counter }}{{ f.last }}{% endwith %}",
    "with around": "{% with f=forloop %}{% include 'part' %}{% put 'g' f %}{{ g }}{% endwith %}",
    "if": "{% if forloop %}{{ x }}{% endif %}{% if not forloop %}no{% else %}yes{% endif %}",
    "if in": "{% if 'counter' in forloop and forloop != x %}in{% endif %}",
    "if of": "{% if forloop == forloop.parentloop %}same{% endif %}{% if forloop and x %}x{% endif %}",
    "blocktranslate": "{% blocktranslate %}a {{ forloop }} b{% endblocktranslate %}",
    "blocktranslate of two": "{% blocktranslate %}{{ x }}{{ forloop }}{% endblocktranslate %}",
    "blocktranslate with": "{% blocktranslate with f=forloop %}{{ f }}{{ forloop }}"
    "{% endblocktranslate %}",
    "blocktranslate count": "{% blocktranslate count n=forloop.counter %}{{ n }}{{ forloop }}"
    "{% plural %}{{ n }}{{ forloop }}{{ x }}{% endblocktranslate %}",
    "blocktranslate count of it": "{% blocktranslate count n=forloop|length %}{{ n }}"
    "{% plural %}{{ n }}{{ forloop }}{% endblocktranslate %}",
    "blocktranslate as": "{% blocktranslate asvar t %}{{ forloop }}{% endblocktranslate %}{{ t }}",
    "blocktranslate in with": "{% with forloop=x %}{% blocktranslate %}{{ forloop }}"
    "{% endblocktranslate %}{% endwith %}",
    "translate": "{% translate forloop %}{% translate 'x' context forloop %}",
    "simple tag": "{% give forloop %}{% join forloop a=forloop %}{% read 'forloop' %}",
    "simple tag as": "{% give forloop as g %}{{ g }}{{ g.counter }}",
    "block tag": "{% wrapped forloop %}{{ forloop }}{% endwrapped %}",
    "inclusion tag": "{% show forloop %}{% show_context 'forloop' %}{% show_whole %}",
    "include": "{% include 'part' %}{% include 'part' with f=forloop %}",
    "include only": "{% include 'part' with f=forloop only %}{% include 'loops' %}",
    "filter": "{% filter default:forloop %}{{ forloop }}{% endfilter %}",
    "filter tag of argument": "{{ x|exclaim:forloop }}",
    "firstof": "{% firstof '' forloop %}{% firstof forloop as g %}{{ g }}",
    "cycle": "{% cycle forloop x %}{% cycle forloop x as c %}{{ c }}",
    "ifchanged": "{% ifchanged %}{{ forloop }}{% endifchanged %}",
    "ifchanged of it": "{% ifchanged forloop %}c{% else %}s{% endifchanged %}{{ forloop|length }}",
    "for": "{% for k in forloop %}{{ k }}{% endfor %}{% for k, v in forloop.items %}{{ k }}{{ v }}"
    "{% endfor %}",
    "nested": "{% for y in 'vw' %}{{ forloop }}{{ forloop.parentloop }}{% endfor %}",
    "nested twice": "{% for y in 'vw' %}{% for z in 'tu' %}{{ forloop.parentloop.parentloop }}"
    "{{ forloop.parentloop.counter }}{% endfor %}{% endfor %}",
    "nested blocktranslate": "{% for y in 'vw' %}{% blocktranslate with p=forloop.parentloop %}"
    "{{ p }}{{ forloop }}{{ y }}{% endblocktranslate %}{% endfor %}",
    "parent with": "{% for y in 'vw' %}{% with p=forloop.parentloop %}{{ p }}{{ p.counter }}"
    "{% blocktranslate %}{{ p }}{% endblocktranslate %}{% endwith %}{% endfor %}",
    "empty": "{% for y in '' %}{% empty %}{{ forloop }}{% blocktranslate %}{{ forloop }}"
    "{% endblocktranslate %}{% endfor %}",
    "named forloop": "{% for forloop in 'vw' %}{{ forloop }}{% blocktranslate %}{{ forloop }}"
    "{% endblocktranslate %}{% endfor %}",
    "regroup": "{% regroup rows by forloop.counter as g %}{{ g }}{{ forloop }}",
    "regroup of it": "{% regroup forloop.items by 0 as g %}{{ g|length }}",
    "url": "{% url 'missing' forloop as u %}[{{ u }}]",
    "widthratio": "{% widthratio forloop 1 1 %}{% widthratio forloop|length 1 1 as w %}{{ w }}",
    "spaceless": "{% spaceless %}<p> {{ forloop }} </p>{% endspaceless %}",
    "language": "{% language 'de' %}{% blocktranslate %}{{ forloop }}{% endblocktranslate %}"
    "{% endlanguage %}",
    "not a loop's": "{{ forloop.nothing }}{{ forloop.counter.real }}{{ forloop.first|yesno }}",
}


@pytest.mark.parametrize("use", USES)
def test_it_is_the_dict(use):
    source = USES[use]
    sources = [
        f"{{% for x in rows %}}{source}{{% endfor %}}",
        f"{{% for x in rows %}}{{{{ forloop.last }}}}{source}{{{{ forloop.counter }}}}{{% endfor %}}"
        f"{source}",
        f"{{% for x, y in pairs %}}{{% for z in rows %}}{source}{{% endfor %}}{source}{{% endfor %}}",
        f"{{% for x in rows %}}{{% if x %}}{{% with y=x %}}{source}{{% endwith %}}{{% endif %}}"
        "{% endfor %}",
        f"{{% extends 'base' %}}{L}{{% block b %}}{source}{{{{ block.super }}}}{{% endblock %}}",
        source,
        f"{{% with forloop='own' %}}{source}{{% for x in rows %}}{source}{{% endfor %}}"
        "{% endwith %}",
    ]
    agree(
        [text if "extends" in text else L + text for text in sources],
        lambda: {"rows": ["<a>", "b"], "pairs": [(1, 2), (3, 4)], "x": "outer"},
        templates=TEMPLATES,
        libraries=LIBRARIES,
    )


def test_its_text(render):
    source = (
        "{% load i18n %}{% for x in 'a' %}{% blocktranslate %}{{ forloop }}{% endblocktranslate %}"
    )
    assert "counter0" in render(source + "{% endfor %}")
