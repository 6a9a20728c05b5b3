"""A database with every table, made once and copied for each test that wants it."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import psycopg
import pytest

from praja.database import migrate
from praja.postgres import create_database

_numbers = itertools.count()
_EMPTY = "template1"


@pytest.fixture(scope="session")
def new_database(postgres_server: str) -> Callable[..., str]:
    """Gives the address of a new database, with the content of another where `like` names it. It goes with the server."""

    def make(like: str | None = None) -> str:
        name = f"new_{next(_numbers)}"
        template = psycopg.conninfo.conninfo_to_dict(like)["dbname"] if like else _EMPTY
        with psycopg.connect(postgres_server, autocommit=True) as connection:
            names = map(psycopg.sql.Identifier, (name, str(template)))
            connection.execute(psycopg.sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(*names))
        return create_database(postgres_server, name)

    return make


@pytest.fixture(scope="session")
def all_tables(new_database: Callable[..., str]) -> str:
    """To be copied, not to be written to."""
    url = new_database()
    migrate(url)
    return url
