"""Loops, and what a loop says about itself."""

from .construct import Construct

CONSTRUCTS = (
    Construct("forloop.counter", "{{ forloop.counter }}", "{{ loop.index }}"),
    Construct("forloop.counter0", "{{ forloop.counter0 }}", "{{ loop.index0 }}"),
    Construct("forloop.revcounter", "{{ forloop.revcounter }}", "{{ loop.revindex }}"),
    Construct("forloop.revcounter0", "{{ forloop.revcounter0 }}", "{{ loop.revindex0 }}"),
    Construct("forloop.first", "{{ forloop.first }}", "{{ loop.first }}"),
    Construct("forloop.last", "{{ forloop.last }}", "{{ loop.last }}"),
    Construct(
        "forloop.length",
        "{{ forloop.length }}",
        "{{ loop.length }}",
        since=(6, 0),
    ),
    Construct(
        "forloop.parentloop",
        "{% for tag in row.tags %}{{ forloop.parentloop.counter }}{% endfor %}",
        "{% set outer = loop %}{% for tag in row.tags %}{{ outer.index }}{% endfor %}",
    ),
    Construct(
        "if not forloop.last",
        "{{ row.number }}{% if not forloop.last %}, {% endif %}",
        "{{ row.number }}{% if not loop.last %}, {% endif %}",
    ),
    Construct(
        "nested for",
        "{% for tag in row.tags %}{{ tag }}{% endfor %}",
        "{% for tag in row.tags %}{{ tag }}{% endfor %}",
    ),
    Construct(
        "for empty",
        "{% for tag in row.nothing %}{{ tag }}{% empty %}none{% endfor %}",
        "{% for tag in row.nothing %}{{ tag }}{% else %}none{% endfor %}",
    ),
    Construct(
        "for reversed",
        "{% for tag in row.tags reversed %}{{ tag }}{% endfor %}",
        "{% for tag in row.tags|reverse %}{{ tag }}{% endfor %}",
    ),
    Construct(
        "for unpacking",
        "{% for name, value in row.pairs %}{{ name }}{{ value }}{% endfor %}",
        "{% for name, value in row.pairs %}{{ name }}{{ value }}{% endfor %}",
    ),
    Construct(
        "for dict",
        "{% for key in row.mapping %}{{ key }}{% endfor %}",
        "{% for key in row.mapping %}{{ key }}{% endfor %}",
    ),
    Construct(
        "for dict.items",
        "{% for key, value in row.mapping.items %}{{ key }}{{ value }}{% endfor %}",
        "{% for key, value in row.mapping.items() %}{{ key }}{{ value }}{% endfor %}",
    ),
    Construct(
        "for dict.keys",
        "{% for key in row.mapping.keys %}{{ key }}{% endfor %}",
        "{% for key in row.mapping.keys() %}{{ key }}{% endfor %}",
    ),
    Construct(
        "for dict.values",
        "{% for value in row.mapping.values %}{{ value }}{% endfor %}",
        "{% for value in row.mapping.values() %}{{ value }}{% endfor %}",
    ),
    Construct(
        "for string",
        "{% for letter in row.name %}{{ letter }}{% endfor %}",
        "{% for letter in row.name %}{{ letter }}{% endfor %}",
    ),
    Construct(
        "for method",
        "{% for part in row.get_parts %}{{ part }}{% endfor %}",
        "{% for part in row.get_parts() %}{{ part }}{% endfor %}",
    ),
    Construct(
        "for generator",
        "{% for part in row.make_parts %}{{ part }}{% endfor %}",
        "{% for part in row.make_parts() %}{{ part }}{% endfor %}",
    ),
    Construct(
        "for form",
        "{% for field in row.form %}{{ field.name }}{% endfor %}",
        "{% for field in row.form %}{{ field.name }}{% endfor %}",
    ),
    Construct(
        "regroup",
        "{% regroup rows by kind as groups %}{% for group in groups %}{{ group.grouper }}"
        "{% for row in group.list %}{{ row.number }}{% endfor %}{% endfor %}{% for row in rows %}"
        "{% endfor %}",
        "{% for group in rows|groupby('kind') %}{{ group.grouper }}"
        "{% for row in group.list %}{{ row.number }}{% endfor %}{% endfor %}{% for row in rows %}"
        "{% endfor %}",
    ),
    Construct(
        "ifchanged",
        "{% ifchanged %}{{ row.kind }}{% endifchanged %}",
    ),
    Construct(
        "ifchanged value",
        "{% ifchanged row.kind %}{{ row.kind }}{% else %}-{% endifchanged %}",
        "{% if loop.changed(row.kind) %}{{ row.kind }}{% else %}-{% endif %}",
    ),
    Construct("cycle", '{% cycle "odd" "even" %}', '{{ loop.cycle("odd", "even") }}'),
    Construct("cycle variables", "{% cycle word other %}", "{{ loop.cycle(word, other) }}"),
    Construct(
        "cycle as",
        '{% cycle "odd" "even" as color %}{{ color }}',
        '{% set color = loop.cycle("odd", "even") %}{{ color }}{{ color }}',
    ),
    Construct(
        "cycle as silent",
        '{% cycle "odd" "even" as color silent %}{{ color }}',
        '{% set color = loop.cycle("odd", "even") %}{{ color }}',
    ),
    Construct(
        "resetcycle",
        '{% cycle "a" "b" "c" %}{% if row.odd %}{% resetcycle %}{% endif %}',
    ),
)
