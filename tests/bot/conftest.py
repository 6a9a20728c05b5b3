"""The room on a database of its own, with a channel on paper and a Rasa on loopback."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from sqlalchemy import Row, text

from bot.channel import Update
from bot.channels.telegram import TelegramSettings
from bot.channels.whatsapp import WhatsAppSettings
from bot.desk.agencies import Agencies
from bot.desk.own import OwnDesk
from bot.desk.port import Desk
from bot.desk.reasons import Reasons
from bot.desk.room import DeskRoom, DeskRules
from bot.desk.standard import read_standard
from bot.documents import Documents
from bot.inbox import receive
from bot.metrics import Metrics
from bot.notices import Notices
from bot.rasa import Rasa
from bot.sender import Sender
from bot.server import BotSettings
from bot.store import Store
from bot.tables import metadata
from bot.texts import Texts
from bot.turn import Turns
from bot.worker import Worker
from praja.ports import free_ports
from tests.bot.fakes import Clock, PaperChannel
from tests.bot.outside import APP_SECRET, BACKEND_SECRET, Bot, backend_on_loopback, bot_running
from tests.fakes.rasa import TOKEN, FakeRasa
from tests.fakes.tables import empty_tables, make_tables
from tests.fakes.telegram import FakeTelegram
from tests.fakes.whatsapp import FakeWhatsApp

DATA = Path(__file__).parents[2] / "data"
POLL = 0.03
AGENCIES = Agencies(DATA)
STANDARD = read_standard(DATA)
BACKEND = "http://127.0.0.1:9"
TEMPLATE = ("kabar_permohonan", "id")


class Room:
    """The parts of the room, wired by hand, so that a test may run more or fewer of them."""

    def __init__(self, url: str, session: aiohttp.ClientSession, rasa_url: str) -> None:
        self.url = url
        self.session = session
        self.clock = Clock()
        self.store = Store.open(url, "kunci-uji", self.clock)
        self.texts = Texts(DATA)
        self.metrics = Metrics()
        self.notices = Notices(url)
        self.channel = PaperChannel()
        self.templates: dict[str, tuple[str, str]] = {}
        self.documents = Documents(session, BACKEND, "")
        self.rasa = Rasa(session, [rasa_url], TOKEN, timeout=20)

    def desk(self, desk: Desk | None = None, **rules: Any) -> DeskRoom:
        return DeskRoom(
            store=self.store,
            texts=self.texts,
            agencies=AGENCIES,
            standard=STANDARD,
            channels={self.channel.name: self.channel},
            templates=self.templates,
            notices=self.notices,
            desk=desk or OwnDesk(),
            rules=DeskRules(**rules),
        )

    def worker(self, desk: DeskRoom | None = None, **more: Any) -> Worker:
        desk = desk or self.desk()
        turns = Turns(self.store, desk.channels, self.rasa, self.texts, "http://127.0.0.1:1", desk.agencies.returning)
        return Worker(desk, turns, Reasons(self.store, DATA), self.notices, self.metrics, **{"poll": POLL, **more})

    def sender(self, **more: Any) -> Sender:
        return Sender(self.store, self.channel, self.documents, self.notices, self.metrics, **{"poll": POLL, **more})

    async def receive(self, *updates: Update) -> None:
        await receive(self.store, self.channel.name, updates)

    async def rows(self, query: str, **values: Any) -> list[Row[Any]]:
        async with self.store.single.connect() as connection:
            result = await connection.execute(text(query), values)
            return list(result.all()) if result.returns_rows else []

    async def value(self, query: str, **values: Any) -> Any:
        return (await self.rows(query, **values))[0][0]

    @contextlib.asynccontextmanager
    async def at_work(self, *parts: Worker | Sender) -> AsyncIterator[None]:
        """Workers and senders, by default one of each, run within the block and finish at its end."""
        parts = parts or (self.worker(), self.sender())
        tasks = [asyncio.create_task(part.run()) for part in parts]
        try:
            yield
        finally:
            for part in parts:
                part.stop()
            await asyncio.gather(*tasks)

    @contextlib.asynccontextmanager
    async def beside(self, work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
        """It runs within the block and is cancelled at its end."""
        task = asyncio.create_task(work)
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def idle_after(self, pause: timedelta) -> None:
        """Let `pause` go by, and again, until nothing is left to do: a refusal is written down a moment after it came."""

        async def idle_by_then() -> bool:
            self.clock.advance(pause)
            await asyncio.sleep(0.1)
            return await self.idle()

        await self.until(idle_by_then)

    async def until(self, holds: Callable[[], Awaitable[bool] | bool], seconds: float = 20) -> None:
        async with asyncio.timeout(seconds):
            while True:
                found = holds()
                if found if isinstance(found, bool) else await found:
                    return
                await asyncio.sleep(0.01)

    async def idle(self) -> bool:
        """Everything that can be dealt with now has been, and what was to be sent has left."""
        unanswered = await self.value("SELECT count(*) FROM bot.inbox WHERE answered_at IS NULL")
        queued = await self.value("SELECT count(*) FROM bot.outbox WHERE state = 'queued'")
        return bool(unanswered == 0 and queued == 0)

    async def work_off(self) -> None:
        async with self.at_work():
            await self.until(self.idle)


@pytest.fixture(scope="session")
def bot_tables(postgres_server: str) -> str:
    return make_tables(postgres_server, metadata)


@pytest.fixture
def bot_database(bot_tables: str) -> str:
    """Its address; empty."""
    empty_tables(bot_tables, metadata)
    return bot_tables


@pytest.fixture
async def rasa() -> AsyncIterator[FakeRasa]:
    async with FakeRasa() as fake:
        yield fake


@pytest.fixture
async def room(bot_database: str, rasa: FakeRasa) -> AsyncIterator[Room]:
    async with aiohttp.ClientSession() as session:
        room = Room(bot_database, session, rasa.url)
        listening = asyncio.create_task(room.notices.run())
        await room.notices.listening.wait()
        yield room
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)
        await room.store.engine.dispose()


@pytest.fixture
async def backend() -> AsyncIterator[str]:
    async with backend_on_loopback({"/hasil.pdf": b"%PDF hasil"}) as url:
        yield url


@pytest.fixture
def settings(bot_database: str, rasa: FakeRasa, backend: str) -> BotSettings:
    return BotSettings(
        database_url=bot_database,
        secret_key="kunci-uji",
        data=DATA,
        host="127.0.0.1",
        port=free_ports(1)[0],
        production=False,
        rasa_urls=[rasa.url],
        rasa_token=TOKEN,
        backend_url=backend,
        backend_token="token-backend",
        backend_webhook_secret=BACKEND_SECRET,
        actions_url=backend,
        whatsapp=WhatsAppSettings("t", "100000000000001", APP_SECRET, "kata-sandi", api_url="http://127.0.0.1:9"),
        telegram=TelegramSettings("1:t", api_url="http://127.0.0.1:9", webhook_secret="rahasia"),
    )


@pytest.fixture
async def bot(settings: BotSettings) -> AsyncIterator[Bot]:
    """Without anybody at the providers' end."""
    async with bot_running(replace(settings, telegram=None)) as bot:
        yield bot


