"""What happened to a filing, one entry a step. Each entry is also an event that the bot is told of."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from backend.calendar import LOCAL_TIME
from backend.states import State
from backend.tables import chronology, filings
from identity import Seal

__all__ = ["Fix", "read_chronology", "record"]

Fix = Sequence[dict[str, str]]
"""what is to be mended: `field` or `document`, and `reason`"""


async def record(
    connection: AsyncConnection,
    seal: Seal,
    number: str,
    state: State,
    at: datetime,
    *,
    note: str | None = None,
    fix: Fix = (),
    officer: str | None = None,
    announced: bool = True,
) -> None:
    """What isn't `announced` enters the chronology, but the bot isn't told of it."""
    await connection.execute(
        insert(chronology).values(
            id=uuid4(),
            number=number,
            at=at,
            state=state,
            office=select(filings.c.office).where(filings.c.number == number).scalar_subquery(),
            officer=officer,
            words=seal.seal_json({"note": note, "fix": fix}),
            next_attempt_at=at,
            delivered_at=None if announced else at,
        )
    )


async def read_chronology(
    connection: AsyncConnection, seal: Seal, numbers: Sequence[str]
) -> dict[str, list[dict[str, Any]]]:
    """number → its entries, oldest first."""
    query = (
        select(chronology.c.number, chronology.c.at, chronology.c.state, chronology.c.office, chronology.c.words)
        .where(chronology.c.number.in_(numbers))
        .order_by(chronology.c.position)
    )
    entries: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for number, at, state, office, words in await connection.execute(query):
        note = seal.open_json(words)["note"]
        entries[number].append(
            {"at": at.astimezone(LOCAL_TIME).isoformat(), "state": state, "office": office, "note": note}
        )
    return entries
