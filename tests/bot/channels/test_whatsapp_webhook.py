"""Is it Meta: the handshake, and the signature over the bytes as they came."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.channels.whatsapp import verify_handshake, verify_signature
from tests.fakes.whatsapp import FakeWhatsApp

_SECRET = "rahasia-uji"
_ESCAPED = b'{"text":{"body":"Pak, tolong \\ud83d\\ude4f caf\\u00e9 a\\/b"}}'


def _sign(raw: bytes, secret: str = _SECRET) -> str:
    return "sha256=" + hmac.new(secret.encode(), raw, hashlib.sha256).hexdigest()


def test_signature_is_over_the_bytes_with_their_escapes() -> None:
    written_again = json.dumps(json.loads(_ESCAPED), ensure_ascii=False, separators=(",", ":")).encode()
    assert verify_signature(_ESCAPED, _sign(_ESCAPED), _SECRET)
    assert not verify_signature(written_again, _sign(_ESCAPED), _SECRET)


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "sha256=",
        _sign(_ESCAPED, "lain"),
        _sign(_ESCAPED).removeprefix("sha256="),
        "sha1=abc",
        "sha256=é\ud800",
    ],
)
def test_wrong_or_missing_signature(header: str | None) -> None:
    assert not verify_signature(_ESCAPED, header, _SECRET)


def test_an_empty_secret_verifies_nothing() -> None:
    assert not verify_signature(_ESCAPED, _sign(_ESCAPED, ""), "")


_HANDSHAKE = {"hub.mode": "subscribe", "hub.challenge": "1158201444", "hub.verify_token": "verifikasi-uji"}


def test_handshake_gives_the_challenge_back() -> None:
    assert verify_handshake(_HANDSHAKE, "verifikasi-uji") == "1158201444"


@pytest.mark.parametrize(
    "query", [{}, _HANDSHAKE | {"hub.verify_token": "salah"}, _HANDSHAKE | {"hub.mode": "unsubscribe"}]
)
def test_handshake_of_somebody_else(query: dict[str, str]) -> None:
    assert verify_handshake(query, "verifikasi-uji") is None
    assert verify_handshake({**_HANDSHAKE, "hub.verify_token": ""}, "") is None


class Receiver:
    """The bot's webhook address: verifies, then answers with `statuses` one after another, at last 200."""

    def __init__(self) -> None:
        self.raw: list[bytes] = []
        self.statuses: list[int] = []

    async def post(self, request: web.Request) -> web.Response:
        raw = await request.read()
        assert verify_signature(raw, request.headers.get("X-Hub-Signature-256"), _SECRET)
        self.raw.append(raw)
        return web.Response(status=self.statuses.pop(0) if self.statuses else 200)

    async def get(self, request: web.Request) -> web.Response:
        challenge = verify_handshake(request.query, "verifikasi-uji")
        return web.Response(text=challenge) if challenge else web.Response(status=403)


@pytest.fixture
async def receiver() -> Receiver:
    return Receiver()


@pytest.fixture
async def meta(receiver: Receiver) -> AsyncIterator[FakeWhatsApp]:
    app = web.Application(client_max_size=4 * 1024 * 1024)
    app.add_routes([web.post("/webhooks/whatsapp", receiver.post), web.get("/webhooks/whatsapp", receiver.get)])
    async with (
        TestServer(app) as server,
        FakeWhatsApp(webhook=str(server.make_url("/webhooks/whatsapp")), app_secret=_SECRET, retry_pause=0.01) as fake,
    ):
        yield fake


async def test_the_fake_signs_what_it_sends_as_meta_does(meta: FakeWhatsApp, receiver: Receiver) -> None:
    await meta.say("Pak, tolong 🙏")
    assert b"\\ud83d\\ude4f" in receiver.raw[0]
    assert await meta.verify_webhook()


async def test_the_fake_repeats_until_it_is_answered(meta: FakeWhatsApp, receiver: Receiver) -> None:
    receiver.statuses = [500, 503]
    await meta.say("halo")
    assert len(receiver.raw) == 3
    assert len(set(receiver.raw)) == 1


async def test_three_megabytes_arrive(meta: FakeWhatsApp, receiver: Receiver) -> None:
    assert await meta.send_raw({"entry": [], "filler": "x" * 3_000_000}) == 200
    assert len(receiver.raw[0]) > 3_000_000
