"""Where code of others runs, the event loop or the request's thread: learned from what it did.

Code that was not met before runs in the request's thread and is watched: how long it takes, and
whether it asks for a database connection. What was quick `TRUSTED_AFTER` times in a row and asked
for nothing runs on the loop from then on, on trial: if it ever asks, or takes long, it goes back to
the thread for good.

What was learned belongs to the process; a file can carry it to the next one (`carry`). It is about
functions, never about values.
"""

from __future__ import annotations

import atexit
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any, NamedTuple

from ..errors import logger
from .guard import GuardWatch, NeedsLoop, needs_loop
from .python_code import SOMEBODYS
from .visible_code import is_visible

if TYPE_CHECKING:
    from .learned_file import FunctionKey, LearnedEntry

# `learned_file` is imported where a file is read or written: most sites carry none.

TRUSTED_AFTER = 3
"""After how many quick runs in the thread code runs on the loop."""
QUICK = 0.0005
"""How many seconds a quick run takes at most."""
STRIKES = 3
"""How often code may take long before it belongs to the thread for good: a run is also slow when
the machine is."""
FORGIVEN = 50
"""After how many runs one of those that took long is forgotten."""
MOST_RECORDS = 5_000
"""How many functions are remembered, in programs that make functions without end."""


class FunctionRecord:
    """What is known of one function."""

    __slots__ = ("asked", "needs_loop", "quick", "runs", "slow", "slowest", "visible")

    def __init__(self) -> None:
        self.runs = 0
        self.quick = 0
        """Quick runs in a row."""
        self.slow = 0
        """How often it took long, lately."""
        self.slowest = 0.0
        """Seconds."""
        self.asked = False
        """Whether it ever asked for the database."""
        self.needs_loop = False
        """Whether it starts tasks, or does something else that takes a running event loop."""
        self.visible: bool | None = None
        """Whether it only works on its arguments; None before anybody asked."""

    @classmethod
    def of(cls, entry: LearnedEntry) -> FunctionRecord:
        """Make the record that a file carries."""
        record = cls()
        for name in entry._fields:
            setattr(record, name, getattr(entry, name))
        record.quick = min(record.quick, record.runs)
        return record

    @property
    def entry(self) -> LearnedEntry:
        """What a file is to carry."""
        from .learned_file import LearnedEntry

        return LearnedEntry(*(getattr(self, name) for name in LearnedEntry._fields))

    @property
    def belongs_in_thread(self) -> bool:
        """Whether it asked for the database, or took long too often."""
        return not self.needs_loop and (self.asked or self.slow >= STRIKES)

    @property
    def place(self) -> str:
        """``"loop"``, ``"thread"`` (for good), or ``"learning"`` (in the thread, watched)."""
        if self.belongs_in_thread:
            return "thread"
        return "loop" if self.is_trusted(TRUSTED_AFTER) else "learning"

    def is_trusted(self, after: int) -> bool:
        """Whether it may run on the loop, after so many quick runs in the thread."""
        return self.needs_loop or (self.quick >= after and not self.belongs_in_thread)

    def sees_through(self, code: Any) -> bool:
        """Whether the function, whose record this is, only works on its arguments."""
        if self.visible is None:
            self.visible = is_visible(code)
        return self.visible

    def note(self, seconds: float, asked: bool) -> None:
        """Note one run."""
        self.runs += 1
        if seconds > self.slowest:
            self.slowest = seconds
        if asked:
            self.asked = True
        elif seconds > QUICK:
            self.slow += 1
            if self.quick < TRUSTED_AFTER or self.slow >= STRIKES:
                self.quick = 0
        else:
            self.quick += 1
            if self.slow and self.runs % FORGIVEN == 0 and not self.belongs_in_thread:
                self.slow -= 1


RECORDS: dict[Any, FunctionRecord] = {}
"""Function -> what is known of it. Threads may race for a record and its numbers: then a run is
not counted, and the function stays in the thread for one run more. `Record.asked` is only ever set
to True."""


