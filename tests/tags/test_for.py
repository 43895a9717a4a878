"""``{% for %}``: sources, ``forloop``, unpacking, scopes."""

from collections import OrderedDict, UserDict, UserList, deque

import django
import pytest
from django.template import Context

from atemplates.engines.django import arender_template, render_template
from tests.rendering import parse

LETTERS = {"letters": ["a", "b", "c"]}


def numbers(count):
    yield from range(count)


class Countable:
    """Has a length, and rows by index only."""

    def __init__(self, rows):
        self.rows = rows

    def __len__(self):
        return len(self.rows)

    def __getitem__(self, index):
        return self.rows[index]


class Iterable:
    """Has no length."""

    def __init__(self, rows):
        self.rows = rows

    def __iter__(self):
        return iter(self.rows)


class Liar(Iterable):
    """Says another length than it has rows."""

    def __init__(self, rows, length):
        super().__init__(rows)
        self.length = length

    def __len__(self):
        return self.length


class Backwards(Liar):
    def __reversed__(self):
        return iter(["its", "own"])


class TestSources:
    @pytest.mark.parametrize("loop", ["d.make", "d.make reversed", "d.rows", "d.rows reversed"])
    @pytest.mark.parametrize("count", [0, 1, 3])
    def test_what_a_method_makes_is_looped_over_in_a_loop(self, render, loop, count):
        """The oracle is stock; what is made is gone through once in each row."""

        class Maker:
            def make(self):
                yield from numbers(count)

            def rows(self):
                return Liar(list(range(count)), count)

            def __str__(self):
                return "made"

        source = (
            f"{{% for d in makers %}}{{% for x in {loop} %}}{{{{ x }}}}{{{{ forloop.revcounter }}}}"
            "{% empty %}-{% endfor %}{{ d }},{% endfor %}"
        )
        if loop == "d.rows reversed" and count:
            source = source.replace(" reversed", "")
        waits = 2 if "make" in loop else 0
        output = render(source, lambda: {"makers": [Maker(), Maker()]}, waits=waits)
        assert output.count(",") == 2

    def test_a_generator_that_fails_in_the_midst(self, render):
        def failing():
            yield 1
            raise KeyError("midst")

        source = "{% for y in 'ab' %}{% for x in make %}{{ x }}{% endfor %}{% endfor %}"
        with pytest.raises(KeyError, match="midst"):
            render(source, {"make": failing})

    @pytest.mark.parametrize(
        ("rows", "output"),
        [
            ([1, 2], "1,2,"),
            ((1, 2), "1,2,"),
            ("ab", "a,b,"),
            ("", "empty"),
            ([], "empty"),
            (None, "empty"),
            ({}, "empty"),
            ({"a": 1, "b": 2}, "a,b,"),
            ({"a": 1}.items(), "(&#x27;a&#x27;, 1),"),
            ({"a": 1}.values(), "1,"),
            ({1}, "1,"),
            (frozenset({1}), "1,"),
            (range(3), "0,1,2,"),
            (range(0), "empty"),
            (b"ab", "97,98,"),
            (deque([1, 2]), "1,2,"),
            (OrderedDict(a=1), "a,"),
            (UserList([1, 2]), "1,2,"),
            (UserDict(a=1), "a,"),
            (Countable("xy"), "x,y,"),
            (Countable(""), "empty"),
            (Iterable("xy"), "x,y,"),
            (Iterable(""), "empty"),
            (Liar("xyz", 0), "empty"),
            (Liar("xyz", 5), "x,y,z,"),
            (Liar("xyz", 1), "x,y,z,"),
            (memoryview(b"ab"), "97,98,"),
        ],
        ids=lambda value: type(value).__name__,
    )
    def test_rows(self, render, rows, output):
        source = "{% for x in rows %}{{ x }},{% empty %}empty{% endfor %}"
        assert render(source, {"rows": rows}) == output

    @pytest.mark.parametrize(
        ("make", "output"),
        [
            (lambda: numbers(3), "0,1,2,"),
            (lambda: numbers(0), "empty"),
            (lambda: iter([1, 2]), "1,2,"),
            (lambda: map(str.upper, "ab"), "A,B,"),
            (
                lambda: zip("ab", "cd", strict=True),
                "(&#x27;a&#x27;, &#x27;c&#x27;),(&#x27;b&#x27;, &#x27;d&#x27;),",
            ),
        ],
        ids=["generator", "no rows", "iterator", "map", "zip"],
    )
    def test_what_can_be_gone_through_once(self, render, make, output):
        source = "{% for x in rows %}{{ x }},{% empty %}empty{% endfor %}"
        # On the loop it is read in the request's thread: it may query half-way.
        assert render(source, lambda: {"rows": make()}, waits=1) == output

    @pytest.mark.parametrize("rows", [5, 1.5, True, object()])
    def test_what_cannot_be_iterated(self, render, rows):
        with pytest.raises(TypeError, match="object is not iterable"):
            render("{% for x in rows %}{{ x }}{% endfor %}", {"rows": rows})

    def test_a_name_that_does_not_exist(self, render):
        assert render("{% for x in missing %}x{% empty %}empty{% endfor %}") == "empty"
        assert render("{% for x in missing.a.b %}x{% endfor %}|") == "|"

    def test_a_callable(self, render):
        context = {"rows": lambda: [1, 2], "d": {"rows": lambda: "ab"}}
        assert render("{% for x in rows %}{{ x }}{% endfor %}", context) == "12"
        assert render("{% for x in d.rows %}{{ x }}{% endfor %}", context) == "ab"

    def test_a_filter(self, render):
        assert render("{% for x in letters|slice:':2' %}{{ x }}{% endfor %}", LETTERS) == "ab"
        assert render("{% for x in 'text'|make_list %}{{ x }}.{% endfor %}") == "t.e.x.t."

    def test_a_filter_whose_argument_does_not_exist(self, render):
        outcome = render.outcome("{% for x in letters|slice:n %}{{ x }}{% endfor %}", LETTERS)
        assert type(outcome.error).__name__ == "VariableDoesNotExist"

    def test_literals(self, render):
        assert render("{% for x in 'ab' %}{{ x }},{% endfor %}") == "a,b,"

    def test_a_source_that_raises_half_way(self, render):
        def rows():
            yield 1
            raise ZeroDivisionError("half-way")

        with pytest.raises(ZeroDivisionError, match="half-way"):
            render("{% for x in rows %}{{ x }}{% endfor %}", lambda: {"rows": rows()})

    def test_a_length_that_raises(self, render):
        class Broken(list):
            def __len__(self):
                raise ZeroDivisionError("in the length")

        with pytest.raises(ZeroDivisionError, match="in the length"):
            render("{% for x in rows %}{{ x }}{% endfor %}", {"rows": Broken()})


