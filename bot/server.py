"""The room as a process: HTTP, workers and senders, each alone or together."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Literal
from urllib.parse import quote

import aiohttp
from aiohttp import web
from sqlalchemy.exc import SQLAlchemyError

from bot.backend import Backend
from bot.channel import Channel, Update
from bot.channels.simulator import Simulator
from bot.channels.telegram import Telegram, TelegramSettings
from bot.channels.whatsapp import WhatsApp, WhatsAppSettings
from bot.desk.agencies import Agencies
from bot.desk.chatwoot import ChatwootDesk, ChatwootDoor, ChatwootSettings
from bot.desk.chatwoot.client import Chatwoot
from bot.desk.keeper import Keeper
from bot.desk.own import OwnDesk
from bot.desk.reasons import Reasons
from bot.desk.room import DeskRoom, DeskRules
from bot.desk.standard import read_standard
from bot.documents import Documents
from bot.download import DownloadPage
from bot.erasure import Erasure
from bot.fault import fault
from bot.flood import FloodLimits
from bot.health import Health
from bot.http import Doors, create_app
from bot.inbox import receive
from bot.internal import InnerDoors
from bot.lasting import lasting
from bot.lease import free_leases_of_the_dead
from bot.metrics import Metrics
from bot.news import News
from bot.notices import Notices
from bot.notifications import Announcer
from bot.page import PagePrinter
from bot.page_texts import load_page_texts
from bot.patience import Patience
from bot.poller import Poller
from bot.rasa import Rasa
from bot.retention import Retention
from bot.sender import Sender
from bot.services import load_services
from bot.simulator import SimulatorPages
from bot.states import load_states
from bot.store import Clock, Store, utc_now
from bot.survey import SurveyPage
from bot.texts import Texts
from bot.turn import Turns
from bot.upload import UploadPage
from bot.watch import Inspect, Watch
from bot.worker import Worker
from identity import Secrets

__all__ = ["BotSettings", "Role", "running", "serve"]

Role = Literal["http", "worker", "sender", "console"]
ALL_ROLES: frozenset[Role] = frozenset({"http", "worker", "sender", "console"})
Console = Callable[[DeskRoom, aiohttp.ClientSession], Mapping[str, web.Application]]
"""gives applications that are put under a path of ours: the desk's pages, which know this room and not it them"""
_logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class BotSettings:
    database_url: str
    secret_key: Secrets
    data: Path
    host: str
    port: int
    production: bool
    rasa_urls: Sequence[str]
    rasa_token: str
    backend_url: str
    backend_webhook_secret: str
    actions_url: str | None
    """None: not to be reached from here, so not asked for its health"""
    whatsapp: WhatsAppSettings | None = None
    telegram: TelegramSettings | None = None
    backend_token: str = ""
    """to fetch the documents that are sent to citizens"""
    chatwoot: ChatwootSettings | None = None
    """a district's own Chatwoot as the desk; None: our own pages"""
    desk: DeskRules = field(default_factory=DeskRules)
    internal_url: str = ""
    """where Rasa and the actions reach this process; host and port when they run on this machine"""
    public_url: str = ""
    """where citizens open the pages behind one-time links; the address of this process when it isn't given"""
    keep_messages: timedelta = timedelta(days=90)
    keep_files: timedelta = timedelta(days=30)
    flood: FloodLimits = field(default_factory=FloodLimits)
    patience: Patience = field(default_factory=Patience)
    backend_poll: timedelta = timedelta(0)
    """how often a backend that doesn't tell of changes is asked; zero: never"""
    folders: Mapping[str, Path] = field(default_factory=dict)
    """by name, whose free space operators want to know"""
    inspect: Inspect | None = None
    """finds what may never be, in whichever room; None: nobody looks"""


