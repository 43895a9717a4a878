"""Paths that compiled code and `usual_paths` follow themselves, each beside what is unusual."""

import functools
import logging
from collections import OrderedDict, defaultdict

import pytest

from atemplates.runtime.usual_paths import is_plain_method
from tests.rendering import safe


class Plain:
    """Methods of many kinds, and attributes that are in the way."""

    slot_like = "class"

    def __init__(self, **values):
        self.__dict__.update(values)

    def name(self):
        return "<name>"

    def none(self):
        return None

    def rows(self):
        return ["a", "<b>"]

    def again(self):
        return self.name

    def refuses(self, argument):
        return argument

    def fails(self):
        raise TypeError("inside")

    def lacks(self):
        raise AttributeError("inside")

    def silent(self):
        error = ValueError("silent")
        error.silent_variable_failure = True
        raise error

    def changing(self):
        raise AssertionError("never called")

    changing.alters_data = True

    def uncalled(self):
        raise AssertionError("never called")

    uncalled.do_not_call_in_templates = True

    def allowed(self):
        return "allowed"

    allowed.alters_data = False
    allowed.other = 1

    @functools.wraps(name)
    def wrapped(self):
        return "wrapped"

    @classmethod
    def of_class(cls):
        return cls.__name__

    @staticmethod
    def static():
        return "static"

    partly = functools.partialmethod(refuses, "given")

    @property
    def prop(self):
        return "prop"

    @property
    def broken(self):
        raise AttributeError("inside")

    def __str__(self):
        return "<plain>"


class Slots:
    __slots__ = ("empty", "full")

    def __init__(self):
        self.full = "full"


class WithDir:
    def __dir__(self):
        return ["listed"]


class WithGetattr:
    def __getattr__(self, name):
        if name == "given":
            return "given"
        raise AttributeError(name)


class Listed(list):
    """A list of its own kind."""


def values():
    plain = Plain(
        name_in_dict="n",
        items=["x", "<y>"],
        d={"x": 1, "items": "own"},
        e={},
        deep=Plain(d={"a": ()}),
    )
    return {
        "objects": [plain, Plain(name="own", items=(), d={"y": plain}, e={"0": "key"}), Slots()],
        "odd": [WithDir(), WithGetattr(), Listed("ab"), OrderedDict(a=1), defaultdict(list, a=2)],
        "rows": [
            (1, "<b>"),
            ["a"],
            (),
            "text",
            safe("<s>"),
            {0: "zero", "1": "one"},
            None,
            5,
            b"xy",
        ],
    }


BITS = [
    *("name", "none", "rows", "rows.1", "rows.5", "again", "refuses", "changing", "uncalled"),
    *("allowed", "wrapped", "of_class", "static", "partly", "prop", "slot_like", "missing", "x.y"),
    *("items.0", "items.1", "items.7", "items.missing", "items.0.0", "d.x", "d.items", "d.keys"),
    *(
        "d.values",
        "d.get",
        "d.update",
        "d.zz",
        "d.clear",
        "e.items",
        "e.0",
        "deep.d.a",
        "deep.name",
    ),
    *("name_in_dict", "full", "empty", "name.0", "rows.0.0", "d.y.name", "d.items.0", "silent"),
    *("listed", "given", "a", "0", "1", "append", "count", "index", "00", "1_0"),
]


# ``dir()`` has the name, but there is no such attribute.
RAISING = {("empty", "objects"), ("listed", "odd")}


@pytest.mark.parametrize("rows", ["objects", "odd", "rows"])
def test_paths_in_loops_and_outside(render, rows):
    bits = [each for each in BITS if (each, rows) not in RAISING]
    printed = "".join(
        f"{each}[{{{{ row.{each} }}}}{{% if row.{each} %}}+{{% endif %}}"
        f"{{{{ row.{each}|default:'d' }}}}]"
        for each in bits
    )
    render(f"{{% for row in {rows} %}}{printed}{{% endfor %}}", values, waits=None)
    outside = "".join(f"{{{{ {rows}.{number}.{each} }}}}" for number in range(5) for each in bits)
    render(outside, values, waits=None)


