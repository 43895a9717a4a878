"""Strategies for the source of contexts: see `values.namespace` for what it may name."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from . import keeping

TEXTS = [
    "", "plain", "two words", "<b>bold</b>", "a & b", "it's \"quoted\"", "Ünïcödé ✓", "emoji 😀",
    "line\nline\r\nline", "tab\tand\x00nul", "{{ a }}", "{% if %}", "%s %(a)s %", "'''\"\"\"\\",
    "3", "-1", "1,234.5", "2024-02-29", "x", "a", "b", "yes,no", "Yes", "de", "UTC", "main", "y",
    "http://example.com/?a=1&b=<2>", "someone@example.com", "\u202eright to left", "ſﬁ", "é́",
    "  spaces  ", "UPPER lower", "0", "inc.html", "2", "F j, Y", "forloop", ":2", "&amp;",
]  # fmt: skip
TEMPLATES = [
    "'inc.html'", "'card.html'", "'deep.html'", "['absent.html', 'inc.html']", "safe('inc.html')",
    "lazy('inc.html')", "template('[{{ x }}{% cycle 1 2 %}{% block one %}o{% endblock %}]')",
    "wrapped_template('<{{ y }}{% block one %}w{{ block.super }}{% endblock %}>')", "Renderer()",
    "template('{% extends \"frame.html\" %}{% block two %}{{ x }}{{ block.super }}{% endblock %}')",
    "('absent.html',)", "None", "LoudText('inc.html')", "Spy('t', 1)",
]  # fmt: skip
NUMBERS = [
    "0", "1", "-1", "2", "3", "7", "42", "1234", "1234567", "-98765", "10**20", "0.0", "-0.0",
    "1.5", "1234.5678", "-0.001", "1e20", "1e-9", "float('nan')", "float('inf')", "True", "False",
    "Decimal('1.50')", "Decimal('12345.678')", "Decimal('NaN')", "Decimal('1E+3')", "Number(5)",
    "Level.low", "Level.high",
]  # fmt: skip
MOMENTS = [
    "date(2024, 2, 29)", "date(1, 1, 1)", "time(13, 5)", "time(0, 0, 7)",
    "datetime(2024, 2, 29, 13, 5, 7)", "datetime(2023, 12, 31, 23, 59, 59, 999999)",
    "datetime(2024, 7, 1, 12, 0, tzinfo=utc)", "datetime(2020, 1, 1, tzinfo=utc)",
    "datetime(2024, 3, 31, 2, 30, tzinfo=ZoneInfo('Europe/Paris'))", "timedelta(days=1, hours=5)",
    "datetime(1, 1, 1)", "utc", "ZoneInfo('America/New_York')",
]  # fmt: skip
ODD_METHODS = ["bool", "len", "str", "eq", "lt", "contains", "iter", "hash", "html", "call"]
ERRORS = [
    "AttributeError", "IndexError", "KeyError", "Missing", "ObjectDoesNotExist", "RuntimeError",
    "Silent", "TypeError", "UnicodeDecodeError", "ValueError",
]  # fmt: skip
FIXED = [
    "None", "None", "Counter()", "CountingText()", "Thing", "Colour", "Colour.red", "Level", "[]",
    "{}", "()", "set()", "{7}", "frozenset({1})", "b'bytes <'", "range(3)", "range(0)",
    "uuid('12345678123456781234567812345678')", "gen()", "gen(1, 2, 3)",
    "gen(1, then='ValueError')", "iter([1, 2])", "Needing()", "Needing(alters_data=True)",
    "Liar(1, 2)", "len", "str", "dict", "translated('Yes')", "translated('Monday')", "plural(1)",
    "plural(2)", "int", "Html", "template('[{{ x }}|{{ a }}{% cycle 1 2 %}]')", "Context({'a': 1})",
    "type(None)", "Renderer()", "Spy('s')", "PlainSpy('t')", "[Spy('u', 1), Spy('v', 0)]",
    "[PlainSpy('u', 1), PlainSpy('v', 0)]", "fresh(__call__=lambda self: 'called', a=1)",
    "wrapped_template('<{{ y }}>')", "defaultdict(list)", "defaultdict(list, a=[1])", "1j",
    "Stream(1, 2, then='RuntimeError')", "Stream(then='TypeError')", "...", "NotImplemented",
    "[1, 2, 3]", "['a', 'b']", "'abc'", "[(1, 2), (3, 4)]", "[('a', 1), ('b', 2)]", "[[1, [2, 3]]]",
    "{'a': 1, 'b': '<2>'}", "{'items': 'mine', 'a': {'b': {'a': 1}}}", "{1: 'one', '1': 'text'}",
    "[{'a': 1, 'b': 2}, {'a': 1, 'b': 3}, {'a': 2, 'b': 2}]", "Pair(1, '<2>')",
    "[Thing(a=1, b='x'), Thing(a=1, b='y'), Thing(a=2, b='x')]", "[Pair(1, 2), Pair(3, 4)]",
    "[Thing(a=None), Thing(b=2), 3]", "[1, 1, 2, 2, 1]", "['x', 'x', 'y']", "[(1, 2), (3,), 4]",
    "('inc.html', 'absent.html')", "['absent.html', 'inc.html']",
]  # fmt: skip

texts = st.one_of(
    st.sampled_from(TEXTS),
    st.sampled_from(TEXTS),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=8),
).map(repr)
errors = st.sampled_from(ERRORS).map(repr)
kept = st.builds(
    "kept({!r}, {!r}, {!r})".format,
    st.sampled_from(sorted(keeping.KEPT)),
    st.sampled_from(keeping.KINDS),
    st.sampled_from(sorted(keeping.HIDERS)),
)
leaves = st.one_of(
    texts,
    texts,
    st.sampled_from(NUMBERS),
    st.sampled_from(MOMENTS),
    st.sampled_from(FIXED),
    st.sampled_from(FIXED),
    kept,
    st.builds("Odd({!r}, {})".format, st.sampled_from(ODD_METHODS), errors),
    st.builds("{}({})".format, st.sampled_from(["Getter", "Raising", "later_raising"]), errors),
    st.builds("Falling(name={})".format, errors),
)
TEXT_MAKERS = ["safe", "lazy", "Text", "LoudText", "HtmlText", "SafeText", "Html"]
ONE = [
    "Calling", "function", "function_with_default", "later", "lazy_object", "Falling", "Guarded",
    "GuardedAttributes",
]  # fmt: skip
SPIES = ["Spy", "PlainSpy"]
FLAGS = ["do_not_call_in_templates=True", "alters_data=True"]
SEQUENCES = ["[{}]", "({},)", "Items({})", "Sequence({})", "Bag({})", "Stream({})", "deque([{}])"]
MAPPINGS = [
    "AttributeDict({})", "fresh({})", "fresh({})", "dict({})", "OrderedDict({})", "Missing({})",
    "Thing({})", "Thing({})", "namespace({})", "mapping(dict({}))",
]  # fmt: skip
KEYS = ["a", "b", "x", "first", "items", "method", "c", "name"]


def _containers(inside: Any) -> Any:
    listed = st.lists(inside, min_size=1, max_size=3).map(", ".join)
    return st.one_of(
        st.builds("{}({})".format, st.sampled_from(TEXT_MAKERS), texts),
        st.builds(str.format, st.sampled_from(SEQUENCES), listed),
        st.builds(str.format, st.sampled_from(MAPPINGS), _attributes(inside)),
        st.builds(str.format, st.sampled_from(MAPPINGS), _attributes(inside)),
        st.builds("{}({})".format, st.sampled_from(ONE), inside),
        st.builds("Calling({}, {})".format, inside, st.sampled_from(FLAGS)),
        st.builds("[({}, {}), ({}, {})]".format, inside, inside, inside, inside),
        st.builds("Slotted({}, {})".format, inside, inside),
        st.builds("{}('{}', {})".format, st.sampled_from(SPIES), st.sampled_from("pqr"), inside),
    )


def _attributes(inside: Any) -> Any:
    return st.dictionaries(st.sampled_from(KEYS), inside, max_size=3).map(
        lambda values: ", ".join(f"{name}={value}" for name, value in values.items())
    )


values = st.recursive(leaves, _containers, max_leaves=5)

SHAPED = {
    "flag": st.sampled_from(["True", "False", "0", "1", "''", "'x'", "[]", "None"]),
    "many": st.one_of(
        st.lists(values, min_size=2, max_size=3).map(lambda items: f"[{', '.join(items)}]"),
        st.lists(kept, min_size=2, max_size=3).map(lambda items: f"[{', '.join(items)}]"),
        st.sampled_from([item for item in FIXED if item.startswith("[")]),
    ),
    "n": st.sampled_from(["0", "1", "2", "3", "5", "-1", "1234567", "1234.5"]),
    "keep": kept,
    "obj": _attributes(values).map("Thing({})".format),
    "pairs": st.sampled_from(
        ["[(1, 2), (3, 4)]", "[('k', 1), ('k', 2)]", "{'a': 1, 'b': 2}.items()"] * 2
        + ["['ab', 'cd']", "[[1, '<'], [2, '>']]", "[]", "[Pair(1, 2)]", "[(1, 2, 3)]", "['ab', 3]"]
    ),
    "text": texts,
    "tpl": st.sampled_from(TEMPLATES),
    "when": st.sampled_from(MOMENTS),
}
"""Names whose values mostly have the shape that a template expects of them."""
FREE = ["a", "b", "c", "d"]
"""Names with any value."""
NAMES = [*FREE, *SHAPED]


@st.composite
def contexts(draw: Any, promises: bool = False) -> str:
    """The source of a context.

    Args:
        promises: whether some of the values are awaitables.
    """
    items = [(name, draw(values)) for name in FREE if draw(st.integers(0, 2)) < 2]
    for name, strategy in SHAPED.items():
        if draw(st.integers(0, 9)) < 9:
            items.append((name, draw(strategy)))
    if not draw(st.integers(0, 5)):
        items.append((draw(st.sampled_from(["forloop", "block", "x", "csrf_token"])), draw(values)))
    if promises:
        items = [
            (name, f"promise({value})" if name in NAMES and draw(st.booleans()) else value)
            for name, value in items
        ]
    return "{" + ", ".join(f"{name!r}: {value}" for name, value in items) + "}"
