"""What the contact answered before needn't be answered again."""

from __future__ import annotations

from typing import Any

from tests.backend.conftest import ANSWERS, CONTACT, Client, Clock


async def draft_of(channel: Client, contact: str = CONTACT) -> dict[str, Any]:
    draft = await channel.open(contact=contact)
    return dict((await channel("GET", f"/drafts/{draft}"))[1])


async def test_it_is_offered_masked_and_taken(channel: Client) -> None:
    assert (await draft_of(channel, "new"))["known"] is None
    filing = await channel.file()
    draft = await draft_of(channel)
    assert draft["known"] == {
        "number": filing["number"],
        "submitted_on": "2026-11-24",
        "fields": {
            "nik": "3515••••••••9999",
            "nama": "Siti Nur Aminah",
            "hp": "+62812••••••90",
            "kecamatan": "Candi",
            "desa": "Sepande",
        },
    }
    assert draft["next"]["field"] == "nik"
    status, body = await channel.answer(draft["id"], "pakai_data", "ya", message="m1")
    assert (status, body["known"], body["next"]["field"]) == (200, None, "jumlah")
    assert body["answers"] == {**ANSWERS, "hp": "+6281234567890", "kecamatan": "Candi"}
    assert await channel.answer(draft["id"], "pakai_data", "tidak", message="m1") == (status, body)
    assert (await channel.answer(draft["id"], "pakai_data", "ya"))[0] == 422


async def test_it_can_be_declined(channel: Client) -> None:
    await channel.file()
    draft = await draft_of(channel)
    status, body = await channel.answer(draft["id"], "pakai_data", "tidak")
    assert (status, body["known"], body["answers"], body["next"]["field"]) == (200, None, {}, "nik")
    assert (await draft_of(channel))["known"] is None
    assert (await channel.answer(draft["id"], "pakai_data", "mungkin"))[0] == 422


async def test_it_is_offered_before_the_first_answer_only(channel: Client) -> None:
    await channel.file()
    draft = await draft_of(channel)
    assert (await channel.answer(draft["id"], "nama", "Budi"))[1]["known"] is None


async def test_the_newest_filing_counts_for_half_a_year(channel: Client, clock: Clock) -> None:
    await channel.file()
    clock.advance(days=100)
    newer = await channel.file(nik="3515081708909999", nama="Budi Santoso")
    assert (await draft_of(channel))["known"]["number"] == newer["number"]
    assert (await draft_of(channel, "other"))["known"] is None
    clock.advance(days=180)
    assert (await draft_of(channel))["known"] is None


async def test_neither_from_nor_for_another_person(channel: Client) -> None:
    body = {"service": "surat_uji", "contact": CONTACT, "channel": "telegram", "on_behalf_of": "wakil"}
    await channel.file()
    _, other = await channel("POST", "/drafts", json=body)
    assert other["known"] is None
    helper = {"wakil_nama": "Budi Santoso", "wakil_hubungan": "keluarga", "wakil_hp": "081298765432"}
    await channel("DELETE", f"/drafts/{other['id']}")
    _, other = await channel("POST", "/drafts", json={**body, "contact": "helper"})
    await channel.fill(other["id"], **helper)
    assert (await channel("POST", f"/drafts/{other['id']}/submit"))[0] == 201
    assert (await draft_of(channel, "helper"))["known"] is None


async def test_a_complaints_place_is_nobodys_address(channel: Client) -> None:
    draft = await channel.open("keluhan")
    place = {"jenis": "jalan", "uraian": "Jalan berlubang.", "kecamatan": "Taman"}
    answers = {**place, "identitas": "terbuka", "nama": "Siti Aminah", "hp": "081234567890"}
    for field, value in answers.items():
        await channel.answer(draft, field, value)
    await channel("POST", f"/drafts/{draft}/submit")
    assert set((await draft_of(channel))["known"]["fields"]) == {"nama", "hp"}
    complaint = await channel.open("keluhan")
    assert (await channel("GET", f"/drafts/{complaint}"))[1]["known"] is None
