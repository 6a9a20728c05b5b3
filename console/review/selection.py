"""Which messages people should look at. Every message is considered once, when it is known what came after it."""

from __future__ import annotations

import enum
import uuid
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, and_, delete, exists, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.tables import frames, handoffs, inbox
from console.review.masking import mask
from console.review.room import ReviewRoom
from console.review.similarity import plain
from console.tables import opinions, review_progress, review_set_changes, review_sets, reviews, shadow_answers

__all__ = ["CLOSE", "RANDOM", "TWICE", "UNSURE", "Why", "forget", "pick"]

UNSURE = 0.6
"""confidence of the service where there is one; of the intent, where no margin is known"""
CLOSE = 0.5
"""margin of the intent over the likeliest other one: of the frozen messages it picks 6 %, with two thirds of those that
were misunderstood among them (2026-11-30; chosen on the same messages)"""
RANDOM = 0.20
TWICE = 0.10
_AFTER = timedelta(minutes=15)
"""what counts as having come of a message"""
_NEXT = 2
_BATCH = 500
_MOST_BATCHES = 20
_KEEP_SETS = timedelta(days=30)


class Why(enum.StrEnum):
    UNSURE = "ragu"
    NOT_UNDERSTOOD = "buntu"
    TAKEN_OVER = "petugas"
    OBJECTED = "keberatan"
    SHADOW = "bayangan"
    """a model that reads along would have answered otherwise"""
    RANDOM = "acak"
    """drawn whatever became of it: the only ones that measure without bias"""


@dataclass(frozen=True)
class _Message:
    id: int
    conversation: uuid.UUID
    received_at: datetime
    text: str
    entities: Sequence[Mapping[str, Any]]
    row: Row[Any]

    def masked(self) -> str:
        return mask(self.text, self.entities)


async def pick(room: ReviewRoom, most_batches: int = _MOST_BATCHES) -> int:
    """Consider what has come since the last time; how many were picked. Again, or by two at once, changes nothing more."""
    picked = 0
    for _ in range(most_batches):
        async with room.engine.begin() as connection:
            found, considered = await _pick_some(connection, room)
        picked += found
        if considered < _BATCH:
            break
    return picked


async def forget(room: ReviewRoom) -> None:
    """What the bot has forgotten is forgotten here too: a person's wish, or time.

    Who judged what stays, without the words; what nobody has judged goes whole.
    """
    words_left = exists().where(frames.c.inbox == reviews.c.message, frames.c.text.is_not(None))
    judged = exists().where(opinions.c.review == reviews.c.message)
    # Put back too: its file may be still to be written.
    changed = (
        select(func.max(review_set_changes.c.at))
        .where(review_set_changes.c.name == review_sets.c.name)
        .scalar_subquery()
    )
    async with room.engine.begin() as connection:
        await connection.execute(delete(reviews).where(~words_left, ~judged))
        await connection.execute(
            update(reviews)
            .where(or_(reviews.c.text.is_not(None), reviews.c.after.is_not(None)), ~words_left)
            .values(text=None, after=None)
        )
        await connection.execute(
            update(review_sets)
            .where(
                review_sets.c.content.is_not(None),
                func.greatest(review_sets.c.created_at, review_sets.c.withdrawn_at, changed)
                < room.clock() - _KEEP_SETS,
            )
            .values(content=None)
        )


async def _pick_some(connection: AsyncConnection, room: ReviewRoom) -> tuple[int, int]:
    """How many were picked, of how many considered."""
    await connection.execute(upsert(review_progress).values(only=True, message=0).on_conflict_do_nothing())
    # Locked until the end: who comes at the same time waits, and goes on where this one stops.
    begin = await connection.scalar(select(review_progress.c.message).with_for_update())
    settled = room.clock() - _AFTER
    ids = (
        await connection.scalars(
            select(inbox.c.id)
            .where(inbox.c.id > begin, inbox.c.received_at < settled)
            .order_by(inbox.c.id)
            .limit(_BATCH)
        )
    ).all()
    if not ids:
        return 0, 0
    messages = await _messages(connection, room, frames.c.inbox.in_(ids))
    talks = await _later(connection, room, messages)
    handed = await _handed_over(connection, messages)
    otherwise = await _read_otherwise(connection, messages)
    rows = [
        row
        for message in messages
        if (
            row := _review(
                room,
                message,
                talks[message.conversation],
                handed[message.conversation],
                otherwise=message.id in otherwise,
            )
        )
        is not None
    ]
    picked: Sequence[int] = ()
    if rows:
        inserting = upsert(reviews).values(rows).on_conflict_do_nothing().returning(reviews.c.message)
        picked = (await connection.scalars(inserting)).all()
    await connection.execute(update(review_progress).values(message=max(ids)))
    return len(picked), len(ids)


