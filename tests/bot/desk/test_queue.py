"""What citizens are told while they wait, whom the queue serves first, and how they come back."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from bot.desk.hours import LOCAL_TIME
from bot.desk.listing import counts, listing
from bot.desk.presence import come, leave, on_duty
from bot.desk.states import claim, close_unanswered
from tests.bot.conftest import Room
from tests.bot.desk.people import BUDI, DEWI, MONDAY, RINI, SITI, asks_for_a_person, at, wants_person
from tests.bot.fakes import update
from tests.fakes.rasa import FakeRasa, reply


async def _told(room: Room) -> str:
    (posted,) = room.channel.posted
    return posted.message.text


async def _ask(room: Room, rasa: FakeRasa, name: str = "ID.1") -> str:
    rasa.answer = wants_person
    room.channel.posted.clear()
    await room.receive(update(f"p-{name}", bsuid=name, text="petugas"))
    await room.work_off()
    return await _told(room)


async def test_place_and_an_unknown_wait_are_told_when_somebody_is_there(room: Room, rasa: FakeRasa) -> None:
    at(room, MONDAY)
    await come(room.desk(), BUDI, available=True)
    first, second = await _ask(room, rasa), await _ask(room, rasa, "ID.2")
    assert room.texts("meja_diminta") in first
    assert "urutan 1" in first
    assert "urutan 2" in second
    assert "Dispendukcapil" in first
    assert room.texts("meja_lama_tidak_tahu") in first
    assert room.texts("meja_selama_menunggu") in first
    assert "Dicatat." not in first
    assert [title for _, title in room.channel.posted[0].message.choices] == [room.texts("meja_tombol_kembali")]


async def test_the_wait_is_the_median_of_the_last_days(room: Room, rasa: FakeRasa) -> None:
    at(room, MONDAY)
    await come(room.desk(), BUDI, available=True)
    person = await asks_for_a_person(room, rasa, "ID.0")
    for minutes in (4, 8, 12, 30, 200):
        asked = room.clock() - timedelta(days=3)
        await room.rows(
            "INSERT INTO bot.handoffs (conversation, reason, requested_at, answered_at, agency)"
            " VALUES (:person, 'diminta', :asked, :answered, 'dispendukcapil')",
            person=person, asked=asked, answered=asked + timedelta(minutes=minutes),
        )  # fmt: skip
    # What was asked at night waited for the morning, and says nothing of the queue.
    night = MONDAY.replace(hour=2) - timedelta(days=3)
    await room.rows(
        "INSERT INTO bot.handoffs (conversation, reason, requested_at, answered_at, agency)"
        " SELECT :person, 'diminta', :asked, :answered, 'dispendukcapil' FROM generate_series(1, 9)",
        person=person, asked=night, answered=night + timedelta(hours=6),
    )  # fmt: skip
    assert room.texts("meja_lama_menit", menit=12) in await _ask(room, rasa, "ID.9")


@pytest.mark.parametrize(
    ("when", "told"),
    [
        (datetime(2027, 3, 1, 5, 0, tzinfo=LOCAL_TIME), "hari ini pukul 07.30"),
        (datetime(2027, 3, 1, 12, 10, tzinfo=LOCAL_TIME), "hari ini pukul 13.00"),
        (datetime(2027, 3, 1, 20, 0, tzinfo=LOCAL_TIME), "besok, Selasa, pukul 07.30"),
        (datetime(2027, 4, 9, 20, 0, tzinfo=LOCAL_TIME), "Senin, 12 April 2027, pukul 07.30"),
    ],
)
async def test_out_of_hours_the_time_is_told(room: Room, rasa: FakeRasa, when: datetime, told: str) -> None:
    at(room, when)
    said = await _ask(room, rasa)
    assert told in said
    assert "urutan" not in said


async def test_within_hours_but_without_officers_no_promise_is_made(room: Room, rasa: FakeRasa) -> None:
    at(room, MONDAY)
    await come(room.desk(), RINI, available=True)
    await come(room.desk(), BUDI, available=False)
    said = await _ask(room, rasa)
    assert "belum ada petugas" in said
    assert "urutan" not in said


async def test_an_officer_who_is_there_at_night_counts(room: Room, rasa: FakeRasa) -> None:
    at(room, MONDAY.replace(hour=22))
    await come(room.desk(), SITI, available=True)
    assert "urutan 1" in await _ask(room, rasa)


async def test_presence_ends_by_itself_and_by_leaving(room: Room) -> None:
    desk = room.desk()
    await come(desk, SITI, available=True)
    await come(desk, RINI, available=False)
    assert [(one.name, one.available) for one in await on_duty(desk)] == [("Rini", False), ("Siti", True)]
    assert [one.name for one in await on_duty(desk, "umum")] == ["Siti"]
    await leave(desk, RINI)
    assert [one.name for one in await on_duty(desk)] == ["Siti"]
    room.clock.advance(timedelta(seconds=91))
    assert await on_duty(desk) == []


async def test_first_come_first_served_and_a_burst_is_one_item(room: Room, rasa: FakeRasa) -> None:
    desk = room.desk()
    first = await asks_for_a_person(room, rasa, "ID.1")
    second = await asks_for_a_person(room, rasa, "ID.2")
    for number in range(6):
        await room.receive(update(f"bom-{number}", bsuid="ID.1", text=f"halo {number}"))
    await room.work_off()
    items = await listing(desk, SITI, view="queued")
    assert [(item.conversation, item.position, item.unanswered) for item in items] == [(first, 1, 7), (second, 2, 1)]
    assert items[0].preview == "halo 5"
    assert rasa.texts() == ["mau bicara petugas"] * 2


async def test_an_urgent_reason_goes_ahead(room: Room, rasa: FakeRasa) -> None:
    await asks_for_a_person(room, rasa, "ID.1")
    rasa.answer = lambda body: reply(
        "Telepon 112.",
        handoff={"reason": "diminta", "service": "ktp_hilang"},
        frame={"intent": "darurat", "confidence": 1.0, "service": None, "service_confidence": None, "entities": []},
    )
    await room.receive(update("darurat", bsuid="ID.2", text="tolong"))
    await room.work_off()
    items = await listing(room.desk(), SITI, view="queued")
    assert [(item.priority, item.position) for item in items] == [(2, 1), (0, 2)]


async def test_officers_see_their_agencies_only(room: Room, rasa: FakeRasa) -> None:
    desk = room.desk()
    await asks_for_a_person(room, rasa)
    await come(desk, BUDI, available=True)
    assert await listing(desk, RINI, view="all") == []
    assert await counts(desk, RINI) == []
    (count,) = await counts(desk, DEWI)
    assert (count.agency, count.queued, count.held, count.on_duty) == ("dispendukcapil", 1, 0, 1)


async def test_while_waiting_the_bot_is_silent_and_says_so_now_and_then(room: Room, rasa: FakeRasa) -> None:
    at(room, MONDAY)
    await asks_for_a_person(room, rasa)
    await room.receive(update("m2", text="halo?"))
    await room.work_off()
    assert room.channel.posted == []
    room.clock.advance(timedelta(minutes=16))
    await room.receive(update("m3", text="halo??"))
    await room.work_off()
    assert room.texts("meja_masih_menunggu") in await _told(room)
    assert rasa.texts() == ["mau bicara petugas"]


@pytest.mark.parametrize("word", ["bot", "Batal", "kembali ke bot."])
async def test_a_waiting_citizen_goes_back_to_the_bot(room: Room, rasa: FakeRasa, word: str) -> None:
    await asks_for_a_person(room, rasa)
    await room.receive(update("m2", text=word), update("m3", text="halo"))
    await room.work_off()
    assert room.channel.texts() == [room.texts("meja_kembali"), "Jawaban: halo"]
    assert await room.rows("SELECT outcome, closed_at IS NOT NULL FROM bot.handoffs") == [("kembali", True)]


async def test_the_button_leads_back_and_later_says_how_things_are(room: Room, rasa: FakeRasa) -> None:
    rasa.answer = wants_person
    await room.receive(update("m1", text="petugas"))
    await room.work_off()
    ((data, title),) = room.channel.posted[0].message.choices
    for number, told in enumerate(("meja_kembali", "meja_sudah_bot")):
        room.channel.posted.clear()
        await room.receive(update(f"tap{number}", kind="choice", data=data, title=title))
        await room.work_off()
        assert room.channel.texts() == [room.texts(told)]
    assert rasa.texts() == ["petugas"]


async def test_bot_said_to_an_officer_is_just_a_message(room: Room, rasa: FakeRasa) -> None:
    person = await asks_for_a_person(room, rasa)
    await claim(room.desk(), BUDI, person)
    await room.receive(update("m2", text="bot"))
    await room.work_off()
    assert room.channel.posted == []
    assert await room.value("SELECT handler FROM bot.conversations") == "officer"


async def test_what_nobody_took_for_days_comes_back(room: Room, rasa: FakeRasa) -> None:
    person = await asks_for_a_person(room, rasa)
    room.clock.advance(timedelta(days=6, hours=23))
    assert await close_unanswered(room.desk()) == 0
    room.clock.advance(timedelta(hours=2))
    assert await close_unanswered(room.desk()) == 1
    assert await room.value("SELECT handler FROM bot.conversations WHERE id = :person", person=person) == "bot"
    # The channel's window is closed: it is said when the citizen writes again, before the bot answers.
    await room.work_off()
    assert room.channel.posted == []
    await room.receive(update("m2", text="halo", sent_at=room.clock()))
    await room.work_off()
    assert room.channel.texts() == [room.texts("meja_tak_terjawab"), "Jawaban: halo"]


async def test_what_is_said_before_the_wish_in_the_same_burst_is_said(room: Room, rasa: FakeRasa) -> None:
    rasa.answer = wants_person
    await room.receive(update("m1", text="syarat ktp"), update("m2", text="petugas"), update("m3", text="cepat ya"))
    await room.work_off()
    (told,) = room.channel.texts()
    assert told.startswith("Jawaban: syarat ktp\n\n")
    assert rasa.texts() == ["syarat ktp", "petugas"]
    assert await room.value("SELECT outcome FROM bot.inbox WHERE external_id = 'm3'") == "officer"
