"""Who waits longer than the standard in working time goes before others, once."""

from __future__ import annotations

from datetime import timedelta

from bot.desk.escalation import escalate
from bot.desk.keeper import Keeper
from bot.desk.listing import listing
from bot.desk.states import claim
from bot.desk.transcript import transcript
from tests.bot.conftest import STANDARD, Room
from tests.bot.desk.people import MONDAY, SITI, asks_for_a_person, at
from tests.fakes.rasa import FakeRasa


async def test_it_is_raised_once_and_served_first(room: Room, rasa: FakeRasa) -> None:
    desk = room.desk()
    at(room, MONDAY)
    long = await asks_for_a_person(room, rasa, "ID.1")
    room.clock.advance(STANDARD.escalate - timedelta(minutes=1))
    await room.rows("UPDATE bot.handoffs SET requested_at = :now", now=room.clock())
    short = await asks_for_a_person(room, rasa, "ID.2")
    await room.rows("UPDATE bot.handoffs SET priority = 1 WHERE conversation = :short", short=short)
    assert [item.conversation for item in await listing(desk, SITI, view="queued")] == [short, long]
    assert await escalate(desk) == 0

    room.clock.advance(timedelta(minutes=1))
    assert await escalate(desk) == 1
    assert await escalate(desk) == 0
    first, second = await listing(desk, SITI, view="queued")
    assert (first.conversation, first.raised, first.priority) == (long, True, 1)
    assert (second.conversation, second.raised) == (short, False)
    happened = [line.happening for line in await transcript(desk, SITI, long)]
    assert happened.count("raised") == 1


async def test_nights_do_not_count(room: Room, rasa: FakeRasa) -> None:
    desk = room.desk()
    at(room, MONDAY.replace(hour=20))
    await asks_for_a_person(room, rasa)
    at(room, MONDAY.replace(hour=7) + timedelta(days=1))
    assert await escalate(desk) == 0
    at(room, MONDAY.replace(hour=8, minute=31) + timedelta(days=1))
    assert await escalate(desk) == 1


async def test_one_that_an_officer_holds_and_leaves_unanswered_is_raised_too(room: Room, rasa: FakeRasa) -> None:
    desk = room.desk(lease=timedelta(days=1))
    at(room, MONDAY)
    person = await asks_for_a_person(room, rasa)
    await claim(desk, SITI, person)
    room.clock.advance(STANDARD.escalate)
    await Keeper(desk).once()
    (item,) = await listing(desk, SITI, view="mine")
    assert item.raised