def function_record(code: Any) -> FunctionRecord:
    """Return the record of a function, a new one if it was not met before."""
    record = known_record(code)
    if record is None:
        record = FunctionRecord()
        record.needs_loop = names_loop(code)
        record = keep(code, record)
    return record


def keep(code: Any, record: FunctionRecord) -> FunctionRecord:
    """Keep the first record of a function; return the one that is kept."""
    if len(RECORDS) >= MOST_RECORDS:
        RECORDS.clear()
    try:
        return RECORDS.setdefault(code, record)
    except TypeError:  # a callable object without a hash stays in the thread
        return record


def known_record(code: Any) -> FunctionRecord | None:
    """Return the record of a function, also one that a file carries; None if there is none."""
    try:
        record = RECORDS.get(code)
    except TypeError:  # a callable object without a hash
        return None
    if record is None and CARRIED:
        from . import learned_file

        name = learned_file.qualified_name(code)
        entry = CARRIED[name].get(learned_file.digest_of(code)) if name in CARRIED else None
        if entry is not None:
            record = keep(code, FunctionRecord.of(entry))
    return record


CARRIED: dict[tuple[str, str], dict[str, LearnedEntry]] = {}
"""Module and qualified name -> digest of the code -> what files carry of it. It is only added to,
in single steps; whoever reads it meanwhile finds a function in the thread for one run more."""
BEGUN: dict[Path, dict[FunctionKey, LearnedEntry]] = {}
"""The files that are written when the process ends, with what they carried when it began. Set in
single steps, when backends are made."""

LOOP_NAMES = frozenset(
    {"create_task", "ensure_future", "get_running_loop", "current_task", "TaskGroup"}
)
"""What code calls that takes a running event loop."""


def names_loop(code: Any) -> bool:
    """Whether a function itself calls what takes a running event loop."""
    written = getattr(code, "__code__", None)
    return written is not None and not LOOP_NAMES.isdisjoint(written.co_names)


def is_trusted(code: Any, after: int = TRUSTED_AFTER) -> bool:
    """Whether a function may run on the event loop, by what was learned of it.

    Args:
        code: the function.
        after: how many quick runs in the thread it takes.
    """
    if code is SOMEBODYS:
        return False
    record = known_record(code)
    if record is None:
        return after == 0 or names_loop(code)
    return record.is_trusted(after)


def is_learning(code: Any) -> bool:
    """Whether a function has not shown yet where it belongs."""
    if code is None or code is SOMEBODYS:
        return False
    record = known_record(code)
    return record is None or record.place == "learning"


def belongs_in_thread(code: Any) -> bool:
    """Whether a function has shown that it asks for the database, or takes long."""
    record = known_record(code)
    return record is not None and record.belongs_in_thread


def observed(code: Any, function: Any, *args: Any, **kwargs: Any) -> Any:
    """Call ``function`` in the request's thread, and note how ``code`` behaved in it.

    Args:
        code: what runs inside, as `atemplates.placement.python_code` says.

    Raises:
        NeedsLoop: it has to run on the event loop.
    """
    if code is None:
        return function(*args, **kwargs)
    try:
        return noted(code, function, *args, **kwargs)
    except RuntimeError as error:
        if not needs_loop(error):
            raise
        if code is not SOMEBODYS:
            function_record(code).needs_loop = True
        raise NeedsLoop(partial(function, *args, **kwargs)) from error


def noted(code: Any, function: Any, *args: Any, **kwargs: Any) -> Any:
    """Call ``function`` and note how ``code`` behaved, as long as that is not known.

    Arguments as for `observed`.
    """
    if code is None or code is SOMEBODYS:
        return function(*args, **kwargs)
    record = function_record(code)
    if record.quick >= TRUSTED_AFTER or record.belongs_in_thread:
        return function(*args, **kwargs)
    watch = GuardWatch()
    start = perf_counter()
    try:
        with watch:
            return function(*args, **kwargs)
    finally:
        record.note(perf_counter() - start, watch.asked)


# -- from one process to the next ------------------------------------------------------------------


