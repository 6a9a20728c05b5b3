"""The outbox: in order, paced, each failure according to its class, and states that never move backwards."""

from __future__ import annotations

import asyncio
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.channel import SendFailed, SendFailure, Template
from bot.metrics import billable_messages
from bot.outbox import MOST_TRIES, Kind, enqueue
from bot.reply import Bubble
from tests.bot.conftest import Room
from tests.bot.fakes import update
from tests.fakes.rasa import FakeRasa


async def _person(room: Room, bsuid: str = "ID.1") -> uuid.UUID:
    """Somebody who has written just now, and was answered."""
    await room.receive(update(f"halo-{bsuid}", bsuid=bsuid, text="halo"))
    await room.work_off()
    room.channel.posted.clear()
    owner: uuid.UUID = await room.value(
        "SELECT conversation FROM bot.inbox WHERE external_id = :id", id=f"halo-{bsuid}"
    )
    return owner


async def _queue(room: Room, person: uuid.UUID, *texts: str, kind: Kind = Kind.BOT, **more: Any) -> None:
    async with room.store.engine.begin() as connection:
        await enqueue(connection, room.store, person, kind, [Bubble(text, **more) for text in texts])


async def _states(room: Room) -> list[tuple[str, str | None]]:
    """Of what was queued by the test: the answer to the first message aside."""
    return [
        tuple(row) for row in await room.rows("SELECT state, error FROM bot.outbox WHERE inbox IS NULL ORDER BY id")
    ]


async def _is(room: Room, states: list[tuple[str, str | None]]) -> bool:
    return await _states(room) == states


async def _answered(room: Room) -> bool:
    return bool(await room.value("SELECT every(answered_at IS NOT NULL) FROM bot.inbox"))


def _failed(failure: SendFailure, **more: Any) -> SendFailed:
    return SendFailed(failure, more.pop("code", 1), "pretended", **more)


async def test_messages_of_one_person_keep_their_order(room: Room) -> None:
    people = [await _person(room, f"ID.{n}") for n in range(3)]
    for number in range(12):
        for person in people:
            await _queue(room, person, str(number))
    async with room.at_work(room.sender(), room.sender()):
        await room.until(room.idle)
    for n in range(3):
        sent = [posted.message.text for posted in room.channel.posted if posted.to[0].value == f"ID.{n}"]
        assert sent == [str(number) for number in range(12)]


async def test_the_pace_lets_a_burst_through_and_then_holds(room: Room) -> None:
    person = await _person(room)
    room.channel.limit(pace=timedelta(minutes=1))
    await _queue(room, person, *map(str, range(14)))
    async with room.at_work(room.sender()):
        await room.until(lambda: len(room.channel.posted) >= 10)
        await asyncio.sleep(0.3)
        assert 10 <= len(room.channel.posted) <= 11
        await room.idle_after(timedelta(minutes=5))
    assert room.channel.texts() == [str(number) for number in range(14)]


async def test_a_pause_for_one_recipient_is_not_one_for_others(room: Room) -> None:
    first, second = await _person(room), await _person(room, "ID.2")
    room.channel.failures = [_failed(SendFailure.RETRY, retry_after=timedelta(seconds=30))]
    await _queue(room, first, "satu", "dua")
    async with room.at_work(room.sender()):
        await room.until(lambda: room.channel.failures == [])
        await _queue(room, second, "lain")
        await room.until(lambda: room.channel.texts() == ["lain"])
        await room.idle_after(timedelta(seconds=31))
    assert room.channel.texts() == ["lain", "satu", "dua"]


async def test_a_busy_channel_pauses_for_everybody(room: Room) -> None:
    first, second = await _person(room), await _person(room, "ID.2")
    room.channel.failures = [_failed(SendFailure.CHANNEL_BUSY, retry_after=timedelta(seconds=30))]
    await _queue(room, first, "satu")
    async with room.at_work(room.sender()):
        await room.until(lambda: room.channel.failures == [])
        await _queue(room, second, "dua")
        await asyncio.sleep(0.2)
        assert room.channel.posted == []
        await room.idle_after(timedelta(seconds=31))
    assert sorted(room.channel.texts()) == ["dua", "satu"]
    assert await room.value("SELECT max(attempts) FROM bot.outbox") == 1


