"""The line tables we write are read by CPython as we meant them."""

from hypothesis import given
from hypothesis import strategies as st

from atemplates.compiler.lines import line_table, with_lines

NOP = b"\x09\x00"


def probe() -> None:
    """Lend its code object."""


run = st.tuples(st.integers(0, 60).map(lambda units: units * 2), st.none() | st.integers(1, 5000))


@given(st.lists(run, min_size=1, max_size=12), st.integers(1, 5000))
def test_cpython_reads_back_the_lines(runs, first):
    wanted = [line for length, line in runs for _ in range(length // 2)]
    code = probe.__code__.replace(
        co_code=NOP * len(wanted), co_firstlineno=first, co_linetable=line_table(first, runs)
    )
    found = [line for start, end, line in code.co_lines() for _ in range((end - start) // 2)]
    assert found == wanted


def test_with_lines_gives_the_templates_lines_and_the_sources():
    source = "def f():\n    a = 1\n    b = a\n    return b / 0\n"
    namespace: dict[str, object] = {}
    exec(compile(source, "generated", "exec"), namespace)
    code = namespace["f"].__code__  # type: ignore[attr-defined]
    replaced, places = with_lines(code, [None, None, 10, None, 12], "page.html", "block x")
    assert (replaced.co_filename, replaced.co_name, replaced.co_qualname) == (
        "page.html",
        "block x",
        "block x",
    )
    lines = [line for _, _, line in replaced.co_lines()]
    assert lines == sorted(lines)
    assert set(lines) == {10, 12}  # what has no line of its own belongs to the line before
    assert places[-1] == (len(code.co_code), 4)
    ends = [end for end, _ in places]
    assert ends == sorted(set(ends))
