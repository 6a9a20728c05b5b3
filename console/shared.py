"""One reading for all who ask at the same moment, as the pages of every officer do when a citizen writes."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

__all__ = ["SharedReading"]

Read = TypeVar("Read")


class SharedReading(Generic[Read]):
    """What is given was read after it was asked for: who asks while a reading runs gets the one that follows it."""

    def __init__(self) -> None:
        self._running: dict[Hashable, asyncio.Task[Read]] = {}
        self._following: dict[Hashable, asyncio.Task[Read]] = {}

    async def get(self, key: Hashable, read: Callable[[], Awaitable[Read]]) -> Read:
        """`key` says what is read; `read` is the same for all who give that key. Raises what `read` raises."""
        running, following = self._running.get(key), self._following.get(key)
        if running is None:
            following = self._running[key] = asyncio.create_task(self._read(key, read))
        elif following is None:
            following = self._following[key] = asyncio.create_task(self._read(key, read, after=running))
        # Who goes away doesn't take it from the others.
        return await asyncio.shield(following)

    async def _read(
        self, key: Hashable, read: Callable[[], Awaitable[Read]], after: asyncio.Task[Read] | None = None
    ) -> Read:
        if after is not None:
            await asyncio.wait([after])
            self._running[key] = self._following.pop(key)
        try:
            return await read()
        finally:
            if key not in self._following:
                del self._running[key]
