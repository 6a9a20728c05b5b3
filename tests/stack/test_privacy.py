"""NIK, KK number, phone, name and words of a citizen stand nowhere in clear, whatever happens to their filing.

What the other tests of a session told is looked for at its end (`tests/stack/conftest.py`).
"""

from __future__ import annotations

import base64
import hashlib
import io
import tarfile
import time
from pathlib import Path

import psycopg
import pytest

from backend.catalogue import Catalogue
from tests.stack.citizen import FakePhone, file_service, new_nik, new_phone, said
from tests.stack.officer import add_officer
from tests.stack.privacy import found_in_clear, in_archive, in_tables
from tests.stack.running import Running
from tests.stack.told import TOLD, Told

NIK = "3515082301790042"
PHONE = "+6281298765432"


def test_nothing_about_a_citizen_is_kept_in_clear(stack: Running, catalogue: Catalogue) -> None:
    phone = new_phone(stack, "telegram")
    nik = new_nik()
    phone.say(f"nik saya {nik}, nama saya Sekar Ayu Kinasih, tolong dicek")
    number, _ = file_service(phone, catalogue.services["ktp_hilang"], nik=nik)
    _mend(stack, phone, number)
    file_service(phone, catalogue.forms["pengaduan"], nik=nik)
    phone.send_contact(phone.own_number)
    phone.say("tolong petugas saja, rumah saya di Jalan Anggrek Bulan 77")
    add_officer(stack, "Rina W.")
    # The bot is silent now: an officer reads it.
    phone.control("say", text="ini nomor kakak saya 0812-9876-1234 ya bu")
    time.sleep(2)
    assert found_in_clear(stack, TOLD) == []


def _mend(stack: Running, phone: FakePhone, number: str) -> None:
    stack.transition(number, "DIPROSES", "sedang diperiksa")
    fix = [{"field": "nama", "reason": "beda dengan Kartu Keluarga"}]
    stack.transition(number, "PERLU_PERBAIKAN", "nama Sekar Ayu beda dengan di Kartu Keluarga", fix=fix)
    deadline = time.monotonic() + 30
    heard = ""
    while "Kartu Keluarga" not in heard and time.monotonic() < deadline:
        heard += said(phone.later(2))
    assert "Kartu Keluarga" in heard
    phone.tap("Perbaiki")
    phone.say("Sekar Ayu Kinasih Putri Negara")


def _planted(told: Told) -> dict[str, bytes]:
    """Each way in which something can be kept that isn't sealed."""
    told.message(f"nama saya Sekar Ayu Kinasih, NIK {NIK}")
    told.number(PHONE)
    return {
        "words": f"nama saya Sekar Ayu Kinasih, NIK {NIK}".encode(),
        "NIK": NIK.encode(),
        "phone": b"hubungi 6281298765432 segera",
        "base64": base64.b64encode(b"wamid \x1c\x18\x0d" + b"6281298765432" + b"\x15\x02"),
        "hash": hashlib.sha256(PHONE.encode()).hexdigest().encode(),
    }


@pytest.mark.parametrize("column", ["bytea", "text", "jsonb", "text[]"])
def test_the_search_finds_what_is_planted_in_a_table(empty_database: str, column: str) -> None:
    told = Told()
    for how, planted in _planted(told).items():
        shown = {"jsonb": b'{"a": ["%s"]}' % planted, "text[]": b'{x,"%s"}' % planted}.get(column, planted)
        with psycopg.connect(empty_database) as connection:
            connection.execute("DROP SCHEMA IF EXISTS odd CASCADE")
            connection.execute("CREATE SCHEMA odd")
            connection.execute(f"CREATE TABLE odd.kept (id int, value {column})")  # type: ignore[call-overload]
            value = shown if column == "bytea" else shown.decode()
            connection.execute(f"INSERT INTO odd.kept VALUES (1, %s::{column})", (value,))  # type: ignore[arg-type]
        found = [place for place, content in in_tables(empty_database) for _ in told.seen_in(content)]
        assert {place.partition(" ")[0] for place in found} == {"odd.kept"}, how


def test_the_search_opens_what_a_model_is_packed_of(tmp_path: Path) -> None:
    told = Told()
    planted = _planted(told)["NIK"]
    with tarfile.open(tmp_path / "model.tar.gz", "w:gz") as archive:
        member = tarfile.TarInfo("components/words.txt")
        member.size = len(planted)
        archive.addfile(member, io.BytesIO(planted))
    assert [what for _, content in in_archive(tmp_path / "model.tar.gz") for what in told.seen_in(content)]