class TestReversed:
    @pytest.mark.parametrize(
        ("rows", "output"),
        [
            ([1, 2, 3], "3,2,1,"),
            ("abc", "c,b,a,"),
            ({"a": 1, "b": 2}, "b,a,"),
            ([], "empty"),
            (Countable("xy"), "y,x,"),
            (Backwards("xyz", 2), "its,own,"),
            (range(3), "2,1,0,"),
        ],
        ids=lambda value: type(value).__name__,
    )
    def test_rows(self, render, rows, output):
        source = "{% for x in rows reversed %}{{ x }},{% empty %}empty{% endfor %}"
        assert render(source, {"rows": rows}) == output

    def test_a_generator(self, render):
        source = "{% for x in rows reversed %}{{ x }}{{ forloop.counter }},{% endfor %}"
        assert render(source, lambda: {"rows": numbers(3)}, waits=1) == "21,12,03,"

    @pytest.mark.parametrize("rows", [{1, 2}, Liar("xyz", 3)], ids=["set", "no __reversed__"])
    def test_what_cannot_be_reversed(self, render, rows):
        with pytest.raises(TypeError, match="object is not reversible"):
            render("{% for x in rows reversed %}{{ x }}{% endfor %}", {"rows": rows})


class TestForloop:
    @pytest.mark.parametrize(
        ("name", "output"),
        [
            ("counter", "1,2,3,"),
            ("counter0", "0,1,2,"),
            ("revcounter", "3,2,1,"),
            ("revcounter0", "2,1,0,"),
            ("first", "True,False,False,"),
            ("last", "False,False,True,"),
            ("length", "3,3,3," if django.VERSION >= (6, 0) else ",,,"),
            ("nothing", ",,,"),
            ("counter.real", "1,2,3,"),
            ("counter|add:10", "11,12,13,"),
            ("first|yesno:'a,b'", "a,b,b,"),
            ("parentloop", "{},{},{},"),
            ("parentloop.counter", ",,,"),
            ("parentloop.parentloop.counter", ",,,"),
        ],
    )
    def test_values(self, render, name, output):
        source = f"{{% for x in letters %}}{{{{ forloop.{name} }}}},{{% endfor %}}"
        assert render(source, LETTERS) == output

    def test_in_conditions(self, render):
        source = (
            "{% for x in letters %}{% if forloop.first %}<{% endif %}{{ x }}"
            "{% if not forloop.last %},{% else %}>{% endif %}"
            "{% if forloop.counter == 2 %}!{% endif %}{% endfor %}"
        )
        assert render(source, LETTERS) == "<a,b,!c>"

    def test_of_a_source_that_lies_about_its_length(self, render):
        source = "{% for x in rows %}{{ x }}{{ forloop.revcounter }}{{ forloop.last }} {% endfor %}"
        context = {"rows": Liar("xyz", 2)}
        assert render(source, context) == "x2False y1True z0False "

    def test_printed_whole(self, render):
        html = render("{% for x in 'ab' %}{{ forloop }};{% endfor %}", autoescape=False)
        length = "'length': 2, " if django.VERSION >= (6, 0) else ""
        first = f"{{'parentloop': {{}}, {length}'counter0': 0, 'counter': 1, 'revcounter': 2, "
        assert html.startswith(first + "'revcounter0': 1, 'first': True, 'last': False};")

    def test_as_a_value(self, render):
        source = (
            "{% for x in letters %}{% with f=forloop %}{{ f.counter }}{% endwith %}"
            "{% for key, value in forloop.items %}{% if key == 'last' %}{{ value }}{% endif %}"
            "{% endfor %} {% endfor %}"
        )
        assert render(source, LETTERS) == "1False 2False 3True "

    def test_parents(self, render):
        source = (
            "{% for x in letters %}{% for y in 'pq' %}{% for z in 'z' %}"
            "{{ forloop.parentloop.parentloop.counter }}{{ forloop.parentloop.counter0 }}"
            "{{ forloop.counter }}{{ forloop.parentloop.last }} "
            "{% endfor %}{% endfor %}{% endfor %}"
        )
        assert render(source, LETTERS) == ("101False 111True 201False 211True 301False 311True ")

    def test_the_parent_of_a_loop_in_an_include(self, render):
        inner = (
            "{% for y in 'pq' %}{{ forloop.parentloop.counter }}{{ forloop.counter }} {% endfor %}"
        )
        assert (
            render(
                "{% for x in letters %}{% include 'inner' %}{% endfor %}",
                LETTERS,
                templates={"inner": inner},
            )
            == "11 12 21 22 31 32 "
        )

    def test_after_an_inner_loop_the_outer_is_back(self, render):
        source = (
            "{% for x in letters %}{% for y in 'pq' %}{{ forloop.counter }}{% endfor %}"
            "-{{ forloop.counter }} {% endfor %}{{ forloop.counter }}"
        )
        assert render(source, LETTERS) == "12-1 12-2 12-3 "

    def test_in_empty_it_is_the_outer_loops(self, render):
        source = (
            "{% for x in letters %}{% for y in none %}{% empty %}{{ forloop.counter }}"
            "{{ forloop.parentloop }}{% endfor %}{% endfor %}"
        )
        assert render(source, LETTERS) == "1{}2{}3{}"

    def test_a_value_of_the_context_called_forloop(self, render):
        context = {"forloop": {"counter": "mine"}, **LETTERS}
        source = (
            "{{ forloop.counter }}{% for x in letters %}{{ forloop.parentloop.counter }}"
            "{{ forloop.counter }}{% endfor %}{{ forloop.counter }}"
        )
        assert render(source, context) == "minemine1mine2mine3mine"

    def test_as_a_loop_variable(self, render):
        source = (
            "{% for forloop in letters %}{{ forloop }}{{ forloop.counter }}"
            "{% for x in 'p' %}{{ forloop.parentloop }}{{ forloop.counter }}"
            "{% endfor %},{% endfor %}"
        )
        assert render(source, LETTERS) == "aa1,bb1,cc1,"

    def test_as_one_of_two_loop_variables(self, render):
        source = (
            "{% for forloop, x in pairs %}{{ forloop }}{{ x }}{{ forloop.counter }},{% endfor %}"
        )
        assert render(source, {"pairs": [(1, 2), (3, 4)]}) == "12,34,"

    def test_shadowed_by_with(self, render):
        source = (
            "{% for x in letters %}{% with forloop='mine' %}{{ forloop }}{{ forloop.counter }}"
            "{% endwith %}{{ forloop.counter }}{% endfor %}"
        )
        assert render(source, LETTERS) == "mine1mine2mine3"

    def test_set_by_a_tag(self, render):
        source = (
            "{% for x in letters %}{{ forloop.counter }}"
            "{% firstof 'mine' as forloop %}{{ forloop }}{% endfor %}"
        )
        assert render(source, LETTERS) == "1minemine" + "mine"


