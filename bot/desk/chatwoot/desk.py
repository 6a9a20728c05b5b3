"""Chatwoot as a `Desk`: what happens here is carried over there, in order and as often as it takes."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import Row, and_, exists, func, or_, select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.attachments import Attachment
from bot.desk.chatwoot.client import Chatwoot, ChatwootFailed
from bot.desk.chatwoot.receipts import tell_receipts
from bot.desk.officer import Officer
from bot.desk.packet import packet
from bot.desk.port import Staff
from bot.desk.room import DeskRoom
from bot.desk.transcript import Line, file, transcript
from bot.fault import fault
from bot.tables import chatwoot, conversations, handoffs, inbox

__all__ = ["CHATWOOT", "ChatwootDesk"]

CHATWOOT = Officer("chatwoot", "Chatwoot", None)
"""in whose name the desk reads"""
_HANDOFF = "serah_terima"
"""of a conversation there: which of our hand-offs it is"""
_AT_ONCE = 20
_LINES = 12
_LONGEST_PAUSE = timedelta(minutes=10)
_NAMES = {"citizen": "Warga", "bot": "Bot", "officer": "Petugas", "desk": "Bot", "notice": "Pemberitahuan"}
_logger = logging.getLogger(__name__)
_w, _h, _c = chatwoot.c, handoffs.c, conversations.c


class ChatwootDesk:
    """Chatwoot knows who is there and who has what, so nothing lapses here."""

    name = "chatwoot"

    def __init__(self, chatwoot: Chatwoot) -> None:
        self._chatwoot = chatwoot

    async def staff(self, connection: AsyncConnection, room: DeskRoom, agency: str) -> Staff:
        return Staff.UNKNOWN

    def lease(self, wanted: timedelta) -> timedelta | None:
        return None

    async def keep(self, room: DeskRoom) -> bool:
        """One process at a time: Chatwoot knows no idempotency key, so two would open a conversation twice."""
        async with room.store.engine.begin() as connection:
            mine = await connection.scalar(select(func.pg_try_advisory_xact_lock(func.hashtext("bot.chatwoot"))))
            if not mine:
                return False
            due = [*await _to_carry(room), *await _to_resolve(room)]
            for row in due:
                await self._carry(room, row)
            told = await tell_receipts(room, self._chatwoot)
        return bool(due) or told

    async def _carry(self, room: DeskRoom, row: Row[*tuple[Any, ...]]) -> None:
        try:
            if row.closed_at is not None:
                if row.number is not None:
                    await self._chatwoot.resolve(row.number)
                await _write(room, row.handoff, resolved_at=room.store.clock(), attempts=0, retry_at=None)
                return
            number = row.number or await self._open(room, row)
            forwarded = row.forwarded or await self._introduce(room, row, number)
            await self._forward(room, row, number, forwarded)
            await _write(room, row.handoff, attempts=0, retry_at=None)
        except SQLAlchemyError:
            raise
        except Exception as error:
            # Whatever is wrong with one of them, the others go on.
            attempts = row.attempts or 0
            pause = min(timedelta(seconds=2 ** min(attempts, 12)), _LONGEST_PAUSE)
            why = error if isinstance(error, ChatwootFailed) else fault(error)
            _logger.warning("Chatwoot didn't take hand-off %d: %s", row.handoff, why)
            await _write(room, row.handoff, attempts=attempts + 1, retry_at=room.store.clock() + pause)

    async def _open(self, room: DeskRoom, row: Row[*tuple[Any, ...]]) -> int:
        """No phone number, no name: the citizen is known there by the id that the backend knows too."""
        contact, source = await self._chatwoot.contact(str(row.conversation), f"Warga {str(row.conversation)[:8]}")
        # It may have been opened by a try whose answer didn't come.
        number = await self._chatwoot.opened(contact, _HANDOFF, str(row.handoff))
        if number is None:
            number = await self._chatwoot.conversation(contact, source, await self._attributes(room, row))
        await _write(room, row.handoff, number=number)
        return number

    async def _attributes(self, room: DeskRoom, row: Row[*tuple[Any, ...]]) -> Mapping[str, str]:
        about = await packet(room, CHATWOOT, row.conversation)
        agency = room.agencies[row.agency].name
        attributes = {_HANDOFF: str(row.handoff), "alasan": row.reason, "instansi": agency, "kanal": about.channel}
        return attributes | ({"layanan": about.service} if about.service else {})

    async def _introduce(self, room: DeskRoom, row: Row[*tuple[Any, ...]], number: int) -> int:
        """A note of what was said before the messages that are carried over; up to where that is."""
        tag = f"praja:catatan:{row.handoff}"
        forwarded = await _before_the_first(room, row)
        if tag not in await self._chatwoot.tags(number):
            lines = await transcript(room, CHATWOOT, row.conversation, most=_LINES)
            said = [f"{_NAMES[line.side]}: {line.text}" for line in lines if line.side in _NAMES and line.text]
            listed = [f"{name}: {value}" for name, value in (await self._attributes(room, row)).items()]
            await self._chatwoot.note(number, "\n".join([*listed, "", *said]).strip(), tag)
        await _write(room, row.handoff, forwarded=forwarded)
        return forwarded

    async def _forward(self, room: DeskRoom, row: Row[*tuple[Any, ...]], number: int, forwarded: int) -> None:
        """Whether one got through whose answer didn't come is looked up, for only what is missing goes again."""
        lines, end = await _new_lines(room, row, forwarded)
        there = await self._chatwoot.tags(number) if lines else []
        for line in lines:
            tag = f"praja:{line.id}"
            if tag not in there:
                await self._chatwoot.say(number, line.text or (line.file.name if line.file else "-"), tag,
                                         await _attached(room, row, line))  # fmt: skip
            await _write(room, row.handoff, forwarded=int(line.id[1:]))
        # Whatever else lies before the end says nothing, as a reaction does.
        if end - 1 > forwarded:
            await _write(room, row.handoff, forwarded=end - 1)


