"""Attempts to sign in, counted for the name and for where they come from; too many that failed lock both for a while."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import case, delete, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from console.tables import attempts
from console.workspace import Workspace

__all__ = ["begin", "failed", "succeeded", "was_right"]

_WINDOW = timedelta(minutes=15)
_LOCKED = timedelta(minutes=15)
_MOST = {"account": 5, "address": 30}
"""failures within the window; an office sits behind one address"""


async def begin(workspace: Workspace, *subjects: str) -> bool:
    """Whether one more attempt may be made. It counts before it is looked at: of many made at once, too, most are refused."""
    now = workspace.clock()
    locked = select(attempts.c.subject).where(attempts.c.subject.in_(subjects), attempts.c.locked_until > now)
    may = True
    async with workspace.engine.begin() as connection:
        if (await connection.execute(locked)).first() is not None:
            return False
        for subject in sorted(subjects):
            is_over = attempts.c.since <= now - _WINDOW
            counting = (
                upsert(attempts)
                .values(subject=subject, failures=1, since=now)
                .on_conflict_do_update(
                    index_elements=["subject"],
                    set_={
                        "failures": case((is_over, 1), else_=attempts.c.failures + 1),
                        "since": case((is_over, now), else_=attempts.c.since),
                    },
                )
                .returning(attempts.c.failures)
            )
            may &= (await connection.execute(counting)).scalar_one() <= _most(subject)
    return may


async def failed(workspace: Workspace, *subjects: str) -> list[str]:
    """The attempt was wrong; the subjects that are locked by it."""
    now, table = workspace.clock(), attempts.c
    locked: list[str] = []
    async with workspace.engine.begin() as connection:
        for subject in sorted(subjects):
            locking = (
                update(attempts)
                .where(
                    table.subject == subject,
                    table.failures >= _most(subject),
                    or_(table.locked_until.is_(None), table.locked_until <= now),
                )
                .values(locked_until=now + _LOCKED)
                .returning(table.subject)
            )
            locked += await connection.scalars(locking)
    return locked


async def was_right(workspace: Workspace, *subjects: str) -> None:
    """The attempt doesn't count, though nobody has signed in by it yet."""
    fewer = func.greatest(attempts.c.failures - 1, 0)
    async with workspace.store.single.connect() as connection:
        await connection.execute(update(attempts).where(attempts.c.subject.in_(subjects)).values(failures=fewer))


async def succeeded(workspace: Workspace, *subjects: str) -> None:
    async with workspace.engine.begin() as connection:
        await connection.execute(delete(attempts).where(attempts.c.subject.in_(subjects)))


def _most(subject: str) -> int:
    return _MOST[subject.partition(":")[0]]