class TestUnpacking:
    @pytest.mark.parametrize(
        ("rows", "output"),
        [
            ([(1, 2), (3, 4)], "1-2,3-4,"),
            ([[1, 2]], "1-2,"),
            (["ab"], "a-b,"),
            ({"k": "v"}.items(), "k-v,"),
            ([{"x": 1, "y": 2}], "x-y,"),
            ([Countable([1, 2])], "1-2,"),
            ([Liar("xyz", 2)], "x-y,"),
            ([OrderedDict(a=1, b=2)], "a-b,"),
            ([], ""),
        ],
        ids=range(9),
    )
    def test_two(self, render, rows, output):
        source = "{% for a, b in rows %}{{ a }}-{{ b }},{% endfor %}"
        assert render(source, {"rows": rows}) == output

    @pytest.mark.parametrize("names", ["a,b", "a, b", "a ,b", "a , b"])
    def test_spaces(self, render, names):
        source = f"{{% for {names} in rows %}}{{{{ a }}}}{{{{ b }}}}{{% endfor %}}"
        assert render(source, {"rows": [(1, 2)]}) == "12"

    def test_three(self, render):
        source = "{% for a, b, c in rows reversed %}{{ c }}{{ b }}{{ a }};{% endfor %}"
        assert render(source, {"rows": [(1, 2, 3), (4, 5, 6)]}) == "654;321;"

    def test_the_same_name_twice(self, render):
        assert render("{% for a, a in rows %}{{ a }}{% endfor %}", {"rows": [(1, 2)]}) == "2"

    def test_a_list_per_row_without_unpacking(self, render):
        assert (
            render("{% for a in rows %}{{ a.1 }}{% endfor %}", {"rows": [(1, 2), (3, 4)]}) == "24"
        )

    @pytest.mark.parametrize(
        ("row", "length"),
        [((1, 2, 3), 3), ((1,), 1), ("", 0), (5, 1), (None, 1), ("abc", 3), (object(), 1)],
        ids=lambda value: type(value).__name__,
    )
    def test_rows_of_another_length(self, render, row, length):
        message = f"Need 2 values to unpack in for loop; got {length}. "
        with pytest.raises(ValueError, match=message):
            render("{% for a, b in rows %}{{ a }}{% endfor %}", {"rows": [(1, 2), row]})

    def test_values_that_are_called(self, render):
        source = "{% for a, b in rows %}{{ a }}{{ b.x }}{% endfor %}"
        assert render(source, {"rows": [(lambda: 1, {"x": lambda: 2})]}) == "12"


