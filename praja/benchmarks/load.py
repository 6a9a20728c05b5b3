"""Two ways to load a bot: new turns on time however long earlier ones take, and as many as a number of people can at once."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from itertools import cycle

from praja.benchmarks.measured import Measured

__all__ = ["TALK", "Turn", "at_once", "paced"]

TALK = (
    "assalamualaikum min",
    "ktp saya hilang, ngurusnya gimana",
    "syaratnya apa aja",
    "bayar ga?",
    "berapa hari jadinya",
    "ngurusnya di mana",
    "yok opo carane nggawe akte lahir",
    "suwun yo",
)
Turn = Callable[[int, str], Awaitable[float]]
"""number of the person and text → seconds"""
_PACED_PEOPLE = 40
_DIALOGUE = 20
"""messages of a person before the next one comes"""


async def paced(turn: Turn, rate: int, seconds: int) -> Measured:
    """Each by another person than the one before."""
    texts = cycle(TALK)
    started = time.monotonic()
    tasks: list[asyncio.Future[float]] = []
    for number in range(seconds * rate):
        await asyncio.sleep(max(0.0, started + number / rate - time.monotonic()))
        tasks.append(asyncio.ensure_future(turn(number % _PACED_PEOPLE, next(texts))))
    turns = list(await asyncio.gather(*tasks))
    return Measured(f"{rate} giliran baru per detik", time.monotonic() - started, turns)


async def at_once(turn: Turn, people: int, seconds: int, name: str | None = None) -> Measured:
    """Each writes again once answered; numbers of people are above those of `paced`."""
    started = time.monotonic()

    async def talk(place: int) -> list[float]:
        texts = cycle(TALK)
        turns: list[float] = []
        while time.monotonic() - started < seconds:
            person = _PACED_PEOPLE + place + people * (len(turns) // _DIALOGUE)
            turns.append(await turn(person, next(texts)))
        return turns

    turns = [one for talked in await asyncio.gather(*map(talk, range(people))) for one in talked]
    return Measured(name or f"{people} orang serentak", time.monotonic() - started, turns)
