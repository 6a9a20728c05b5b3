"""PostgreSQL's own programs are run for a server."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest

from praja.postgres_tools import ToolFailed, tool

_PROGRAM = """#!/bin/sh
if [ "$1" = --version ]; then echo "pg_note (PostgreSQL) {version}.1"; exit; fi
echo "$@" "$PGPASSWORD" >&2
exit 1
"""


def test_a_password_is_no_argument(empty_database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with psycopg.connect(empty_database) as connection:
        program = tmp_path / "pg_note"
        program.write_text(_PROGRAM.format(version=connection.info.server_version // 10000))
        program.chmod(0o755)
        monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
        with pytest.raises(ToolFailed) as told:
            tool(connection, "postgresql://praja:r4hasia@db.example/praja", "pg_note", "--file=x")
    assert str(told.value) == "--dbname=user=praja dbname=praja host=db.example --file=x r4hasia"
