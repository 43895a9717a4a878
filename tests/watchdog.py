"""Ends what never ends: a loop in Python code, in whichever thread it turns."""

from __future__ import annotations

import ctypes
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import atemplates

PACKAGE = str(Path(atemplates.__file__).parent)
PATIENCE = 60.0
"""Seconds after which something is said to hang. Nothing here takes one."""


class Hung(Exception):
    """Code of ours ran for too long."""


@contextmanager
def watchdog(seconds: float = PATIENCE) -> Iterator[None]:
    """Raise `Hung` in the threads that run code of ours when the block takes too long."""
    timer = threading.Timer(seconds, bite)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def bite() -> None:
    """Raise `Hung` in each thread that has code of ours on its stack."""
    for thread, frame in sys._current_frames().items():
        while frame is not None and not frame.f_code.co_filename.startswith(PACKAGE):
            frame = frame.f_back
        if frame is not None and thread != threading.get_ident():
            ctypes.pythonapi.PyThreadState_SetAsyncExc(
                ctypes.c_ulong(thread), ctypes.py_object(Hung)
            )
