"""Guards what ``compiler/lines.py`` takes for granted of CPython's code objects.

When one of these fails on a new Python, ``co_linetable`` has changed its format, and the lines in
tracebacks of compiled templates with it.
"""

import dis
import sys

import pytest
from django.template import Context
from django.template.base import Node

from atemplates.compiler.lines import line_table, with_lines
from atemplates.compiler.module import Module
from atemplates.compiler.plan import plan_of
from atemplates.engines.django import render_template
from tests.rendering import parse

UNIT = 2


def code_of(source):
    namespace = {}
    exec(compile(source, "generated", "exec"), namespace)
    return namespace["f"].__code__


SOURCE = (
    "def f(a):\n" + "".join(f"    a = a + {n} * (a - {n})\n" for n in range(40)) + "    return a\n"
)


def test_an_instruction_is_a_multiple_of_two_bytes():
    offsets = [instruction.offset for instruction in dis.get_instructions(code_of(SOURCE))]
    assert all(offset % UNIT == 0 for offset in offsets)


@pytest.mark.parametrize(
    ("runs", "encoded"),
    [
        # 0x80 | code << 3 | units - 1; code 13 is a line without columns, 15 is no line.
        ([(2, 10)], bytes([0xE8, 0])),
        ([(2, 11)], bytes([0xE8, 2])),
        ([(2, 9)], bytes([0xE8, 3])),
        ([(16, 10)], bytes([0xEF, 0])),
        ([(18, 10)], bytes([0xEF, 0, 0xE8, 0])),
        ([(2, None)], bytes([0xF8])),
        ([(18, None)], bytes([0xFF, 0xF8])),
        ([(2, 10 + 31)], bytes([0xE8, 62])),
        ([(2, 10 + 32)], bytes([0xE8, 0x40, 1])),
        ([(2, 10 - 32)], bytes([0xE8, 0x41, 1])),
        ([(2, 12), (2, None), (2, 13)], bytes([0xE8, 4, 0xF8, 0xE8, 2])),
        ([(0, 5), (2, 10)], bytes([0xE8, 0])),
        ([], b""),
    ],
)
def test_the_bytes(runs, encoded):
    assert line_table(10, runs) == encoded


@pytest.mark.parametrize("lines", [[5], [5, 6, 7], [100, 5, 3000, 5], list(range(40, 0, -1))])
def test_cpython_reads_them(lines):
    """Decoded by the interpreter that runs: ``co_lines``, ``dis`` and a traceback agree."""
    code = code_of(SOURCE)
    count = SOURCE.count("\n")
    wanted = [None, None, *(lines[n % len(lines)] for n in range(count - 1))]
    replaced, _ = with_lines(code, wanted, "page.html", "template")
    before = {start: line for start, _, line in code.co_lines() if line}
    lines_by_offset = {}
    for start, end, line in replaced.co_lines():
        for offset in range(start, end, UNIT):
            lines_by_offset[offset] = line
    last = lines[0]
    for start, source_line in sorted(before.items()):
        last = wanted[source_line] if wanted[source_line] is not None else last
        assert lines_by_offset[start] == last
    assert replaced.co_code == code.co_code
    assert {line for _, line in dis.findlinestarts(replaced)} <= set(lines)


def test_the_exception_table_is_untouched():
    code = code_of(
        "def f(a):\n    try:\n        return 1 / a\n    except "
        "ZeroDivisionError:\n        return 'zero'\n"
    )
    replaced, _ = with_lines(code, [None, None, 3, 4, 5, 6], "page.html", "template")
    assert replaced.co_exceptiontable == code.co_exceptiontable
    f = type(code_of)(replaced, {})
    assert (f(1), f(0)) == (1, "zero")


def test_a_traceback_has_the_line():
    code = code_of("def f(a):\n    b = a\n    return b / 0\n")
    replaced, places = with_lines(code, [None, None, 7, 70_000], "page.html", "template")
    function = type(code_of)(replaced, {})
    with pytest.raises(ZeroDivisionError) as caught:
        function(1)
    trace = caught.tb.tb_next
    assert trace.tb_lineno == 70_000
    assert trace.tb_frame.f_code.co_filename == "page.html"
    # tb_lasti is an offset in bytes, as the ends of the places are.
    source_line = next(line for end, line in places if trace.tb_lasti < end)
    assert source_line == 3


@pytest.mark.parametrize(
    "source",
    [
        "{{ a }}\n{{ b }}\n\n{{ c }}",
        "{% for x in xs %}\n{{ x.a.b }}\n{% cycle 1 2 %}\n{% if x %}\n{{ x }}"
        "{% endif %}{% endfor %}",
        "{% with a=b %}\n{% include 'x' %}\n{% endwith %}\n{% block b %}{% endblock %}",
        "\n" * 300 + "{{ a }}" + "\n" * 70_000 + "{{ b }}",
    ],
)
def test_each_instruction_of_a_plan_has_a_line_of_the_template(source):
    template = parse(source)
    plan = plan_of(template.nodelist, template)
    count = source.count("\n") + 1
    lines = {line for _, _, line in plan.__code__.co_lines()}
    assert None not in lines
    assert all(1 <= line <= count for line in lines)
    nodes = [node for node in template.nodelist.get_nodes_by_type(Node) if node.token]
    tags = {node.token.lineno for node in nodes if type(node).__name__ != "TextNode"}
    # What runs has its line there; blocks and what stands in them are functions of their own.
    own = {line for line in tags if line <= count}
    assert own <= lines | {0}


def test_each_node_of_a_plan_is_found_from_its_instructions():
    """The culprit of an exception is told by ``tb_lasti`` alone."""
    source = "".join(f"{{{{ a{n} }}}}{{% if b{n} %}}x{{% endif %}}" for n in range(30))
    template = parse(source)
    module = Module(template.nodelist, template, "")
    plan = module.function()
    places = plan.__globals__["places_plan"]
    found = {
        places.node_at(offset)
        for offset in range(0, len(plan.__code__.co_code), UNIT)
        if places.node_at(offset) is not None
    }
    assert found == set(template.nodelist)
    assert places.node_at(len(plan.__code__.co_code)) is None


def test_line_numbers_beyond_all_bounds():
    source = "\n" * 100_000 + "{{ fail }}"

    def fail():
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError) as caught:
        render_template(parse(source), Context({"fail": fail}))
    trace, lines = caught.tb, []
    while trace:
        lines.append(trace.tb_lineno)
        trace = trace.tb_next
    assert 100_001 in lines


def test_this_python_is_one_that_was_looked_at():
    """A new series is no failure of ours, but somebody should read its InternalDocs once."""
    assert sys.implementation.name == "cpython"
    assert (3, 11) <= sys.version_info[:2] <= (3, 14)
