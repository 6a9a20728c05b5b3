"""What Chatwoot tells us: an agent wrote, took a conversation, or resolved it."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import logging
import uuid
from datetime import datetime, timedelta
from typing import Annotated, Literal
from weakref import WeakValueDictionary

from aiohttp import web
from pydantic import BaseModel, Field, TypeAdapter, ValidationError
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert as upsert

from bot.attachments import Attachment
from bot.desk import states
from bot.desk.chatwoot.client import Chatwoot, ChatwootFailed
from bot.desk.officer import DeskRefused, Officer, Refusal
from bot.desk.room import DeskRoom
from bot.desk.speech import say
from bot.store import Cleaned
from bot.tables import chatwoot, chatwoot_deliveries, conversations, handoffs

__all__ = ["ChatwootDoor"]

_OLDEST = timedelta(minutes=5)
_FORMS = uuid.UUID("0d2f5d0e-6f0b-5a53-9c38-6a5b0f2f6c41")
"""names an agent's message among the officers' forms"""
_logger = logging.getLogger(__name__)


class _Agent(BaseModel):
    id: int
    name: Cleaned = "petugas"
    type: str = "user"


class _Meta(BaseModel):
    assignee: _Agent | None = None


class _Conversation(BaseModel):
    id: int
    status: str = ""
    meta: _Meta = _Meta()


class _Attached(BaseModel):
    data_url: str
    file_type: str = "file"


class _Written(BaseModel):
    """`message_created`"""

    event: Literal["message_created"]
    id: int
    content: Cleaned | None = None
    message_type: str | int
    private: bool = False
    sender: _Agent | None = None
    conversation: _Conversation
    attachments: list[_Attached] = []

    @property
    def number(self) -> int:
        return self.conversation.id


class _Changed(_Conversation):
    event: Literal["conversation_status_changed", "conversation_updated"]

    @property
    def number(self) -> int:
        return self.id


_EVENT: TypeAdapter[_Written | _Changed] = TypeAdapter(Annotated[_Written | _Changed, Field(discriminator="event")])


class ChatwootDoor:
    def __init__(self, room: DeskRoom, chatwoot: Chatwoot, secret: str) -> None:
        self._room = room
        self._chatwoot = chatwoot
        self._secret = secret
        self._turns: WeakValueDictionary[int, asyncio.Lock] = WeakValueDictionary()

    def routes(self) -> list[web.RouteDef]:
        return [
            web.post("/webhooks/chatwoot", self._signed),
            # Versions that sign nothing, and inboxes whose signing key the district isn't shown.
            web.post("/webhooks/chatwoot/{secret}", self._by_path),
        ]

    async def _signed(self, request: web.Request) -> web.Response:
        raw = await request.read()
        if not self._is_signed(raw, request):
            raise web.HTTPUnauthorized
        return await self._take(raw)

    async def _by_path(self, request: web.Request) -> web.Response:
        given = request.match_info["secret"].encode(errors="replace")
        if not self._secret or not hmac.compare_digest(given, self._secret.encode()):
            raise web.HTTPUnauthorized
        return await self._take(await request.read())

    def _is_signed(self, raw: bytes, request: web.Request) -> bool:
        stamp = request.headers.get("X-Chatwoot-Timestamp", "")
        if not stamp.isascii() or not stamp.isdigit() or len(stamp) > 12 or not self._secret:
            return False
        age = self._room.store.clock() - datetime.fromtimestamp(int(stamp), self._room.store.clock().tzinfo)
        digest = hmac.new(self._secret.encode(), stamp.encode() + b"." + raw, hashlib.sha256).hexdigest()
        given = request.headers.get("X-Chatwoot-Signature", "").encode(errors="replace")
        return hmac.compare_digest(f"sha256={digest}".encode(), given) and abs(age) <= _OLDEST

    async def _take(self, raw: bytes) -> web.Response:
        """Always 200 for what is Chatwoot's: it doesn't send again, and an event we have no use for is no mistake."""
        try:
            event: _Written | _Changed = _EVENT.validate_json(raw)
        except ValidationError:
            _logger.debug("an event of Chatwoot's that says nothing to us")
            return web.json_response({})
        # One after the other: a conversation isn't closed while the file before that is still being fetched.
        async with self._turns.setdefault(event.number, asyncio.Lock()):
            if isinstance(event, _Written):
                await self._written(event)
            else:
                await self._changed(event)
        return web.json_response({})

    async def _written(self, event: _Written) -> None:
        # 1 is how Chatwoot's own tables write it.
        if event.message_type not in ("outgoing", 1) or event.private or event.sender is None:
            return
        ours = await self._ours(event.number)
        if ours is None or await self._is_known(event):
            return
        conversation, is_open = ours
        officer = _officer(event.sender)
        try:
            if not is_open:
                raise self._room.refused(Refusal.NOT_WAITING)
            await self._hold(officer, conversation)
            await self._note(event, await self._say(event, officer, conversation))
        except DeskRefused as refused:
            await self._tell(event, refused.sentence)
        except ChatwootFailed as failed:
            _logger.warning("an agent's message wasn't sent: %s", failed)
            await self._tell(event, self._room.texts("meja_lampiran_gagal"))

    async def _say(self, event: _Written, officer: Officer, conversation: uuid.UUID) -> int:
        """The id of the last message it became. What was said of it before, until something failed, isn't said again."""
        files = [await self._file(attached, event.id, i) for i, attached in enumerate(event.attachments)]
        parts: list[tuple[str, Attachment | None]] = [("", file) for file in files]
        if (event.content or "").strip() or not files:
            only = parts.pop()[1] if len(files) == 1 else None
            parts.insert(0, (event.content or "", only))
        last = 0
        for position, (text, file) in enumerate(parts):
            form = uuid.uuid5(_FORMS, f"{event.id}:{position}")
            last = await say(self._room, officer, conversation, text, attachment=file, form=form)
        return last

    async def _changed(self, event: _Changed) -> None:
        ours = await self._ours(event.number)
        if ours is None or not ours[1]:
            return
        conversation = ours[0]
        assignee = event.meta.assignee
        officer = _officer(assignee) if assignee else Officer("chatwoot", "Chatwoot", None)
        try:
            if event.status == "resolved":
                await self._hold(officer, conversation)
                await states.close(self._room, officer, conversation)
            elif assignee is not None:
                await self._hold(officer, conversation)
        except DeskRefused as refused:
            # It was closed here first.
            _logger.debug("nothing to do: %s", refused.reason.value)

    async def _hold(self, officer: Officer, conversation: uuid.UUID) -> None:
        """Who has it is decided in Chatwoot."""
        try:
            await states.claim(self._room, officer, conversation)
        except DeskRefused as refused:
            if refused.reason is not Refusal.TAKEN:
                raise
            await states.reassign(self._room, officer, conversation, colleague=officer, note="")

    async def _ours(self, number: int) -> tuple[uuid.UUID, bool] | None:
        """The conversation of a number there, and whether it is of the open hand-off; None for others of the account."""
        async with self._room.store.single.connect() as connection:
            row = (
                await connection.execute(
                    select(conversations.c.id, conversations.c.handoff, handoffs.c.id.label("of"))
                    .join(handoffs, handoffs.c.conversation == conversations.c.id)
                    .join(chatwoot, chatwoot.c.handoff == handoffs.c.id)
                    .where(chatwoot.c.number == number)
                )
            ).first()
        return (row.id, row.handoff == row.of) if row else None

    async def _is_known(self, event: _Written) -> bool:
        """The account's webhook and the inbox's may both tell us."""
        known = select(chatwoot_deliveries.c.message).where(chatwoot_deliveries.c.message == event.id)
        async with self._room.store.single.connect() as connection:
            return await connection.scalar(known) is not None

    async def _note(self, event: _Written, message: int | None) -> bool:
        """Whether this is the first note of it. How far `message` gets is told there; of several that it became, the last."""
        values = {"message": event.id, "received_at": self._room.store.clock()}
        sent = {} if message is None else {"number": event.number, "outbox": message}
        async with self._room.store.single.connect() as connection:
            new = await connection.execute(
                upsert(chatwoot_deliveries)
                .values(**values, **sent)
                .on_conflict_do_nothing()
                .returning(chatwoot_deliveries.c.message)
            )
            return new.first() is not None

    async def _file(self, attached: _Attached, message: int, position: int) -> Attachment:
        content = await self._chatwoot.download(attached.data_url)
        name = attached.data_url.split("?")[0].rsplit("/", 1)[-1] or f"berkas-{message}-{position}"
        return Attachment(name, _content_type(content, attached.file_type), content)

    async def _tell(self, event: _Written, sentence: str) -> None:
        """That it wasn't sent, once."""
        if not await self._note(event, None):
            return
        try:
            await self._chatwoot.note(event.number, sentence)
        except ChatwootFailed as failed:
            _logger.warning("the agent couldn't be told: %s", failed)


def _officer(agent: _Agent) -> Officer:
    return Officer(f"chatwoot:{agent.id}", agent.name, None)


def _content_type(content: bytes, file_type: str) -> str:
    """By its first bytes: Chatwoot tells only the kind."""
    if content.startswith(b"%PDF"):
        return "application/pdf"
    if content.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if content.startswith(b"\x89PNG"):
        return "image/png"
    return "image/webp" if file_type == "image" and content[8:12] == b"WEBP" else "application/octet-stream"
