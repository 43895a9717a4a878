"""Filters of text in templates: in and out of loops, escaped or not, in chains, of other values."""

import warnings
from decimal import Decimal

import pytest
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy

from tests.runtime.fast.text_values import SIGNS, SPACES, TAGS, addresses, some_texts

PLAIN = [
    *("addslashes", "capfirst", "escape", "escapejs", "force_escape", "iriencode", "linebreaks"),
    *(
        "linebreaksbr",
        "linenumbers",
        "lower",
        "make_list",
        "pprint",
        "safe",
        "slugify",
        "striptags",
    ),
    *("title", "upper", "urlencode", "urlize", "wordcount", "json_script"),
]
WITH_ARGUMENTS = [
    *(
        "center:12",
        "center:width",
        'cut:"a"',
        "cut:sign",
        "ljust:12",
        "rjust:width",
        'json_script:"x"',
    ),
    *(
        'stringformat:"s"',
        'stringformat:"10s"',
        "truncatechars:7",
        'truncatechars:"7"',
        "wordwrap:8",
    ),
    *("truncatechars:width", "truncatechars_html:9", "truncatewords:2", "truncatewords_html:2"),
    *("urlizetrunc:8", 'urlencode:""', "urlencode:sign", "wordwrap:width"),
]
CHAINS = [
    *("escape|linebreaks", "lower|title", "safe|truncatechars:5", "force_escape|linebreaksbr"),
    *(
        "striptags|truncatewords:3|upper",
        "safe|cut:';'",
        "urlize|truncatechars_html:9",
        "escape|cut:'a'",
    ),
    *(
        "slugify|phone2numeric",
        "linenumbers|safe|wordwrap:9",
        "safe|lower|escape",
        "safe|urlencode",
    ),
]
OUTPUT = "".join(f"[{{{{ value|{name} }}}}]" for name in [*PLAIN, *WITH_ARGUMENTS, *CHAINS])


OTHERS = ["", 0, 12, -2.5, None, True, Decimal("1.50"), [1, "<"], gettext_lazy("Yes")]
OTHERS += [SafeString("safe <i>text</i> & more\nwords"), {"a": "<"}, ("x", "y")]


@pytest.mark.parametrize("off", [False, True], ids=["escaped", "unescaped"])
def test_texts_and_other_values(render, off):
    texts = [*some_texts(13, 12, SPACES, SIGNS, TAGS), *addresses(14, 4)]
    template = f"{OUTPUT}{{% for value in values %}}{OUTPUT}{{% endfor %}}"
    if off:
        template = "{% autoescape off %}" + template + "{% endautoescape %}"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what is put before an address without a scheme
        values = {"value": texts[0], "values": [*texts, *OTHERS], "width": 11, "sign": "<"}
        render(template, values)


def test_a_value_that_is_missing(render):
    template = "{% for x in 'ab' %}{{ value|title }}{{ x|upper }}{% endfor %}{{ value|center:3 }}"
    render(template + "{% for x in 'ab' %}{{ value|linebreaks }}{% endfor %}", {})
