"""Server-sent events: each open page hears within moments what has changed, and asks for that part again."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import uuid

from aiohttp import web
from sqlalchemy.exc import SQLAlchemyError

from bot.desk.changes import Change, changes
from bot.desk.officer import DeskRefused
from bot.desk.states import renew
from console.access import may_access_agency
from console.accounts import Account
from console.desk import officer_of
from console.protection import WORKSPACE, harden, signed_in

__all__ = ["routes"]

_HEARTBEAT = 15.0
"""seconds; proxies close what is silent, and a page that is gone is noticed by it"""
_UNHEARD = 30_000
"""milliseconds"""
_TOGETHER = 0.15
"""seconds; a burst of changes is one event"""


def routes() -> list[web.RouteDef]:
    return [web.get("/siaran", _stream, name="stream")]


async def _stream(request: web.Request) -> web.StreamResponse:
    """`?conversation=` names the one that the page shows; as long as the page is there, its officer keeps it."""
    me, room = signed_in(request).account, request.config_dict[WORKSPACE].room
    shown = _identifier(request.query.get("conversation", ""))
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "X-Accel-Buffering": "no"})
    harden(request, response)
    await response.prepare(request)
    _give_up_soon(request)
    await response.write(b"retry: 2000\n\n")
    waiting: asyncio.Queue[Change] = asyncio.Queue()

    async def listen() -> None:
        async with contextlib.aclosing(changes(room)) as happening:
            async for change in happening:
                waiting.put_nowait(change)

    async def keep() -> None:
        # Not the page's timers: browsers let those of a tab in the background sleep for a minute.
        while shown is not None:
            with contextlib.suppress(DeskRefused, SQLAlchemyError):
                await renew(room, officer_of(me), shown)
            await asyncio.sleep(_HEARTBEAT)

    beside = [asyncio.create_task(listen()), asyncio.create_task(keep())]
    try:
        with contextlib.suppress(ConnectionError):
            await _tell(response, waiting, me, shown)
    finally:
        for task in beside:
            task.cancel()
        await asyncio.gather(*beside, return_exceptions=True)
    return response


async def _tell(
    response: web.StreamResponse, waiting: asyncio.Queue[Change], me: Account, shown: uuid.UUID | None
) -> None:
    while True:
        try:
            async with asyncio.timeout(_HEARTBEAT):
                told = _named(await waiting.get(), me, shown)
        except TimeoutError:
            await response.write(b": masih di sini\n\n")
            continue
        await asyncio.sleep(_TOGETHER)
        while not waiting.empty():
            told |= _named(waiting.get_nowait(), me, shown)
        for name in sorted(told):
            await response.write(f"event: {name}\ndata: {uuid.uuid4().hex}\n\n".encode())


def _give_up_soon(request: web.Request) -> None:
    """A phone that lost its network says nothing; what it doesn't acknowledge for half a minute ends the connection."""
    transport = request.transport
    connection = transport.get_extra_info("socket") if transport is not None else None
    if connection is not None and hasattr(socket, "TCP_USER_TIMEOUT"):
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _UNHEARD)


def _identifier(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text)
    except ValueError:
        return None


def _named(change: Change, me: Account, shown: uuid.UUID | None) -> set[str]:
    """What of the page is concerned; nothing is told of other agencies' matters."""
    if change.kind == "everything":
        return {"antrean", "percakapan"}
    if change.agency is not None and not may_access_agency(me, change.agency):
        return set()
    here = change.conversation is not None and change.conversation == shown
    if change.kind == "typing":
        return {"mengetik"} if here and change.officer != str(me.id) else set()
    told = {"percakapan"} if here else set()
    return told | ({"antrean"} if change.kind in ("queue", "presence") or change.agency is not None else set())