async def _to_carry(room: DeskRoom) -> Sequence[Row[*tuple[Any, ...]]]:
    """Open hand-offs that aren't there yet, or not all of whose messages are."""
    news = exists().where(inbox.c.conversation == _c.id, inbox.c.id > _w.forwarded, inbox.c.answered_at.is_not(None))
    return await _due(room, _c.handler != "bot", or_(_w.number.is_(None), news), open_ones=True)


async def _to_resolve(room: DeskRoom) -> Sequence[Row[*tuple[Any, ...]]]:
    return await _due(room, _h.closed_at.is_not(None), and_(_w.handoff.is_not(None), _w.resolved_at.is_(None)))


async def _due(room: DeskRoom, *where: Any, open_ones: bool = False) -> Sequence[Row[*tuple[Any, ...]]]:
    of = _c.handoff == _h.id if open_ones else _c.id == _h.conversation
    statement = (
        select(
            _h.id.label("handoff"),
            _h.conversation,
            _h.reason,
            _h.agency,
            _h.closed_at,
            _h.waiting_since,
            _w.number,
            _w.forwarded,
            _w.attempts,
        )
        .join(conversations, of)
        .outerjoin(chatwoot, _w.handoff == _h.id)
        .where(*where, or_(_w.retry_at.is_(None), _w.retry_at <= room.store.clock()))
        .order_by(_h.id)
        .limit(_AT_ONCE)
    )
    async with room.store.single.connect() as connection:
        return (await connection.execute(statement)).all()


async def _before_the_first(room: DeskRoom, row: Row[*tuple[Any, ...]]) -> int:
    """The messages from the first that waits for an agent on are carried over; those before are in the note."""
    since = row.waiting_since or room.store.clock()
    first = func.min(inbox.c.id).filter(inbox.c.received_at >= since)
    before = select(func.coalesce(first - 1, func.max(inbox.c.id))).where(inbox.c.conversation == row.conversation)
    async with room.store.single.connect() as connection:
        return await connection.scalar(before) or 0


async def _new_lines(room: DeskRoom, row: Row[*tuple[Any, ...]], forwarded: int) -> tuple[Sequence[Line], int]:
    """Up to the first message that isn't dealt with yet, whose file may still be fetched; and the end, which lies before it.

    Where that is, is seen before they are read, so that what comes meanwhile waits for the next look.
    """
    unanswered = func.min(inbox.c.id).filter(inbox.c.answered_at.is_(None))
    seen = select(func.coalesce(unanswered, func.max(inbox.c.id) + 1)).where(inbox.c.conversation == row.conversation)
    async with room.store.single.connect() as connection:
        end = await connection.scalar(seen) or 0
    lines = await transcript(room, CHATWOOT, row.conversation, most=200)
    return [line for line in lines if line.side == "citizen" and forwarded < int(line.id[1:]) < end], end


async def _attached(room: DeskRoom, row: Row[*tuple[Any, ...]], line: Line) -> Attachment | None:
    if line.file is None or line.file.id is None:
        return None
    return await file(room, CHATWOOT, row.conversation, line.file.id)


async def _write(room: DeskRoom, handoff: int, **values: Any) -> None:
    async with room.store.single.connect() as connection:
        await connection.execute(
            upsert(chatwoot)
            .values(handoff=handoff, **values)
            .on_conflict_do_update(index_elements=["handoff"], set_=values)
        )
