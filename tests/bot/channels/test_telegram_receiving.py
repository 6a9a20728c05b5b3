"""Long polling and the webhook: nothing is forgotten by Telegram before it is stored here."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.channel import Update
from bot.channels.telegram import Telegram, TelegramSettings, verify_secret
from tests.fakes.telegram import FakeTelegram


class Inbox:
    """Stores batches, or fails as a database that is down."""

    def __init__(self, bot_api: FakeTelegram) -> None:
        self._bot_api = bot_api
        self.stored: list[str] = []
        self.failures = 0
        self.kept_meanwhile: list[int] = []

    async def receive(self, updates: list[Update]) -> None:
        self.kept_meanwhile.append(len(self._bot_api.pending))
        if self.failures:
            self.failures -= 1
            raise ConnectionError("NIK 3515085708909999 could not be stored")
        self.stored += [update.external_id for update in updates]


class Sleeper:
    def __init__(self) -> None:
        self.pauses: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.pauses.append(seconds)
        await asyncio.sleep(0)


@pytest.fixture
def inbox(bot_api: FakeTelegram) -> Inbox:
    return Inbox(bot_api)


@pytest.fixture
def sleeper() -> Sleeper:
    return Sleeper()


@pytest.fixture
async def poller(bot_api: FakeTelegram, sleeper: Sleeper) -> AsyncIterator[Telegram]:
    channel = Telegram(TelegramSettings(bot_api.token, api_url=bot_api.url), sleep=sleeper)
    yield channel
    await channel.close()


@pytest.fixture
async def polling(poller: Telegram, inbox: Inbox) -> AsyncIterator[asyncio.Task[None]]:
    task = asyncio.create_task(poller.poll(inbox.receive))
    yield task
    assert not task.done()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


@pytest.mark.usefixtures("polling")
async def test_updates_arrive_in_order(bot_api: FakeTelegram, inbox: Inbox) -> None:
    sent = [str(await bot_api.say(f"pesan {number}")) for number in range(5)]
    await bot_api.wait_confirmed()
    assert inbox.stored == sent
    assert all(kept > 0 for kept in inbox.kept_meanwhile)


@pytest.mark.usefixtures("polling")
async def test_the_offset_moves_only_after_storing(bot_api: FakeTelegram, inbox: Inbox, sleeper: Sleeper) -> None:
    inbox.failures = 3
    sent = str(await bot_api.say("jangan hilang"))
    await bot_api.wait_confirmed()
    assert inbox.stored == [sent]
    assert inbox.kept_meanwhile == [1, 1, 1, 1]
    assert sleeper.pauses == [1, 2, 4]


@pytest.mark.usefixtures("polling")
async def test_an_update_nobody_can_read_is_stored_too(bot_api: FakeTelegram, inbox: Inbox) -> None:
    await bot_api.send_raw({"update_id": 1, "message": {"message_id": 1, "poll": {"question": 5}}})
    await bot_api.say("halo")
    await bot_api.wait_confirmed()
    assert len(inbox.stored) == 2


async def test_trouble_is_survived_and_logged_without_secrets(
    bot_api: FakeTelegram, inbox: Inbox, poller: Telegram, sleeper: Sleeper, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    bot_api.fail(502, "Bad Gateway", times=7, method="getUpdates")
    inbox.failures = 1
    sent = str(await bot_api.say("halo"))
    task = asyncio.create_task(poller.poll(inbox.receive))
    await bot_api.wait_confirmed()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert inbox.stored == [sent]
    assert sleeper.pauses == [1, 2, 4, 8, 16, 32, 60, 60]
    logged = "\n".join(record.getMessage() for record in caplog.records if record.name != "aiohttp.access")
    assert "ConnectionError" in logged
    assert bot_api.token not in logged
    assert "3515085708909999" not in logged


async def test_polling_takes_an_old_webhook_away(bot_api: FakeTelegram, inbox: Inbox, poller: Telegram) -> None:
    bot_api.webhook = "http://127.0.0.1:9/lama"
    task = asyncio.create_task(poller.poll(inbox.receive))
    await bot_api.say("halo")
    await bot_api.wait_confirmed()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert bot_api.webhook == ""
    assert len(inbox.stored) == 1
    assert bot_api.allowed == ["message", "edited_message", "callback_query", "my_chat_member"]


class Receiver:
    """The bot's webhook address: answers with `statuses` one after another, at last 200."""

    def __init__(self) -> None:
        self.ids: list[int] = []
        self.statuses: list[int] = []

    async def post(self, request: web.Request) -> web.Response:
        assert verify_secret(request.headers.get("X-Telegram-Bot-Api-Secret-Token"), "rahasia_uji")
        self.ids.append((await request.json())["update_id"])
        return web.Response(status=self.statuses.pop(0) if self.statuses else 200)


async def test_webhook(bot_api: FakeTelegram) -> None:
    receiver = Receiver()
    receiver.statuses = [500, 200, 503]
    app = web.Application()
    app.router.add_post("/webhooks/telegram", receiver.post)
    async with TestServer(app) as server:
        settings = TelegramSettings(
            bot_api.token,
            api_url=bot_api.url,
            mode="webhook",
            webhook_secret="rahasia_uji",
            webhook_url=str(server.make_url("/webhooks/telegram")),
        )
        channel = Telegram(settings)
        bot_api.allowed = ["poll"]
        await channel.register_webhook()
        first, second = await bot_api.say("satu"), await bot_api.say("dua")
        await bot_api.wait_confirmed()
        await channel.close()
    assert receiver.ids == [first, first, second, second]


async def test_a_webhook_is_asked_for_until_telegram_takes_it(bot_api: FakeTelegram, sleeper: Sleeper) -> None:
    settings = TelegramSettings(bot_api.token, api_url=bot_api.url, mode="webhook", webhook_url="http://127.0.0.1:9/w")
    channel = Telegram(settings, sleep=sleeper)
    bot_api.fail(502, "Bad Gateway", times=3, method="setWebhook")
    await channel.register_webhook()
    assert (bot_api.webhook, sleeper.pauses) == ("http://127.0.0.1:9/w", [1, 2, 4])
    await channel.close()


async def test_polling_goes_on_where_a_webhook_can_not_be_taken_away(
    bot_api: FakeTelegram, inbox: Inbox, poller: Telegram
) -> None:
    bot_api.fail(404, "Not Found", times=100, method="deleteWebhook")
    task = asyncio.create_task(poller.poll(inbox.receive))
    await bot_api.say("halo")
    await bot_api.wait_confirmed()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert len(inbox.stored) == 1
