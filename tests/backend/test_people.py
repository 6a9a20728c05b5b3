"""A person sees, takes along and erases what is kept of them; what the law keeps is said."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from aiohttp.test_utils import TestClient

from backend.server import BackendSettings
from tests.backend.conftest import CONTACT, NIK, Client, Clock
from tests.backend.tables import everything_kept, files_kept
from tests.backend.test_complaints import complain, confirm, finish
from tests.backend.test_documents import pdf
from tests.backend.test_transitions import OWNER

PERSON = f"/people/{CONTACT}"
TOLD = (NIK, "Siti Nur Aminah", "+6281234567890", "Sepande", "foto kurang jelas", CONTACT)


async def finished(channel: Client, officer: Client, **changes: Any) -> str:
    number = str((await channel.file(**changes))["number"])
    for state in ("DIPROSES", "DISETUJUI"):
        await officer.move(number, state, note="foto kurang jelas")
    await officer("PUT", f"/filings/{number}/result", data=pdf())
    await officer.move(number, "SELESAI")
    return number


async def erase(channel: Client, message: str = "e1") -> Any:
    status, body = await channel("DELETE", PERSON, json={"message_id": message})
    assert status == 200, body
    return body


async def test_of_somebody_unknown_nothing_is_kept(channel: Client) -> None:
    nothing = {"drafts": 0, "filings": [], "files": 0, "consent": None}
    assert await channel("GET", "/people/nobody") == (200, nothing)
    erased = {"drafts": 0, "filings": 0, "files": 0}
    assert await channel("DELETE", "/people/nobody", json={"message_id": "e"}) == (200, {"erased": erased, "kept": []})


async def test_what_is_kept_is_told(channel: Client, officer: Client) -> None:
    done = await finished(channel, officer)
    running = (await channel.file())["number"]
    await channel.fill(await channel.open())
    await channel.file(contact="other")
    status, body = await channel("GET", PERSON)
    assert (status, body["drafts"], body["files"]) == (200, 1, 4)
    first, second = body["filings"]
    assert {first["number"], second["number"]} == {running, done}
    by_number = {filing["number"]: filing for filing in body["filings"]}
    assert (by_number[done]["kept_until"], by_number[done]["why"]) == ("2027-05-23", None)
    assert by_number[running]["kept_until"] is None
    assert "sampai selesai" in by_number[running]["why"]


async def test_everything_can_be_taken_along(channel: Client, officer: Client, http: TestClient[Any, Any]) -> None:
    number = await finished(channel, officer)
    await channel.answer(await channel.open(), "nama", "Siti Lagi")
    await channel("POST", "/consents", json={"contact": CONTACT, "version": "1", "channel": "t", "message_id": "m"})
    await channel.file(contact="other", nama="Orang Lain")
    assert (await channel("GET", f"{PERSON}/export"))[0] == 200
    headers = {"Authorization": "Bearer channel-token"}
    async with http.get(f"/api/v1{PERSON}/export", headers=headers) as response:
        assert response.headers["Content-Disposition"] == 'attachment; filename="data-saya.json"'
        text = await response.text()
    document = json.loads(text)
    (filing,) = document["permohonan"]
    assert (filing["nomor"], filing["layanan"], filing["keadaan"]) == (number, "Surat uji", "SELESAI")
    assert NIK in filing["jawaban"].values()
    assert [file["nama"] for file in filing["berkas"]] == ["Kartu Keluarga", "Dokumen hasil"]
    assert filing["riwayat"][1]["catatan"] == "foto kurang jelas"
    assert "Siti Lagi" in document["draf"][0]["jawaban"].values()
    assert [consent["versi"] for consent in document["persetujuan"]] == ["1"]
    assert "Orang Lain" not in text


async def test_erased_is_erased(channel: Client, officer: Client, settings: BackendSettings) -> None:
    number = await finished(channel, officer)
    await channel("PUT", f"/filings/{number}/survey", json=marks(4), headers=OWNER)
    await channel.fill(await channel.open())
    await channel("POST", "/consents", json={"contact": CONTACT, "version": "1", "channel": "t", "message_id": "m"})
    await channel("GET", f"/filings/{number}?contact=other", headers={"Praja-Proof": "0000"})
    before = everything_kept(settings)
    assert all(told in before for told in TOLD)

    erased = {"drafts": 1, "filings": 1, "files": 3}
    assert await erase(channel) == {"erased": erased, "kept": []}

    after = everything_kept(settings)
    assert [told for told in TOLD if told in after] == []
    assert files_kept(settings) == set()
    assert (number in after, "surat_uji" in after, "SELESAI" in after) == (True, True, True)
    assert (await channel("GET", PERSON))[1] == {"drafts": 0, "filings": [], "files": 0, "consent": None}
    assert (await channel("GET", f"/filings?contact={CONTACT}"))[1]["filings"] == []


def marks(mark: int) -> dict[str, Any]:
    return {"message_id": "s", "scores": {"waktu": mark}}


async def test_what_is_open_stays_whole_and_goes_once_it_has_ended(
    channel: Client, officer: Client, settings: BackendSettings
) -> None:
    number = (await channel.file())["number"]
    before = await channel("GET", f"/filings/{number}", headers=OWNER)
    body = await erase(channel)
    assert body["erased"] == {"drafts": 0, "filings": 0, "files": 0}
    assert [(kept["number"], kept["until"]) for kept in body["kept"]] == [(number, None)]
    assert "wajib disimpan" in body["kept"][0]["why"]
    assert await channel("GET", f"/filings/{number}", headers=OWNER) == before
    await officer.move(number, "DIPROSES")
    await officer.move(number, "DITOLAK")
    assert (await erase(channel, "e2"))["erased"]["filings"] == 1
    assert NIK not in everything_kept(settings)


async def test_a_complaint_is_kept_until_it_is_said_to_be_settled(
    channel: Client, officer: Client, settings: BackendSettings
) -> None:
    number = (await complain(channel, "rahasia"))["number"]
    await finish(officer, number)
    (kept,) = (await erase(channel))["kept"]
    assert (kept["number"], "sudah beres" in kept["why"]) == (number, True)
    assert (await confirm(channel, number, True))[0] == 200
    assert (await erase(channel, "e2"))["erased"]["filings"] == 1
    after = everything_kept(settings)
    assert [told for told in ("Siti", "+6281234567890", "Jalan berlubang", CONTACT) if told in after] == []


async def test_the_same_wish_again_gets_the_same_answer(channel: Client, officer: Client) -> None:
    await finished(channel, officer)
    first, second = await asyncio.gather(erase(channel), erase(channel))
    assert first == second == await erase(channel)
    assert first["erased"]["filings"] == 1
    assert (await erase(channel, "e2"))["erased"] == {"drafts": 0, "filings": 0, "files": 0}


async def test_an_erased_filing_is_nobodys(channel: Client, officer: Client) -> None:
    number = await finished(channel, officer)
    path = f"/filings/{number}"
    await erase(channel)
    assert (await channel("GET", path))[0] == 403
    for proof in ("9999", "7890", "0000"):
        headers = {"Praja-Contact": "other", "Praja-Proof": proof}
        assert (await channel("GET", path, headers=headers))[0] == 403
    assert (await channel("GET", f"{path}/result", headers=OWNER))[0] == 403
    status, body = await officer("GET", path)
    assert (status, body["applicant"], body["state"]) == (200, {"name": "sudah dihapus", "nik": None}, "SELESAI")
    assert [entry["note"] for entry in body["chronology"]] == [None] * 4
    assert (await officer("GET", f"{path}/dossier"))[0] == 200
    assert (await officer("PUT", f"{path}/result", data=pdf()))[1]["type"] == "erased"
    assert (await officer("GET", "/filings"))[1]["filings"][0]["number"] == number


async def test_nobody_is_told_of_an_erased_filing(
    channel: Client, officer: Client, settings: BackendSettings, bot: Any, clock: Clock
) -> None:
    bot.answers = [500]
    number = (await channel.file())["number"]
    await bot.events(1)
    await officer.move(number, "DIBATALKAN")
    await erase(channel)
    clock.advance(hours=1)
    await asyncio.sleep(0.8)
    assert len(bot.requests) == 1


@pytest.mark.parametrize(
    "request_", [("GET", PERSON), ("DELETE", PERSON), ("GET", f"{PERSON}/export"), ("DELETE", f"/consents/{CONTACT}")]
)
async def test_officers_have_no_part_in_it(officer: Client, request_: tuple[str, str]) -> None:
    status, body = await officer(*request_, json={"message_id": "m"})
    assert (status, body["type"]) == (403, "wrong-role")


async def test_a_message_is_needed(channel: Client) -> None:
    await channel.open()
    assert (await channel("DELETE", PERSON, json={}))[0] == 422
    assert (await channel("GET", PERSON))[1]["drafts"] == 1
