"""Every address of the bot with odd parts, bodies and forms, from those who hold its secrets: never an error of ours."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from typing import Any

import pytest
from aiohttp import FormData

from bot.server import BotSettings
from tests.bot.outside import APP_SECRET, BACKEND_SECRET, Bot, bot_running, signed
from tests.console.test_odd_requests import ODD
from tests.fakes.backend import TOKEN as BACKEND_TOKEN
from tests.fakes.backend import FakeBackend
from tests.fakes.rasa import TOKEN, FakeRasa

ODD_PARTS = [part.encode(errors="replace").decode() for part in ODD]
ODD_VALUES: list[Any] = [*ODD, None, True, -1, 10**400, 1e308, [], {}, [[]], {"a": {"b": None}}]
NAMES = (
    *("kind", "conversation", "subject", "draft", "document", "name", "pages", "number", "service"),
    *("event_id", "contact", "state", "note", "fix", "due_on", "at", "sender", "text"),
    *("choice", "title", "file", "content_type", "data", "location", "lat", "lon", "own"),
    *("phone", "entry", "changes", "field", "value", "metadata", "phone_number_id", "messages", "statuses"),
    *("id", "from", "type", "timestamp"),
)


def _body(chance: random.Random, depth: int = 3) -> Any:
    if depth == 0 or chance.random() < 0.3:
        return chance.choice(ODD_VALUES)
    if chance.random() < 0.2:
        return [_body(chance, depth - 1) for _ in range(chance.randrange(3))]
    return {chance.choice(NAMES): _body(chance, depth - 1) for _ in range(chance.randrange(6))}


def _raw(chance: random.Random, usual: dict[str, Any]) -> bytes:
    """Mostly the usual with something odd in its place: what is odd all through is refused at the first look."""
    if chance.random() < 0.1:
        return chance.randbytes(50)
    odd = {name: _body(chance) for name in chance.sample(sorted(usual), chance.randrange(len(usual) + 1))}
    return json.dumps({**usual, **odd} if chance.random() < 0.8 else _body(chance)).encode()


@pytest.mark.parametrize("seed", [1, pytest.param(None, marks=pytest.mark.verify)])
async def test_no_request_is_an_error_of_ours(settings: BotSettings, rasa: FakeRasa, seed: int | None) -> None:
    chance, rounds = random.Random(seed or 2), 15 if seed else 400
    async with FakeBackend() as district:
        backend = {"backend_url": district.url, "backend_token": BACKEND_TOKEN, "actions_url": district.url}
        async with bot_running(replace(settings, telegram=None, **backend)) as bot:
            await bot.say(text="halo")
            contact = str(await bot.value("SELECT id FROM bot.conversations"))
            links = [await _link(bot, contact, kind, subject) for kind, subject in _LINKS]
            for _ in range(rounds):
                for method, path, more in _requests(chance, contact, links):
                    status = await _ask(bot, method, path, more)
                    # The backend on paper doesn't give everything: that is told as its trouble.
                    assert status < 500 or status == 503, (method, path, more)
            await bot.until(bot.idle, 60)


_LINKS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("unggah", {"draft": "d", "document": "kk", "name": "KK", "pages": 2}),
    ("penilaian", {"number": "SDA-2611-7K4QXB", "service": "ktp_hilang"}),
    ("data", {}),
)


async def _link(bot: Bot, contact: str, kind: str, subject: dict[str, Any]) -> str:
    body = {"kind": kind, "conversation": contact, "subject": subject}
    headers = {"Authorization": f"Bearer {TOKEN}"}
    async with bot.http.post(f"{bot.url}/internal/links", json=body, headers=headers) as answer:
        assert answer.status == 201
        url: str = (await answer.json())["url"]
        return url.removeprefix(bot.url)


def _requests(chance: random.Random, contact: str, links: list[str]) -> list[tuple[str, str, dict[str, Any]]]:
    part, query = chance.choice(ODD_PARTS), {"sender": chance.choice(ODD_PARTS), "after": chance.choice(ODD_PARTS)}
    bearer = {"Authorization": f"Bearer {TOKEN}"}
    wish = _raw(chance, {"kind": chance.choice(_LINKS)[0], "conversation": contact, "subject": _LINKS[0][1]})
    told = _raw(
        chance, {"event_id": "e", "contact": contact, "service": "ktp_hilang", "number": "n", "state": "DIPROSES"}
    )
    metadata = {"phone_number_id": "100000000000001"}
    message = {"from": "6281234500001", "id": "wamid.1", "timestamp": "1796000000", "type": "text"}
    changed = {
        "field": "messages",
        "value": {"metadata": metadata, "messages": [json.loads(_readable(chance, message))]},
    }
    update = json.dumps({"entry": [{"id": "1", "changes": [changed]}]}).encode()
    said = _raw(chance, {"sender": "hp-odd", chance.choice(("file", "location", "contact", "choice", "x")): 1})
    return [
        ("GET", "/simulator/messages", {"params": query}),
        ("GET", f"/simulator/files/{chance.randrange(10**9)}", {"params": query}),
        ("POST", "/simulator/messages", {"data": said}),
        ("POST", "/internal/links", {"data": wish, "headers": bearer}),
        ("POST", f"/internal/people/{part or 'x'}/erasure", {"headers": bearer}),
        ("GET", f"/internal/files/{part or 'x'}", {"headers": bearer}),
        ("POST", "/webhooks/backend", {"data": told, "headers": {"X-Praja-Signature": signed(told, BACKEND_SECRET)}}),
        (
            "POST",
            "/webhooks/whatsapp",
            {"data": update, "headers": {"X-Hub-Signature-256": signed(update, APP_SECRET)}},
        ),
        ("GET", "/webhooks/whatsapp", {"params": {"hub.mode": "subscribe", "hub.verify_token": part}}),
        ("GET", chance.choice(links), {}),
        ("POST", chance.choice(links), {"data": _form(chance)}),
        ("POST", f"/{chance.choice(_LINKS)[0]}/x{chance.randrange(99)}", {"data": chance.randbytes(30)}),
    ]


def _readable(chance: random.Random, usual: dict[str, Any]) -> bytes:
    while True:
        raw = _raw(chance, usual)
        try:
            json.loads(raw)
        except ValueError:
            continue
        return raw


def _form(chance: random.Random) -> FormData:
    form = FormData()
    for name in chance.sample(["u1", "u5", "u9", "saran", "nilai", "berkas", "x"], 4):
        form.add_field(name, chance.choice(ODD_PARTS))
    form.add_field("berkas", chance.randbytes(30), filename=chance.choice(("a.jpg", "../ä.pdf", "")))
    return form


async def _ask(bot: Bot, method: str, path: str, more: dict[str, Any]) -> int:
    async with bot.http.request(method, f"{bot.url}{path}", allow_redirects=False, **more) as answer:
        await answer.read()
        return answer.status
