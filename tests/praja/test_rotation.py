"""A change of `PRAJA_SECRET_KEY`: everything is found and opens before, during and after, and then without the old key."""

from __future__ import annotations

import fcntl
import threading
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import ARRAY, BigInteger, Boolean, Column, Date, DateTime, Double, Integer, LargeBinary, Table, Uuid
from sqlalchemy.dialects.postgresql import JSONB

from backend.document_store import DocumentStore
from backend.tables import metadata as backend_metadata
from bot.channel import Address, Update
from bot.inbox import receive
from bot.phones import proved_phone
from bot.store import Store
from bot.tables import metadata as bot_metadata
from console.tables import metadata as console_metadata
from identity import Seal, SealBroken
from praja.rotation import rotate
from praja.sealed_columns import SEALED, RotationFailed, SealedColumn
from praja.settings import Settings, SettingsUnfit

OLD, NEW = "kunci lama", "kunci baru"
NIK = "3515085708909999"
_RASA_EVENTS = "CREATE TABLE rasa.events (id bigint PRIMARY KEY, sender_id text, data text NOT NULL)"
"""as far as a rotation sees what `nlu/tracker_store.py` makes"""
_TABLES = {
    str(table): table for each in (bot_metadata, backend_metadata, console_metadata) for table in each.sorted_tables
}


@pytest.fixture
def database(new_database: Callable[..., str], all_tables: str) -> str:
    url = new_database(all_tables)
    with psycopg.connect(url) as connection:
        connection.execute(_RASA_EVENTS)
    return url


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Settings]:
    monkeypatch.chdir(tmp_path)

    def make(old: str = OLD) -> Settings:
        return Settings(home=tmp_path, secret_key=NEW, secret_keys_old=old)

    return make


def test_every_column_of_bytes_is_known_to_the_rotation() -> None:
    bytes_ = {
        f"{table}.{column.name}"
        for table in _TABLES.values()
        for column in table.columns
        if isinstance(column.type, LargeBinary)
    }
    assert bytes_ == {f"{sealed.table}.{sealed.column}" for sealed in SEALED if not sealed.is_text}
    for sealed in SEALED:
        if sealed.table in _TABLES:
            assert tuple(sealed.key) == tuple(column.name for column in _TABLES[sealed.table].primary_key), sealed.table


def test_everything_sealed_opens_with_the_new_key_alone(database: str, settings: Callable[..., Settings]) -> None:
    identifier = uuid.uuid4()
    document = settings().home / "documents" / identifier.hex[:2] / identifier.hex
    document.parent.mkdir(parents=True)
    document.write_bytes(Seal(OLD, "backend.documents").seal(b"foto KK"))
    for sealed in SEALED:
        _insert(database, sealed)
    _insert_row(database, "backend.files", id=identifier)
    told: list[str] = []
    done = rotate(settings(), database, told.append)
    assert done.is_complete
    assert done.documents == 1
    assert done.values == 3 * len({(sealed.table, sealed.column) for sealed in SEALED})
    for sealed in SEALED:
        assert _opened(database, sealed, Seal(NEW, sealed.purpose)) == [b"{}"] * 3, sealed
    assert Seal(NEW, "backend.documents").open(document.read_bytes()) == b"foto KK"
    again = rotate(settings(), database, told.append)
    assert (again.values, again.documents, again.fingerprints) == (0, 0, 0)


def test_what_no_key_opens_is_named_and_nothing_is_lost(database: str, settings: Callable[..., Settings]) -> None:
    sealed = next(sealed for sealed in SEALED if sealed.table == "bot.inbox")
    _insert(database, sealed)
    with pytest.raises(RotationFailed, match=r"bot.inbox.raw"):
        rotate(settings(old="yang salah"), database, lambda text: None)
    assert _opened(database, sealed, Seal(OLD, "bot.inbox")) == [b"{}"] * 3