@pytest.mark.parametrize(("times", "state"), [(2, "sent"), (3, "failed")])
async def test_an_unknown_outcome_is_tried_twice_more(room: Room, times: int, state: str) -> None:
    person = await _person(room)
    room.channel.failures = [_failed(SendFailure.UNKNOWN) for _ in range(times)]
    await _queue(room, person, "satu")
    async with room.at_work(room.sender()):
        await room.until(lambda: len(room.channel.failures) == times - 1)
        for _ in range(2):
            await asyncio.sleep(0.15)
            await room.idle_after(timedelta(minutes=3))
    assert await _states(room) == [(state, "unknown" if state == "failed" else None)]


async def test_an_officers_message_of_unknown_outcome_is_left_to_the_officer(room: Room) -> None:
    person = await _person(room)
    room.channel.failures = [_failed(SendFailure.UNKNOWN)]
    await _queue(room, person, "satu", kind=Kind.OFFICER)
    await room.work_off()
    assert await _states(room) == [("failed", "unknown")]
    assert room.channel.posted == []


async def test_a_status_that_bears_our_tag_settles_an_unknown_outcome(room: Room) -> None:
    person = await _person(room)
    room.channel.failures = [_failed(SendFailure.UNKNOWN)]
    await _queue(room, person, "satu")
    async with room.at_work():
        await room.until(lambda: room.channel.failures == [])
        tag = str(await room.value("SELECT max(id) FROM bot.outbox"))
        await room.receive(update("s1", bsuid=None, kind="status", provider_id="wamid.X", state="DELIVERED", tag=tag))
        await room.until(room.idle)
    assert room.channel.posted == []
    assert await _states(room) == [("delivered", None)]


async def test_outside_the_window_a_notification_waits_and_goes_first(room: Room, rasa: FakeRasa) -> None:
    person = await _person(room)
    room.clock.advance(timedelta(hours=25))
    await _queue(room, person, "kabar", kind=Kind.NOTIFICATION)
    await _queue(room, person, "dari bot")
    await room.work_off()
    assert room.channel.posted == []
    assert await _states(room) == [("held", None), ("failed", "window_closed")]
    await room.receive(update("m9", text="halo"))
    await room.work_off()
    assert room.channel.texts() == ["kabar", "Jawaban: halo"]


async def test_what_is_held_the_moment_they_write_goes_soon(room: Room) -> None:
    person = await _person(room)
    await _queue(room, person, "kabar", kind=Kind.NOTIFICATION)
    await room.rows("UPDATE bot.outbox SET state = 'held' WHERE kind = 'notification'")
    async with room.at_work():
        await asyncio.sleep(0.2)
        assert room.channel.posted == []
        room.clock.advance(timedelta(minutes=2))
        await room.until(lambda: room.channel.texts() == ["kabar"])


async def test_a_provider_that_says_the_window_is_closed_is_believed(room: Room) -> None:
    person = await _person(room)
    room.channel.failures = [_failed(SendFailure.WINDOW_CLOSED, code=131047)] * 2
    await _queue(room, person, "kabar", kind=Kind.NOTIFICATION)
    await _queue(room, person, "dari bot")
    await room.work_off()
    assert await _states(room) == [("held", None), ("failed", "window_closed")]
    assert await room.value("SELECT max(error_code) FROM bot.outbox") == 131047


TEMPLATE = Template("kabar", "id", ("kabar",))


async def _refuse_late(room: Room, number: int = 0) -> None:
    """What was taken at first comes back as failed, the window being closed."""
    status = {"provider_id": f"wamid.{number}", "state": "FAILED", "code": 131047, "failure": "window_closed"}
    await room.receive(update(f"f{number}", bsuid=None, kind="status", **status))  # type: ignore[arg-type]
    await room.work_off()


