"""Marks are given by the owner, of what has ended, for a week, and don't say whose they are."""

from __future__ import annotations

from typing import Any

import pytest

from backend.retention import tidy
from backend.server import BackendSettings, make_workspace
from tests.backend.conftest import CONTACT, Client, Clock
from tests.backend.tables import everything_kept
from tests.backend.test_people import finished
from tests.backend.test_transitions import OWNER, bring


async def give(channel: Client, number: str, scores: Any, headers: Any = OWNER, **more: Any) -> tuple[int, Any]:
    body = {"message_id": "s1", "scores": scores, **more}
    return await channel("PUT", f"/filings/{number}/survey", json=body, headers=headers)


async def total(officer: Client, query: str = "") -> Any:
    return (await officer("GET", f"/satisfaction{query}"))[1]["total"]


async def test_marks_are_kept_and_may_be_changed_for_a_week(channel: Client, officer: Client, clock: Clock) -> None:
    number = await finished(channel, officer)
    assert (await give(channel, number, {"waktu": 2, "biaya": 4}))[0] == 204
    clock.advance(days=6)
    assert (await give(channel, number, {"waktu": 4}))[0] == 204
    marks = await total(officer)
    assert (marks["respondents"], marks["index"]) == (1, 100.0)
    assert marks["elements"]["waktu"] == {"n": 1, "average": 4.0}
    assert marks["elements"]["biaya"] == {"n": 0, "average": None}
    clock.advance(days=1)
    status, body = await give(channel, number, {"waktu": 1})
    assert (status, body["type"]) == (409, "too-late")


async def test_after_the_week_nothing_leads_back(
    channel: Client, officer: Client, clock: Clock, settings: BackendSettings
) -> None:
    number = await finished(channel, officer)
    await give(channel, number, {"waktu": 3}, suggestion="lebih cepat")
    workspace = make_workspace(settings, clock)
    index = workspace.seal.index(number)
    assert index in everything_kept(settings)
    clock.advance(days=7)
    await tidy(workspace)
    await workspace.engine.dispose()
    assert index not in everything_kept(settings)
    assert (await give(channel, number, {"waktu": 1}))[0] == 409
    assert (await total(officer))["respondents"] == 1


@pytest.mark.parametrize("state", ["MENUNGGU", "DIPROSES", "PERLU_PERBAIKAN", "DISETUJUI", "DIBATALKAN", "DITOLAK"])
async def test_only_what_was_decided_is_marked(channel: Client, officer: Client, state: str) -> None:
    number = await bring(channel, officer, state)
    assert (await give(channel, number, {"waktu": 3}))[0] == (204 if state == "DITOLAK" else 409)


async def test_only_the_owner_marks(channel: Client, officer: Client) -> None:
    number = await finished(channel, officer)
    proof = {"Praja-Contact": "other", "Praja-Proof": "9999"}
    assert (await give(channel, number, {"waktu": 1}, headers=proof))[0] == 403
    assert (await give(officer, number, {"waktu": 1}))[0] == 403
    assert (await total(officer))["index"] is None


@pytest.mark.parametrize(
    "scores",
    [{}, {"waktu": 0}, {"waktu": 5}, {"waktu": "4"}, {"waktu": True}, {"waktu": 3.5}, {"harga": 3}, [], None],
)
async def test_odd_marks_are_refused(channel: Client, officer: Client, scores: Any) -> None:
    number = await finished(channel, officer)
    assert (await give(channel, number, scores))[0] == 422


async def test_suggestions_reach_the_office_without_numbers(
    channel: Client, officer: Client, settings: BackendSettings
) -> None:
    number = await finished(channel, officer)
    words = "Petugasnya ramah. Hubungi 081234567890"
    assert (await give(channel, number, {}, suggestion=words))[0] == 204
    _, body = await officer("GET", "/satisfaction")
    (suggestion,) = body["suggestions"]
    assert (suggestion["service"], suggestion["month"]) == ("surat_uji", "2026-11")
    assert suggestion["text"].startswith("Petugasnya ramah.")
    assert "081234567890" not in suggestion["text"]
    assert (body["total"]["respondents"], body["total"]["index"]) == (1, None)
    assert CONTACT not in str(body)
