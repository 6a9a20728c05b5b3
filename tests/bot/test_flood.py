"""Somebody writes more than can be answered one by one: nothing is lost, nobody else waits for it, and few answers go out."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from bot.flood import FloodLimits
from bot.texts import Texts
from tests.bot.conftest import DATA, Room
from tests.bot.fakes import update
from tests.fakes.rasa import FakeRasa, reply

MANY = Texts(DATA)("banyak_sekali")


async def _pour(room: Room, count: int, prefix: str = "b", bsuid: str = "ID.1") -> None:
    await room.receive(*(update(f"{prefix}{i}", text=f"{prefix}{i}", bsuid=bsuid) for i in range(count)))


async def test_of_a_flood_the_last_is_read_and_it_is_said(room: Room, rasa: FakeRasa) -> None:
    await _pour(room, 200)
    await room.work_off()
    assert rasa.texts() == ["b199"]
    assert room.channel.texts() == [f"{MANY}\n\nJawaban: b199"]
    outcomes = await room.rows("SELECT outcome, count(*) FROM bot.inbox GROUP BY 1 ORDER BY 1")
    assert [tuple(row) for row in outcomes] == [("answered", 1), ("flooded", 199)]
    assert await room.value("SELECT count(*) FROM bot.inbox WHERE raw IS NULL") == 0
    assert rasa.turns[0]["early"] is True


async def test_thirty_at_once_are_not_yet_a_flood(room: Room, rasa: FakeRasa) -> None:
    await _pour(room, 30)
    await room.work_off()
    assert len(rasa.texts()) == 30
    assert MANY not in "".join(room.channel.texts())


async def test_a_flood_that_goes_on_is_answered_more_and_more_seldom_and_told_once(room: Room, rasa: FakeRasa) -> None:
    async with room.at_work():
        for turn in range(30):
            await _pour(room, 40, f"s{turn}-")
            room.clock.advance(timedelta(seconds=10))
            await room.until(lambda: _marked(room))
    answers = room.channel.texts()
    # In five minutes, after 10, 20, 40, 80 and 160 seconds.
    assert 3 <= len(answers) <= 6
    assert sum(MANY in answer for answer in answers) == 1


async def _marked(room: Room, most: int = 1) -> bool:
    """However long the pause, what waits never piles up."""
    return bool(await room.value("SELECT count(*) FROM bot.inbox WHERE answered_at IS NULL") <= most)


async def test_after_a_flood_one_is_answered_as_before(room: Room, rasa: FakeRasa) -> None:
    await _pour(room, 100)
    await room.work_off()
    await _pour(room, 100, "c")
    async with room.at_work():
        # Its last message isn't left lying either.
        await room.idle_after(timedelta(seconds=5))
        room.clock.advance(timedelta(minutes=2))
        await room.receive(update("m1", text="halo"))
        await room.until(room.idle)
    assert rasa.texts() == ["b99", "c99", "halo"]
    await _pour(room, 100, "d")
    await room.work_off()
    assert MANY in room.channel.texts()[-1]


async def test_who_gets_very_many_answers_a_day_waits_longer_for_each(room: Room, rasa: FakeRasa) -> None:
    room.channel.limit(billed=True)
    worker = room.worker(limits=FloodLimits(messages_a_minute=30, answers_a_day=5))
    async with room.at_work(worker, room.sender()):
        for i in range(5):
            await room.receive(update(f"m{i}", text=f"m{i}"))
            await room.until(room.idle)
            room.clock.advance(timedelta(minutes=1))
        for i in range(5, 15):
            await room.receive(update(f"m{i}", text=f"m{i}"))
            room.clock.advance(timedelta(seconds=10))
            await room.until(lambda: _marked(room))
        room.clock.advance(timedelta(minutes=10))
        await room.until(room.idle)
    # Of the last ten, in a hundred seconds: at once, after 10, 20 and 40 seconds, and the last of all.
    assert 7 <= len(room.channel.texts()) <= 10
    assert rasa.texts()[-1] == "m14"


async def test_who_waits_for_each_answer_is_no_flooder(room: Room, rasa: FakeRasa) -> None:
    async with room.at_work(room.worker(limits=FloodLimits(messages_a_minute=3)), room.sender()):
        for i in range(20):
            await room.receive(update(f"m{i}", text=f"m{i}"))
            await room.until(lambda i=i: len(rasa.turns) == i + 1)
            await room.until(lambda: _marked(room, 0))
    assert len(rasa.texts()) == 20
    assert MANY not in "".join(room.channel.texts())


async def _pausing(room: Room) -> bool:
    return bool(await room.value("SELECT leased_by IS NULL AND retry_at IS NOT NULL FROM bot.conversations"))


async def test_trouble_within_a_flood_is_tried_again(room: Room, rasa: FakeRasa) -> None:
    rasa.trouble = 503
    await _pour(room, 100)
    async with room.at_work():
        await room.until(lambda: _pausing(room))
        rasa.trouble = None
        # Once: after a minute it would be no flood any more.
        room.clock.advance(timedelta(seconds=5))
        await room.until(room.idle)
    assert rasa.texts() == ["b99"]
    assert MANY in "".join(room.channel.texts())


async def test_files_of_a_flood_are_not_fetched(room: Room, rasa: FakeRasa) -> None:
    room.channel.files["f"] = b"isi"
    await room.receive(*(update(f"f{i}", kind="file", file="f") for i in range(100)))
    await room.work_off()
    assert room.channel.downloads == 1


async def test_the_desk_sees_a_flood_whole(room: Room, rasa: FakeRasa) -> None:
    rasa.answer = lambda body: reply("Baik", handoff={"reason": "diminta", "service": None})
    await room.receive(update("m0", text="petugas"))
    await room.work_off()
    before = len(room.channel.texts())
    await _pour(room, 200)
    await room.work_off()
    assert await room.value("SELECT count(*) FROM bot.inbox WHERE raw IS NOT NULL") == 201
    assert rasa.texts() == ["petugas"]
    assert len(room.channel.texts()) <= before + 1


async def test_the_desk_gets_every_photo_of_many(room: Room, rasa: FakeRasa) -> None:
    room.channel.files["f"] = b"isi"
    rasa.answer = lambda body: reply("Baik", handoff={"reason": "diminta", "service": None})
    await room.receive(update("m0", text="petugas"))
    await room.work_off()
    await room.receive(*(update(f"f{i}", kind="file", file="f") for i in range(40)))
    await room.work_off()
    assert room.channel.downloads == 40
    assert await room.value("SELECT count(*) FROM bot.inbox WHERE outcome = 'officer'") == 40


async def test_who_writes_little_goes_before_who_writes_much(room: Room, rasa: FakeRasa) -> None:
    """Many people who each stay below the limit are no reason for a newcomer to wait behind all of them."""
    rasa.delay = 0.01
    for person in range(40):
        await _pour(room, 25, f"p{person}-", f"ID.{person}")
    await _pour(room, 1, "baru", "ID.baru")
    async with room.at_work(room.worker(concurrency=1)):
        await room.until(lambda: "baru0" in rasa.texts())
        assert len(rasa.texts()) <= 11


async def test_one_person_s_backlog_is_no_earlier_than_anybody_else_s(room: Room, rasa: FakeRasa) -> None:
    await _pour(room, 30, "a", "ID.1")
    rasa.meanwhile = lambda: _pour(room, 1, "x", "ID.2")
    async with room.at_work(room.worker(concurrency=1)):
        await room.until(lambda: "x0" in rasa.texts())
    assert rasa.texts().index("x0") <= 10


async def test_a_newcomer_goes_before_who_was_answered_and_writes_again(room: Room, rasa: FakeRasa) -> None:
    await _pour(room, 1, "earlier", bsuid="ID.1")
    await room.work_off()
    room.clock.advance(timedelta(seconds=1))
    await _pour(room, 1, "newcomer", bsuid="ID.2")
    room.clock.advance(timedelta(seconds=1))
    await _pour(room, 1, "again", bsuid="ID.1")
    room.clock.advance(timedelta(seconds=1))
    async with room.at_work(room.worker(concurrency=1)):
        await room.until(lambda: len(rasa.texts()) == 3)
    assert rasa.texts() == ["earlier0", "newcomer0", "again0"]


async def test_a_flooder_takes_few_turns_from_the_others(room: Room, rasa: FakeRasa) -> None:
    """200 messages a second of one person against 20 of others', on a Rasa that does 50 turns a second at the most."""
    rasa.delay = 0.02
    async with room.at_work(room.worker(concurrency=1), room.sender()):
        for tick in range(20):
            await _pour(room, 10, f"t{tick}-", "ID.flood")
            await room.receive(update(f"m{tick}", text=f"m{tick}", bsuid=f"ID.{tick}"))
            await asyncio.sleep(0.05)
        await room.until(lambda: {f"m{tick}" for tick in range(20)} <= set(rasa.texts()))
    assert sum(text.startswith("t") for text in rasa.texts()) <= 60
