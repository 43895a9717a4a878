"""``{% if %}``: conditions, operators, and what is taken for false."""

import asyncio
from decimal import Decimal

import pytest
from django.core.exceptions import SynchronousOnlyOperation
from django.template import Context

from atemplates.engines.django import arender_template, render_template
from atemplates.errors import RenderBlocked
from tests.rendering import parse, safe


class Explosive:
    """Raises whatever is done with it in a condition."""

    def __init__(self, error):
        self.error = error

    def explode(self, other=None):
        raise self.error

    __bool__ = __eq__ = __lt__ = __le__ = __gt__ = __ge__ = __contains__ = explode
    __hash__ = None


class CountsItsTruth:
    def __init__(self, truth):
        self.truth = truth
        self.asked = 0

    def __bool__(self):
        self.asked += 1
        return self.truth


class NeedsTheThread:
    """As Django's own guard: it raises before anything is done."""

    def ask(self, other=None):
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            return True
        raise SynchronousOnlyOperation("on the loop")

    __bool__ = __eq__ = __lt__ = __contains__ = ask
    __hash__ = None


class HasLength:
    def __init__(self, length):
        self.length = length

    def __len__(self):
        return self.length


def yes_no(condition):
    return f"{{% if {condition} %}}yes{{% else %}}no{{% endif %}}"


VALUES = {
    "zero": 0,
    "one": 1,
    "two": 2,
    "text": "text",
    "empty": "",
    "none": None,
    "true": True,
    "false": False,
    "items": [1, 2],
    "no_items": [],
    "d": {"a": 1},
    "long": HasLength(3),
    "short": HasLength(0),
    "call": lambda: 5,
    "call_none": lambda: None,
}


@pytest.mark.parametrize(
    ("condition", "truth"),
    [
        ("one", True),
        ("zero", False),
        ("text", True),
        ("empty", False),
        ("none", False),
        ("missing", False),
        ("missing.attribute", False),
        ("items", True),
        ("no_items", False),
        ("long", True),
        ("short", False),
        ("call", True),
        ("call_none", False),
        ("not one", False),
        ("not missing", True),
        ("not not one", True),
        ("one and two", True),
        ("one and zero", False),
        ("zero and missing", False),
        ("one or missing", True),
        ("missing or zero", False),
        ("missing or one and zero", False),
        ("one or one and zero", True),
        ("not zero and not empty", True),
        ("one == 1", True),
        ("one == 1.0", True),
        ("one != 1", False),
        ("missing == None", True),
        ("missing is None", True),
        ("missing is not None", False),
        ("none is None", True),
        ("true is True", True),
        ("one is True", False),
        ("one < two", True),
        ("one <= 1", True),
        ("two > one", True),
        ("two >= 3", False),
        ("one in items", True),
        ("5 in items", False),
        ("5 not in items", True),
        ("'a' in d", True),
        ("'ex' in text", True),
        ("'x' in missing", False),
        ("text < one", False),
        ("one in two", False),
        ("one not in two", False),
        ("not one in items", False),
        ("text|length == 4", True),
        ("text|length > items|length", True),
        ("missing|length", False),
        ("missing|default:1", True),
        ("text|upper == 'TEXT'", True),
        ("text|cut:missing", False),
        ("text|cut:missing == 'x'", False),
        ("text|cut:missing or one", False),
        ("_('text') == 'text'", True),
        ("'' or ''", False),
        ("0.0", False),
    ],
)
def test_truth(render, condition, truth):
    assert render(yes_no(condition), VALUES) == ("yes" if truth else "no")


@pytest.mark.parametrize(
    ("a", "b", "output"),
    [(1, 1, "both"), (1, 0, "a"), (0, 1, "b"), (0, 0, "none")],
)
def test_branches(render, a, b, output):
    source = (
        "{% if a and b %}both{% elif a %}{{ a|yesno:'a,?' }}{% elif b %}b{% else %}none{% endif %}"
    )
    assert render(source, {"a": a, "b": b}) == output


def test_more_branches_than_python_indents(render):
    branches = "".join(f"{{% elif x == {n} %}}{n}" for n in range(105))
    source = f"{{% if missing %}}{branches}{{% else %}}none{{% endif %}}"
    assert render(source, {"x": 104}) == "104"


@pytest.mark.parametrize("operator", ["and", "or"])
@pytest.mark.parametrize("x", [0, 49, 100])
def test_many_operands(render, operator, x):
    sign = "!=" if operator == "and" else "=="
    condition = f" {operator} ".join(f"x {sign} {n}" for n in range(50))
    assert render(yes_no(condition), {"x": x}) == (
        "yes" if (x < 50) == (operator == "or") else "no"
    )


def test_many_negations(render):
    assert render(yes_no("not " * 40 + "x"), {"x": 1}) == "yes"


def test_without_else(render):
    assert render("<{% if a %}x{% endif %}>", {"a": 0}) == "<>"
    assert render("<{% if a %}{% endif %}>", {"a": 1}) == "<>"