@pytest.mark.parametrize("when", ["at once", "late"])
async def test_a_notification_refused_for_its_time_goes_as_its_template(room: Room, when: str) -> None:
    person = await _person(room)
    if when == "at once":
        room.channel.failures = [_failed(SendFailure.WINDOW_CLOSED, code=131047)]
    await _queue(room, person, "kabar", kind=Kind.NOTIFICATION, template=TEMPLATE)
    await room.work_off()
    if when == "late":
        await _refuse_late(room)
    assert room.channel.posted[-1].message.template == TEMPLATE
    assert await _states(room) == [("sent", None)]
    last = f"wamid.{len(room.channel.posted) - 1}"
    assert await room.value("SELECT provider_id FROM bot.outbox WHERE inbox IS NULL") == last


async def test_a_template_waits_like_anything_that_is_tried_again(room: Room) -> None:
    person = await _person(room)
    room.channel.failures = [
        _failed(SendFailure.WINDOW_CLOSED, code=131047),
        _failed(SendFailure.RETRY, retry_after=timedelta(seconds=30)),
    ]
    await _queue(room, person, "kabar", kind=Kind.NOTIFICATION, template=TEMPLATE)
    async with room.at_work():
        await room.until(lambda: room.channel.failures == [])
        await room.idle_after(timedelta(seconds=31))
    assert [posted.message.template for posted in room.channel.posted] == [TEMPLATE]


async def test_what_would_wait_for_the_citizen_goes_out_if_they_have_written_since(room: Room) -> None:
    person = await _person(room)
    room.clock.advance(timedelta(hours=25))
    await _queue(room, person, "kabar", kind=Kind.NOTIFICATION, template=TEMPLATE)
    await _queue(room, person, "kabar lagi", kind=Kind.NOTIFICATION)
    _write_while_sending(room)
    async with room.at_work(room.sender()):
        await room.until(lambda: room.channel.texts() == ["kabar", "kabar lagi"])


async def test_who_writes_while_a_refusal_is_on_its_way_can_be_reached(room: Room) -> None:
    person = await _person(room)
    await _queue(room, person, "satu", "dua")
    room.channel.failures = [_failed(SendFailure.RECIPIENT, code=403)]
    _write_while_sending(room)
    async with room.at_work(room.sender()):
        await room.until(lambda: room.channel.texts() == ["dua"])
    assert await room.value("SELECT unreachable FROM bot.conversations") is False


def _write_while_sending(room: Room) -> None:
    """Once, while the next message is sent."""

    async def write() -> None:
        room.channel.before_sending = None
        await room.receive(update("lagi", text="lagi"))

    room.channel.before_sending = write


async def test_a_notification_refused_late_without_a_template_is_held(room: Room, rasa: FakeRasa) -> None:
    person = await _person(room)
    await _queue(room, person, "kabar", kind=Kind.NOTIFICATION)
    await room.work_off()
    await _refuse_late(room)
    assert await _states(room) == [("held", None)]
    await room.receive(update("m9", text="halo"))
    await room.work_off()
    assert room.channel.texts() == ["kabar", "kabar", "Jawaban: halo"]
    # What Meta still says of the first try is overtaken, and of the second counts.
    await room.receive(update("s0", bsuid=None, kind="status", provider_id="wamid.0", state="SENT", tag="2"))
    await room.receive(update("s1", bsuid=None, kind="status", provider_id="wamid.1", state="READ", tag="2"))
    async with room.at_work():
        await room.until(lambda: _is(room, [("read", None)]))


async def test_a_notification_refused_late_goes_again_when_the_citizen_has_written_since(room: Room) -> None:
    person = await _person(room)
    await _queue(room, person, "kabar", kind=Kind.NOTIFICATION, template=TEMPLATE)
    await room.work_off()
    room.clock.advance(timedelta(seconds=5))
    await room.receive(update("m9", text="halo"))
    await room.work_off()
    await _refuse_late(room)
    assert room.channel.texts() == ["kabar", "Jawaban: halo", "kabar"]
    assert [posted.message.template for posted in room.channel.posted] == [None, None, None]


