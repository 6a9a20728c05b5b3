from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import aiohttp
import pytest

from bot.channels.telegram import Telegram, TelegramSettings
from bot.channels.whatsapp import WhatsApp, WhatsAppSettings
from tests.fakes.telegram import FakeTelegram
from tests.fakes.whatsapp import FakeWhatsApp


class Clock:
    def __init__(self) -> None:
        self.now = datetime(2026, 11, 24, 6, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def advance(self, by: timedelta) -> None:
        self.now += by


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def graph(clock: Clock) -> AsyncIterator[FakeWhatsApp]:
    async with FakeWhatsApp(clock=clock, statuses=()) as fake:
        yield fake


@pytest.fixture
async def whatsapp(graph: FakeWhatsApp) -> AsyncIterator[WhatsApp]:
    settings = WhatsAppSettings(
        graph.token, graph.phone_number_id, graph.app_secret, graph.verify_token, api_url=graph.url
    )
    async with aiohttp.ClientSession() as session:
        yield WhatsApp(settings, session)


@pytest.fixture
async def bot_api(clock: Clock) -> AsyncIterator[FakeTelegram]:
    async with FakeTelegram(clock=clock) as fake:
        yield fake


@pytest.fixture
async def telegram(bot_api: FakeTelegram) -> AsyncIterator[Telegram]:
    channel = Telegram(TelegramSettings(bot_api.token, api_url=bot_api.url))
    yield channel
    await channel.close()
