"""A conversation as officers read it: what the citizen wrote, what was said and how far it got, notes and what happened."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Row, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.attachments import Attachment, attachment_of, load_attachment
from bot.channel import AddressChange, Delivery, FileReference, Ignored, Message
from bot.desk.access import Shown, shown
from bot.desk.chronicle import Happening, record
from bot.desk.officer import Officer, Refusal
from bot.desk.room import DeskRoom
from bot.desk.window import window
from bot.outbox import WINDOW_CLOSED, Kind, State
from bot.reading import read
from bot.reply import Bubble
from bot.tables import attachments, files, handoff_events, handoffs, inbox, outbox, presence
from identity import mask_numbers

__all__ = ["Line", "LineFile", "file", "said", "transcript", "why_failed"]

Side = Literal["citizen", "bot", "officer", "desk", "notice", "note", "event"]
_SIDES: dict[str, Side] = {
    Kind.BOT.value: "bot",
    Kind.OFFICER.value: "officer",
    Kind.DESK.value: "desk",
    Kind.NOTIFICATION.value: "notice",
}
_TOGETHER = 20
"""rows of one moment: a batch of messages, the bubbles of an answer"""
_RETRYABLE = (Kind.OFFICER.value, Kind.DESK.value)
_NOTES = (Happening.NOTE.value, Happening.QUALITY.value)


@dataclass(frozen=True)
class LineFile:
    id: uuid.UUID | None
    """None: it wasn't fetched from the provider (too large, gone, or the bot had no use for it), or it is the backend's"""
    name: str
    content_type: str
    size: int | None


@dataclass(frozen=True)
class Line:
    id: str
    """`i12`, `o34`, `e56`: row of inbox, outbox, chronology"""
    at: datetime
    side: Side
    text: str
    choices: Sequence[str] = ()
    file: LineFile | None = None
    state: str | None = None
    """of what was sent: `bot.outbox.State`"""
    error: str | None = None
    """why it failed, in a sentence"""
    retryable: bool = False
    """by who reads it"""
    only_as_template: bool = False
    """since the channel's window is closed"""
    officer: str | None = None
    """name of who wrote or did it"""
    happening: str | None = None
    """`bot.desk.chronicle.Happening`, of notes and events"""
    colleague: str | None = None
    agency: str | None = None


async def transcript(
    room: DeskRoom,
    officer: Officer,
    conversation: uuid.UUID,
    *,
    before: datetime | None = None,
    most: int = 100,
    reveal: bool = False,
) -> Sequence[Line]:
    """The last lines before a time, oldest first: `most`, and those of the same moment as the first of them, so that the next
    page begins where this one ends. Long numbers are masked, unless `reveal`, which is written down.

    Raises DeskRefused.
    """
    engine = room.store.engine if reveal else room.store.single
    async with engine.begin() as connection:
        found = await shown(connection, room, officer, conversation)
        if reveal:
            if found.handoff is None:
                raise room.refused(Refusal.NOT_WAITING)
            await record(connection, room.store, found.handoff, Happening.UNMASKED, officer=officer.id)
        as_template = not window(room, found).open
        lines = [
            *await _received(connection, room, found, before, most, reveal=reveal),
            *await _sent(connection, room, found, before, most, reveal=reveal, is_holder=found.officer == officer.id),
            *await _happened(connection, room, found, before, most, reveal=reveal),
        ]
    lines = [replace(line, only_as_template=as_template) if line.retryable else line for line in lines]
    lines.sort(key=lambda line: (line.at, line.id[0] != "i", int(line.id[1:])))
    return [line for line in lines if not lines[most:] or line.at >= lines[-most].at]


async def file(room: DeskRoom, officer: Officer, conversation: uuid.UUID, identifier: uuid.UUID) -> Attachment:
    """A file of either side. Raises DeskRefused: GONE when it isn't of this conversation, or not kept any more."""
    table = files.c
    async with room.store.engine.connect() as connection:
        await shown(connection, room, officer, conversation)
        row = (
            await connection.execute(
                select(table.name, table.content_type, table.content)
                .join(inbox, inbox.c.id == table.inbox)
                .where(table.id == identifier, inbox.c.conversation == conversation)
            )
        ).first()
    if row is not None:
        return Attachment(row.name, row.content_type, room.store.file.open(row.content))
    sent = await load_attachment(room.store, conversation, identifier)
    if sent is None:
        raise room.refused(Refusal.GONE)
    return sent


def said(room: DeskRoom, channel: str, raw: bytes) -> Message | None:
    """What a citizen's stored update says; None for what is no message. Raises what an adapter stumbles over."""
    event = read(room.channels[channel], room.store.open_raw(raw))
    match event:
        case Message():
            return event
        case Delivery() | AddressChange() | Ignored():
            return None


async def _received(
    connection: AsyncConnection, room: DeskRoom, found: Shown, before: datetime | None, most: int, *, reveal: bool
) -> Sequence[Line]:
    statement = (
        select(inbox.c.id, inbox.c.raw, inbox.c.received_at, files.c.id.label("file"), files.c.size)
        .outerjoin(files, files.c.inbox == inbox.c.id)
        .where(inbox.c.conversation == found.conversation)
        .order_by(inbox.c.id.desc())
        .limit(most + _TOGETHER)
    )
    if before is not None:
        statement = statement.where(inbox.c.received_at < before)
    lines = [_line(room, found, row, reveal=reveal) for row in await connection.execute(statement)]
    return [line for line in lines if line is not None]


