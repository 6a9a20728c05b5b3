"""The migrations give exactly the tables that the rooms describe."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine

from backend.tables import metadata as backend_metadata
from bot.tables import metadata as bot_metadata
from console.tables import metadata as console_metadata
from praja.database import migrate, with_driver
from praja.settings import ROOT

_MIGRATIONS = ROOT / "praja" / "migrations"
_REVISIONS = sorted(path.name.split("_")[0] for path in (_MIGRATIONS / "versions").glob("*.py"))
_POST = """
from alembic import op
revision = "9001"
down_revision = "{last}"
phase = "post"
def upgrade():
    op.drop_column("inbox", "error", schema="bot")
"""
_PRE = """
import sqlalchemy as sa
from alembic import op
revision = "9002"
down_revision = "9001"
phase = "pre"
def upgrade():
    op.add_column("inbox", sa.Column("note", sa.Text()), schema="bot")
"""


def test_migrations_and_tables_agree_and_migrating_again_changes_nothing(empty_database: str) -> None:
    migrate(empty_database)
    migrate(empty_database)
    engine = create_engine(with_driver(empty_database))
    with engine.connect() as connection:
        for metadata in (bot_metadata, backend_metadata, console_metadata):
            schema = metadata.schema
            options = {
                "include_schemas": True,
                "include_name": lambda name, kind, _, s=schema: kind != "schema" or name == s,
            }
            assert compare_metadata(MigrationContext.configure(connection, opts=options), metadata) == []
    engine.dispose()


def test_before_the_switch_nothing_is_taken_from_the_old_code(empty_database: str, tmp_path: Path) -> None:
    migrations = _with_more(tmp_path, {"9001_post.py": _POST.format(last=_REVISIONS[-1]), "9002_pre.py": _PRE})
    migrate(empty_database, before_switch=True, migrations=migrations)
    migrate(empty_database, before_switch=True, migrations=migrations)
    assert {"error"} <= _columns(empty_database)["bot.inbox"].keys()
    assert "note" not in _columns(empty_database)["bot.inbox"]
    migrate(empty_database, migrations=migrations)
    assert "error" not in _columns(empty_database)["bot.inbox"]
    assert "note" in _columns(empty_database)["bot.inbox"]


@pytest.mark.parametrize(("before", "after"), list(itertools.pairwise(_REVISIONS)))
def test_the_version_before_can_work_on_the_tables(
    empty_database: str, tmp_path: Path, before: str, after: str
) -> None:
    migrate(empty_database, migrations=_up_to(tmp_path / "before", before))
    old = _columns(empty_database)
    migrate(empty_database, before_switch=True, migrations=_up_to(tmp_path / "after", after))
    new = _columns(empty_database)
    for table, columns in old.items():
        for name, (kind, must) in columns.items():
            assert name in new[table], f"{table}.{name} is gone"
            assert new[table][name][0] == kind, f"{table}.{name} is of another type"
            assert must or not new[table][name][1], f"{table}.{name} must be given now"
        for name in new[table].keys() - columns.keys():
            assert not new[table][name][1], f"{table}.{name} must be given, which the version before doesn't"


def _with_more(folder: Path, more: Mapping[str, str]) -> Path:
    copy = folder / "migrations"
    shutil.copytree(_MIGRATIONS, copy, ignore=shutil.ignore_patterns("__pycache__"))
    for name, text in more.items():
        (copy / "versions" / name).write_text(text, encoding="utf-8")
    return copy


def _up_to(folder: Path, last: str) -> Path:
    copy = _with_more(folder, {})
    for file in (copy / "versions").glob("*.py"):
        if file.name.split("_")[0] > last:
            file.unlink()
    return copy


def _columns(url: str) -> Mapping[str, Mapping[str, tuple[str, bool]]]:
    """Of each table, each column's type and whether it must be given."""
    found: dict[str, dict[str, tuple[str, bool]]] = {}
    with psycopg.connect(url) as connection:
        for table, name, kind, must in _rows(connection):
            found.setdefault(table, {})[name] = (kind, must)
    return found


def _rows(connection: psycopg.Connection) -> Iterator[tuple[str, str, str, bool]]:
    yield from connection.execute(
        "SELECT table_schema || '.' || table_name, column_name, data_type,"
        " is_nullable = 'NO' AND column_default IS NULL AND is_identity = 'NO'"
        " FROM information_schema.columns WHERE table_schema IN ('bot', 'backend', 'console')"
    )
