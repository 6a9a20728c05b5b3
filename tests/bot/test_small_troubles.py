"""Small troubles stay small: one row that cannot be read, a mistake in one part, connections that are cut."""

from __future__ import annotations

import asyncio
import contextlib

import psycopg
import pytest
from sqlalchemy.exc import OperationalError

from bot.channel import FileReference, SendFailed, SendFailure
from bot.files import store_file
from bot.lasting import lasting
from tests.bot.conftest import Room
from tests.bot.fakes import update


async def test_an_address_that_cannot_be_opened_holds_up_only_its_own_conversation(room: Room) -> None:
    await room.receive(update("1", text="satu", bsuid="ID.1"))
    await room.rows("UPDATE bot.addresses SET value = '\\x00'::bytea")
    await room.receive(update("2", text="dua", bsuid="ID.2"))
    async with room.at_work():
        await room.until(lambda: room.channel.texts() == ["Jawaban: dua"])
        await asyncio.sleep(0.2)
    assert await room.value("SELECT count(*) FROM bot.outbox WHERE state = 'queued'") == 1


async def test_a_file_that_takes_too_long_is_fetched_another_time(room: Room) -> None:
    """For as long as a claim lasts nobody else answers that conversation, and no longer."""
    await room.receive(update("1", text="satu"))
    room.channel.files["m1"] = b"foto"
    room.channel.before_downloading = lambda: asyncio.sleep(30)
    photo = FileReference("m1", "kk.jpg", "image/jpeg", 4)
    message = await room.value("SELECT id FROM bot.inbox")
    with pytest.raises(SendFailed) as failed:
        await store_file(room.store, room.channel, message, photo, longest=0.05)
    assert failed.value.failure is SendFailure.RETRY
    room.channel.before_downloading = None
    assert (await store_file(room.store, room.channel, message, photo, longest=5)).size == 4


async def test_what_ends_by_mistake_is_begun_again() -> None:
    tries = 0

    async def work() -> None:
        nonlocal tries
        tries += 1
        if tries < 3:
            raise KeyError("mistake")

    await asyncio.wait_for(lasting(work, pause=0.01), 5)
    assert tries == 3


async def test_what_was_sent_while_the_connections_were_cut_is_written_down_and_not_sent_again(room: Room) -> None:
    async def cut() -> None:
        room.channel.before_sending = None
        async with await psycopg.AsyncConnection.connect(room.url, autocommit=True) as connection:
            await connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )

    async def idle() -> bool:
        # The connection that is asked over may be one of those that were cut.
        with contextlib.suppress(OperationalError):
            return await room.idle()
        return False

    room.channel.before_sending = cut
    await room.receive(update("1", text="satu"))
    async with room.at_work():
        await room.until(lambda: bool(room.channel.posted))
        await room.until(idle)
    assert room.channel.texts() == ["Jawaban: satu"]