class TestScopes:
    def test_loop_variables_end_with_the_loop(self, render):
        source = "{{ x }}{% for x in letters %}{{ x }}{% endfor %}{{ x }}"
        assert render(source, {"x": "-", **LETTERS}) == "-abc-"
        assert render(source, LETTERS) == "abc"

    def test_an_inner_loop_shadows(self, render):
        source = "{% for x in letters %}{% for x in 'pq' %}{{ x }}{% endfor %}{{ x }}{% endfor %}"
        assert render(source, LETTERS) == "pqapqbpqc"

    def test_a_loop_over_its_own_variable(self, render):
        source = (
            "{% for x in x %}{{ x }}{% for x in x %}({{ x }}){% endfor %}{% endfor %}{{ x|length }}"
        )
        assert render(source, {"x": ["ab", "c"]}) == "ab(a)(b)c(c)2"

    def test_what_a_tag_sets_stays_for_the_next_row(self, render):
        source = "{% for x in letters %}[{{ v }}]{% firstof x as v %}{{ v }}{% endfor %}{{ v }}"
        assert render(source, LETTERS) == "[]a[a]b[b]c"

    def test_but_not_when_rows_are_unpacked(self, render):
        source = "{% for a, b in rows %}[{{ v }}]{% firstof a as v %}{{ v }}{% endfor %}{{ v }}"
        assert render(source, {"rows": [(1, 2), (3, 4)]}) == "[]1[]3"

    def test_nor_does_it_hide_an_outer_value_then(self, render):
        source = "{% for a, b in rows %}[{{ v }}]{% firstof a as v %}{{ v }}{% endfor %}{{ v }}"
        assert render(source, {"v": "o", "rows": [(1, 2), (3, 4)]}) == "[o]1[o]3o"

    def test_a_tag_sets_the_loop_variable(self, render):
        source = "{% for x in letters %}{{ x }}{% firstof 'new' as x %}{{ x }},{% endfor %}"
        assert render(source, LETTERS) == "anew,bnew,cnew,"
        source = "{% for x, y in rows %}{{ x }}{% firstof 'new' as x %}{{ x }},{% endfor %}"
        assert render(source, {"rows": ["ab", "cd"]}) == "anew,cnew,"

    def test_a_value_set_before_the_loop_and_in_it(self, render):
        source = (
            "{% firstof 'outer' as v %}{% for x in letters %}{{ v }}{% if forloop.first %}"
            "{% firstof 'inner' as v %}{% endif %}{% endfor %}{{ v }}"
        )
        assert render(source, LETTERS) == "outerinnerinnerouter"

    def test_in_empty_what_a_tag_sets_ends_with_the_loop(self, render):
        source = "{% for x in none %}{% empty %}{% firstof 'v' as v %}{{ v }}{% endfor %}[{{ v }}]"
        assert render(source) == "v[]"

    def test_cycle_sets_the_nearest_value_of_that_name(self, render):
        """``set_upward`` reaches out of frames: a loop may see a name change."""
        source = (
            "{% for c in letters %}{{ c }}{% with a=1 %}"
            "{% cycle 'x' 'y' as c silent %}{% endwith %}"
            "{{ c }} {% endfor %}"
        )
        assert render(source, LETTERS) == "ax by cx "

    def test_cycle_in_an_inner_frame_changes_an_outer_value(self, render):
        source = (
            "{% for l in letters %}{{ c }}{% with a=1 %}"
            "{% cycle 'x' 'y' as c silent %}{% endwith %}"
            "{{ c }} {% endfor %}{{ c }}"
        )
        assert render(source, {"c": "-", **LETTERS}) == "-x xy yx x"

    def test_cycle_in_an_inner_loop_changes_an_outer_value(self, render):
        source = (
            "{% for l in letters %}{% for m in 'pq' %}"
            "{% cycle 'x' 'y' 'z' as c silent %}{% endfor %}"
            "{{ c }} {% endfor %}{{ c }}"
        )
        assert render(source, {"c": "-", **LETTERS}) == "y x z z"

    def test_cycle_in_an_include_changes_an_outer_value(self, render):
        source = "{% for c in letters %}{% include 'part' %}{{ c }}{% endfor %}"
        templates = {"part": "{% cycle 'x' 'y' as c silent %}"}
        assert render(source, LETTERS, templates=templates) == "xxx"
        source = "{% for l in letters %}{{ c }}{% include 'part' %}{{ c }} {% endfor %}"
        assert render(source, {"c": "-", **LETTERS}, templates=templates) == "-x xx xx "

    def test_cycle_in_a_block_changes_an_outer_value(self, render):
        source = (
            "{% extends 'base' %}{% block b %}{% cycle 'x' 'y' as c silent %}{{ l }}{% endblock %}"
        )
        templates = {
            "base": "{% for l in letters %}{{ c }}{% block b %}{% endblock %}{{ c }} {% endfor %}"
        }
        assert render(source, {"c": "-", **LETTERS}, templates=templates) == "-ax xby ycx "

    def test_an_included_template_sees_the_loop(self, render):
        source = "{% for x in letters %}{% with y=x %}{% include 'part' %}{% endwith %}{% endfor %}"
        templates = {"part": "{{ x }}{{ y }}{{ forloop.counter }} "}
        assert render(source, LETTERS, templates=templates) == "aa1 bb2 cc3 "

    def test_names_are_looked_up_once_but_called_for_each_row(self, render):
        calls = []

        def context():
            calls.clear()
            return {"call": lambda: calls.append(1) or len(calls), **LETTERS}

        assert render("{% for x in letters %}{{ call }}{% endfor %}", context) == "123"

    def test_a_missing_name_in_a_loop(self, render):
        assert render(
            "{% for x in letters %}{{ nothing }}{{ x.nothing }}-{% endfor %}", LETTERS
        ) == ("---")


