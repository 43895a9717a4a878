"""A template loader that notes where it is asked to read."""

import asyncio
import threading

from django.template.loaders import locmem


def where():
    """Return whether a loop runs in this thread, and the thread."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False, threading.current_thread()
    return True, threading.current_thread()


class Loader(locmem.Loader):
    """Takes its templates from memory, and lists each read in `reads`."""

    reads: list[tuple[str, bool, threading.Thread]] = []

    def get_contents(self, origin):
        self.reads.append((origin.template_name, *where()))
        return super().get_contents(origin)
