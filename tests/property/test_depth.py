"""Deep nesting and long chains: Python limits how deep source may nest, stock Django hardly."""

import pytest

from .routes import Case, outcomes
from .test_differential import disagreement

pytestmark = pytest.mark.usefixtures("urls")

AROUND = {
    "if": ("{% if a %}", "{% endif %}"),
    "else": ("{% if b %}{% else %}", "{% endif %}"),
    "for": ("{% for x in a %}{{ forloop.counter }}", "{% endfor %}"),
    "empty": ("{% for x in b %}{% empty %}", "{% endfor %}"),
    "for with names": ("{% for x in a %}{% firstof x as y %}", "{{ y }}{% endfor %}"),
    "for with parents": ("{% for x in a %}", "{{ forloop.parentloop.counter }}{% endfor %}"),
    "for of pairs": ("{% for x, z in pairs %}{% firstof x as y %}", "{{ y }}{{ z }}{% endfor %}"),
    "with": ("{% with x=a %}{{ x }}", "{% endwith %}"),
    "with names": ("{% with x=a %}{% firstof x as y %}", "{{ y }}{% endwith %}"),
    "ifchanged": ("{% ifchanged %}.", "{% endifchanged %}"),
    "ifchanged by value": ("{% ifchanged a %}.", "{% else %}{{ b }}{% endifchanged %}"),
    "autoescape": ("{% autoescape off %}{{ t }}{% autoescape on %}", "{% endautoescape %}" * 2),
    "filter": ("{% filter upper %}x", "{% endfilter %}"),
    "spaceless": ("{% spaceless %}<p> ", " </p>{% endspaceless %}"),
    "cache": ("{% cache 60 part a %}.", "{% endcache %}"),
    "language": ('{% language "de" %}', "{% endlanguage %}"),
    "timezone": ('{% timezone "UTC" %}', "{% endtimezone %}"),
    "localtime": ("{% localtime off %}", "{% endlocaltime %}"),
    "localize": ("{% localize off %}", "{% endlocalize %}"),
    "foreign": ("{% upper %}", "{% endupper %}"),
    "foreign loop": ("{% own_for x in a %}", "{% endown_for %}"),
    "simple block": ("{% boxed x=a %}", "{% endboxed %}"),
    "for and foreign": ("{% for x in a %}{% upper %}", "{{ x }}{% endupper %}{% endfor %}"),
    "if and for": ("{% if a %}{% for x in a %}", "{% endfor %}{% endif %}"),
}
CHAINS = {
    "elif": ("{% if b %}", "{% elif b %}{{ b }}", "{% elif a %}found{% else %}none{% endif %}"),
    "or": ("{% if b", " or b", " or a %}yes{% endif %}"),
    "and": ("{% if a", " and a", " and b %}yes{% else %}no{% endif %}"),
    "not": ("{% if ", "not ", "a %}yes{% else %}no{% endif %}"),
    "equal": ("{% if a", " == a", " %}yes{% else %}no{% endif %}"),
    "filters": ("{{ t", "|lower|upper", " }}"),
    "firstof": ("{% firstof b", " b", " a %}"),
    "cycle": ("{% for x in a %}{% cycle 'x'", " a", " %}{% endfor %}"),
    "bits": ("{{ o", ".me", ".a }}"),
    "bits in a loop": ("{% for x in a %}{{ o", ".me", ".a }}{% endfor %}"),
    "nodes": ("", "{{ a }}.", ""),
    "arguments": ("{% joined", " a", " %}"),
    "loop variables": ("{% for x", ", x", " in a %}{% endfor %}"),
}
CONTEXT = "{'a': ['<'], 'b': '', 't': 'Text', 'pairs': [(1, 2)], 'o': Thing(a=1)}"


@pytest.mark.parametrize("depth", [3, 12, 24, 70, 110])
@pytest.mark.parametrize("family", AROUND)
def test_nested(family, depth, loop):
    head, end = AROUND[family]
    compare(head * depth + "{{ t }}{{ when }}" + end * depth, loop)


@pytest.mark.parametrize("length", [30, 120, 400])
@pytest.mark.parametrize("family", CHAINS)
def test_long(family, length, loop):
    head, link, end = CHAINS[family]
    compare(head + link * length + end, loop)


def compare(text, loop):
    found = outcomes(Case({"main.html": text}, CONTEXT), loop)
    if "RecursionError" not in found["stock"].error:
        assert disagreement(found) is None