@pytest.fixture
async def meta(settings: BotSettings) -> AsyncIterator[FakeWhatsApp]:
    """Meta, and the phones behind it; what is sent to them is delivered and not read."""
    webhook = f"http://127.0.0.1:{settings.port}/webhooks/whatsapp"
    async with FakeWhatsApp(webhook=webhook, app_secret=APP_SECRET, statuses=("sent", "delivered")) as fake:
        yield fake


@pytest.fixture
async def whatsapp_bot(settings: BotSettings, meta: FakeWhatsApp) -> AsyncIterator[Bot]:
    whatsapp = WhatsAppSettings(
        meta.token, meta.phone_number_id, APP_SECRET, meta.verify_token, api_url=meta.url, window_template=TEMPLATE
    )
    async with bot_running(replace(settings, telegram=None, whatsapp=whatsapp)) as bot:
        meta.clock = bot.clock
        yield bot


@pytest.fixture
async def bot_api() -> AsyncIterator[FakeTelegram]:
    async with FakeTelegram() as fake:
        yield fake


@pytest.fixture
async def telegram_bot(settings: BotSettings, bot_api: FakeTelegram) -> AsyncIterator[Bot]:
    channel = TelegramSettings(
        bot_api.token,
        api_url=bot_api.url,
        mode="webhook",
        webhook_secret="rahasia",
        webhook_url=f"http://127.0.0.1:{settings.port}/webhooks/telegram",
    )
    async with bot_running(replace(settings, telegram=channel, whatsapp=None)) as bot:
        yield bot
