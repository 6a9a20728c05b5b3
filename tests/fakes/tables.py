"""A room's tables, made once for a whole run and emptied before each test: many times quicker than a database for each."""

from __future__ import annotations

import psycopg
from psycopg import sql
from sqlalchemy import MetaData, create_engine, make_url
from sqlalchemy.schema import CreateSchema

from praja.postgres import create_database

__all__ = ["empty_tables", "make_tables"]


def make_tables(server: str, metadata: MetaData) -> str:
    """The address of a database of the room's own, new where no other test made it.

    Its server stops waiting for the disk: no test pulls the plug.
    """
    with psycopg.connect(server, autocommit=True) as connection:
        for setting in ("fsync", "full_page_writes", "synchronous_commit"):
            connection.execute(sql.SQL("ALTER SYSTEM SET {} = off").format(sql.Identifier(setting)))
        connection.execute("SELECT pg_reload_conf()")
    address = create_database(server, f"tables_of_{metadata.schema}")
    engine = create_engine(make_url(address).set(drivername="postgresql+psycopg"))
    with engine.begin() as made:
        made.execute(CreateSchema(str(metadata.schema), if_not_exists=True))
        metadata.create_all(made)
    engine.dispose()
    return address


def empty_tables(address: str, metadata: MetaData) -> None:
    """As new, numbers begin anew. What an earlier test left connected is cut off, for its locks would be waited for."""
    tables = sql.SQL(", ").join(sql.Identifier(str(table.schema), table.name) for table in metadata.sorted_tables)
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        connection.execute(sql.SQL("TRUNCATE {} RESTART IDENTITY").format(tables))
