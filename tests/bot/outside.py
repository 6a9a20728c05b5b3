"""The room as a process, used from outside: its HTTP, and the database looked at."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import hmac
import io
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import aiohttp
from aiohttp import web
from aiohttp.test_utils import TestServer
from sqlalchemy import text

from bot.notices import INBOX, OUTBOX, UNADDRESSED
from bot.server import ALL_ROLES, BotSettings, Role, running
from bot.store import Store
from tests.bot.fakes import Clock

__all__ = ["APP_SECRET", "BACKEND_SECRET", "Bot", "backend_on_loopback", "bot_running", "signed"]

APP_SECRET = "rahasia-uji"
BACKEND_SECRET = "rahasia-backend"


@dataclass
class Bot:
    url: str
    settings: BotSettings
    http: aiohttp.ClientSession
    store: Store
    clock: Clock

    async def say(self, sender: str = "hp-1", **content: Any) -> list[dict[str, Any]]:
        raw = io.BytesIO(json.dumps({"sender": sender, **content}).encode())
        async with self.http.post(f"{self.url}/simulator/messages", data=raw) as response:
            assert response.status == 200, await response.text()
            replies: list[dict[str, Any]] = (await response.json())["replies"]
            return replies

    async def later(self, sender: str = "hp-1", after: int = 0) -> list[dict[str, Any]]:
        query = {"sender": sender, "after": str(after)}
        async with self.http.get(f"{self.url}/simulator/messages", params=query) as response:
            replies: list[dict[str, Any]] = (await response.json())["replies"]
            return replies

    async def until_later(self, after: int) -> list[dict[str, Any]]:
        """What comes of itself after a message."""
        await self.until(lambda: self.later(after=after))
        return await self.later(after=after)

    async def until(self, holds: Callable[[], Awaitable[Any] | Any], seconds: float = 60) -> None:
        async with asyncio.timeout(seconds):
            while True:
                found = holds()
                if await found if isinstance(found, Awaitable) else found:
                    return
                await asyncio.sleep(0.02)

    async def idle(self) -> bool:
        """Everything has been dealt with, and what was to be sent has left."""
        unanswered = await self.value("SELECT count(*) FROM bot.inbox WHERE answered_at IS NULL")
        queued = await self.value("SELECT count(*) FROM bot.outbox WHERE state = 'queued'")
        return bool(unanswered == 0 and queued == 0)

    async def post(self, path: str, raw: bytes, **headers: str) -> int:
        async with self.http.post(f"{self.url}{path}", data=io.BytesIO(raw), headers=headers) as response:
            return response.status

    async def post_whatsapp(self, body: object) -> int:
        """As Meta does: with `\\uXXXX` for every non-ASCII letter, and signed."""
        return await self.post_signed(json.dumps(body).encode())

    async def post_signed(self, raw: bytes) -> int:
        return await self.post("/webhooks/whatsapp", raw, **{"X-Hub-Signature-256": signed(raw, APP_SECRET)})

    async def value(self, query: str) -> Any:
        async with self.store.single.connect() as connection:
            return await connection.scalar(text(query))

    async def rows(self, query: str) -> list[tuple[Any, ...]]:
        async with self.store.single.connect() as connection:
            return [tuple(row) for row in await connection.execute(text(query))]

    async def change(self, statement: str) -> None:
        async with self.store.single.connect() as connection:
            await connection.execute(text(statement))

    async def metrics(self) -> str:
        async with self.http.get(f"{self.url}/metrics") as response:
            return await response.text()

    async def pass_time(self, by: timedelta) -> None:
        """Later, and whoever waits looks again."""
        self.clock.advance(by)
        for channel, payload in ((INBOX, ""), (INBOX, UNADDRESSED), (OUTBOX, "")):
            await self.value(f"SELECT pg_notify('{channel}', '{payload}')::text")

    async def announce(self, **change: Any) -> int:
        """What the backend posts when a filing has moved on."""
        contact = await self.value("SELECT id FROM bot.conversations ORDER BY created_at LIMIT 1")
        body = {"event_id": "e1", "number": "SDA-2611-7K4QXB", "service": "ktp_hilang", "state": "DIPROSES"}
        raw = json.dumps({**body, "note": None, "fix": [], "at": "…", "contact": str(contact), **change}).encode()
        return await self.post("/webhooks/backend", raw, **{"X-Praja-Signature": signed(raw, BACKEND_SECRET)})


def signed(raw: bytes, secret: str) -> str:
    return "sha256=" + hmac.new(secret.encode(), raw, hashlib.sha256).hexdigest()


@contextlib.asynccontextmanager
async def backend_on_loopback(documents: dict[str, bytes]) -> AsyncIterator[str]:
    """Gives documents to whoever holds its token, and is well, as the actions are."""

    async def give(request: web.Request) -> web.Response:
        allowed = request.headers.get("Authorization") == "Bearer token-backend"
        return web.Response(body=documents[request.path], status=200 if allowed else 401)

    async def alive(request: web.Request) -> web.Response:
        return web.Response(text="ok")

    app = web.Application()
    app.add_routes([web.get("/healthz", alive), web.get("/health", alive), web.get("/{document}", give)])
    async with TestServer(app) as server:
        yield str(server.make_url("")).rstrip("/")


@contextlib.asynccontextmanager
async def bot_running(
    settings: BotSettings, roles: Collection[Role] = ALL_ROLES, *, rasa_timeout: float = 20.0
) -> AsyncIterator[Bot]:
    clock = Clock()
    store = Store.open(settings.database_url, settings.secret_key)
    async with (
        running(settings, roles, clock=clock, rasa_timeout=rasa_timeout),
        aiohttp.ClientSession() as http,
    ):
        yield Bot(f"http://127.0.0.1:{settings.port}", settings, http, store, clock)
    await store.engine.dispose()
