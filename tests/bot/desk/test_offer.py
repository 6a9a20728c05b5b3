"""An officer hands a filing to the bot: one button, and the conversation is the bot's again."""

from __future__ import annotations

import pytest

from bot.desk.offer import offer
from bot.desk.officer import DeskRefused, Refusal
from bot.desk.states import claim
from tests.bot.conftest import Room
from tests.bot.desk.people import BUDI, SITI, asks_for_a_person
from tests.bot.fakes import update
from tests.fakes.rasa import FakeRasa


async def test_the_button_begins_the_filing_with_the_bot(room: Room, rasa: FakeRasa) -> None:
    desk = room.desk()
    person = await asks_for_a_person(room, rasa)
    await claim(desk, SITI, person)
    await offer(desk, SITI, person, service="ktp_hilang", name="KTP-el hilang")
    await room.work_off()
    (posted,) = room.channel.posted
    assert "KTP-el hilang" in posted.message.text
    ((tap, title),) = posted.message.choices
    assert title == room.texts("meja_tombol_mulai")
    assert len(title) <= 20
    assert await room.value("SELECT handler FROM bot.conversations WHERE id = :person", person=person) == "bot"

    await room.receive(update("tap-1", kind="choice", data=tap, title=title))
    await room.work_off()
    assert rasa.turns[-1]["choice"] == "mulai:ktp_hilang"


async def test_only_who_holds_it_offers(room: Room, rasa: FakeRasa) -> None:
    desk = room.desk()
    person = await asks_for_a_person(room, rasa)
    await claim(desk, SITI, person)
    with pytest.raises(DeskRefused) as refused:
        await offer(desk, BUDI, person, service="ktp_hilang", name="KTP-el hilang")
    assert refused.value.reason is Refusal.TAKEN
    assert await room.value("SELECT handler FROM bot.conversations WHERE id = :person", person=person) == "officer"
