"""Which file compiled code names in tracebacks, and where ``linecache`` finds its text.

``linecache`` looks for a file first, also below the current folder and along ``sys.path``, and
keeps what it found for good. So code of a template that is in no file has a name that no file has,
and what was kept for it goes when the template goes.
"""

from __future__ import annotations

import linecache
import os
import weakref
from collections import OrderedDict
from collections.abc import Callable
from itertools import count
from threading import RLock
from typing import Any
from zlib import crc32

from django.template.base import UNKNOWN_SOURCE, Template
from django.template.loaders.filesystem import Loader as FilesystemLoader

text_numbers = count(1)
KEPT = 50
"""Of how many templates without a file ``linecache`` keeps the text at most."""

SHARED = "memory:"
"""How a name begins that depends on nothing but a template's name and text."""

TEXT_ATTRIBUTE = "_atemplates_text"
"""Where an origin keeps the name that code of its template gives for its file."""

_kept: OrderedDict[str, None] = OrderedDict()
"""The names that ``linecache`` was told of, oldest first. Any thread may format a traceback: the
lock is held for each change. The garbage collector may call `forget_text` inside `note`."""
_living: dict[str, int] = {}
"""The names that several templates may have, of one name and text -> how many loaders live. Changed
with the lock held."""
_lock = RLock()


def template_text(origin: Any, template: Any) -> TextOf:
    """Return the loader of code that is compiled from a template, with the name of its file.

    Args:
        origin: the template's, or None when that is not known.
        template: it, where it is known: its blocks, and what stands inside foreign tags, know no
            more than the origin. They are compiled after it.
    """
    if not isinstance(template, Template):
        template = None  # a partial, whose source is a part of the file, and costs a load
    kept = vars(origin).get(TEXT_ATTRIBUTE) if origin is not None else None
    if kept is not None and template is None:
        name, this = kept
        return TextOf(name, this())
    name = _name_of(origin, template)
    if template is not None and origin is not None:
        vars(origin)[TEXT_ATTRIBUTE] = (name, weakref.ref(template))
    return TextOf(name, template)


def _name_of(origin: Any, template: Any) -> str:
    """Return the file of a template, or a name that no file has."""
    if origin is None or origin.name == UNKNOWN_SOURCE:
        return f"template string {next(text_numbers)}"
    # A name may be a lazy translation or a path. One from a template's text is a SafeString, and so
    # is what str() makes of it; a code object must not hold one.
    name = "".join((str(origin.name),))
    source = str(getattr(template, "source", ""))
    if isinstance(origin.loader, FilesystemLoader) or file_holds(name, source):
        return name
    # The same text has the same name, so that reports of errors can be grouped by it.
    shown = name.encode("unicode_escape").decode("ascii") if not name.isprintable() else name
    return f"{SHARED}{crc32(source.encode('utf-8', 'replace')):08x}/{shown}"


def file_holds(name: str, source: str) -> bool:
    """Whether there is a file of that absolute name with that text.

    A loader of the site may read files in a way of its own.
    """
    if not source or not os.path.isabs(name):
        return False
    try:
        with open(name, "rb") as file:
            return file.read().decode("utf-8").replace("\r\n", "\n") == source.replace("\r\n", "\n")
    except (OSError, ValueError):
        return False


class TextOf:
    """The loader of a compiled module: gives ``linecache`` the text of a template without a file.

    Args:
        name: which the code gives for its file.
        template: whose text it is, if that is known.
    """

    def __init__(self, name: str, template: Any) -> None:
        self.name = name
        self.template = template
        self.is_noted = False
        if name.startswith(SHARED):
            # What `linecache` has serves all of them, and goes with the last one.
            self.is_noted = True
            with _lock:
                _living[name] = _living.get(name, 0) + 1
            weakref.finalize(self, forget_shared_text, name).atexit = False

    @property
    def get_source(self) -> Callable[[str], str | None]:
        """What ``linecache`` keeps, and calls with the module's name for the text.

        It does not hold the template, which is dropped with what ``linecache`` has of it.
        """
        if not self.is_noted:
            self.is_noted = True
            weakref.finalize(self, forget_text, self.name).atexit = False
        note(self.name)
        this = weakref.ref(self)

        def get_source(module: str) -> str | None:
            loader = this()
            source = getattr(loader.template, "source", None) if loader is not None else None
            return None if source is None else str(source)

        return get_source


def note(name: str) -> None:
    """Remember that ``linecache`` was told of a template's text; the oldest one is dropped."""
    with _lock:
        _kept[name] = None
        _kept.move_to_end(name)
        dropped = _kept.popitem(last=False)[0] if len(_kept) > KEPT else None
    if dropped is not None:
        linecache.cache.pop(dropped, None)


def forget_shared_text(name: str) -> None:
    """Note that one of the loaders of a name is gone; with the last one goes the text."""
    with _lock:
        left = _living.pop(name) - 1
        if left:
            _living[name] = left
            return
    forget_text(name)


def forget_text(name: str) -> None:
    """Have ``linecache`` drop what it has of a template."""
    with _lock:
        _kept.pop(name, None)
    linecache.cache.pop(name, None)