async def test_a_refusal_that_comes_ahead_of_our_own_record_is_not_lost(room: Room) -> None:
    person = await _person(room)

    async def refuse() -> None:
        room.channel.before_sending = None
        tag = str(await room.value("SELECT max(id) FROM bot.outbox"))
        status = {"provider_id": "wamid.0", "state": "FAILED", "failure": "window_closed", "tag": tag}
        await room.receive(update("f", bsuid=None, kind="status", **status))  # type: ignore[arg-type]
        await room.until(lambda: _answered(room))

    room.channel.before_sending = refuse
    await _queue(room, person, "kabar", kind=Kind.NOTIFICATION, template=TEMPLATE)
    await room.work_off()
    assert [posted.message.template for posted in room.channel.posted] == [None, TEMPLATE]
    assert await _states(room) == [("sent", None)]


async def test_an_answer_refused_late_stays_failed_for_the_desk_to_see(room: Room) -> None:
    person = await _person(room)
    await _queue(room, person, "dari bot")
    await room.work_off()
    await _refuse_late(room)
    assert await _states(room) == [("failed", "window_closed")]
    assert await room.value("SELECT max(error_code) FROM bot.outbox") == 131047
    assert room.channel.texts() == ["dari bot"]


async def test_a_template_that_is_refused_for_its_time_is_not_sent_for_ever(room: Room) -> None:
    person = await _person(room)
    await _queue(room, person, "kabar", kind=Kind.NOTIFICATION, template=TEMPLATE)
    await room.work_off()
    await room.rows("UPDATE bot.outbox SET attempts = 10 WHERE inbox IS NULL")
    for number in range(3):
        assert await _states(room) == [("sent", None)]
        await _refuse_late(room, number)
    assert await _states(room) == [("failed", "window_closed")]
    assert len(room.channel.posted) == 3


async def test_a_template_goes_out_at_any_time(room: Room) -> None:
    person = await _person(room)
    await _queue(room, person, "kabar", kind=Kind.NOTIFICATION, template=TEMPLATE)
    await room.work_off()
    room.clock.advance(timedelta(hours=25))
    await _queue(room, person, "kabar lain", kind=Kind.NOTIFICATION, template=TEMPLATE)
    await room.work_off()
    assert [posted.message.template for posted in room.channel.posted] == [None, TEMPLATE]


async def test_who_cannot_be_reached_is_not_tried_until_they_write(room: Room, rasa: FakeRasa) -> None:
    person = await _person(room)
    room.channel.failures = [_failed(SendFailure.RECIPIENT, code=403)]
    await _queue(room, person, "satu", "dua")
    await room.work_off()
    await _queue(room, person, "tiga")
    await room.work_off()
    assert [state for state, _ in await _states(room)] == ["failed"] * 3
    assert room.channel.posted == []
    await room.receive(update("m9", text="saya kembali"))
    await room.work_off()
    assert room.channel.texts() == ["Jawaban: saya kembali"]


async def test_an_operators_trouble_keeps_the_queue(room: Room) -> None:
    first, second = await _person(room), await _person(room, "ID.2")
    room.channel.failures = [_failed(SendFailure.OPERATOR, code=190)] * 2
    stopped = {"channel": "whatsapp"}
    await _queue(room, first, "satu")
    async with room.at_work(room.sender()):
        await room.until(lambda: len(room.channel.failures) == 1)
        await _queue(room, second, "dua")
        await asyncio.sleep(0.2)
        assert len(room.channel.failures) == 1
        assert room.metrics.registry.get_sample_value("praja_channel_stopped", stopped) == 1
        room.clock.advance(timedelta(seconds=61))
        await room.until(lambda: room.channel.failures == [])
        await asyncio.sleep(0.1)
        await room.idle_after(timedelta(seconds=61))
    assert sorted(room.channel.texts()) == ["dua", "satu"]
    assert room.metrics.registry.get_sample_value("praja_channel_stopped", stopped) == 0


