"""Types derived from strings and numbers, with methods of their own: stock Jinja2 decides."""

import contextlib
import decimal

import pytest
from django.utils.functional import lazy
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy
from markupsafe import Markup

from .conftest import stock_environment

METHODS = ("__str__", "__format__", "__html__", "__add__")
BASES = {
    str: "<b>",
    Markup: "<b>",
    SafeString: "<b>",
    decimal.Decimal: "1234.50",
}
SOURCES = [
    "{{ v }}{{ o.v }}{{ o['v'] }}{% for i in [1, 2] %}a{{ v }}b{% endfor %}",
    "{{ v|safe }}|{{ v|escape }}|{{ v|e|upper }}|{{ v|default('x') }}|{{ none|default(v, true) }}",
    "{{ [v, '<']|join(', ') }}|{{ ['<', '>']|join(v) }}|{{ v|string }}|{{ v|upper }}|{{ v|title }}",
    "{{ v ~ '<' }}|{{ '<' ~ v }}|{{ v ~ v ~ 1 }}",
    "{{ v + v }}|{{ '%s' % v }}|{{ v|format('x') }}|{{ '%s'|format(v) }}|{{ '{}'.format(v) }}",
    "{% set x = v %}{{ x }}{% set y %}{{ v }}{% endset %}{{ y }}{% with w = v %}{{ w }}{% endwith %}",
    "{% macro m(a) %}{{ a }}{{ v }}{% endmacro %}{{ m(v) }}{% call m(v) %}{{ v }}{% endcall %}",
    "{% filter upper %}{{ v }}{% endfilter %}{{ v if v == v else 'other' }}{{ v|length }}",
    "{% include 'part' %}{% for c in v %}{{ c }}{% endfor %}{{ v in [v] }}{{ v|replace('<', v) }}",
    "{% trans %}a {{ v }} b{% endtrans %}{% trans x=v %}{{ x }}{% endtrans %}{{ _('y') }}{{ v|tojson }}",
]
TEMPLATES = {"part": "({{ v }}{{ v|safe }})"}


def translating(**options):
    env = stock_environment(**options)
    env.add_extension("jinja2.ext.i18n")
    env.install_null_translations(newstyle=True)
    return env


class Same(SafeString):
    """Markup of a type of its own."""

    __slots__ = ()

    def __str__(self):
        return self


def derived(base, method, result):
    def own(self, *args):
        return result(f"<{method}>")

    kind = type(f"Own{base.__name__}", (base,), {method: own, "__hash__": base.__hash__})
    return kind(BASES[base])


@pytest.mark.exhaustive
@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("base", BASES, ids=lambda base: base.__name__)
async def test_each_method(same, base, source):
    environment = f"{__name__}.translating"
    for autoescape in (True, False):
        for method in METHODS:
            value = derived(base, method, Same)
            await same_or_refused(
                same,
                f"{source}{{% autoescape flag %}}{source}{{% endautoescape %}}",
                {"v": value, "o": {"v": value}, "flag": not autoescape},
                TEMPLATES,
                environment=environment,
                autoescape=autoescape,
            )


async def same_or_refused(same, *args, **options):
    """Compare; what stock Jinja2 refuses, ours has to refuse, and then `same` raises it."""
    with contextlib.suppress(TypeError, ValueError, AttributeError):
        await same(*args, **options)


@pytest.mark.parametrize("source", SOURCES)
async def test_lazy_strings(same, source):
    values = [gettext_lazy("Yes"), lazy(Same, str)("<lazy>"), lazy(Same, SafeString)("<lazy>")]
    for autoescape in (True, False):
        for value in values:
            context = {"v": value, "o": {"v": value}, "flag": autoescape}
            environment = f"{__name__}.translating"
            await same_or_refused(
                same, source, context, TEMPLATES, environment=environment, autoescape=autoescape
            )
