"""`praja rotate`: seals everything anew under the present `PRAJA_SECRET_KEY`, so that the earlier one can be forgotten.

It goes by what opens, and keeps no account of its own: stopped at any place, it is simply started again. Nothing is locked
for longer than a batch, and what somebody changes meanwhile is theirs: every process seals with the present key already.
"""

from __future__ import annotations

import contextlib
import itertools
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, LiteralString
from uuid import UUID

import psycopg
from psycopg import sql

from bot.channel import Address
from bot.phones import phone_fingerprints
from bot.store import Store
from identity import Seal, SealBroken
from praja.lock import locked
from praja.sealed_columns import SEALED, RotationFailed, SealedColumn
from praja.settings import Settings, SettingsUnfit

__all__ = ["Rotated", "rotate"]

_BATCH, _LARGE_BATCH = 500, 8
_PASSES = 3
_cursors = itertools.count()


@dataclass(frozen=True)
class Rotated:
    values: int
    """sealed anew"""
    documents: int
    fingerprints: int
    is_complete: bool
    """nothing was left that only an earlier key opens"""


def rotate(settings: Settings, url: str, tell: Callable[[str], None]) -> Rotated:
    """Raises RotationFailed, SettingsUnfit."""
    if len(settings.secret_keys) == 1:
        raise SettingsUnfit(
            "PRAJA_SECRET_KEYS_OLD kosong. Isi PRAJA_SECRET_KEY dengan kunci baru dan PRAJA_SECRET_KEYS_OLD dengan yang "
            "lama, nyalakan ulang semua bagian, lalu jalankan `praja rotate`."
        )
    keys = settings.secret_keys
    values = documents = fingerprints = 0
    with _alone(settings.home), psycopg.connect(url, autocommit=True) as connection:
        for number in range(_PASSES):
            tell(f"putaran {number + 1}")
            changed = [_fingerprints(connection, url, keys)]
            for sealed in SEALED:
                changed.append(_column(connection, sealed, Seal(keys, sealed.purpose)))
                if changed[-1]:
                    tell(f"{sealed.table}.{sealed.column}: {changed[-1]} disegel ulang")
            changed.append(_documents(connection, settings.home / "documents", Seal(keys, "backend.documents")))
            fingerprints += changed[0]
            documents += changed[-1]
            values += sum(changed[1:-1])
            # The next pass looks whether all of it opens with the present key, and takes what came in between.
            if not any(changed):
                return Rotated(values, documents, fingerprints, is_complete=True)
    return Rotated(values, documents, fingerprints, is_complete=False)


@contextlib.contextmanager
def _alone(home: Path) -> Iterator[None]:
    """Two would write the same `.new`, and one of them would put the other's half of it in the document's place."""
    with locked(home / "rotation.lock", RotationFailed("`praja rotate` lain sedang berjalan; tunggu sampai selesai.")):
        yield


def _column(connection: psycopg.Connection, sealed: SealedColumn, seal: Seal) -> int:
    if connection.execute("SELECT to_regclass(%s)", (sealed.table,)).fetchone() == (None,):
        return 0  # Rasa makes its own when it first starts
    renew = seal.renew_text if sealed.is_text else seal.renew
    names = {
        "table": sql.Identifier(*sealed.table.split(".")),
        "column": sql.Identifier(sealed.column),
        "key": sql.SQL(", ").join(map(sql.Identifier, sealed.key)),
        "place": sql.SQL(", ").join([sql.Placeholder()] * len(sealed.key)),
        "most": sql.Literal(_LARGE_BATCH if sealed.is_large else _BATCH),
    }
    first = sql.SQL("SELECT {key}, {column} FROM {table} WHERE {column} IS NOT NULL ORDER BY {key} LIMIT {most}")
    further = sql.SQL(
        "SELECT {key}, {column} FROM {table} WHERE {column} IS NOT NULL AND ({key}) > ({place}) ORDER BY {key} LIMIT {most}"
    )
    # Only what is still as it was read: what somebody has written or erased meanwhile isn't undone.
    writing = sql.SQL("UPDATE {table} SET {column} = %s WHERE ({key}) = ({place}) AND {column} = %s").format(**names)
    renewed = 0
    last: tuple[Any, ...] = ()
    while True:
        query = (further if last else first).format(**names)
        rows: Sequence[tuple[Any, ...]] = connection.execute(query, last).fetchall()
        if not rows:
            return renewed
        changes = []
        for *key, value in rows:
            try:
                fresh = renew(value)
            except SealBroken:
                raise RotationFailed(
                    f"{sealed.table}.{sealed.column} ({', '.join(sealed.key)} = {', '.join(map(str, key))}) tidak terbuka "
                    "dengan kunci mana pun; lengkapi PRAJA_SECRET_KEYS_OLD dengan semua kunci terdahulu."
                ) from None
            if fresh is not None:
                changes.append((fresh, *key, value))
        if changes:
            with connection.transaction(), connection.cursor() as cursor:
                cursor.executemany(writing, changes)
        renewed += len(changes)
        last = tuple(rows[-1][: len(sealed.key)])


def _documents(connection: psycopg.Connection, folder: Path, seal: Seal) -> int:
    renewed = 0
    for (identifier,) in _streamed(connection, "SELECT id FROM backend.files ORDER BY id"):
        path = folder / identifier.hex[:2] / identifier.hex
        try:
            fresh = seal.renew(path.read_bytes())
        except FileNotFoundError:
            continue  # erased meanwhile
        except SealBroken:
            raise RotationFailed(f"{path} tidak terbuka dengan kunci mana pun.") from None
        if fresh is not None:
            # Not found: erased before it was in its place.
            with contextlib.suppress(FileNotFoundError):
                _replace(path, fresh)
            renewed += 1
            if not _is_named(connection, identifier):
                # Erased between our reading and our writing; its row goes first, so this isn't missed.
                path.unlink(missing_ok=True)
    return renewed


