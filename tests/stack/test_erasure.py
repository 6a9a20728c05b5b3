"""Whoever asks for it is forgotten: with the key in hand, nothing that is sealed tells of them any more."""

from __future__ import annotations

import time

import psycopg
import pytest

from backend.catalogue import Catalogue
from tests.stack.citizen import file_service, new_nik, new_phone
from tests.stack.opened import address, opened
from tests.stack.running import Running

pytestmark = pytest.mark.verify

TELLING = {"bot.inbox.raw", "bot.frames.text", "bot.phones.value", "backend.drafts.content"}
"""some of where a person's words, numbers or name lie while they are kept"""


def test_nothing_is_left_of_who_asks_for_it(stack: Running, catalogue: Catalogue) -> None:
    phone, nik = new_phone(stack, "telegram"), new_nik()
    person = (nik, "Kinanti Larasati", phone.own_number.lstrip("+"))
    phone.say(f"nama saya Kinanti Larasati Ayuningtyas, nik {nik}")
    phone.send_contact(phone.own_number)
    number, _ = file_service(phone, catalogue.services["ktp_hilang"], nik=nik)
    for state in ("DIPROSES", "DISETUJUI", "SELESAI"):
        stack.transition(number, state)
        assert phone.later()
    with psycopg.connect(address(stack.home)) as connection:
        connection.autocommit = True
        documents = [
            stack.home / "documents" / row[0].hex[:2] / row[0].hex
            for row in connection.execute(
                "SELECT f.id FROM backend.files f JOIN backend.filings g USING (draft_id) WHERE g.number = %s",
                (number,),
            )
        ]
        assert documents
        assert all(path.exists() for path in documents)
        assert _telling(stack, *person) >= {*TELLING, "rasa.events.data"}

        phone.say("hapus data saya")
        phone.tap("Ya, hapus")
        deadline = time.monotonic() + 60
        while (left := _telling(stack, *person)) and time.monotonic() < deadline:
            time.sleep(1)
        assert left == set()
        assert not any(path.exists() for path in documents)
        assert connection.execute(
            "SELECT contact, nik_index FROM backend.filings WHERE number = %s", (number,)
        ).fetchone() == (
            None,
            None,
        )
    # What no law lets go stays: that there was a filing, and how it ended.
    assert stack.filing(number)["state"] == "SELESAI"
    assert phone.say("halo")


def _telling(stack: Running, *marks: str) -> set[str]:
    """The columns in which, once opened, the person is found."""
    key = (stack.home / "secrets" / "secret_key").read_text().strip()
    wanted = [mark.encode() for mark in marks]
    return {place for place, content in opened(stack.home, key) if any(mark in content for mark in wanted)}
