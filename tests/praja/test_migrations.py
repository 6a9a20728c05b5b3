"""The migrations give exactly the tables that the rooms describe."""

from __future__ import annotations

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine

from backend.tables import metadata as backend_metadata
from bot.tables import metadata as bot_metadata
from console.tables import metadata as console_metadata
from praja.database import migrate, with_driver


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
