"""Django's tags that are in every template, but for loops, conditions and inheritance."""

from .construct import Construct

CONSTRUCTS = (
    Construct(
        "autoescape",
        "{% autoescape off %}{{ row.text }}{% endautoescape %}",
        "{% autoescape false %}{{ row.text }}{% endautoescape %}",
    ),
    Construct("comment", "x{% comment %}{{ row.name }}{% endcomment %}", "x{# {{ row.name }} #}"),
    Construct("csrf_token", "{% csrf_token %}"),
    Construct("csp_nonce_attr", "{% csp_nonce_attr %}", since=(6, 1)),
    Construct("debug", "{% debug %}", prints=False),
    Construct(
        "filter",
        "{% filter upper %}{{ row.name }}{% endfilter %}",
        "{% filter upper %}{{ row.name }}{% endfilter %}",
    ),
    Construct(
        "firstof",
        "{% firstof row.none row.empty row.name %}",
        "{{ row.none or row.empty or row.name }}",
    ),
    Construct("load", "x{% load l10n %}"),
    Construct("lorem", "{% lorem %}"),
    Construct("lorem words", "{% lorem 3 w %}"),
    Construct("now", '{% now "Y" %}'),
    Construct("now as", '{% now "Y" as year %}{{ year }}'),
    Construct("querystring", "{% querystring page=row.number %}", request=True),
    Construct("querystring None", "{% querystring page=None %}", request=True),
    Construct(
        "spaceless",
        "{% spaceless %}<p> <b>{{ row.name }}</b> </p>{% endspaceless %}",
    ),
    Construct("templatetag", "{% templatetag openblock %}", '{{ "{%" }}'),
    Construct("url", '{% url "matrix-home" %}', '{{ url("matrix-home") }}'),
    Construct(
        "url args", '{% url "matrix-item" row.number %}', '{{ url("matrix-item", row.number) }}'
    ),
    Construct(
        "url kwargs",
        '{% url "matrix-item" pk=row.number %}',
        '{{ url("matrix-item", pk=row.number) }}',
    ),
    Construct(
        "url as",
        '{% url "matrix-item" row.number as link %}{{ link }}',
        '{% set link = url("matrix-item", row.number) %}{{ link }}',
    ),
    Construct(
        "verbatim",
        "{% verbatim %}{{ row.name }}{% endverbatim %}",
        "{% raw %}{{ row.name }}{% endraw %}",
    ),
    Construct(
        "widthratio",
        "{% widthratio row.number 500 100 %}",
        "{{ (row.number / 500 * 100)|round|int }}",
    ),
    Construct(
        "with",
        "{% with name=row.name %}{{ name }}{% endwith %}",
        "{% with name=row.name %}{{ name }}{% endwith %}",
    ),
    Construct(
        "with two",
        "{% with name=row.name number=row.number %}{{ name }}{{ number }}{% endwith %}",
        "{% with name=row.name, number=row.number %}{{ name }}{{ number }}{% endwith %}",
    ),
)
