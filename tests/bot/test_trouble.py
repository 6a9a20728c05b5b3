"""When Rasa doesn't answer: told once, kept, answered later, and given to the desk in the end."""

from __future__ import annotations

import contextlib
from datetime import timedelta

import aiohttp
import pytest

from bot.rasa import Rasa
from tests.bot.conftest import Room
from tests.bot.fakes import update
from tests.fakes.rasa import TOKEN, FakeRasa, reply


async def _pausing(room: Room) -> bool:
    """The try is over, and its pause has begun."""
    return bool(await room.value("SELECT leased_by IS NULL AND retry_at IS NOT NULL FROM bot.conversations"))


@pytest.mark.parametrize("trouble", [503, 500, 401, 404, "empty", "malformed", "slow"])
async def test_trouble_is_told_once_and_the_message_answered_afterwards(
    room: Room, rasa: FakeRasa, trouble: int | str
) -> None:
    rasa.trouble, patient = trouble, room.rasa
    if trouble == "slow":
        room.rasa = Rasa(room.session, [rasa.url], TOKEN, timeout=0.4)
    async with room.at_work():
        await room.receive(update("m1", text="halo"))
        await room.until(lambda: room.channel.texts() == [room.texts("gangguan")])
        await room.until(lambda: _pausing(room))
        for _ in range(2):
            tried = rasa.requests
            room.clock.advance(timedelta(seconds=20))
            await room.until(lambda tried=tried: rasa.requests > tried)  # type: ignore[misc]
            await room.until(lambda: _pausing(room))
    rasa.trouble, room.rasa = None, patient
    await room.receive(update("m2", text="halo?"))
    room.clock.advance(timedelta(seconds=20))
    await room.work_off()
    assert room.channel.texts() == [room.texts("gangguan"), "Jawaban: halo\n\nJawaban: halo?"]
    assert rasa.texts() == ["halo", "halo?"]


async def test_the_next_trouble_is_told_again(room: Room, rasa: FakeRasa) -> None:
    async with room.at_work():
        for number in range(2):
            rasa.trouble = 503
            await room.receive(update(f"m{number}", text=f"halo {number}"))
            await room.until(lambda n=number: len(room.channel.posted) == 2 * n + 1)  # type: ignore[misc]
            rasa.trouble = None
            await room.idle_after(timedelta(seconds=20))
    assert [text == room.texts("gangguan") for text in room.channel.texts()] == [True, False, True, False]


async def test_a_refused_connection_is_trouble_and_another_server_takes_over(room: Room, rasa: FakeRasa) -> None:
    async with aiohttp.ClientSession() as session:
        room.rasa = Rasa(session, ["http://127.0.0.1:9", rasa.url, "http://127.0.0.1:19"], TOKEN)
        await room.receive(*(update(f"m{n}", bsuid=f"ID.{n}", text="halo") for n in range(6)))
        await room.work_off()
        assert room.channel.texts() == ["Jawaban: halo"] * 6
        room.rasa = Rasa(session, ["http://127.0.0.1:9"], TOKEN)
        async with room.at_work():
            await room.receive(update("m9", text="halo"))
            await room.until(lambda: room.texts("gangguan") in room.channel.texts())


async def test_a_conversation_stays_with_one_server(room: Room, rasa: FakeRasa) -> None:
    async with FakeRasa() as other, aiohttp.ClientSession() as session:
        room.rasa = Rasa(session, [rasa.url, other.url], TOKEN)
        for number in range(3):
            await room.receive(*(update(f"m{n}-{number}", bsuid=f"ID.{n}", text="halo") for n in range(8)))
            await room.work_off()
        here, there = ({turn["conversation"] for turn in fake.turns} for fake in (rasa, other))
        assert len(rasa.turns) + len(other.turns) == 24
        assert here
        assert there
        assert not here & there


async def test_after_a_quarter_of_an_hour_the_desk_gets_it(room: Room, rasa: FakeRasa) -> None:
    rasa.trouble = 503
    started = room.clock()
    async with room.at_work():
        await room.receive(update("m1", text="halo"))
        while not await room.rows("SELECT 1 FROM bot.inbox WHERE answered_at IS NOT NULL"):
            tried = rasa.requests
            room.clock.advance(timedelta(seconds=20))
            with contextlib.suppress(TimeoutError):
                # Pauses are longer than that from the fifth on.
                await room.until(lambda tried=tried: rasa.requests > tried, 0.05)  # type: ignore[misc]
            assert room.clock() - started < timedelta(hours=6)
        await room.until(room.idle)
    assert room.clock() - started > timedelta(minutes=13)
    assert await room.value("SELECT outcome FROM bot.inbox") == "given_up"
    assert await room.rows("SELECT reason FROM bot.handoffs") == [("gangguan",)]
    sorry, handed_over = room.channel.texts()
    assert sorry == room.texts("gangguan")
    assert handed_over.startswith(room.texts("diteruskan"))
    assert room.texts("meja_selama_menunggu") in handed_over


async def test_what_rasa_cannot_take_is_not_tried_again(room: Room, rasa: FakeRasa) -> None:
    rasa.trouble = 422
    await room.receive(update("m1", text="halo"))
    await room.work_off()
    assert rasa.requests == 1
    assert room.channel.texts() == [room.texts("tidak_terbaca")]
    assert await room.rows("SELECT outcome, error FROM bot.inbox") == [("refused", "422")]


async def test_one_persons_trouble_is_nobody_elses(room: Room, rasa: FakeRasa) -> None:
    def answer(body: dict[str, object]) -> dict[str, object]:
        return reply() if body["text"] == "racun" else reply("Ya.")

    rasa.answer = answer
    async with room.at_work():
        await room.receive(update("m1", text="racun"), update("m2", bsuid="ID.2", text="halo"))
        await room.until(lambda: sorted(room.channel.texts()) == sorted([room.texts("gangguan"), "Ya."]))
