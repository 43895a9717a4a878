"""``translate``, ``blocktranslate`` and ``firstof as`` of all kinds of values, as Django writes them."""

import datetime
import itertools
from decimal import Decimal
from random import Random

import pytest
from django.utils import translation
from django.utils.functional import SimpleLazyObject
from django.utils.safestring import mark_safe
from django.utils.translation import gettext_lazy

from tests.rendering import agree

T = "{% load i18n l10n %}"


class Text(str):
    def __str__(self):
        return "<other>"


class Shown:
    def __init__(self):
        self.times = 0

    def __str__(self):
        self.times += 1
        return f"<{self.times}>"


def values():
    return {
        "yes": "Yes",
        "percent": "100% %s <%%>",
        "empty": "",
        "safe": mark_safe("<b>Yes</b> 5%"),
        "lines": "a\r\nb",
        "lazy": gettext_lazy("Yes"),
        "object": SimpleLazyObject(lambda: "<Yes>"),
        "sub": Text("Yes"),
        "one": 1,
        "big": 1234567,
        "half": 1.5,
        "decimal": Decimal("1234.50"),
        "none": None,
        "true": True,
        "day": datetime.date(2026, 5, 1),
        "moment": datetime.datetime(2026, 5, 1, 12, tzinfo=datetime.UTC),
        "time": datetime.time(12, 5),
        "list": ["<a>", 1],
        "shown": Shown(),
        "function": len,
    }


NAMES = (*values(), "missing")
TEXTS = ("yes", "percent", "empty", "safe", "lines", "sub", "missing", "object")


def around(source):
    """A source outside loops and inside, with and without escaping and localisation."""
    return (
        f"{T}{source}|{{% autoescape off %}}{source}{{% endautoescape %}}|"
        f"{{% for x in 'ab' %}}{source}|{{% localize off %}}{source}{{% endlocalize %}}{{% endfor %}}"
    )


LANGUAGES = ("en", "de", "ar", None)


@pytest.fixture(params=LANGUAGES)
def language(request):
    with translation.override(request.param):
        yield request.param


SHOW = "[{{ q }}{{ q|safe }}{{ q|length }}]"


@pytest.mark.parametrize("name", TEXTS)
def test_translate_of_variables(language, name):
    options = itertools.product(
        ("", "|upper", "|lower|truncatechars:3"),
        ("", " noop"),
        ("", " context 'abbrev. month'", " context lazy"),
        ("", " as q"),
    )
    source = "".join(
        f"{{% translate {name}{''.join(given)} %}}{SHOW if given[-1] else ''}" for given in options
    )
    agree([around(source)], values)


@pytest.mark.parametrize("noop", ["", " noop"])
def test_translate_of_what_is_no_string(noop):
    names = ("one", "none", "list", "function", "lazy")
    agree([f"{T}{{% translate {name}{noop} %}}" for name in names], values)


@pytest.mark.parametrize("context", ["", " context 'abbrev. month'", " context missing"])
def test_translate_of_literals(language, context):
    source = "".join(
        f"{{% translate '{text}'{context}{rest} %}}"
        for text in ("Yes", "May", "5% %d", "", "<b>")
        for rest in ("", " as q", " noop")
    )
    agree([around(source + SHOW)], values)


def blocks():
    """Generate blocks with two values, of all kinds."""
    random = Random(1)
    for _ in range(60):
        first, second, count = random.choices(NAMES, k=3)
        options = [
            random.choice(("", f" with a={first}|default:'x' b={second}", f" with a={second}")),
            random.choice(("", "", f" count c={count}", " count c=one", " count a=big")),
            random.choice(("", "", " context 'x'", " context missing", " context 5")),
            random.choice(("", " trimmed")),
            random.choice(("", " asvar q")),
        ]
        text = (
            f" {{{{ a }}}} 5% {{{{ {first} }}}}%s\n {{{{ c }}}}{{{{ {second} }}}}{{{{ {first} }}}} "
        )
        if options[1]:
            text += f"{{% plural %}} {{{{ c }}}} {{{{ {second} }}}} {{{{ b }}}}"
        yield f"{{% blocktranslate{''.join(options)} %}}{text}{{% endblocktranslate %}}{SHOW}"


