"""SARIF reports against the schema of the standard (see ``sarif/README.md`` for its source)."""

import json
import os
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from atemplates.migration.findings import (
    CONFIRMED,
    HIDDEN,
    POSSIBLE,
    Finding,
    Report,
    TemplatePlace,
)
from atemplates.migration.formats import as_sarif
from atemplates.migration.matching import Need
from atemplates.problems import Problem

SCHEMA = json.loads((Path(__file__).parent / "sarif/sarif-2.1.0.json").read_text("utf-8"))
CHECKER = Draft202012Validator.FORMAT_CHECKER
VALIDATOR = Draft202012Validator(SCHEMA, format_checker=CHECKER)


def valid(text):
    """Return the log of a report that the schema allows."""
    log = json.loads(text)
    errors = [f"{each.json_path}: {each.message}" for each in VALIDATOR.iter_errors(log)]
    assert errors == []
    return log


def finding(*places, status=CONFIRMED, **values):
    return Finding(
        "shop:list",
        "shop/list.html",
        "books",
        ("[]", "author"),
        "shop.Book",
        status,
        "relation",
        Need("author", True, "", 2),
        places=list(places),
        **values,
    )


def uris(log):
    """The addresses of a log's results, with those of its notifications."""
    (run,) = log["runs"]
    located = [*run["results"], *run["invocations"][0]["toolExecutionNotifications"]]
    return [
        location["physicalLocation"]["artifactLocation"]["uri"]
        for each in located
        for location in [*each.get("locations", []), *each.get("relatedLocations", [])]
    ]


def test_the_schema_looks_at_addresses():
    """Without a package that knows what an address is, ``format`` says nothing."""
    assert "uri-reference" in CHECKER.checkers
    log = json.loads(as_sarif(Report([finding(TemplatePlace("a.html", 1, "x"))])))
    log["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] = (
        "a b.html"
    )
    assert not VALIDATOR.is_valid(log)
    del log["runs"][0]["tool"]
    assert not VALIDATOR.is_valid(log)


def test_an_empty_report():
    log = valid(as_sarif(Report()))
    (run,) = log["runs"]
    assert run["results"] == []
    assert run["invocations"][0]["executionSuccessful"] is True
    assert "version" not in run["tool"]["driver"]


def test_findings_and_problems():
    place = TemplatePlace("shop/list.html", 3, "book.author.name", "templates/shop/list.html")
    report = Report(
        [
            finding(place),
            finding(place, status=HIDDEN, sources=["shop/models.py:33", "shop/models.py:unknown"]),
            finding(TemplatePlace("shop/list.html", None, "book.author"), status=POSSIBLE),
        ],
        problems=[
            Problem("no place"),
            Problem("a place", "a.html"),
            Problem("a line", "a.html", 3),
        ],
    )
    new = frozenset({report.findings[0].key})
    log = valid(as_sarif(report, new, "1.0"))
    (run,) = log["runs"]
    assert run["tool"]["driver"]["version"] == "1.0"
    assert [(each["ruleId"], each["level"]) for each in run["results"]] == [
        ("lazy-access", "warning"),
        ("lazy-access-in-python", "warning"),
        ("possible-lazy-access", "note"),
    ]
    rules = run["tool"]["driver"]["rules"]
    for each in run["results"]:
        assert rules[each["ruleIndex"]]["id"] == each["ruleId"]
        assert each["baselineState"] == "new"
    assert 'Add .select_related("author")' in run["results"][0]["message"]["text"]
    (invocation,) = run["invocations"]
    assert invocation["executionSuccessful"] is False
    assert len(invocation["toolExecutionNotifications"]) == 3


def test_a_place_that_several_expressions_share():
    """The standard wants each related location once."""
    lines = [(4, "book.author"), (5, "a.name"), (5, "a.name"), (5, "a.born"), (5, "a.name|upper")]
    places = [TemplatePlace("a.html", line, text, "t/a.html") for line, text in lines]
    log = valid(as_sarif(Report([finding(*places, sources=["m.py:3", "m.py:3"])])))
    related = log["runs"][0]["results"][0]["relatedLocations"]
    said = [each["message"]["text"] for each in related if "message" in each]
    assert said == ["a.name", "a.born", "a.name|upper"]
    assert len(related) == 4


@pytest.mark.parametrize(
    ("file", "uri"),
    [
        ("templates/my page.html", "templates/my%20page.html"),
        ("templates/100%.html", "templates/100%25.html"),
        ("templates/a#b?c.html", "templates/a%23b%3Fc.html"),
        ("a:b/c.html", "a%3Ab/c.html"),
        ("templates/bücher.html", "templates/b%C3%BCcher.html"),
        ("[x]/\\^{}`|.html", "%5Bx%5D/%5C%5E%7B%7D%60%7C.html"),
        ("/srv/the site/x.html", "file:///srv/the%20site/x.html"),
        (os.fsdecode(b"templates/\xff.html"), "templates/%FF.html"),
    ],
)
def test_files_with_odd_names(file, uri):
    report = Report(
        [finding(TemplatePlace("x.html", 1, "x", file))], problems=[Problem("no", file, 1)]
    )
    assert uris(valid(as_sarif(report))) == [uri, uri]


def test_a_file_of_the_current_folder_is_relative(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "my templates" / "a.html"
    report = Report([finding(TemplatePlace("a.html", 1, "x", str(file)))])
    assert uris(valid(as_sarif(report))) == ["my%20templates/a.html"]


def test_a_template_without_a_name_has_no_address():
    report = Report(
        [finding(TemplatePlace("", 3, "x"), TemplatePlace("", 4, "y"))], problems=[Problem("x", "")]
    )
    assert uris(valid(as_sarif(report))) == []


names = st.text(st.characters(exclude_characters="\0"), min_size=1)


@given(name=names, text=st.text(), line=st.one_of(st.none(), st.integers(0, 10**6)))
def test_whatever_stands_in_names_expressions_and_messages(name, text, line):
    one = finding(
        TemplatePlace(name, line, text),
        TemplatePlace(name, line, f"{text}.x"),
        sources=[f"{name}:{line}"],
    )
    one.root, one.need, one.advice = name, None, text
    report = Report([one], problems=[Problem(text, name, line)])
    log = valid(as_sarif(report, frozenset()))
    for uri in uris(log):
        parts = urlsplit(uri)
        assert parts.scheme in ("", "file")
        assert unquote(parts.path, errors="surrogateescape")
        assert not parts.query
        assert not parts.fragment
