"""A site's own tags and filters, in the thread and with ``OPTIONS["inline_tags"]``."""

from dataclasses import replace

from .construct import Construct

LIBRARY = "matrix_tags"
MACRO = "{% macro card(row) %}<b>{{ row.name }}</b>{% endmacro %}"
BOX = '{% macro box(title) %}<div title="{{ title }}">{{ caller() }}</div>{% endmacro %}'
LOOP = "{% for row in rows %}BODY{% endfor %}"

OWN = (
    Construct("filter", "{{ row.name|shouted }}", "{{ row.name|shouted }}"),
    Construct("filter with argument", '{{ row.name|tail:"!" }}', '{{ row.name|tail("!") }}'),
    Construct("stringfilter", "{{ row.name|initial }}", "{{ row.name|initial }}"),
    Construct("simple_tag", "{% greeting %}", "{{ greeting() }}"),
    Construct(
        "simple_tag with arguments",
        "{% labelled row.name size=row.number %}",
        "{{ labelled(row.name, size=row.number) }}",
    ),
    Construct("simple_tag with context", "{% shown row.name %}"),
    Construct(
        "simple_tag as",
        "{% labelled row.name as text %}{{ text }}",
        "{% set text = labelled(row.name) %}{{ text }}",
    ),
    Construct("inclusion_tag", "{% card row %}", MACRO + LOOP.replace("BODY", "{{ card(row) }}")),
    Construct("inclusion_tag with context", "{% context_card %}"),
    Construct(
        "simple_block_tag",
        "{% box row.name %}inner {{ row.number }}{% endbox %}",
        BOX + LOOP.replace("BODY", "{% call box(row.name) %}inner {{ row.number }}{% endcall %}"),
    ),
    Construct("block tag", "{% repeated 2 %}{{ row.name }}{% endrepeated %}"),
    Construct("Node", "{% described row %}"),
    Construct("Node that sets", "{% remembered row.name as kept %}{{ kept }}"),
)

CONSTRUCTS = tuple(replace(each, load=LIBRARY) for each in OWN)
INLINE = tuple(replace(each, load=LIBRARY, inline=True) for each in OWN)