def carry(path: str | Path) -> None:
    """Begin with what a file carries, and write what is learned into it when the process ends.

    A file that cannot be used is left alone, and a warning logged.

    Args:
        path: the file. It need not be there yet; its folder has to be.
    """
    from . import learned_file

    file = Path(path).absolute()
    try:
        entries = learned_file.read_learned(file)
    except learned_file.Refused as error:
        logger.warning("What was learned is not read from %s: %s.", file, error)
        return
    for (module, name, digest), entry in entries.items():
        CARRIED.setdefault((module, name), {})[digest] = entry
    BEGUN.setdefault(file, entries)


def save(path: str | Path) -> None:
    """Write what was learned so far into a file, beside what others wrote into it.

    A file that cannot be used is left alone, and a warning logged.

    Args:
        path: the file. It need not be there yet; its folder has to be.
    """
    from . import learned_file

    file = Path(path).absolute()
    try:
        written = learned_file.read_learned(file)
        entries = learned_file.merged(written, entries_learned(), BEGUN.get(file, {}))
        if entries != written:
            learned_file.write_learned(file, entries)
    except (learned_file.Refused, OSError) as error:
        logger.warning("What was learned is not written to %s: %s.", file, error)


@atexit.register
def save_all() -> None:
    """Write the files that the backends carry."""
    for file in list(BEGUN):
        save(file)


def entries_learned() -> dict[FunctionKey, LearnedEntry]:
    """Return what another process may know of the functions that were met in this one."""
    from . import learned_file

    entries: dict[FunctionKey, LearnedEntry] = {}
    for code, record in list(RECORDS.items()):
        key = learned_file.key_of(code)
        if key is not None and record.runs:
            before = entries.get(key)
            entries[key] = (
                record.entry if before is None else learned_file.both(record.entry, before)
            )
    return entries


# -- for people to read ----------------------------------------------------------------------------


class Learned(NamedTuple):
    """What was learned of a function, for people to read."""

    name: str
    place: str
    runs: int
    slowest: float
    """Milliseconds."""
    asked: bool
    said: str
    """Where it runs and why, in words."""

    @classmethod
    def of(cls, name: str, record: FunctionRecord) -> Learned:
        """Describe a record."""
        slowest = record.slowest * 1000
        return cls(name, record.place, record.runs, slowest, record.asked, said_of(record))


def learned() -> list[Learned]:
    """Return what was learned in this process, or by others that left it in a file, by name."""
    found = [Learned.of(record_name(code), record) for code, record in list(RECORDS.items())]
    met = {each.name for each in found}
    for (module, name), entries in list(CARRIED.items()):
        if f"{module}.{name}" not in met:
            records = map(FunctionRecord.of, list(entries.values()))
            found += [Learned.of(f"{module}.{name}", record) for record in records]
    return sorted(found)


TIMES = "three times"
"""`TRUSTED_AFTER` in words."""
LEARNED_WORDS = "learned: "
"""How the words begin for what is settled."""


def said_of(record: FunctionRecord) -> str:
    """Say where a function runs by what was learned, and why."""
    slowest = f"slowest {record.slowest * 1000:.2f} ms"
    if record.needs_loop:
        return f"{LEARNED_WORDS}on the loop, because it needs one that is running"
    if record.asked:
        return f"{LEARNED_WORDS}in the thread, because it asks the database"
    if record.belongs_in_thread:
        return f"{LEARNED_WORDS}in the thread, because it took long ({slowest})"
    if record.place == "loop":
        return f"{LEARNED_WORDS}on the loop ({record.runs} runs, {slowest})"
    so_far = f" ({record.quick} so far)" if record.quick else ""
    return f"in the request's thread until it has been quick {TIMES}{so_far}"


def said_of_code(code: Any) -> str:
    """Say where a function runs that may run on the loop once it has earned that."""
    record = known_record(code)
    if record is None:
        record = FunctionRecord()
        record.needs_loop = names_loop(code)
    return said_of(record)


def record_name(code: Any) -> str:
    """The module and name of a function or class."""
    return f"{getattr(code, '__module__', None) or '?'}.{getattr(code, '__qualname__', code)}"
