"""Who has waited longer than the standard goes before others, once, and is a supervisor's matter from then on."""

from __future__ import annotations

from sqlalchemy import select, update

from bot.desk.chronicle import Happening, announce, record
from bot.desk.room import DeskRoom
from bot.tables import conversations, handoffs

__all__ = ["escalate"]

_h = handoffs.c


async def escalate(room: DeskRoom) -> int:
    """Raise what has waited so long in the agency's working time; how many. Nothing is raised twice."""
    now = room.store.clock()
    async with room.store.engine.begin() as connection:
        waiting = (
            await connection.execute(
                select(_h.id, _h.conversation, _h.agency, _h.waiting_since)
                .join(conversations, conversations.c.handoff == _h.id)
                # Working time is never longer than time.
                .where(
                    conversations.c.handler != "bot",
                    _h.raised_at.is_(None),
                    _h.waiting_since <= now - room.standard.escalate,
                )
                # The order that everything locks in here: the conversation before its hand-off.
                .with_for_update(of=conversations, skip_locked=True, key_share=True)
            )
        ).all()
        overdue = [
            row
            for row in waiting
            if room.agencies[row.agency].hours.open_between(row.waiting_since, now) >= room.standard.escalate
        ]
        for row in overdue:
            await connection.execute(
                update(handoffs).where(_h.id == row.id).values(raised_at=now, priority=_h.priority + 1)
            )
            await record(connection, room.store, row.id, Happening.RAISED)
            await announce(connection, "queue", row.conversation, agency=row.agency)
    return len(overdue)
