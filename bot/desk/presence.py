"""Which officers are on duty: a page that is open says so every half minute."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, any_, exists, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.desk.agencies import kind_of
from bot.desk.chronicle import announce
from bot.desk.officer import Officer
from bot.desk.room import DeskRoom
from bot.tables import conversations, presence

__all__ = ["Present", "come", "is_staffed", "know", "leave", "name_of", "on_duty"]

_p = presence.c


@dataclass(frozen=True)
class Present:
    officer: str
    name: str
    agencies: frozenset[str] | None
    available: bool
    """false: there, but takes no new conversations"""
    seen_at: datetime
    held: int
    """conversations they have now"""


async def come(room: DeskRoom, officer: Officer, *, available: bool) -> None:
    """Be on duty until `room.rules.presence` after the last call."""
    async with room.store.engine.begin() as connection:
        before = await connection.scalar(
            select(_p.officer).where(_p.officer == officer.id, _p.available == available, *_here(room))
        )
        await _write(connection, room, officer, available=available)
        if before is None:
            await announce(connection, "presence", officer=officer.id)


async def leave(room: DeskRoom, officer: Officer) -> None:
    async with room.store.engine.begin() as connection:
        await connection.execute(
            update(presence)
            .where(_p.officer == officer.id)
            .values(available=False, seen_at=room.store.clock() - room.rules.presence)
        )
        await announce(connection, "presence", officer=officer.id)


async def on_duty(room: DeskRoom, agency: str | None = None) -> Sequence[Present]:
    """By name; with `agency`, those who may take its conversations."""
    held = (
        select(func.count())
        .where(conversations.c.handler == "officer", conversations.c.officer == _p.officer)
        .scalar_subquery()
    )
    async with room.store.single.connect() as connection:
        rows = await connection.execute(
            select(_p.officer, _p.name, _p.agencies, _p.available, _p.seen_at, held.label("held"))
            .where(*_here(room), *([_serves(agency)] if agency else []))
            .order_by(_p.name)
        )
        return [
            Present(
                row.officer,
                row.name,
                None if row.agencies is None else frozenset(row.agencies),
                row.available,
                row.seen_at,
                row.held,
            )
            for row in rows
        ]


async def name_of(room: DeskRoom, officer: str) -> str | None:
    """As colleagues know them; None for who was never here."""
    async with room.store.single.connect() as connection:
        name: str | None = await connection.scalar(select(_p.name).where(_p.officer == officer))
        return name


async def is_staffed(connection: AsyncConnection, room: DeskRoom, agency: str) -> bool:
    return bool(await connection.scalar(select(exists().where(and_(*_here(room), _p.available, _serves(agency))))))


async def know(connection: AsyncConnection, room: DeskRoom, officer: Officer) -> None:
    """Keep the name, for whoever reads it later; whether they are on duty stays as it is."""
    await connection.execute(
        upsert(presence)
        .values(**_values(officer), available=False, seen_at=room.store.clock() - room.rules.presence)
        .on_conflict_do_update(index_elements=["officer"], set_=_values(officer))
    )


async def _write(connection: AsyncConnection, room: DeskRoom, officer: Officer, *, available: bool) -> None:
    values = {**_values(officer), "available": available, "seen_at": room.store.clock()}
    await connection.execute(
        upsert(presence).values(**values).on_conflict_do_update(index_elements=["officer"], set_=values)
    )


def _values(officer: Officer) -> dict[str, object]:
    scope = officer.scope()
    return {"officer": officer.id, "name": officer.name, "agencies": None if scope is None else list(scope)}


def _here(room: DeskRoom) -> Sequence[ColumnElement[bool]]:
    return (_p.seen_at > room.store.clock() - room.rules.presence,)


def _serves(agency: str) -> ColumnElement[bool]:
    return or_(_p.agencies.is_(None), any_(_p.agencies) == agency, any_(_p.agencies) == kind_of(agency))