def test_without_an_earlier_key_there_is_nothing_to_do(database: str, settings: Callable[..., Settings]) -> None:
    with pytest.raises(SettingsUnfit, match="PRAJA_SECRET_KEYS_OLD"):
        rotate(settings(old=""), database, lambda text: None)


def test_two_rotations_at_once_are_not_made(database: str, settings: Callable[..., Settings]) -> None:
    with (settings().home / "rotation.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(RotationFailed, match="sedang berjalan"):
            rotate(settings(), database, lambda text: None)


def test_a_document_that_is_erased_while_it_is_sealed_anew_stays_away(
    database: str, settings: Callable[..., Settings]
) -> None:
    identifier, seal = uuid.uuid4(), Seal((NEW, OLD), "backend.documents")
    folder = settings().home / "documents" / identifier.hex[:2]
    folder.mkdir(parents=True)
    # So large that it isn't written before anybody looks.
    (folder / identifier.hex).write_bytes(Seal(OLD, "backend.documents").seal(bytes(2**26)))
    _insert_row(database, "backend.files", id=identifier)
    fresh, over = folder / f"{identifier.hex}.new", threading.Event()

    def erase() -> None:
        with psycopg.connect(database, autocommit=True) as connection:
            while not (fresh.exists() or over.is_set()):
                pass
            connection.execute("DELETE FROM backend.files")
            DocumentStore(folder.parent, seal).delete(identifier)

    erasing = threading.Thread(target=erase)
    erasing.start()
    try:
        assert rotate(settings(), database, lambda text: None).is_complete
    finally:
        over.set()
        erasing.join()
    assert list(folder.iterdir()) == []


async def test_a_citizen_is_known_before_during_and_after(database: str, settings: Callable[..., Settings]) -> None:
    siti, budi = "+6281234500001", "+6281234500002"
    await _write(database, OLD, siti, budi)
    before = _conversations(database)
    # Restarted with both keys, not rotated yet: Siti writes again, Budi doesn't, and Tono is new.
    await _write(database, (NEW, OLD), siti, "+6281234500003")
    assert len(_conversations(database)) == 3
    done = rotate(settings(), database, lambda text: None)
    assert done.is_complete
    await _write(database, NEW, siti, budi, "+6281234500003")
    assert len(_conversations(database)) == 3
    assert before < _conversations(database)
    store = Store.open(database, NEW)
    try:
        assert {await proved_phone(store, conversation) for conversation in before} == {siti, budi}
    finally:
        await store.engine.dispose()


def test_fingerprints_of_the_backend_are_made_anew(database: str, settings: Callable[..., Settings]) -> None:
    old, new = Seal(OLD, "backend.answers"), Seal(NEW, "backend.answers")
    contact, draft, number = str(uuid.uuid4()), uuid.uuid4(), "SDA-2611-ABCDEF"
    answers = {"answers": {"nik": NIK}, "skipped": [], "on_behalf_of": None}
    _insert_row(
        database, "backend.drafts",
        id=draft, contact=contact, state="submitted", content=old.seal_json(answers),
    )  # fmt: skip
    _insert_row(
        database, "backend.filings",
        number=number, draft_id=draft, contact=contact, nik_index=old.index(NIK), fix=old.seal(b"[]"),
        survey_until=datetime.now(UTC),
    )  # fmt: skip
    _insert_row(database, "backend.consents", person=old.index(contact), withdrawn_at=None)
    _insert_row(database, "backend.erasures", person=old.index(contact), body=old.seal(b"{}"))
    _insert_row(database, "backend.surveys", filing_index=old.index(number), suggestion=None)
    assert rotate(settings(), database, lambda text: None).fingerprints == 4
    with psycopg.connect(database) as connection:
        for column, value in (
            ("filings.nik_index", NIK),
            ("consents.person", contact),
            ("erasures.person", contact),
            ("surveys.filing_index", number),
        ):
            table, name = column.split(".")
            kept = connection.execute(f"SELECT {name} FROM backend.{table}").fetchone()  # type: ignore[call-overload]
            assert kept == (new.index(value),), column


async def _write(database: str, secrets: str | tuple[str, ...], *phones: str) -> None:
    store = Store.open(database, secrets)
    try:
        for phone in phones:
            await receive(
                store, "whatsapp", [Update(uuid.uuid4().hex, [Address("phone", phone)], None, {"text": "halo"})]
            )
    finally:
        await store.engine.dispose()


def _conversations(database: str) -> set[uuid.UUID]:
    with psycopg.connect(database) as connection:
        return {row[0] for row in connection.execute("SELECT id FROM bot.conversations")}


def _insert(database: str, sealed: SealedColumn) -> None:
    """Three rows."""
    seal = Seal(OLD, sealed.purpose)
    for position in range(3):
        value = seal.seal_text("{}") if sealed.is_text else seal.seal(b"{}")
        if sealed.table == "rasa.events":
            with psycopg.connect(database) as connection:
                connection.execute("INSERT INTO rasa.events VALUES (%s, 'x', %s)", (position, value))
            continue
        given = _values(_TABLES[sealed.table], position) | {sealed.column: value}
        with psycopg.connect(database) as connection:
            connection.execute("SET session_replication_role = replica")
            _add(connection, sealed.table, given, sealed)


def _insert_row(database: str, table: str, **given: Any) -> None:
    with psycopg.connect(database) as connection:
        connection.execute("SET session_replication_role = replica")
        _add(connection, table, _values(_TABLES[table], 0) | given, None)


def _add(connection: psycopg.Connection, table: str, given: dict[str, Any], sealed: SealedColumn | None) -> None:
    """A second sealed column of a table is set in the rows that the first one has made."""
    names = sql.SQL(", ").join(map(sql.Identifier, given))
    marks = sql.SQL(", ").join([sql.Placeholder()] * len(given))
    query = sql.SQL("INSERT INTO {} ({}) OVERRIDING SYSTEM VALUE VALUES ({}) ON CONFLICT DO NOTHING").format(
        sql.Identifier(*table.split(".")), names, marks
    )
    added = connection.execute(query, list(given.values())).rowcount
    if not added:
        assert sealed is not None, table
        key = [given[name] for name in sealed.key]
        where = sql.SQL(" AND ").join(sql.SQL("{} = %s").format(sql.Identifier(name)) for name in sealed.key)
        setting = sql.SQL("UPDATE {} SET {} = %s WHERE {}").format(
            sql.Identifier(*table.split(".")), sql.Identifier(sealed.column), where
        )
        assert connection.execute(setting, [given[sealed.column], *key]).rowcount == 1


def _values(table: Table, position: int) -> dict[str, Any]:
    """Something for each column that needs a value, other in each row, and nothing that is under way; sealed by the old key."""
    return {
        column.name: _value(table, column, position)
        for column in table.columns
        if column.primary_key or column.name == "ended_at" or not (column.nullable or column.server_default)
    }


def _value(table: Table, column: Column[Any], position: int) -> Any:
    match column.type:
        case Uuid():
            return uuid.UUID(int=position + 1)
        case BigInteger() | Integer():
            return position + 1
        case Boolean():
            return False
        case Double():
            return 0.5
        case DateTime() | Date():
            return datetime.now(UTC)
        case LargeBinary():
            name = f"{table}.{column.name}"
            return Seal(OLD, next(s.purpose for s in SEALED if f"{s.table}.{s.column}" == name)).seal(b"{}")
        case ARRAY():
            return []
        case JSONB():
            return "{}"
    return f"x{position}"


def _opened(database: str, sealed: SealedColumn, seal: Seal) -> list[bytes]:
    query = sql.SQL("SELECT {} FROM {} WHERE {} IS NOT NULL").format(
        sql.Identifier(sealed.column), sql.Identifier(*sealed.table.split(".")), sql.Identifier(sealed.column)
    )
    with psycopg.connect(database) as connection:
        rows = connection.execute(query).fetchall()
    try:
        return [seal.open_text(row[0]).encode() if sealed.is_text else seal.open(row[0]) for row in rows]
    except SealBroken:
        return []
