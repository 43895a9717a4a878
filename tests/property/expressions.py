"""Strategies for what stands inside a tag: names, paths, literals, filters, conditions."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from .contexts import NAMES

BITS = [
    "a", "b", "a", "b", "0", "1", "first", "items", "keys", "values", "name", "x", "c", "method",
    "me", "tick", "ticking", "needs", "optional", "attribute_error", "type_error", "value_error",
    "key_error", "runtime_error", "silent", "missing_inside", "unicode_error", "call_type_error",
    "call_silent", "delete", "absent", "upper", "title", "count", "pop", "year", "day", "real",
    "note", "value", "grouper", "list", "red", "low", "isoformat", "label", "12", "class", "é",
    "None", "template", "super", "2", "split", "index", "strip",
]  # fmt: skip
LOOP_BITS = [
    "counter", "counter0", "revcounter", "revcounter0", "first", "last", "length", "parentloop",
    "parentloop.counter", "parentloop.first", "parentloop.parentloop.counter0", "absent",
    "parentloop.length", "counter.real", "counter.absent", "items", "parentloop.parentloop",
]  # fmt: skip
LITERALS = [
    '"text"', "'text'", '"<b>"', "\"it's\"", "'say \"hi\"'", '"a\\"b"', '""', "1", "0", "-1", "2",
    "3.5", "1.", "1e3", '_("Yes")', "_('Monday')", '_("<b>")', "True", "False", "None", '"%s"',
    '"é😀"', '"{"', '"a,b,c"', "1234567", "1234.5678", "'inc.html'",
    "1_0", "+5", ".5", "-.5e-3", "1e400", "\u0663", '"\\\\"', "'\\''",
]  # fmt: skip
SIMPLE_FILTERS = [
    "addslashes", "capfirst", "escape", "escapejs", "escapeseq", "filesizeformat", "first",
    "force_escape", "iriencode", "last", "length", "linebreaks", "linebreaksbr", "linenumbers",
    "lower", "make_list", "phone2numeric", "pprint", "random", "safe", "safeseq", "slugify",
    "striptags", "title", "unordered_list", "upper", "urlize", "wordcount", "localize",
    "unlocalize", "localtime", "utc", "intcomma", "intword", "apnumber", "ordinal", "naturalday",
    "language_bidi", "shout", "bold", "local_hour", "refuse", "kind", "later_shout", "later_kind",
    "json_script", "language_name", "language_name_local", "language_name_translated",
    "naturaltime", "date", "time", "floatformat", "pluralize", "yesno", "timesince", "timeuntil",
    "urlencode", "answered",
]  # fmt: skip
FILTERS_WITH_ARGUMENT = {
    "add": ["1", '"x"', "n"],
    "center": ["10", '"x"'],
    "cut": ['" "', '"a"', '"<"'],
    "date": ['"Y-m-d H:i"', '"DATE_FORMAT"', '"c"', '"U e T"', "text"],
    "default": ['"<default>"', "text", "n"],
    "default_if_none": ['"none"', "text"],
    "dictsort": ['"a"', "0", '"absent"', '"a.b"'],
    "dictsortreversed": ['"a"', "1"],
    "divisibleby": ["2", "0", "n"],
    "floatformat": ["2", "-1", '"2g"', '"2u"', '"x"', "0"],
    "get_digit": ["1", "2", '"x"'],
    "intcomma": ["False", "0"],
    "join": ['", "', '"<br>"', "text"],
    "json_script": ['"an-id"', "text"],
    "kind": ["1", "1.5", '"x"', '_("Yes")', "text", "a", "None"],
    "later_kind": ["1", "text", "a"],
    "ljust": ["5", '"x"'],
    "pluralize": ['"es"', '"y,ies"', '"a,b,c"'],
    "rjust": ["5"],
    "slice": ['":2"', '"1:"', '"::-1"', '"x"', "2"],
    "stringformat": ['"s"', '"03d"', '"E"', '"r"', '"q"'],
    "time": ['"H:i"', '"TIME_FORMAT"', '"P"'],
    "timesince": ["when"],
    "timeuntil": ["when"],
    "timezone": ['"Europe/Paris"', '"Nowhere"', "a", "None"],
    "truncatechars": ["3", "0", '"x"', "n"],
    "truncatechars_html": ["4"],
    "truncatewords": ["1", '"x"'],
    "truncatewords_html": ["1"],
    "urlencode": ['""', '"/"'],
    "urlizetrunc": ["5"],
    "wordwrap": ["5"],
    "yesno": ['"yes,no"', '"yes,no,maybe"', '"x"', "text"],
}
COMPARISONS = ["==", "!=", "<", ">", "<=", ">=", "in", "not in", "is", "is not"]

percent = st.integers(0, 99)
bits = st.sampled_from(BITS)
loop_bits = st.sampled_from(LOOP_BITS)
kept_bits = st.sampled_from(["prop", "method", "answer", "key", "by_getattr", "by_getattr_2"])
odd_texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters='\\"{}%#\n'))
literals = st.one_of(
    *[st.sampled_from(LITERALS)] * 6,
    odd_texts.map('"{}"'.format),
    st.integers().map(str),
    st.floats().map(str),
)
simple_filters = st.sampled_from(SIMPLE_FILTERS)
argument_filters = st.sampled_from(sorted(FILTERS_WITH_ARGUMENT))
arguments = {name: st.sampled_from(values) for name, values in FILTERS_WITH_ARGUMENT.items()}
OTHER_NAMES = ["x", "y", "absent", "from_processor", "forloop", "block"]
all_names = st.sampled_from([*NAMES, *NAMES, *OTHER_NAMES])
comparisons = st.sampled_from(COMPARISONS)
lengths = st.sampled_from([0, 0, 0, 0, 0, 1, 1, 1, 2, 3])


class Expressions:
    """Draws expressions; knows the names that are bound around the place."""

    def __init__(self, draw: Any, asynchronous: bool) -> None:
        self.draw = draw
        self.asynchronous = asynchronous
        self.keeps = self.chance(30)
        """Whether it is mostly about objects that keep state and ask the database."""
        self.bound: list[str] = []
        self.loops = 0

    def chance(self, of_hundred: int) -> bool:
        """Whether something happens that does in so many of a hundred cases."""
        # The unlikely is at the upper end, so that shrinking makes for the likely.
        return bool(self.draw(percent) >= 100 - of_hundred)

    def name(self) -> str:
        """A name: of the context, or bound nearer by."""
        if self.keeps and self.chance(50):
            return "keep"
        if self.bound and self.chance(45):
            return self.draw(st.sampled_from(self.bound[-4:]))  # type: ignore[no-any-return]
        return self.draw(all_names)  # type: ignore[no-any-return]

    def path(self) -> str:
        """A name and bits behind it."""
        if self.loops and self.chance(20):
            return f"forloop.{self.draw(loop_bits)}"
        name, length = self.name(), self.draw(lengths)
        if self.keeps and self.chance(50):
            return f"{name}.{self.draw(kept_bits)}"
        return ".".join([name, *(self.draw(bits) for _ in range(length))])

    def operand(self) -> str:
        """A path or a literal."""
        return self.draw(literals) if self.chance(25) else self.path()  # type: ignore[no-any-return]

    def filter(self) -> str:
        """A filter, with its argument."""
        if self.chance(50):
            return f"|{self.draw(simple_filters)}"
        name = self.draw(argument_filters)
        if self.chance(25):
            return f"|{name}:{self.operand()}"
        return f"|{name}:{self.draw(arguments[name])}"

    def value(self, filters: int = 35) -> str:
        """An expression: an operand, with filters in some of the cases."""
        text = self.operand()
        while self.chance(filters):
            text += self.filter()
            filters = filters * 2 // 3
        return text

    def condition(self) -> str:
        """A condition with any operators in any order."""
        parts = []
        while True:
            if self.chance(20):
                parts.append("not")
            parts.append(self.value(15))
            if self.chance(45):
                parts += [self.draw(comparisons), self.value(10)]
            if not self.chance(30):
                return " ".join(parts)
            parts.append("and" if self.chance(50) else "or")
