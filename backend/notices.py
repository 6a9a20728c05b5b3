"""What the bot is told without anything having changed: a draft that lies unfinished, a filing whose day has passed."""

from __future__ import annotations

import asyncio
import enum
import logging
from collections.abc import Mapping, Sequence
from datetime import datetime, time, timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import ColumnElement, Row, Select, Table, and_, exists, false, func, or_, select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from backend.calendar import LOCAL_TIME
from backend.drafts import DRAFT_LIFE
from backend.states import DraftState, State
from backend.tables import drafts, filings, notices
from backend.workspace import Workspace

__all__ = ["Notices", "keep_noticing", "notice"]

_logger = logging.getLogger(__name__)

_INTERVAL = 60
"""seconds"""
_SILENCE = timedelta(hours=24)
_FROM, _TO = time(8), time(19)
"""Nobody is woken by a reminder."""


class _Kind(enum.StrEnum):
    DRAFT_REMINDER = "draft_reminder"
    OVERDUE = "overdue"


class Notices:
    """A queue of `backend/delivery.py`."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace

    @property
    def table(self) -> Table:
        return notices

    def due(self, now: datetime) -> Select[tuple[UUID]]:
        """In the daytime, those that are still true; a filing that moved on since isn't called late."""
        query = select(notices.c.id)
        if not _FROM <= now.astimezone(LOCAL_TIME).time() < _TO:
            return query.where(false())
        return query.where(
            or_(
                exists().where(drafts.c.id == notices.c.draft_id, _lies_unfinished(now)),
                exists().where(filings.c.number == notices.c.number, _is_late(now)),
            )
        )

    async def write(self, connection: AsyncConnection, ids: Sequence[UUID]) -> Mapping[UUID, Mapping[str, Any]]:
        query: Select[Any] = (
            select(
                notices.c.id,
                notices.c.kind,
                notices.c.number,
                notices.c.at,
                filings.c.due_on,
                func.coalesce(drafts.c.contact, filings.c.contact).label("contact"),
                func.coalesce(drafts.c.service, filings.c.service).label("service"),
            )
            .outerjoin(drafts, drafts.c.id == notices.c.draft_id)
            .outerjoin(filings, filings.c.number == notices.c.number)
            .where(notices.c.id.in_(ids))
        )
        return {row.id: _told(row) for row in await connection.execute(query)}


async def keep_noticing(workspace: Workspace) -> None:
    """Until cancelled."""
    while True:
        try:
            await notice(workspace)
        except Exception as error:
            # Nothing may end this loop.
            _logger.warning("noticing is put off: %s", type(error).__name__)
        await asyncio.sleep(_INTERVAL)


async def notice(workspace: Workspace) -> None:
    """Writes down what is to be told, once each: of a draft after a day's silence, of a filing the day after it was due."""
    now = workspace.clock()
    unfinished = select(drafts.c.id, drafts.c.service).where(
        _lies_unfinished(now), ~exists().where(notices.c.draft_id == drafts.c.id)
    )
    late = select(filings.c.number).where(_is_late(now), ~exists().where(notices.c.number == filings.c.number))
    async with workspace.announcing() as connection:
        rows: list[dict[str, Any]] = [
            {"kind": _Kind.DRAFT_REMINDER, "draft_id": draft.id, "number": None}
            for draft in await connection.execute(unfinished)
            if workspace.service(draft.service) is not None
        ]
        rows += [
            {"kind": _Kind.OVERDUE, "draft_id": None, "number": number} for number in await connection.scalars(late)
        ]
        if rows:
            values = [{"id": uuid4(), "at": now, "next_attempt_at": now, **row} for row in rows]
            await connection.execute(upsert(notices).values(values).on_conflict_do_nothing())


def _lies_unfinished(now: datetime) -> ColumnElement[bool]:
    return and_(
        drafts.c.state == DraftState.OPEN,
        drafts.c.expires_at > now,
        drafts.c.expires_at <= now + DRAFT_LIFE - _SILENCE,
    )


def _is_late(now: datetime) -> ColumnElement[bool]:
    return and_(
        filings.c.due_on < now.astimezone(LOCAL_TIME).date(),
        filings.c.state.in_((State.MENUNGGU, State.DIPROSES)),
        filings.c.contact.is_not(None),
    )


def _told(row: Row[Any]) -> dict[str, Any]:
    told = {
        "event_id": str(row.id),
        "kind": row.kind,
        "contact": row.contact,
        "service": row.service,
        "at": row.at.astimezone(LOCAL_TIME).isoformat(),
    }
    return told if row.number is None else {**told, "number": row.number, "due_on": row.due_on.isoformat()}
