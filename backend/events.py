"""What the bot is told of filings: each entry of a chronology, in its filing's order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Select, Table, exists, select
from sqlalchemy.ext.asyncio import AsyncConnection

from backend.calendar import LOCAL_TIME
from backend.filing_view import names_of
from backend.tables import chronology, filings
from backend.workspace import Workspace

__all__ = ["Events"]


class Events:
    """A queue of `backend/delivery.py`."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace

    @property
    def table(self) -> Table:
        return chronology

    def due(self, now: datetime) -> Select[tuple[UUID]]:
        """The oldest untold entry of each filing; of an erased one nobody is told."""
        older = chronology.alias("older")
        return (
            select(chronology.c.id)
            .join(filings, filings.c.number == chronology.c.number)
            .where(
                filings.c.contact.is_not(None),
                ~exists().where(
                    older.c.number == chronology.c.number,
                    older.c.position < chronology.c.position,
                    older.c.delivered_at.is_(None),
                ),
            )
        )

    async def write(self, connection: AsyncConnection, ids: Sequence[UUID]) -> Mapping[UUID, Mapping[str, Any]]:
        query: Select[Any] = (
            select(*chronology.c, filings.c.service, filings.c.contact)
            .join(filings, filings.c.number == chronology.c.number)
            .where(chronology.c.id.in_(ids))
        )
        return {entry.id: self._event(entry) for entry in await connection.execute(query)}

    def _event(self, entry: Row[Any]) -> dict[str, Any]:
        words = self._workspace.seal.open_json(entry.words)
        return {
            "event_id": str(entry.id),
            "number": entry.number,
            "service": entry.service,
            "state": entry.state,
            "note": words["note"],
            "fix": words["fix"],
            "fix_names": names_of(self._workspace, entry.service, words["fix"]),
            "at": entry.at.astimezone(LOCAL_TIME).isoformat(),
            "contact": entry.contact,
        }
