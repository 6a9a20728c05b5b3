"""A claim that reads in the same statement what it is to work on."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import Text, cast, func, select

from bot.lease import is_as_seen, seen
from bot.tables import conversations
from tests.bot.conftest import Room
from tests.bot.fakes import update

_slow = select(cast(func.pg_sleep(0.5), Text).label("slept")).cte("slow")
_CLAIM = (
    select(conversations.c.id)
    .join(seen, is_as_seen)
    .where(select(_slow.c.slept).scalar_subquery().is_not(None))
    .with_for_update(of=conversations, skip_locked=True, key_share=True)
)
"""It has begun, and sees everything as of then, half a second before it locks the conversation."""


@pytest.mark.parametrize("changed", [True, False])
async def test_what_somebody_changed_since_it_began_is_left_to_the_next(room: Room, changed: bool) -> None:
    await room.receive(update("1", text="halo"))
    async with room.store.single.connect() as connection:
        claiming = asyncio.create_task(connection.execute(_CLAIM))
        await asyncio.sleep(0.2)
        if changed:
            await room.rows("UPDATE bot.conversations SET send_leased_by = NULL")
        assert len((await claiming).all()) == (not changed)
