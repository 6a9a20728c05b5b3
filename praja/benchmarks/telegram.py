"""A provider that only counts: Telegram's Bot API as far as two bots need it to answer a text, on loopback.

Stock Rasa's Telegram channel and ours are driven by it in the same way, so that their turns are measured by the same watch.
"""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

import aiohttp
from aiohttp import web

from praja.ports import free_ports

__all__ = ["BOT", "TOKEN", "TelegramMeter"]

TOKEN = "7001:bench"  # noqa: S105  (of the meter itself)
_SECRET = "bench"  # noqa: S105
BOT = "praja_bench_bot"
_PATIENCE = 120.0
"""seconds until a turn without an answer is given up"""


class TelegramMeter:
    """`async with TelegramMeter() as meter: seconds = await meter.turn(chat=1, text="halo")`."""

    def __init__(self) -> None:
        self._ids = itertools.count(1)
        self._webhook: str | None = None
        self._answered: dict[int, asyncio.Event] = {}
        (self._port,) = free_ports(1)
        app = web.Application()
        app.router.add_route("*", f"/bot{TOKEN}/{{method}}", self._called)
        self._runner = web.AppRunner(app, access_log=None)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    @property
    def settings(self) -> Mapping[str, str]:
        """What `praja up` needs to talk to it."""
        return {
            "PRAJA_TELEGRAM_TOKEN": TOKEN,
            "PRAJA_TELEGRAM_API_URL": self.url,
            "PRAJA_TELEGRAM_MODE": "webhook",
            "PRAJA_TELEGRAM_WEBHOOK_SECRET": _SECRET,
        }

    async def __aenter__(self) -> Self:
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self._port).start()
        self._session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._session.close()
        await self._runner.cleanup()

    async def turn(self, chat: int, text: str) -> float:
        """Seconds from handing over the message until the first bubble of its answer. Raises TimeoutError, ClientError."""
        assert self._webhook is not None, "no bot has set its webhook"
        answered = self._answered[chat] = asyncio.Event()
        started = time.perf_counter()
        update = {"update_id": next(self._ids), "message": self._message(chat, text)}
        async with asyncio.timeout(_PATIENCE):
            handing = asyncio.create_task(self._hand_over(update))
            await answered.wait()
            seconds = time.perf_counter() - started
            # Stock Rasa answers the webhook when the whole turn is done; its next message must not come before.
            await handing
        return seconds

    async def _hand_over(self, update: Mapping[str, Any]) -> None:
        assert self._webhook is not None
        headers = {"X-Telegram-Bot-Api-Secret-Token": _SECRET}
        async with self._session.post(self._webhook, json=update, headers=headers) as response:
            response.raise_for_status()

    def _message(self, chat: int, text: str) -> Mapping[str, Any]:
        person = {"id": chat, "is_bot": False, "first_name": "Warga"}
        return {
            "message_id": next(self._ids),
            "date": int(time.time()),
            "chat": {"id": chat, "type": "private", "first_name": "Warga"},
            "from": person,
            "text": text,
        }

    async def _called(self, request: web.Request) -> web.Response:
        given = await _body(request)
        match request.match_info["method"].lower():
            case "getme":
                result: object = {"id": 7001, "is_bot": True, "first_name": "Praja", "username": BOT}
            case "setwebhook":
                self._webhook = str(given["url"])
                result = True
            case "sendmessage":
                chat = int(given["chat_id"])
                self._answered[chat].set()
                result = {
                    **self._message(chat, str(given["text"])),
                    "from": {"id": 7001, "is_bot": True, "first_name": "P"},
                }
            case _:
                result = True
        return web.json_response({"ok": True, "result": result})


async def _body(request: web.Request) -> Mapping[str, Any]:
    if request.content_type == "application/json":
        body: Mapping[str, Any] = await request.json()
        return body
    return {**request.query, **await request.post()}
