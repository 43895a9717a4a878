"""Escaping equals Django's byte for byte, with markupsafe's scan and without it."""

import html
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest
from django.template import Context
from django.utils.html import conditional_escape
from django.utils.html import escape as django_escape
from django.utils.safestring import SafeString
from hypothesis import given
from hypothesis import strategies as st

from atemplates.engines.django import render_template
from atemplates.runtime import escaping
from atemplates.runtime.escaping import escape, escape_quotes, scan_in_python
from tests.rendering import parse

SPECIAL = "&<>\"'"
ANY_TEXT = st.text(st.characters(exclude_categories=()))


def all_characters():
    return (chr(number) for number in range(sys.maxunicode + 1))


class TestMarkupsafe:
    """Guards a private name: ``markupsafe._speedups._escape_inner``."""

    @pytest.fixture
    def scan(self):
        from markupsafe._speedups import _escape_inner

        return _escape_inner

    def test_it_is_what_we_scan_with(self, scan):
        assert escaping.scan is scan

    @pytest.mark.parametrize(
        "text", ["", "a", "plain text", "é", "名前", "\U0001f600", "\ud800", "\0", "x" * 10_000]
    )
    def test_text_without_anything_to_escape_comes_back_itself(self, scan, text):
        text = "".join(list(text))  # not a constant of this module
        assert scan(text) is text

    @pytest.mark.parametrize("special", SPECIAL)
    @pytest.mark.parametrize("around", ["", "a", "é", "名", "\U0001f600", "x" * 1000])
    def test_text_with_something_to_escape_does_not(self, scan, special, around):
        for text in (special + around, around + special, around + special + around):
            assert scan(text) is not text

    def test_no_other_character_counts(self, scan):
        for character in all_characters():
            assert (scan(character) is character) == (character not in SPECIAL)


@pytest.mark.parametrize("scan", [escaping.scan, scan_in_python], ids=["compiled", "python"])
class TestScan:
    def test_every_character(self, scan):
        for character in all_characters():
            assert (scan(character) is character) == (character not in SPECIAL)

    def test_every_character_within_text(self, scan):
        # Around the widths in which CPython keeps strings.
        for wide in ("a", "é", "名", "\U0001f600"):
            for special in SPECIAL:
                text = wide * 7 + special + wide * 9
                assert scan(text) is not text


def test_escaping_every_character():
    for character in all_characters():
        assert escape(character) == html.escape(character)
    everything = "".join(all_characters())
    assert escape(everything) == html.escape(everything) == str(django_escape(everything))


@given(ANY_TEXT)
def test_escaping_any_text(text):
    assert escape(text) == html.escape(text) == str(conditional_escape(text))
    assert escape_quotes(text) == html.escape(text)


@given(st.text("&<>\"'ab\u540d"))
def test_escaping_what_needs_it(text):
    assert escape(text) == html.escape(text)


@cache
def shown_everywhere():
    return parse("{{ x }}{% for y in 'ab' %}{{ x }}{% endfor %}")


@given(ANY_TEXT)
def test_output(text):
    """What a template writes for a value, in and out of loops."""
    template = shown_everywhere()
    expected = html.escape(text) * 3
    assert render_template(template, Context({"x": text})) == expected
    assert render_template(template, Context({"x": SafeString(text)})) == text * 3
    assert render_template(template, Context({"x": text}, autoescape=False)) == text * 3


def test_without_markupsafes_speedups():
    """In a process of its own, where they cannot be imported."""
    code = """
import sys
sys.modules["markupsafe._speedups"] = None
from atemplates.runtime import escaping
assert escaping.scan is escaping.scan_in_python
import html
text = "".join(map(chr, range(0x3000)))
assert escaping.escape(text) == html.escape(text)
assert escaping.escape("plain") == "plain"
from django.conf import settings
settings.configure()
import django
django.setup()
from django.template import Context, Engine
from atemplates.engines.django import render_template
template = Engine().from_string("{{ x }}{% for y in 'ab' %}{{ x }}{% endfor %}{{ z }}")
assert render_template(template, Context({"x": "<&>", "z": "z"})) == "&lt;&amp;&gt;" * 3 + "z"
print("fine")
"""
    result = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[2],
        check=False,
    )
    assert (result.stdout, result.stderr) == ("fine\n", "")
