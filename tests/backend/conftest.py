"""A backend with a small catalogue of its own, a clock that stands, and a bot that takes notes."""

from __future__ import annotations

import asyncio
import functools
import io
import json
import random
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from PIL import Image
from psycopg import sql

from backend.server import BackendSettings, create_app
from backend.tables import metadata
from tests.backend.contract import check_answer
from tests.fakes.tables import empty_tables, make_tables

CATALOGUE = Path(__file__).with_name("catalogue")
CONTACT = "8c1b1a52-9d1e-4a3e-8f55-0d1f6f1a0001"
NIK = "3515085708909999"
ANSWERS: dict[str, Any] = {
    "nik": NIK,
    "nama": "Siti Nur Aminah",
    "hp": "0812 3456 7890",
    "kecamatan": "candi",
    "desa": "Sepande",
}


class Clock:
    """Stands at a Tuesday morning of Sidoarjo until it is moved."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 24, 2, 30, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **span: float) -> None:
        self.now += timedelta(**span)


@dataclass
class Bot:
    """Receives events as the bot does; answers with the first of `answers`, then 200."""

    requests: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)
    url: str = ""
    _more: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def take(self, request: web.Request) -> web.Response:
        async with self._more:
            self.requests.append((dict(request.headers), await request.read()))
            self._more.notify_all()
        return web.Response(status=self.answers.pop(0) if self.answers else 200)

    async def events(self, count: int, kind: str | None = None) -> list[dict[str, Any]]:
        """Waits for the `count`-th request, of that kind; gives the bodies of all."""
        async with asyncio.timeout(20), self._more:
            await self._more.wait_for(lambda: len(self._told(kind)) >= count)
        return self._told(kind)

    def _told(self, kind: str | None) -> list[dict[str, Any]]:
        events = [json.loads(body) for _, body in self.requests]
        return [event for event in events if kind is None or event.get("kind") == kind]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def bot() -> AsyncIterator[Bot]:
    bot = Bot()
    app = web.Application()
    app.router.add_post("/webhooks/backend", bot.take)
    async with TestServer(app) as server:
        bot.url = str(server.make_url("/webhooks/backend"))
        yield bot


@pytest.fixture(scope="session")
def backend_tables(postgres_server: str) -> str:
    return make_tables(postgres_server, metadata)


@pytest.fixture
def database(backend_tables: str) -> str:
    """Its address; empty."""
    empty_tables(backend_tables, metadata)
    return backend_tables


@pytest.fixture
def settings(database: str, tmp_path: Path, bot: Bot) -> BackendSettings:
    return BackendSettings(
        database_url=database,
        home=tmp_path,
        data=CATALOGUE,
        secret_key="a secret of the tests",
        token="channel-token",
        officer_token="officer-token",
        webhook_url=bot.url,
        webhook_secret="webhook-secret",
        host="127.0.0.1",
        port=0,
    )


async def failed_attempts(settings: BackendSettings, clock: Clock, table: str) -> None:
    """Until nothing is claimed (for twenty seconds) any more: then what was refused is due after its pause."""
    claimed = "SELECT count(*) FROM backend.{} WHERE delivered_at IS NULL AND next_attempt_at = %s"
    async with asyncio.timeout(20), await psycopg.AsyncConnection.connect(settings.database_url) as connection:
        await connection.set_autocommit(True)
        while True:
            query = sql.SQL(claimed).format(sql.Identifier(table))  # type: ignore[arg-type]
            found = await connection.execute(query, (clock() + timedelta(seconds=20),))
            row = await found.fetchone()
            if row == (0,):
                return
            await asyncio.sleep(0.02)


class Client:
    """Speaks the API with one token; gives status and body."""

    def __init__(self, client: TestClient[Any, Any], token: str) -> None:
        self._client = client
        self._token = token

    async def __call__(self, method: str, path: str, **request: Any) -> tuple[int, Any]:
        headers = {"Authorization": f"Bearer {self._token}", **request.pop("headers", {})}
        if isinstance(request.get("data"), bytes):
            request["data"] = io.BytesIO(request["data"])
        async with self._client.request(method, "/api/v1" + path, headers=headers, **request) as response:
            is_json = "json" in response.content_type
            body = await response.json(content_type=None) if is_json else await response.read()
            check_answer(method, path.split("?", maxsplit=1)[0], response.status, response.content_type, body)
            return response.status, body

    async def open(self, service: str = "surat_uji", contact: str = CONTACT) -> str:
        status, draft = await self(
            "POST", "/drafts", json={"service": service, "contact": contact, "channel": "telegram"}
        )
        assert status == 201, draft
        return str(draft["id"])

    async def answer(self, draft: str, field: str, value: Any, message: str | None = None) -> tuple[int, Any]:
        body = {"message_id": message or f"m-{field}-{random.random()}", "field": field, "value": value}
        return await self("PATCH", f"/drafts/{draft}", json=body)

    async def send(self, draft: str, document: str, content: bytes, message: str | None = None) -> tuple[int, Any]:
        headers = {"Praja-Message-Id": message or f"m-{document}-{random.random()}"}
        return await self("PUT", f"/drafts/{draft}/documents/{document}", data=content, headers=headers)

    async def fill(self, draft: str, **changes: Any) -> None:
        for field_id, value in {**ANSWERS, **changes}.items():
            status, body = await self.answer(draft, field_id, value)
            assert status == 200, body
        status, body = await self.send(draft, "kk", photo())
        assert status == 200, body

    async def file(self, contact: str = CONTACT, **changes: Any) -> dict[str, Any]:
        draft = await self.open(contact=contact)
        await self.fill(draft, **changes)
        status, filing = await self("POST", f"/drafts/{draft}/submit")
        assert status == 201, filing
        return dict(filing)

    async def move(self, number: str, to: str, note: str | None = "diperiksa", **more: Any) -> tuple[int, Any]:
        body = {"to": to, "note": note, "officer": "petugas-1", **more}
        return await self("POST", f"/filings/{number}/transitions", json=body)


@pytest.fixture
async def http(settings: BackendSettings, clock: Clock) -> AsyncIterator[TestClient[Any, Any]]:
    async with TestClient(TestServer(create_app(settings, clock))) as client:
        yield client


@pytest.fixture
def channel(http: TestClient[Any, Any]) -> Client:
    return Client(http, "channel-token")


@pytest.fixture
def officer(http: TestClient[Any, Any]) -> Client:
    return Client(http, "officer-token")


def photo(kind: str = "JPEG", size: tuple[int, int] = (640, 480), **save: Any) -> bytes:
    """A picture with some detail, so that it doesn't compress to nothing."""
    file = io.BytesIO()
    _detailed(size).save(file, kind, **save)
    return file.getvalue()


@functools.cache
def _detailed(size: tuple[int, int]) -> Image.Image:
    tile = Image.frombytes("RGB", (32, 32), random.Random(7).randbytes(32 * 32 * 3))
    return tile.resize(size, Image.Resampling.NEAREST)