def _replace(path: Path, content: bytes) -> None:
    fresh = path.with_suffix(".new")
    with open(fresh, "wb", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)


def _is_named(connection: psycopg.Connection, identifier: UUID) -> bool:
    return connection.execute("SELECT 1 FROM backend.files WHERE id = %s", (identifier,)).fetchone() is not None


# ---- fingerprints, by which a value is found that is kept sealed


def _fingerprints(connection: psycopg.Connection, url: str, keys: tuple[str, ...]) -> int:
    store, answers = Store.open(url, keys), Seal(keys, "backend.answers")
    changed = 0
    for statement, moves in (
        (
            "UPDATE bot.addresses SET fingerprint = %s WHERE fingerprint = %s AND channel = %s",
            _of_addresses(connection, store),
        ),
        ("UPDATE bot.phones SET fingerprint = %s WHERE fingerprint = %s", _of_phones(connection, store)),
        (
            "UPDATE backend.filings SET nik_index = %s WHERE nik_index = %s AND number = %s",
            _of_niks(connection, answers),
        ),
        ("UPDATE backend.surveys SET filing_index = %s WHERE filing_index = %s", _of_surveys(connection, answers)),
        ("UPDATE backend.consents SET person = %s WHERE person = %s", _of_people(connection, answers, "consents")),
        ("UPDATE backend.erasures SET person = %s WHERE person = %s", _of_people(connection, answers, "erasures")),
    ):
        for batch in _batches(moves):
            with connection.transaction(), connection.cursor() as cursor:
                cursor.executemany(statement, batch)
            changed += len(batch)
    return changed


Move = tuple[str, ...]
"""a fingerprint under the present key, the one that is kept, and by what else the row is found"""


def _of_addresses(connection: psycopg.Connection, store: Store) -> Iterator[Move]:
    rows = _streamed(connection, "SELECT channel, kind, value, fingerprint FROM bot.addresses")
    for channel, kind, value, kept in rows:
        yield from _moved(store.fingerprints(channel, Address(kind, _opened(store.address, value))), kept, channel)


def _of_phones(connection: psycopg.Connection, store: Store) -> Iterator[Move]:
    rows = _streamed(connection, "SELECT DISTINCT ON (fingerprint) value, fingerprint FROM bot.phones")
    for value, kept in rows:
        yield from _moved(phone_fingerprints(store, _opened(store.address, value)), kept)


def _of_niks(connection: psycopg.Connection, seal: Seal) -> Iterator[Move]:
    rows = _streamed(
        connection,
        "SELECT f.number, d.content, f.nik_index FROM backend.filings f "
        "JOIN backend.drafts d ON d.id = f.draft_id WHERE f.nik_index IS NOT NULL AND d.content IS NOT NULL",
    )
    for number, content, kept in rows:
        with contextlib.suppress(SealBroken):
            if (nik := seal.open_json(content)["answers"].get("nik")) is not None:
                yield from _moved(seal.indexes(str(nik)), kept, number)


def _of_surveys(connection: psycopg.Connection, seal: Seal) -> Iterator[Move]:
    kept = {
        row[0] for row in connection.execute("SELECT filing_index FROM backend.surveys WHERE filing_index IS NOT NULL")
    }
    for (number,) in _streamed(connection, "SELECT number FROM backend.filings WHERE survey_until IS NOT NULL"):
        yield from _known(seal.indexes(number), kept)


def _of_people(connection: psycopg.Connection, seal: Seal, table: str) -> Iterator[Move]:
    """Of every contact there is; one that nobody knows any more keeps the fingerprint that nobody can look up."""
    query = sql.SQL("SELECT DISTINCT person FROM {}").format(sql.Identifier("backend", table))
    kept = {row[0] for row in connection.execute(query)}
    contacts = _streamed(
        connection,
        "SELECT id::text FROM bot.conversations UNION SELECT contact FROM backend.drafts WHERE contact IS NOT NULL "
        "UNION SELECT contact FROM backend.filings WHERE contact IS NOT NULL",
    )
    for (contact,) in contacts:
        yield from _known(seal.indexes(contact), kept)


def _streamed(connection: psycopg.Connection, query: LiteralString) -> Iterator[tuple[Any, ...]]:
    """A part at a time, while others are written over the same connection."""
    with connection.cursor(f"rotation_{next(_cursors)}", withhold=True) as cursor:
        cursor.itersize = _BATCH
        cursor.execute(query)
        yield from cursor


def _opened(seal: Seal, value: bytes) -> str:
    try:
        return seal.open(value).decode()
    except SealBroken:
        raise RotationFailed(
            "Alamat warga tidak terbuka dengan kunci mana pun; lengkapi PRAJA_SECRET_KEYS_OLD dengan semua kunci terdahulu."
        ) from None


def _moved(indexes: Sequence[str], kept: str, *row: str) -> Iterator[Move]:
    if kept in indexes[1:]:
        yield indexes[0], kept, *row


def _known(indexes: Sequence[str], kept: set[str]) -> Iterator[Move]:
    yield from ((indexes[0], earlier) for earlier in indexes[1:] if earlier in kept)


def _batches(moves: Iterator[Move]) -> Iterator[list[Move]]:
    batch: list[Move] = []
    for move in moves:
        batch.append(move)
        if len(batch) == _BATCH:
            yield batch
            batch = []
    if batch:
        yield batch