async def serve(settings: BotSettings, roles: Collection[Role] = ALL_ROLES, console: Console | None = None) -> None:
    """Run until SIGTERM or SIGINT, then finish what is under way."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with running(settings, roles, console=console):
        await stop.wait()


@contextlib.asynccontextmanager
async def running(
    settings: BotSettings,
    roles: Collection[Role] = ALL_ROLES,
    *,
    clock: Clock = utc_now,
    rasa_timeout: float = 20.0,
    console: Console | None = None,
) -> AsyncIterator[None]:
    """The room's parts are up within the block. Raises TextsUnfit, DeskUnfit, and OSError when the port is taken."""
    texts = Texts(settings.data)
    store = Store.open(settings.database_url, settings.secret_key, clock)
    notices, metrics = Notices(settings.database_url), Metrics()
    async with contextlib.AsyncExitStack() as stack:
        stack.push_async_callback(store.engine.dispose)
        # Rasa and the providers are asked by as many tasks as there are; each has its own limit.
        session = await stack.enter_async_context(aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)))
        await stack.enter_async_context(_background(notices.run))
        documents = Documents(session, settings.backend_url, settings.backend_token)
        channels = await _channels(settings, session, stack)
        chatwoot = Chatwoot(settings.chatwoot, session) if settings.chatwoot else None
        room = DeskRoom(
            store=store,
            texts=texts,
            agencies=Agencies(settings.data),
            standard=read_standard(settings.data),
            channels=channels,
            templates=_templates(settings),
            notices=notices,
            desk=ChatwootDesk(chatwoot) if chatwoot else OwnDesk(),
            rules=settings.desk,
        )
        await _take_over(store)
        if "sender" in roles:
            for channel in channels.values():
                sender = Sender(store, channel, documents, notices, metrics)
                await stack.enter_async_context(_until_stopped(sender))
        if "worker" in roles:
            rasa = Rasa(session, settings.rasa_urls, settings.rasa_token, timeout=rasa_timeout)
            await stack.enter_async_context(_background(Erasure(store, rasa).run))
            retention = Retention(store, rasa, messages=settings.keep_messages, kept_files=settings.keep_files)
            await stack.enter_async_context(_background(retention.run))
            turns = Turns(
                store,
                channels,
                rasa,
                texts,
                settings.internal_url or _address(settings),
                room.agencies.returning,
            )
            stack.push_async_callback(turns.close)
            if settings.backend_poll:
                backend = Backend(session, settings.backend_url, settings.backend_token)
                poller = Poller(
                    store, backend, _announcer(settings, room), load_states(settings.data), settings.backend_poll
                )
                await stack.enter_async_context(_background(poller.run))
            reasons = Reasons(store, settings.data)
            await stack.enter_async_context(
                _until_stopped(Worker(room, turns, reasons, notices, metrics, limits=settings.flood))
            )
            await stack.enter_async_context(_until_stopped(Keeper(room)))
        app = web.Application()
        if "http" in roles:
            parts = {
                # It answers 409 while no model is loaded, and its root 200.
                "rasa": [
                    f"{url.rstrip('/')}/status?token={quote(settings.rasa_token, safe='')}"
                    for url in settings.rasa_urls
                ],
                **({"actions": [f"{settings.actions_url.rstrip('/')}/health"]} if settings.actions_url else {}),
                "backend": [f"{settings.backend_url.rstrip('/')}/healthz"],
            }
            chatwoot_doors = (
                ChatwootDoor(room, chatwoot, settings.chatwoot.webhook_secret).routes()
                if chatwoot and settings.chatwoot
                else []
            )
            health = Health(store, session, parts, foreign={"backend"})
            holders = tuple(channel for channel in channels.values() if isinstance(channel, WhatsApp))
            watch = Watch(metrics, health, folders=settings.folders, holders=holders, inspect=settings.inspect)
            await stack.enter_async_context(_background(watch.run))
            doors = Doors(
                store=store,
                metrics=metrics,
                health=health,
                channels=channels,
                whatsapp=settings.whatsapp,
                telegram=settings.telegram,
                simulator=None if settings.production else SimulatorPages(store, notices, documents),
                announcer=_announcer(settings, room),
                further=[
                    *chatwoot_doors,
                    *_further(settings, store, Backend(session, settings.backend_url, settings.backend_token)),
                ],
                backend_webhook_secret=settings.backend_webhook_secret,
                patience=settings.patience,
            )
            app = create_app(doors)
        if console is not None and "console" in roles:
            for prefix, pages in console(room, session).items():
                app.add_subapp(prefix, pages)
        if {"http", "console"} & set(roles):
            await stack.enter_async_context(_listening(app, settings))
        if "http" in roles:
            await stack.enter_async_context(_polling(store, channels.get("telegram"), settings))
        yield


def _templates(settings: BotSettings) -> dict[str, tuple[str, str]]:
    whatsapp = settings.whatsapp
    return {"whatsapp": whatsapp.window_template} if whatsapp and whatsapp.window_template else {}


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
async def _background(work: Callable[[], Awaitable[None]]) -> AsyncIterator[None]:
    """Runs beside the block and is cancelled at its end."""
    task = asyncio.create_task(lasting(work))
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


@contextlib.asynccontextmanager
async def _until_stopped(part: Worker | Sender | Keeper) -> AsyncIterator[None]:
    """Runs beside the block; at its end it takes on nothing new and finishes."""
    task = asyncio.create_task(lasting(part.run))
    try:
        yield
    finally:
        part.stop()
        await task


@contextlib.asynccontextmanager
async def _listening(app: web.Application, settings: BotSettings) -> AsyncIterator[None]:
    runner = web.AppRunner(
        app,
        access_log=None,
        shutdown_timeout=5,
        keepalive_timeout=settings.patience.head,
        lingering_time=settings.patience.rest,
    )
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
        async with _background(channel.register_webhook):
            yield
        return

    async def store_batch(updates: list[Update]) -> None:
        await receive(store, Telegram.name, updates)

    async with _background(lambda: channel.poll(store_batch)):
        yield


def _announcer(settings: BotSettings, room: DeskRoom) -> Announcer:
    return Announcer(
        store=room.store,
        texts=room.texts,
        news=News(room.texts, load_services(settings.data)),
        states=load_states(settings.data),
        channels=room.channels,
        templates=room.templates,
        public_url=settings.public_url or _address(settings),
    )


def _further(settings: BotSettings, store: Store, backend: Backend) -> Sequence[web.RouteDef]:
    """The inner doors, and the pages behind one-time links."""
    printer = PagePrinter(load_page_texts(settings.data))
    public_url = settings.public_url or _address(settings)
    return [
        *InnerDoors(store, settings.rasa_token, public_url).routes(),
        *printer.routes(),
        *UploadPage(store, printer).routes(),
        *SurveyPage(store, printer, backend, load_services(settings.data)).routes(),
        *DownloadPage(store, printer, backend).routes(),
    ]


async def _take_over(store: Store) -> None:
    try:
        await free_leases_of_the_dead(store)
    except (SQLAlchemyError, OSError) as error:
        # The database may come up after us; then the leases run out by themselves.
        _logger.warning("the database doesn't answer yet: %s", fault(error))


def _address(settings: BotSettings) -> str:
    host = "127.0.0.1" if settings.host in ("0.0.0.0", "::") else settings.host  # noqa: S104
    return f"http://{host}:{settings.port}"
