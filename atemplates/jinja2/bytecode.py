"""Where compiled templates are kept between processes."""

from __future__ import annotations

import sys
from hashlib import sha1
from inspect import getsource

import jinja2
from django.core.cache import caches
from jinja2.bccache import Bucket, BytecodeCache

from . import (
    certain_items,
    codegen,
    defer_writer,
    expressions,
    loop_writer,
    macro_writer,
    operators,
    parallel_writer,
)

WRITERS = (
    certain_items,
    codegen,
    defer_writer,
    expressions,
    loop_writer,
    macro_writer,
    operators,
    parallel_writer,
)
"""What the code of a template depends on."""


class PlanBytecodeCache(BytecodeCache):
    """A bytecode cache that keeps plans apart from the code that Jinja2 itself has written.

    Args:
        cache: where the bytecode is kept.
        variant: what else the code depends on.
    """

    def __init__(self, cache: BytecodeCache, variant: str) -> None:
        self.cache = cache
        # The text of the generators, so that a change of theirs needs no number to be raised.
        writers = "".join(map(getsource, WRITERS))
        versions = f"{jinja2.__version__} {variant} {writers}"
        self.suffix = sha1(versions.encode(), usedforsecurity=False).hexdigest()[:12]

    def get_cache_key(self, name: str, filename: str | None = None) -> str:
        """The key of a template, which no code of Jinja2's own has."""
        return f"{self.cache.get_cache_key(name, filename)}-{self.suffix}"

    def get_source_checksum(self, source: str) -> str:
        """What changes with the source."""
        return self.cache.get_source_checksum(source)

    def load_bytecode(self, bucket: Bucket) -> None:
        """Fill a bucket from the cache."""
        self.cache.load_bytecode(bucket)

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Put what a bucket holds into the cache."""
        self.cache.dump_bytecode(bucket)

    def clear(self) -> None:
        """Empty the cache."""
        self.cache.clear()


class DjangoBytecodeCache(BytecodeCache):
    """Keeps bytecode in one of Django's caches.

    Whoever can write to that cache can run code in this process, so it must be one that only
    trusted processes can reach.

    Args:
        alias: the cache's name in ``CACHES``.
        timeout: seconds until an entry expires; None means never.
    """

    def __init__(self, alias: str, timeout: float | None = None) -> None:
        self.alias = alias
        self.timeout = timeout

    def key(self, bucket: Bucket) -> str:
        """The entry's key, with what bytecode depends on besides the template."""
        return f"atemplates.bytecode.{sys.implementation.cache_tag}.{bucket.key}"

    def load_bytecode(self, bucket: Bucket) -> None:
        """Fill a bucket from the cache."""
        code = caches[self.alias].get(self.key(bucket))
        if code is not None:
            bucket.bytecode_from_string(code)

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Put what a bucket holds into the cache."""
        caches[self.alias].set(self.key(bucket), bucket.bytecode_to_string(), self.timeout)
