"""Tasks of which a limited number run at once."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from types import TracebackType
from typing import Self

__all__ = ["Crew"]


class Crew:
    """At the end of its block the tasks under way may finish, for at most `patience` seconds; after an error they may not."""

    def __init__(self, size: int, patience: float) -> None:
        self._size = size
        self._patience = patience
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def free(self) -> int:
        return self._size - len(self._tasks)

    def start(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def one_done(self) -> None:
        await asyncio.wait(self._tasks, return_when=asyncio.FIRST_COMPLETED)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._tasks and error is None:
            await asyncio.wait(self._tasks, timeout=self._patience)
        late = list(self._tasks)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)