async def _messages(connection: AsyncConnection, room: ReviewRoom, which: Any) -> Sequence[_Message]:
    """With words, in order. An answer to a form is none: its intent says nothing, and it is mostly about a person."""
    rows = await connection.execute(
        select(frames, inbox.c.conversation, inbox.c.received_at)
        .join(inbox, inbox.c.id == frames.c.inbox)
        .where(which, frames.c.text.is_not(None), frames.c.in_form.is_(False), inbox.c.conversation.is_not(None))
        .order_by(inbox.c.id)
    )
    return [
        _Message(
            row.inbox,
            row.conversation,
            row.received_at,
            room.store.frame.open(row.text).decode(),
            room.store.frame.open_json(row.entities) if row.entities is not None else (),
            row,
        )
        for row in rows
    ]


async def _later(
    connection: AsyncConnection, room: ReviewRoom, messages: Sequence[_Message]
) -> Mapping[uuid.UUID, Sequence[_Message]]:
    found: dict[uuid.UUID, list[_Message]] = defaultdict(list)
    if messages:
        last = max(message.received_at for message in messages)
        which = and_(
            inbox.c.conversation.in_({message.conversation for message in messages}),
            inbox.c.id >= messages[0].id,
            inbox.c.received_at <= last + _AFTER,
        )
        for message in await _messages(connection, room, which):
            found[message.conversation].append(message)
    return found


async def _handed_over(
    connection: AsyncConnection, messages: Sequence[_Message]
) -> Mapping[uuid.UUID, Sequence[tuple[datetime, str]]]:
    found: dict[uuid.UUID, list[tuple[datetime, str]]] = defaultdict(list)
    if messages:
        rows = await connection.execute(
            select(handoffs.c.conversation, handoffs.c.requested_at, handoffs.c.reason).where(
                handoffs.c.conversation.in_({message.conversation for message in messages}),
                handoffs.c.requested_at >= min(message.received_at for message in messages),
            )
        )
        for conversation, at, reason in rows:
            found[conversation].append((at, reason))
    return found


async def _read_otherwise(connection: AsyncConnection, messages: Sequence[_Message]) -> set[int]:
    """Those that a shadow differs in."""
    query = select(shadow_answers.c.message).where(
        shadow_answers.c.differs, shadow_answers.c.message.in_([message.id for message in messages])
    )
    return set(await connection.scalars(query))


def _review(
    room: ReviewRoom,
    message: _Message,
    talk: Iterable[_Message],
    handed: Iterable[tuple[datetime, str]],
    *,
    otherwise: bool,
) -> dict[str, Any] | None:
    """A row of `reviews`, or None where nobody needs to look."""
    until = message.received_at + _AFTER
    following = [later for later in talk if later.id > message.id and later.received_at <= until][:_NEXT]
    reason = next((why for at, why in sorted(handed) if message.received_at <= at <= until), None)
    reasons = _reasons(room, message, following, reason, otherwise=otherwise)
    text = message.masked()
    if not reasons or not text:
        return None
    row = message.row
    after = {
        "handed_over": reason,
        "next": [{"text": later.masked(), "intent": later.row.intent} for later in following],
    }
    return {
        "message": message.id,
        "received_at": message.received_at,
        "picked_at": room.clock(),
        "reasons": reasons,
        "text": room.seal.seal(text.encode()),
        "after": room.seal.seal_json(after),
        "intent": row.intent,
        "confidence": row.confidence,
        "service": row.service,
        "service_confidence": row.service_confidence,
        "model": row.model,
        "twice": _drawn(room, "dua", message.id) < TWICE,
        "in_set": None,
    }


def _reasons(
    room: ReviewRoom,
    message: _Message,
    following: Sequence[_Message],
    handed_over: str | None,
    *,
    otherwise: bool,
) -> list[str]:
    row = message.row
    objected = row.displeased or any(
        later.row.displeased
        or later.row.intent == "umpan_balik"
        or room.objection.search(plain(later.text)) is not None
        for later in following[:1]
    )
    # Who asks for a person, or for what only people do, was understood.
    taken_over = handed_over is not None and handed_over not in ("diminta", "layanan_staf")
    found = {
        Why.UNSURE: _is_unsure(row),
        Why.NOT_UNDERSTOOD: row.intent == "nlu_fallback" or not row.understood,
        Why.TAKEN_OVER: taken_over,
        Why.OBJECTED: objected,
        Why.SHADOW: otherwise,
        Why.RANDOM: _drawn(room, "acak", message.id) < RANDOM,
    }
    return [why.value for why, holds in found.items() if holds]


def _is_unsure(row: Row[Any]) -> bool:
    # Frames of before there was a margin have none.
    intent = (row.confidence or 0.0) < UNSURE if row.margin is None else row.margin < CLOSE
    return intent or (row.service is not None and (row.service_confidence or 0.0) < UNSURE)


def _drawn(room: ReviewRoom, what: str, message: int) -> float:
    """From 0 to 1, the same for the same message, and not to be foreseen without the key."""
    return int(room.seal.index(f"{what} {message}")[:12], 16) / 16**12
