"""One reading for all who ask at once, and never one that began before it was asked for."""

from __future__ import annotations

import asyncio

import pytest

from console.shared import SharedReading


class Board:
    def __init__(self) -> None:
        self.written = 0
        self.readings = 0
        self.gate = asyncio.Event()
        self.trouble: Exception | None = None

    async def read(self) -> int:
        self.readings += 1
        seen = self.written
        await self.gate.wait()
        if self.trouble is not None:
            raise self.trouble
        return seen


async def test_many_who_ask_at_once_share_two_readings_and_see_what_was_there_when_they_asked() -> None:
    board, shared = Board(), SharedReading[int]()
    first = asyncio.create_task(shared.get("a", board.read))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    board.written = 1
    later = [asyncio.create_task(shared.get("a", board.read)) for _ in range(20)]
    await asyncio.sleep(0)
    board.gate.set()
    assert await first == 0
    assert await asyncio.gather(*later) == [1] * 20
    assert board.readings == 2
    board.written = 2
    assert await shared.get("a", board.read) == 2


async def test_another_question_is_read_by_itself() -> None:
    board, shared = Board(), SharedReading[int]()
    board.gate.set()
    assert await asyncio.gather(shared.get("a", board.read), shared.get("b", board.read)) == [0, 0]
    assert board.readings == 2


async def test_a_failure_is_told_to_who_shared_it_and_to_nobody_after() -> None:
    board, shared = Board(), SharedReading[int]()
    board.gate.set()
    board.trouble = OSError("gone")
    assert all(
        isinstance(one, OSError)
        for one in await asyncio.gather(*(shared.get("a", board.read) for _ in range(3)), return_exceptions=True)
    )
    board.trouble = None
    assert await shared.get("a", board.read) == 0


async def test_who_goes_away_leaves_the_reading_to_the_others() -> None:
    board, shared = Board(), SharedReading[int]()
    leaving = asyncio.create_task(shared.get("a", board.read))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    staying = asyncio.create_task(shared.get("a", board.read))
    await asyncio.sleep(0)
    leaving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await leaving
    board.gate.set()
    assert await staying == 0
