"""Generated Jinja2 templates and contexts: every construct in every place."""

from __future__ import annotations

from collections import OrderedDict, defaultdict, namedtuple
from decimal import Decimal
from functools import cache

from hypothesis import strategies as st
from markupsafe import Markup

NAMES = ("a", "b", "c", "items", "rows", "obj", "text", "number", "pairs", "nothing", "missing")
ATTRIBUTES = ("name", "value", "kids", "x", "items", "count", "boom", "missing", "__class__", "0")
FILTERS = (
    *("upper", "lower", "title", "capitalize", "trim", "length", "first", "last", "list", "string"),
    *("sort", "reverse|list", "unique|list", "join", "join('-')", "default('d')", "abs", "int"),
    *("default('d', true)", "tojson", "e", "safe", "escape", "sum", "max", "min", "float", "round"),
    *("map('upper')|list", "map('string')|join(',')", "select|list", "reject|list", "wordcount"),
    *("select('odd')|list", "reject('none')|list", "map(attribute='x')|list", "batch(2)|list"),
    *("selectattr('x')|map(attribute='name')|list", "rejectattr('x', 'eq', 1)|list|length"),
    *(
        "sort(attribute='x')|map(attribute='name')|list",
        "groupby('x')|list|length",
        "slice(2)|list",
    ),
    *("sum(attribute='x')", "join(', ', attribute='name')", "unique(attribute='x')|list|length"),
    *("max(attribute='x')", "attr('name')", "replace('a', 'b')", "truncate(5)", "center(7)"),
    *(
        "dictsort",
        "items|list",
        "xmlattr",
        "urlencode",
        "striptags",
        "format(1)",
        "indent",
        "count",
    ),
    *("select('defined')|first", "map('boom')|list", "map(attribute='kids.0')|list", "pprint"),
    *("map(attribute='x', default=0)|sum", "filesizeformat", "wordwrap(3)"),
)
TESTS = (
    *("defined", "undefined", "none", "odd", "even", "string", "number", "mapping", "sequence"),
    *("iterable", "eq(1)", "in([1, 'a'])", "sameas(none)", "true", "lower", "callable", "escaped"),
    *(
        "divisibleby(2)",
        "gt(1)",
        "boolean",
        "integer",
        "float",
        "upper",
        "filter",
        "test",
        "ne('a')",
    ),
)
BINARY = ("+", "-", "*", "/", "//", "%", "~", "**")
COMPARE = ("==", "!=", "<", "<=", ">", ">=", "in", "not in")
LITERALS = (
    *("0", "1", "2", "-1", "2.5", "''", "'a'", "'<b>'", "'ä\\n'", "true", "false", "none"),
    *("[]", "[1, 2]", "['a', 'B']", "(1,)", "{}", "{'x': 1, 'name': 'n'}", "[[1, 2], [3, 4]]"),
)


@cache
def expressions(depth=3):
    """Expressions, as text."""
    names = st.sampled_from(NAMES)
    literals = st.sampled_from(LITERALS)
    simple = names | literals
    if depth == 0:
        return simple
    inner = expressions(depth - 1)
    return st.one_of(
        simple,
        simple,
        st.builds("{}.{}".format, names, st.sampled_from(ATTRIBUTES)),
        st.builds("{}.{}.{}".format, names, *[st.sampled_from(ATTRIBUTES)] * 2),
        st.builds("{}[{}]".format, names, inner),
        st.builds("{}['{}']".format, names, st.sampled_from(ATTRIBUTES)),
        st.builds(
            "{}[{}:{}]".format,
            names,
            st.sampled_from(["", "0", "1", "-1", "a"]),
            st.sampled_from(["", "1", "-1", "b"]),
        ),
        st.builds("({})|{}".format, inner, st.sampled_from(FILTERS)),
        st.builds("({})|{}".format, inner, st.sampled_from(FILTERS)),
        st.builds("({} is {})".format, inner, st.sampled_from(TESTS)),
        st.builds("({} is not {})".format, inner, st.sampled_from(TESTS)),
        st.builds("({} {} {})".format, inner, st.sampled_from(BINARY[:-1]), inner),
        st.builds("({} {} {})".format, inner, st.sampled_from(COMPARE), inner),
        st.builds(
            "({} {} {} {} {})".format,
            inner,
            st.sampled_from(COMPARE),
            inner,
            st.sampled_from(COMPARE),
            inner,
        ),
        st.builds("({} {} {})".format, inner, st.sampled_from(["and", "or"]), inner),
        st.builds("(not {})".format, inner),
        st.builds("(-{})".format, inner),
        st.builds("({} if {} else {})".format, inner, inner, inner),
        st.builds("({} if {})".format, inner, inner),
        st.builds("function({})".format, inner),
        st.builds("function({}, key={})".format, inner, inner),
        st.builds("obj.method({})".format, inner),
        st.builds("[{}, {}]".format, inner, inner),
        st.builds("{{'k': {}}}".format, inner),
    )


