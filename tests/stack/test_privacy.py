"""NIK, KK number, phone and name of a citizen stand nowhere in clear: not in the database, not in a log, not in a file."""

from __future__ import annotations

import psycopg
from psycopg import sql

from backend.catalogue import Catalogue
from tests.stack.citizen import SimulatorPhone, file_service
from tests.stack.running import Running

NIK = "3515082301790042"


def test_nothing_about_a_citizen_is_kept_in_clear(stack: Running, phone: SimulatorPhone, catalogue: Catalogue) -> None:
    phone.say(f"nik saya {NIK}, tolong dicek")
    file_service(phone, catalogue.services["ktp_hilang"], nik=NIK)
    secrets = (NIK, "3515080101150007", "81234567890", "Siti Aminah", "Jl. Mawar 3")
    for place, content in (*_rows(stack), *_files(stack)):
        for secret in secrets:
            assert secret not in content, f"{secret} in {place}"


def _rows(stack: Running) -> list[tuple[str, str]]:
    address = f"postgresql://postgres@/praja?host={stack.home / 'database'}"
    with psycopg.connect(address) as connection:
        tables = connection.execute(
            "SELECT table_schema, table_name FROM information_schema.tables WHERE table_schema IN ('bot', 'backend', 'rasa')"
        ).fetchall()
        assert {"bot", "backend", "rasa"} == {schema for schema, _ in tables}
        found = []
        for schema, table in tables:
            query = sql.SQL("SELECT t::text FROM {} t").format(sql.Identifier(schema, table))
            found.append((f"{schema}.{table}", "\n".join(row[0] for row in connection.execute(query))))
        assert any(content for _, content in found)
        return found


def _files(stack: Running) -> list[tuple[str, str]]:
    paths = [path for folder in ("logs", "documents") for path in (stack.home / folder).rglob("*") if path.is_file()]
    assert any(path.parent.name == "logs" for path in paths)
    return [(str(path), path.read_bytes().decode("latin-1")) for path in paths]
