"""What an officer should know before the first word: what it is about, and why it came here."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.desk.access import shown
from bot.desk.officer import Officer
from bot.desk.room import DeskRoom
from bot.desk.window import Window, window
from bot.tables import frames, handoffs, inbox
from identity import mask_numbers

__all__ = ["Episode", "FrameSeen", "Packet", "packet"]

_LAST_FRAMES = 8


@dataclass(frozen=True)
class FrameSeen:
    """What the bot made of a message. Long numbers are masked."""

    at: datetime
    text: str
    intent: str | None
    confidence: float | None
    service: str | None
    service_confidence: float | None
    understood: bool
    displeased: bool
    entities: Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Episode:
    """One hand-off, open or past."""

    handoff: int
    reason: str
    agency: str
    service: str | None
    priority: int
    requested_at: datetime
    waiting_since: datetime | None
    claimed_at: datetime | None
    answered_at: datetime | None
    closed_at: datetime | None
    outcome: str | None


@dataclass(frozen=True)
class Packet:
    conversation: uuid.UUID
    contact: str
    """as the backend knows the citizen: `GET /drafts?contact=…`, `GET /filings?contact=…`"""
    channel: str
    handler: str
    officer: str | None
    holder: str | None
    """the officer's name"""
    window: Window
    since: datetime
    last_message_at: datetime | None
    unreachable: bool
    service: str | None
    """of the hand-off, else talked about last"""
    current: Episode | None
    earlier: Sequence[Episode]
    """newest first"""
    frames: Sequence[FrameSeen]
    """the last ones, oldest first"""


async def packet(room: DeskRoom, officer: Officer, conversation: uuid.UUID) -> Packet:
    """Raises DeskRefused."""
    async with room.store.single.connect() as connection:
        found = await shown(connection, room, officer, conversation)
        episodes = await _episodes(connection, conversation)
        seen = await _frames(connection, room, conversation)
    is_open = found.handler != "bot"
    current = next((episode for episode in episodes if is_open and episode.handoff == found.handoff), None)
    talked_of = next((frame.service for frame in reversed(seen) if frame.service), None)
    return Packet(
        conversation=conversation,
        contact=str(conversation),
        channel=found.channel,
        handler=found.handler,
        officer=found.officer,
        holder=found.holder,
        window=window(room, found),
        since=found.created_at,
        last_message_at=found.last_message_at,
        unreachable=found.unreachable,
        service=(current.service if current else None) or talked_of,
        current=current,
        earlier=[episode for episode in episodes if episode is not current],
        frames=seen,
    )


async def _episodes(connection: AsyncConnection, conversation: uuid.UUID) -> Sequence[Episode]:
    columns = (
        *("id", "reason", "agency", "service", "priority", "requested_at", "waiting_since"),
        *("claimed_at", "answered_at", "closed_at", "outcome"),
    )
    rows = await connection.execute(
        select(*(handoffs.c[name] for name in columns))
        .where(handoffs.c.conversation == conversation)
        .order_by(handoffs.c.id.desc())
        .limit(20)
    )
    return [Episode(*row) for row in rows]


async def _frames(connection: AsyncConnection, room: DeskRoom, conversation: uuid.UUID) -> Sequence[FrameSeen]:
    rows = await connection.execute(
        select(frames, inbox.c.received_at)
        .join(inbox, inbox.c.id == frames.c.inbox)
        .where(inbox.c.conversation == conversation, frames.c.text.is_not(None), frames.c.entities.is_not(None))
        .order_by(inbox.c.id.desc())
        .limit(_LAST_FRAMES)
    )
    seen = [
        FrameSeen(
            at=row.received_at,
            text=mask_numbers(room.store.frame.open(row.text).decode()),
            intent=row.intent,
            confidence=row.confidence,
            service=row.service,
            service_confidence=row.service_confidence,
            understood=row.understood,
            displeased=row.displeased,
            entities=[
                (str(entity.get("entity")), mask_numbers(str(entity.get("value"))))
                for entity in room.store.frame.open_json(row.entities)
            ],
        )
        for row in rows
    ]
    return seen[::-1]