@pytest.mark.parametrize("bits", ["rows", "items", "d.items", "d.keys", "d.values", "e.items", "0"])
def test_paths_of_loops(render, bits):
    source = f"{{% for row in objects %}}{{% for x in row.{bits} %}}{{{{ x }}}},{{% endfor %}}{{% endfor %}}"
    assert render.outcome(source, values, waits=None)


@pytest.mark.parametrize("rows", [[1], (1,), "ab", {"a": [1]}])
def test_a_position_of_more_digits_than_python_reads(render, rows):
    bit = "9" * 5000
    source = (
        f"{{{{ x.{bit} }}}}{{% for y in ys %}}{{{{ y.{bit} }}}}{{{{ y.a.{bit} }}}}-{{% endfor %}}"
    )
    assert render(source, {"x": rows, "ys": [rows, rows]}) == "--"


@pytest.mark.parametrize("bits", ["fails", "lacks", "broken", "fails.name", "empty", "listed"])
def test_what_raises(render, bits):
    rows = "odd" if bits == "listed" else "objects"
    source = f"{{% for row in {rows} %}}{{{{ row.{bits} }}}}{{% endfor %}}"
    assert render.outcome(source, values, waits=None).error is not None


@pytest.mark.parametrize("source", ["{{ row.missing }}", "{{ missing }}", "{{ row.e.zz }}"])
@pytest.mark.parametrize("level", [logging.DEBUG, logging.INFO])
def test_missing_ones_are_logged_where_somebody_listens(render, caplog, source, level):
    caplog.set_level(level, "django.template")
    render(f"{{% for row in objects %}}{source}{{% endfor %}}", {"objects": [Plain(e={})]})
    messages = {record.getMessage() for record in caplog.records}
    assert bool(messages) is (level == logging.DEBUG)
    assert all("Exception while resolving variable" in message for message in messages)
    assert all(record.exc_info and record.exc_info[0] for record in caplog.records)


def test_which_methods_are_plain():
    plain = Plain()
    found = {name for name in dir(Plain) if name[0] != "_" and name not in ("prop", "broken")}
    usual = {name for name in found if is_plain_method(getattr(plain, name))}
    assert usual == {
        *("name", "none", "rows", "again", "refuses", "fails", "lacks", "silent", "wrapped"),
        "of_class",
    }


def test_methods_are_called_once(render):
    class Counting:
        def __init__(self):
            self.calls = 0

        def count(self):
            self.calls += 1
            return self.calls

    source = "{% for row in rows %}{{ row.count }}{{ row.count }}{% endfor %}"
    assert render(source, lambda: {"rows": [Counting(), Counting()]}, waits=None) == "1212"


def test_methods_that_give_what_is_to_be_awaited(render):
    class Giving:
        async def later(self):
            return {"x": "<later>"}

    class Given:
        def later(self):
            return {"x": "<later>"}

    source = "{% for row in rows %}{{ row.later.x }}{% endfor %}"
    stock = {"rows": [Given()]}
    assert render(source, {"rows": [Giving()]}, stock=stock, waits=None) == "&lt;later&gt;"


class TestAttributesThatFail:
    """In loops: what stands in their place is the end of the path, whatever its type is."""

    class Row:
        value = "value"

        @property
        def silent(self):
            error = ValueError("silent")
            error.silent_variable_failure = True
            raise error

        def __getattr__(self, name):
            if name == "other":
                return type(self)()
            raise AttributeError(name)

    @pytest.mark.parametrize("path", ["silent", "missing", "other.silent", "other.missing"])
    @pytest.mark.parametrize(
        "shown",
        [
            "{{ PATH }}",
            "{{ PATH|default:'none' }}",
            "{{ PATH|upper }}",
            "{% if PATH %}yes{% else %}no{% endif %}",
            "{% if PATH == None %}yes{% endif %}",
            "{{ PATH.more }}",
            "{% with x=PATH %}{{ x }}{% endwith %}",
        ],
    )
    def test_what_is_shown(self, render, path, shown):
        source = "{% for row in rows %}" + shown.replace("PATH", f"row.{path}") + "{% endfor %}"
        render(source, lambda: {"rows": [self.Row(), Plain(), {}, None]}, waits=None)
