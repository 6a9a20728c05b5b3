"""A draft goes on in another conversation of the same person."""

from __future__ import annotations

import asyncio
from typing import Any

from tests.backend.conftest import CONTACT, Client, Clock


async def adopt(channel: Client, draft: str, contact: str = "whatsapp-me", message: str = "m1") -> tuple[int, Any]:
    body = {"contact": contact, "channel": "whatsapp", "message_id": message}
    return await channel("POST", f"/drafts/{draft}/contact", json=body)


async def drafts_of(channel: Client, contact: str) -> list[str]:
    return [draft["id"] for draft in (await channel("GET", f"/drafts?contact={contact}"))[1]["drafts"]]


async def test_it_goes_on_there_with_what_was_answered(channel: Client) -> None:
    draft = await channel.open()
    await channel.answer(draft, "nama", "Siti Nur Aminah")
    status, body = await adopt(channel, draft)
    assert (status, body["answers"]["nama"]) == (200, "Siti Nur Aminah")
    assert await drafts_of(channel, CONTACT) == []
    assert await drafts_of(channel, "whatsapp-me") == [draft]
    assert await channel.open(contact="whatsapp-me") == draft
    assert await channel.open() != draft


async def test_a_message_moves_it_once(channel: Client) -> None:
    draft = await channel.open()
    first = await adopt(channel, draft)
    assert (await adopt(channel, draft, CONTACT, "m2"))[0] == 200
    assert await adopt(channel, draft) == first
    assert await drafts_of(channel, CONTACT) == [draft]


async def test_two_of_a_service_do_not_meet(channel: Client, clock: Clock) -> None:
    draft = await channel.open()
    own = await channel.open(contact="whatsapp-me")
    status, body = await adopt(channel, draft)
    assert (status, body["type"]) == (409, "own-draft")
    await channel("DELETE", f"/drafts/{own}")
    assert (await adopt(channel, draft))[0] == 200


async def test_an_expired_one_is_in_nobodys_way(channel: Client, clock: Clock) -> None:
    await channel.open(contact="whatsapp-me")
    clock.advance(days=8)
    draft = await channel.open()
    assert (await adopt(channel, draft))[0] == 200
    assert await drafts_of(channel, "whatsapp-me") == [draft]


async def test_opening_and_moving_at_once_leave_one(channel: Client) -> None:
    draft = await channel.open()
    await asyncio.gather(adopt(channel, draft), channel.open(contact="whatsapp-me"))
    assert len(await drafts_of(channel, "whatsapp-me")) == 1


async def test_what_is_over_does_not_move(channel: Client, clock: Clock) -> None:
    submitted = await channel.open()
    await channel.fill(submitted)
    await channel("POST", f"/drafts/{submitted}/submit")
    assert (await adopt(channel, submitted))[0] == 409
    expired = await channel.open()
    clock.advance(days=8)
    assert (await adopt(channel, expired))[0] == 410
