"""How many bubbles a filing takes on WhatsApp, each of which is billed: a real filing against a provider that only counts."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import itertools
import json
import statistics
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import aiohttp
from aiohttp import web

from backend.catalogue import Catalogue, Mode, Service
from praja.rehearsal import NUMBER, Photograph, Rehearsal, Say, Tap, sheet

__all__ = ["AllowedBubbles", "BubbleMeter", "CountedFiling", "average_service"]

_SENDER = "6281234500099"
_APP_SECRET = "bench"  # noqa: S105  (of the meter itself)
_NUMBER_ID = "1000000001"
_VERSION = "v26.0"
_TURN = 60.0
"""seconds"""
_QUIET = 0.3
"""seconds without a further bubble that end a turn"""
_MOST_TURNS = 60


@dataclass(frozen=True)
class AllowedBubbles:
    in_a_filing: int = 25
    in_a_turn: int = 2


@dataclass(frozen=True)
class CountedFiling:
    service: str
    turns: Sequence[int]
    """bubbles of each"""

    @property
    def bubbles(self) -> int:
        return sum(self.turns)

    def line(self, allowed: AllowedBubbles) -> str:
        return (
            f"{f'gelembung WhatsApp, {self.service}':<42} {self.bubbles:>5} (paling banyak {allowed.in_a_filing}), "
            f"satu giliran {max(self.turns)} (paling banyak {allowed.in_a_turn})"
        )

    def fits(self, allowed: AllowedBubbles) -> bool:
        return self.bubbles <= allowed.in_a_filing and max(self.turns) <= allowed.in_a_turn


@dataclass(frozen=True)
class _Shown:
    """A bubble on the phone: text, and (id, title) of each choice."""

    text: str
    choices: Sequence[tuple[str, str]]
    kind: str = "button_reply"


class BubbleMeter:
    """Takes what the Graph API takes and shows it on one phone; use it as `async with`."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._shown: list[_Shown] = []
        self._media: dict[str, bytes] = {}
        self._ids = itertools.count(1)

    @property
    def settings(self) -> Mapping[str, str]:
        """What a stack is started with to send to this meter."""
        return {
            "PRAJA_WHATSAPP_TOKEN": "bench",
            "PRAJA_WHATSAPP_PHONE_NUMBER_ID": _NUMBER_ID,
            "PRAJA_WHATSAPP_APP_SECRET": _APP_SECRET,
            "PRAJA_WHATSAPP_VERIFY_TOKEN": "bench",
            "PRAJA_WHATSAPP_API_URL": f"http://127.0.0.1:{self._port}",
            "PRAJA_WHATSAPP_API_VERSION": _VERSION,
        }

    async def file(self, bot: str, catalogue: Catalogue, service: Service) -> CountedFiling:
        """From the first wish to the number, by a citizen who answers what is asked.

        Raises RuntimeError when that doesn't lead to a number, and Lost.
        """
        turns: list[int] = []
        rehearsal = Rehearsal.of(catalogue, [service])
        async with aiohttp.ClientSession() as session:
            heard = await self._turn(session, bot, _text(f"saya mau mengurus {service.name}"))
            turns.append(len(heard))
            for _ in range(_MOST_TURNS):
                text = "\n".join(bubble.text for bubble in heard)
                if NUMBER.search(text):
                    return CountedFiling(service.name, turns)
                titles = {title: (bubble, choice) for bubble in heard for choice, title in bubble.choices}
                match rehearsal.next(text, titles):
                    case Say(words):
                        message = _text(words)
                    case Tap(title):
                        message = _tap(*titles[title], title)
                    case Photograph(label):
                        message = self._photo(label)
                heard = await self._turn(session, bot, message)
                turns.append(len(heard))
        raise RuntimeError(f"pengajuan {service.name} tidak sampai ke nomor")

    async def _turn(self, session: aiohttp.ClientSession, bot: str, message: Mapping[str, Any]) -> list[_Shown]:
        before = len(self._shown)
        received = {
            "from": _SENDER,
            "id": f"wamid.{next(self._ids):08d}",
            "timestamp": str(int(time.time())),
            **message,
        }
        value = {
            "messaging_product": "whatsapp",
            "metadata": {"display_phone_number": "623100000000", "phone_number_id": _NUMBER_ID},
            "contacts": [{"profile": {"name": "Bench"}, "wa_id": _SENDER}],
            "messages": [received],
        }
        body = {"object": "whatsapp_business_account", "entry": [{"id": "1", "changes": [_change(value)]}]}
        raw = json.dumps(body).encode()
        signature = hmac.new(_APP_SECRET.encode(), raw, hashlib.sha256).hexdigest()
        headers = {"Content-Type": "application/json", "X-Hub-Signature-256": f"sha256={signature}"}
        async with session.post(f"{bot}/webhooks/whatsapp", data=raw, headers=headers) as response:
            response.raise_for_status()
        return await self._answer(before)

    async def _answer(self, before: int) -> list[_Shown]:
        """Raises RuntimeError when there is none."""
        deadline, seen, since = time.monotonic() + _TURN, before, time.monotonic()
        while time.monotonic() < deadline:
            if len(self._shown) > seen:
                seen, since = len(self._shown), time.monotonic()
            # The second bubble of a turn follows the first within the pace of the channel.
            elif seen > before and time.monotonic() - since > _QUIET + 1:
                return self._shown[before:]
            await asyncio.sleep(0.05)
        raise RuntimeError(f"tidak ada jawaban dalam {_TURN:.0f} detik")

    def _photo(self, label: str) -> Mapping[str, Any]:
        content = sheet(label)
        key = str(next(self._ids))
        self._media[key] = content
        return {"type": "image", "image": {"id": key, "mime_type": "image/jpeg", "sha256": ""}}

    # ---- the Graph API, as far as a filing needs it

    async def __aenter__(self) -> BubbleMeter:
        app = web.Application(client_max_size=20 * 1024 * 1024)
        app.add_routes(
            [
                web.post(f"/{_VERSION}/{_NUMBER_ID}/messages", self._take),
                web.get(f"/{_VERSION}/{{media}}", self._describe),
                web.get("/media/{media}", self._download),
            ]
        )
        self._runner = web.AppRunner(app)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self._port).start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()

    async def _take(self, request: web.Request) -> web.Response:
        payload = await request.json()
        if "type" in payload:
            self._shown.append(_bubble(payload))
        return web.json_response({"messages": [{"id": f"wamid.out{next(self._ids):08d}"}]})

    async def _describe(self, request: web.Request) -> web.Response:
        key = request.match_info["media"]
        if key not in self._media:  # the end of the token, which is asked for besides
            raise web.HTTPNotFound
        content = self._media[key]
        url = f"http://127.0.0.1:{self._port}/media/{key}"
        digest = hashlib.sha256(content).hexdigest()
        told = {"url": url, "mime_type": "image/jpeg", "sha256": digest, "file_size": len(content), "id": key}
        return web.json_response({"messaging_product": "whatsapp", **told})

    async def _download(self, request: web.Request) -> web.Response:
        return web.Response(body=self._media[request.match_info["media"]], content_type="image/jpeg")