OF_LOOPS = [
    "index",
    "index0",
    "revindex",
    "revindex0",
    "first",
    "last",
    "length",
    "previtem",
    "nextitem",
    "depth",
    "depth0",
    "cycle('x', 'y')",
    "changed(loop.index0 // 2)",
    "missing",
]
LOOP = st.sampled_from(OF_LOOPS)
LOOP_APART = st.sampled_from([each for each in OF_LOOPS if "changed" not in each])


SETTING = {"set", "setblock", "unpack", "namespace", "macro", "call", "import"}
"""Kinds of pieces that set a name for what comes after them."""


@st.composite
def nodes(draw, depth, in_loop=False, top=False, plain=True, mode=""):
    """A piece of a template, as text.

    Args:
        depth: how deep other pieces may stand in it.
        in_loop: whether there is a ``loop``.
        top: whether it may be a block.
        plain: whether nothing around it collects its output. Where something does, stock Jinja2
            does not include a template without context into it, but into the page.
        mode: ``""``: there is no ``{% parallel %}``; ``"anywhere"``: there may be one;
            ``"part"``: it is a part of one; ``"rows"``: what is set inside of a part ends there.
    """
    kinds = ["text", "output", "output", "output"]
    if in_loop:
        kinds += ["loop", "loop"]
    if depth > 0:
        kinds += [
            "if",
            "for",
            "for",
            "forloop",
            "set",
            "setblock",
            "with",
            "macro",
            "call",
            "filter",
        ]
        kinds += ["include", "import", "autoescape", "recursive", "do", "namespace", "unpack"]
        if in_loop:
            kinds += ["break"]
        if top:
            kinds += ["block"]
        if mode:
            kinds += ["parallel"] * 6
    if mode == "part":
        kinds = [each for each in kinds if each not in SETTING]
    if mode in ("part", "rows"):
        kinds = [each for each in kinds if each != "break"]
    kind = draw(st.sampled_from(kinds))
    # Simple ones where parts are what matters: most others end in an error.
    expression = expressions(draw(st.integers(0, 1 if mode else 3)))

    collecting = kind in ("macro", "call", "filter", "setblock", "recursive")

    around = LOOP_APART if mode in ("part", "rows") else LOOP
    inner = mode
    if mode and kind in ("recursive", "macro", "call"):
        inner = "anywhere"
    elif kind == "parallel":
        inner = "part"
    elif mode in ("part", "rows") and kind in ("for", "forloop"):
        inner = "rows" if mode == "part" else "anywhere"
    elif mode == "part" and kind != "if":
        inner = "rows"

    def body(loop=in_loop):
        return draw(bodies(depth - 1, loop, plain=plain and not collecting, mode=inner))

    def value():
        return draw(expression)

    name = draw(st.sampled_from(["a", "b", "x", "y"]))
    if kind == "text":
        return draw(
            st.sampled_from(["<p>", " ", "\n", "ä&", "text", "{# c #}", "{{ '{{' }}", "'\""])
        )
    if kind == "output":
        return "{{ " + value() + " }}"
    if kind == "loop":
        return "{{ loop." + draw(around) + " }}"
    if kind == "parallel":
        limit = draw(st.sampled_from(["", "", "1", "2", "limit=3"]))
        return "{% parallel " + limit + "%}" + body() + body() + "{% endparallel %}"
    if kind == "break":
        tag = draw(st.sampled_from(["break", "continue"]))
        return "{% if " + value() + " %}{% " + tag + " %}{% endif %}"
    if kind == "if":
        other = draw(
            st.sampled_from(["", "{% else %}" + body(), "{% elif " + value() + " %}" + body()])
        )
        return "{% if " + value() + " %}" + body() + other + "{% endif %}"
    if kind in ("for", "forloop", "recursive"):
        source = draw(st.sampled_from(["items", "rows", "pairs", "a", "text", value()]))
        target = draw(st.sampled_from(["x", "y", "a", "x, y"]))
        test = " if " + value() if draw(st.integers(0, 3)) == 3 else ""
        mark = " recursive" if kind == "recursive" else ""
        asked = LOOP_APART if inner == "rows" else LOOP
        uses = "{{ loop." + draw(asked) + " }}" if kind == "forloop" else ""
        if kind == "recursive":
            uses = "{% if loop.depth < 3 %}{{ loop(x.kids) }}{% endif %}"
            target = "x"
        empty = "{% else %}" + body() if draw(st.booleans()) else ""
        head = "{% for " + target + " in " + source + test + mark + " %}"
        return head + body(kind != "for") + uses + empty + "{% endfor %}"
    if kind == "set":
        return "{% set " + name + " = " + value() + " %}{{ " + name + " }}"
    if kind == "unpack":
        return "{% set x, y = " + value() + " %}{{ x }}{{ y }}"
    if kind == "namespace":
        return (
            "{% set ns = namespace(v=" + value() + ") %}{% for x in items %}{% set ns.v = x %}"
            "{% endfor %}{{ ns.v }}"
        )
    if kind == "do":
        return "{% do function(" + value() + ") %}"
    if kind == "setblock":
        through = draw(st.sampled_from(["", " | upper", " | trim | title"]))
        return "{% set " + name + through + " %}" + body() + "{% endset %}{{ " + name + " }}"
    if kind == "with":
        return "{% with " + name + " = " + value() + " %}" + body() + "{% endwith %}"
    if kind == "macro":
        default = value()
        call = draw(
            st.sampled_from(
                [
                    *("m({0})", "m({0}, q={0})", "m()", "m({0}, {0}, {0})", "m(z={0})"),
                    *("m(q={0}, p={0})", "m(q={0})", "m({0}, p=1)", "m(m({0}))", "m({0}) ~ '<'"),
                    *("m(*[{0}])", "m(**{{'q': {0}}})", "m({0})|upper", "(m, m)[0]({0})"),
                ]
            )
        )
        extra = draw(st.sampled_from(["", "{{ varargs }}{{ kwargs }}"]))
        return (
            "{% macro m(p, q="
            + default
            + ") %}{{ p }}{{ q }}"
            + extra
            + body(False)
            + "{% endmacro %}{{ "
            + call.format(value())
            + " }}"
        )
    if kind == "call":
        return (
            "{% macro w(p=1) %}[{{ caller("
            + value()
            + ") }}]{% endmacro %}{% call(x) "
            + draw(st.sampled_from(["w()", "w({})", "w(p={})", "w(z={})"])).format(value())
            + " %}{{ x }}"
            + body(False)
            + "{% endcall %}"
        )
    if kind == "filter":
        return (
            "{% filter "
            + draw(st.sampled_from(["upper", "trim", "e", "title|lower"]))
            + " %}"
            + (body() + "{% endfilter %}")
        )
    if kind == "include":
        return draw(
            st.sampled_from(
                [
                    "{% include 'part' %}",
                    f"{{% include 'part' {'without' if plain else 'with'} context %}}",
                    "{% include ['gone', 'part'] %}",
                    "{% include 'gone' ignore missing %}",
                    "{% include 'gone' %}",
                    "{% include text %}",
                ]
            )
        )
    if kind == "import":
        return draw(
            st.sampled_from(
                [
                    "{% import 'library' as lib %}{{ lib.m(a) }}{{ lib.v }}{{ lib.gone }}",
                    "{% from 'library' import m as mm with context %}{{ mm(b) }}",
                    "{% from 'library' import m, t %}{{ m(t(p=b)) }}{{ t(b) ~ m(q=1) }}",
                    "{% import 'library' as lib %}{% call lib.w(a) %}{{ b }}{% endcall %}",
                    "{% import 'library' as lib %}{% set lib = obj %}{{ lib.method(a) }}",
                    "{% from 'library' import gone %}{{ gone }}",
                    "{% import 'gone' as lib %}",
                ]
            )
        )
    if kind == "autoescape":
        mode = draw(st.sampled_from(["true", "false", "number"]))
        return "{% autoescape " + mode + " %}" + body() + "{% endautoescape %}"
    block = f"b{draw(st.integers(0, 10**9))}"
    scoped = draw(st.sampled_from(["", " scoped"]))
    return "{% block " + block + scoped + " %}" + body() + "{% endblock %}"


