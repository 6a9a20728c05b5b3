"""The same filing through the providers' own wires, against fakes of the Graph API and the Bot API that run as programs."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import time
from collections.abc import Iterator

import httpx
import pytest

from backend.catalogue import Catalogue
from praja.bench import free_ports
from tests.fakes.whatsapp import FakeWhatsApp
from tests.stack.citizen import FakePhone, Heard, file_service
from tests.stack.running import (
    APP_SECRET,
    PHONE_NUMBER_ID,
    ROOT,
    TELEGRAM_TOKEN,
    WEBHOOK_SECRET,
    Running,
    running,
)

WHATSAPP_CITIZEN = "+6281234500001"
TELEGRAM_CITIZEN = 5001


def said(heard: list[Heard]) -> str:
    return "\n".join(bubble.text for bubble in heard)


@contextlib.contextmanager
def program(module: str, port: int, *options: str) -> Iterator[str]:
    process = subprocess.Popen([sys.executable, "-m", module, "--port", str(port), *options], cwd=ROOT)
    url = f"http://127.0.0.1:{port}"
    try:
        for _ in range(200):
            with contextlib.suppress(httpx.HTTPError):
                httpx.get(f"{url}/_control/messages")
                break
            time.sleep(0.05)
        yield url
    finally:
        process.terminate()
        process.wait()


@pytest.fixture(scope="module", params=["polling", "webhook"])
def channels(request: pytest.FixtureRequest) -> Iterator[tuple[Running, FakePhone, FakePhone]]:
    """A stack with both channels on, Telegram in each of its modes, and a phone on each."""
    whatsapp_port, telegram_port, bot_port = free_ports(3)
    bot = f"http://127.0.0.1:{bot_port}"
    options = (
        "--webhook",
        f"{bot}/webhooks/whatsapp",
        "--app-secret",
        APP_SECRET,
        "--phone-number-id",
        PHONE_NUMBER_ID,
    )
    with (
        program("tests.fakes.whatsapp", whatsapp_port, *options) as whatsapp,
        program("tests.fakes.telegram", telegram_port, "--token", TELEGRAM_TOKEN) as telegram,
        running(
            PRAJA_HTTP_PORT=str(bot_port),
            PRAJA_PUBLIC_URL=bot,
            PRAJA_WHATSAPP_TOKEN="token-uji",
            PRAJA_WHATSAPP_PHONE_NUMBER_ID=PHONE_NUMBER_ID,
            PRAJA_WHATSAPP_APP_SECRET=APP_SECRET,
            PRAJA_WHATSAPP_VERIFY_TOKEN="verifikasi-uji",
            PRAJA_WHATSAPP_API_URL=whatsapp,
            PRAJA_TELEGRAM_TOKEN=TELEGRAM_TOKEN,
            PRAJA_TELEGRAM_API_URL=telegram,
            PRAJA_TELEGRAM_MODE=request.param,
            PRAJA_TELEGRAM_WEBHOOK_SECRET=WEBHOOK_SECRET,
        ) as stack,
    ):
        citizen = FakePhone(whatsapp, stack.url, WHATSAPP_CITIZEN, alias=FakeWhatsApp.bsuid(WHATSAPP_CITIZEN))
        yield stack, citizen, FakePhone(telegram, stack.url, TELEGRAM_CITIZEN)


@pytest.mark.parametrize("channel", ["whatsapp", "telegram"])
def test_filing_and_status(channels: tuple[Running, FakePhone, FakePhone], catalogue: Catalogue, channel: str) -> None:
    stack, whatsapp, telegram = channels
    phone = whatsapp if channel == "whatsapp" else telegram
    number, _ = file_service(
        phone, catalogue.services["ktp_hilang"], nik=f"351508170890{1000 + len(stack.filings()):04d}"
    )
    assert number in said(phone.say("punya saya sampai mana?"))
    stack.transition(number, "DIPROSES", "sedang diperiksa")
    assert number in said(phone.later())


def test_wrong_signatures_store_nothing(channels: tuple[Running, FakePhone, FakePhone]) -> None:
    stack, whatsapp, _ = channels
    before = len(whatsapp.messages())
    for headers in ({}, {"X-Hub-Signature-256": "sha256=" + "0" * 64}):
        answer = httpx.post(f"{stack.url}/webhooks/whatsapp", content=b'{"entry": []}', headers=headers)
        assert answer.status_code in (401, 403)
    # While polling there is no such door at all.
    assert httpx.post(f"{stack.url}/webhooks/telegram", json={"update_id": 1}).status_code in (401, 403, 404)
    assert len(whatsapp.messages()) == before
