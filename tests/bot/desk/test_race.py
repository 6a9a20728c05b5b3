"""Turns and sendings race officers who take the conversation over: from then on the bot says nothing."""

from __future__ import annotations

import asyncio
import random
import uuid
from collections import Counter
from collections.abc import Sequence

import pytest

from bot.channel import Address, Outgoing
from bot.desk import states
from bot.desk.keeper import Keeper
from bot.desk.speech import say
from tests.bot.conftest import Room
from tests.bot.desk.people import DEWI
from tests.bot.fakes import PaperChannel, update
from tests.fakes.rasa import FakeRasa, reply

PEOPLE = 12
_SPOKEN_OVER = """
SELECT count(*) FROM bot.outbox o JOIN bot.conversations c ON c.id = o.conversation
WHERE o.id = :message AND o.kind = 'bot' AND c.handler <> 'bot'
"""


class Watched(PaperChannel):
    """Officers come in between the messages of an answer."""

    def __init__(self, room: Room) -> None:
        super().__init__()
        self.limit(text=20)
        self._room = room
        self.spoken_over: Counter[str] = Counter()
        """person → messages of the bot's that were sent while an officer had the conversation"""

    async def send(self, to: Sequence[Address], message: Outgoing) -> str:
        await asyncio.sleep(0.02)
        self.spoken_over[to[0].value] += await self._room.value(_SPOKEN_OVER, message=int(str(message.tag)))
        return await super().send(to, message)


@pytest.mark.parametrize("rounds", [1, pytest.param(20, marks=pytest.mark.verify)])
async def test_the_bot_is_silent_from_the_moment_an_officer_has_it(room: Room, rasa: FakeRasa, rounds: int) -> None:
    for _ in range(rounds):
        await _race(room, rasa)


async def _race(room: Room, rasa: FakeRasa) -> None:
    """Each of the people is answered by the bot, and taken over by an officer at some moment of it."""
    channel = room.channel = Watched(room)
    desk = room.desk()
    rasa.delay, rasa.answer = 0.03, lambda body: reply("Jawaban. " * 8)
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
        await say(desk, DEWI, conversation, "Saya petugas.")

    async with room.at_work(room.worker(desk), room.worker(desk), room.sender(), room.sender()):
        await asyncio.gather(
            *(citizen(name) for name in here), *(officer(name, 0.02 * i) for i, name in enumerate(here))
        )
        await room.until(room.idle)
    # The one that was let go before the officer came may still be on its way.
    assert max(channel.spoken_over.values()) <= 1
    assert channel.texts().count("Saya petugas.") == PEOPLE
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
