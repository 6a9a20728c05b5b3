"""A filing moves as the contract's states say, and citizens mend and cancel in time."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Sequence
from typing import Any

import psycopg
import pytest

from backend.server import BackendSettings
from backend.states import State
from tests.backend.conftest import CONTACT, Client, Clock, photo
from tests.backend.test_documents import pdf

OWNER = {"Praja-Contact": CONTACT}
KK = [{"document": "kk", "reason": "foto terpotong"}]
WAY: dict[str, Sequence[str]] = {
    "MENUNGGU": (),
    "DIPROSES": ("DIPROSES",),
    "PERLU_PERBAIKAN": ("DIPROSES", "PERLU_PERBAIKAN"),
    "DITOLAK": ("DIPROSES", "DITOLAK"),
    "DISETUJUI": ("DIPROSES", "DISETUJUI"),
    "SELESAI": ("DIPROSES", "DISETUJUI", "SELESAI"),
    "DIBATALKAN": ("DIBATALKAN",),
}
ALLOWED = {
    ("MENUNGGU", "DIPROSES"),
    ("DIPROSES", "PERLU_PERBAIKAN"),
    ("DIPROSES", "DITOLAK"),
    ("DIPROSES", "DISETUJUI"),
    ("DISETUJUI", "SELESAI"),
    ("MENUNGGU", "DIBATALKAN"),
    ("DIPROSES", "DIBATALKAN"),
    ("PERLU_PERBAIKAN", "DIBATALKAN"),
}


async def step(officer: Client, number: str, to: str, fix: Any = KK) -> tuple[int, Any]:
    return await officer.move(number, to, **({"fix": fix} if to == "PERLU_PERBAIKAN" else {}))


async def bring(channel: Client, officer: Client, state: str, fix: Any = KK) -> str:
    number = str((await channel.file())["number"])
    for to in WAY[state]:
        status, body = await step(officer, number, to, fix)
        assert status == 200, body
    return number


@pytest.mark.parametrize("state", State)
async def test_every_step_is_allowed_or_refused(channel: Client, officer: Client, state: State) -> None:
    for to in State:
        number = await bring(channel, officer, state)
        before = await officer("GET", f"/filings/{number}")
        status, body = await step(officer, number, to)
        if (state, to) in ALLOWED:
            assert (status, body["state"]) == (200, to)
            assert body["chronology"][-1]["note"] == "diperiksa"
        else:
            assert (status, body["state"]) == (409, state)
            assert await officer("GET", f"/filings/{number}") == before


def test_the_table_of_this_test_is_whole() -> None:
    assert set(WAY) == {*State}
    assert {State(state) for pair in ALLOWED for state in pair} == {*State}


@pytest.mark.parametrize(
    "body",
    [
        {"to": "TERBANG"},
        {"to": "PERLU_PERBAIKAN"},
        {"to": "PERLU_PERBAIKAN", "fix": []},
        {"to": "PERLU_PERBAIKAN", "fix": [{"reason": "apa"}]},
        {"to": "PERLU_PERBAIKAN", "fix": [{"field": "nama", "document": "kk", "reason": "apa"}]},
        {"to": "PERLU_PERBAIKAN", "fix": [{"field": "kk", "reason": "bukan isian"}]},
        {"to": "PERLU_PERBAIKAN", "fix": [{"document": "ijazah", "reason": "tidak diminta"}]},
        {"to": "DISETUJUI", "fix": KK},
        {"to": "DITOLAK", "note": None},
        {"to": "DITOLAK", "note": "  "},
        {"to": "DISETUJUI", "note": "a\x00b"},
        {"to": "DISETUJUI", "officer": ""},
    ],
)
async def test_a_step_that_makes_no_sense_is_refused(channel: Client, officer: Client, body: dict[str, Any]) -> None:
    number = await bring(channel, officer, "DIPROSES")
    request = {"note": "diperiksa", "officer": "petugas-1", **body}
    assert (await officer("POST", f"/filings/{number}/transitions", json=request))[0] == 422
    assert (await officer("GET", f"/filings/{number}"))[1]["state"] == "DIPROSES"


async def test_where_a_step_does_not_lead_is_told_before_what_it_lacks(channel: Client, officer: Client) -> None:
    number = await bring(channel, officer, "MENUNGGU")
    for body in ({"to": "PERLU_PERBAIKAN"}, {"to": "DITOLAK"}, {"to": "SELESAI", "fix": KK}):
        status, answer = await officer("POST", f"/filings/{number}/transitions", json={"officer": "petugas-1", **body})
        assert (status, answer["state"]) == (409, "MENUNGGU")


async def test_a_note_may_be_left_out_unless_the_citizen_must_be_told_why(channel: Client, officer: Client) -> None:
    path = f"/filings/{await bring(channel, officer, 'DIPROSES')}/transitions"
    status, body = await officer("POST", path, json={"to": "DITOLAK", "officer": "petugas-1"})
    assert (status, body["field"], "warga berhak tahu" in body["detail"]) == (422, "note", True)
    status, body = await officer("POST", path, json={"to": "DISETUJUI", "officer": "petugas-1"})
    assert (status, body["chronology"][-1]["note"]) == (200, None)


async def correct(channel: Client, number: str, message: str, **body: Any) -> tuple[int, Any]:
    request = {"message_id": message, **body}
    return await channel("POST", f"/filings/{number}/corrections", json=request, headers=OWNER)


async def test_what_is_to_be_mended_is_mended_and_the_filing_waits_again(channel: Client, officer: Client) -> None:
    fix = [*KK, {"field": "nama", "reason": "beda dengan KK"}]
    number = await bring(channel, officer, "PERLU_PERBAIKAN", fix)
    assert (await channel("GET", f"/filings/{number}", headers=OWNER))[1]["fix"] == fix
    first = await correct(channel, number, "c1", field="nama", value="Siti Aisyah Putri")
    assert (first[0], first[1]["state"], first[1]["fix"]) == (200, "PERLU_PERBAIKAN", KK)
    assert first[1]["applicant"]["name"] == "Siti P."
    pages = [base64.b64encode(page).decode() for page in (photo(), pdf())]
    second = await correct(channel, number, "c2", document="kk", value=pages)
    assert (second[0], second[1]["state"], second[1]["fix"]) == (200, "MENUNGGU", [])
    assert [entry["state"] for entry in second[1]["chronology"]][-2:] == ["PERLU_PERBAIKAN", "MENUNGGU"]
    assert await correct(channel, number, "c1", field="nama", value="Budi Santoso") == first
    assert await correct(channel, number, "c2", document="kk", value="") == second
    assert (await correct(channel, number, "c3", field="nama", value="Budi Santoso"))[0] == 409
    for message, applied in (("c2", ["c2"]), ("c3", [])):
        asked = {**OWNER, "Praja-Message-Id": message}
        assert (await channel("GET", f"/filings/{number}", headers=asked))[1]["applied"] == applied


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"field": "nama", "value": "Siti"}, 409),
        ({"document": "surat_kuasa", "value": ""}, 409),
        ({"field": "kk", "value": "x"}, 409),
        ({"field": "hp", "value": "123"}, 422),
        ({"field": "hp", "value": None}, 422),
        ({"document": "kk", "value": "bukan base64!"}, 422),
        ({"document": "kk", "value": base64.b64encode(b"teks biasa").decode()}, 422),
        ({"document": "kk", "value": []}, 422),
        ({"document": "kk", "value": [base64.b64encode(pdf()).decode()] * 3}, 422),
        ({"document": "kk", "value": None}, 422),
        ({"value": "x"}, 422),
        ({"field": "hp"}, 422),
    ],
)
async def test_a_correction_that_does_not_fit_changes_nothing(
    channel: Client, officer: Client, body: dict[str, Any], status: int
) -> None:
    number = await bring(channel, officer, "PERLU_PERBAIKAN", [*KK, {"field": "hp", "reason": "tidak aktif"}])
    before = await officer("GET", f"/filings/{number}")
    assert (await correct(channel, number, "c1", **body))[0] == status
    assert await officer("GET", f"/filings/{number}") == before
    assert (await correct(channel, number, "c2", field="hp", value="081298765432"))[0] == 200


async def test_another_kecamatan_asks_for_its_desa_and_moves_the_office(channel: Client, officer: Client) -> None:
    number = await bring(channel, officer, "PERLU_PERBAIKAN", [{"field": "kecamatan", "reason": "pindah"}])
    _, body = await correct(channel, number, "c1", field="kecamatan", value="Taman")
    assert [flaw["field"] for flaw in body["fix"]] == ["desa"]
    _, body = await correct(channel, number, "c2", field="desa", value="Simoangin-angin")
    assert (body["state"], body["office"]) == ("MENUNGGU", "Kantor Kecamatan Taman")
    assert [entry["office"] for entry in body["chronology"]][::3] == [
        "Kantor Kecamatan Candi",
        "Kantor Kecamatan Taman",
    ]


@pytest.mark.parametrize("state", State)
async def test_cancelling_is_possible_until_it_is_decided(channel: Client, officer: Client, state: State) -> None:
    number = await bring(channel, officer, state)
    request = {"json": {"reason": "sudah ketemu"}, "headers": OWNER}
    status, body = await channel("POST", f"/filings/{number}/cancel", **request)
    if state in (State.DITOLAK, State.DISETUJUI, State.SELESAI):
        assert (status, body["type"]) == (409, "too-late")
    else:
        assert (status, body["state"], body["fix"]) == (200, "DIBATALKAN", [])
        assert await channel("POST", f"/filings/{number}/cancel", **request) == (status, body)


async def test_the_result_reaches_its_owner(channel: Client, officer: Client, settings: BackendSettings) -> None:
    number = await bring(channel, officer, "DISETUJUI")
    path = f"/filings/{number}/result"
    assert (await channel("GET", path, headers=OWNER))[0] == 404
    status, body = await officer("PUT", path, data=photo("PNG", size=(1200, 1200)))
    assert (status, body["result"]["content_type"]) == (200, "image/png")
    status, body = await officer("PUT", path, data=pdf())
    assert {**body["result"], "code": None} == {
        "content_type": "application/pdf",
        "size": len(pdf()),
        "at": "2026-11-24T09:30:00+07:00",
        "code": None,
    }
    assert len(list((settings.home / "documents").glob("??/*"))) == 2, "the KK and the later result"
    assert await channel("GET", path, headers=OWNER) == (200, pdf())
    assert await officer("GET", path) == (200, pdf())
    other = {"Praja-Contact": "other", "Praja-Proof": "9999"}
    assert (await channel("GET", path, headers=other))[0] == 403


@pytest.mark.parametrize("state", ["DISETUJUI", "SELESAI"])
@pytest.mark.parametrize("content", [pdf(), photo(size=(1200, 1200))], ids=["pdf", "photo"])
async def test_a_result_that_is_sent_twice_is_one(
    channel: Client, officer: Client, settings: BackendSettings, clock: Clock, state: str, content: bytes
) -> None:
    number = await bring(channel, officer, state)
    path = f"/filings/{number}/result"
    first, at_once = await asyncio.gather(*(officer("PUT", path, data=content) for _ in range(2)))
    clock.advance(days=1)
    again = await officer("PUT", path, data=content)
    assert first[0] == 200
    assert first == at_once == again == await officer("GET", f"/filings/{number}")
    assert len(list((settings.home / "documents").glob("??/*"))) == 2, "the KK and the result"
    assert (await officer("PUT", path, data=pdf(pages=2)))[1]["result"]["code"] != first[1]["result"]["code"]


async def test_a_result_whose_file_is_lost_can_be_sent_again(
    channel: Client, officer: Client, settings: BackendSettings
) -> None:
    path = f"/filings/{await bring(channel, officer, 'DISETUJUI')}/result"
    before = set((settings.home / "documents").glob("??/*"))
    await officer("PUT", path, data=pdf())
    (lost,) = set((settings.home / "documents").glob("??/*")) - before
    lost.unlink()
    assert (await officer("PUT", path, data=pdf()))[0] == 200
    assert await officer("GET", path) == (200, pdf())


async def test_a_result_locks_the_draft_before_its_filing(
    channel: Client, officer: Client, settings: BackendSettings
) -> None:
    """As erasing, confirming and correcting do; in two orders they would wait for each other for ever."""
    number = await bring(channel, officer, "DISETUJUI")
    draft = (
        "SELECT id FROM backend.drafts WHERE id = (SELECT draft_id FROM backend.filings WHERE number = %s) FOR UPDATE"
    )
    async with await psycopg.AsyncConnection.connect(settings.database_url) as connection:
        await connection.execute(draft, (number,))
        putting = asyncio.create_task(officer("PUT", f"/filings/{number}/result", data=pdf()))
        await somebody_waits(settings)
        await connection.execute("SELECT FROM backend.filings WHERE number = %s FOR UPDATE NOWAIT", (number,))
        await connection.commit()
    assert (await putting)[0] == 200


async def somebody_waits(settings: BackendSettings) -> None:
    """For a lock that another transaction holds."""
    waiting = (
        "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock')"
    )
    async with asyncio.timeout(20), await psycopg.AsyncConnection.connect(settings.database_url) as connection:
        await connection.set_autocommit(True)
        while True:
            if await (await connection.execute(waiting)).fetchone() == (True,):
                return
            await asyncio.sleep(0.02)


@pytest.mark.parametrize("state", State)
async def test_a_result_belongs_to_an_approved_filing(channel: Client, officer: Client, state: State) -> None:
    number = await bring(channel, officer, state)
    status, _ = await officer("PUT", f"/filings/{number}/result", data=pdf())
    assert status == (200 if state in (State.DISETUJUI, State.SELESAI) else 409)
    _, body = await officer("GET", f"/filings/{number}")
    told = body["chronology"][-1]["note"] == "Dokumen hasil sudah tersedia."
    assert told is (state is State.SELESAI)


async def test_a_result_is_a_document(channel: Client, officer: Client) -> None:
    number = await bring(channel, officer, "DISETUJUI")
    status, body = await officer("PUT", f"/filings/{number}/result", data=b"teks")
    assert (status, "berkas teks" in body["detail"]) == (422, True)
