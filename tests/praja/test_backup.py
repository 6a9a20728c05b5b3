"""Backup and restore on a database of their own; a whole drill with everything running is `tests/stack/test_backup.py`."""

from __future__ import annotations

import asyncio
import fcntl
import os
import subprocess
import sys
import tarfile
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest

from bot.channel import Address, Update
from bot.inbox import receive
from bot.store import Store
from identity import Seal
from learning.live_model import Kind, LiveModel
from praja.backup import BackupUnfit, backup
from praja.restore import restore
from praja.settings import ROOT, Settings

KEY = "kunci uji"


@dataclass(frozen=True)
class Place:
    """A Praja that isn't running: database, home, models."""

    settings: Settings
    url: str

    def keep(self, content: bytes) -> uuid.UUID:
        """A document, with the row that names it."""
        identifier = uuid.uuid4()
        path = self.document(identifier)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(Seal(KEY, "backend.documents").seal(content))
        with psycopg.connect(self.url) as connection:
            connection.execute(
                "WITH draft AS (INSERT INTO backend.drafts (id, service, channel, state, expires_at) "
                "VALUES (%s, 'ktp_hilang', 'whatsapp', 'open', now()) RETURNING id) "
                "INSERT INTO backend.files (id, draft_id, document, page, content_type, size, at) "
                "SELECT %s, id, 'kk', 1, 'image/jpeg', 1, now() FROM draft",
                (uuid.uuid4(), identifier),
            )
        return identifier

    def document(self, identifier: uuid.UUID) -> Path:
        return self.settings.home / "documents" / identifier.hex[:2] / identifier.hex

    def people(self) -> list[str]:
        """Whoever wrote, opened with the key."""
        seal = Seal(KEY, "bot.address")
        with psycopg.connect(self.url) as connection:
            return sorted(seal.open(row[0]).decode() for row in connection.execute("SELECT value FROM bot.addresses"))


@pytest.fixture(scope="module")
def written(new_database: Callable[..., str], all_tables: str) -> str:
    """Where somebody wrote."""
    url = new_database(all_tables)

    async def write() -> None:
        store = Store.open(url, KEY)
        await receive(store, "whatsapp", [Update("m1", [Address("phone", "+6281234500001")], None, {"text": "halo"})])
        await store.engine.dispose()

    asyncio.run(write())
    return url


