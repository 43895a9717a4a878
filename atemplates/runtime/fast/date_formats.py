"""Format strings of dates and times, each of which is read only once.

Django cuts the format string into letters and text, and looks into the time zone, for every value.
"""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter
from typing import Any, NamedTuple, TypeAlias

from django.utils.dateformat import DateFormat, TimeFormat, re_escaped, re_formatchars

from ..ambient import Ambient

FIELDS = {
    "d": ("%02d", "day"),
    "j": ("%d", "day"),
    "m": ("%02d", "month"),
    "n": ("%d", "month"),
    "Y": ("%04d", "year"),
    "H": ("%02d", "hour"),
    "G": ("%d", "hour"),
    "i": ("%02d", "minute"),
    "s": ("%02d", "second"),
    "u": ("%06d", "microsecond"),
}
"""Letters that write a number which the value has."""

TWO_DIGITS = tuple(f"{number:02}" for number in range(100))
FIELD_SOURCES = {
    "d": "two_digits[{value}.day]",
    "j": "{value}.day",
    "m": "two_digits[{value}.month]",
    "n": "{value}.month",
    "y": "two_digits[{value}.year % 100]",
    "Y": "{value}.year",
    "H": "two_digits[{value}.hour]",
    "G": "{value}.hour",
    "i": "two_digits[{value}.minute]",
    "s": "two_digits[{value}.second]",
}
"""Letters as expressions, for compiled code; in years of four digits."""

OF_MONTH = frozenset("bEFMN")
OF_WEEKDAY = frozenset("Dlw")
"""Letters whose text depends on the language and on one number."""
OF_CLOCK = frozenset("aAfghP")
"""Letters whose text depends on the language, the hour and the minute."""
OF_ZONE = frozenset("eIOrTZ")
"""Letters for which Django's formatter looks into the time zone."""

MOST_FORMATS = 1000
"""How many format strings are remembered; a template may compute them."""

Write: TypeAlias = Callable[[Any, Ambient], str]
"""Gives a part of a value's text."""


class Format(NamedTuple):
    """A format string that was read."""

    write: Write
    """Writes a value that can fill in all letters."""
    timed: bool
    """Whether it has letters that a ``date`` cannot fill in."""
    dated: bool
    """Whether it has letters that a ``time`` cannot fill in."""
    zoned: bool
    """Whether it has letters for which the time zone is asked."""


def format_source(value: str, text: str) -> str | None:
    """Return an expression for the text of a value by a format string, None in early years.

    Args:
        value: the name of the value.

    Returns:
        None where the format has letters that no expression stands for.
    """
    parts = []
    pieces = re_formatchars.split(text)
    for index, piece in enumerate(pieces):
        if not index % 2:
            parts.append(repr("".join((re_escaped.sub(r"\1", piece),))))
        elif piece in FIELD_SOURCES:
            parts.append(f"f'{{{FIELD_SOURCES[piece].format(value=value)}}}'")
        else:
            return None
    source = " ".join(part for part in parts if part != "''") or "''"
    return f"({source} if {value}.year > 999 else None)" if "Y" in pieces[1::2] else source


# Any thread may add, or empty it: all read the same from a text, and what is gone is read again.
known_formats: dict[str, Format] = {}


def read_format(text: str) -> Format:
    """Read a format string."""
    found = known_formats.get(text)
    if found is None:
        if len(known_formats) >= MOST_FORMATS:
            known_formats.clear()
        found = known_formats[text] = _read(text)
    return found


def _read(text: str) -> Format:
    writes: list[Write] = []
    run: list[str | tuple[str]] = []  # text, and letters in tuples
    letters = []

    def end_run() -> None:
        if run:
            writes.append(_write_run(list(run)))
            run.clear()

    for index, piece in enumerate(re_formatchars.split(text)):
        if not index % 2:
            if piece:
                run.append(re_escaped.sub(r"\1", piece))
            continue
        letters.append(piece)
        if piece in FIELDS or piece in OF_MONTH or piece in OF_WEEKDAY:
            run.append((piece,))
        else:
            end_run()
            writes.append(_write_letter(piece))
    end_run()
    return Format(
        writes[0] if len(writes) == 1 else _joined(writes),
        timed=any(hasattr(TimeFormat, letter) for letter in letters),
        dated=any(not hasattr(TimeFormat, letter) for letter in letters),
        zoned=not OF_ZONE.isdisjoint(letters),
    )


def _joined(writes: list[Write]) -> Write:
    return lambda value, ambient: "".join([write(value, ambient) for write in writes])


def _write_run(run: list[Any]) -> Write:
    """Return what writes text, fields and names: a template that is filled in at once."""
    letters = [piece[0] for piece in run if type(piece) is tuple]
    fields = [FIELDS[letter][1] for letter in letters if letter in FIELDS]
    get = attrgetter(*fields) if fields else lambda value: ()
    months, weekdays = not OF_MONTH.isdisjoint(letters), not OF_WEEKDAY.isdisjoint(letters)

    def template_for(value: Any) -> str:
        pieces = []
        for piece in run:
            if type(piece) is not tuple:
                pieces.append(piece.replace("%", "%%"))
            elif piece[0] in FIELDS:
                pieces.append(FIELDS[piece[0]][0])
            else:
                pieces.append(letter_text(piece[0], value).replace("%", "%%"))
        return "".join(pieces)

    if not months and not weekdays:
        template = template_for(None)
        if not fields:
            text = template % ()
            return lambda value, ambient: text
        return lambda value, ambient: template % get(value)
    mark = object()
    monthly = not weekdays

    def write(value: Any, ambient: Ambient) -> str:
        templates = ambient.known.get(mark)
        if templates is None:
            templates = ambient.known[mark] = {}
        # The same template for each month, weekday, or both.
        key = value.month if monthly else (months and value.month, value.weekday())
        template = templates.get(key)
        if template is None:
            template = templates[key] = template_for(value)
        return template % get(value)

    return write


def _write_letter(letter: str) -> Write:
    method = getattr(DateFormat, letter)
    if letter in OF_CLOCK:

        def write(value: Any, ambient: Ambient) -> str:
            key = (letter, value.hour, value.minute)
            text = ambient.known.get(key)
            if text is None:
                text = ambient.known[key] = letter_text(letter, value)
            return text

        return write
    if letter in OF_ZONE:
        return lambda value, ambient: written(method(DateFormat(value)))
    return lambda value, ambient: written(method(bare_formatter(value)))


def letter_text(letter: str, value: Any) -> str:
    """Return what Django writes for a letter that does not depend on the time zone."""
    return written(getattr(DateFormat, letter)(bare_formatter(value)))


def bare_formatter(value: Any) -> DateFormat:
    """Return Django's formatter without having it look into the time zone."""
    formatter = object.__new__(DateFormat)
    formatter.data = value
    return formatter


def written(part: Any) -> str:
    """Return the text of what a method of Django's formatter gave."""
    # The names of months and days are lazy messages.
    return part if type(part) is str else str(part)