@pytest.mark.parametrize("invalid", ["", "<%s>"])
def test_generated_blocks(invalid):
    with translation.override("de" if invalid else "en"):
        agree(list(map(around, blocks())), values, string_if_invalid=invalid)


FROM_CATALOGUES = (
    "{% blocktranslate %}Yes{% endblocktranslate %}",
    "{% blocktranslate context 'abbrev. month' %}May{% endblocktranslate %}",
    "{% for n in numbers %}{% blocktranslate count counter=n %}{{ counter }} result{% plural %}"
    "{{ counter }} results{% endblocktranslate %}{% endfor %}",
    "{% for n in numbers %}{% blocktranslate count n=n %}a{% plural %}{% endblocktranslate %}{% endfor %}",
    "{% blocktranslate with name='<i>' %}Please correct {{ name }}{% endblocktranslate %}",
    "{% for n in numbers %}{% blocktranslate count n=n context yes %}{{ n }}{% plural %}{{ n }}s"
    "{% endblocktranslate %}{% endfor %}",
)


def test_blocks_of_catalogues(language):
    numbers = [0, 1, 2, 3, 11, True, 100, 1]
    agree(list(map(around, FROM_CATALOGUES)), lambda: {**values(), "numbers": numbers})


@pytest.mark.parametrize("name", NAMES)
def test_blocks_with_each_kind_of_value(name):
    """One value a template: one that fails says nothing of the others."""
    source = (
        f"{{% blocktranslate with a={name} %}}{{{{ a }}}}{{% endblocktranslate %}}"
        f"{{% blocktranslate asvar q %}}{{{{ {name} }}}}%{{% endblocktranslate %}}{SHOW}"
    )
    agree([around(source)], values)


def test_another_context_each_time(render):
    source = "{% blocktranslate context c %}May{% endblocktranslate %}"
    loop = f"{{% for c in contexts %}}{source}|{{% endfor %}}"
    contexts = ["", "alt. month", None, "abbrev. month", "alt. month"]
    with translation.override("ru"):
        output = render(T + loop, {"contexts": contexts})
    assert len(set(output.split("|")[:2])) == 2


def test_another_language_each_time(render):
    source = (
        "{% for l in languages %}{% language l %}{% blocktranslate %}Yes{% endblocktranslate %}"
        "{% blocktranslate count n=5 %}{{ n }} result{% plural %}{{ n }} results"
        "{% endblocktranslate %}{% translate yes %}{% translate 'May' context 'abbrev. month' %}"
        "{% endlanguage %}{% endfor %}{% translate yes %}"
    )
    render(T + source, lambda: {**values(), "languages": ["de", "fr", "ar", "de"]})


def test_values_are_written_as_often_as_by_django(render):
    """Each time that a name stands in the text, of the singular and the plural."""
    source = (
        "{% blocktranslate count n=2 %}{{ shown }}{{ shown }}{% plural %}{{ shown }}"
        "{% endblocktranslate %}"
    )
    assert render(T + source, values, waits=None) == "&lt;3&gt;"


def test_the_parsed_text_is_no_format(render):
    source = (
        "{% blocktranslate with a='%(b)s' %}%(a)s {{ a }} %%{{ a|upper }}{% endblocktranslate %}"
    )
    assert render(T + source) == "%(a)s %(b)s %%"


@pytest.mark.parametrize("name", NAMES)
def test_firstof_that_sets_a_variable(name):
    source = f"{{% firstof missing {name} '<' as q %}}{SHOW}{{% firstof {name} as q %}}{SHOW}"
    agree([around(source)], values)
