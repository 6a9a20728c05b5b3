"""Drafts: opened once, filled in question by question, each message once, for a week."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from backend.server import BackendSettings
from tests.backend.conftest import ANSWERS, CONTACT, NIK, Client, Clock, photo


async def test_a_form_is_asked_to_its_end(channel: Client) -> None:
    draft = await channel.open()
    _, body = await channel("GET", f"/drafts/{draft}")
    asked = []
    while body["next"] is not None:
        question = body["next"]
        asked.append(question["field"])
        if question["type"] == "document":
            status, body = (
                await channel.answer(draft, question["field"], None)
                if question["optional"]
                else await channel.send(draft, question["field"], photo())
            )
        else:
            status, body = await channel.answer(draft, question["field"], ANSWERS.get(question["field"]))
        assert status == 200
    assert asked == ["nik", "nama", "hp", "kecamatan", "desa", "jumlah", "kk", "surat_kuasa"]
    assert body["missing"] == []
    assert body["skipped"] == ["jumlah", "surat_kuasa"]
    assert body["documents"] == {"kk": {"pages": 1, "status": "accepted"}}
    assert body["answers"] == {
        "nik": NIK,
        "nama": "Siti Nur Aminah",
        "hp": "+6281234567890",
        "kecamatan": "Candi",
        "desa": "Sepande",
    }


async def test_questions_offer_what_can_be_chosen(channel: Client) -> None:
    draft = await channel.open()
    for field in ("nik", "nama", "hp"):
        _, body = await channel.answer(draft, field, ANSWERS[field])
    assert [choice["id"] for choice in body["next"]["choices"]] == ["Candi", "Sidoarjo", "Taman"]
    _, body = await channel.answer(draft, "kecamatan", "Candi")
    assert body["next"]["choices"] == [{"id": name, "title": name} for name in ("Sepande", "Sugihwaras")]
    _, body = await channel.answer(draft, "desa", "Sepande")
    assert (body["next"]["field"], body["next"]["optional"], body["next"]["choices"]) == ("jumlah", True, None)
    await channel.answer(draft, "jumlah", None)
    _, body = await channel.send(draft, "kk", photo())
    assert "Surat kuasa: meterai terlihat" in body["next"]["question"]
    assert "bila diurus orang lain" in body["next"]["help"]


async def test_another_kecamatan_empties_the_desa(channel: Client) -> None:
    draft = await channel.open()
    for field in ("kecamatan", "desa"):
        await channel.answer(draft, field, ANSWERS[field])
    _, same = await channel.answer(draft, "kecamatan", "CANDI")
    assert same["answers"] == {"kecamatan": "Candi", "desa": "Sepande"}
    _, other = await channel.answer(draft, "kecamatan", "Taman")
    assert other["answers"] == {"kecamatan": "Taman"}
    assert "desa" in other["missing"]


async def test_a_desa_answered_for_its_kecamatan_fills_both(channel: Client) -> None:
    draft = await channel.open()
    await channel.answer(draft, "kecamatan", "Taman")
    for place in ("Sepande", "Sugihwaras"):
        _, body = await channel.answer(draft, "kecamatan", f"desa {place.lower()}")
        assert body["answers"] == {"kecamatan": "Candi", "desa": place}


@pytest.mark.parametrize(
    ("field", "value", "hint"),
    [
        ("nik", "123", "16 angka"),
        ("nik", None, "wajib"),
        ("kk", None, "wajib"),
        ("kk", "sudah saya kirim", "Kirim foto"),
        ("jumlah", "11", "paling besar 10"),
        ("tidak_ada", "x", "tidak menanyakan"),
    ],
)
async def test_what_does_not_fit_changes_nothing(channel: Client, field: str, value: Any, hint: str) -> None:
    draft = await channel.open()
    before = await channel("GET", f"/drafts/{draft}")
    status, body = await channel.answer(draft, field, value)
    assert (status, body["field"]) == (422, field)
    assert hint in body["detail"]
    assert await channel("GET", f"/drafts/{draft}") == before


async def test_a_skipped_field_can_be_answered_later_and_the_other_way_round(channel: Client) -> None:
    draft = await channel.open()
    assert (await channel.answer(draft, "jumlah", None))[1]["skipped"] == ["jumlah"]
    _, body = await channel.answer(draft, "jumlah", "2")
    assert (body["skipped"], body["answers"]) == ([], {"jumlah": 2})
    _, body = await channel.answer(draft, "jumlah", None)
    assert (body["skipped"], body["answers"]) == (["jumlah"], {})
    assert (await channel.answer(draft, "surat_kuasa", None))[1]["skipped"] == ["jumlah", "surat_kuasa"]
    assert (await channel.send(draft, "surat_kuasa", photo()))[1]["skipped"] == ["jumlah"]


async def test_a_message_is_answered_once(channel: Client) -> None:
    draft = await channel.open()
    first = await channel.answer(draft, "nik", NIK, message="m1")
    refused = await channel.answer(draft, "nama", "7", message="m2")
    await channel.answer(draft, "nama", "Siti", message="m3")
    assert await channel.answer(draft, "nama", NIK, message="m1") == first
    assert await channel.answer(draft, "nama", "Budi", message="m2") == refused
    assert (await channel("GET", f"/drafts/{draft}"))[1]["answers"] == {"nik": NIK, "nama": "Siti"}


async def test_whether_a_message_was_taken_is_told(channel: Client) -> None:
    draft = await channel.open()
    await channel.answer(draft, "nik", NIK, message="m_1")
    await channel.send(draft, "kk", photo(), message="m_1:kk")
    await channel.answer(draft, "nama", "7", message="m2")
    await channel.answer(draft, "nama", "Siti", message="mX1:nama")

    async def applied(message: str) -> Any:
        return (await channel("GET", f"/drafts/{draft}", headers={"Praja-Message-Id": message}))[1]["applied"]

    assert [await applied(message) for message in ("m_1", "m2", "m")] == [["m_1", "m_1:kk"], [], []]
    assert "applied" not in (await channel("GET", f"/drafts/{draft}"))[1]


async def test_copies_of_a_message_arriving_together_are_one(channel: Client) -> None:
    draft = await channel.open()
    answers = await asyncio.gather(
        *(channel.answer(draft, "nama", f"Siti {chr(65 + index)}", message="m1") for index in range(12))
    )
    assert all(answer == answers[0] for answer in answers)
    pages = await asyncio.gather(*(channel.send(draft, "kk", photo(), message="m2") for _ in range(4)))
    assert all(page == pages[0] for page in pages)
    assert pages[0][1]["documents"]["kk"]["pages"] == 1


async def test_different_messages_arriving_together_all_count(channel: Client) -> None:
    draft = await channel.open()
    await asyncio.gather(
        *(channel.answer(draft, field, ANSWERS[field]) for field in ("nik", "nama", "hp", "kecamatan"))
    )
    _, body = await channel("GET", f"/drafts/{draft}")
    assert set(body["answers"]) == {"nik", "nama", "hp", "kecamatan"}


async def test_a_service_has_one_open_draft_for_a_contact(channel: Client) -> None:
    opened = [
        await channel("POST", "/drafts", json={"service": "surat_uji", "contact": CONTACT, "channel": name})
        for name in ("telegram", "whatsapp")
    ]
    assert [status for status, _ in opened] == [201, 201]
    assert opened[0][1]["id"] == opened[1][1]["id"]
    others = await asyncio.gather(*(channel.open(contact="other") for _ in range(8)))
    assert len({*others, opened[0][1]["id"]}) == 2
    _, body = await channel("GET", "/drafts?contact=other")
    assert [draft["id"] for draft in body["drafts"]] == [others[0]]
    assert (await channel("GET", "/drafts"))[0] == 422


async def test_a_week_without_change_ends_a_draft(channel: Client, clock: Clock) -> None:
    draft = await channel.open()
    clock.advance(days=6)
    await channel.answer(draft, "nik", NIK, message="m1")
    clock.advance(days=6)
    assert (await channel("GET", f"/drafts/{draft}"))[0] == 200
    clock.advance(days=1)
    assert (await channel("GET", f"/drafts/{draft}"))[0] == 410
    assert (await channel("GET", f"/drafts?contact={CONTACT}"))[1] == {"drafts": []}
    status, body = await channel.answer(draft, "nama", "Siti")
    assert (status, body["type"]) == (410, "expired")
    assert (await channel.send(draft, "kk", photo()))[0] == 410
    assert (await channel("POST", f"/drafts/{draft}/submit"))[0] == 410
    assert (await channel.open()) != draft


async def test_deleting_empties(channel: Client, settings: BackendSettings) -> None:
    draft = await channel.open()
    await channel.fill(draft)
    assert [path.is_file() for path in (settings.home / "documents").glob("??/*")] == [True]
    for _ in range(2):
        assert (await channel("DELETE", f"/drafts/{draft}"))[0] == 204
    assert (await channel("GET", f"/drafts/{draft}"))[0] == 410
    assert (await channel("DELETE", f"/drafts/{uuid4()}"))[0] == 404
    assert list((settings.home / "documents").glob("??/*")) == []
    with psycopg.connect(settings.database_url) as connection:
        assert connection.execute("SELECT content FROM backend.drafts").fetchall() == [(None,)]
        assert connection.execute("SELECT count(*) FROM backend.changes").fetchone() == (0,)
    assert (await channel.open()) != draft


async def test_what_was_answered_is_sealed(channel: Client, settings: BackendSettings) -> None:
    await channel.file()
    with psycopg.connect(settings.database_url) as connection:
        for table in ("drafts", "changes", "files", "filings", "chronology", "proofs"):
            rows = str(connection.execute(f"SELECT * FROM backend.{table}").fetchall())
            assert NIK not in rows
            assert "Aminah" not in rows
            assert "812345" not in rows


async def test_a_submitted_draft_is_closed(channel: Client) -> None:
    draft = await channel.open()
    await channel.fill(draft)
    first = await channel.answer(draft, "nama", "Siti", message="m1")
    await channel("POST", f"/drafts/{draft}/submit")
    assert await channel.answer(draft, "nama", "Siti", message="m1") == first
    for status, body in (
        await channel.answer(draft, "nama", "Budi"),
        await channel.send(draft, "kk", photo()),
        await channel("DELETE", f"/drafts/{draft}"),
    ):
        assert (status, body["type"]) == (409, "submitted")
    assert (await channel("GET", f"/drafts/{draft}"))[1]["state"] == "submitted"
    assert (await channel("GET", f"/drafts?contact={CONTACT}"))[1] == {"drafts": []}
