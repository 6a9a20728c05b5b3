"""Looks through everything that a stack keeps and says for what citizens told it.

Every table of the database as text and as bytes, every file under `PRAJA_HOME`, what was printed, the pages for operators,
and the model.
"""

from __future__ import annotations

import io
import tarfile
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import httpx
import psycopg
from psycopg import sql

from praja.training import serving_model
from tests.stack.running import ROOT, Running
from tests.stack.told import Told

__all__ = ["found_in_clear", "in_archive", "in_tables"]

Place = tuple[str, bytes]
_ROOMS = {"backend", "bot", "console", "rasa"}
_PAGES = ("healthz", "readyz", "metrics")


def found_in_clear(stack: Running, told: Told) -> list[str]:
    """A sentence for each place; nothing it quotes is more than a number's end."""
    address = f"postgresql://postgres@/praja?host={stack.home / 'database'}"
    kept = [*in_tables(address, rooms=_ROOMS), *_files(stack), *_pages(stack)]
    assert any("logs" in place for place, content in kept if content), "no log was written"
    found = [f"{what} in {place}" for place, content in kept for what in told.seen_in(content)]
    found += [f"{what} in {place}" for place, content in _database_files(stack) for what in told.numbers_in(content)]
    # What the training data itself invents, be it a name, a sentence or a number, tells nothing of a citizen.
    invented = set(told.numbers_in(b" ".join(path.read_bytes() for path in sorted((ROOT / "data").rglob("*.yml")))))
    return found + [
        f"{what} in {place}"
        for place, content in _models(stack)
        for what in told.numbers_in(content)
        if what not in invented
    ]


def in_tables(address: str, rooms: set[str] | None = None) -> Iterator[Place]:
    """Every table of every schema of ours and of extensions, twice: as it prints, and as its bytes are.

    Bytes aren't printed: among so many random hexadecimal digits some number would turn up by chance.
    """
    with psycopg.connect(address) as connection:
        tables: Sequence[tuple[str, str]] = connection.execute(
            "SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
            "WHERE c.relkind IN ('r', 'm', 'p') AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')"
        ).fetchall()
        assert rooms is None or rooms <= {schema for schema, _ in tables}
        for schema, table in tables:
            name = sql.Identifier(schema, table)
            printed = [
                sql.SQL("{}::text").format(sql.Identifier(row[0]))
                for row in connection.execute(
                    "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped "
                    "AND atttypid <> 'bytea'::regtype",
                    (name.as_string(connection),),
                )
            ]
            columns = sql.SQL(", ").join(printed)
            for form, query in (
                ("text", sql.SQL("COPY (SELECT {} FROM {}) TO STDOUT").format(columns, name)),
                ("bytes", sql.SQL("COPY {} TO STDOUT (FORMAT BINARY)").format(name)),
            ):
                with connection.cursor().copy(query) as copy:
                    yield f"{schema}.{table} ({form})", b"".join(bytes(part) for part in copy)


def in_archive(path: Path) -> Iterator[Place]:
    """What a model is packed of; packed things within it are opened too."""
    with tarfile.open(path) as archive:
        for member in archive:
            if member.isfile() and (file := archive.extractfile(member)) is not None:
                content = file.read()
                yield f"{path.name}: {member.name}", content
                if zipfile.is_zipfile(io.BytesIO(content)):
                    with zipfile.ZipFile(io.BytesIO(content)) as packed:
                        for name in packed.namelist():
                            yield f"{path.name}: {member.name}: {name}", packed.read(name)


def _files(stack: Running) -> Iterator[Place]:
    for path in (stack.log, *stack.home.rglob("*")):
        if path.is_file() and not path.is_relative_to(stack.home / "database"):
            yield str(path), path.read_bytes()


def _database_files(stack: Running) -> Iterator[Place]:
    """The server's own log, its journal, and what was deleted but lies there yet."""
    for path in (stack.home / "database").rglob("*"):
        try:
            if path.is_file():
                yield str(path), path.read_bytes()
        except FileNotFoundError:
            continue  # the server tidies up meanwhile


def _pages(stack: Running) -> Iterator[Place]:
    for page in _PAGES:
        answer = httpx.get(f"{stack.url}/{page}", timeout=20)
        assert answer.status_code == 200, (page, answer.status_code)
        yield f"/{page}", answer.content


def _models(stack: Running) -> Iterator[Place]:
    model = serving_model(Path(stack.extra.get("PRAJA_MODELS", ROOT / "models")))
    assert model is not None
    yield from in_archive(model)
