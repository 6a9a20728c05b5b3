"""The room's HTTP: webhooks of the channels and of the backend, the simulator, and what operators ask."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from aiohttp import web

from bot.backend_events import read_event, verify_backend
from bot.channel import Channel
from bot.channels.telegram import TelegramSettings, verify_secret
from bot.channels.whatsapp import WhatsAppSettings, verify_handshake, verify_signature
from bot.health import Health
from bot.inbox import receive
from bot.metrics import Metrics
from bot.notifications import Announcer
from bot.patience import Patience, in_time
from bot.simulator import SimulatorPages
from bot.store import Store

__all__ = ["Doors", "create_app"]

_LARGEST_BODY = 4 * 1024 * 1024
"""WhatsApp sends up to 3 MB, and repeats for seven days what it gets a 413 for"""
_logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Doors:
    """What the HTTP side is made of, and the secrets that open it. A channel or page that is None is off."""

    store: Store
    metrics: Metrics
    health: Health
    channels: Mapping[str, Channel]
    whatsapp: WhatsAppSettings | None
    telegram: TelegramSettings | None
    simulator: SimulatorPages | None
    announcer: Announcer
    further: Sequence[web.RouteDef]
    """of the inner doors, and of the pages behind one-time links"""
    backend_webhook_secret: str
    patience: Patience


def create_app(doors: Doors) -> web.Application:
    app = web.Application(middlewares=[in_time(doors.patience)], client_max_size=_LARGEST_BODY)
    room = _Room(doors)
    app.add_routes(
        [
            web.get("/healthz", room.alive),
            web.get("/readyz", room.ready),
            web.get("/metrics", room.metrics),
            web.post("/webhooks/backend", room.backend),
            *doors.further,
        ]
    )
    if doors.whatsapp is not None:
        app.add_routes([web.get("/webhooks/whatsapp", room.handshake), web.post("/webhooks/whatsapp", room.whatsapp)])
    if doors.telegram is not None and doors.telegram.mode == "webhook":
        app.add_routes([web.post("/webhooks/telegram", room.telegram)])
    if doors.simulator is not None:
        app.add_routes(doors.simulator.routes())
    return app


class _Room:
    def __init__(self, doors: Doors) -> None:
        self._doors = doors

    async def alive(self, request: web.Request) -> web.Response:
        return web.Response(text="ok")

    async def ready(self, request: web.Request) -> web.Response:
        parts = await self._doors.health.parts()
        return web.json_response(
            {"ready": all(parts.values()), "parts": parts}, status=200 if all(parts.values()) else 503
        )

    async def metrics(self, request: web.Request) -> web.Response:
        body = await self._doors.metrics.exposition(self._doors.store)
        return web.Response(body=body, headers={"Content-Type": "text/plain; version=0.0.4; charset=utf-8"})

    async def handshake(self, request: web.Request) -> web.Response:
        assert self._doors.whatsapp is not None
        challenge = verify_handshake(request.query, self._doors.whatsapp.verify_token)
        if challenge is None:
            raise web.HTTPForbidden
        return web.Response(text=challenge)

    async def whatsapp(self, request: web.Request) -> web.Response:
        assert self._doors.whatsapp is not None
        signature = request.headers.get("X-Hub-Signature-256")
        if not signature:
            # Nothing is read from who can't have signed it.
            raise web.HTTPUnauthorized
        raw = await request.read()
        if not verify_signature(raw, signature, self._doors.whatsapp.app_secret):
            raise web.HTTPUnauthorized
        return await self._receive("whatsapp", raw)

    async def telegram(self, request: web.Request) -> web.Response:
        assert self._doors.telegram is not None
        header = request.headers.get("X-Telegram-Bot-Api-Secret-Token")
        if not verify_secret(header, self._doors.telegram.webhook_secret):
            raise web.HTTPUnauthorized
        return await self._receive("telegram", await request.read())

    async def backend(self, request: web.Request) -> web.Response:
        raw = await request.read()
        if not verify_backend(raw, request.headers.get("X-Praja-Signature"), self._doors.backend_webhook_secret):
            raise web.HTTPUnauthorized
        try:
            event = read_event(raw)
        except ValueError as error:
            raise web.HTTPBadRequest(text=str(error)) from None
        if not await self._doors.announcer.announce(event):
            # Asking again wouldn't make the contact known, so it must not be asked to.
            _logger.warning("the backend tells of a contact that isn't here")
        return web.json_response({})

    async def _receive(self, channel: str, raw: bytes) -> web.Response:
        try:
            body = json.loads(raw)
        except (ValueError, RecursionError):
            raise web.HTTPBadRequest(text="not JSON") from None
        if not isinstance(body, dict):
            raise web.HTTPBadRequest(text="not a JSON object")
        await receive(self._doors.store, channel, self._doors.channels[channel].split(body))
        return web.json_response({})
