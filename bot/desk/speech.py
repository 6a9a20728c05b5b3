"""What officers say to citizens and to each other."""

from __future__ import annotations

import re
import uuid

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.attachments import Attachment, keep_attachment
from bot.channel import Template
from bot.desk.access import Shown, held, shown
from bot.desk.chronicle import Happening, announce, record
from bot.desk.officer import Officer, Refusal
from bot.desk.room import DeskRoom
from bot.desk.window import window
from bot.files import LARGEST_FILE
from bot.notices import CHANGED, OUTBOX
from bot.outbox import Kind, State, add
from bot.reply import Bubble
from bot.shaping import split_text
from bot.store import clean
from bot.tables import conversations, handoffs, inbox, outbox

__all__ = ["note", "retry", "say", "typing"]

LONGEST_NOTE = 4000
_LONGEST_PARAMETER = 900
_MOST_PARTS = 3
_CONTENT_TYPE = re.compile(r"[A-Za-z0-9!#$&^_.+-]{1,100}/[A-Za-z0-9!#$&^_.+-]{1,100}")


async def say(
    room: DeskRoom,
    officer: Officer,
    conversation: uuid.UUID,
    text: str,
    *,
    attachment: Attachment | None = None,
    as_template: bool = False,
    form: uuid.UUID | None = None,
) -> int:
    """Send to the citizen whose conversation the officer holds; the outbox id of its last message.

    What comes by a `form` that was sent before isn't sent again.

    Text that is too long for one message of the channel becomes up to three. Raises DeskRefused: EMPTY, TOO_LONG,
    TOO_LARGE, WINDOW_CLOSED (unless `as_template`), NO_TEMPLATE, and those of who holds it.
    """
    text = clean(text).strip()
    if not text and attachment is None:
        raise room.refused(Refusal.EMPTY)
    if attachment is not None and (
        not 0 < len(attachment.content) <= LARGEST_FILE or not _CONTENT_TYPE.fullmatch(attachment.content_type)
    ):
        raise room.refused(Refusal.TOO_LARGE)
    async with room.store.engine.begin() as connection:
        found = await held(connection, room, officer, conversation)
        sent = select(outbox.c.id).where(outbox.c.conversation == conversation, outbox.c.form == form)
        if form is not None and (before := await connection.scalar(sent)) is not None:
            return int(before)
        template = _template(room, found, text, as_template=as_template)
        parts = (
            split_text(text, room.channels[found.channel].capabilities.text)
            if found.channel in room.channels
            else [text]
        )
        if len(parts) > _MOST_PARTS or (template and (attachment is not None or len(text) > _LONGEST_PARAMETER)):
            raise room.refused(Refusal.TOO_LONG)
        bubbles = [Bubble(part, template=template) for part in parts]
        if attachment is not None:
            link = await keep_attachment(connection, room.store, conversation, attachment)
            # A short text is the file's caption.
            caption = bubbles.pop().text if bubbles and len(bubbles[-1].text) <= _LONGEST_PARAMETER else ""
            bubbles.append(Bubble(caption, file=link))
        await add(connection, room.store, conversation, Kind.OFFICER, bubbles, officer=officer.id, form=form)
        last = await connection.scalar(
            select(func.max(outbox.c.id)).where(outbox.c.conversation == conversation, outbox.c.officer == officer.id)
        )
        await _answered(connection, room, found)
        await _tell(connection, room, conversation)
    return int(last or 0)


async def retry(
    room: DeskRoom, officer: Officer, conversation: uuid.UUID, message: int, *, as_template: bool = False
) -> None:
    """Send a failed message of the desk's or an officer's again. Raises DeskRefused: NOT_FAILED, WINDOW_CLOSED, …"""
    table = outbox.c
    async with room.store.engine.begin() as connection:
        found = await held(connection, room, officer, conversation)
        row = (
            await connection.execute(
                select(table.body)
                .where(
                    table.id == message,
                    table.conversation == conversation,
                    table.state == State.FAILED.value,
                    table.body.is_not(None),
                    table.kind.in_((Kind.OFFICER.value, Kind.DESK.value)),
                )
                .with_for_update()
            )
        ).first()
        if row is None:
            raise room.refused(Refusal.NOT_FAILED)
        bubble = Bubble.from_json(room.store.outbox.open_json(row.body))
        template = _template(room, found, bubble.text, as_template=as_template)
        if template and (bubble.file is not None or len(bubble.text) > _LONGEST_PARAMETER):
            raise room.refused(Refusal.TOO_LONG)
        again = Bubble(bubble.text, bubble.choices, bubble.file, template)
        await connection.execute(
            update(outbox)
            .where(table.id == message)
            .values(
                # From now on it is the officer who says it: what the desk said is silenced while there is one.
                kind=Kind.OFFICER.value,
                officer=officer.id,
                state=State.QUEUED.value,
                body=room.store.outbox.seal_json(again.to_json()),
                provider_id=None,
                error=None,
                error_code=None,
                attempts=0,
                sent_at=None,
            )
        )
        # Whether the citizen can be reached is what is to be tried.
        await connection.execute(
            update(conversations).where(conversations.c.id == conversation).values(unreachable=False, send_after=None)
        )
        await _tell(connection, room, conversation)


async def note(room: DeskRoom, officer: Officer, conversation: uuid.UUID, text: str) -> int:
    """An internal note, for whoever may see the conversation; the id of its event. Raises DeskRefused."""
    if not text.strip():
        raise room.refused(Refusal.EMPTY)
    if len(text) > LONGEST_NOTE:
        raise room.refused(Refusal.TOO_LONG)
    async with room.store.engine.begin() as connection:
        found = await shown(connection, room, officer, conversation)
        if found.handoff is None:
            raise room.refused(Refusal.NOT_WAITING)
        event = await record(connection, room.store, found.handoff, Happening.NOTE, officer=officer.id, note=text)
        await announce(connection, "conversation", conversation, officer=officer.id)
    return event


async def typing(room: DeskRoom, officer: Officer, conversation: uuid.UUID) -> None:
    """Colleagues' pages see it, and the citizen's phone, where the channel can. Call it every few seconds at most.

    Raises DeskRefused.
    """
    async with room.store.engine.begin() as connection:
        found = await held(connection, room, officer, conversation)
        await announce(connection, "typing", conversation, officer=officer.id)
        raw = await connection.scalar(
            select(inbox.c.raw).where(inbox.c.conversation == conversation).order_by(inbox.c.id.desc()).limit(1)
        )
    channel = room.channels.get(found.channel)
    if channel is not None and raw is not None:
        await channel.acknowledge(room.store.open_raw(raw))


def _template(room: DeskRoom, found: Shown, text: str, *, as_template: bool) -> Template | None:
    """None while the window is open, where a template would only cost."""
    if window(room, found).open:
        return None
    if not as_template:
        raise room.refused(Refusal.WINDOW_CLOSED)
    if found.channel not in room.templates:
        raise room.refused(Refusal.NO_TEMPLATE)
    # A template's parameter has no line breaks.
    return Template(*room.templates[found.channel], (" ".join(text.split()),))


async def _answered(connection: AsyncConnection, room: DeskRoom, found: Shown) -> None:
    now = room.store.clock()
    await connection.execute(
        update(handoffs)
        .where(handoffs.c.id == found.handoff)
        .values(waiting_since=None, said_at=now, answered_at=func.coalesce(handoffs.c.answered_at, now))
    )


async def _tell(connection: AsyncConnection, room: DeskRoom, conversation: uuid.UUID) -> None:
    await connection.execute(select(func.pg_notify(OUTBOX, ""), func.pg_notify(CHANGED, str(conversation))))