def average_service(catalogue: Catalogue) -> Service:
    """The one in the middle by how much it asks for, of those that are filed."""
    filed = [service for service in catalogue.services.values() if service.mode is Mode.FILING]
    middle = statistics.median_low([_asked(service) for service in filed])
    return next(service for service in filed if _asked(service) == middle)


def _asked(service: Service) -> int:
    return len(service.fields) + len(service.documents)


def _bubble(payload: Mapping[str, Any]) -> _Shown:
    part = payload[payload["type"]]
    if payload["type"] != "interactive":
        return _Shown(str(part.get("body") or part.get("caption") or ""), ())
    action = part["action"]
    rows = [row for section in action.get("sections", ()) for row in section["rows"]]
    replies = [button["reply"] for button in action.get("buttons", ())] or rows
    kind = "button_reply" if part["type"] == "button" else "list_reply"
    return _Shown(str(part["body"]["text"]), [(reply["id"], reply["title"]) for reply in replies], kind)


def _text(words: str) -> Mapping[str, Any]:
    return {"type": "text", "text": {"body": words}}


def _tap(bubble: _Shown, choice: str, title: str) -> Mapping[str, Any]:
    return {"type": "interactive", "interactive": {"type": bubble.kind, bubble.kind: {"id": choice, "title": title}}}


def _change(value: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"field": "messages", "value": value}
