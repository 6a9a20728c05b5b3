"""Which agency a conversation goes to: by the service that was talked about, and the place where that is handled."""

from __future__ import annotations

import uuid
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.desk.places import Place
from bot.desk.room import DeskRoom
from bot.tables import frames, inbox

__all__ = ["agency_of", "service_talked_of"]

_STILL_MEANT = timedelta(hours=1)
_STILL_THERE = timedelta(days=1)
"""where somebody lives is said once, early in a form"""
_LEVELS = ("kecamatan", "desa")
_MOST = 60


async def service_talked_of(connection: AsyncConnection, room: DeskRoom, conversation: uuid.UUID) -> str | None:
    """The service of the latest message that named one, an hour back at most."""
    service: str | None = await connection.scalar(
        select(frames.c.service)
        .join(inbox, inbox.c.id == frames.c.inbox)
        .where(
            inbox.c.conversation == conversation,
            inbox.c.received_at > room.store.clock() - _STILL_MEANT,
            frames.c.service.is_not(None),
        )
        .order_by(inbox.c.id.desc())
        .limit(1)
    )
    return service


async def agency_of(connection: AsyncConnection, room: DeskRoom, conversation: uuid.UUID, service: str | None) -> str:
    """That of the citizen's kecamatan or desa, where the office is one that each of them has and the place was told."""
    agency = room.agencies.of_service(service)
    if not room.agencies.is_placed(agency):
        return agency
    return room.agencies.at(agency, await _place(connection, room, conversation))


async def _place(connection: AsyncConnection, room: DeskRoom, conversation: uuid.UUID) -> Place:
    """The last that was named, a day back at most: a desa and its kecamatan are often told one after the other."""
    rows = await connection.scalars(
        select(frames.c.entities)
        .join(inbox, inbox.c.id == frames.c.inbox)
        .where(
            inbox.c.conversation == conversation,
            inbox.c.received_at > room.store.clock() - _STILL_THERE,
            frames.c.entities.is_not(None),
        )
        .order_by(inbox.c.id.desc())
        .limit(_MOST)
    )
    named: dict[str, str] = {}
    for sealed in rows:
        for entity in room.store.frame.open_json(sealed):
            level, name = entity.get("entity"), entity.get("value")
            if level in _LEVELS and isinstance(name, str) and level not in named:
                named[level] = name
    return Place(named.get("kecamatan"), named.get("desa"))
