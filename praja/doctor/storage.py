"""Disk, database and what is sealed in it."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Iterator
from pathlib import Path

import psycopg

from identity import Seal, SealBroken
from praja.database import DatabaseUnfit, database, head_revision
from praja.doctor.problem import Patient, Problem
from praja.postgres import HomeUnfit
from praja.sealed_columns import SEALED
from praja.settings import Settings

__all__ = ["look_at_storage"]

_LEAST_FREE = 2 * 1024**3
_OLDEST = 15
_NEEDED_CONNECTIONS = 60
"""bot 15, backend 15, Rasa 8, those that listen, and what an operator opens beside"""


async def look_at_storage(patient: Patient) -> list[Problem]:
    return await asyncio.to_thread(lambda: [*_disk(patient.settings), *_database(patient.settings)])


def _disk(settings: Settings) -> Iterator[Problem]:
    for name, folder in (("PRAJA_HOME", settings.home), ("PRAJA_MODELS", settings.models)):
        free = shutil.disk_usage(_existing(folder)).free
        if free < _LEAST_FREE:
            yield Problem(
                "disk",
                f"Ruang disk untuk {name} ({folder}) tinggal {free // 1024**2} MB; kosongkan, atau pindahkan ke disk lain.",
            )
            return


def _existing(folder: Path) -> Path:
    return next(place for place in (folder, *folder.parents) if place.exists())


def _database(settings: Settings) -> list[Problem]:
    if settings.database_url is None and not (settings.home / "database").exists():
        return []  # never started yet
    try:
        with database(settings) as url, psycopg.connect(url, connect_timeout=5) as connection:
            return [*_server(connection), *_tables(connection), *_key(connection, settings)]
    except (DatabaseUnfit, HomeUnfit) as unfit:
        return [Problem("database-unreachable", str(unfit))]
    except psycopg.Error as error:
        return [Problem("database-unreachable", f"Basis data tidak bisa diperiksa: {str(error).splitlines()[0]}")]


def _server(connection: psycopg.Connection) -> Iterator[Problem]:
    version = connection.info.server_version // 10000
    if version < _OLDEST:
        yield Problem("database-old", f"PostgreSQL {version} terlalu lama; pasang versi {_OLDEST} atau lebih baru.")
    encoding = connection.info.parameter_status("server_encoding")
    if encoding != "UTF8":
        yield Problem(
            "database-encoding", f"Basis data memakai {encoding}; buat ulang dengan ENCODING 'UTF8' TEMPLATE template0."
        )
    row = connection.execute("SELECT current_setting('max_connections')::int").fetchone()
    if row and row[0] < _NEEDED_CONNECTIONS:
        yield Problem(
            "database-connections",
            f"Basis data hanya menerima {row[0]} sambungan; naikkan max_connections ke {_NEEDED_CONNECTIONS} atau lebih.",
        )


def _tables(connection: psycopg.Connection) -> Iterator[Problem]:
    if connection.execute("SELECT to_regclass('public.alembic_version')").fetchone() == (None,):
        return
    row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    if row and row[0] != head_revision():
        yield Problem("database-tables", "Tabel basis data bukan dari versi program ini; jalankan `praja migrate`.")


def _key(connection: psycopg.Connection, settings: Settings) -> Iterator[Problem]:
    """One value of each column is enough to tell another key."""
    for sealed in SEALED:
        if connection.execute("SELECT to_regclass(%s)", (sealed.table,)).fetchone() == (None,):
            continue
        column, table = psycopg.sql.Identifier(sealed.column), psycopg.sql.Identifier(*sealed.table.split("."))
        query = psycopg.sql.SQL("SELECT {} FROM {} WHERE {} IS NOT NULL LIMIT 1").format(column, table, column)
        row = connection.execute(query).fetchone()
        if row is None:
            continue
        seal = Seal(settings.secret_keys, sealed.purpose)
        try:
            seal.open_text(row[0]) if sealed.is_text else seal.open(row[0])
        except SealBroken:
            yield Problem(
                "secret-key",
                "PRAJA_SECRET_KEY bukan kunci yang menyegel data di basis data ini; pasang kunci yang dulu, atau tambahkan ke "
                "PRAJA_SECRET_KEYS_OLD dan jalankan `praja rotate`.",
            )
            return
