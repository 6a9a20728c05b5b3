"""Somebody files for another person, with a power of attorney where it is due; both appear."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from tests.backend.conftest import ANSWERS, CONTACT, NIK, Client, photo

HELPER: dict[str, Any] = {"wakil_nama": "Budi Santoso", "wakil_hubungan": "rt_rw", "wakil_hp": "081298765432"}


async def open_for_another(channel: Client, service: str = "surat_uji") -> tuple[int, dict[str, Any]]:
    body = {"service": service, "contact": CONTACT, "channel": "telegram", "on_behalf_of": "wakil"}
    return await channel("POST", "/drafts", json=body)


@pytest.mark.parametrize(("relation", "is_family"), [("keluarga", True), ("rt_rw", False), ("lainnya", False)])
async def test_who_files_is_asked_first_and_for_a_power_of_attorney_unless_family(
    channel: Client, officer: Client, relation: str, is_family: bool
) -> None:
    status, draft = await open_for_another(channel)
    assert (status, draft["on_behalf_of"], draft["next"]["field"]) == (201, "wakil", "wakil_nama")
    for field, value in {**HELPER, "wakil_hubungan": relation, **ANSWERS}.items():
        status, body = await channel.answer(draft["id"], field, value)
        assert status == 200, body
    assert ("surat_kuasa" in body["missing"]) is not is_family
    for key in ("kk", *(() if is_family else ("surat_kuasa",))):
        await channel.send(draft["id"], key, photo())
    status, filing = await channel("POST", f"/drafts/{draft['id']}/submit")
    assert status == 201, filing
    titles = {"keluarga": "Keluarga", "rt_rw": "Pengurus RT/RW", "lainnya": "Lainnya"}
    assert filing["representative"] == {"name": "Budi S.", "relation": titles[relation]}
    assert filing["applicant"]["name"] == "Siti A."
    _, dossier = await officer("GET", f"/filings/{filing['number']}/dossier")
    names = {answer["field"]: answer["name"] for answer in dossier["answers"]}
    assert (names["wakil_nama"], names["wakil_hubungan"]) == ("Nama Anda", "Hubungan")
    await officer.move(filing["number"], "DIPROSES")
    fix = [{"field": "wakil_hp", "reason": "tidak aktif"}]
    status, body = await officer.move(filing["number"], "PERLU_PERBAIKAN", fix=fix)
    assert (status, body["fix_names"]) == (200, {"wakil_hp": "Nomor HP Anda"})


async def test_the_own_and_anothers_stand_side_by_side(channel: Client) -> None:
    own = await channel.open()
    assert (await channel.answer(own, "nik", NIK))[0] == 200
    status, other = await open_for_another(channel)
    assert (status, other["id"] != own, other["answers"]) == (201, True, {})
    assert (await open_for_another(channel))[1]["id"] == other["id"]
    assert await channel.open() == own
    assert (await channel.answer(own, "wakil_nama", "Budi"))[0] == 422
    _, listed = await channel("GET", f"/drafts?contact={CONTACT}")
    assert {draft["id"] for draft in listed["drafts"]} == {own, other["id"]}


async def test_what_nobody_may_do_for_another_is_refused(channel: Client) -> None:
    status, body = await open_for_another(channel, "keluhan")
    assert (status, body["type"], "sendiri" in body["detail"]) == (422, "not-for-others", True)


async def test_the_own_filing_has_no_representative(channel: Client) -> None:
    assert (await channel.file())["representative"] is None


async def file_for_another(channel: Client, relation: str) -> str:
    """The number."""
    draft = (await open_for_another(channel))[1]["id"]
    for field, value in {**HELPER, "wakil_hubungan": relation, **ANSWERS}.items():
        await channel.answer(draft, field, value)
    await channel.send(draft, "kk", photo())
    status, filing = await channel("POST", f"/drafts/{draft}/submit")
    assert status == 201, filing
    return str(filing["number"])


async def test_a_power_of_attorney_that_a_correction_makes_due_is_sent_once(channel: Client, officer: Client) -> None:
    number = await file_for_another(channel, "keluarga")
    await officer.move(number, "DIPROSES")
    await officer.move(number, "PERLU_PERBAIKAN", fix=[{"field": "wakil_hubungan", "reason": "bukan keluarga"}])
    request = {"headers": {"Praja-Contact": CONTACT}}
    answer = {"message_id": "c1", "field": "wakil_hubungan", "value": "rt_rw"}
    _, body = await channel("POST", f"/filings/{number}/corrections", json=answer, **request)
    assert [flaw["document"] for flaw in body["fix"]] == ["surat_kuasa"]
    page = {"message_id": "c2", "document": "surat_kuasa", "value": base64.b64encode(photo()).decode()}
    _, body = await channel("POST", f"/filings/{number}/corrections", json=page, **request)
    assert (body["state"], body["fix"]) == ("MENUNGGU", [])


async def test_what_is_to_be_mended_comes_with_its_question(channel: Client, officer: Client) -> None:
    number = await file_for_another(channel, "keluarga")
    await officer.move(number, "DIPROSES")
    fix = [{"field": "wakil_hubungan", "reason": "bukan keluarga"}, {"field": "desa", "reason": "keliru"}]
    await officer.move(number, "PERLU_PERBAIKAN", fix=[*fix, {"document": "surat_kuasa", "reason": "buram"}])
    _, body = await channel("GET", f"/filings/{number}?contact={CONTACT}")
    relation, desa, power = (body["fix_questions"][item] for item in ("wakil_hubungan", "desa", "surat_kuasa"))
    assert (relation["type"], relation["maximum_pages"]) == ("choice", None)
    assert {"id": "rt_rw", "title": "Pengurus RT/RW"} in relation["choices"]
    assert "Sepande" in [choice["title"] for choice in desa["choices"]]
    assert (power["type"], power["maximum_pages"] >= 1) == ("document", True)
    assert "Surat kuasa" in power["question"]