def _line(room: DeskRoom, found: Shown, row: Row[*tuple[Any, ...]], *, reveal: bool) -> Line | None:
    if row.raw is None:
        return Line(f"i{row.id}", row.received_at, "citizen", room.texts("meja_terhapus"))
    try:
        message = said(room, found.channel, row.raw)
    except Exception:
        # The adapter may have changed since, or the update is malformed: the officer still sees that there is something.
        return Line(f"i{row.id}", row.received_at, "citizen", room.texts("meja_tak_terbaca"))
    if message is None:
        return None
    text, attached = _content(room, message, row)
    if message.edited:
        text = room.texts("meja_diubah", isi=text)
    return Line(f"i{row.id}", row.received_at, "citizen", text if reveal else mask_numbers(text), file=attached)


def _content(room: DeskRoom, message: Message, row: Row[*tuple[Any, ...]]) -> tuple[str, LineFile | None]:
    if message.choice is not None:
        return message.choice.title, None
    if message.file is not None:
        return message.file.caption or "", _received_file(message.file, row)
    if message.location is not None:
        where = f"{message.location.latitude:.5f}, {message.location.longitude:.5f}"
        return room.texts("meja_lokasi", tempat=where), None
    if message.contact is not None:
        return room.texts("meja_kontak", nomor=message.contact.phone), None
    if message.unsupported is not None:
        return room.texts("meja_jenis_lain", jenis=message.unsupported), None
    return message.text or "", None


def _received_file(reference: FileReference, row: Row[*tuple[Any, ...]]) -> LineFile:
    return LineFile(row.file, reference.name, reference.content_type, row.size or reference.size)


async def _sent(
    connection: AsyncConnection,
    room: DeskRoom,
    found: Shown,
    before: datetime | None,
    most: int,
    *,
    reveal: bool,
    is_holder: bool,
) -> Sequence[Line]:
    table = outbox.c
    statement = (
        select(
            *(table[name] for name in ("id", "kind", "body", "state", "error", "error_code", "created_at", "officer")),
            presence.c.name,
        )
        .outerjoin(presence, presence.c.officer == table.officer)
        .where(table.conversation == found.conversation)
        .order_by(table.id.desc())
        .limit(most + _TOGETHER)
    )
    if before is not None:
        statement = statement.where(table.created_at < before)
    rows = (await connection.execute(statement)).all()
    gone = Bubble(room.texts("meja_terhapus"))
    bubbles = {
        row.id: gone if row.body is None else Bubble.from_json(room.store.outbox.open_json(row.body)) for row in rows
    }
    sizes = await _sizes(connection, bubbles.values())
    lines = []
    for row in rows:
        bubble = bubbles[row.id]
        failed = row.state == State.FAILED.value
        lines.append(
            Line(
                f"o{row.id}",
                row.created_at,
                _SIDES[row.kind],
                bubble.text if reveal else mask_numbers(bubble.text),
                choices=tuple(choice.title for choice in bubble.choices),
                file=_sent_file(bubble, sizes),
                state=row.state,
                error=why_failed(room, row.error, row.error_code) if failed else None,
                retryable=failed and is_holder and row.kind in _RETRYABLE and row.body is not None,
                officer=row.name or row.officer,
            )
        )
    return lines


async def _sizes(connection: AsyncConnection, bubbles: Any) -> dict[uuid.UUID, int]:
    wanted = {identifier for bubble in bubbles if bubble.file and (identifier := attachment_of(bubble.file))}
    if not wanted:
        return {}
    rows = await connection.execute(select(attachments.c.id, attachments.c.size).where(attachments.c.id.in_(wanted)))
    return {row.id: row.size for row in rows}


def _sent_file(bubble: Bubble, sizes: dict[uuid.UUID, int]) -> LineFile | None:
    if bubble.file is None:
        return None
    identifier = attachment_of(bubble.file)
    size = sizes.get(identifier) if identifier else None
    return LineFile(identifier if size is not None else None, bubble.file.name, bubble.file.content_type, size)


def why_failed(room: DeskRoom, error: str | None, code: int | None) -> str:
    """The provider's own words are for operators; its number helps them to find it."""
    known = {WINDOW_CLOSED, "recipient", "unknown"}
    sentence = room.texts.of("meja_gagal", error if error in known else "lainnya")
    return f"{sentence} ({code})" if code else sentence


async def _happened(
    connection: AsyncConnection, room: DeskRoom, found: Shown, before: datetime | None, most: int, *, reveal: bool
) -> Sequence[Line]:
    table = handoff_events.c
    who, whom = presence.alias(), presence.alias()
    statement = (
        select(
            *(table[name] for name in ("id", "at", "kind", "note", "agency", "officer", "colleague")),
            who.c.name.label("who"),
            whom.c.name.label("whom"),
        )
        .join(handoffs, handoffs.c.id == table.handoff)
        .outerjoin(who, who.c.officer == table.officer)
        .outerjoin(whom, whom.c.officer == table.colleague)
        .where(handoffs.c.conversation == found.conversation)
        .order_by(table.id.desc())
        .limit(most)
    )
    if before is not None:
        statement = statement.where(table.at < before)
    return [
        Line(
            f"e{row.id}",
            row.at,
            "note" if row.kind in _NOTES else "event",
            _note(room, row.note, reveal=reveal),
            officer=row.who or row.officer,
            happening=row.kind,
            colleague=row.whom or row.colleague,
            agency=room.agencies[row.agency].name if row.agency else None,
        )
        for row in await connection.execute(statement)
    ]


def _note(room: DeskRoom, sealed: bytes | None, *, reveal: bool) -> str:
    text = room.store.desk.open(sealed).decode() if sealed else ""
    return text if reveal else mask_numbers(text)
