"""Conditions."""

from .construct import Construct


def condition(name: str, django: str, jinja2: str | None = "", **more: bool) -> Construct:
    """Return an ``{% if %}``; without a Jinja2 text of its own, both languages have the same."""
    text = "{% if CONDITION %}yes{% else %}no{% endif %}"
    return Construct(
        name,
        text.replace("CONDITION", django),
        None if jinja2 is None else text.replace("CONDITION", jinja2 or django),
        **more,  # type: ignore[arg-type]
    )


CONSTRUCTS = (
    condition("if variable", "word"),
    condition("if attribute", "row.odd"),
    condition("if not", "not row.odd"),
    condition("if method", "row.get_name", "row.get_name()"),
    condition("if list", "row.tags"),
    condition("if missing", "missing"),
    condition("if missing attribute", "row.missing"),
    condition("if ==", "row.number == 5"),
    condition("if == string", 'row.name == "name 5"'),
    condition("if !=", "row.number != five"),
    condition("if <", "row.number < 250"),
    condition("if >=", "row.number >= 250"),
    condition("if and", "row.odd and row.name"),
    condition("if or", "row.none or row.odd"),
    condition("if in", '"red" in row.tags'),
    condition("if not in", "row.name not in row.tags"),
    condition("if in string", '"5" in row.name'),
    condition("if is None", "row.none is None", "row.none is none"),
    condition("if is not None", "row.name is not None", "row.name is not none"),
    condition("if length", "row.tags|length > 2"),
    condition("if filter", "row.name|upper"),
    condition("if divisibleby", "row.number|divisibleby:3", "row.number is divisibleby 3"),
    Construct(
        "if elif else",
        "{% if row.number < 100 %}a{% elif row.number < 300 %}b{% else %}c{% endif %}",
        "{% if row.number < 100 %}a{% elif row.number < 300 %}b{% else %}c{% endif %}",
    ),
    Construct(
        "if without else",
        "{% if row.odd %}odd{% endif %}",
        "{% if row.odd %}odd{% endif %}",
    ),
)
