"""The clock jumps, as it does when a machine has slept: leases run out while their holders are still at work."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from bot.channel import SendFailed, SendFailure
from bot.desk.states import claim, lapse
from bot.halts import halt, halted_until
from tests.bot.conftest import Room
from tests.bot.desk.people import BUDI, asks_for_a_person
from tests.bot.fakes import update
from tests.fakes.rasa import FakeRasa

_SLEPT = timedelta(minutes=5)


async def test_a_turn_that_outlived_its_lease_records_nothing_under_a_later_claim_of_the_same_worker(
    room: Room, rasa: FakeRasa
) -> None:
    rasa.delay = 0.6
    await room.receive(update("1", text="satu"))
    async with room.at_work():
        await rasa.asked.wait()
        await asyncio.sleep(0.3)
        room.clock.advance(_SLEPT)
        # The first turn is answered, the second, of the same message, isn't yet: it finds a third that holds the lease.
        await room.until(lambda: len(room.channel.posted) == 1)
        await room.receive(update("2", text="dua"))
        await room.until(room.idle)
        await asyncio.sleep(0.5)
        await room.until(room.idle)
    assert room.channel.texts() == ["Jawaban: satu", "Jawaban: dua"]


async def test_what_is_being_sent_is_not_sent_again_by_the_same_sender(room: Room) -> None:
    going_on = asyncio.Event()
    begun = 0

    async def wait() -> None:
        nonlocal begun
        begun += 1
        await going_on.wait()

    room.channel.before_sending = wait
    await room.receive(update("1", text="satu"))
    async with room.at_work():
        await room.until(lambda: begun == 1)
        room.clock.advance(_SLEPT)
        await asyncio.sleep(0.3)
        going_on.set()
        await room.until(room.idle)
    assert (begun, room.channel.texts()) == (1, ["Jawaban: satu"])


async def test_a_clock_that_goes_back_ends_a_halt_and_a_vanished_officers_lease(room: Room, rasa: FakeRasa) -> None:
    desk, person = room.desk(), await asks_for_a_person(room, rasa)
    await claim(desk, BUDI, person)
    channel = await room.value("SELECT channel FROM bot.conversations")
    async with room.store.engine.begin() as connection:
        await halt(connection, room.store, channel, 131042)
    room.clock.advance(-timedelta(hours=2))
    assert await lapse(desk) == 1
    assert await room.value("SELECT handler FROM bot.conversations WHERE id = :id", id=person) == "queued"
    found = await halted_until(room.store, channel)
    assert found is not None
    assert found[0] <= room.clock()


async def test_a_clock_that_goes_back_holds_nobody_up(room: Room, rasa: FakeRasa) -> None:
    await room.receive(update("1", text="satu"))
    async with room.at_work():
        await room.until(room.idle)
    # What a killed process and a failed try have left behind.
    ahead = room.clock() + timedelta(minutes=1)
    await room.rows("UPDATE bot.conversations SET leased_by = 'x', lease_until = :at, send_lease_until = :at", at=ahead)
    await room.rows("UPDATE bot.conversations SET retry_at = :at, send_after = :at, paced_until = :at", at=ahead)
    async with room.at_work():
        room.clock.advance(-timedelta(hours=2))
        await room.receive(update("2", text="dua"))
        await room.until(room.idle)
    assert room.channel.texts() == ["Jawaban: satu", "Jawaban: dua"]
    assert rasa.overlaps == 0


async def test_a_clock_that_goes_back_ends_a_channels_rest(room: Room) -> None:
    room.channel.failures = [SendFailed(SendFailure.CHANNEL_BUSY, None, "busy", retry_after=timedelta(minutes=1))]
    await room.receive(update("1", text="satu"))
    async with room.at_work():
        await room.until(lambda: not room.channel.failures)
        await asyncio.sleep(0.1)
        room.clock.advance(-timedelta(hours=2))
        await room.until(room.idle)
    assert room.channel.texts() == ["Jawaban: satu"]


async def test_a_clock_that_goes_back_completes_an_album(room: Room) -> None:
    room.channel.files["f"] = b"\xff\xd8\xff"
    await room.receive(update("1", kind="file", file="f", in_album=True))
    room.clock.advance(-timedelta(hours=2))
    await room.work_off()
    assert len(room.channel.posted) == 1
