"""Alembic's entry: one history for the tables of every room."""

from __future__ import annotations

from alembic import context
from sqlalchemy import MetaData, NullPool, create_engine, text

from backend.tables import metadata as backend_metadata
from bot.tables import metadata as bot_metadata
from console.tables import metadata as console_metadata

SCHEMAS = ("bot", "backend", "console", "rasa")
# Rasa's own tables are made by its tracker store, which knows them; only their schema is made here.
TARGETS: list[MetaData] = [bot_metadata, backend_metadata, console_metadata]


def _ours(name: str | None, kind: str, parents: object) -> bool:
    return kind != "schema" or name in ("bot", "backend", "console")


# Whatever happens, its connection is closed and with it the lock below is given back.
engine = create_engine(context.config.attributes["url"], poolclass=NullPool)
with engine.connect() as connection:
    # Two starts at once: the second waits and then finds nothing left to do.
    connection.execute(text("SELECT pg_advisory_lock(hashtext('praja migrations'))"))
    for schema in SCHEMAS:
        connection.execute(text(f"CREATE SCHEMA IF NOT EXISTS {schema}"))
    connection.commit()
    context.configure(
        connection=connection,
        target_metadata=TARGETS,
        include_schemas=True,
        include_name=_ours,
        compare_server_default=True,
    )
    with context.begin_transaction():
        context.run_migrations()
    connection.execute(text("SELECT pg_advisory_unlock(hashtext('praja migrations'))"))
    connection.commit()
