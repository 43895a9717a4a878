"""Recordings: what renders loaded, one JSON object a line; writing a line and reading files back.

A recording may be cut off in the middle of a line (a process was killed, the disk was full): what
cannot be read is named with file and line, and reading goes on.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, TypeAlias

from ..problems import Problem
from ..relations.events import Event

RECORDING_VERSION = 1
"""Of the format. A line of another version is not read."""

RecordKey: TypeAlias = tuple[Any, ...]


@dataclass(slots=True)
class AccessRecord:
    """One access that was seen, and how often. The fields are those of an `Event`.

    A record of the kind ``"render"`` says that a template was rendered, whatever it loaded.
    """

    template: str
    line: int | None
    expression: str
    root: str
    path: tuple[str, ...]
    kind: str
    model: str = ""
    rows: int = 0
    """The most objects that one load was for."""
    milliseconds: float = 0.0
    """Of all the times together."""
    batch: bool = False
    source: str = ""
    related: bool = True
    entry: str = ""
    entry_at: int = 0
    loads: tuple[str, ...] | None = None
    view: str = ""
    rendered: str = ""
    """The template that the view rendered; empty where that is not known."""
    times: int = 1
    """How many loads, a batch being one."""

    @property
    def key(self) -> RecordKey:
        """What makes two records the same access."""
        place = (self.view, self.rendered, self.template, self.line, self.expression)
        return (*place, self.root, self.path, self.kind, self.model, self.source)

    @property
    def place_key(self) -> RecordKey:
        """The same, whichever templates extend or include the one that holds the place."""
        return (self.key[0], *self.key[2:])

    @property
    def is_lazy(self) -> bool:
        """Whether the view could have loaded this; see `Event.is_lazy`."""
        if self.kind == "render":
            return False
        if self.kind not in ("rows", "call"):
            return True
        return self.related or "[]" in self.path[:-1]

    def add(self, other: AccessRecord) -> None:
        """Count another record of the same access into this one."""
        self.times += other.times
        self.milliseconds += other.milliseconds
        self.rows = max(self.rows, other.rows)
        self.batch = self.batch or other.batch

    def as_line(self) -> bytes:
        """The record as a line of a recording, with the line's end."""
        values = {name: value for name, value in asdict(self).items() if value not in ("", None)}
        values["milliseconds"] = round(self.milliseconds, 3)
        return json.dumps({"version": RECORDING_VERSION, **values}).encode() + b"\n"


RECORD_FIELDS = tuple(each.name for each in fields(AccessRecord))
SHARED_FIELDS = tuple(name for name in RECORD_FIELDS if name != "times")
EMPTY = {"template": "", "line": None, "expression": "", "root": ""}
EXPECTED: dict[str, type | tuple[type, ...]] = {
    **dict.fromkeys(
        ("template", "expression", "root", "kind", "model"),
        str,
    ),
    **dict.fromkeys(("source", "entry", "view", "rendered"), str),
    **dict.fromkeys(("batch", "related"), bool),
    **dict.fromkeys(("rows", "times", "entry_at"), int),
    "line": (int, type(None)),
    "milliseconds": (int, float),
    "loads": (list, type(None)),
}


def access_record(event: Event) -> AccessRecord:
    """Make a record of an event seen once."""
    return AccessRecord(**{name: getattr(event, name) for name in SHARED_FIELDS})


def render_record(template: str, view: str) -> AccessRecord:
    """Make the record of a template that was rendered once."""
    return AccessRecord(template, None, "", "", (), "render", view=view, rendered=template)


def record_from(values: Any) -> AccessRecord:
    """Make a record from the JSON object of a line.

    Raises:
        ValueError: it is none, or of another version.
    """
    if not isinstance(values, Mapping):
        raise ValueError(f"expected a JSON object, not {type(values).__name__}")
    if values.get("version") != RECORDING_VERSION:
        raise ValueError(
            f"version {values.get('version')!r} of the format; this release reads "
            f"{RECORDING_VERSION}: record again"
        )
    known = {**EMPTY, **{name: values[name] for name in RECORD_FIELDS if name in values}}
    for name, value in known.items():
        kind = EXPECTED.get(name)
        if kind is not None and not isinstance(value, kind):
            raise ValueError(f"{name!r} is {value!r}")
    path = known.get("path")
    if not isinstance(path, list) or not all(isinstance(step, str) for step in path):
        raise ValueError(f"'path' is {path!r}; expected a list of strings")
    if "kind" not in known:
        raise ValueError("'kind' is missing")
    loads = known.get("loads")
    if loads is not None:
        known["loads"] = tuple(map(str, loads))
    return AccessRecord(**{**known, "path": tuple(path)})


@dataclass
class Recording:
    """What some files hold: each access once, and what could not be read."""

    records: dict[RecordKey, AccessRecord] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def add(self, record: AccessRecord) -> None:
        """Count a record in."""
        known = self.records.setdefault(record.key, record)
        if known is not record:
            known.add(record)

    def __iter__(self) -> Iterator[AccessRecord]:
        return iter(self.records.values())

    def __len__(self) -> int:
        return len(self.records)


def read_recordings(files: Iterable[Path]) -> Recording:
    """Read recordings, and add up what is in several lines.

    Returns:
        The records. A file or a line that cannot be read is in ``problems``.
    """
    recording = Recording()
    for file in files:
        try:
            with file.open("rb") as lines:
                for number, line in enumerate(lines, 1):
                    _read_line(recording, file, number, line)
        except OSError as error:
            recording.problems.append(
                Problem(f"cannot read the recording: {error.strerror}", str(file))
            )
    return recording


def _read_line(recording: Recording, file: Path, number: int, line: bytes) -> None:
    if not line.strip():
        return
    try:
        recording.add(record_from(json.loads(line)))
    except (json.JSONDecodeError, UnicodeDecodeError):
        cut = "" if line.endswith(b"\n") else " (it is cut off)"
        recording.problems.append(
            Problem(f"this line is not a record{cut}; skipped", str(file), number)
        )
    except ValueError as error:
        recording.problems.append(Problem(f"{error}; skipped", str(file), number))


def write_recordings(file: Path, records: Iterable[AccessRecord]) -> None:
    """Write a recording anew.

    Raises:
        OSError: the file cannot be written.
    """
    file.write_bytes(b"".join(record.as_line() for record in records))
