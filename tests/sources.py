"""Querysets that are not Django's, in the shapes that there are: what only ``async for`` reads."""

from __future__ import annotations

import asyncio
from typing import Any

from django.core.exceptions import SynchronousOnlyOperation
from django.db.models import QuerySet
from django.utils.asyncio import async_unsafe

from tests.testapp.models import Region


class Rows:
    """What stock Django gets in the place of a source: the same rows, read synchronously."""

    def __init__(self, *rows: Any) -> None:
        self.rows = list(rows)

    def __iter__(self):
        return iter(self.rows)

    def __len__(self):
        return len(self.rows)

    def __getitem__(self, key):
        if isinstance(key, str):
            raise TypeError
        return self.rows[key]

    def __contains__(self, row):
        return row in self.rows

    def count(self):
        return len(self.rows)

    def exists(self):
        return bool(self.rows)

    def first(self):
        return self.rows[0] if self.rows else None

    def last(self):
        return self.rows[-1] if self.rows else None

    def in_bulk(self):
        return dict(enumerate(self.rows))

    def iterator(self):
        return iter(self.rows)

    def __repr__(self):
        return "<rows>"


class OnlyAsync:
    """Nothing but ``async for`` and the async methods of a queryset; keeps no rows."""

    def __init__(self, *rows: Any) -> None:
        self.rows = list(rows)
        self.asked = 0
        """How often the rows were asked for, as a query would be sent."""

    async def __aiter__(self):
        self.asked += 1
        await asyncio.sleep(0)
        for row in self.rows:
            yield row

    async def acount(self):
        return len(self.rows)

    async def aexists(self):
        return bool(self.rows)

    async def afirst(self):
        return self.rows[0] if self.rows else None

    async def alast(self):
        return self.rows[-1] if self.rows else None

    async def ain_bulk(self):
        return dict(enumerate(self.rows))

    async def adelete(self):
        raise AssertionError("no template deletes rows")

    async def aclear(self):
        raise AssertionError("no template clears anything")

    def __repr__(self):
        return "<rows>"


class Refusing(OnlyAsync):
    """As django-async-backend's: what is sync raises ``TypeError``; keeps its rows."""

    def __init__(self, *rows: Any) -> None:
        super().__init__(*rows)
        self._result_cache = None

    def __iter__(self):
        raise TypeError("not iterable synchronously")

    def __len__(self):
        raise TypeError("len() is not supported")

    async def _fetch_all(self):
        if self._result_cache is None:
            self.asked += 1
            await asyncio.sleep(0)
            self._result_cache = list(self.rows)

    async def __aiter__(self):
        await self._fetch_all()
        for row in self._result_cache:
            yield row

    def __getitem__(self, key):
        if not isinstance(key, (int, slice)):
            raise TypeError("indices must be integers or slices")
        if isinstance(key, slice) and key.step:
            return self._every(key)
        if isinstance(key, slice):
            return type(self)(*self.rows[key])

        async def fetch():
            return self.rows[key]

        return fetch()

    async def _every(self, key):
        await self._fetch_all()
        for row in self._result_cache[key]:
            yield row


class Guarded(OnlyAsync):
    """What is sync is there, and raises what Django's guard raises, wherever it is used."""

    def refuse(self, *args):
        raise SynchronousOnlyOperation("use `async for`")

    __iter__ = __len__ = __getitem__ = refuse
    count = exists = first = last = in_bulk = refuse


class Late(OnlyAsync):
    """``__iter__`` is a generator function, so that it refuses no earlier than its first row."""

    def __iter__(self):
        raise TypeError("not iterable synchronously")
        yield

    def __len__(self):
        raise TypeError("len() is not supported")

    def __bool__(self):
        raise TypeError("its truth is not known")

    def count(self):
        raise TypeError("use acount()")

    def exists(self):
        raise TypeError("use aexists()")


class Both(OnlyAsync):
    """Sync off the event loop, as Django's own, and async on it; counts both."""

    @async_unsafe
    def __iter__(self):
        self.asked += 1
        return iter(self.rows)

    @async_unsafe
    def __len__(self):
        return len(self.rows)

    @async_unsafe
    def __getitem__(self, key):
        if isinstance(key, str):
            raise TypeError
        return self.rows[key]

    @async_unsafe
    def count(self):
        return len(self.rows)

    exists = async_unsafe(Rows.exists)
    in_bulk = async_unsafe(Rows.in_bulk)
    first = async_unsafe(Rows.first)
    last = async_unsafe(Rows.last)


class AsyncMethods(OnlyAsync):
    """Its methods are coroutine functions without an ``a`` in front."""

    async def count(self):
        return len(self.rows)

    async def exists(self):
        return bool(self.rows)

    async def first(self):
        return await self.afirst()

    async def last(self):
        return await self.alast()


class OfDjango(QuerySet):
    """A subclass of Django's that refuses what is sync."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(Region)
        self.rows = list(args)
        self.asked = 0

    __iter__, __len__ = Refusing.__iter__, Refusing.__len__
    __bool__ = count = exists = first = last = in_bulk = Late.__bool__
    __aiter__ = OnlyAsync.__aiter__
    acount, aexists = OnlyAsync.acount, OnlyAsync.aexists
    ain_bulk, iterator = OnlyAsync.ain_bulk, Rows.iterator
    afirst, alast = OnlyAsync.afirst, OnlyAsync.alast
    __getitem__ = Refusing.__iter__

    def __repr__(self):
        return "<rows>"


SHAPES = [OnlyAsync, Refusing, Guarded, Late, Both, AsyncMethods, OfDjango]
