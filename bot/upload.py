"""The page `/unggah/TOKEN`: a document sent in here enters its conversation as if the citizen had sent it there."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

import aiohttp
import filetype  # type: ignore[import-untyped]
from aiohttp import web
from sqlalchemy import func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.files import LARGEST_FILE, safe_name
from bot.links import Link, LinkKind, UploadSubject, find, use
from bot.notices import INBOX
from bot.page import PagePrinter, local_hour
from bot.reading import uploaded
from bot.store import Store
from bot.tables import conversations, files, inbox

__all__ = ["UploadPage"]

_LARGEST_REQUEST = 12 * LARGEST_FILE
"""read to its end so that the page can answer; what is larger is cut off"""
_CHUNK = 64 * 1024
_PATIENCE = 300.0
_TYPES = ("image/jpeg", "image/png", "image/webp", "application/pdf")
_UNREADABLE = ("image/heic", "image/heif", "image/avif")
_FIELD = "berkas"


@dataclass(frozen=True)
class SentIn:
    name: str
    content_type: str
    content: bytes


class Unfit(Exception):
    """The message is a sentence for the page."""


class UploadPage:
    def __init__(self, store: Store, printer: PagePrinter) -> None:
        self._store = store
        self._printer = printer
        self._texts = printer.texts.unggah

    def routes(self) -> list[web.RouteDef]:
        return [web.get("/unggah/{token}", self._show), web.post("/unggah/{token}", self._take)]

    async def _show(self, request: web.Request) -> web.Response:
        link = await find(self._store, LinkKind.UPLOAD, request.match_info["token"])
        if link is None or (link.expired and not link.used):
            return self._printer.told("tidak_berlaku", status=410 if link else 404)
        return self._done(link) if link.used else self._form(link)

    async def _take(self, request: web.Request) -> web.Response:
        link = await find(self._store, LinkKind.UPLOAD, request.match_info["token"])
        if link is None or (link.expired and not link.used):
            return self._printer.told("tidak_berlaku", status=410 if link else 404)
        if not link.used:
            try:
                async with asyncio.timeout(_PATIENCE):
                    sent = await self._read(request, _subject(link).pages)
            except Unfit as unfit:
                return self._form(link, problem=str(unfit))
            await self._enter(link, sent)
        # Reloading what follows sends nothing again.
        raise web.HTTPSeeOther(request.path)

    def _form(self, link: Link, problem: str = "") -> web.Response:
        return self._printer.page(
            "upload",
            status=422 if problem else 200,
            subject=_subject(link),
            limit=LARGEST_FILE // 1024**2,
            until=local_hour(link.expires_at),
            problem=problem,
        )

    def _done(self, link: Link) -> web.Response:
        sentence = self._texts.terkirim.format(dokumen=_subject(link).name)
        return self._printer.page("done", heading=self._texts.terkirim_judul, sentence=sentence)

    async def _read(self, request: web.Request, most: int) -> Sequence[SentIn]:
        """Raises Unfit."""
        if not request.content_type.startswith("multipart/"):
            raise Unfit(self._texts.kosong)
        parts: list[tuple[str, bytes]] = []
        left = _LARGEST_REQUEST
        try:
            async for part in await request.multipart():
                if not isinstance(part, aiohttp.BodyPartReader):
                    continue
                content = bytearray()
                while chunk := await part.read_chunk(_CHUNK):
                    left -= len(chunk)
                    if left < 0:
                        raise self._too_large()
                    # One byte too many tells; the rest is read and thrown away.
                    content += chunk[: LARGEST_FILE + 1 - len(content)]
                if part.name == _FIELD and content and len(parts) <= most:
                    parts.append((part.filename or "", bytes(content)))
        except ValueError:
            raise Unfit(self._texts.kosong) from None
        if not parts:
            raise Unfit(self._texts.kosong)
        if len(parts) > most:
            raise Unfit(self._texts.terlalu_banyak.format(halaman=most))
        return [self._checked(name, content) for name, content in parts]

    def _checked(self, name: str, content: bytes) -> SentIn:
        """What it really is; a browser's word for the type counts nothing. Raises Unfit."""
        if len(content) > LARGEST_FILE:
            raise self._too_large()
        content_type = filetype.guess_mime(content)
        if content_type in _UNREADABLE:
            raise Unfit(self._texts.heic)
        if content_type not in _TYPES:
            raise Unfit(self._texts.bukan_jenisnya)
        return SentIn(safe_name(name), content_type, content)

    def _too_large(self) -> Unfit:
        return Unfit(self._texts.terlalu_besar.format(batas=LARGEST_FILE // 1024**2))

    async def _enter(self, link: Link, sent: Sequence[SentIn]) -> None:
        """All of it in one transaction; a second try at the same time enters nothing."""
        # Before anybody has to wait for us.
        sealed = [self._store.file.seal(file.content) for file in sent]
        async with self._store.engine.begin() as connection:
            if not await use(connection, self._store, link):
                return
            # Whoever stores a message meanwhile waits: those that come later have the higher numbers.
            channel = await connection.scalar(
                select(conversations.c.channel)
                .where(conversations.c.id == link.conversation)
                .with_for_update(key_share=True)
            )
            for position, (file, content) in enumerate(zip(sent, sealed, strict=True)):
                await self._store_file(connection, link, str(channel), position, file, content)
            await connection.execute(select(func.pg_notify(INBOX, "")))

    async def _store_file(
        self, connection: AsyncConnection, link: Link, channel: str, position: int, file: SentIn, content: bytes
    ) -> None:
        now = self._store.clock()
        subject = _subject(link)
        update = uploaded(
            file.name,
            file.content_type,
            len(file.content),
            subject.name,
            draft=subject.draft,
            document=subject.document,
        )
        # Not the citizen's message to the provider: it doesn't open the channel's window.
        row = await connection.scalar(
            insert(inbox)
            .values(
                channel=channel,
                external_id=f"unggah:{link.fingerprint[:40]}:{position}",
                conversation=link.conversation,
                raw=self._store.seal_raw(update),
                sent_at=now,
                received_at=now,
            )
            .returning(inbox.c.id)
        )
        await connection.execute(
            insert(files).values(
                id=uuid.uuid4(),
                inbox=row,
                name=file.name,
                content_type=file.content_type,
                size=len(file.content),
                content=content,
                created_at=now,
            )
        )


def _subject(link: Link) -> UploadSubject:
    assert isinstance(link.subject, UploadSubject)
    return link.subject
