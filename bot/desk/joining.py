"""Two conversations turn out to be one person's: what the desk had of the younger one goes on in the other."""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.desk.chronicle import announce
from bot.desk.states import Outcome
from bot.tables import conversations, handoffs

__all__ = ["hand_on"]


async def hand_on(connection: AsyncConnection, fresh: uuid.UUID, into: uuid.UUID, at: datetime) -> None:
    """The hand-offs of `fresh` are `into`'s already. Both are locked here in the order of their ids."""
    table = conversations.c
    rows = await connection.execute(
        select(table.id, table.handler, table.handoff, table.officer, table.officer_lease_until)
        .where(table.id.in_((fresh, into)))
        .order_by(table.id)
        .with_for_update()
    )
    states = {row.id: row for row in rows}
    mine, theirs = states.get(fresh), states.get(into)
    if mine is None or theirs is None or mine.handler == "bot":
        return
    if theirs.handler == "bot":
        await connection.execute(
            update(conversations)
            .where(table.id == into)
            .values(
                handler=mine.handler,
                handoff=mine.handoff,
                officer=mine.officer,
                officer_lease_until=mine.officer_lease_until,
            )
        )
    else:
        await connection.execute(
            update(handoffs).where(handoffs.c.id == mine.handoff).values(closed_at=at, outcome=Outcome.JOINED.value)
        )
    await announce(connection, "queue", into)
