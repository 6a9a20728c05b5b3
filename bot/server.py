"""The room as a process: HTTP, workers and senders, each alone or together."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
from collections.abc import AsyncIterator, Collection, Coroutine, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import quote

import aiohttp
from aiohttp import web
from sqlalchemy.exc import SQLAlchemyError

from bot.channel import Channel, Update
from bot.channels.simulator import Simulator
from bot.channels.telegram import Telegram, TelegramSettings
from bot.channels.whatsapp import WhatsApp, WhatsAppSettings
from bot.documents import Documents
from bot.fault import fault
from bot.health import Health
from bot.http import Doors, create_app
from bot.inbox import receive
from bot.lease import free_leases_of_the_dead
from bot.metrics import Metrics
from bot.notices import Notices
from bot.rasa import Rasa
from bot.sender import Sender
from bot.simulator import SimulatorPages
from bot.store import Clock, Store, utc_now
from bot.texts import Texts
from bot.turn import Turns
from bot.worker import Worker

__all__ = ["BotSettings", "Role", "running", "serve"]

Role = Literal["http", "worker", "sender"]
ALL_ROLES: frozenset[Role] = frozenset({"http", "worker", "sender"})
_logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class BotSettings:
    database_url: str
    secret_key: str
    data: Path
    host: str
    port: int
    production: bool
    rasa_urls: Sequence[str]
    rasa_token: str
    backend_url: str
    backend_webhook_secret: str
    actions_url: str
    whatsapp: WhatsAppSettings | None = None
    telegram: TelegramSettings | None = None
    backend_token: str = ""
    """to fetch the documents that are sent to citizens"""
    internal_url: str = ""
    """where Rasa and the actions reach this process; host and port when they run on this machine"""


async def serve(settings: BotSettings, roles: Collection[Role] = ALL_ROLES) -> None:
    """Run until SIGTERM or SIGINT, then finish what is under way."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with running(settings, roles):
        await stop.wait()


@contextlib.asynccontextmanager
async def running(
    settings: BotSettings, roles: Collection[Role] = ALL_ROLES, *, clock: Clock = utc_now, rasa_timeout: float = 20.0
) -> AsyncIterator[None]:
    """The room's parts are up within the block. Raises TextsUnfit, and OSError when the port is taken."""
    texts = Texts(settings.data)
    store = Store.open(settings.database_url, settings.secret_key, clock)
    notices, metrics = Notices(settings.database_url), Metrics()
    async with contextlib.AsyncExitStack() as stack:
        stack.push_async_callback(store.engine.dispose)
        # Rasa and the providers are asked by as many tasks as there are; each has its own limit.
        session = await stack.enter_async_context(aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)))
        await stack.enter_async_context(_background(notices.run()))
        documents = Documents(session, settings.backend_url, settings.backend_token)
        channels = await _channels(settings, session, stack)
        await _take_over(store)
        if "sender" in roles:
            for channel in channels.values():
                sender = Sender(store, channel, documents, notices, metrics)
                await stack.enter_async_context(_until_stopped(sender))
        if "worker" in roles:
            rasa = Rasa(session, settings.rasa_urls, settings.rasa_token, timeout=rasa_timeout)
            turns = Turns(store, channels, rasa, texts, settings.internal_url or _address(settings))
            stack.push_async_callback(turns.close)
            await stack.enter_async_context(_until_stopped(Worker(store, channels, turns, texts, notices, metrics)))
        if "http" in roles:
            parts = {
                # It answers 409 while no model is loaded, and its root 200.
                "rasa": [
                    f"{url.rstrip('/')}/status?token={quote(settings.rasa_token, safe='')}"
                    for url in settings.rasa_urls
                ],
                "actions": [f"{settings.actions_url.rstrip('/')}/health"],
                "backend": [f"{settings.backend_url.rstrip('/')}/healthz"],
            }
            doors = Doors(
                store=store,
                texts=texts,
                metrics=metrics,
                health=Health(store, session, parts),
                channels=channels,
                whatsapp=settings.whatsapp,
                telegram=settings.telegram,
                simulator=None if settings.production else SimulatorPages(store, notices, documents),
                rasa_token=settings.rasa_token,
                backend_webhook_secret=settings.backend_webhook_secret,
            )
            await stack.enter_async_context(_listening(create_app(doors), settings))
            await stack.enter_async_context(_polling(store, channels.get("telegram"), settings))
        yield


async def _channels(
    settings: BotSettings, session: aiohttp.ClientSession, stack: contextlib.AsyncExitStack
) -> dict[str, Channel]:
    channels: list[Channel] = []
    if settings.whatsapp is not None:
        channels.append(WhatsApp(settings.whatsapp, session))
    if settings.telegram is not None:
        telegram = Telegram(settings.telegram)
        stack.push_async_callback(telegram.close)
        channels.append(telegram)
    if not settings.production:
        channels.append(Simulator())
    return {channel.name: channel for channel in channels}


@contextlib.asynccontextmanager
async def _background(work: Coroutine[None, None, None]) -> AsyncIterator[None]:
    """Runs beside the block and is cancelled at its end."""
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


@contextlib.asynccontextmanager
async def _until_stopped(part: Worker | Sender) -> AsyncIterator[None]:
    """Runs beside the block; at its end it takes on nothing new and finishes."""
    task = asyncio.create_task(part.run())
    try:
        yield
    finally:
        part.stop()
        await task


@contextlib.asynccontextmanager
async def _listening(app: web.Application, settings: BotSettings) -> AsyncIterator[None]:
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=5)
    await runner.setup()
    try:
        await web.TCPSite(runner, settings.host, settings.port).start()
        yield
    finally:
        await runner.cleanup()


@contextlib.asynccontextmanager
async def _polling(store: Store, channel: Channel | None, settings: BotSettings) -> AsyncIterator[None]:
    """Telegram either calls us or is asked by us."""
    if not isinstance(channel, Telegram) or settings.telegram is None:
        yield
        return
    if settings.telegram.mode == "webhook":
        await channel.register_webhook()
        yield
        return

    async def store_batch(updates: list[Update]) -> None:
        await receive(store, Telegram.name, updates)

    async with _background(channel.poll(store_batch)):
        yield


async def _take_over(store: Store) -> None:
    try:
        await free_leases_of_the_dead(store)
    except (SQLAlchemyError, OSError) as error:
        # The database may come up after us; then the leases run out by themselves.
        _logger.warning("the database doesn't answer yet: %s", fault(error))


def _address(settings: BotSettings) -> str:
    host = "127.0.0.1" if settings.host in ("0.0.0.0", "::") else settings.host  # noqa: S104
    return f"http://{host}:{settings.port}"
