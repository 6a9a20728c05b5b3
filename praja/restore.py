"""`praja restore FILE`: puts back what `praja backup` has taken, into a place where nothing is yet."""

from __future__ import annotations

import json
import re
import shutil
import tarfile
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath

import psycopg
from psycopg import sql

from learning.live_model import Kind, LiveModel
from praja.backup import (
    CONTENTS,
    DATABASE,
    DOCUMENTS,
    MODELS,
    ROOMS,
    BackupUnfit,
    Contents,
    counts,
    key_marks,
)
from praja.database import database, knows_revision, migrate, note_revision
from praja.home_lock import alone_at_home
from praja.postgres_tools import ToolFailed, tool
from praja.settings import Settings

__all__ = ["restore"]

_DOCUMENT = re.compile(rf"{DOCUMENTS}/([0-9a-f]{{2}})/([0-9a-f]{{32}})")
_LEAVING = 5.0
"""seconds"""
_HOLDS_PEOPLE = ("bot.conversations", "backend.filings", "backend.drafts", "console.accounts")


def restore(settings: Settings, file: Path, *, force: bool) -> Contents:
    """With `force`, what is there goes. Raises BackupUnfit, DatabaseUnfit, SettingsUnfit."""
    try:
        with alone_at_home(settings.home), tarfile.open(file) as archive:
            contents = _contents(archive)
            _check_keys(contents, settings)
            _check_whole(archive, contents)
            with database(settings) as url:
                _put_back(archive, contents, settings, url, force=force)
    except FileNotFoundError:
        raise BackupUnfit(f"{file} tidak ada.") from None
    except (tarfile.TarError, EOFError, KeyError, ValueError, TypeError):
        raise BackupUnfit(f"{file} bukan cadangan Praja, atau terpotong.") from None
    except ToolFailed as error:
        raise BackupUnfit(f"Basis data gagal dikembalikan: {error}") from None
    return contents


def _contents(archive: tarfile.TarFile) -> Contents:
    member = archive.extractfile(CONTENTS)
    assert member is not None
    contents = Contents(**json.load(member))
    if contents.format != Contents.format or not knows_revision(contents.revision):
        raise BackupUnfit("Cadangan ini dibuat oleh Praja yang lebih baru; pasang versi itu dulu.")
    return contents


def _check_keys(contents: Contents, settings: Settings) -> None:
    if set(contents.keys) - set(key_marks(settings)):
        raise BackupUnfit(
            "Cadangan ini disegel dengan PRAJA_SECRET_KEY yang lain; isi PRAJA_SECRET_KEY (dan PRAJA_SECRET_KEYS_OLD "
            f"bila ada) dengan kunci dari saat itu, atau taruh kuncinya di {settings.home / 'secrets' / 'secret_key'}."
        )


def _check_whole(archive: tarfile.TarFile, contents: Contents) -> None:
    """Raises TarError for one that was cut off."""
    names = archive.getnames()
    documents = sum(PurePosixPath(name).parts[0] == DOCUMENTS for name in names)
    model = contents.model is None or f"{MODELS}/{contents.model}" in names
    if DATABASE not in names or documents != contents.documents or not model:
        raise tarfile.ReadError("the end is missing")


def _others(connection: psycopg.Connection) -> int:
    """How many are connected besides us; who has just been stopped may still be leaving."""
    deadline = time.monotonic() + _LEAVING
    while True:
        (others,) = connection.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
            " AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
        ).fetchone() or (0,)
        # Within one transaction the same is seen again.
        connection.rollback()
        if not others or time.monotonic() > deadline:
            return int(others)
        time.sleep(0.1)


def _put_back(archive: tarfile.TarFile, contents: Contents, settings: Settings, url: str, *, force: bool) -> None:
    documents = settings.home / "documents"
    with psycopg.connect(url) as connection:
        if others := _others(connection):
            raise BackupUnfit(f"Masih ada {others} sambungan ke basis data; hentikan semua bagian Praja dulu.")
        before = counts(connection)
        if not force and (any(before.get(table) for table in _HOLDS_PEOPLE) or any(documents.glob("??/*"))):
            raise BackupUnfit(
                f"Sudah ada data di {settings.home} atau di basis datanya. Pilih PRAJA_HOME yang kosong, atau ulangi "
                "dengan --paksa: yang ada sekarang dihapus."
            )
        for room in ROOMS:
            connection.execute(sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(sql.Identifier(room)))
        connection.commit()
        with tempfile.TemporaryDirectory(prefix=".praja-", dir=settings.home) as folder:
            _extract(archive, DATABASE, Path(folder) / DATABASE)
            tool(
                connection,
                url,
                *("pg_restore", "--exit-on-error", "--single-transaction", "--no-owner", "--no-privileges"),
                str(Path(folder) / DATABASE),
            )
        if counts(connection) != contents.rows:
            raise BackupUnfit("Basis data yang dikembalikan tidak sama dengan yang dicadangkan; cadangannya rusak.")
    note_revision(url, contents.revision)
    migrate(url)
    shutil.rmtree(documents, ignore_errors=True)
    for member in archive:
        if found := _DOCUMENT.fullmatch(member.name):
            _extract(archive, member.name, documents / found[1] / found[2])
    _put_back_model(archive, contents, settings)


def _put_back_model(archive: tarfile.TarFile, contents: Contents, settings: Settings) -> None:
    """It becomes the live one where none is."""
    if contents.model is None:
        return
    for member in archive.getmembers():
        place = PurePosixPath(member.name)
        if place.parent == PurePosixPath(MODELS) and not (settings.models / place.name).exists():
            _extract(archive, member.name, settings.models / place.name)
    live = LiveModel(settings.models)
    with live.changing(wait=True):
        if live.current() is None:
            live.set(settings.models / contents.model, datetime.now(UTC), Kind.FIRST, "dari cadangan")


def _extract(archive: tarfile.TarFile, name: str, to: Path) -> None:
    source = archive.extractfile(name)
    assert source is not None
    to.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with to.open("wb") as target:
        shutil.copyfileobj(source, target)
    to.chmod(0o600)
