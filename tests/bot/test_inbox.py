"""Receiving: bulk, addresses, and nothing lost or doubled."""

from __future__ import annotations

import asyncio
import time
import uuid
from typing import Any

import pytest
from sqlalchemy import insert

from bot.channel import Address, Update
from bot.inbox import lock_addresses
from bot.tables import addresses, conversations
from tests.bot.conftest import Room
from tests.bot.fakes import update

_PEOPLE = """SELECT count(DISTINCT conversation) FROM bot.addresses"""


async def _owner(room: Room, external_id: str) -> Any:
    return await room.value("SELECT conversation FROM bot.inbox WHERE external_id = :id", id=external_id)


async def test_a_batch_of_a_thousand_is_a_thousand_rows_and_quick(room: Room) -> None:
    batch = [update(f"m{n}", bsuid=f"ID.{n % 300}", phone=f"+62812{n % 300:07}", text="halo") for n in range(1000)]
    started = time.process_time()
    await room.receive(*batch)
    assert time.process_time() - started < 20
    assert await room.value("SELECT count(*) FROM bot.inbox") == 1000
    assert await room.value("SELECT count(*) FROM bot.conversations") == 300
    assert await room.value("SELECT count(*) FROM bot.addresses") == 600


async def test_the_same_strangers_in_batches_at_once(room: Room) -> None:
    batches = [
        [update(f"{batch}-{n}", bsuid=f"ID.{n}", phone=f"+6281{n}", text="halo") for n in range(batch, batch + 20)]
        for batch in range(8)
    ]
    await asyncio.gather(*(room.receive(*batch) for batch in batches))
    assert await room.value("SELECT count(*) FROM bot.inbox") == 160
    assert await room.value(_PEOPLE) == await room.value("SELECT count(*) FROM bot.conversations") == 27


async def test_a_known_phone_and_a_new_bsuid_are_one_person(room: Room) -> None:
    await room.receive(update("m1", bsuid=None, phone="+6281", text="halo"))
    await room.receive(update("m2", bsuid="ID.1", phone="+6281", text="halo"))
    await room.receive(update("m3", bsuid="ID.1", text="halo"))
    assert await _owner(room, "m1") == await _owner(room, "m2") == await _owner(room, "m3")


async def test_a_number_that_went_to_another_account_is_another_person(room: Room) -> None:
    await room.receive(update("m1", bsuid="ID.1", phone="+6281", text="halo"))
    await room.receive(update("m2", bsuid="ID.2", phone="+6281", text="halo"))
    await room.receive(update("m3", bsuid="ID.1", text="halo"))
    assert await _owner(room, "m1") == await _owner(room, "m3") != await _owner(room, "m2")
    await room.receive(update("m4", bsuid=None, phone="+6281", text="halo"))
    assert await _owner(room, "m4") == await _owner(room, "m2")


async def test_an_address_that_changes_while_its_first_message_comes_in_is_one_person(room: Room) -> None:
    await room.receive(update("m1", bsuid="ID.1", text="halo"))
    await room.receive(update("c1", bsuid=None, kind="moved", old="ID.1", new="ID.9"))
    store, new = room.store, Address("bsuid", "ID.9")
    async with room.beside(room.worker().run()):
        async with store.engine.begin() as connection:
            # As `receive` does with a stranger; meanwhile the change is noted.
            await lock_addresses(connection, "whatsapp")
            stranger = {"id": uuid.uuid4(), "channel": "whatsapp", "created_at": store.clock()}
            await connection.execute(insert(conversations), stranger)
            address = {"kind": "bsuid", "fingerprint": store.fingerprint("whatsapp", new), "value": b"?"}
            await connection.execute(
                insert(addresses), {"conversation": stranger["id"], "channel": "whatsapp", **address}
            )
            await room.until(lambda: room.value("SELECT count(*) FROM pg_locks WHERE NOT granted"))
        await room.until(lambda: room.value("SELECT count(*) = 0 FROM bot.inbox WHERE answered_at IS NULL"))
    assert await room.value("SELECT count(*) FROM bot.conversations") == 1
    assert await room.value("SELECT count(*) FROM bot.addresses") == 2


async def test_two_conversations_that_turn_out_to_be_one(room: Room) -> None:
    await room.receive(update("m1", bsuid="ID.1", text="halo"), update("m2", bsuid=None, phone="+6281", text="halo"))
    await room.receive(update("m3", bsuid="ID.1", phone="+6281", text="halo"))
    await room.receive(update("m4", bsuid=None, phone="+6281", text="halo"))
    assert await _owner(room, "m1") == await _owner(room, "m3") == await _owner(room, "m4")


async def test_a_changed_address_leads_to_the_same_conversation(room: Room) -> None:
    await room.receive(update("m1", bsuid="ID.1", text="halo"))
    await room.receive(update("c1", bsuid=None, kind="moved", old="ID.1", new="ID.9"))
    await room.work_off()
    await room.receive(update("m2", bsuid="ID.9", text="halo lagi"))
    await room.work_off()
    assert await _owner(room, "m1") == await _owner(room, "m2")
    assert [address.value for address in room.channel.posted[-1].to] == ["ID.9", "ID.1"]


async def test_a_changed_address_that_is_told_after_its_first_message(room: Room) -> None:
    await room.receive(update("m1", bsuid="ID.1", text="halo"))
    await room.work_off()
    await room.receive(update("m2", bsuid="ID.9", text="halo dari nomor baru"))
    await room.receive(update("c1", bsuid=None, kind="moved", old="ID.1", new="ID.9"))
    await room.work_off()
    assert await _owner(room, "m1") == await _owner(room, "m2")
    assert await room.value("SELECT count(*) FROM bot.conversations") == 1


@pytest.mark.parametrize("sender", [[], ["ID.1"]])
async def test_odd_characters_are_stored(room: Room, sender: list[str]) -> None:
    odd = update("m\0\ud800", text="\0\ud800")
    await room.receive(Update(odd.external_id, odd.sender if sender else [], None, odd.body))
    assert await room.value("SELECT count(*) FROM bot.inbox") == 1
