"""A draft becomes a filing once, complete, and not twice by mistake."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import uuid4

import pytest

from backend import submission
from tests.backend.conftest import CONTACT, NIK, Client, Clock, photo

REFUSING = {"Praja-Refuse-Duplicate": "yes"}


async def test_a_filing_says_what_comes_next(channel: Client) -> None:
    filing = await channel.file()
    number = filing.pop("number")
    assert filing == {
        "service": "surat_uji",
        "mode": "permohonan",
        "state": "MENUNGGU",
        "submitted_at": "2026-11-24T09:30:00+07:00",
        "due_on": "2026-11-30",
        "office": "Kantor Kecamatan Candi",
        "applicant": {"name": "Siti A.", "nik": "3515••••••••9999"},
        "representative": None,
        "place": {"kecamatan": "Candi", "desa": "Sepande"},
        "chronology": [
            {"at": "2026-11-24T09:30:00+07:00", "state": "MENUNGGU", "office": "Kantor Kecamatan Candi", "note": None}
        ],
        "fix": [],
        "fix_names": {},
        "result": None,
    }
    assert number.startswith("SDA-2611-")


async def test_the_month_and_day_are_those_of_sidoarjo(channel: Client, clock: Clock) -> None:
    clock.advance(days=6, hours=15)  # 30 November, 17.30 UTC
    filing = await channel.file()
    assert filing["number"].startswith("SDA-2612-")
    assert (filing["submitted_at"], filing["due_on"]) == ("2026-12-01T00:30:00+07:00", "2026-12-07")


async def test_submitting_again_gives_the_same_filing(channel: Client, officer: Client) -> None:
    draft = await channel.open()
    await channel.fill(draft)
    answers = await asyncio.gather(*(channel("POST", f"/drafts/{draft}/submit") for _ in range(6)))
    assert sorted(status for status, _ in answers) == [200] * 5 + [201]
    assert len({filing["number"] for _, filing in answers}) == 1
    await officer.move(answers[0][1]["number"], "DIPROSES")
    status, filing = await channel("POST", f"/drafts/{draft}/submit")
    assert (status, filing["state"]) == (200, "DIPROSES")


async def test_what_is_missing_is_named_and_the_optional_is_not(channel: Client) -> None:
    draft = await channel.open()
    await channel.answer(draft, "nik", "3515085708909999")
    status, body = await channel("POST", f"/drafts/{draft}/submit")
    assert (status, body["type"]) == (409, "incomplete")
    assert body["missing"] == ["nama", "hp", "kecamatan", "desa", "kk"]
    await channel.fill(draft)
    assert (await channel("POST", f"/drafts/{draft}/submit"))[0] == 201


async def test_an_unknown_draft_is_not_submitted(channel: Client) -> None:
    assert (await channel("POST", f"/drafts/{uuid4()}/submit"))[0] == 404


async def test_a_second_filing_while_the_first_is_open_is_refused_where_that_is_asked(
    channel: Client, officer: Client
) -> None:
    first = await channel.file()
    draft = await channel.open()
    await channel.fill(draft)
    status, body = await channel("POST", f"/drafts/{draft}/submit", headers=REFUSING)
    assert (status, body["type"], body["number"]) == (409, "duplicate", first["number"])
    status, second = await channel("POST", f"/drafts/{draft}/submit")
    assert status == 201
    for number in (first["number"], second["number"]):
        await officer.move(number, "DIBATALKAN")
    draft = await channel.open()
    await channel.fill(draft)
    assert (await channel("POST", f"/drafts/{draft}/submit", headers=REFUSING))[0] == 201


@pytest.mark.parametrize("changes", [{"contact": "somebody-else"}, {"nik": "3515081708909999"}])
async def test_another_contact_or_nik_is_another_filing(channel: Client, changes: dict[str, Any]) -> None:
    await channel.file()
    draft = await channel.open(contact=changes.get("contact", CONTACT))
    await channel.fill(draft, nik=changes.get("nik", NIK))
    assert (await channel("POST", f"/drafts/{draft}/submit", headers=REFUSING))[0] == 201


async def test_a_number_that_is_taken_is_drawn_again(channel: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    first = await channel.file()
    drawn = iter([first["number"], first["number"], "SDA-2611-7K4QX0"])
    monkeypatch.setattr(submission, "draw_filing_number", lambda day: next(drawn))
    assert (await channel.file(contact="other"))["number"] == "SDA-2611-7K4QX0"


async def test_the_office_is_the_applicants_own(channel: Client) -> None:
    filing = await channel.file(kecamatan="Taman", desa="Simo Angin Angin")
    assert filing["office"] == "Kantor Kecamatan Taman"


async def test_a_short_name_stays(channel: Client) -> None:
    draft = await channel.open(contact=CONTACT)
    await channel.fill(draft, nama="Suparno")
    await channel.send(draft, "kk", photo())
    assert (await channel("POST", f"/drafts/{draft}/submit"))[1]["applicant"]["name"] == "Suparno"
