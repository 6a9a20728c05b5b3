"""A claim that reads in the same statement what it is to work on."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import Text, cast, func, select

from bot.lease import is_as_seen, seen
from bot.tables import conversations
from tests.bot.conftest import Room
from tests.bot.fakes import update

_LOCK = 7
_slow = select(cast(func.pg_advisory_xact_lock(_LOCK), Text).label("waited")).cte("slow")
_CLAIM = (
    select(conversations.c.id)
    .join(seen, is_as_seen)
    .where(select(_slow.c.waited).scalar_subquery().is_not(None))
    .with_for_update(of=conversations, skip_locked=True, key_share=True)
)
"""It has begun, and sees everything as of then, before it locks the conversation."""
_WAITING = f"SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = {_LOCK} AND NOT granted"


@pytest.mark.parametrize("changed", [True, False])
async def test_what_somebody_changed_since_it_began_is_left_to_the_next(room: Room, changed: bool) -> None:
    await room.receive(update("1", text="halo"))
    async with room.store.single.connect() as connection:
        async with room.store.engine.begin() as holding:
            await holding.execute(select(func.pg_advisory_xact_lock(_LOCK)))
            claiming = asyncio.create_task(connection.execute(_CLAIM))
            await room.until(lambda: _is_waiting(room))
            if changed:
                await room.rows("UPDATE bot.conversations SET send_leased_by = NULL")
        assert len((await claiming).all()) == (not changed)


async def _is_waiting(room: Room) -> bool:
    return bool(await room.value(_WAITING))
