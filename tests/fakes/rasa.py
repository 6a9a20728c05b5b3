"""Rasa's channel of ours, on loopback: `POST /webhooks/praja/turn` and `/forget` as `docs/rooms.md` has it.

Like the real one it gives the same answer to the same `(conversation, message_id)`, and counts two turns of one
conversation that overlap, which must never happen.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from tests.fakes.served import Served

__all__ = ["TOKEN", "FakeRasa", "reply"]

TOKEN = "token-rasa"
Body = dict[str, Any]


def reply(*texts: str, choices: list[tuple[str, str]] | None = None, **more: Any) -> Body:
    """A 200's body; the choices belong to the last text."""
    replies: list[Body] = [{"text": text, "choices": []} for text in texts]
    if choices:
        replies[-1]["choices"] = [{"id": choice, "title": title} for choice, title in choices]
    return {"replies": replies, "frame": None, "model": "model-uji", "handoff": None, **more}


class FakeRasa(Served):
    """Set `answer` to say what is answered, and `trouble` to what goes wrong until it is None again."""

    def __init__(self) -> None:
        self.turns: list[Body] = []
        """each turn that was really done"""
        self.forgotten: list[Body] = []
        """what was asked to be forgotten"""
        self.forgetting: Callable[[], Awaitable[None]] | None = None
        """what happens meanwhile"""
        self.refusals = 0
        """how often it didn't"""
        self.requests = 0
        self.asked = asyncio.Event()
        """set by the first request"""
        self.answer: Callable[[Body], Body] = _echo
        self.meanwhile: Callable[[], Awaitable[None]] | None = None
        """what happens during the next turn"""
        self.trouble: int | str | None = None
        """a status, or one of `empty`, `malformed`, `slow` (done, but answered late)"""
        self.delay = 0.0
        self.loaded = True
        """whether there is a model"""
        self.overlaps = 0
        self.most_at_once = 0
        self._closing = asyncio.Event()
        self._known: dict[tuple[str, str], Body] = {}
        self._running: Counter[str] = Counter()
        app = web.Application()
        app.add_routes([web.post("/webhooks/praja/turn", self._turn), web.post("/webhooks/praja/forget", self._forget)])
        app.add_routes([web.get("/status", self._status)])
        app.on_shutdown.append(self._shut)
        super().__init__(app)

    def texts(self) -> list[str]:
        return [turn["text"] for turn in self.turns if "text" in turn]

    async def _shut(self, app: web.Application) -> None:
        """Let go of the turns that are slow, else the server waits for them."""
        self._closing.set()

    async def _status(self, request: web.Request) -> web.Response:
        if request.query.get("token") != TOKEN:
            return web.json_response({"reason": "NotAuthenticated"}, status=401)
        if not self.loaded:
            return web.json_response({"reason": "Conflict"}, status=409)
        return web.json_response({"model_file": "model-uji", "num_active_training_jobs": 0})

    async def _turn(self, request: web.Request) -> web.Response:
        self.requests += 1
        self.asked.set()
        if request.headers.get("Authorization") != f"Bearer {TOKEN}":
            return web.json_response({"error": "wrong token"}, status=401)
        body: Body = await request.json()
        conversation = body["conversation"]
        self._running[conversation] += 1
        self.overlaps += self._running[conversation] > 1
        self.most_at_once = max(self.most_at_once, self._running.total())
        try:
            return await self._answer(body)
        finally:
            self._running[conversation] -= 1

    async def _forget(self, request: web.Request) -> web.Response:
        if request.headers.get("Authorization") != f"Bearer {TOKEN}":
            return web.json_response({"error": "wrong token"}, status=401)
        if self.trouble is not None:
            self.refusals += 1
            return web.json_response({"error": "trouble"}, status=503)
        if self.forgetting is not None:
            await self.forgetting()
        self.forgotten.append(await request.json())
        return web.Response(status=204)

    async def _answer(self, body: Body) -> web.Response:
        trouble = self.trouble
        if isinstance(trouble, int):
            return web.json_response({"error": "trouble"}, status=trouble)
        if trouble == "empty":
            return web.json_response({"replies": [], "frame": None, "model": None, "handoff": None})
        if trouble == "malformed":
            return web.Response(text="<html>", content_type="text/html")
        await self._pass(self.delay)
        if (meanwhile := self.meanwhile) is not None:
            self.meanwhile = None
            await meanwhile()
        key = body["conversation"], body["message_id"]
        if key not in self._known:
            self.turns.append(body)
            self._known[key] = self.answer(body)
        if trouble == "slow":
            await self._pass(5)
        return web.json_response(self._known[key])

    async def _pass(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._closing.wait()


def _echo(body: Body) -> Body:
    said = body.get("text") or body.get("file", {}).get("caption")
    frame = said and {
        "intent": "salam",
        "confidence": 0.9,
        "service": None,
        "service_confidence": None,
        "entities": [],
    }
    return reply(f"Jawaban: {said or sorted(body)}", frame=frame)
