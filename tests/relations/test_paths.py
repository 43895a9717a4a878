"""Access paths as data: how one reads, what is left of it as a lookup, and its way through JSON."""

import json

import pytest

from atemplates.relations.paths import AccessPath, distinct, dotted, orm_lookup

PATH = AccessPath(
    template="shop/list.html",
    line=3,
    expression="book.author.name|upper",
    root="books",
    path=("[]", "author", "name"),
)


def test_a_path_reads_as_one_line():
    assert str(PATH) == ("shop/list.html:3: book.author.name|upper - books[].author.name (output)")


def test_a_path_says_what_is_uncertain():
    path = AccessPath("", None, "x", "x", (), True, "argument", "passed to {% show %}")
    assert str(path) == "<string>: x - x (argument, conditional, lost: passed to {% show %})"


@pytest.mark.parametrize(
    ("root", "path", "text"),
    [
        ("book", (), "book"),
        ("books", ("[]",), "books[]"),
        ("books", ("[]", "tags", "all", "[]", "name"), "books[].tags.all[].name"),
        ("rows", ("[]", "[]", "0"), "rows[][].0"),
        ("", ("a", "b"), "a.b"),
    ],
)
def test_dotted(root, path, text):
    assert dotted(root, path) == text


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ((), ""),
        (("[]", "author", "publisher"), "author__publisher"),
        (("[]", "tags", "all", "[]", "name"), "tags__name"),
        (("0", "author"), "author"),
    ],
)
def test_lookup(path, text):
    assert orm_lookup(path) == text


def test_paths_go_through_json():
    data = json.loads(json.dumps(PATH.as_data()))
    assert AccessPath.from_data(data) == PATH


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"path": "author"}, "list of texts"),
        ({"path": [1]}, "list of texts"),
        ({"consumption": "eaten"}, "expected one of output, truth"),
        ({"colour": "red"}, r"see to \['colour'\]"),
    ],
)
def test_wrong_data_is_named(change, message):
    with pytest.raises(ValueError, match=message):
        AccessPath.from_data({**PATH.as_data(), **change})


def test_a_missing_key_is_named():
    data = PATH.as_data()
    del data["root"]
    with pytest.raises(ValueError, match=r"see to \['root'\]"):
        AccessPath.from_data(data)


def test_of_two_that_differ_in_certainty_the_certain_one_stays_in_its_place():
    def path(root, conditional):
        return AccessPath("t", 1, root, root, conditional=conditional)

    paths = [path("a", True), path("b", True), path("a", False), path("a", True)]
    assert distinct(paths) == [path("a", False), path("b", True)]