class TestPaths:
    """Attributes of plain objects and keys of dicts have fast code in loops."""

    class Book:
        shared = "class"

        def __init__(self, **values):
            self.__dict__.update(values)

        @property
        def broken(self):
            raise ZeroDivisionError("in a property")

        @property
        def without(self):
            return self.not_there

        def method(self):
            return "called"

        def with_argument(self, argument):
            return argument

    @pytest.mark.parametrize(
        ("path", "output"),
        [
            ("title", "T&amp;"),
            ("shared", "class"),
            ("author.name", "A"),
            ("author.first.letter", "L"),
            ("author.first.letter.lower", "l"),
            ("method", "called"),
            ("method.upper", "CALLED"),
            ("with_argument", ""),
            ("nothing", ""),
            ("author.nothing", ""),
            ("nothing.at.all", ""),
            ("tags.0", "t"),
            ("tags.7", ""),
            ("d.key", "v"),
            ("d.items", "dict_items([(&#x27;key&#x27;, &#x27;v&#x27;)])"),
            ("d.nothing", ""),
            ("none", "None"),
            ("none.more", ""),
            ("number.real", "5"),
            ("callable.x", "y"),
        ],
    )
    def test_values(self, render, path, output):
        book = self.Book(
            title="T&",
            author=self.Book(name="A", first={"letter": "L"}),
            tags=["t"],
            d={"key": "v"},
            none=None,
            number=5,
            callable=lambda: {"x": "y"},
        )
        source = f"{{% for book in books %}}{{{{ book.{path} }}}},{{% endfor %}}"
        assert render(source, {"books": [book, book]}) == f"{output},{output},"

    @pytest.mark.parametrize(
        ("path", "error"),
        [
            ("broken", ZeroDivisionError),
            ("broken.more", ZeroDivisionError),
            ("without", AttributeError),
            ("author.without", AttributeError),
        ],
    )
    def test_a_property_that_raises(self, render, path, error):
        book = self.Book(author=self.Book())
        with pytest.raises(error):
            render(f"{{% for b in books %}}{{{{ b.{path} }}}}{{% endfor %}}", {"books": [book]})

    def test_rows_of_many_types(self, render):
        rows = [self.Book(x=1), {"x": 2}, {"y": 0}, "text", 5, None, [], (1, 2), object]
        source = "{% for row in rows %}{{ row.x }}{{ row.x.y.z }},{% endfor %}"
        assert render(source, {"rows": rows}) == "1,2,,,,,,,,"

    @pytest.mark.parametrize(
        "bit", ["class", "if", "None", "True", "for", "import", "async", "mro"]
    )
    def test_names_that_are_keywords(self, render, bit):
        rows = [{bit: "key"}, self.Book(**{bit: "attribute"})]
        source = f"{{% for row in rows %}}{{{{ row.{bit} }}}},{{{{ row.{bit}.x }}}}{{% endfor %}}"
        assert render(source, {"rows": rows}) == "key,attribute,"


