"""Consent is proved, and can be taken back."""

from __future__ import annotations

from typing import Any

import pytest

from backend.server import BackendSettings
from tests.backend.conftest import CONTACT, Client, Clock
from tests.backend.tables import everything_kept

PERSON = f"/people/{CONTACT}"


def consent(**changes: Any) -> dict[str, Any]:
    return {"contact": CONTACT, "version": "2026-11", "channel": "telegram", "message_id": "m1", **changes}


async def test_it_is_kept_once_a_message(channel: Client, clock: Clock, settings: BackendSettings) -> None:
    proof = {"at": "2026-11-24T09:30:00+07:00", "version": "2026-11"}
    assert await channel("POST", "/consents", json=consent()) == (201, proof)
    clock.advance(hours=1)
    assert await channel("POST", "/consents", json=consent()) == (200, proof)
    assert (await channel("GET", PERSON))[1]["consent"] == proof
    assert (await channel("GET", "/people/other"))[1]["consent"] is None
    assert CONTACT not in everything_kept(settings)


async def test_a_newer_version_counts(channel: Client, clock: Clock) -> None:
    await channel("POST", "/consents", json=consent())
    clock.advance(days=1)
    assert (await channel("POST", "/consents", json=consent(version="2027-01", message_id="m2")))[0] == 201
    assert (await channel("GET", PERSON))[1]["consent"]["version"] == "2027-01"


async def test_taken_back_its_proof_stays(channel: Client, clock: Clock, settings: BackendSettings) -> None:
    await channel("POST", "/consents", json=consent())
    clock.advance(days=1)
    for _ in range(2):
        assert (await channel("DELETE", f"/consents/{CONTACT}", json={"message_id": "m2"}))[0] == 204
        clock.advance(hours=1)
    assert (await channel("GET", PERSON))[1]["consent"] is None
    _, document = await channel("GET", f"{PERSON}/export")
    assert [proof["dicabut"] for proof in document["persetujuan"]] == ["2026-11-25T09:30:00+07:00"]
    assert (await channel("POST", "/consents", json=consent(message_id="m3")))[0] == 201
    assert (await channel("GET", PERSON))[1]["consent"] is not None


@pytest.mark.parametrize("missing", ["contact", "version", "channel", "message_id"])
async def test_it_is_whole_or_refused(channel: Client, missing: str) -> None:
    body = {name: value for name, value in consent().items() if name != missing}
    assert (await channel("POST", "/consents", json=body))[0] == 422
