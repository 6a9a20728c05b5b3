"""The queue of an agency: first come, first served by the first unanswered message; and how long it usually takes."""

from __future__ import annotations

import statistics
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, FromClause, func, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.desk.agencies import Agency
from bot.tables import conversations, handoffs

__all__ = ["is_waiting", "place", "rank", "usual_wait"]

_RECENT = timedelta(days=7)
_FEWEST = 5
"""waits that an estimate is made from at least"""
_MOST = 200


def is_waiting() -> ColumnElement[bool]:
    """Of the two tables joined."""
    return conversations.c.handler == "queued"


def rank(table: FromClause) -> tuple[ColumnElement[Any], ...]:
    """Ascending: who is served first. However many messages somebody sends, the first counts."""
    return -table.c.priority, func.coalesce(table.c.waiting_since, table.c.queued_at), table.c.id


async def place(connection: AsyncConnection, handoff: int) -> int:
    """1 = next, among those that wait for the same agency."""
    mine = handoffs.alias()
    ahead = await connection.scalar(
        select(func.count())
        .select_from(handoffs)
        .join(conversations, conversations.c.handoff == handoffs.c.id)
        .join(mine, mine.c.agency == handoffs.c.agency)
        .where(is_waiting(), mine.c.id == handoff, tuple_(*rank(handoffs)) < tuple_(*rank(mine)))
    )
    return int(ahead or 0) + 1


async def usual_wait(connection: AsyncConnection, now: datetime, agency: Agency) -> timedelta | None:
    """The median of the last week's waits for a first answer, nights aside; None when there are too few to tell."""
    table = handoffs.c
    rows = await connection.execute(
        select(table.requested_at, table.answered_at)
        .where(table.agency == agency.id, table.requested_at > now - _RECENT, table.answered_at.is_not(None))
        .order_by(table.requested_at.desc())
        .limit(_MOST)
    )
    waits = [row.answered_at - row.requested_at for row in rows if agency.hours.is_open(row.requested_at)]
    return statistics.median(waits) if len(waits) >= _FEWEST else None