@pytest.mark.parametrize("error", [ValueError("x"), ZeroDivisionError(), KeyError("k")])
@pytest.mark.parametrize(
    "condition",
    ["x == 1", "x < 1", "x >= 1", "1 in x", "not x", "x and one", "x or one", "one and not x"],
)
def test_an_operator_that_raises_is_false(render, condition, error):
    assert render(yes_no(condition), {"x": Explosive(error), "one": 1}) == "no"


def test_the_truth_of_a_single_value_may_raise(render):
    with pytest.raises(ValueError, match="the truth"):
        render(yes_no("x"), {"x": Explosive(ValueError("the truth"))})
    with pytest.raises(ValueError, match="the truth"):
        render(yes_no("one and x"), {"one": 1, "x": Explosive(ValueError("the truth"))})


def test_a_property_that_raises(render):
    class Broken:
        @property
        def value(self):
            raise ZeroDivisionError("in the property")

    with pytest.raises(ZeroDivisionError, match="in the property"):
        render(yes_no("b.value"), {"b": Broken()})
    assert render(yes_no("b.value == 1"), {"b": Broken()}) == "no"
    assert render(yes_no("b.value or True"), {"b": Broken()}) == "no"


@pytest.mark.parametrize(
    "condition", ["x", "not x", "x and one", "one and x", "x or one", "x == 1"]
)
async def test_a_truth_is_asked_as_often_as_by_stock(condition):
    source = yes_no(condition)

    def context():
        return {"x": CountsItsTruth(True), "one": 1}

    stock, blocking, awaiting = context(), context(), context()
    parse(source).render(Context(stock))
    assert render_template(parse(source), Context(blocking))
    assert await arender_template(parse(source), Context(awaiting))
    assert blocking["x"].asked == awaiting["x"].asked == stock["x"].asked


class TestAwaitables:
    async def value(self, value):
        return value

    @pytest.mark.parametrize(
        ("condition", "output"),
        [
            ("x", "no"),
            ("not x", "yes"),
            ("x == 0", "yes"),
            ("x in items", "yes"),
            ("1 in y", "yes"),
            ("x or y", "yes"),
            ("x and y", "no"),
            ("y|length == 2", "yes"),
        ],
    )
    def test_the_value_counts(self, render, condition, output):
        def context():
            return {"x": self.value(0), "y": self.value([1, 2]), "items": [0]}

        stock = {"x": 0, "y": [1, 2], "items": [0]}
        # A short-circuited operand is mentioned and so may be awaited, or not.
        assert render(yes_no(condition) + "{{ x }}{{ y }}", context, stock=stock, waits=None) == (
            output + "0[1, 2]"
        )

    async def test_an_awaitable_that_raises_is_false_under_an_operator(self):
        async def fail():
            raise ValueError("from the awaitable")

        context = Context({"x": fail()})
        assert await arender_template(parse(yes_no("x == 1")), context) == "no"
        with pytest.raises(ValueError, match="from the awaitable"):
            await arender_template(parse(yes_no("x")), Context({"x": fail()}))


class TestWhatIsNeverSwallowed:
    """Where we differ on purpose: "this needs the database" is not false."""

    SOURCES = ["x == 1", "not x", "x or one", "1 in x", "x < 1"]

    @pytest.mark.parametrize("condition", SOURCES)
    def test_synchronous_only_operation_by_blocking(self, condition):
        x = Explosive(SynchronousOnlyOperation("no database here"))
        assert parse(yes_no(condition)).render(Context({"x": x, "one": 1})) == "no"
        with pytest.raises(RenderBlocked, match="met something that needs the database"):
            render_template(parse(yes_no(condition)), Context({"x": x, "one": 1}))

    @pytest.mark.parametrize("condition", SOURCES)
    async def test_on_the_loop_the_step_is_repeated_in_the_thread(self, condition):
        context = Context({"x": NeedsTheThread(), "one": 1})
        expected = "no" if condition == "not x" else "yes"
        assert await arender_template(parse(yes_no(condition)), context) == expected

    @pytest.mark.parametrize("operator", ["in", "not in"])
    @pytest.mark.parametrize("row", [[NeedsTheThread(), ["a"]], ["a", ["b", NeedsTheThread()]]])
    async def test_on_the_loop_a_search_in_a_loop_is_repeated_in_the_thread(self, operator, row):
        source = "{% for a, b in rows %}" + yes_no(f"a {operator} b") + "{% endfor %}"
        template, rows = parse(source), [row, ["a", ["b"]], row]
        expected = "yesnoyes" if operator == "in" else "noyesno"
        for _ in range(5):  # the first goes to the thread to be compiled
            assert await arender_template(template, Context({"rows": rows})) == expected


def test_a_condition_of_a_third_party(render):
    """A node of `smartif` that Django's parser does not make: the whole tag is foreign."""
    source = (
        "{% load conditions %}{% if_even number %}even {{ number }}{% else %}odd{% endif_even %}"
    )
    libraries = {"conditions": "tests.tags.conditions"}
    for number, output in ((2, "even 2"), (3, "odd")):
        assert render(source, {"number": number}, libraries=libraries, waits=1) == output


