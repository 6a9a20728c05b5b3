"""The simulator's page and its API: `POST /simulator/messages` and `GET /simulator/messages`. Development only."""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

from aiohttp import web
from pydantic import BaseModel, Field, StringConstraints, ValidationError
from sqlalchemy import Row, ScalarSelect, Select, select

from bot.attachments import fetch_file
from bot.channel import SendFailed
from bot.channels.simulator import Simulator
from bot.documents import Documents
from bot.files import LARGEST_FILE
from bot.inbox import receive
from bot.notices import CHANGED, Notices, wait
from bot.outbox import State
from bot.reply import Bubble
from bot.store import Cleaned, Store
from bot.tables import addresses, inbox, outbox

__all__ = ["SimulatorPages"]

_PAGES = Path(__file__).parent / "pages"
_ASSETS = {"simulator.css": "text/css", "simulator.js": "text/javascript"}
_LARGEST_BODY = 45 * 1024 * 1024
_LONGEST_WAIT = 30.0
_LOOK = 1.0
_SHOWN = (State.SENT.value, State.DELIVERED.value, State.READ.value)
_POLICY = "; ".join(
    (
        *("default-src 'none'", "script-src 'self'", "style-src 'self'", "img-src 'self' data: blob:"),
        *("connect-src 'self'", "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'"),
    )
)

Name = Annotated[Cleaned, StringConstraints(min_length=1, max_length=200)]


class SentFile(BaseModel):
    name: Name
    content_type: Name
    data: str


class SentLocation(BaseModel):
    lat: float = Field(ge=-90, le=90)
    lon: float = Field(ge=-180, le=180)


class SentContact(BaseModel):
    phone: Name
    own: bool = True


class Sent(BaseModel):
    sender: Name
    text: Cleaned | None = None
    choice: Name | None = None
    title: Cleaned | None = None
    file: SentFile | None = None
    location: SentLocation | None = None
    contact: SentContact | None = None


