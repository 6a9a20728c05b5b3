"""Claim, lease, release, transfer, close: what each does, and what the one who comes too late is told."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest

from bot.channel import SendFailed, SendFailure
from bot.desk import states
from bot.desk.listing import listing
from bot.desk.officer import DeskRefused, Officer, Refusal
from bot.desk.room import DeskRoom
from bot.desk.speech import say
from bot.desk.transcript import transcript
from bot.outbox import Kind, enqueue
from bot.reply import Bubble, Reply
from tests.bot.conftest import Room
from tests.bot.desk.people import BUDI, DEWI, RINI, SITI, asks_for_a_person
from tests.bot.fakes import update
from tests.fakes.rasa import FakeRasa, reply


async def _handler(room: Room) -> tuple[str, str | None]:
    ((handler, officer),) = await room.rows("SELECT handler, officer FROM bot.conversations")
    return handler, officer


async def _happened(room: Room) -> list[str]:
    return [kind for (kind,) in await room.rows("SELECT kind FROM bot.handoff_events ORDER BY id")]


async def _refused(act: Awaitable[object]) -> DeskRefused:
    with pytest.raises(DeskRefused) as caught:
        await act
    return caught.value


async def test_of_twenty_at_once_one_gets_it(room: Room, rasa: FakeRasa) -> None:
    person = await asks_for_a_person(room, rasa)
    desk = room.desk()
    officers = [Officer(f"o{number}", f"Petugas {number}", None) for number in range(20)]
    results = await asyncio.gather(
        *(states.claim(desk, officer, person) for officer in officers), return_exceptions=True
    )
    won = [officer for officer, result in zip(officers, results, strict=True) if isinstance(result, states.Lease)]
    lost = [result for result in results if isinstance(result, DeskRefused)]
    assert len(won) == 1
    assert len(lost) == 19
    assert {refused.reason for refused in lost} == {Refusal.TAKEN}
    assert {refused.sentence for refused in lost} == {f"Percakapan ini sudah diambil {won[0].name}."}
    assert await _handler(room) == ("officer", won[0].id)
    assert (await _happened(room)).count("claimed") == 1


async def test_a_second_claim_of_ones_own_is_a_renewal(room: Room, rasa: FakeRasa) -> None:
    person = await asks_for_a_person(room, rasa)
    first = await states.claim(room.desk(), BUDI, person)
    second = await states.claim(room.desk(), BUDI, person)
    assert first.until
    assert second.until
    assert second.until > first.until


async def test_claims_out_of_scope_or_of_nothing_are_refused(room: Room, rasa: FakeRasa) -> None:
    person = await asks_for_a_person(room, rasa)
    desk = room.desk()
    assert (await _refused(states.claim(desk, RINI, person))).reason is Refusal.OUT_OF_SCOPE
    assert (await _refused(states.claim(desk, BUDI, uuid.uuid4()))).reason is Refusal.GONE
    await states.claim(desk, BUDI, person)
    await states.close(desk, BUDI, person)
    assert (await _refused(states.claim(desk, BUDI, person))).reason is Refusal.NOT_WAITING


async def test_a_lease_that_is_not_renewed_returns_it_to_the_queue(room: Room, rasa: FakeRasa) -> None:
    person = await asks_for_a_person(room, rasa)
    desk = room.desk()
    await states.claim(desk, BUDI, person)
    room.clock.advance(timedelta(seconds=50))
    await states.renew(desk, BUDI, person)
    room.clock.advance(timedelta(seconds=50))
    assert await states.lapse(desk) == 0
    room.clock.advance(timedelta(seconds=11))
    assert await states.lapse(desk) == 1
    assert await _handler(room) == ("queued", None)
    assert (await _refused(states.renew(desk, BUDI, person))).reason is Refusal.NOT_HOLDER
    assert (await _refused(say(desk, BUDI, person, "halo"))).reason is Refusal.NOT_HOLDER
    await states.claim(desk, SITI, person)
    assert (await _refused(states.renew(desk, BUDI, person))).reason is Refusal.TAKEN
    assert await _happened(room) == ["queued", "claimed", "lapsed", "claimed"]


async def test_what_is_given_back_unanswered_keeps_its_place(room: Room, rasa: FakeRasa) -> None:
    desk = room.desk()
    first = await asks_for_a_person(room, rasa, "ID.1")
    await asks_for_a_person(room, rasa, "ID.2")
    await states.claim(desk, BUDI, first)
    room.clock.advance(timedelta(minutes=1))
    await states.release(desk, BUDI, first, "tunggu berkas")
    assert (await listing(desk, BUDI, view="queued"))[0].conversation == first


async def test_what_was_answered_queues_anew(room: Room, rasa: FakeRasa) -> None:
    desk = room.desk()
    first = await asks_for_a_person(room, rasa, "ID.1")
    second = await asks_for_a_person(room, rasa, "ID.2")
    await states.claim(desk, BUDI, first)
    await say(desk, BUDI, first, "Sebentar.")
    await states.release(desk, BUDI, first)
    assert [item.conversation for item in await listing(desk, BUDI, view="queued")] == [second, first]


async def test_transfer_to_another_agency(room: Room, rasa: FakeRasa) -> None:
    person = await asks_for_a_person(room, rasa)
    desk = room.desk()
    await states.claim(desk, BUDI, person)
    unknown = await _refused(states.transfer(desk, BUDI, person, agency="tidak_ada", note=""))
    assert unknown.reason is Refusal.UNKNOWN_AGENCY
    await states.transfer(desk, BUDI, person, agency="dinsos", note="soal bansos")
    await room.work_off()
    (told,) = room.channel.texts()
    assert told.startswith(room.texts("meja_dialihkan"))
    assert "Dinas Sosial" in told
    assert (await _refused(states.claim(desk, BUDI, person))).reason is Refusal.OUT_OF_SCOPE
    await states.claim(desk, RINI, person)
    assert await _handler(room) == ("officer", "rini")


async def test_a_colleague_gets_it_and_has_time_to_see_it(room: Room, rasa: FakeRasa) -> None:
    person = await asks_for_a_person(room, rasa)
    desk = room.desk()
    await states.claim(desk, BUDI, person)
    refused = await _refused(states.hand_to(desk, BUDI, person, colleague=RINI, note=""))
    assert refused.reason is Refusal.OUT_OF_SCOPE
    assert await _handler(room) == ("officer", "budi")
    await states.hand_to(desk, BUDI, person, colleague=SITI, note="tolong lanjutkan")
    assert await _handler(room) == ("officer", "siti")
    room.clock.advance(timedelta(minutes=4))
    assert await states.lapse(desk) == 0
    assert (await _refused(states.hand_to(desk, BUDI, person, colleague=SITI, note=""))).reason is Refusal.TAKEN


async def test_a_supervisor_moves_what_others_hold(room: Room, rasa: FakeRasa) -> None:
    person = await asks_for_a_person(room, rasa)
    desk = room.desk()
    await states.reassign(desk, DEWI, person, colleague=BUDI, note="giliranmu")
    assert await _handler(room) == ("officer", "budi")
    assert (await _refused(states.reassign(desk, RINI, person, colleague=None, note=""))).reason is Refusal.OUT_OF_SCOPE
    await states.reassign(desk, DEWI, person, colleague=None, note="")
    assert await _handler(room) == ("queued", None)
    await states.claim(desk, BUDI, person)
    await states.close(desk, BUDI, person)
    refused = await _refused(states.reassign(desk, DEWI, person, colleague=BUDI, note=""))
    assert refused.reason is Refusal.NOT_WAITING


async def test_closing_tells_the_citizen_and_the_next_message_is_the_bots(room: Room, rasa: FakeRasa) -> None:
    person = await asks_for_a_person(room, rasa)
    desk = room.desk()
    await states.claim(desk, BUDI, person)
    await say(desk, BUDI, person, "Sudah beres.")
    await states.close(desk, BUDI, person, note="selesai lewat telepon")
    await room.receive(update("m2", text="terima kasih"))
    await room.work_off()
    assert room.channel.texts() == ["Sudah beres.", room.texts("meja_selesai"), "Jawaban: terima kasih"]
    assert await room.rows("SELECT outcome FROM bot.handoffs") == [("selesai",)]


async def test_what_was_being_fetched_for_an_officer_who_closes_meanwhile_is_the_bots(
    room: Room, rasa: FakeRasa
) -> None:
    person = await asks_for_a_person(room, rasa)
    desk = room.desk()
    await states.claim(desk, BUDI, person)

    async def close() -> None:
        await states.close(desk, BUDI, person)

    room.channel.before_downloading = close
    room.channel.files["f"] = b"\xff\xd8\xff"
    await room.receive(update("m2", kind="file", file="f"))
    await room.work_off()
    assert room.channel.texts() == [room.texts("meja_selesai"), "Jawaban: None"]
    assert await room.value("SELECT outcome FROM bot.inbox WHERE external_id = 'm2'") == "answered"


async def test_somebody_who_wants_the_bot_back_and_has_it_by_then_is_told(room: Room, rasa: FakeRasa) -> None:
    person = await asks_for_a_person(room, rasa)
    desk = room.desk()
    await states.claim(desk, BUDI, person)
    await states.close(desk, BUDI, person)
    async with room.store.engine.begin() as connection:
        assert await states.give_back(connection, desk, person) == Reply(room.texts("meja_kembali"))


async def test_a_file_that_can_not_be_fetched_is_the_officers_who_has_the_conversation(
    room: Room, rasa: FakeRasa
) -> None:
    person = await asks_for_a_person(room, rasa)
    desk = room.desk()
    await states.claim(desk, BUDI, person)
    await say(desk, BUDI, person, "Kirim fotonya.")
    room.channel.files["f"] = SendFailed(SendFailure.RETRY, None, "away")
    await room.receive(update("m2", kind="file", file="f"))
    await room.rows("UPDATE bot.conversations SET attempts = 99")
    await room.work_off()
    assert await room.value("SELECT outcome FROM bot.inbox WHERE external_id = 'm2'") == "given_up"
    assert await room.value("SELECT waiting_since IS NOT NULL FROM bot.handoffs") is True


async def test_what_the_bot_could_not_say_before_is_not_said_after(room: Room, rasa: FakeRasa) -> None:
    person = await asks_for_a_person(room, rasa)
    desk = room.desk()
    async with room.store.engine.begin() as connection:
        await enqueue(connection, room.store, person, Kind.BOT, [Bubble("jawaban lama")])
    await states.claim(desk, BUDI, person)
    await states.close(desk, BUDI, person)
    await room.work_off()
    assert room.channel.texts() == [room.texts("meja_selesai")]


async def test_a_silent_chat_closes_itself_but_an_unanswered_one_does_not(room: Room, rasa: FakeRasa) -> None:
    person = await asks_for_a_person(room, rasa)
    desk = room.desk(lease=timedelta(days=1))
    await states.claim(desk, BUDI, person)
    room.clock.advance(timedelta(hours=2))
    assert await states.close_silent(desk) == 0
    await say(desk, BUDI, person, "Ada yang bisa dibantu?")
    room.clock.advance(timedelta(minutes=59))
    assert await states.close_silent(desk) == 0
    room.clock.advance(timedelta(minutes=2))
    assert await states.close_silent(desk) == 1
    await room.work_off()
    assert room.channel.texts()[-1] == room.texts("meja_diam")
    assert await _handler(room) == ("bot", None)


async def test_an_officer_takes_over_from_the_bot(room: Room, rasa: FakeRasa) -> None:
    await room.receive(update("m1", text="halo"))
    async with room.at_work(room.worker()):
        await room.until(lambda: len(rasa.turns) == 1)
    person = await room.value("SELECT id FROM bot.conversations")
    desk = room.desk()
    assert (await _refused(states.take_over(desk, RINI, person, agency="umum"))).reason is Refusal.OUT_OF_SCOPE
    await states.take_over(desk, SITI, person, agency="umum")
    await room.work_off()
    assert room.channel.posted == []
    assert await room.value("SELECT state FROM bot.outbox") == "withheld"
    assert (await _refused(states.take_over(desk, DEWI, person, agency="umum"))).reason is Refusal.TAKEN


async def test_a_second_wish_while_it_waits_changes_nothing(room: Room, rasa: FakeRasa) -> None:
    await asks_for_a_person(room, rasa)
    await room.receive(update("m2", text="petugas"))
    await room.work_off()
    assert await room.value("SELECT count(*) FROM bot.handoffs") == 1


async def test_a_persons_second_address_brings_the_hand_off_along(room: Room, rasa: FakeRasa) -> None:
    await room.receive(update("m0", bsuid="ID.1", text="halo"))
    await room.work_off()
    room.clock.advance(timedelta(minutes=5))
    fresh = await asks_for_a_person(room, rasa, "ID.2")
    await room.receive(update("moved", bsuid=None, kind="moved", old="ID.1", new="ID.2"))
    await room.work_off()
    ((person, handler),) = await room.rows("SELECT id, handler FROM bot.conversations")
    assert person != fresh
    assert handler == "queued"
    await states.claim(room.desk(), BUDI, person)


async def test_of_two_hand_offs_of_one_person_the_open_one_counts(room: Room, rasa: FakeRasa) -> None:
    await asks_for_a_person(room, rasa, "ID.1")
    rasa.answer = lambda body: reply("Dicatat.", handoff={"reason": "diminta", "service": "bansos"})
    await room.receive(update("baru", bsuid="ID.2", text="petugas"))
    await room.work_off()
    await room.receive(update("moved", bsuid=None, kind="moved", old="ID.1", new="ID.2"))
    await room.work_off()
    person = await room.value("SELECT id FROM bot.conversations")
    assert await room.value("SELECT count(*) FROM bot.handoffs") == 2
    desk = room.desk()
    await states.claim(desk, BUDI, person)
    await say(desk, BUDI, person, "halo")
    assert [line.text for line in await transcript(desk, BUDI, person)][-1] == "halo"
    assert (await _refused(transcript(desk, RINI, person))).reason is Refusal.OUT_OF_SCOPE


Act = Callable[[DeskRoom, uuid.UUID], Awaitable[object]]


@pytest.mark.parametrize(
    "act",
    [
        lambda desk, person: states.renew(desk, BUDI, person),
        lambda desk, person: states.release(desk, BUDI, person),
        lambda desk, person: states.transfer(desk, BUDI, person, agency="dinsos", note=""),
        lambda desk, person: states.hand_to(desk, BUDI, person, colleague=SITI, note=""),
        lambda desk, person: states.close(desk, BUDI, person),
        lambda desk, person: say(desk, BUDI, person, "halo"),
    ],
    ids=["renew", "release", "transfer", "hand_to", "close", "say"],
)
async def test_only_the_holder_may(room: Room, rasa: FakeRasa, act: Act) -> None:
    person = await asks_for_a_person(room, rasa)
    desk = room.desk()
    assert (await _refused(act(desk, person))).reason is Refusal.NOT_HOLDER
    await states.claim(desk, SITI, person)
    refused = await _refused(act(desk, person))
    assert refused.reason in (Refusal.TAKEN, Refusal.NOT_HOLDER)
    assert await _handler(room) == ("officer", "siti")