class TestDeep:
    def test_loops_in_loops(self, render):
        depth = 12
        names = [f"x{n}" for n in range(depth)]
        source = "".join(f"{{% for {name} in 'a' %}}" for name in names)
        source += "{{ x0 }}{{ x11 }}{{ forloop.parentloop.parentloop.counter }}"
        source += "{% endfor %}" * depth
        assert render(source) == "aa1"

    def test_more_blocks_than_python_nests(self, render):
        """CPython allows 20 blocks in each other and 100 levels of indentation."""
        depth = 25
        source = "{% for x in 'a' %}{% if x %}" * depth
        source += "{{ x }}{{ forloop.parentloop.counter }}{% cycle 'p' 'q' %}"
        source += "{% include 'part' %}{% filter upper|add:var %}x{% endfilter %}"
        source += "{% endif %}{% ifchanged %}{{ y }}{% endifchanged %}{% endfor %}" * depth
        assert render(source, {"y": "y"}, templates={"part": "{{ forloop.counter }}"}) == (
            "a1p1Xx" + "y" * depth
        )

    def test_a_failure_deep_inside(self, render):
        depth = 25
        source = "\n{% for x in 'a' %}" * depth + "\n{{ y.broken }}" + "{% endfor %}" * depth

        class Broken:
            @property
            def broken(self):
                raise ZeroDivisionError("deep inside")

        with pytest.raises(ZeroDivisionError, match="deep inside"):
            render(source, {"y": Broken()})


