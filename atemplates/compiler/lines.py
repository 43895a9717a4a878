"""Giving compiled code the template's own lines, so that tracebacks, profilers, coverage and
debuggers show the template.

CPython keeps the lines of a code object in ``co_linetable``. Its format is described in CPython's
``InternalDocs/code_objects.md`` (3.11 and later): entries of a first byte
``0x80 | code << 3 | (length - 1)``, the length in code units of two bytes; code 13 is "a line
without columns", followed by the line's delta as a signed varint; code 15 is "no line".
"""

from __future__ import annotations

from collections.abc import Sequence
from types import CodeType

UNIT = 2
LONGEST_ENTRY = 8
NEW_LINE = 0x80 | 13 << 3
NO_LINE = 0x80 | 15 << 3
SAME_LINE_AGAIN = bytes([NEW_LINE | LONGEST_ENTRY - 1, 0])
NO_LINE_AGAIN = bytes([NO_LINE | LONGEST_ENTRY - 1])


def _varint(value: int) -> bytes:
    encoded = bytearray()
    while value >= 0x40:
        encoded.append(0x40 | value & 0x3F)
        value >>= 6
    encoded.append(value)
    return bytes(encoded)


def _signed_varint(value: int) -> bytes:
    return _varint(((-value) << 1) | 1 if value < 0 else value << 1)


def line_table(first_line: int, runs: Sequence[tuple[int, int | None]]) -> bytes:
    """Encode a line table.

    Args:
        first_line: the code object's ``co_firstlineno``.
        runs: pairs of a length in bytes and the line of that stretch (None: no line).
    """
    table = bytearray()
    line = first_line
    for length, here in runs:
        units = length // UNIT
        if units == 0:
            continue
        step = min(units, LONGEST_ENTRY)
        if here is None:
            table.append(NO_LINE | step - 1)
            again = NO_LINE_AGAIN
        else:
            table.append(NEW_LINE | step - 1)
            table += _signed_varint(here - line)
            line = here
            again = SAME_LINE_AGAIN
        full, rest = divmod(units - step, LONGEST_ENTRY)
        table += again * full
        if rest:
            table += bytes([again[0] - LONGEST_ENTRY + rest]) + again[1:]
    return bytes(table)


def with_lines(
    code: CodeType, lines: Sequence[int | None], filename: str, name: str
) -> tuple[CodeType, list[tuple[int, int]]]:
    """Give a code object other lines.

    Args:
        code: compiled from generated source.
        lines: for each line of the source (the first is at index 1) the template's line, or None.
        filename: the template's file.
        name: what to call the code in tracebacks.

    Returns:
        The new code, and the places ``(end offset in bytes, line of generated source)`` in order,
        from which an instruction's node can be told.
    """
    runs: list[tuple[int, int | None]] = []
    places: list[tuple[int, int]] = []
    first = next((line for line in lines[1:] if line is not None), 1)
    last = first
    known, begun, stop, before = len(lines), 0, 0, -1
    for start, end, source_line in code.co_lines():
        number = source_line or 0
        if number != before:
            if before >= 0:
                places.append((start, before))
            before = number
            here = lines[number] if number < known else None
            if here is not None and here != last:
                if start > begun:
                    runs.append((start - begun, last))
                begun, last = start, here
        stop = end
    places.append((stop, before))
    runs.append((stop - begun, last))
    replaced = code.replace(
        co_filename=filename,
        co_firstlineno=first,
        co_linetable=line_table(first, runs),
        co_name=name,
        co_qualname=name,
    )
    return replaced, places
