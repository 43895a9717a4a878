"""The recorder: an observer of renders that writes what they load to a file of JSON lines.

An access is written when it is first seen; how often it is seen afterwards is counted and written
from time to time, so that a busy site's file does not grow with its traffic. Each line is one
``os.write`` on a descriptor opened for appending: several processes may share a file.
"""

from __future__ import annotations

import atexit
import os
import stat
import weakref
from pathlib import Path
from random import random
from threading import Lock
from time import monotonic

from ..errors import logger
from ..problems import printable
from ..relations.events import Event
from .recordings import AccessRecord, RecordKey, access_record, render_record

INTERVAL = 10.0
"""Seconds between two writes of counts."""

# Any thread may add one; all of them are listed in one step, which a `WeakSet` does not do.
_recorders: weakref.WeakValueDictionary[int, Recorder] = weakref.WeakValueDictionary()


class Recorder:
    """Writes the events of some of the renders to a file.

    Args:
        file: is made when it is not there; its folder has to be.
        rate: the share of renders that are recorded, from 0 to 1.
        interval: seconds between two writes of how often accesses were seen.
    """

    def __init__(self, file: Path, rate: float = 1.0, interval: float = INTERVAL) -> None:
        self.file = file
        self.rate = rate
        self.interval = interval
        self._reset()
        _recorders[id(self)] = self

    def _reset(self) -> None:
        """Begin with nothing counted; also in a child process, whose parent has the counts."""
        self._lock = Lock()
        self._seen: set[RecordKey] = set()
        self._counted: dict[RecordKey, AccessRecord] = {}
        self._written = monotonic()
        self._descriptor: int | None = None
        self._failed = False

    def takes(self) -> bool:
        """Whether the render that begins now is recorded."""
        return self.rate >= 1 or random() < self.rate

    def begin(self, template: str, view: str) -> None:
        """Note that a template is rendered, so that one that loads nothing is known as well."""
        self._note(render_record(template, view))

    def observe(self, event: Event) -> None:
        """Note an event. An error in writing is logged once, and never reaches a page."""
        if event.kind != "load":  # which no template caused
            self._note(access_record(event))

    def _note(self, record: AccessRecord) -> None:
        key = record.key
        with self._lock:
            if key not in self._seen:
                self._seen.add(key)
                self._write(record)
            elif known := self._counted.get(key):
                known.add(record)
            else:
                self._counted[key] = record
            if self._counted and monotonic() - self._written >= self.interval:
                self._write_counts()

    def close(self) -> None:
        """Write what has been counted and close the file; it is opened again when needed."""
        with self._lock:
            self._write_counts()
            if self._descriptor is not None:
                os.close(self._descriptor)
                self._descriptor = None

    def _write_counts(self) -> None:
        for record in self._counted.values():
            self._write(record)
        self._counted.clear()
        self._written = monotonic()

    def _write(self, record: AccessRecord) -> None:
        if self._failed:
            return
        try:
            if self._descriptor is None:
                self._descriptor = open_for_appending(self.file)
            os.write(self._descriptor, record.as_line())
        except (OSError, ValueError, TypeError) as error:
            # A page must not fail because it is being recorded.
            self._failed = True
            logger.error(
                "Recording to %s has stopped: %s.",
                printable(str(self.file)),
                getattr(error, "strerror", None) or error,
            )

    def after_fork(self) -> None:
        """Begin anew in a child process."""
        if self._descriptor is not None:
            os.close(self._descriptor)
        self._reset()


def recorders() -> list[Recorder]:
    """Every recorder of this process."""
    found = [reference() for reference in _recorders.valuerefs()]
    return [recorder for recorder in found if recorder is not None]


def open_for_appending(file: Path) -> int:
    """Open a file, making it if it is not there; return the descriptor.

    Raises:
        OSError: it cannot be opened, or is no regular file: a FIFO or a device may block whoever
            opens it or writes to it, and a page does not wait for a recording.
        ValueError: its name has a null character.
    """
    if os.path.exists(file):
        check_regular(os.stat(file).st_mode)
    # O_NONBLOCK: it may have become a FIFO just now. O_NOCTTY: or a terminal.
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
    for name in ("O_CLOEXEC", "O_NONBLOCK", "O_NOCTTY"):
        flags |= getattr(os, name, 0)
    descriptor = os.open(file, flags, 0o644)
    try:
        check_regular(os.fstat(descriptor).st_mode)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def check_regular(mode: int) -> None:
    """Raise for everything but a regular file.

    Raises:
        OSError: with what it is.
    """
    if not stat.S_ISREG(mode):
        what = next((name for test, name in RECORDED_KINDS if test(mode)), "something else")
        raise OSError(None, f"it is {what}, and not a regular file")


RECORDED_KINDS = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a FIFO"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


def close_all() -> None:
    """Close every recorder of this process: what is counted gets written."""
    for recorder in recorders():
        recorder.close()


def _after_fork() -> None:
    for recorder in recorders():
        recorder.after_fork()


atexit.register(close_all)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
