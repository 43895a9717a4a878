"""``{% regroup %}``."""

import pytest

SHOW = (
    "{% for group in groups %}{{ group.grouper }}:"
    "{% for row in group.list %}{{ row.name }}{% endfor %},{% endfor %}"
)
ROWS = [
    {"name": "a", "kind": "x", "d": {"k": 1}},
    {"name": "b", "kind": "x", "d": {"k": 1}},
    {"name": "c", "kind": "y", "d": {"k": 1}},
    {"name": "d", "kind": "x", "d": {"k": 2}},
]


@pytest.mark.parametrize(
    ("source", "output"),
    [
        ("{% regroup rows by kind as groups %}" + SHOW, "x:ab,y:c,x:d,"),
        ("{% regroup rows by d.k as groups %}" + SHOW, "1:abc,2:d,"),
        ("{% regroup rows by kind|upper as groups %}" + SHOW, "X:ab,Y:c,X:d,"),
        ("{% regroup rows|dictsort:'kind' by kind as groups %}" + SHOW, "x:abd,y:c,"),
        ("{% regroup rows by nothing as groups %}" + SHOW, "None:abcd,"),
        ("{% regroup missing by kind as groups %}[" + SHOW + "]{{ groups }}", "[][]"),
        ("{% regroup none by kind as groups %}{{ groups }}", "[]"),
        (
            "{% regroup 'abb' by upper as groups %}{% for g in groups %}{{ g.grouper }}"
            "{{ g.list|length }}{% endfor %}",
            "A1B2",
        ),
        (
            "{% regroup rows by kind as groups %}{% for kind, list in groups %}{{ kind }}"
            "{{ list|length }}{% endfor %}",
            "x2y1x1",
        ),
        (
            "{% regroup rows by kind as groups %}{{ groups.0.grouper }}{{ groups.1.list.0.name }}",
            "xc",
        ),
        ("{% regroup rows by kind as rows %}{{ rows.0.grouper }}", "x"),
        (
            "{% with a=1 %}{% regroup rows by kind as groups %}{{ groups|length }}{% endwith %}"
            "[{{ groups }}]",
            "3[]",
        ),
        (
            "{% for x in 'pq' %}{% regroup rows by kind as groups %}{{ x }}"
            + SHOW
            + "{% endfor %}",
            "px:ab,y:c,x:d,qx:ab,y:c,x:d,",
        ),
    ],
)
def test_regroup(render, source, output):
    assert render(source, {"rows": ROWS}) == output


def test_groups_are_named_tuples(render):
    source = "{% regroup rows by kind as groups %}{{ groups.0 }}"
    assert render(source, {"rows": [{"kind": 1}]}, autoescape=False) == (
        "GroupedResult(grouper=1, list=[{'kind': 1}])"
    )


def test_a_generator(render):
    source = "{% regroup rows by kind as groups %}" + SHOW
    assert render(source, lambda: {"rows": iter(ROWS)}, waits=1) == "x:ab,y:c,x:d,"


def test_what_cannot_be_iterated(render):
    with pytest.raises(TypeError, match="'int' object is not iterable"):
        render("{% regroup rows by kind as groups %}", {"rows": 5})


def test_a_source_that_lies_about_its_length(render):
    class Liar(list):
        def __len__(self):
            return 0

    source = "{% regroup rows by kind as groups %}" + SHOW
    assert render(source, {"rows": Liar(ROWS)}) == "x:ab,y:c,x:d,"


def test_keys_that_are_the_same_object_belong_together(render):
    """As in ``itertools.groupby``: identity counts before equality."""
    nan = float("nan")
    source = "{% regroup rows by n as groups %}{{ groups|length }}"
    assert render(source, {"rows": [{"n": nan}, {"n": nan}]}) == "1"
    assert render(source, {"rows": [{"n": float("nan")}, {"n": float("nan")}]}) == "2"


def test_a_key_that_raises(render):
    class Row:
        @property
        def kind(self):
            raise ZeroDivisionError("in a key")

    with pytest.raises(ZeroDivisionError, match="in a key"):
        render("{% regroup rows by kind as groups %}", {"rows": [Row()]})


def test_awaitables(render):
    async def value(result):
        return result

    class Row:
        def __init__(self, name, kind):
            self.name = name
            self._kind = kind

        async def kind(self):
            return self._kind

    source = "{% regroup rows by kind as groups %}" + SHOW

    def context():
        return {"rows": value([Row("a", "x"), Row("b", "x"), Row("c", "y")])}

    stock = {"rows": [{"name": n, "kind": k} for n, k in ("ax", "bx", "cy")]}
    # The list, and each row's key.
    assert render(source, context, stock=stock, waits=4) == "x:ab,y:c,"
