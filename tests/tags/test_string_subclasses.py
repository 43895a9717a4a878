"""Values of types derived from strings and numbers, with texts of their own.

Stock Django joins what nodes give: the characters of a str count there, not what its methods say.
"""

import datetime
from decimal import Decimal

import pytest
from django.utils.functional import lazy
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy

from tests.rendering import agree

METHODS = ("__str__", "__format__", "__html__", "__add__", "__radd__", "__mod__", "__repr__")
BASES = {
    SafeString: "<b>",
    str: "<b>",
    int: 1234,
    float: 1234.5,
    Decimal: "1234.50",
    datetime.date: (2024, 2, 29),
    datetime.datetime: (2024, 2, 29, 23, 5),
}


class Same(SafeString):
    """Text that is markup, of a type of its own."""

    def __str__(self):
        return self


def derived(base, method, result):
    """Return a value whose type derives from ``base`` and has one method of its own."""

    def own(self, *args):
        return result(f"<{method} & {'/'.join(map(str, args))}>")

    kind = type(f"Own{base.__name__}", (base,), {method: own})
    given = BASES[base]
    return kind(*given) if isinstance(given, tuple) else kind(given)


SOURCES = {
    "variable": "{{ v }}",
    "attribute": "{{ o.v }}{{ d.v }}",
    "filters": "{{ v|safe }}|{{ v|escape }}|{{ v|force_escape }}|{{ v|default:'x' }}|{{ v|upper }}",
    "more filters": "{{ v|add:v }}|{{ v|add:'<' }}|{{ 'x'|add:v }}|{{ n|default:v }}|{{ v|title }}",
    "lists": "{{ l|join:', ' }}|{{ s|join:v }}|{{ l|safeseq|join:v }}|{{ l|first }}|{{ l }}",
    "numbers": "{{ v|floatformat }}|{{ v|floatformat:1 }}|{{ v|stringformat:'s' }}|{{ v|length }}",
    "dates": "{{ v|date }}|{{ v|date:'Y' }}|{{ v|localize }}|{{ v|unlocalize }}",
    "firstof": "{% firstof n v %}{% firstof n v as x %}{{ x }}",
    "cycle": "{% cycle v n %}{% cycle v n as y %}{{ y }}",
    "with": "{% with w=v %}{{ w }}{{ w|safe }}{% endwith %}",
    "include": "{% include 'part' %}{% include 'part' with v=v only %}",
    "filter": "{% filter lower %}{{ v }}{% endfilter %}{% filter default:v|upper %}{% endfilter %}",
    "ifchanged": "{% ifchanged %}{{ v }}{% endifchanged %}{% ifchanged v %}{{ v }}{% endifchanged %}",
    "spaceless": "{% spaceless %}<p> {{ v }} </p>{% endspaceless %}",
    "translate": "{% translate v %}{% translate v as t %}{{ t }}{% translate 'x' context v %}",
    "blocktranslate": "{% blocktranslate with w=v %}a {{ w }} {{ v }}{% endblocktranslate %}",
    "simple tag": "{% give v %}{% give v as g %}{{ g }}{% join v a=v %}",
    "block tag": "{% wrapped v %}{{ v }}{% endwrapped %}",
    "inclusion tag": "{% show v %}",
    "url": "{% url 'missing' v as u %}[{{ u }}]",
    "static": "{% static v %}",
    "widthratio": "{% widthratio v 1 1 %}",
    "if": "{% if v == l.0 %}same{% endif %}{% if v %}{{ v }}{% endif %}",
}
L = "{% load lib i18n l10n static %}"
TEMPLATES = {"part": "({{ v }}{{ v|safe }})", "inclusion": "{{ a }}{{ b }}"}


class Holder:
    def __init__(self, v):
        self.v = v


def everywhere(source):
    """A template that shows something in each region, in loops and out of them."""
    text = f"a{source}b{source}"
    return (
        f"{L}{source}{text}{{% for i in s %}}{source}{text}{{% endfor %}}"
        f"{{% autoescape off %}}{source}{text}{{% for i in s %}}{source}{text}{{% endfor %}}"
        "{% endautoescape %}{% load l10n %}{% localize off %}" + text + "{% endlocalize %}"
    )


def check(source, values):
    def context(value):
        return {
            "v": value,
            "o": Holder(value),
            "d": {"v": value},
            "n": "",
            "s": ["<", "b"],
            "l": [value, "<", value],
        }

    for value in values:
        agree(
            [everywhere(source)],
            lambda value=value: context(value),
            templates=TEMPLATES,
            libraries={"lib": "tests.tags.library_tags"},
        )


@pytest.mark.parametrize("base", BASES, ids=lambda base: base.__name__)
def test_variables(base):
    kinds = [(method, result) for method in METHODS for result in (str, SafeString, Same)]
    check(SOURCES["variable"], [derived(base, *kind) for kind in kinds])


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", SOURCES)
def test_everything_else(name):
    methods = ("__str__", "__format__", "__html__", "__add__")
    values = [derived(base, method, Same) for base in (SafeString, str, int) for method in methods]
    check(SOURCES[name], values)


def shouting(text):
    return Same(text)


@pytest.mark.parametrize("name", SOURCES)
def test_lazy_strings(name):
    values = [lazy(shouting, kind)("<lazy>") for kind in (str, SafeString)]
    check(SOURCES[name], [gettext_lazy("Yes"), *values])


def test_the_characters_count(render):
    class Own(SafeString):
        def __str__(self):
            return "text"

        def __format__(self, spec):
            return "format"

    class Html(SafeString):
        def __html__(self):
            return Own("<characters>")

    context = {"v": Own("<v>"), "html": Html("<h>")}
    assert render("{{ v }}{{ html }}{% for i in 'ab' %}{{ v }}{% endfor %}", context) == (
        "<v><characters><v><v>"
    )
