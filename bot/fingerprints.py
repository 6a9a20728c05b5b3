"""Fingerprints that were made with an earlier secret become those of the present one when they are met.

Else a known person would be a stranger from a change of `PRAJA_SECRET_KEY` until `praja rotate` comes to them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import ColumnElement, Table, bindparam, update
from sqlalchemy.ext.asyncio import AsyncConnection

__all__ = ["renew_fingerprints"]


async def renew_fingerprints(
    connection: AsyncConnection, table: Table, every: Iterable[Sequence[str]], *where: ColumnElement[bool]
) -> None:
    """`every`: of each value its fingerprints, the present one first; `where` leads to an index. Nothing is asked while there
    is one secret only.
    """
    moves = [{"old": old, "new": new} for new, *earlier in every for old in earlier]
    if moves:
        moving = (
            update(table).where(*where, table.c.fingerprint == bindparam("old")).values(fingerprint=bindparam("new"))
        )
        await connection.execute(moving, moves)
