"""The embedded server, killed."""

from __future__ import annotations

import os
import signal
import tempfile
import time
from pathlib import Path

import psycopg

from praja.postgres import create_database, embedded_postgres, revive


def test_a_killed_server_is_started_again_with_all_that_was_committed() -> None:
    with tempfile.TemporaryDirectory(prefix="praja-killed-", ignore_cleanup_errors=True) as place:
        os.chmod(place, 0o755)
        folder = Path(place) / "db"
        with embedded_postgres(folder) as server:
            url = create_database(server, "kota")
            with psycopg.connect(url) as connection:
                connection.execute("CREATE TABLE kept AS SELECT 1 AS it")
            assert not revive(folder)
            os.kill(int((folder / "postmaster.pid").read_text().split()[0]), signal.SIGKILL)
            assert _revived(folder)
            with psycopg.connect(url) as connection:
                assert connection.execute("SELECT it FROM kept").fetchone() == (1,)


def _revived(folder: Path) -> bool:
    for _ in range(100):
        try:
            if revive(folder):
                return True
        except RuntimeError:
            pass
        time.sleep(0.2)
    return False
