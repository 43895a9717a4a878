"""Where code of a third party ran: a test clears `NOTES`, and reads them afterwards."""

import asyncio
import threading

NOTES: list[tuple[str, bool, int]] = []
"""What ran, whether a loop was running there, and in which thread."""


def on_loop():
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def note(what):
    NOTES.append((what, on_loop(), threading.get_ident()))
