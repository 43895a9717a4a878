"""Templates that use templates: include, extends, blocks and partials."""

from .construct import Construct

CONSTRUCTS = (
    Construct("include", '{% include "matrix/cell.html" %}', '{% include "matrix/cell.html" %}'),
    Construct("include variable", "{% include cell %}", "{% include cell %}"),
    Construct(
        "include with",
        '{% include "matrix/named.html" with name=row.name %}',
        '{% with name=row.name %}{% include "matrix/named.html" %}{% endwith %}',
    ),
    Construct("include only", '{% include "matrix/named.html" with name=row.name only %}'),
    Construct("include that extends", '{% include "matrix/child.html" %}'),
    Construct(
        "block",
        "{% for row in rows %}{% block cell %}{{ row.name }}{% endblock %}{% endfor %}",
        "{% for row in rows %}{% block cell scoped %}{{ row.name }}{% endblock %}{% endfor %}",
    ),
    Construct(
        "extends",
        '{% extends "matrix/base.html" %}{% block cell %}{{ row.number }}{% endblock %}',
        '{% extends "matrix/base.html" %}{% block cell %}{{ row.number }}{% endblock %}',
    ),
    Construct(
        "block.super",
        '{% extends "matrix/base.html" %}{% block cell %}x{{ block.super }}{% endblock %}',
        '{% extends "matrix/base.html" %}{% block cell %}x{{ super() }}{% endblock %}',
    ),
    Construct(
        "partial",
        "{% partialdef cell %}{{ row.name }}{% endpartialdef %}"
        "{% for row in rows %}{% partial cell %}{% endfor %}",
        "{% macro cell(row) %}{{ row.name }}{% endmacro %}"
        "{% for row in rows %}{{ cell(row) }}{% endfor %}",
        since=(6, 0),
    ),
    Construct(
        "partialdef inline",
        "{% partialdef cell inline %}{{ row.name }}{% endpartialdef %}",
        since=(6, 0),
    ),
    Construct("include partial", '{% include "matrix/partials.html#cell" %}', since=(6, 0)),
)