@cache
def bodies(depth, in_loop=False, top=False, plain=True, mode=""):
    """Some pieces of a template, one after the other."""
    return st.lists(nodes(depth, in_loop, top, plain, mode), max_size=4).map("".join)


@st.composite
def template_sets(draw, mode=""):
    """The templates of one case, by name."""
    templates = {
        "page": draw(bodies(3, top=True, mode=mode)),
        "part": draw(bodies(1, mode=mode)),
        "library": "{% macro m(p) %}<{{ p }}{{ a }}>{% endmacro %}"
        "{% macro w(p) %}{{ p }}{{ caller() }}{% endmacro %}"
        "{% macro t(p) %}<{{ p }}{{ m(p) }}>{% endmacro %}{% set v = "
        + draw(expressions(1))
        + " %}",
    }
    if draw(st.integers(0, 3)) == 3:
        templates["base"] = (
            "B{% block main %}"
            + draw(bodies(1, mode=mode))
            + "{% endblock %}"
            + draw(bodies(1, mode=mode))
        )
        inner = draw(bodies(2, mode=mode))
        supers = draw(
            st.sampled_from(
                ["", "{{ super() }}", "{{ self.main is callable }}", "{{ super()|upper }}"]
            )
        )
        templates["page"] = (
            "{% extends 'base' %}"
            + draw(st.sampled_from(["", "{% set a = 5 %}"]))
            + "{% block main %}"
            + inner
            + supers
            + "{% endblock %}"
        )
    return templates


