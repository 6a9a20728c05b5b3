"""`praja check`: what must always hold, looked for in the database of a running Praja. Each room lists its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import psycopg
import yaml
from pydantic import BaseModel, ConfigDict, TypeAdapter

from praja.settings import ROOT

__all__ = ["CheckFailed", "Finding", "Invariant", "Severity", "check", "inspect", "invariants", "look", "report"]

_ROOMS = ("bot", "backend", "console", "praja")
_SHOWN = 10
_PATIENCE = 120_000
"""milliseconds for one of them"""


class CheckFailed(Exception):
    """The database can't be looked at; the message says what to do."""


class Severity(StrEnum):
    BROKEN = "rusak"
    """may never happen"""
    STUCK = "macet"
    """waits longer than it can by itself"""


class Invariant(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str
    severity: Severity
    broken: str
    """an Indonesian clause that says what doesn't hold"""
    remedy: str
    sql: str
    """gives the ids of what breaks it; `%(now)s` is the time"""


@dataclass(frozen=True)
class Finding:
    invariant: Invariant
    count: int
    ids: Sequence[str]
    """the first of them"""


def invariants() -> list[Invariant]:
    """Of every room."""
    listed = TypeAdapter(list[Invariant])
    return [
        invariant
        for room in _ROOMS
        for invariant in listed.validate_python(
            yaml.safe_load((ROOT / room / "invariants.yml").read_text(encoding="utf-8"))
        )
    ]


def check(database_url: str, now: datetime) -> list[Finding]:
    """What doesn't hold, all seen at one moment. Changes nothing. Raises CheckFailed."""
    try:
        with psycopg.connect(database_url, connect_timeout=5) as connection:
            connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            connection.read_only = True
            connection.execute(f"SET LOCAL statement_timeout = {_PATIENCE}".encode())
            return look(connection, now)
    except (psycopg.errors.UndefinedTable, psycopg.errors.UndefinedColumn, psycopg.errors.InvalidSchemaName):
        raise CheckFailed("Tabelnya belum sesuai versi ini; jalankan `praja migrate`.") from None
    except psycopg.errors.QueryCanceled:
        raise CheckFailed("Pemeriksaan terlalu lama; ulangi saat basis data tidak sibuk.") from None
    except psycopg.Error as error:
        raise CheckFailed(f"Basis data tidak bisa diperiksa: {str(error).splitlines()[0]}") from None


def inspect(database_url: str, now: datetime) -> Mapping[tuple[str, str], int]:
    """(id, severity) of every invariant → how often it is broken. Raises CheckFailed."""
    found = {finding.invariant.id: finding.count for finding in check(database_url, now)}
    return {(each.id, each.severity.value): found.get(each.id, 0) for each in invariants()}


def look(connection: psycopg.Connection, now: datetime) -> list[Finding]:
    """As the connection's transaction sees it. Raises psycopg.Error."""
    found = [_look_for(connection, invariant, now) for invariant in invariants()]
    return [finding for finding in found if finding.count]


def report(findings: Sequence[Finding], tell: Callable[[str], None]) -> None:
    """In words for operators."""
    for finding in findings:
        invariant = finding.invariant
        more = ", …" if finding.count > len(finding.ids) else ""
        tell(
            f"{invariant.severity}: {invariant.broken} ({invariant.id}, {finding.count}: {', '.join(finding.ids)}{more})"
        )
        tell(f"  {invariant.remedy}")
    tell(f"{len(invariants())} hal diperiksa, {len(findings) or 'tidak ada yang'} dilanggar")


def _look_for(connection: psycopg.Connection, invariant: Invariant, now: datetime) -> Finding:
    ids = f"(array_agg(id::text ORDER BY id))[1:{_SHOWN}]"
    query = f"SELECT count(*), {ids} FROM ({invariant.sql}) AS found (id)"  # noqa: S608 - its own file's
    row = connection.execute(query.encode(), {"now": now}).fetchone()
    assert row is not None
    return Finding(invariant, row[0], row[1] or ())
