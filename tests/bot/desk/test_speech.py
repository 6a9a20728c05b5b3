"""What officers say, see, and learn of a conversation."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from bot.attachments import Attachment
from bot.channel import Address, FileReference, SendFailed, SendFailure, Update
from bot.desk import states
from bot.desk.changes import Change, changes
from bot.desk.officer import DeskRefused, Refusal
from bot.desk.packet import packet
from bot.desk.presence import come
from bot.desk.speech import note, retry, say, typing
from bot.desk.transcript import file, transcript
from bot.files import store_file
from bot.reading import uploaded
from tests.bot.conftest import Room
from tests.bot.desk.people import BUDI, DEWI, RINI, SITI, asks_for_a_person, wants_person
from tests.bot.fakes import update
from tests.fakes.rasa import FakeRasa, reply

NIK = "3515085708909999"


async def _held(room: Room, rasa: FakeRasa) -> uuid.UUID:
    person = await asks_for_a_person(room, rasa)
    await states.claim(room.desk(), BUDI, person)
    return person


async def test_what_is_sent_by_a_link_is_there_for_the_officer(room: Room, rasa: FakeRasa) -> None:
    person = await _held(room, rasa)
    raw = uploaded("kk.jpg", "image/jpeg", 4, "Kartu Keluarga", draft="3b6a", document="kk")
    await room.receive(Update("unggah:1", [Address("bsuid", "ID.1")], None, raw))
    message = await room.value("SELECT max(id) FROM bot.inbox")
    room.channel.files[""] = b"foto"
    kept = await store_file(room.store, room.channel, message, FileReference("", "kk.jpg", "image/jpeg", 4))
    await room.work_off()
    line = (await transcript(room.desk(), BUDI, person))[-1]
    assert (line.side, line.text, line.file and line.file.id) == ("citizen", "Kartu Keluarga", kept.id)
    assert (await file(room.desk(), BUDI, person, kept.id)).content == b"foto"


async def test_words_and_files_go_out_and_their_state_is_seen(room: Room, rasa: FakeRasa) -> None:
    person = await _held(room, rasa)
    desk = room.desk()
    await say(desk, BUDI, person, "Ini suratnya.", attachment=Attachment("surat.pdf", "application/pdf", b"%PDF isi"))
    await say(desk, BUDI, person, "Ada lagi?")
    await room.work_off()
    letter, question = room.channel.posted
    assert letter.message.text == "Ini suratnya."
    assert letter.message.file
    assert letter.message.file.content == b"%PDF isi"
    await room.receive(
        update("s1", bsuid=None, kind="status", provider_id=letter.provider_id, state="READ"),
        update("s2", bsuid=None, kind="status", provider_id=question.provider_id, state="FAILED", code=131000),
    )
    await room.work_off()
    lines = [line for line in await transcript(desk, BUDI, person) if line.side == "officer"]
    assert [(line.text, line.state, line.officer, line.retryable) for line in lines] == [
        ("Ini suratnya.", "read", "Budi", False),
        ("Ada lagi?", "failed", "Budi", True),
    ]
    assert lines[1].error
    assert "131000" in lines[1].error
    assert lines[0].file
    assert lines[0].file.id
    assert (await file(desk, BUDI, person, lines[0].file.id)).content == b"%PDF isi"


async def test_a_form_that_is_sent_twice_goes_out_once(room: Room, rasa: FakeRasa) -> None:
    person = await asks_for_a_person(room, rasa)
    desk, form = room.desk(), uuid.uuid4()
    await states.claim(desk, BUDI, person)
    sent = await asyncio.gather(*(say(desk, BUDI, person, "Sudah jadi.", form=form) for _ in range(5)))
    assert len(set(sent)) == 1
    await say(desk, BUDI, person, "Sudah jadi.", form=uuid.uuid4())
    await room.work_off()
    assert room.channel.texts() == ["Sudah jadi.", "Sudah jadi."]


async def test_nothing_but_the_officer_speaks_once_there_is_one(room: Room, rasa: FakeRasa) -> None:
    """What those who wait are told may still be on its way when somebody takes them."""
    person = await asks_for_a_person(room, rasa)
    await room.rows("UPDATE bot.outbox SET state = 'queued', sent_at = NULL, provider_id = NULL")
    assert await room.value("SELECT count(*) FROM bot.outbox WHERE kind = 'desk' AND state = 'queued'") > 0
    await states.claim(room.desk(), BUDI, person)
    await say(room.desk(), BUDI, person, "Selamat pagi.")
    await room.work_off()
    assert room.channel.texts() == ["Selamat pagi."]


async def test_what_the_bot_answered_before_it_handed_over_is_sent_all_the_same(room: Room, rasa: FakeRasa) -> None:
    """Both in one burst, whose bubbles the desk sends."""
    rasa.answer = wants_person
    await room.receive(update("m1", text="kirim"), update("m2", text="mau bicara petugas"))
    async with room.beside(room.worker().run()):
        await room.until(lambda: room.value("SELECT count(*) > 0 FROM bot.outbox"))
    person = await room.value("SELECT id FROM bot.conversations")
    await states.claim(room.desk(), BUDI, person)
    await room.work_off()
    assert "Jawaban: kirim" in room.channel.texts()[0]


async def test_what_was_withheld_while_it_was_on_its_way_has_arrived(room: Room, rasa: FakeRasa) -> None:
    person = await _held(room, rasa)
    await say(room.desk(), BUDI, person, "Halo.")
    await room.work_off()
    await room.rows("UPDATE bot.outbox SET state = 'withheld' WHERE kind = 'officer'")
    (sent,) = room.channel.posted
    await room.receive(update("s1", bsuid=None, kind="status", provider_id=sent.provider_id, state="DELIVERED"))
    await room.work_off()
    assert [line.state for line in await transcript(room.desk(), BUDI, person) if line.side == "officer"] == [
        "delivered"
    ]


async def test_a_retry_really_sends(room: Room, rasa: FakeRasa) -> None:
    person = await _held(room, rasa)
    desk = room.desk()
    room.channel.failures = [SendFailed(SendFailure.RECIPIENT, 131026, "pretended")]
    message = await say(desk, BUDI, person, "Halo.")
    await room.work_off()
    (line,) = [line for line in await transcript(desk, BUDI, person) if line.side == "officer"]
    assert (line.state, line.retryable) == ("failed", True)
    await retry(desk, BUDI, person, message)
    with pytest.raises(DeskRefused, match=Refusal.NOT_FAILED.name) as caught:
        await retry(desk, BUDI, person, message)
    assert caught.value.reason is Refusal.NOT_FAILED
    await room.work_off()
    assert room.channel.texts() == ["Halo."]
    assert [line.state for line in await transcript(desk, BUDI, person) if line.side == "officer"] == ["sent"]


async def test_outside_the_window_only_a_template_goes(room: Room, rasa: FakeRasa) -> None:
    person = await _held(room, rasa)
    desk = room.desk(lease=timedelta(days=3))
    await states.renew(desk, BUDI, person)
    shown = (await packet(desk, BUDI, person)).window
    assert shown.open
    assert shown.closes_at
    assert timedelta(hours=23) < shown.closes_at - room.clock() <= timedelta(hours=24)
    room.clock.advance(timedelta(hours=25))
    for as_template, reason in ((False, Refusal.WINDOW_CLOSED), (True, Refusal.NO_TEMPLATE)):
        with pytest.raises(DeskRefused) as caught:
            await say(desk, BUDI, person, "Masih perlu?", as_template=as_template)
        assert caught.value.reason is reason
    room.templates["whatsapp"] = ("kabar", "id")
    await say(desk, BUDI, person, "Masih\nperlu?", as_template=True)
    await room.work_off()
    (posted,) = room.channel.posted
    assert posted.message.template
    assert list(posted.message.template.parameters) == ["Masih perlu?"]
    assert (await packet(desk, BUDI, person)).window.template == "kabar"


@pytest.mark.parametrize(
    ("text", "attachment", "reason"),
    [
        ("  ", None, Refusal.EMPTY),
        ("a" * 13000, None, Refusal.TOO_LONG),
        ("", Attachment("kosong.pdf", "application/pdf", b""), Refusal.TOO_LARGE),
        ("", Attachment("a.pdf", "application/pdf", b"a" * (15 * 1024 * 1024 + 1)), Refusal.TOO_LARGE),
        ("", Attachment("a.pdf", "x\r\nSet-Cookie: a", b"a"), Refusal.TOO_LARGE),
    ],
)
async def test_what_cannot_be_said_is_refused(
    room: Room, rasa: FakeRasa, text: str, attachment: Attachment | None, reason: Refusal
) -> None:
    person = await _held(room, rasa)
    with pytest.raises(DeskRefused) as caught:
        await say(room.desk(), BUDI, person, text, attachment=attachment)
    assert caught.value.reason is reason


async def test_the_transcript_shows_both_sides_and_masks_numbers(room: Room, rasa: FakeRasa) -> None:
    room.channel.files = {"f": b"foto"}
    await room.receive(update("m0", text=f"NIK saya {NIK}"))
    await room.work_off()
    person = await _held(room, rasa)
    await room.receive(
        update("m1", kind="file", file="f"),
        update("m2", kind="unsupported", what="voice"),
        update("m3", kind="contact", own=True),
        update("m4", text="eh salah", edited=True),
        update("m5", kind="???"),
    )
    await room.work_off()
    desk = room.desk()
    await note(desk, SITI, person, f"cek NIK {NIK}")
    lines = await transcript(desk, BUDI, person)
    assert [(line.side, line.happening) for line in lines if line.side in ("note", "event")] == [
        ("event", "queued"),
        ("event", "claimed"),
        ("note", "note"),
    ]
    assert next(line.text for line in lines if line.side == "note") == "cek NIK 3515••••••••9999"
    citizen = [line for line in lines if line.side == "citizen"]
    assert [line.text for line in citizen] == [
        "NIK saya 3515••••••••9999",
        "mau bicara petugas",
        "ini KK",
        "[voice: tidak bisa ditampilkan di sini]",
        "[kontak] +62812•••••00",
        "[diubah] eh salah",
        "[pesan ini tidak bisa ditampilkan]",
    ]
    assert citizen[2].file
    assert citizen[2].file.id
    assert (await file(desk, BUDI, person, citizen[2].file.id)).content == b"foto"
    assert next(line for line in lines if line.side == "bot").text == "Jawaban: NIK saya 3515••••••••9999"
    assert not any(line.happening == "unmasked" for line in lines)
    shown = await transcript(desk, BUDI, person, reveal=True)
    assert any(line.text == f"NIK saya {NIK}" for line in shown)
    assert await room.rows("SELECT officer FROM bot.handoff_events WHERE kind = 'unmasked'") == [("budi",)]


async def test_the_transcript_is_paged(room: Room, rasa: FakeRasa) -> None:
    person = await _held(room, rasa)
    await room.receive(*(update(f"n{number}", text=str(number)) for number in range(5)))
    await room.work_off()
    desk = room.desk()
    whole = await transcript(desk, BUDI, person)
    paged = list(await transcript(desk, BUDI, person, most=2))
    while earlier := await transcript(desk, BUDI, person, most=2, before=paged[0].at):
        paged[:0] = earlier
    assert paged == list(whole)


async def test_other_agencies_and_other_conversations_stay_closed(room: Room, rasa: FakeRasa) -> None:
    room.channel.files = {"f": b"foto"}
    person = await _held(room, rasa)
    await room.receive(update("m1", kind="file", file="f"))
    await room.work_off()
    other = await asks_for_a_person(room, rasa, "ID.2")
    desk = room.desk()
    (attached,) = [line.file for line in await transcript(desk, BUDI, person) if line.file]
    assert attached.id
    with pytest.raises(DeskRefused) as caught:
        await file(desk, BUDI, other, attached.id)
    assert caught.value.reason is Refusal.GONE
    for act in (
        transcript(desk, RINI, person),
        packet(desk, RINI, person),
        note(desk, RINI, person, "x"),
        packet(desk, RINI, person),
        file(desk, RINI, person, attached.id),
    ):
        with pytest.raises(DeskRefused) as caught:
            await act
        assert caught.value.reason is Refusal.OUT_OF_SCOPE


async def test_a_conversation_nobody_handed_over_is_for_officers_of_everything(room: Room, rasa: FakeRasa) -> None:
    await room.receive(update("m1", text="halo"))
    await room.work_off()
    person = await room.value("SELECT id FROM bot.conversations")
    assert await transcript(room.desk(), DEWI, person)
    with pytest.raises(DeskRefused):
        await transcript(room.desk(), BUDI, person)


async def test_the_packet_tells_why_and_what_about(room: Room, rasa: FakeRasa) -> None:
    rasa.answer = lambda body: reply(
        "Syaratnya …",
        frame={
            "intent": "tanya_syarat",
            "confidence": 0.83,
            "service": "ktp_hilang",
            "service_confidence": 0.7,
            "entities": [{"entity": "nik", "value": NIK}],
        },
    )
    await room.receive(update("m0", text=f"ktp hilang, nik {NIK}"))
    await room.work_off()
    person = await asks_for_a_person(room, rasa)
    about = await packet(room.desk(), BUDI, person)
    assert about.contact == str(person)
    assert (about.handler, about.service, about.channel) == ("queued", "ktp_hilang", "whatsapp")
    assert about.current
    assert (about.current.reason, about.current.agency) == ("diminta", "dispendukcapil")
    (frame,) = about.frames
    assert (frame.intent, frame.confidence, frame.text) == ("tanya_syarat", 0.83, "ktp hilang, nik 3515••••••••9999")
    assert frame.entities == [("nik", "3515••••••••9999")]


async def test_typing_shows_on_the_citizens_phone(room: Room, rasa: FakeRasa) -> None:
    person = await _held(room, rasa)
    before = len(room.channel.acknowledged)
    await typing(room.desk(), BUDI, person)
    assert len(room.channel.acknowledged) == before + 1


async def test_changes_come_as_they_happen(room: Room, rasa: FakeRasa) -> None:
    person = await asks_for_a_person(room, rasa)
    desk = room.desk()
    seen: list[Change] = []

    async def watch(feed: AsyncIterator[Change]) -> None:
        async for change in feed:
            seen.append(change)

    expected = (
        Change("presence", officer="budi"),
        Change("queue", person, "dispendukcapil", "budi"),
        Change("typing", person, officer="budi"),
        Change("conversation", person),
        Change("conversation", person, "dispendukcapil"),
    )
    with changes(desk) as feed:
        await come(desk, BUDI, available=True)
        await states.claim(desk, BUDI, person)
        await typing(desk, BUDI, person)
        await say(desk, BUDI, person, "Halo.")
        await room.receive(update("m2", text="ya?"))
        await room.work_off()
        async with room.beside(watch(feed)):
            await room.until(lambda: all(change in seen for change in expected))
