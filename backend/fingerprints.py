"""Fingerprints that were made with an earlier secret become those of the present one before a row is written beside them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Column, update
from sqlalchemy.ext.asyncio import AsyncConnection

__all__ = ["renew_fingerprint"]


async def renew_fingerprint(connection: AsyncConnection, column: Column[Any], indexes: Sequence[str]) -> None:
    """`indexes`: of one value, the present one first. Nothing is asked while there is one secret only."""
    present, *earlier = indexes
    if earlier:
        await connection.execute(update(column.table).where(column.in_(earlier)).values({column.name: present}))
