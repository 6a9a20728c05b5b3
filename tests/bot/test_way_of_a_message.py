"""Receive → claim → turn → answer → send, as a citizen notices it."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from bot.channel import SendFailed, SendFailure
from bot.files import LARGEST_FILE
from tests.bot.conftest import Room
from tests.bot.fakes import update
from tests.fakes.rasa import FakeRasa, reply


async def test_a_message_is_answered(room: Room, rasa: FakeRasa) -> None:
    await room.receive(update("m1", text="halo"))
    await room.work_off()
    assert room.channel.texts() == ["Jawaban: halo"]
    assert await room.value("SELECT outcome FROM bot.inbox") == "answered"
    assert await room.value("SELECT state FROM bot.outbox") == "sent"
    assert (await room.rows("SELECT intent, model FROM bot.frames"))[0] == ("salam", "model-uji")
    assert len(room.channel.acknowledged) == 1


@pytest.mark.parametrize("handler", ["queued", "officer"])
async def test_a_tap_is_acknowledged_while_the_desk_has_the_conversation(room: Room, handler: str) -> None:
    await room.receive(update("m1", text="halo"))
    await room.work_off()
    await room.rows("UPDATE bot.conversations SET handler = :handler", handler=handler)
    await room.receive(update("m2", kind="choice", data="1:0", title="Ya"), update("m3", text="iya"))
    await room.work_off()
    assert [body["kind"] for body in room.channel.acknowledged] == ["text", "choice"]


@pytest.mark.parametrize("in_form", [True, False])
async def test_whether_the_form_took_it_is_kept(room: Room, rasa: FakeRasa, in_form: bool) -> None:
    frame = {"intent": "di_luar_topik", "confidence": 0.4, "service": None, "service_confidence": None, "entities": []}
    rasa.answer = lambda body: reply("Baik", frame={**frame, "in_form": in_form})
    await room.receive(update("m1", text="Siti"))
    await room.work_off()
    assert await room.value("SELECT in_form FROM bot.frames") is in_form


@pytest.mark.parametrize(("told", "kept"), [({"margin": 0.12}, 0.12), ({}, None)])
async def test_how_narrowly_an_intent_won_is_kept(
    room: Room, rasa: FakeRasa, told: dict[str, float], kept: float | None
) -> None:
    rasa.answer = lambda body: reply("Baik", frame={"intent": "tanya_biaya", "confidence": 0.5, **told})
    await room.receive(update("m1", text="bayar piro"))
    await room.work_off()
    assert await room.value("SELECT margin FROM bot.frames") == kept


async def test_a_message_that_comes_again_in_another_batch_is_answered_once(room: Room, rasa: FakeRasa) -> None:
    await room.receive(update("m1", text="halo"), update("m1", text="halo"))
    await room.work_off()
    await room.receive(update("m0", text="pagi", bsuid="ID.2"), update("m1", text="halo"))
    await room.work_off()
    assert sorted(rasa.texts()) == ["halo", "pagi"]
    assert await room.value("SELECT count(*) FROM bot.inbox") == 2


async def test_a_burst_is_answered_in_order_and_in_one_bubble(room: Room, rasa: FakeRasa) -> None:
    now = room.clock()
    await room.receive(
        update("m1", text="satu", sent_at=now - timedelta(seconds=2)),
        update("m3", text="tiga", sent_at=now),
        update("m2", text="dua", sent_at=now - timedelta(seconds=1)),
    )
    await room.work_off()
    assert rasa.texts() == ["satu", "dua", "tiga"]
    assert room.channel.texts() == ["Jawaban: satu\n\nJawaban: dua\n\nJawaban: tiga"]


async def test_an_album_is_answered_once_all_of_it_is_there(room: Room, rasa: FakeRasa) -> None:
    async def more_is_awaited() -> bool:
        return bool(await room.value("SELECT bool_and(retry_at IS NOT NULL) FROM bot.conversations"))

    room.channel.files = {"f": b"isi"}
    room.clock.stop()
    async with room.at_work():
        await room.receive(update("m1", kind="file", file="f", in_album=True))
        await room.until(more_is_awaited)
        assert rasa.turns == []
        await room.receive(update("m2", kind="file", file="f", in_album=True))
        await room.idle_after(timedelta(seconds=1))
    assert len(rasa.turns) == 2
    assert len(room.channel.texts()) == 1


async def test_a_single_photo_is_answered_at_once(room: Room, rasa: FakeRasa) -> None:
    room.channel.files = {"f": b"isi"}
    await room.receive(update("m1", kind="file", file="f"))
    await room.work_off()
    assert len(room.channel.texts()) == 1


async def test_two_workers_never_share_a_conversation(room: Room, rasa: FakeRasa) -> None:
    rasa.delay = 0.01
    people = [f"ID.{person}" for person in range(5)]
    async with room.at_work(room.worker(), room.worker(), room.sender()):
        for message in range(6):
            await room.receive(*(update(f"{p}-{message}", bsuid=p, text=f"{message}") for p in people))
            await asyncio.sleep(0.02)
        await room.until(room.idle)
    assert rasa.overlaps == 0
    assert rasa.most_at_once > 1
    for person in {turn["conversation"] for turn in rasa.turns}:
        assert [turn["text"] for turn in rasa.turns if turn["conversation"] == person] == list("012345")


async def test_a_crash_between_store_and_answer_is_made_good_once(room: Room, rasa: FakeRasa) -> None:
    await room.receive(update("m1", text="halo"))
    rasa.delay = 60
    worker = asyncio.create_task(room.worker().run())
    await room.until(lambda: rasa.requests == 1)
    # The process dies: its lease stays, and nobody gives it back.
    await room.rows("UPDATE bot.conversations SET leased_by = 'mati:1:x'")
    worker.cancel()
    await asyncio.gather(worker, return_exceptions=True)
    rasa.delay = 0
    async with room.at_work():
        await asyncio.sleep(0.2)
        assert rasa.requests == 1
        await room.idle_after(timedelta(seconds=61))
    assert room.channel.texts() == ["Jawaban: halo"]


async def test_a_worker_that_lost_its_claim_writes_nothing(room: Room, rasa: FakeRasa) -> None:
    await room.receive(update("m1", text="halo"))
    rasa.delay = 0.3
    slow, quick = room.worker(), room.worker()
    async with room.at_work(slow):
        await room.until(lambda: rasa.requests == 1)
        room.clock.advance(timedelta(seconds=61))
        async with room.at_work(quick, room.sender()):
            await room.until(room.idle)
    assert len(rasa.turns) == 1
    assert room.channel.texts() == ["Jawaban: halo"]


async def test_stopping_finishes_the_turn(room: Room, rasa: FakeRasa) -> None:
    await room.receive(update("m1", text="halo"))
    rasa.delay = 0.3
    async with room.at_work(room.worker()):
        await room.until(lambda: rasa.requests == 1)
    assert await room.value("SELECT outcome FROM bot.inbox") == "answered"
    assert await room.value("SELECT leased_by FROM bot.conversations") is None


async def test_a_tap_is_the_choice_that_was_offered(room: Room, rasa: FakeRasa) -> None:
    rasa.answer = lambda body: reply(
        "Yang mana?", choices=[("niat:tanya_biaya:ktp", "Biaya KTP"), ("mulai:ktp", "Ajukan")]
    )
    await room.receive(update("m1", text="ktp"))
    await room.work_off()
    (data, title) = room.channel.posted[0].message.choices[1]
    assert title == "Ajukan"
    await room.receive(update("m2", kind="choice", data=data, title=title))
    await room.work_off()
    assert rasa.turns[1]["choice"] == "mulai:ktp"


@pytest.mark.parametrize(
    "stranger", [pytest.param(True, id="sent to somebody else"), pytest.param(False, id="no such")]
)
async def test_a_forged_tap_is_its_title(room: Room, rasa: FakeRasa, stranger: bool) -> None:
    rasa.answer = lambda body: reply("Yang mana?", choices=[("mulai:ktp", "Ajukan")])
    await room.receive(update("m1", text="ktp"))
    await room.work_off()
    data = room.channel.posted[0].message.choices[0][0] if stranger else "1:7"
    await room.receive(update("m2", kind="choice", data=data, title="Ajukan", bsuid="ID.2"))
    await room.work_off()
    assert "choice" not in rasa.turns[1]
    assert rasa.turns[1]["text"] == "Ajukan"


@pytest.mark.parametrize(
    ("body", "key"),
    [
        pytest.param({"kind": "unsupported", "what": "voice"}, "tidak_didukung.voice", id="voice"),
        pytest.param({"kind": "unsupported", "what": "hologram"}, "tidak_didukung.lainnya", id="unknown"),
        pytest.param({"kind": "contact", "own": False}, "kontak_orang_lain", id="somebody else's contact"),
        pytest.param({"text": "halo", "edited": True}, "pesan_diubah", id="edited"),
        pytest.param({"text": " \0 "}, "pesan_kosong", id="empty"),
        pytest.param({"text": "a" * 4097}, "terlalu_panjang", id="too long"),
        pytest.param({"kind": "file", "file": "x", "size": LARGEST_FILE + 1}, "berkas_terlalu_besar", id="too big"),
        pytest.param({"kind": "file", "file": "big"}, "berkas_terlalu_besar", id="too big while fetched"),
        pytest.param({"kind": "file", "file": "gone"}, "berkas_hilang", id="file gone"),
    ],
)
async def test_what_cannot_be_read_gets_a_reason_and_not_rasa(
    room: Room, rasa: FakeRasa, body: dict[str, object], key: str
) -> None:
    room.channel.files = {"big": bytes(LARGEST_FILE + 1), "gone": SendFailed(SendFailure.RECIPIENT, 404, "gone")}
    await room.receive(update("m1", **body))  # type: ignore[arg-type]
    await room.work_off()
    family, _, kind = key.partition(".")
    expected = room.texts.of(family, kind) if kind else room.texts(key, huruf=4096, batas=15)
    assert room.channel.texts() == [expected]
    assert rasa.requests == 0


@pytest.mark.parametrize(
    "text", ["/restart", '/intent{"nik": "1"}', "مرحبا 👨‍👩‍👧 ‮abc", "ha\0lo", "buruk \ud800 sekali"]
)
async def test_odd_texts_reach_rasa_as_text(room: Room, rasa: FakeRasa, text: str) -> None:
    await room.receive(update("m1", text=text))
    await room.work_off()
    assert rasa.texts() == [text.replace("\0", "").replace("\ud800", "�")]


async def test_a_file_is_kept_and_handed_over_by_address(room: Room, rasa: FakeRasa) -> None:
    room.channel.files = {"f": b"isi kk"}
    await room.receive(update("m1", kind="file", file="f"))
    await room.work_off()
    file = rasa.turns[0]["file"]
    assert file["url"].startswith("http://127.0.0.1:1/internal/files/")
    assert (file["name"], file["content_type"], file["size"], file["caption"]) == ("kk.jpg", "image/jpeg", 6, "ini KK")
    # What was understood is kept with the words it was understood from.
    kept = await room.value("SELECT text FROM bot.frames")
    assert room.store.frame.open(kept).decode() == "ini KK"
    assert b"isi kk" not in bytes(await room.value("SELECT content FROM bot.files"))


async def test_a_file_is_fetched_once_however_often_the_turn_is_tried(room: Room, rasa: FakeRasa) -> None:
    room.channel.files = {"f": b"isi kk"}
    rasa.trouble = 503
    await room.receive(update("m1", kind="file", file="f"))
    async with room.at_work():
        await room.until(lambda: rasa.requests == 1)
        rasa.trouble = None
        await room.idle_after(timedelta(seconds=3))
    assert room.channel.downloads == 1
    assert len(rasa.turns) == 1


async def test_a_late_message_is_kept_but_not_answered(room: Room, rasa: FakeRasa) -> None:
    await room.receive(update("m1", text="halo", sent_at=room.clock() - timedelta(hours=13)))
    await room.work_off()
    assert room.channel.posted == []
    assert rasa.requests == 0
    assert await room.value("SELECT outcome FROM bot.inbox") == "stale"


async def test_an_officers_conversation_is_left_to_the_officer(room: Room, rasa: FakeRasa) -> None:
    room.channel.files = {"f": b"isi"}
    await room.receive(update("m1", text="halo"))
    await room.work_off()
    await room.rows("UPDATE bot.conversations SET handler = 'officer'")
    await room.receive(update("m2", text="apa kabar"), update("m3", kind="file", file="f"))
    await room.work_off()
    assert rasa.texts() == ["halo"]
    assert len(room.channel.posted) == 1
    assert await room.value("SELECT count(*) FROM bot.inbox WHERE outcome = 'officer'") == 2
    assert await room.value("SELECT count(*) FROM bot.files") == 1


async def test_an_officer_who_takes_over_silences_what_is_under_way(room: Room, rasa: FakeRasa) -> None:
    await room.receive(update("m1", text="halo"))
    async with room.at_work(room.worker()):
        await room.until(lambda: len(rasa.turns) == 1)
    await room.rows("UPDATE bot.conversations SET handler = 'officer'")
    await room.work_off()
    assert room.channel.posted == []
    assert await room.value("SELECT state FROM bot.outbox") == "withheld"


async def test_a_wish_for_an_officer_is_written_down(room: Room, rasa: FakeRasa) -> None:
    rasa.answer = lambda body: reply("Baik.", handoff={"reason": "diminta", "service": "ktp_hilang"})
    await room.receive(update("m1", text="mau bicara dengan orang"))
    await room.work_off()
    assert await room.rows("SELECT reason, service FROM bot.handoffs") == [("diminta", "ktp_hilang")]


async def test_what_cannot_be_parsed_is_kept_counted_and_not_tried_again(room: Room, rasa: FakeRasa) -> None:
    await room.receive(update("m1", kind="???"), update("m2", kind="???", bsuid=None), update("m3", text="halo"))
    await room.work_off()
    assert await room.value("SELECT count(*) FROM bot.inbox WHERE outcome = 'unreadable' AND error IS NOT NULL") == 2
    assert room.metrics.registry.get_sample_value("praja_inbox_unreadable_total", {"channel": "whatsapp"}) == 2
    assert room.channel.texts() == ["Jawaban: halo"]


async def test_nothing_a_citizen_wrote_lies_in_clear(room: Room, rasa: FakeRasa) -> None:
    await room.receive(update("m1", text="NIK saya 3515085708909999", bsuid="ID.RAHASIA", phone="+6281234567890"))
    await room.work_off()
    for table in ("conversations", "addresses", "inbox", "outbox", "frames"):
        for row in await room.rows(f"SELECT * FROM bot.{table}"):
            for value in row:
                shown = bytes(value) if isinstance(value, (bytes, memoryview)) else str(value).encode()
                assert not any(secret in shown for secret in (b"3515085708909999", b"RAHASIA", b"81234567890"))
