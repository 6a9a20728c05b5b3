"""Failed attempts to sign in, counted for the name and for where they come from; too many lock both for a while."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import case, delete, select
from sqlalchemy.dialects.postgresql import insert as upsert

from console.tables import attempts
from console.workspace import Workspace

__all__ = ["are_locked", "failed", "succeeded"]

_WINDOW = timedelta(minutes=15)
_LOCKED = timedelta(minutes=15)
_MOST = {"account": 5, "address": 30}
"""failures within the window; an office sits behind one address"""


async def are_locked(workspace: Workspace, *subjects: str) -> bool:
    query = select(attempts.c.subject).where(
        attempts.c.subject.in_(subjects), attempts.c.locked_until > workspace.clock()
    )
    async with workspace.store.single.connect() as connection:
        return (await connection.execute(query)).first() is not None


async def failed(workspace: Workspace, *subjects: str) -> list[str]:
    """Count one more for each; the subjects that are locked by it. One statement each: tries made at once all count."""
    now = workspace.clock()
    locked: list[str] = []
    async with workspace.engine.begin() as connection:
        for subject in sorted(subjects):
            is_over = attempts.c.since <= now - _WINDOW
            counted = case((is_over, 1), else_=attempts.c.failures + 1)
            most = _MOST[subject.partition(":")[0]]
            counting = (
                upsert(attempts)
                .values(subject=subject, failures=1, since=now)
                .on_conflict_do_update(
                    index_elements=["subject"],
                    set_={
                        "failures": counted,
                        "since": case((is_over, now), else_=attempts.c.since),
                        "locked_until": case((counted >= most, now + _LOCKED), else_=attempts.c.locked_until),
                    },
                )
                .returning(attempts.c.failures)
            )
            if (await connection.execute(counting)).scalar_one() == most:
                locked.append(subject)
    return locked


async def succeeded(workspace: Workspace, *subjects: str) -> None:
    async with workspace.engine.begin() as connection:
        await connection.execute(delete(attempts).where(attempts.c.subject.in_(subjects)))