class TestAwaitables:
    async def value(self, value):
        return value

    def test_a_source(self, render):
        source = "{% for x in rows %}{{ x }}{{ forloop.revcounter }}{% endfor %}"
        context = lambda: {"rows": self.value([1, 2])}  # noqa: E731
        assert render(source, context, stock={"rows": [1, 2]}, waits=1) == "1221"

    def test_rows(self, render):
        source = "{% for x in rows %}{{ x }}{{ x.upper }}{% if x %}!{% endif %}{% endfor %}"
        context = lambda: {"rows": [self.value("a"), self.value("b")]}  # noqa: E731
        # Each is awaited once, although it is used three times.
        assert render(source, context, stock={"rows": ["a", "b"]}, waits=2) == "aA!bB!"

    def test_async_methods_of_rows(self, render):
        class Row:
            async def name(self):
                return {"first": "<F>"}

        class Stock:
            name = {"first": "<F>"}

        source = "{% for x in rows %}{{ x.name.first }}{% endfor %}"
        context = lambda: {"rows": [Row(), Row()]}  # noqa: E731
        assert render(source, context, stock={"rows": [Stock()] * 2}, waits=2) == "&lt;F&gt;" * 2

    async def test_an_async_iterable(self):
        class Rows:
            async def __aiter__(self):
                for number in (1, 2):
                    yield number

        source = "{% for x in rows %}{{ x }}{{ forloop.last }}{% endfor %}"
        template = parse(source)
        assert await arender_template(template, Context({"rows": Rows()})) == "1False2True"

    def test_an_async_iterable_by_blocking(self):
        class Rows:
            async def __aiter__(self):
                for number in (1, 2):
                    yield number

        template = parse("{% for x in rows %}{{ x }}{{ forloop.last }}{% endfor %}")
        assert render_template(template, Context({"rows": Rows()})) == "1False2True"
