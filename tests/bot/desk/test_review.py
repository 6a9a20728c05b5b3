"""Supervisors' notes on how a conversation was handled."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.desk.officer import DeskRefused, Refusal
from bot.desk.review import review, reviews
from bot.desk.states import claim, close
from bot.desk.transcript import transcript
from tests.bot.conftest import Room
from tests.bot.desk.people import DEWI, RINI, SITI, asks_for_a_person
from tests.fakes.rasa import FakeRasa

NIK = "3515085708909999"


async def test_written_once_it_is_over_and_listed_in_its_agency(room: Room, rasa: FakeRasa) -> None:
    desk = room.desk()
    person = await asks_for_a_person(room, rasa)
    await claim(desk, SITI, person)
    with pytest.raises(DeskRefused) as refused:
        await review(desk, DEWI, person, "terlalu cepat")
    assert refused.value.reason is Refusal.NOT_OVER
    await close(desk, SITI, person)
    await review(desk, DEWI, person, f"Salam bagus; jangan menulis {NIK} di balasan.")

    since = room.clock() - timedelta(days=7)
    (one,) = await reviews(desk, SITI, since)
    assert one.conversation == person
    assert one.text.startswith("Salam bagus")
    assert NIK not in one.text
    assert await reviews(desk, RINI, since) == []
    assert [line.happening for line in await transcript(desk, DEWI, person) if line.side == "note"] == ["quality"]


@pytest.mark.parametrize(("text", "reason"), [("  ", Refusal.EMPTY), ("x" * 4001, Refusal.TOO_LONG)])
async def test_what_is_no_note(room: Room, rasa: FakeRasa, text: str, reason: Refusal) -> None:
    desk = room.desk()
    person = await asks_for_a_person(room, rasa)
    with pytest.raises(DeskRefused) as refused:
        await review(desk, DEWI, person, text)
    assert refused.value.reason is reason