async def test_a_payload_of_ours_that_is_refused_does_not_hold_up_the_next(room: Room) -> None:
    person = await _person(room)
    room.channel.failures = [_failed(SendFailure.PAYLOAD, code=100)]
    await _queue(room, person, "satu", "dua")
    await room.work_off()
    assert await _states(room) == [("failed", "pretended"), ("sent", None)]


async def _tried(room: Room, times: int) -> bool:
    return bool(await room.value("SELECT attempts = :times FROM bot.outbox WHERE inbox IS NULL", times=times))


async def test_a_mistake_in_an_adapter_is_tried_again_but_not_for_ever(room: Room) -> None:
    person = await _person(room)
    room.channel.failures = [KeyError("x") for _ in range(40)]
    await _queue(room, person, "satu")
    async with room.at_work(room.sender()):
        for tries in range(MOST_TRIES):
            room.clock.advance(timedelta(minutes=15))
            await room.until(lambda n=tries: _tried(room, n + 1))  # type: ignore[misc]
    assert (await _states(room))[0][0] == "failed"
    assert len(room.channel.failures) == 28


async def test_a_sender_that_dies_is_replaced(room: Room) -> None:
    person = await _person(room)
    await _queue(room, person, "satu")
    await room.rows(
        "UPDATE bot.conversations SET send_leased_by = 'mati:1:x', send_lease_until = :until",
        until=room.clock() + timedelta(seconds=90),
    )
    async with room.at_work(room.sender()):
        await asyncio.sleep(0.2)
        assert room.channel.posted == []
        await room.idle_after(timedelta(seconds=91))
    assert room.channel.texts() == ["satu"]


@pytest.mark.parametrize(
    ("statuses", "state"),
    [
        (["READ", "SENT"], "read"),
        (["READ", "DELIVERED"], "read"),
        (["DELIVERED", "FAILED"], "delivered"),
        (["FAILED", "SENT"], "failed"),
        (["FAILED", "READ"], "read"),
        (["SENT", "DELIVERED", "READ"], "read"),
    ],
)
async def test_a_state_never_moves_backwards(room: Room, rasa: FakeRasa, statuses: list[str], state: str) -> None:
    await room.receive(update("m1", text="halo"))
    await room.work_off()
    for number, status in enumerate(statuses):
        await room.receive(
            update(f"s{number}", bsuid=None, kind="status", provider_id="wamid.0", state=status, code=131026)
        )
        await room.work_off()
    row = (await room.rows("SELECT state, error_code, delivered_at FROM bot.outbox"))[0]
    assert row.state == state
    assert row.error_code == (131026 if state == "failed" else None)
    assert (row.delivered_at is not None) == (state in ("delivered", "read"))


async def test_a_status_ahead_of_our_own_record_is_not_lost(room: Room, rasa: FakeRasa) -> None:
    async with room.at_work(room.worker()):
        await room.receive(update("s1", bsuid=None, kind="status", provider_id="wamid.0", state="DELIVERED"))
        await asyncio.sleep(0.1)
        await room.receive(update("m1", text="halo"))
        async with room.at_work(room.sender()):
            await room.until(room.idle)
    assert await room.value("SELECT state FROM bot.outbox") == "delivered"


async def test_a_status_about_nothing_we_know_is_let_go_after_a_minute(room: Room) -> None:
    async with room.at_work(room.worker()):
        await room.receive(update("s1", bsuid=None, kind="status", provider_id="wamid.?", state="SENT"))
        await asyncio.sleep(0.1)
        assert not await room.idle()
        await room.idle_after(timedelta(seconds=61))


