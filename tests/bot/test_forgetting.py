"""What citizens wrote is forgotten: when they wish so, and after a while by itself."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from bot.desk import states
from bot.desk.officer import DeskRefused
from bot.desk.packet import packet
from bot.desk.speech import retry, say
from bot.desk.transcript import transcript
from bot.erasure import Erasure
from bot.inbox import receive
from bot.retention import Retention
from tests.bot.conftest import Room
from tests.bot.desk.people import BUDI
from tests.bot.fakes import update
from tests.bot.outside import Bot
from tests.fakes.rasa import TOKEN, FakeRasa, reply

KEPT = {"messages": timedelta(days=90), "kept_files": timedelta(days=30)}
WRITTEN = (
    "SELECT (SELECT count(*) FROM bot.inbox WHERE raw IS NOT NULL), (SELECT count(*) FROM bot.outbox WHERE body IS NOT NULL),"
    " (SELECT count(*) FROM bot.frames WHERE text IS NOT NULL OR entities IS NOT NULL), (SELECT count(*) FROM bot.files)"
)


async def wish(bot: Bot, conversation: str, token: str = TOKEN) -> int:
    url = f"{bot.url}/internal/people/{conversation}/erasure"
    async with bot.http.post(url, headers={"Authorization": f"Bearer {token}"}) as response:
        return response.status


async def test_a_conversation_is_forgotten_once_its_turn_is_over(bot: Bot, rasa: FakeRasa) -> None:
    await bot.say(text="NIK saya 3515085708909999")
    (asked,) = await bot.say(text="hapus data saya")
    other = await bot.say("hp-2", text="halo")
    contact = str(await bot.value("SELECT id FROM bot.conversations ORDER BY created_at LIMIT 1"))
    assert await wish(bot, contact, "wrong") == 401
    assert await wish(bot, "8c1a3a54-6a83-4f6e-9a7e-0f3f5f7f9b11") == 404
    assert await wish(bot, contact) == 202
    assert await wish(bot, contact) == 202
    await bot.until(lambda: {"conversation": contact} in rasa.forgotten)
    await bot.until(lambda: _nothing_wished(bot))
    kept = "SELECT count(*) FROM bot.{0} WHERE {1} IS NOT NULL AND conversation = '" + contact + "'"
    assert await bot.value(kept.format("inbox", "raw")) == 0
    assert await bot.value(kept.format("outbox", "body")) == 0
    assert await bot.value("SELECT count(*) FROM bot.frames WHERE text IS NOT NULL") == 1
    assert [shown["text"] for shown in await bot.later("hp-2")] == [shown["text"] for shown in other]
    assert await bot.later() == []
    # A button of before has lost its meaning and is taken as its title; news still arrives.
    await bot.say(choice=f"{asked['id']}:0", title="Ya")
    assert rasa.turns[-1]["text"] == "Ya"
    assert await bot.announce(state="DIPROSES") == 200
    await bot.until(lambda: _told(bot, "sedang diproses"))


async def _told(bot: Bot, words: str) -> bool:
    return any(words in shown["text"] for shown in await bot.later())


async def _nothing_wished(bot: Bot) -> bool:
    return await bot.value("SELECT count(*) FROM bot.conversations WHERE erase_at IS NOT NULL") == 0


async def test_what_is_under_way_is_waited_for(room: Room, rasa: FakeRasa) -> None:
    await room.receive(update("1", text="halo"))
    await room.work_off()
    await room.receive(update("2", text="dan ini"))
    await room.rows("UPDATE bot.conversations SET erase_at = now()")
    erasure = Erasure(room.store, room.rasa)
    assert not await erasure.fulfil_one()
    await room.work_off()
    await room.rows("UPDATE bot.conversations SET handler = 'officer'")
    assert not await erasure.fulfil_one()
    await room.rows("UPDATE bot.conversations SET handler = 'bot'")
    await room.rows("UPDATE bot.outbox SET state = 'queued'")
    assert not await erasure.fulfil_one()
    await room.rows("UPDATE bot.outbox SET state = 'sent'")
    assert await erasure.fulfil_one()
    assert not await erasure.fulfil_one()
    assert tuple((await room.rows(WRITTEN))[0]) == (0, 0, 0, 0)


async def test_a_channel_that_is_down_for_hours_is_not_waited_for(room: Room, rasa: FakeRasa) -> None:
    await room.receive(update("1", text="halo"))
    await room.work_off()
    await room.rows("UPDATE bot.conversations SET erase_at = now()")
    await room.rows("UPDATE bot.outbox SET state = 'queued'")
    room.clock.advance(timedelta(hours=2))
    assert await Erasure(room.store, room.rasa).fulfil_one()
    assert await room.value("SELECT count(*) FROM bot.inbox WHERE raw IS NOT NULL") == 0


async def test_what_comes_at_the_last_moment_is_answered(room: Room, rasa: FakeRasa) -> None:
    await room.receive(update("1", text="halo"))
    await room.work_off()
    await room.rows("UPDATE bot.conversations SET erase_at = now()")

    async def arrive() -> None:
        await room.receive(update("2", text="halo"))

    rasa.forgetting = arrive
    assert await Erasure(room.store, room.rasa).fulfil_one()
    await room.work_off()
    assert room.channel.texts() == ["Jawaban: halo", "Jawaban: halo"]


async def test_a_rasa_in_trouble_leaves_the_wish(room: Room, rasa: FakeRasa) -> None:
    await room.receive(update("1", text="halo"))
    await room.work_off()
    await room.rows("UPDATE bot.conversations SET erase_at = now()")
    rasa.trouble = 503
    erasure = Erasure(room.store, room.rasa, poll=0.02)
    async with room.beside(erasure.run()):
        await room.until(lambda: rasa.refusals > 0)
        assert await room.value("SELECT count(*) FROM bot.inbox WHERE raw IS NOT NULL") == 1
        rasa.trouble = None
        await room.until(lambda: bool(rasa.forgotten))
        await room.until(lambda: _erased(room))


async def test_the_desk_goes_on_with_somebody_whose_messages_are_forgotten(room: Room, rasa: FakeRasa) -> None:
    rasa.answer = lambda body: reply("Baik", frame=_frame())
    await room.receive(update("1", text="halo"))
    await room.work_off()
    person = await room.value("SELECT id FROM bot.conversations")
    desk = room.desk()
    await states.take_over(desk, BUDI, person, agency="dispendukcapil")
    await say(desk, BUDI, person, "jawaban lama")
    await room.rows("UPDATE bot.outbox SET state = 'failed' WHERE kind = 'officer'")
    await states.close(desk, BUDI, person)
    await room.rows("UPDATE bot.outbox SET state = 'failed' WHERE state = 'queued'")
    await room.rows("UPDATE bot.conversations SET erase_at = now()")
    assert await Erasure(room.store, room.rasa).fulfil_one()
    await states.take_over(desk, BUDI, person, agency="dispendukcapil")
    await say(desk, BUDI, person, "jawaban baru")
    said = [line.text for line in await transcript(desk, BUDI, person) if line.side != "event"]
    gone = room.texts("meja_terhapus")
    assert said == [gone, gone, gone, gone, "jawaban baru"]
    assert (await packet(desk, BUDI, person)).frames == []
    with pytest.raises(DeskRefused):
        await retry(
            desk, BUDI, person, await room.value("SELECT id FROM bot.outbox WHERE kind = 'officer' AND body IS NULL")
        )


async def _erased(room: Room) -> bool:
    return bool(await room.value("SELECT count(*) FROM bot.inbox WHERE raw IS NOT NULL") == 0)


async def test_after_a_while_what_was_written_goes_and_its_rows_stay(room: Room, rasa: FakeRasa) -> None:
    room.channel.files["f"] = b"\xff\xd8\xff"
    rasa.answer = lambda body: reply("Baik", frame=_frame())
    await room.receive(update("1", text="halo"), update("2", kind="file", file="f"))
    await room.work_off()
    retention = Retention(room.store, room.rasa, **KEPT)
    await retention.forget()
    assert tuple((await room.rows(WRITTEN))[0]) == (2, 1, 2, 1)
    room.clock.advance(timedelta(days=31))
    await retention.forget()
    assert tuple((await room.rows(WRITTEN))[0]) == (2, 1, 2, 0)
    room.clock.advance(timedelta(days=60))
    await receive(room.store, room.channel.name, [update("3", text="baru")])
    await retention.forget()
    assert tuple((await room.rows(WRITTEN))[0]) == (1, 0, 0, 0)
    assert [set(body) for body in rasa.forgotten] == [{"before"}] * 3
    # Redelivered after months, it is still known.
    await room.receive(update("1", text="halo"))
    assert await room.value("SELECT count(*) FROM bot.inbox") == 3
    assert await room.value("SELECT count(*) FROM bot.frames WHERE intent = 'salam'") == 2


def _frame() -> dict[str, Any]:
    return {"intent": "salam", "confidence": 1.0, "service": None, "service_confidence": None, "entities": []}
