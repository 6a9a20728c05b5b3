"""Complaints: asked by what they are about, unnamed if so wished, settled only when the citizen says so."""

from __future__ import annotations

from typing import Any

import pytest

from backend.complaints import confirm_silent
from backend.server import BackendSettings, make_workspace
from tests.backend.conftest import CONTACT, Bot, Client, Clock, photo

OWNER = {"Praja-Contact": CONTACT}
TOLD: dict[str, Any] = {"jenis": "jalan", "uraian": "Jalan berlubang besar di depan pasar.", "kecamatan": "Candi"}
NAMED: dict[str, Any] = {"nama": "Siti Nur Aminah", "hp": "081234567890"}


async def complain(channel: Client, identity: str, contact: str = CONTACT, **more: Any) -> dict[str, Any]:
    draft = await channel.open("keluhan", contact)
    answers = {**TOLD, "identitas": identity, **(NAMED if identity != "anonim" else {}), **more}
    for field, value in answers.items():
        status, body = await channel.answer(draft, field, value)
        assert status == 200, body
    status, filing = await channel("POST", f"/drafts/{draft}/submit")
    assert status == 201, filing
    return dict(filing)


async def finish(officer: Client, number: str) -> None:
    for to in ("DIPROSES", "SELESAI"):
        status, body = await officer.move(number, to, "lubang sudah ditambal")
        assert status == 200, body


async def confirm(
    channel: Client, number: str, resolved: Any, message: str = "k1", **more: Any
) -> tuple[int, dict[str, Any]]:
    body = {"message_id": message, "resolved": resolved, **more}
    return await channel("POST", f"/filings/{number}/confirmations", json=body, headers=OWNER)


async def test_forms_are_no_services_but_can_be_asked_for(channel: Client) -> None:
    _, body = await channel("GET", "/services")
    assert "keluhan" not in [service["id"] for service in body["services"]]
    status, form = await channel("GET", "/services/keluhan")
    assert (status, form["mode"], form["office_names"]) == (200, "pengaduan", ["Dinas Uji"])
    nama = next(field for field in form["fields"] if field["id"] == "nama")
    assert nama["only_if"] == {"identitas": ["terbuka", "rahasia"]}
    draft = await channel.open("keluhan")
    _, body = await channel("GET", f"/drafts?contact={CONTACT}")
    assert [found["id"] for found in body["drafts"]] == [draft]


@pytest.mark.parametrize(("kind", "office"), [("jalan", "Dinas Uji"), ("air", "Perusahaan Air Uji")])
async def test_the_kind_says_which_office(channel: Client, kind: str, office: str) -> None:
    filing = await complain(channel, "anonim", jenis=kind)
    assert filing["office"] == office


async def test_what_is_asked_depends_on_what_was_chosen(channel: Client) -> None:
    draft = await channel.open("keluhan")
    _, body = await channel("GET", f"/drafts/{draft}")
    assert [item["id"] for item in body["items"]] == [
        "jenis", "uraian", "kecamatan", "desa", "lokasi", "identitas", "foto",
    ]  # fmt: skip
    assert (await channel.answer(draft, "nama", "Siti"))[0] == 422
    assert (await channel.send(draft, "bukti", photo()))[0] == 422
    _, body = await channel.answer(draft, "jenis", "pungli")
    assert body["items"][-1]["id"] == "bukti"
    assert "bukti" in body["missing"]
    await channel.send(draft, "bukti", photo())
    for field, value in {"identitas": "rahasia", **NAMED}.items():
        _, body = await channel.answer(draft, field, value)
    assert body["answers"]["hp"] == "+6281234567890"
    _, body = await channel.answer(draft, "identitas", "anonim")
    assert set(body["answers"]) == {"jenis", "identitas"}, "a name that isn't wanted isn't kept"
    _, body = await channel.answer(draft, "jenis", "jalan")
    assert body["documents"] == {}, "nor a document"


@pytest.mark.parametrize(
    ("identity", "to_contact", "to_office"),
    [("terbuka", "Siti A.", "Siti A."), ("rahasia", "Siti A.", "dirahasiakan"), ("anonim", "anonim", "dirahasiakan")],
)
async def test_who_complains_is_told_as_wished(
    channel: Client, officer: Client, identity: str, to_contact: str, to_office: str
) -> None:
    filing = await complain(channel, identity)
    assert (filing["mode"], filing["confirmed"], filing["office"]) == ("pengaduan", False, "Dinas Uji")
    assert filing["applicant"] == {"name": to_contact, "nik": None}
    number = filing["number"]
    for path in (f"/filings/{number}", "/filings"):
        _, body = await officer("GET", path)
        shown = body if "number" in body else body["filings"][0]
        assert shown["applicant"] == {"name": to_office, "nik": None}
    _, body = await officer.move(number, "DIPROSES")
    assert body["applicant"]["name"] == to_office
    _, dossier = await officer("GET", f"/filings/{number}/dossier?reveal=hp")
    hidden = identity != "terbuka"
    assert ("Nur Aminah" in str(dossier), "81234567" in str(dossier)) == (not hidden, not hidden)
    assert dossier["contact"] == (None if hidden else CONTACT)
    _, listed = await officer("GET", f"/filings?contact={CONTACT}")
    assert len(listed["filings"]) == (0 if hidden else 1), "nor is it found by who made it"
    assert len((await channel("GET", f"/filings?contact={CONTACT}"))[1]["filings"]) == 1


