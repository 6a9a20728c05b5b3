"""Looks at what the backend keeps, past its API: every row in clear, every file."""

from __future__ import annotations

from pathlib import Path

import psycopg
from psycopg import sql

from backend.server import BackendSettings
from backend.tables import metadata
from identity import Seal, SealBroken

__all__ = ["everything_kept", "files_kept"]


def everything_kept(settings: BackendSettings, *, without: frozenset[str] = frozenset()) -> str:
    """The text of all rows, sealed columns opened; `without` these tables."""
    seal = Seal(settings.secret_key, "backend.answers")
    words: list[str] = []
    with psycopg.connect(settings.database_url) as connection:
        for table in metadata.sorted_tables:
            if table.name in without:
                continue
            query = sql.SQL("SELECT * FROM {}").format(sql.Identifier(str(table.schema), table.name))
            for row in connection.execute(query).fetchall():
                words += [table.name, *(_clear(seal, value) for value in row)]
    return "\n".join(words)


def files_kept(settings: BackendSettings) -> set[str]:
    return {path.name for path in Path(settings.home / "documents").glob("??/*")}


def _clear(seal: Seal, value: object) -> str:
    if not isinstance(value, bytes):
        return str(value)
    try:
        return seal.open(value).decode()
    except SealBroken:
        return "unreadable"
