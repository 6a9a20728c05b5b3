"""The fakes of WhatsApp's Graph API and Telegram's Bot API as programs beside a stack, and a stack's settings for them."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import httpx

from praja.ports import free_ports

APP_SECRET = "rahasia-aplikasi-uji"
PHONE_NUMBER_ID = "1090000000001"
TELEGRAM_TOKEN = "123456:uji"
WEBHOOK_SECRET = "rahasia_webhook_uji"
_ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Providers:
    """Where each answers."""

    whatsapp: str
    telegram: str

    @property
    def settings(self) -> Mapping[str, str]:
        return {
            "PRAJA_WHATSAPP_TOKEN": "token-uji",
            "PRAJA_WHATSAPP_PHONE_NUMBER_ID": PHONE_NUMBER_ID,
            "PRAJA_WHATSAPP_APP_SECRET": APP_SECRET,
            "PRAJA_WHATSAPP_VERIFY_TOKEN": "verifikasi-uji",
            "PRAJA_WHATSAPP_API_URL": self.whatsapp,
            "PRAJA_TELEGRAM_TOKEN": TELEGRAM_TOKEN,
            "PRAJA_TELEGRAM_API_URL": self.telegram,
            "PRAJA_TELEGRAM_WEBHOOK_SECRET": WEBHOOK_SECRET,
        }


@contextlib.contextmanager
def providers(bot: str) -> Iterator[Providers]:
    """Both, telling the bot at `bot` what the citizens do."""
    whatsapp_port, telegram_port = free_ports(2)
    signed = ("--app-secret", APP_SECRET, "--phone-number-id", PHONE_NUMBER_ID)
    with (
        _program("tests.fakes.whatsapp", whatsapp_port, "--webhook", f"{bot}/webhooks/whatsapp", *signed) as whatsapp,
        _program("tests.fakes.telegram", telegram_port, "--token", TELEGRAM_TOKEN) as telegram,
    ):
        yield Providers(whatsapp, telegram)


@contextlib.contextmanager
def _program(module: str, port: int, *options: str) -> Iterator[str]:
    process = subprocess.Popen([sys.executable, "-m", module, "--port", str(port), *options], cwd=_ROOT)
    url = f"http://127.0.0.1:{port}"
    try:
        for _ in range(200):
            with contextlib.suppress(httpx.HTTPError):
                httpx.get(f"{url}/_control/messages")
                break
            time.sleep(0.1)
        yield url
    finally:
        process.terminate()
        process.wait()