async def test_the_bill_of_a_month(room: Room, rasa: FakeRasa) -> None:
    for number, billable in enumerate([True, True, False, None]):
        await room.receive(update(f"m{number}", text="halo"))
        await room.work_off()
        status = {"provider_id": f"wamid.{number}", "state": "DELIVERED", "billable": billable}
        await room.receive(update(f"s{number}", bsuid=None, kind="status", **status))  # type: ignore[arg-type]
        await room.work_off()
    # The account's month began at 17.00 UTC of the last day of October.
    await room.rows("UPDATE bot.outbox SET delivered_at = '2026-10-31 16:59+00' WHERE provider_id = 'wamid.0'")
    await room.rows("UPDATE bot.outbox SET delivered_at = '2026-10-31 17:00+00' WHERE provider_id <> 'wamid.0'")
    assert await billable_messages(room.store, datetime(2026, 11, 24, tzinfo=UTC)) == 1
    assert await billable_messages(room.store, datetime(2026, 10, 1, tzinfo=UTC)) == 1


async def test_an_operators_refusal_that_comes_late_halts_the_channel_and_loses_nothing(room: Room) -> None:
    """131042: Meta takes each message and then says that there is no way to pay for it."""
    person = await _person(room)
    await _queue(room, person, "satu")
    await room.work_off()
    await _say_late(room, 0, failure="operator", code=131042)
    assert await room.value("SELECT state FROM bot.outbox WHERE inbox IS NULL") == "queued"
    await _queue(room, person, "dua")
    async with room.at_work():
        await room.until(lambda: _stopped(room) == 1)
        await asyncio.sleep(0.2)
        assert room.channel.texts() == ["satu"]
        # One of them tries after a minute, and no other.
        room.clock.advance(timedelta(seconds=61))
        await room.until(lambda: len(room.channel.posted) == 2)
        await asyncio.sleep(0.2)
        assert room.channel.texts() == ["satu", "satu"]
        await room.receive(update("ok", bsuid=None, kind="status", provider_id="wamid.1", state="DELIVERED"))
        await room.until(lambda: _stopped(room) == 0)
        await room.until(lambda: room.channel.texts() == ["satu", "satu", "dua"])
    assert await room.value("SELECT max(attempts) FROM bot.outbox WHERE inbox IS NULL") == 1


async def test_a_delivery_of_before_does_not_end_a_halt(room: Room) -> None:
    person = await _person(room)
    await _queue(room, person, "satu", "dua")
    await room.work_off()
    await _say_late(room, 1, failure="operator", code=131042)
    await room.receive(update("ok", bsuid=None, kind="status", provider_id="wamid.0", state="DELIVERED"))
    async with room.at_work():
        await room.until(lambda: _answered(room))
    assert await room.value("SELECT count(*) FROM bot.halts") == 1


@pytest.mark.parametrize("written_since", [False, True])
async def test_whom_a_late_refusal_cannot_reach_is_marked_unless_they_wrote_since(
    room: Room, *, written_since: bool
) -> None:
    """131026"""
    person = await _person(room)
    await _queue(room, person, "satu")
    await room.work_off()
    if written_since:
        room.clock.advance(timedelta(seconds=5))
        await room.receive(update("m9", text="ada"))
        await room.work_off()
    await _say_late(room, 0, failure="recipient", code=131026)
    assert await room.value("SELECT unreachable FROM bot.conversations") is not written_since
    assert await room.value("SELECT error_code FROM bot.outbox WHERE inbox IS NULL") == 131026
    await _queue(room, person, "dua")
    await room.work_off()
    assert ("dua" in room.channel.texts()) is written_since


async def _say_late(room: Room, message: int, *, failure: str, code: int) -> None:
    # The paper channel counts anew after the first answer.
    await room.rows(
        "UPDATE bot.outbox SET provider_id = 'wamid.halo' WHERE inbox IS NOT NULL AND provider_id = 'wamid.0'"
    )
    status = {"provider_id": f"wamid.{message}", "state": "FAILED", "failure": failure, "code": code}
    await room.receive(update(f"late-{message}", bsuid=None, kind="status", **status))  # type: ignore[arg-type]
    async with room.at_work(room.worker()):
        await room.until(lambda: _answered(room))


def _stopped(room: Room) -> float:
    return room.metrics.registry.get_sample_value("praja_channel_stopped", {"channel": "whatsapp"}) or 0
