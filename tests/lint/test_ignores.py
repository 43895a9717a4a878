"""``{# atemplates: ignore #}``: for a line, for the next one, for some rules."""

import pytest

from atemplates.lint.ignores import heeding, ignores_of
from atemplates.problems import Problem


def problem(line, code="unknown-name"):
    return Problem("x", "a.html", line, code=code)


@pytest.mark.parametrize(
    ("source", "lines"),
    [
        ("a\n{{ x }}{# atemplates: ignore #}\nb", [2]),
        ("{# atemplates: ignore #}\n{{ x }}\n{{ y }}", [2]),
        ("  {# atemplates:ignore #}  \r\n{{ x }}", [2]),
        ("{# atemplates: ignore[unknown-name] #}\n{{ x }}", [2]),
        ("{# atemplates: ignore[a] #}\n{# atemplates: ignore[ b , unknown-name ] #}\n{{ x }}", [3]),
        ("{# atemplates: ignore[no-such-url] #}\n{{ x }}", []),
        ("{# atemplates: ignored #}\n{{ x }}", []),
        ("{# ignore #}\n{{ x }}", []),
    ],
)  # fmt: skip
def test_the_lines_that_are_ignored(source, lines):
    problems = [problem(line) for line in range(1, 6)]
    left = heeding(problems, lambda each: ignores_of(source))
    assert [each.line for each in problems if each not in left] == lines


def test_comments_of_another_environment():
    source = "<%# atemplates: ignore %>\n{{ x }}"
    assert ignores_of(source) == {}
    assert ignores_of(source, ("<%#", "%>")) == {2: frozenset()}
    assert ignores_of("{#- atemplates: ignore -#}\nx") == {2: frozenset()}


def test_a_problem_without_a_line_stays():
    source = "{# atemplates: ignore #}\n"
    assert heeding([problem(None)], lambda each: ignores_of(source)) == [problem(None)]
