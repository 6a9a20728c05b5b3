"""Turns and sendings race officers who take the conversation over: from then on the bot says nothing."""

from __future__ import annotations

import asyncio
import random
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from bot.channel import Address, Outgoing
from bot.desk import states
from bot.desk.keeper import Keeper
from bot.desk.speech import say
from tests.bot.conftest import Room
from tests.bot.desk.people import DEWI
from tests.bot.fakes import PaperChannel, update
from tests.fakes.rasa import FakeRasa

PEOPLE = 12
GRACE = 0.1
"""seconds: what was allowed to go before the officer came may still be on its way"""


@dataclass
class Timed(PaperChannel):
    sendings: list[tuple[float, str, str]] = field(default_factory=list)

    async def send(self, to: Sequence[Address], message: Outgoing) -> str:
        self.sendings.append((time.monotonic(), to[0].value, message.text))
        return await super().send(to, message)


@pytest.mark.parametrize("rounds", [1, pytest.param(20, marks=pytest.mark.verify)])
async def test_the_bot_is_silent_from_the_moment_an_officer_has_it(room: Room, rasa: FakeRasa, rounds: int) -> None:
    for _ in range(rounds):
        await _race(room, rasa)


async def _race(room: Room, rasa: FakeRasa) -> None:
    """Each of the people is answered by the bot, and taken over by an officer at some moment of it."""
    channel = room.channel = Timed()
    desk = room.desk()
    rasa.delay = 0.03
    taken: dict[str, float] = {}
    here = {f"ID.{uuid.uuid4().hex[:8]}": asyncio.Event() for _ in range(PEOPLE)}

    async def citizen(name: str) -> None:
        for number in range(5):
            await room.receive(update(f"{name}-{number}", bsuid=name, text=f"halo {number}"))
            here[name].set()
            await asyncio.sleep(0.05)

    async def officer(name: str, after: float) -> None:
        await here[name].wait()
        await asyncio.sleep(after + random.uniform(0, 0.03))
        conversation: uuid.UUID = await room.value(
            "SELECT conversation FROM bot.inbox WHERE external_id = :first", first=f"{name}-0"
        )
        await states.take_over(desk, DEWI, conversation, agency="umum")
        taken[name] = time.monotonic()
        await say(desk, DEWI, conversation, "Saya petugas.")

    async with room.at_work(room.worker(desk), room.worker(desk), room.sender(), room.sender()):
        await asyncio.gather(
            *(citizen(name) for name in here), *(officer(name, 0.02 * i) for i, name in enumerate(here))
        )
        await room.until(room.idle)
    over = [
        (name, text) for at, name, text in channel.sendings if text.startswith("Jawaban") and at > taken[name] + GRACE
    ]
    assert over == []
    assert sum(text == "Saya petugas." for _, _, text in channel.sendings) == PEOPLE
    written = await room.value("SELECT count(*) FROM bot.inbox")
    assert written % (5 * PEOPLE) == 0
    assert await room.value("SELECT count(*) FROM bot.inbox WHERE outcome IN ('answered', 'officer')") == written


async def test_the_keeper_returns_what_a_vanished_officer_holds(room: Room, rasa: FakeRasa) -> None:
    await room.receive(update("m1", text="halo"))
    await room.work_off()
    desk = room.desk()
    person = await room.value("SELECT id FROM bot.conversations")
    await states.take_over(desk, DEWI, person, agency="umum")
    keeper = Keeper(desk, poll=0.02)
    running = asyncio.create_task(keeper.run())
    room.clock.advance(desk.rules.lease * 2)

    async def queued() -> bool:
        return bool(await room.value("SELECT handler = 'queued' FROM bot.conversations"))

    await room.until(queued)
    keeper.stop()
    await running