class EqualToAll(str):
    """A string that runs code of its own when it is compared."""

    __hash__ = str.__hash__

    def __eq__(self, other):
        return True


class FailsToCompare:
    __hash__ = None

    def __eq__(self, other):
        raise ValueError("in the comparison")


class Answers:
    """Gives something else than a bool when it is compared."""

    __hash__ = None

    def __init__(self, answer):
        self.answer = answer

    def __eq__(self, other):
        return self.answer


class Row:
    def __init__(self, **values):
        self.__dict__.update(values)


NEEDLES = ["a", safe("a"), "z", 1, 1.0, True, None, EqualToAll("q"), [1], Decimal("sNaN"), b"a"]
CONTAINERS = [
    *(["a", "b"], ("z",), {"a"}, frozenset({1}), {"a": 1}, {}, [], "abc", safe("cab"), b"abc"),
    *(5, None, 1.5, [EqualToAll("q"), "a"], ["b", EqualToAll("q")], [FailsToCompare(), "a"]),
    *(["a", FailsToCompare()], [[1]], {"a": 1}.keys(), range(3), [1, "a", None], [Answers("x")]),
    *([Decimal("sNaN"), 1], [float("nan")], HasLength(2), ["a"] * 60, ["b"] * 60),
]


@pytest.mark.parametrize("operator", ["in", "not in"])
def test_what_is_searched_in_a_loop(render, operator):
    condition, letter, letters = f"row.needle {operator} row.items", "'a'", "'abc'"
    source = (
        f"{{% for row in rows %}}{yes_no(condition)},{yes_no(f'not {condition}')},"
        f"{yes_no(f'{letter} {operator} row.items')},{yes_no(f'1 {operator} row.items')},"
        f"{yes_no(f'row.needle {operator} {letters}')};{{% endfor %}}"
    )
    rows = [Row(needle=needle, items=items) for needle in NEEDLES for items in CONTAINERS]
    output = render(source, {"rows": rows}, waits=None)
    assert output.count(";") == len(rows)
    assert {"yes", "no"} == set(output.replace(";", ",").split(",")) - {""}


@pytest.mark.parametrize("operator", ["==", "!=", "<", ">=", "is"])
def test_what_is_compared_in_a_loop(render, operator):
    letter = "'a'"
    source = (
        "{% for row in rows %}"
        f"{yes_no(f'row.a {operator} row.b')}{yes_no(f'not row.a {operator} row.b')}"
        f"{yes_no(f'row.a {operator} {letter}')}{yes_no(f'row.a {operator} 1 and row.b')}"
        "{% endfor %}"
    )
    values = [*NEEDLES, Answers([]), Answers("x"), Answers(None), FailsToCompare(), HasLength(0)]
    rows = [Row(a=a, b=b) for a in values for b in values]
    assert "yes" in render(source, {"rows": rows}, waits=None)


def test_the_truth_of_what_a_comparison_gave_may_raise(render):
    class Undecided:
        def __bool__(self):
            raise ZeroDivisionError("no truth")

    with pytest.raises(ZeroDivisionError, match="no truth"):
        render(
            "{% for x in rows %}" + yes_no("x == 1") + "{% endfor %}",
            {"rows": [Answers(Undecided())]},
        )


class TestNamesThatStayTheSame:
    """Their truth is found out once for a loop, if it cannot change."""

    VALUES = (
        "word",
        safe("word"),
        "",
        0,
        1,
        0.0,
        None,
        True,
        b"",
        [],
        [1],
        HasLength(0),
        "missing",
    )

    @pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)
    @pytest.mark.parametrize(
        "condition", ["x", "not x", "x and row", "row.y or x", "missing", "not missing", "not row"]
    )
    def test_a_name_of_the_context(self, render, value, condition):
        source = "{% for row in rows %}{{ row }}" + yes_no(condition) + "{% endfor %}"
        context = {"x": value, "rows": [1, 0]}
        render(source, {"rows": context["rows"]} if value == "missing" else context, waits=None)

    async def test_a_truth_of_its_own_is_asked_in_each_row(self):
        source = "{% for row in rows %}" + yes_no("x") + "{% endfor %}"
        x = CountsItsTruth(True)
        assert await arender_template(parse(source), Context({"x": x, "rows": "abc"}))
        assert x.asked == 3

    def test_a_list_that_is_filled_meanwhile(self, render):
        class Filling:
            def __init__(self):
                self.items = []

            def fill(self):
                self.items.append(1)
                return ""

        def context():
            filling = Filling()
            return {"items": filling.items, "rows": [filling, filling]}

        source = "{% for row in rows %}" + yes_no("items") + "{{ row.fill }}{% endfor %}"
        assert render(source, context, waits=None) == "noyes"

    def test_a_name_that_is_set_inside(self, render):
        source = (
            "{% for row in rows %}"
            + yes_no("x")
            + "{% cycle '' 'b' as x silent %}"
            + yes_no("x")
            + "{% with row as y %}"
            + yes_no("y")
            + "{% endwith %}{% endfor %}"
        )
        render(source, {"rows": [0, 1, 0]})
        render(source, {"x": "a", "rows": [0, 1, 0]})
