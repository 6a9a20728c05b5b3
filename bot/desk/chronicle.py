"""The chronology of a hand-off: what happened, by whom, with what note. Only added to."""

from __future__ import annotations

import enum
import json
import uuid

from sqlalchemy import func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.notices import DESK
from bot.store import Store, clean
from bot.tables import handoff_events

__all__ = ["Happening", "announce", "record"]


class Happening(enum.StrEnum):
    QUEUED = "queued"
    CLAIMED = "claimed"
    RELEASED = "released"
    LAPSED = "lapsed"
    """the officer wasn't heard of for the length of a lease"""
    TRANSFERRED = "transferred"
    HANDED_OVER = "handed_over"
    """to a colleague, by the holder"""
    REASSIGNED = "reassigned"
    """by a supervisor"""
    CLOSED = "closed"
    RAISED = "raised"
    """waited so long that it goes before others, and is a supervisor's matter"""
    NOTE = "note"
    QUALITY = "quality"
    """a supervisor's note on how it was handled, once it is over"""
    UNMASKED = "unmasked"
    """somebody looked at numbers in clear"""


async def record(
    connection: AsyncConnection,
    store: Store,
    handoff: int,
    happening: Happening,
    *,
    officer: str | None = None,
    colleague: str | None = None,
    agency: str | None = None,
    note: str | None = None,
) -> int:
    """The event's id. `officer` did it, `colleague` got the conversation by it, `agency` got it into its queue."""
    event: int = (
        await connection.execute(
            insert(handoff_events)
            .values(
                handoff=handoff,
                at=store.clock(),
                kind=happening.value,
                officer=officer,
                colleague=colleague,
                agency=agency,
                note=store.desk.seal(clean(note).strip().encode()) if note and note.strip() else None,
            )
            .returning(handoff_events.c.id)
        )
    ).scalar_one()
    return event


async def announce(
    connection: AsyncConnection,
    kind: str,
    conversation: uuid.UUID | None = None,
    *,
    agency: str | None = None,
    officer: str | None = None,
) -> None:
    """Tell the pages, once the transaction is done; `bot/desk/changes.py` reads it."""
    told = {"kind": kind, "conversation": str(conversation) if conversation else None, "agency": agency}
    await connection.execute(select(func.pg_notify(DESK, json.dumps({**told, "officer": officer}))))
