"""Supervisors' notes on how a conversation was handled, once it is over."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from bot.desk.access import in_scope, shown
from bot.desk.chronicle import Happening, announce, record
from bot.desk.officer import Officer, Refusal
from bot.desk.room import DeskRoom
from bot.desk.speech import LONGEST_NOTE
from bot.tables import handoff_events, handoffs, presence
from identity import mask_numbers

__all__ = ["Review", "review", "reviews"]

_e = handoff_events.c


@dataclass(frozen=True)
class Review:
    at: datetime
    conversation: uuid.UUID
    agency_name: str
    by: str
    """name of the supervisor"""
    text: str
    """numbers masked"""


async def review(room: DeskRoom, supervisor: Officer, conversation: uuid.UUID, text: str) -> None:
    """Of the last episode of a conversation that is the bot's again. That `supervisor` is one has been proved before.

    Raises DeskRefused: EMPTY, TOO_LONG, NOT_OVER, and those of who may see it.
    """
    if not text.strip():
        raise room.refused(Refusal.EMPTY)
    if len(text) > LONGEST_NOTE:
        raise room.refused(Refusal.TOO_LONG)
    async with room.store.engine.begin() as connection:
        found = await shown(connection, room, supervisor, conversation)
        if found.handoff is None or found.handler != "bot":
            raise room.refused(Refusal.NOT_OVER)
        await record(connection, room.store, found.handoff, Happening.QUALITY, officer=supervisor.id, note=text)
        await announce(connection, "conversation", conversation, officer=supervisor.id)


async def reviews(room: DeskRoom, supervisor: Officer, since: datetime, *, most: int = 100) -> Sequence[Review]:
    """Of the supervisor's agencies, newest first."""
    statement = (
        select(_e.at, _e.note, _e.officer, handoffs.c.conversation, handoffs.c.agency, presence.c.name)
        .join(handoffs, handoffs.c.id == _e.handoff)
        .outerjoin(presence, presence.c.officer == _e.officer)
        .where(_e.kind == Happening.QUALITY.value, _e.at >= since, in_scope(supervisor))
        .order_by(_e.id.desc())
        .limit(most)
    )
    async with room.store.single.connect() as connection:
        return [
            Review(
                row.at,
                row.conversation,
                room.agencies[row.agency].name,
                row.name or row.officer,
                mask_numbers(room.store.desk.open(row.note).decode()) if row.note else "",
            )
            for row in await connection.execute(statement)
        ]
