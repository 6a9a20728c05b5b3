"""A proved number joins a person's conversations, and is offered by a tap where it is known."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from bot.inbox import receive
from bot.phones import linked_conversations
from tests.bot.conftest import Room
from tests.bot.fakes import update
from tests.bot.outside import Bot
from tests.fakes.rasa import FakeRasa, reply
from tests.fakes.telegram import FakeTelegram
from tests.fakes.whatsapp import CITIZEN, FakeWhatsApp

OFFER = [("isi:hp:@kontak", "Pakai nomor ini"), ("isi:hp:lain", "Nomor lain")]


def asks_for_the_phone(body: dict[str, Any]) -> dict[str, Any]:
    return reply("Nomor HP Anda?", choices=OFFER) if body.get("text") == "mulai" else reply("Baik")


async def conversation(bot: Bot, channel: str) -> str:
    return str(await bot.value(f"SELECT id FROM bot.conversations WHERE channel = '{channel}'"))


async def test_the_same_number_on_two_channels_is_one_person(
    whatsapp_bot: Bot, meta: FakeWhatsApp, rasa: FakeRasa
) -> None:
    await meta.say("halo")
    await whatsapp_bot.until(lambda: rasa.texts() == ["halo"])
    assert "linked" not in rasa.turns[-1]
    on_whatsapp = await conversation(whatsapp_bot, "whatsapp")
    await whatsapp_bot.say(text="halo juga")
    assert "linked" not in rasa.turns[-1]
    await whatsapp_bot.say(contact={"phone": CITIZEN})
    assert rasa.turns[-1]["linked"] == [on_whatsapp]
    await meta.say("lagi")
    await whatsapp_bot.until(lambda: rasa.texts()[-1] == "lagi")
    assert rasa.turns[-1]["linked"] == [await conversation(whatsapp_bot, "simulator")]
    whatsapp_bot.clock.advance(timedelta(days=181))
    await whatsapp_bot.say(text="setengah tahun lagi")
    assert "linked" not in rasa.turns[-1]


async def test_somebody_elses_contact_joins_nothing(whatsapp_bot: Bot, meta: FakeWhatsApp, rasa: FakeRasa) -> None:
    await meta.say("halo")
    await whatsapp_bot.until(lambda: rasa.texts() == ["halo"])
    await whatsapp_bot.say(contact={"phone": CITIZEN, "own": False})
    await whatsapp_bot.say(text="halo")
    assert "linked" not in rasa.turns[-1]


async def test_a_number_with_a_new_owner_proves_nothing(room: Room) -> None:
    """The number was given out anew: whoever shared it once isn't joined with its new owner."""
    await room.receive(update("1", bsuid="ID.1", phone="+6281234500001"))
    await receive(room.store, "telegram", [update("t", bsuid="ID.9")])
    shared = await room.value("SELECT id FROM bot.conversations WHERE channel = 'telegram'")
    first = await room.value("SELECT id FROM bot.conversations WHERE channel = 'whatsapp'")
    await room.rows(
        "INSERT INTO bot.phones (conversation, fingerprint, value, proved_at) "
        "SELECT :shared, fingerprint, value, proved_at FROM bot.phones",
        shared=shared,
    )
    assert list(await linked_conversations(room.store, first)) == [shared]
    await room.receive(update("2", bsuid="ID.2", phone="+6281234500001"))
    assert await room.value("SELECT count(*) FROM bot.phones") == 1
    new = await room.value("SELECT conversation FROM bot.phones")
    assert new not in (first, shared)
    assert list(await linked_conversations(room.store, new)) == []


async def test_whatsapp_offers_the_number_one_writes_from(
    whatsapp_bot: Bot, meta: FakeWhatsApp, rasa: FakeRasa
) -> None:
    rasa.answer = asks_for_the_phone
    await meta.say("mulai")
    (asked,) = await meta.wait_messages()
    assert [title for _, title in asked.choices] == ["Pakai nomor ini", "Nomor lain"]
    await meta.tap("Pakai nomor ini")
    await whatsapp_bot.until(lambda: rasa.turns[-1].get("contact") == {"phone": CITIZEN})


async def test_telegram_asks_the_phone_until_it_knows(telegram_bot: Bot, bot_api: FakeTelegram, rasa: FakeRasa) -> None:
    rasa.answer = asks_for_the_phone
    await bot_api.say("mulai")
    (asked,) = await bot_api.wait_messages()
    assert asked.typed == [("Pakai nomor ini", True), ("Nomor lain", False)]
    await bot_api.send_contact(CITIZEN[1:])
    await telegram_bot.until(lambda: rasa.turns[-1].get("contact") == {"phone": CITIZEN})
    await bot_api.say("mulai")
    await bot_api.wait_messages(3)
    assert [title for _, title in bot_api.messages[2].choices] == ["Pakai nomor ini", "Nomor lain"]
    await bot_api.tap("Pakai nomor ini")
    await telegram_bot.until(lambda: len(rasa.turns) == 4)
    assert rasa.turns[-1]["contact"] == {"phone": CITIZEN}


async def test_the_simulator_offers_only_a_number_it_was_shown(bot: Bot, rasa: FakeRasa) -> None:
    rasa.answer = asks_for_the_phone
    (asked,) = await bot.say(text="mulai")
    assert [choice["title"] for choice in asked["choices"]] == ["Nomor lain"]
    await bot.say(contact={"phone": CITIZEN})
    (asked,) = await bot.say(text="mulai")
    assert [choice["title"] for choice in asked["choices"]] == ["Pakai nomor ini", "Nomor lain"]
    await bot.say(choice=asked["choices"][0]["id"], title="Pakai nomor ini")
    assert rasa.turns[-1]["contact"] == {"phone": CITIZEN}


async def test_a_number_is_kept_sealed(bot: Bot) -> None:
    await bot.say(contact={"phone": CITIZEN})
    assert await bot.value("SELECT count(*) FROM bot.phones") == 1
    assert CITIZEN[3:] not in str(await bot.rows("SELECT phones::text FROM bot.phones"))


async def test_what_was_written_before_the_answer_was_there_is_early(room: Room, rasa: FakeRasa) -> None:
    rasa.answer = lambda body: reply("Siapa nama Anda?") if body["text"] != "c" else reply("Baik")
    await room.receive(update("1", text="a"), update("2", text="b"))
    await room.work_off()
    await room.receive(update("3", text="c"))
    await room.work_off()
    assert [(turn["text"], turn.get("early")) for turn in rasa.turns] == [("a", None), ("b", True), ("c", None)]
