"""`praja backup FILE`: what a district couldn't make again, in one file, taken while everything runs.

A tar of `isi.json` (what is in it), `basis-data` (of `pg_dump`), the documents that the database names, and the live model.
All of one moment, but for documents that are erased while it is written. What is sealed stays sealed, and the key isn't in it.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import shutil
import tarfile
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import psycopg
from psycopg import sql

from identity import Seal
from learning.live_model import LiveModel
from praja.database import database
from praja.lock import locked
from praja.postgres_tools import ToolFailed, tool
from praja.settings import Settings

__all__ = [
    "CONTENTS",
    "DATABASE",
    "DOCUMENTS",
    "MODELS",
    "ROOMS",
    "BackupUnfit",
    "Contents",
    "backup",
    "counts",
    "key_marks",
]

CONTENTS = "isi.json"
DATABASE = "basis-data"
DOCUMENTS = "documents"
MODELS = "models"
ROOMS = ("bot", "backend", "console", "rasa")
"""schemas"""
_FORMAT = 1


class BackupUnfit(Exception):
    """A backup can't be made or put back; the message says what to do."""


@dataclass(frozen=True)
class Contents:
    at: str
    """the moment of everything in it; ISO 8601 with zone"""
    revision: str
    """of the tables"""
    keys: Sequence[str]
    """marks of the secret keys that may have sealed something in it; they tell a key apart and nothing else"""
    rows: Mapping[str, int]
    """by table"""
    documents: int
    gone: int
    """documents that were erased while the backup was written"""
    model: str | None
    format: int = _FORMAT


def backup(settings: Settings, file: Path) -> Contents:
    """Raises BackupUnfit, DatabaseUnfit."""
    if not file.parent.is_dir():
        raise BackupUnfit(f"Folder {file.parent} tidak ada; buat dulu, atau pilih tempat lain.")
    unfinished = file.with_name(file.name + ".part")
    try:
        with (
            _workshop(settings.home) as held,
            database(settings) as url,
            tempfile.TemporaryDirectory(prefix=".praja-", dir=file.parent) as folder,
        ):
            contents = _write(settings, url, held, Path(folder), unfinished)
        unfinished.replace(file)
    except OSError as error:
        raise BackupUnfit(f"Cadangan gagal ditulis ke {file}: {error.strerror}.") from None
    except ToolFailed as error:
        raise BackupUnfit(f"Basis data gagal disalin: {error}") from None
    finally:
        unfinished.unlink(missing_ok=True)
    return contents


def key_marks(settings: Settings) -> Sequence[str]:
    """One for each secret key, the present one first."""
    return [Seal(key, "praja.backup").index("key")[:32] for key in settings.secret_keys]


def counts(connection: psycopg.Connection) -> Mapping[str, int]:
    """How many rows each table of ours has."""
    tables: Sequence[tuple[str, str]] = connection.execute(
        "SELECT schemaname, tablename FROM pg_tables WHERE schemaname = ANY(%s) ORDER BY 1, 2", (list(ROOMS),)
    ).fetchall()
    found = {}
    for schema, table in tables:
        row = connection.execute(sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(schema, table))).fetchone()
        found[f"{schema}.{table}"] = row[0] if row else 0
    return found


@contextlib.contextmanager
def _workshop(home: Path) -> Iterator[Path]:
    """An empty folder where documents are held, on the disk where they lie. Raises BackupUnfit while another backup is made."""
    folder = home / ".cadangan"
    with locked(home / "backup.lock", BackupUnfit("Cadangan lain sedang dibuat; tunggu sampai selesai.")):
        # What a backup that was killed has left would keep documents that were erased since.
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(mode=0o700)
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def _write(settings: Settings, url: str, held: Path, folder: Path, target: Path) -> Contents:
    documents = settings.home / "documents"
    # What is there now stays there under a second name, even if it is erased before its turn comes.
    _hold(documents, held)
    with _moment(url) as (connection, snapshot):
        at = datetime.now(UTC)
        named = [row[0] for row in connection.execute("SELECT id FROM backend.files ORDER BY id")]
        revision = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        rows = counts(connection)
        tool(
            connection,
            url,
            *("pg_dump", "--format=custom", "--compress=1", f"--snapshot={snapshot}", "--no-owner", "--no-privileges"),
            *(f"--schema={room}" for room in ROOMS),
            f"--file={folder / DATABASE}",
        )
    _hold(documents, held)
    present = [path for name in named if (path := held / _place(name)).exists()]
    model = LiveModel(settings.models).current()
    contents = Contents(
        at=at.isoformat(timespec="seconds"),
        revision=str(revision[0]) if revision else "",
        keys=key_marks(settings),
        rows=rows,
        documents=len(present),
        gone=len(named) - len(present),
        model=model.name if model is not None else None,
    )
    (folder / CONTENTS).write_text(json.dumps(asdict(contents), indent=1), encoding="utf-8")
    with open(target, "wb", opener=_private) as file, tarfile.open(fileobj=file, mode="w") as archive:
        archive.add(folder / CONTENTS, CONTENTS)
        archive.add(folder / DATABASE, DATABASE)
        for path in present:
            archive.add(path, f"{DOCUMENTS}/{path.relative_to(held)}")
        for path in _of_model(model):
            archive.add(path, f"{MODELS}/{path.name}")
        file.flush()
        os.fsync(file.fileno())
    return contents


@contextlib.contextmanager
def _moment(url: str) -> Iterator[tuple[psycopg.Connection, str]]:
    """A connection that sees one moment for as long as it is open, and the name by which others see the same."""
    try:
        with psycopg.connect(url) as connection:
            connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            row = connection.execute("SELECT pg_export_snapshot()").fetchone()
            assert row is not None
            yield connection, row[0]
    except psycopg.errors.UndefinedTable:
        raise BackupUnfit("Basis data belum punya tabel; jalankan `praja migrate` atau `praja up` dulu.") from None


def _hold(documents: Path, held: Path) -> None:
    for path in documents.glob("??/*"):
        if path.suffix:
            continue  # being written
        place = held / path.relative_to(documents)
        place.parent.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(FileExistsError, FileNotFoundError):
            _link(path, place)


def _link(path: Path, place: Path) -> None:
    try:
        os.link(path, place)
    except OSError as error:
        if error.errno not in (errno.EXDEV, errno.EPERM, errno.EMLINK):
            raise
        shutil.copyfile(path, place)  # on another file system, or on one without links


def _place(identifier: UUID) -> Path:
    """As `backend/document_store.py` has it."""
    return Path(identifier.hex[:2]) / identifier.hex


def _of_model(model: Path | None) -> Iterator[Path]:
    """Its archive and what is known of it; not the pointer, whose history names models that aren't here."""
    if model is not None:
        yield model
        told = model.with_name(model.name.removesuffix(".tar.gz") + ".json")
        if told.exists():
            yield told


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
