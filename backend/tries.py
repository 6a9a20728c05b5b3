"""How often somebody guesses at what isn't theirs to know."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import case, func, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from backend.tables import proofs
from backend.workspace import Workspace

__all__ = ["WINDOW", "count_try", "forgive_try"]

WINDOW = timedelta(hours=1)


async def count_try(workspace: Workspace, contact: str, about: str, most: int) -> bool:
    """Whether one more is within `most` an hour. One statement, so tries made at the same moment count one by one."""
    now = workspace.clock()
    is_over = proofs.c.since <= now - WINDOW
    counting = (
        upsert(proofs)
        .values(contact=contact, number=about, tries=1, since=now)
        .on_conflict_do_update(
            index_elements=["contact", "number"],
            set_={
                "tries": case((is_over, 1), else_=func.least(proofs.c.tries + 1, most + 1)),
                "since": case((is_over, now), else_=proofs.c.since),
            },
        )
        .returning(proofs.c.tries)
    )
    async with workspace.engine.begin() as connection:
        tries = await connection.scalar(counting)
    return tries is not None and tries <= most


async def forgive_try(connection: AsyncConnection, contact: str, about: str) -> None:
    """It was no guess."""
    await connection.execute(
        update(proofs)
        .where(proofs.c.contact == contact, proofs.c.number == about, proofs.c.tries > 0)
        .values(tries=proofs.c.tries - 1)
    )