@pytest.fixture
def place(new_database: Callable[..., str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Place]:
    monkeypatch.chdir(tmp_path)

    def make(name: str, *, key: str = KEY, old: str = "", like: str | None = None) -> Place:
        url = new_database(like)
        home = tmp_path / name
        models = home / "models"
        settings = Settings(home=home, models=models, database_url=url, secret_key=key, secret_keys_old=old)
        return Place(settings, url)

    return make


@pytest.fixture
def full(place: Callable[..., Place], written: str) -> Place:
    full = place("penuh", like=written)
    full.settings.models.mkdir(parents=True)
    (full.settings.models / "satu.tar.gz").write_bytes(b"model")
    LiveModel(full.settings.models).set(full.settings.models / "satu.tar.gz", datetime.now(UTC), Kind.FIRST)
    return full


def test_what_was_backed_up_is_there_again(full: Place, place: Callable[..., Place], tmp_path: Path) -> None:
    document = full.keep(b"foto KK")
    stray = full.document(uuid.uuid4())
    stray.parent.mkdir(parents=True, exist_ok=True)
    stray.write_bytes(b"named by nobody: erased, or left by a crash")
    made = backup(full.settings, tmp_path / "praja.tar")
    assert (made.documents, made.gone, made.rows["bot.inbox"]) == (1, 0, 1)
    empty = place("kosong")
    assert restore(empty.settings, tmp_path / "praja.tar", force=False) == made
    assert empty.people() == ["+6281234500001"]
    assert Seal(KEY, "backend.documents").open(empty.document(document).read_bytes()) == b"foto KK"
    assert [path.name for path in (empty.settings.home / "documents").rglob("*") if path.is_file()] == [document.hex]
    live = LiveModel(empty.settings.models).current()
    assert live is not None
    assert live.read_bytes() == b"model"


def test_the_file_is_its_owners_and_holds_no_key(full: Place, tmp_path: Path) -> None:
    backup(full.settings, tmp_path / "praja.tar")
    assert (tmp_path / "praja.tar").stat().st_mode & 0o077 == 0
    with tarfile.open(tmp_path / "praja.tar") as archive:
        names = archive.getnames()
        assert not [name for name in names if "secret" in name]
        assert all(KEY.encode() not in archive.extractfile(name).read() for name in names)  # type: ignore[union-attr]


def test_a_document_that_is_erased_meanwhile_is_counted(full: Place, tmp_path: Path) -> None:
    full.document(full.keep(b"foto KK")).unlink()
    made = backup(full.settings, tmp_path / "praja.tar")
    assert (made.documents, made.gone) == (0, 1)


def test_what_a_killed_backup_has_left_goes_with_the_next(full: Place, tmp_path: Path) -> None:
    left = full.settings.home / ".cadangan" / "ab" / "erased"
    left.parent.mkdir(parents=True)
    left.write_bytes(b"somebody's photo")
    backup(full.settings, tmp_path / "praja.tar")
    assert not left.exists()


def test_a_backup_that_is_told_to_stop_leaves_nothing(full: Place, tmp_path: Path) -> None:
    """An erased document would stay under its second name until the next one, the dump for ever."""
    full.keep(b"foto KK")
    file, held = tmp_path / "cadangan" / "praja.tar", full.settings.home / ".cadangan"
    file.parent.mkdir()
    settings = {
        "PRAJA_HOME": str(full.settings.home),
        "PRAJA_MODELS": str(full.settings.models),
        "PRAJA_DATABASE_URL": full.url,
        "PRAJA_SECRET_KEY": KEY,
    }
    command = [sys.executable, "-m", "praja.command", "backup", str(file)]
    with subprocess.Popen(command, cwd=ROOT, env={**os.environ, **settings}) as process:
        while not held.exists() and process.poll() is None:
            time.sleep(0.001)
        process.terminate()
    assert process.returncode == 130
    assert (held.exists(), list(file.parent.iterdir())) == (False, [])


def test_two_backups_at_once_are_not_made(full: Place, tmp_path: Path) -> None:
    with (full.settings.home / "backup.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(BackupUnfit, match="Cadangan lain"):
            backup(full.settings, tmp_path / "praja.tar")


def test_nothing_is_overwritten_unless_it_is_said(full: Place, tmp_path: Path) -> None:
    backup(full.settings, tmp_path / "praja.tar")
    kept = full.keep(b"sesudah cadangan")
    with pytest.raises(BackupUnfit, match="--paksa"):
        restore(full.settings, tmp_path / "praja.tar", force=False)
    assert full.document(kept).exists()
    restore(full.settings, tmp_path / "praja.tar", force=True)
    assert not full.document(kept).exists()
    assert full.people() == ["+6281234500001"]


def test_another_key_is_refused_before_anything_is_touched(
    full: Place, place: Callable[..., Place], tmp_path: Path
) -> None:
    backup(full.settings, tmp_path / "praja.tar")
    other = place("lain", key="kunci lain")
    with pytest.raises(BackupUnfit, match="PRAJA_SECRET_KEY"):
        restore(other.settings, tmp_path / "praja.tar", force=True)
    changed = place("baru", key="kunci lain", old=KEY)
    restore(changed.settings, tmp_path / "praja.tar", force=False)
    assert changed.people() == ["+6281234500001"]


def test_nobody_may_be_connected(full: Place, tmp_path: Path) -> None:
    backup(full.settings, tmp_path / "praja.tar")
    with psycopg.connect(full.url), pytest.raises(BackupUnfit, match="sambungan"):
        restore(full.settings, tmp_path / "praja.tar", force=True)
    assert full.people() == ["+6281234500001"]


def test_who_is_just_leaving_is_waited_for(full: Place, tmp_path: Path) -> None:
    backup(full.settings, tmp_path / "praja.tar")
    leaving = psycopg.connect(full.url)
    threading.Timer(0.5, leaving.close).start()
    restore(full.settings, tmp_path / "praja.tar", force=True)
    assert full.people() == ["+6281234500001"]


@pytest.mark.parametrize("content", [b"", b"bukan tar", b"\0" * 2048])
def test_what_is_no_backup_is_refused(place: Callable[..., Place], tmp_path: Path, content: bytes) -> None:
    (tmp_path / "praja.tar").write_bytes(content)
    with pytest.raises(BackupUnfit, match="bukan cadangan"):
        restore(place("kosong").settings, tmp_path / "praja.tar", force=False)


def test_half_a_backup_is_refused_before_anything_is_touched(full: Place, tmp_path: Path) -> None:
    full.keep(bytes(200_000))
    backup(full.settings, tmp_path / "praja.tar")
    whole = (tmp_path / "praja.tar").read_bytes()
    (tmp_path / "praja.tar").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(BackupUnfit, match="terpotong"):
        restore(full.settings, tmp_path / "praja.tar", force=True)
    assert full.people() == ["+6281234500001"]


def test_a_folder_that_is_not_there_is_said(full: Place, tmp_path: Path) -> None:
    with pytest.raises(BackupUnfit, match="tidak ada"):
        backup(full.settings, tmp_path / "mana" / "praja.tar")
