"""A NIK, a date of birth and a sex of the same person agree."""

from __future__ import annotations

from typing import Any

import pytest

from tests.backend.conftest import NIK, Client

OLD_OR_YOUNG = "3515081708210001"
"""born on 17 August of 1921 or 2021"""


async def answer_all(channel: Client, answers: dict[str, str]) -> tuple[int, dict[str, Any]]:
    """The answer to the last one; the others fit."""
    draft = await channel.open("sk_lahir")
    *first, last = answers.items()
    for field, value in first:
        assert (await channel.answer(draft, field, value))[0] == 200
    return await channel.answer(draft, *last)


@pytest.mark.parametrize(
    "answers",
    [
        {"nik": NIK, "jenis_kelamin": "perempuan", "lahir": "1990-08-17"},
        {"lahir": "1990-08-17", "jenis_kelamin": "perempuan", "nik": NIK},
        {"nik": NIK, "lahir_anak": "2026-01-01"},
        {"lahir": "1921-08-17", "nik": OLD_OR_YOUNG},
        {"lahir": "2021-08-17", "nik": OLD_OR_YOUNG},
    ],
)
async def test_what_agrees_is_kept(channel: Client, answers: dict[str, str]) -> None:
    status, body = await answer_all(channel, answers)
    assert (status, body["answers"]) == (200, answers)


@pytest.mark.parametrize(
    ("answers", "hints"),
    [
        ({"nik": NIK, "lahir": "1991-08-17"}, ("17 Agustus 1991", "17 Agustus 1990")),
        ({"lahir": "1990-08-18", "nik": NIK}, ("18 Agustus 1990", "17 Agustus 1990")),
        ({"nik": NIK, "jenis_kelamin": "laki_laki"}, ("laki-laki", "perempuan")),
        ({"jenis_kelamin": "laki_laki", "nik": NIK}, ("laki-laki", "perempuan")),
    ],
)
async def test_what_contradicts_is_told_with_both(
    channel: Client, answers: dict[str, str], hints: tuple[str, str]
) -> None:
    status, body = await answer_all(channel, answers)
    assert (status, body["field"]) == (422, list(answers)[-1])
    assert all(hint in body["detail"] for hint in (*hints, "NIK"))
    assert NIK not in body["detail"]


async def test_family_members_are_shown_masked(channel: Client, officer: Client) -> None:
    draft = await channel.open("sk_lahir")
    written = f"siti {NIK}\nbudi 3515081708909999"
    for field, value in {"nik": NIK, "nama": "Siti Aminah", "anggota": written}.items():
        _, body = await channel.answer(draft, field, value)
    assert body["answers"]["anggota"] == f"siti {NIK}; budi 3515081708909999"
    status, body = await channel.answer(draft, "anggota", f"siti {NIK}, budi")
    assert (status, "NIK untuk budi" in body["detail"]) == (422, True)
    _, filing = await channel("POST", f"/drafts/{draft}/submit")
    _, dossier = await officer("GET", f"/filings/{filing['number']}/dossier")
    shown = next(answer for answer in dossier["answers"] if answer["field"] == "anggota")
    assert (shown["value"], shown["masked"]) == ("siti 3515••••••••9999; budi 3515••••••••9999", True)


async def test_a_power_of_attorney_may_be_due_of_family_too(channel: Client) -> None:
    body = {"service": "sk_lahir", "contact": "helper", "channel": "telegram", "on_behalf_of": "wakil"}
    _, draft = await channel("POST", "/drafts", json=body)
    _, draft = await channel.answer(draft["id"], "wakil_hubungan", "keluarga")
    assert "surat_kuasa" in draft["missing"]
