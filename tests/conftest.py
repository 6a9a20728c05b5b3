"""One PostgreSQL server for the whole run, one empty database for each test that asks for one."""

from __future__ import annotations

import itertools
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import psycopg
import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

from praja.postgres import create_database, embedded_postgres

# On a busy machine an example takes seconds; and what fails shall fail the next time too.
hypothesis.settings.load_profile("ci")

_counter = itertools.count()


class _OneStack(LoadScopeScheduling):
    """The tests of the whole stack stay with one worker, since they share one stack on two cores; others go to whoever is free.

    xdist's own groups write their name into a private field that pytest 9.2 no longer has.
    """

    def _split_scope(self, nodeid: str) -> str:
        return "stack" if nodeid.startswith("tests/stack/") else nodeid


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadScopeScheduling:
    return _OneStack(config, log)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """Address of a server of this process's own; under xdist every worker has one."""
    with tempfile.TemporaryDirectory(prefix="praja-test-", ignore_cleanup_errors=True) as folder:
        os.chmod(folder, 0o755)
        with embedded_postgres(Path(folder) / "db") as address:
            with psycopg.connect(address, autocommit=True) as connection:
                # Nothing of it outlives the run, so nothing waits for the disk.
                connection.execute("ALTER SYSTEM SET fsync = off")
                connection.execute("SELECT pg_reload_conf()")
            yield address


@pytest.fixture
def empty_database(postgres_server: str) -> Iterator[str]:
    """A plain `postgresql://…` address of a database that no other test sees."""
    name = f"test_{os.getpid()}_{next(_counter)}"
    yield create_database(postgres_server, name)
    with psycopg.connect(postgres_server, autocommit=True) as connection:
        connection.execute(psycopg.sql.SQL("DROP DATABASE {} WITH (FORCE)").format(psycopg.sql.Identifier(name)))
