"""The folder in which a process keeps compiled code for the next one.

A file holds the code of one node list. Its name is the key: what the code depends on (`plan_keys`),
so a file is never out of date; one that nobody asks for is left over. What is in a file is believed
only if nobody else can have written it, and the key and a checksum in it agree.
"""

from __future__ import annotations

import hashlib
import marshal
import os
import stat
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from ..errors import logger
from .module import CompiledModule
from .plan_keys import NodeWalk, Unwalkable, environment_digest
from .stored_constants import Describer, Description, Undescribable, restore

MAGIC = b"atemplates plan 1\n"
DIGEST = hashlib.sha256().digest_size
HEAD = len(MAGIC) + 2 * DIGEST
SUFFIX = ".plan"


class Unusable(Exception):
    """A file cannot be believed; the message says why."""


def kept_bytes(module: CompiledModule, key: PlanKey) -> bytes:
    """Return what a file holds.

    Raises:
        Undescribable: a constant cannot be described.
    """
    describer = Describer(key.walk, module.made)
    numbers = key.walk.numbers
    constants = [(name, describer.describe(value)) for name, value in module.constants.items()]
    prepared = [(describer.describe(do), describer.describe(node)) for do, node in module.prepared]
    parts = []
    for name, code, ends, nodes in module.parts:
        places = []
        for node in nodes:
            if node is not None and id(node) not in numbers:
                raise Undescribable(type(node))
            places.append(-1 if node is None else numbers[id(node)])
        parts.append((name, code, ends, tuple(places)))
    data = marshal.dumps((constants, prepared, parts))
    return MAGIC + key.digest + hashlib.sha256(key.digest + data).digest() + data


def kept_module(content: bytes, key: PlanKey) -> CompiledModule:
    """Read what a file holds.

    Raises:
        Unusable: it is not what was written for this key.
    """
    digest = content[len(MAGIC) : len(MAGIC) + DIGEST]
    checksum, data = content[len(MAGIC) + DIGEST : HEAD], content[HEAD:]
    if not content.startswith(MAGIC) or digest != key.digest:
        raise Unusable("it is no file of ours, or has another's name")
    if hashlib.sha256(digest + data).digest() != checksum:
        raise Unusable("its checksum is wrong")
    described: list[tuple[str, Description]]
    described, prepared, parts = marshal.loads(data)
    objects = key.walk.objects
    return CompiledModule(
        [
            (name, code, ends, tuple([None if n < 0 else objects[n] for n in nodes]))
            for name, code, ends, nodes in parts
        ],
        {name: restore(each, objects) for name, each in described},
        [(restore(do, objects), restore(node, objects)) for do, node in prepared],
        {},
    )


def read_code_file(path: Path) -> bytes | None:
    """Read a file of code; None if it is not there.

    Raises:
        Unusable: somebody else may have written it.
        OSError: it cannot be read.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    except FileNotFoundError:
        return None
    try:
        status = os.fstat(descriptor)
        refuse_code_of_others(status)
        content = os.read(descriptor, status.st_size)
    finally:
        os.close(descriptor)
    return content


def refuse_code_of_others(status: os.stat_result) -> None:
    """Refuse a file that somebody may have written who could not change our own code.

    Raises:
        Unusable: it is one, or no file at all.
    """
    if not stat.S_ISREG(status.st_mode):
        raise Unusable("it is no file")
    if os.name != "posix":
        return
    if status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise Unusable("others may write it; take that away with chmod go-w")
    if status.st_uid not in (0, os.geteuid()) and status.st_uid != os.stat(__file__).st_uid:
        raise Unusable("it belongs to another user than the process and the package atemplates")


def write_code_file(path: Path, content: bytes) -> None:
    """Write a file in one step, in a folder that is made if only that is missing.

    Raises:
        OSError: it cannot be written.
    """
    import tempfile  # where code is only read, nobody needs it

    try:
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=f"{SUFFIX}.new")
    except FileNotFoundError:
        with suppress(FileExistsError):
            os.mkdir(path.parent, 0o755)
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=f"{SUFFIX}.new")
    try:
        with open(descriptor, "wb") as file:
            file.write(content)
        os.chmod(name, 0o644)
        os.replace(name, path)
    except BaseException:
        with suppress(OSError):
            os.unlink(name)
        raise


class PlanKey(NamedTuple):
    """The key of a node list's code, and the walk that found it out."""

    digest: bytes
    walk: NodeWalk


class PlanCache:
    """A folder of compiled code. Several threads and processes may use it at a time.

    Args:
        folder: where the files are.
        checks: whether it only counts what is not there, and writes nothing.
    """

    def __init__(self, folder: Path, *, checks: bool = False) -> None:
        self.folder = folder
        self.checks = checks
        self.used: set[str] = set()
        """The names of the files that were asked for, and are there. Any thread may add one."""
        self.loaded = self.stored = self.missing = self.refused = 0
        """How many; counted for the management command, which is one thread."""
        self._environment = b""
        self._told: set[str] = set()
        # Both: any thread may set them, to the same; at worst a line is logged twice.

    def key(self, nodelist: Any, *names: str) -> PlanKey | None:
        """Return the key of a node list that was not compiled yet; None if it cannot be kept."""
        walk = NodeWalk()
        try:
            if not self._environment:
                self._environment = environment_digest()
            walk.add(nodelist)
            return PlanKey(walk.digest(self._environment, *names), walk)
        except (Unwalkable, RecursionError, ValueError, OSError):
            self.refused += 1
            return None

    def path_of(self, key: PlanKey) -> Path:
        """Return the file for a key."""
        return self.folder / f"{key.digest.hex()}{SUFFIX}"

    def load(self, key: PlanKey) -> CompiledModule | None:
        """Return the code that is kept under a key, or None."""
        path = self.path_of(key)
        try:
            content = self.read(path)
            if content is None:
                return None
            found = kept_module(content, key)
        except Unusable as error:
            self._tell(f"a file of it is not used: {path.name}: {error}")
            return None
        except OSError as error:
            self._tell(f"it cannot be read: {error.strerror or error}")
            return None
        except Exception as error:
            self._tell(f"a file of it is damaged: {path.name}: {type(error).__name__}: {error}")
            return None
        self.used.add(path.name)
        self.loaded += 1
        return found

    def store(self, key: PlanKey, module: CompiledModule) -> None:
        """Keep code under a key, if that is possible."""
        try:
            content = kept_bytes(module, key)
        except (Undescribable, RecursionError, ValueError):
            self.refused += 1
            return
        if self.checks:
            self.missing += 1
            return
        path = self.path_of(key)
        try:
            self.write(path, content)
        except OSError as error:
            self._tell(f"it cannot be written: {error.strerror or error}")
            return
        self.used.add(path.name)
        self.stored += 1

    def read(self, path: Path) -> bytes | None:
        """Read a file; None if it is not there."""
        return read_code_file(path)

    def write(self, path: Path, content: bytes) -> None:
        """Write a file."""
        write_code_file(path, content)

    def _tell(self, what: str) -> None:
        kind = what.partition(":")[0]
        if kind not in self._told:
            self._told.add(kind)
            logger.warning(
                "OPTIONS['plan_cache'] %r: %s. Templates are compiled instead.",
                str(self.folder),
                what,
            )
