"""Providers deliver again for up to seven days, also what was answered, forgotten and erased long ago."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.erasure import Erasure, wish_erased
from bot.retention import Retention
from tests.bot.conftest import Room
from tests.bot.fakes import update
from tests.fakes.rasa import FakeRasa

_AS_LONG_AS_META = timedelta(days=7)


@pytest.mark.parametrize("gone", ["kept", "forgotten", "erased"])
async def test_a_message_delivered_again_after_a_week_is_not_answered_again(
    room: Room, rasa: FakeRasa, gone: str
) -> None:
    await room.receive(update("1", text="satu"))
    await room.work_off()
    room.clock.advance(_AS_LONG_AS_META)
    if gone == "forgotten":
        # The shortest that the settings allow.
        day = timedelta(days=1)
        await Retention(room.store, room.rasa, messages=day, kept_files=day).forget()
    if gone == "erased":
        await wish_erased(room.store, await room.value("SELECT id FROM bot.conversations"))
        await Erasure(room.store, room.rasa).fulfil_one()
    await room.receive(update("0", text="lain"), update("1", text="satu"))
    await room.work_off()
    assert room.channel.texts() == ["Jawaban: satu", "Jawaban: lain"]
    assert rasa.texts() == ["satu", "lain"]


async def test_an_event_of_the_backend_told_again_after_a_week_is_told_once(room: Room) -> None:
    """Its ids outlive what the messages say."""
    await room.rows("INSERT INTO bot.backend_events VALUES ('peristiwa', :at)", at=room.clock())
    room.clock.advance(_AS_LONG_AS_META)
    day = timedelta(days=1)
    await Retention(room.store, room.rasa, messages=day, kept_files=day).forget()
    assert await room.value("SELECT count(*) FROM bot.backend_events") == 1