Point = namedtuple("Point", "x name")


class Thing:
    """An object of a site: attributes, items, methods, and things that go wrong."""

    def __init__(self, name, x=1, kids=()):
        self.name = name
        self.x = x
        self.kids = list(kids)

    @property
    def boom(self):
        raise LookupError("boom")

    @property
    def value(self):
        return self.x * 2

    def method(self, *args, **kwargs):
        return f"method({len(args)})"

    def __repr__(self):
        return f"<Thing {self.name}>"


class Html:
    name = "html"
    x = 3

    def __html__(self):
        return "<i>html</i>"

    def __str__(self):
        return "<text>"

    def __repr__(self):
        return "<Html>"  # without an address: each render gets a copy


class Falsy(Thing):
    def __bool__(self):
        return False

    def __len__(self):
        return 0


VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 50),
    st.sampled_from([0.5, 1e20, float("inf"), Decimal("1.50"), b"bytes", 10**30]),
    st.text(st.sampled_from("ab<&'\"\\{}%ä\n \u2028\x00😀"), max_size=6),
    st.sampled_from([Markup("<b>m</b>"), "A", "a"]),
    st.just(Thing("<t>")),
    st.just(Falsy("f")),
    st.just(Html()),
    st.just(Point(1, "p")),
)
MANY = st.one_of(
    st.lists(VALUES, max_size=4),
    st.lists(st.integers(0, 5), max_size=5),
    st.lists(st.builds(Thing, st.sampled_from("xyz"), st.integers(0, 3)), max_size=4),
    st.lists(
        st.fixed_dictionaries({"x": st.integers(0, 3), "name": st.text("ab", max_size=2)}),
        max_size=4,
    ),
    st.dictionaries(st.sampled_from(["x", "name", "kids", "k"]), VALUES, max_size=3),
    st.builds(OrderedDict, st.just([("x", 1), ("name", "o")])),
    st.builds(range, st.integers(0, 4)),
    st.sampled_from([(1, 2), ("a",), set(), {7}, frozenset({1})]),
    st.builds(lambda: defaultdict(int, x=1)),
)
TREES = st.recursive(
    st.builds(Thing, st.sampled_from("xyz"), st.integers(0, 3)),
    lambda kids: st.builds(Thing, st.sampled_from("uvw"), st.just(1), st.lists(kids, max_size=2)),
    max_leaves=4,
)


def function(*args, **kwargs):
    """What a site gives its templates to call."""
    if args and args[0] == 3:
        raise ValueError("three")
    return args[0] if args else len(kwargs)


@st.composite
def contexts(draw):
    """The variables of one case."""
    return {
        "a": draw(VALUES | MANY),
        "b": draw(VALUES),
        "c": draw(VALUES | MANY),
        "items": draw(MANY),
        "rows": draw(st.lists(TREES, max_size=3)),
        "obj": draw(TREES),
        "text": draw(st.text("part<ab ", max_size=5)),
        "number": draw(st.integers(0, 3)),
        "pairs": draw(st.lists(st.tuples(VALUES, VALUES), max_size=3)),
        "nothing": None,
        "function": function,
    }
