"""Everything sealed in a home, opened with its key."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psycopg
from psycopg import sql

from identity import Seal
from praja.sealed_columns import SEALED

__all__ = ["address", "opened"]


def address(home: Path) -> str:
    """Of the embedded database."""
    return f"postgresql://postgres@/praja?host={home / 'database'}"


def opened(home: Path, key: str) -> Iterator[tuple[str, bytes]]:
    """Column or file, and what is in it. Raises SealBroken at what this key doesn't open."""
    with psycopg.connect(address(home)) as connection:
        for sealed in SEALED:
            seal, column = Seal(key, sealed.purpose), sql.Identifier(sealed.column)
            table = sql.Identifier(*sealed.table.split("."))
            query = sql.SQL("SELECT {} FROM {} WHERE {} IS NOT NULL").format(column, table, column)
            for (value,) in connection.execute(query).fetchall():
                content = seal.open_text(value).encode() if sealed.is_text else seal.open(value)
                yield f"{sealed.table}.{sealed.column}", content
    for path in (home / "documents").glob("??/*"):
        yield str(path), Seal(key, "backend.documents").open(path.read_bytes())