async def test_nobody_else_can_prove_an_anonymous_complaint_theirs(channel: Client) -> None:
    number = (await complain(channel, "anonim"))["number"]
    for proof in ("7890", "0000", "None"):
        headers = {"Praja-Contact": "other", "Praja-Proof": proof}
        assert (await channel("GET", f"/filings/{number}", headers=headers))[0] in (403, 422)


async def test_two_complaints_at_a_time_are_no_duplicates(channel: Client) -> None:
    numbers = {(await complain(channel, identity))["number"] for identity in ("terbuka", "terbuka", "anonim")}
    assert len(numbers) == 3


async def test_it_counts_as_settled_when_the_citizen_says_so(channel: Client, officer: Client, bot: Bot) -> None:
    number = (await complain(channel, "rahasia"))["number"]
    assert (await confirm(channel, number, True))[0] == 409
    await finish(officer, number)
    await bot.events(3)
    first = await confirm(channel, number, True, "k2", note="terima kasih")
    assert (first[0], first[1]["state"], first[1]["confirmed"]) == (200, "SELESAI", True)
    assert first[1]["chronology"][-1]["note"] == "Pelapor menyatakan sudah beres: terima kasih"
    assert await confirm(channel, number, False, "k2") == first
    assert (await confirm(channel, number, False, "k3"))[0] == 409
    number = (await complain(channel, "terbuka"))["number"]
    assert [event["number"] for event in await bot.events(4)].count(number) == 1, "the bot isn't told what it said"


async def test_it_is_worked_on_again_when_it_is_not(channel: Client, officer: Client) -> None:
    number = (await complain(channel, "terbuka"))["number"]
    await finish(officer, number)
    status, body = await confirm(channel, number, False, note="lubangnya masih ada")
    assert (status, body["number"], body["state"], body["confirmed"]) == (200, number, "DIPROSES", False)
    assert body["chronology"][-1]["note"] == "Pelapor menyatakan belum beres: lubangnya masih ada"
    assert (await officer.move(number, "SELESAI", "ditambal lagi"))[0] == 200
    assert (await confirm(channel, number, True, "k2"))[1]["confirmed"] is True


async def test_silence_for_ten_days_settles_it(
    channel: Client, officer: Client, settings: BackendSettings, clock: Clock
) -> None:
    numbers = [(await complain(channel, "anonim"))["number"] for _ in range(2)]
    await finish(officer, numbers[0])
    workspace = make_workspace(settings, clock)
    clock.advance(days=9, hours=23)
    await confirm_silent(workspace)
    assert (await officer("GET", f"/filings/{numbers[0]}"))[1]["confirmed"] is False
    clock.advance(hours=1)
    for _ in range(2):
        await confirm_silent(workspace)
    await workspace.engine.dispose()
    _, body = await officer("GET", f"/filings/{numbers[0]}")
    assert (body["confirmed"], [entry["state"] for entry in body["chronology"]]) == (
        True,
        ["MENUNGGU", "DIPROSES", "SELESAI", "SELESAI"],
    )
    assert (await officer("GET", f"/filings/{numbers[1]}"))[1]["confirmed"] is False
    assert (await confirm(channel, numbers[0], False))[0] == 409


async def test_only_complaints_and_only_the_own_are_confirmed(channel: Client, officer: Client) -> None:
    filing = await channel.file()
    for to in ("DIPROSES", "DISETUJUI", "SELESAI"):
        await officer.move(filing["number"], to)
    status, body = await confirm(channel, filing["number"], True)
    assert (status, body["type"]) == (409, "not-a-complaint")
    assert "confirmed" not in filing
    number = (await complain(channel, "terbuka", contact="other"))["number"]
    assert (await confirm(channel, number, True))[0] == 403
    assert (await confirm(channel, filing["number"], "mungkin", "k9"))[0] == 422


async def test_a_question_is_filed_and_answered(channel: Client, officer: Client, bot: Bot) -> None:
    draft = await channel.open("konsultasi")
    await channel.answer(draft, "nama", "Budi Santoso")
    await channel.answer(draft, "pertanyaan", "Bolehkah sisa dana desa dipakai? " * 20)
    status, filing = await channel("POST", f"/drafts/{draft}/submit")
    assert (status, filing["mode"], filing["applicant"]) == (201, "staf", {"name": "Budi S.", "nik": None})
    await officer.move(filing["number"], "DIPROSES")
    assert (await officer.move(filing["number"], "SELESAI", None))[0] == 422, "the note is the answer"
    status, body = await officer.move(filing["number"], "SELESAI", "Boleh, dengan perubahan APBDes.")
    assert (status, body["state"]) == (200, "SELESAI")
    assert (await bot.events(3))[-1]["note"] == "Boleh, dengan perubahan APBDes."


async def test_an_answer_may_be_as_long_as_its_field_says(channel: Client) -> None:
    draft = await channel.open("keluhan")
    assert (await channel.answer(draft, "uraian", "x" * 800))[0] == 200
    for text, hint in (("x" * 801, "800 huruf"), ("pendek", "paling sedikit 10")):
        status, body = await channel.answer(draft, "uraian", text)
        assert (status, hint in body["detail"]) == (422, True)
