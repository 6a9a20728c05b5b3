"""Which conversations an officer may look at, in one place."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, func, or_, select, true
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.desk.officer import Officer, Refusal
from bot.desk.room import DeskRoom
from bot.tables import conversations, handoffs, presence

__all__ = ["Shown", "held", "in_scope", "shown"]


@dataclass(frozen=True)
class Shown:
    """A conversation that the officer may look at. `handoff` is the open one, else the last; it may never have been one."""

    conversation: uuid.UUID
    channel: str
    handler: str
    officer: str | None
    holder: str | None
    """the officer's name"""
    handoff: int | None
    created_at: datetime
    last_message_at: datetime | None
    unreachable: bool


def in_scope(officer: Officer) -> ColumnElement[bool]:
    """Of hand-offs: as `Officer.may_see` says of their agencies."""
    scope = officer.scope()
    if scope is None:
        return true()
    agency = handoffs.c.agency
    return or_(agency.in_(scope), func.split_part(agency, ":", 1).in_(scope))


async def shown(connection: AsyncConnection, room: DeskRoom, officer: Officer, conversation: uuid.UUID) -> Shown:
    """Scope is by the agency that has the conversation, or had it last; one nobody had is for officers of every agency.

    Raises DeskRefused: GONE, OUT_OF_SCOPE.
    """
    row = await _read(connection, conversation)
    if row is None:
        raise room.refused(Refusal.GONE)
    if not (officer.agencies is None if row.agency is None else officer.may_see(row.agency)):
        raise room.refused(Refusal.OUT_OF_SCOPE)
    return Shown(
        conversation,
        row.channel,
        row.handler,
        row.officer,
        row.name or row.officer,
        row.id,
        row.created_at,
        row.last_message_at,
        row.unreachable,
    )


async def held(connection: AsyncConnection, room: DeskRoom, officer: Officer, conversation: uuid.UUID) -> Shown:
    """The conversation is the officer's until the transaction ends. Raises DeskRefused."""
    await connection.execute(
        select(conversations.c.id).where(conversations.c.id == conversation).with_for_update(key_share=True)
    )
    found = await shown(connection, room, officer, conversation)
    if found.handler != "officer" or found.officer != officer.id:
        raise room.refused(Refusal.NOT_HOLDER)
    return found


async def _read(connection: AsyncConnection, conversation: uuid.UUID) -> Row[*tuple[Any, ...]] | None:
    table = conversations.c
    return (
        await connection.execute(
            select(
                *(table[name] for name in ("channel", "handler", "officer")),
                *(table[name] for name in ("created_at", "last_message_at", "unreachable")),
                handoffs.c.id,
                handoffs.c.agency,
                presence.c.name,
            )
            .outerjoin(handoffs, handoffs.c.conversation == table.id)
            .outerjoin(presence, presence.c.officer == table.officer)
            .where(table.id == conversation)
            # Of two conversations that became one, the open hand-off may be the older.
            .order_by((handoffs.c.id == table.handoff).desc().nulls_last(), handoffs.c.id.desc())
            .limit(1)
        )
    ).first()
