"""The file in which a process leaves to the next one what it learned of functions.

The file is JSON, and nothing in it is imported, called or compared with anything but the functions
that a process meets by itself: an entry is found by a function's module, its qualified name and a
digest of its code, so what was changed since is learned anew.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import suppress
from math import isfinite
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any, NamedTuple

FORMAT = "atemplates learned"
LEARNED_VERSION = 1
MOST_BYTES = 16 * 2**20
"""How many bytes such a file may have."""
MOST_FUNCTIONS = 5_000
"""How many functions it may tell of."""
MOST_HELD_FUNCTIONS = 20
"""How many functions that a function holds say whether it was changed."""


class Refused(Exception):
    """A file cannot be used; the message says why."""


class FunctionKey(NamedTuple):
    """How a function is found again in another process."""

    module: str
    name: str
    """Its ``__qualname__``."""
    digest: str


class LearnedEntry(NamedTuple):
    """What is carried of one function; see `atemplates.placement.records.Record`."""

    runs: int
    quick: int
    slow: int
    slowest: float
    """Seconds."""
    asked: bool
    needs_loop: bool


def key_of(function: Any) -> FunctionKey | None:
    """Return how a function is found again; None for what another process cannot tell from others.

    Functions made inside of others share their names, and are told apart by nothing but the values
    that they hold.
    """
    name = qualified_name(function)
    return None if name is None else FunctionKey(*name, digest_of(function))


def qualified_name(function: Any) -> tuple[str, str] | None:
    """Return the module and the qualified name of a function that can be found again, or None."""
    if type(function) is not FunctionType:
        return None
    module, name = function.__module__, function.__qualname__
    if not isinstance(module, str) or "<" in name:
        return None
    return module, name


def digest_of(function: FunctionType) -> str:
    """Return what changes when the code of a function does, or that of functions it wraps."""
    digest = hashlib.sha256()
    for part in parts_of(function, set()):
        digest.update(part.encode("utf-8", "backslashreplace") + b"\0")
    return digest.hexdigest()[:32]


def parts_of(function: FunctionType, seen: set[int]) -> Iterator[str]:
    """Yield texts that say what a function does: its code, and the functions that it holds."""
    seen.add(id(function))
    yield str(function.__globals__.get("__name__"))
    yield constant(function.__code__)
    held: list[Any] = [*(function.__defaults__ or ()), *(function.__kwdefaults__ or {}).values()]
    for cell in function.__closure__ or ():
        with suppress(ValueError):  # it is empty
            held.append(cell.cell_contents)
    held.append(function.__dict__.get("__wrapped__"))
    for value in held:
        if type(value) is not FunctionType:
            yield constant(value)
        elif id(value) not in seen and len(seen) < MOST_HELD_FUNCTIONS:
            yield from parts_of(value, seen)


def constant(value: Any) -> str:
    """Return a text for a constant of code, the same in each process; its type for other values."""
    kind = type(value)
    if kind is CodeType:
        inside = (value.co_code, value.co_exceptiontable, value.co_names, value.co_varnames)
        flags = (value.co_argcount, value.co_posonlyargcount, value.co_kwonlyargcount)
        # Not its lines: a function that has only moved is the same.
        return f"code {inside} {flags} {[constant(each) for each in value.co_consts]}"
    if kind in (str, bytes, int, float, complex, bool, type(None), type(...)):
        return repr(value)
    if kind is tuple:
        return f"({', '.join(map(constant, value))})"
    if kind is frozenset:
        return f"{{{', '.join(sorted(map(constant, value)))}}}"
    return f"{kind.__module__}.{kind.__qualname__}"


# -- the file ------------------------------------------------------------------------------------


def read_learned(path: Path) -> dict[FunctionKey, LearnedEntry]:
    """Read what a file carries.

    Args:
        path: the file. One that is not there, or is empty, carries nothing.

    Raises:
        Refused: it cannot be read, is something else, or may be written by others.
    """
    text = read_private_file(path)
    if not text.strip():
        return {}
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Refused(f"it is no JSON: {error}") from error
    if not isinstance(data, dict) or data.get("format") != FORMAT:
        raise Refused(f'it is no file of ours: there is no "format": "{FORMAT}" in it')
    if data.get("version") != LEARNED_VERSION:
        return {}
    functions = data.get("functions")
    if not isinstance(functions, list) or len(functions) > MOST_FUNCTIONS:
        raise Refused(f'"functions" is no list of at most {MOST_FUNCTIONS}')
    return dict(map(entry_of, functions))


def read_private_file(path: Path) -> str:
    """Read a file that nobody else may write.

    Raises:
        Refused: others may, or it cannot be read.
    """
    try:
        # A pipe would have us wait for whoever writes into it.
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
        try:
            refuse_others(os.fstat(descriptor), path)
            with open(descriptor, "rb", closefd=False) as file:
                content = file.read(MOST_BYTES + 1)
        finally:
            os.close(descriptor)
    except FileNotFoundError:
        return ""
    except OSError as error:
        raise Refused(f"it cannot be read: {error.strerror or error}") from error
    if len(content) > MOST_BYTES:
        raise Refused(f"it has more than {MOST_BYTES} bytes")
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise Refused(f"it is no JSON: {error}") from error


def refuse_others(status: os.stat_result, path: Path) -> None:
    """Refuse what is no file, or a file that others may write.

    Raises:
        Refused: it is.
        OSError: the folder cannot be looked at.
    """
    if not stat.S_ISREG(status.st_mode):
        raise Refused("it is no file")
    if os.name != "posix":
        return
    if status.st_mode & stat.S_IWOTH:
        raise Refused("everybody may write it; take that away with chmod o-w")
    if status.st_uid not in (0, os.geteuid(), path.parent.stat().st_uid):
        raise Refused("it belongs to another user than the process and the folder")


def entry_of(data: Any) -> tuple[FunctionKey, LearnedEntry]:
    """Read one function's entry.

    Raises:
        Refused: it is none.
    """
    fields = (*FunctionKey._fields, *LearnedEntry._fields)
    if not isinstance(data, dict) or set(data) != set(fields):
        raise Refused(f"an entry has not exactly {', '.join(fields)}: {short_line(data)}")
    key = FunctionKey(*(data[name] for name in FunctionKey._fields))
    entry = LearnedEntry(*(data[name] for name in LearnedEntry._fields))
    counts = (entry.runs, entry.quick, entry.slow)
    right = (
        all(isinstance(text, str) for text in key)
        and all(type(count) is int and count >= 0 for count in counts)
        and type(entry.slowest) in (int, float)
        and isfinite(entry.slowest)
        and type(entry.asked) is bool
        and type(entry.needs_loop) is bool
    )
    if not right:
        raise Refused(f"an entry has a value of the wrong kind: {short_line(data)}")
    return key, entry


def short_line(data: Any) -> str:
    """Return data on one short line."""
    text = repr(data)
    return text if len(text) <= 100 else f"{text[:99]}…"


def write_learned(path: Path, entries: Mapping[FunctionKey, LearnedEntry]) -> None:
    """Write a file in one step: whoever reads it meanwhile finds the old one or the new one.

    Raises:
        OSError: it cannot be written.
    """
    lines = [
        json.dumps({**key._asdict(), **entries[key]._asdict()})
        for key in sorted(list(entries)[-MOST_FUNCTIONS:])
    ]
    head = f'{{"format": {json.dumps(FORMAT)}, "version": {LEARNED_VERSION}, "functions": ['
    text = "\n".join([head, ",\n".join(lines), "]}", ""])
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with open(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(name, 0o644)
        os.replace(name, path)
    except BaseException:
        os.unlink(name)
        raise


def merged(
    written: Mapping[FunctionKey, LearnedEntry],
    known: Mapping[FunctionKey, LearnedEntry],
    begun: Mapping[FunctionKey, LearnedEntry],
) -> dict[FunctionKey, LearnedEntry]:
    """Return what a file is to carry.

    Args:
        written: what it carries now. Functions that this process has not met stay in it; of those
            that it has met, older code is left out.
        known: what this process learned.
        begun: what the file carried when the process began.
    """
    names = {key[:2] for key in known}
    found = {key: entry for key, entry in written.items() if key[:2] not in names}
    for key, entry in known.items():
        others = written.get(key)
        # What stands there as it was is part of what this process learned.
        found[key] = entry if others in (None, begun.get(key)) else both(entry, others)
    return found


def both(one: LearnedEntry, other: LearnedEntry) -> LearnedEntry:
    """Return what two processes know of a function: what speaks against it in either counts."""
    return LearnedEntry(
        runs=max(one.runs, other.runs),
        quick=max(one.quick, other.quick),
        slow=max(one.slow, other.slow),
        slowest=max(one.slowest, other.slowest),
        asked=one.asked or other.asked,
        needs_loop=one.needs_loop or other.needs_loop,
    )
