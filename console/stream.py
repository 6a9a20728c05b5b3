"""Server-sent events: each open page hears within moments what has changed, and asks for that part again."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import uuid

from aiohttp import web
from sqlalchemy.exc import SQLAlchemyError

from bot.desk.access import shown as may_be_shown
from bot.desk.changes import Change, changes
from bot.desk.officer import DeskRefused, Officer
from bot.desk.presence import name_of
from bot.desk.room import DeskRoom
from bot.desk.states import renew
from console.access import may_access_agency
from console.accounts import Account
from console.protection import COOKIE, WORKSPACE, harden, signed_in
from console.scope import officer_of
from console.sessions import read_session

__all__ = ["routes"]

_HEARTBEAT = 15.0
"""seconds; proxies close what is silent, and a page that is gone is noticed by it"""
_UNHEARD = 30_000
"""milliseconds"""
_TOGETHER = 0.15
"""seconds; a burst of changes is one event"""
_QUEUE = "antrean"
_QUEUE_EVERY = 2.0
"""seconds; with many officers and citizens the list changes all the time, and each of them asks for it again"""


def routes() -> list[web.RouteDef]:
    return [web.get("/siaran", _stream, name="stream")]


async def _stream(request: web.Request) -> web.StreamResponse:
    """`?conversation=` names the one that the page shows; as long as the page is there, its officer keeps it."""
    me, room = signed_in(request).account, request.config_dict[WORKSPACE].room
    shown = await _visible(room, officer_of(me), request.query.get("conversation", ""))
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "X-Accel-Buffering": "no"})
    harden(request, response)
    waiting: asyncio.Queue[Change] = asyncio.Queue()
    # The page was made before this, or was cut off for a while, and heard nothing of what has happened since.
    waiting.put_nowait(Change("everything"))

    async def listen() -> None:
        async for change in happening:
            waiting.put_nowait(change)

    async def keep() -> None:
        # Not the page's timers: browsers let those of a tab in the background sleep for a minute.
        while await _is_signed_in(request):
            if shown is not None:
                with contextlib.suppress(DeskRefused, SQLAlchemyError):
                    await renew(room, officer_of(me), shown)
            await asyncio.sleep(_HEARTBEAT)

    with changes(room) as happening:
        await response.prepare(request)
        _give_up_soon(request)
        await response.write(b"retry: 2000\n\n")
        tasks = [asyncio.create_task(one) for one in (listen(), keep(), _tell(response, waiting, room, me, shown))]
        try:
            # Whichever ends: the page is gone, its session is over, or nothing is heard any more. A page asks again.
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
    return response


async def _is_signed_in(request: web.Request) -> bool:
    try:
        return await read_session(request.config_dict[WORKSPACE], request.cookies.get(COOKIE, "")) is not None
    except SQLAlchemyError:
        return True


async def _tell(
    response: web.StreamResponse,
    waiting: asyncio.Queue[Change],
    room: DeskRoom,
    me: Account,
    shown: uuid.UUID | None,
) -> None:
    clock = asyncio.get_running_loop().time
    owed: set[str] = set()
    queue_from = clock()
    while True:
        patience = max(queue_from - clock(), 0) if owed else _HEARTBEAT
        happened = await _next(waiting, patience)
        told = owed.union(*(_named(change, me, shown) for change in happened))
        owed = told & {_QUEUE} if clock() < queue_from else set()
        if _QUEUE in told - owed:
            queue_from = clock() + _QUEUE_EVERY
        for name in sorted(told - owed):
            await response.write(f"event: {name}\ndata: {uuid.uuid4().hex}\n\n".encode())
        if not happened and not told:
            await response.write(b": masih di sini\n\n")
        typing = next((change.officer for change in happened if _is_typing(change, me, shown)), None)
        if typing is not None:
            # A name is one line: accounts have no line breaks in it.
            name = await name_of(room, typing) or "Rekan"
            await response.write(f"event: mengetik\ndata: {name}\n\n".encode())


async def _next(waiting: asyncio.Queue[Change], patience: float) -> list[Change]:
    """What happens within so many seconds and the moment after; nothing if nothing does."""
    try:
        async with asyncio.timeout(patience):
            happened = [await waiting.get()]
    except TimeoutError:
        return []
    await asyncio.sleep(_TOGETHER)
    while not waiting.empty():
        happened.append(waiting.get_nowait())
    return happened


def _give_up_soon(request: web.Request) -> None:
    """A phone that lost its network says nothing; what it doesn't acknowledge for half a minute ends the connection."""
    transport = request.transport
    connection = transport.get_extra_info("socket") if transport is not None else None
    if connection is not None and hasattr(socket, "TCP_USER_TIMEOUT"):
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _UNHEARD)


async def _visible(room: DeskRoom, officer: Officer, text: str) -> uuid.UUID | None:
    """The conversation of that id, if there is one and the officer may look at it."""
    try:
        conversation = uuid.UUID(text)
        async with room.store.single.connect() as connection:
            await may_be_shown(connection, room, officer, conversation)
    except (ValueError, DeskRefused):
        return None
    return conversation


def _named(change: Change, me: Account, shown: uuid.UUID | None) -> set[str]:
    """What of the page is concerned; nothing is told of other agencies' matters."""
    if change.kind == "everything":
        return {_QUEUE, "percakapan"}
    if change.agency is not None and not may_access_agency(me, change.agency):
        return set()
    here = change.conversation is not None and change.conversation == shown
    if change.kind == "typing":
        return set()
    told = {"percakapan"} if here else set()
    return told | ({_QUEUE} if change.kind in ("queue", "presence") or change.agency is not None else set())


def _is_typing(change: Change, me: Account, shown: uuid.UUID | None) -> bool:
    """A colleague, in the conversation that the page shows, which its reader was let see."""
    return (
        change.kind == "typing" and shown is not None and change.conversation == shown and change.officer != str(me.id)
    )
