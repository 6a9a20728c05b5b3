"""The same filing through the providers' own wires, against fakes of the Graph API and the Bot API that run as programs."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from backend.catalogue import Catalogue
from tests.stack.citizen import CHANNELS, file_service, new_nik, new_phone, said
from tests.stack.running import Running, running_with_channels


@pytest.fixture(scope="module", params=["polling", "webhook"])
def connected(request: pytest.FixtureRequest) -> Iterator[Running]:
    """A stack with Telegram in each of its modes."""
    if request.param == "polling":
        yield request.getfixturevalue("stack")
    else:
        with running_with_channels(request.param) as stack:
            yield stack


@pytest.mark.parametrize("channel", [channel for channel in CHANNELS if channel != "simulator"])
def test_filing_and_status(connected: Running, catalogue: Catalogue, channel: str) -> None:
    phone = new_phone(connected, channel)
    number, _ = file_service(phone, catalogue.services["ktp_hilang"], nik=new_nik())
    assert number in said(phone.say("punya saya sampai mana?"))
    connected.transition(number, "DIPROSES", "sedang diperiksa")
    assert number in said(phone.later())


def test_wrong_signatures_store_nothing(connected: Running) -> None:
    phone = new_phone(connected, "whatsapp")
    for headers in ({}, {"X-Hub-Signature-256": "sha256=" + "0" * 64}):
        answer = httpx.post(f"{connected.url}/webhooks/whatsapp", content=b'{"entry": []}', headers=headers)
        assert answer.status_code in (401, 403)
    # While polling there is no such door at all.
    assert httpx.post(f"{connected.url}/webhooks/telegram", json={"update_id": 1}).status_code in (401, 403, 404)
    assert not phone.later(1)