class SimulatorPages:
    def __init__(self, store: Store, notices: Notices, documents: Documents) -> None:
        self._store = store
        self._notices = notices
        self._documents = documents
        self._channel = Simulator()

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/simulator", self._page),
            web.get("/simulator/{asset:simulator\\.(css|js)}", self._asset),
            web.post("/simulator/messages", self._post),
            web.get("/simulator/messages", self._later),
            web.get("/simulator/files/{id:[0-9]{1,18}}", self._file),
        ]

    async def _page(self, request: web.Request) -> web.StreamResponse:
        return _static("simulator.html", "text/html")

    async def _asset(self, request: web.Request) -> web.StreamResponse:
        name = request.match_info["asset"]
        return _static(name, _ASSETS[name])

    async def _post(self, request: web.Request) -> web.Response:
        """Answers when the turn has ended: its replies, and none while an officer has the conversation."""
        body = _body(await request.clone(client_max_size=_LARGEST_BODY).read(), self._store.clock().timestamp())
        updates = self._channel.split(body)
        try:
            async with asyncio.timeout(_LONGEST_WAIT):
                await receive(self._store, self._channel.name, updates)
                return await self._turn(updates[0].external_id)
        except TimeoutError:
            return web.json_response(
                {"error": "Belum ada jawaban setelah 30 detik; nanti dikirim bila siap."}, status=504
            )

    async def _turn(self, external_id: str) -> web.Response:
        stored = inbox.c.channel == self._channel.name, inbox.c.external_id == external_id
        (message,) = await self._rows(select(inbox.c.id, inbox.c.conversation).where(*stored))
        with self._notices.subscribe(CHANGED, str(message.conversation)) as changed:
            while True:
                ended, waiting, replies = await self._progress(message.id)
                if (ended or replies) and not waiting:
                    return web.json_response({"replies": [self._reply(row) for row in replies]})
                await wait(changed, _LOOK)

    async def _progress(self, message: int) -> tuple[bool, bool, list[Row[Any]]]:
        """Whether the message is dealt with, whether something is still to be sent, and what was."""
        rows = await self._rows(
            select(inbox.c.answered_at, outbox.c.id, outbox.c.body, outbox.c.state)
            .select_from(inbox.outerjoin(outbox, outbox.c.inbox == inbox.c.id))
            .where(inbox.c.id == message)
            .order_by(outbox.c.id)
        )
        return (
            rows[0].answered_at is not None,
            any(row.state == State.QUEUED.value for row in rows),
            [row for row in rows if row.state in _SHOWN],
        )

    async def _later(self, request: web.Request) -> web.Response:
        sender, after = request.query.get("sender", ""), request.query.get("after") or "0"
        if not sender or not after.isascii() or not after.isdigit() or len(after) > 18:
            raise web.HTTPBadRequest(text="sender and a numeric after are needed")
        rows = await self._rows(
            select(outbox.c.id, outbox.c.body)
            .where(outbox.c.conversation == self._conversation(sender), outbox.c.id > int(after))
            .where(outbox.c.state.in_(_SHOWN), outbox.c.body.is_not(None))
            .order_by(outbox.c.id)
            .limit(200)
        )
        return web.json_response({"replies": [self._reply(row) for row in rows]})

    async def _file(self, request: web.Request) -> web.Response:
        """A document that the bot sent; `sender` names the phone that it was sent to."""
        rows = await self._rows(
            select(outbox.c.body, outbox.c.conversation)
            .where(outbox.c.conversation == self._conversation(request.query.get("sender", "")))
            .where(outbox.c.id == int(request.match_info["id"]))
        )
        link = Bubble.from_json(self._store.outbox.open_json(rows[0].body)).file if rows and rows[0].body else None
        if link is None:
            raise web.HTTPNotFound
        try:
            file = await fetch_file(self._store, self._documents, rows[0].conversation, link)
        except SendFailed:
            raise web.HTTPBadGateway from None
        headers = {"Content-Disposition": "attachment", "X-Content-Type-Options": "nosniff"}
        return web.Response(body=file.content, content_type=file.content_type, headers=headers)

    def _conversation(self, sender: str) -> ScalarSelect[uuid.UUID]:
        address = self._channel.address(sender)
        return (
            select(addresses.c.conversation)
            .where(
                addresses.c.channel == self._channel.name,
                addresses.c.kind == address.kind,
                addresses.c.fingerprint.in_(self._store.fingerprints(self._channel.name, address)),
            )
            .scalar_subquery()
        )

    def _reply(self, row: Row[Any]) -> dict[str, Any]:
        bubble = Bubble.from_json(self._store.outbox.open_json(row.body))
        reply = {
            "id": row.id,
            "text": bubble.text,
            "choices": [{"id": f"{row.id}:{i}", "title": choice.title} for i, choice in enumerate(bubble.choices)],
        }
        if bubble.file is None:
            return reply
        file = {"name": bubble.file.name, "content_type": bubble.file.content_type, "url": f"/simulator/files/{row.id}"}
        return {**reply, "file": file}

    async def _rows(self, statement: Select[Any]) -> Sequence[Row[Any]]:
        async with self._store.single.connect() as connection:
            rows: Sequence[Row[Any]] = (await connection.execute(statement)).all()
        return rows


def _body(raw: bytes, at: float) -> dict[str, Any]:
    """What is stored of a request: the checked message, without the content of a file that is too large anyway."""
    try:
        sent = Sent.model_validate(json.loads(raw))
    except (ValidationError, ValueError, RecursionError):
        raise web.HTTPBadRequest(text="not a message as docs/rooms.md and architecture.md have it") from None
    contents = [part for part in (sent.text, sent.choice, sent.file, sent.location, sent.contact) if part is not None]
    if not contents or (len(contents) > 1 and not (sent.file and sent.text is not None and len(contents) == 2)):
        raise web.HTTPBadRequest(text="one of text, choice, file, location, contact; a file may have a text")
    body = {**sent.model_dump(exclude_none=True), "id": uuid.uuid4().hex, "at": at}
    if sent.file is not None:
        body["file"]["size"] = _size(sent.file.data)
        if body["file"]["size"] > LARGEST_FILE:
            body["file"]["data"] = ""
    return body


def _size(data: str) -> int:
    try:
        return len(base64.b64decode(data, validate=True))
    except (binascii.Error, ValueError):
        raise web.HTTPBadRequest(text="file.data must be base64") from None


def _static(name: str, content_type: str) -> web.Response:
    headers = {
        "Content-Security-Policy": _POLICY,
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cache-Control": "no-cache",
    }
    body = (_PAGES / name).read_bytes()
    return web.Response(body=body, content_type=content_type, charset="utf-8", headers=headers)
