"""What citizens come with: what rises, what nobody offers them yet, and how often the bot was enough."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import and_, exists, func, or_, select

from bot.tables import frames, handoffs, inbox
from console.review.masking import mask
from console.review.measures import Share, share
from console.review.room import ReviewRoom
from console.review.similarity import Similarity

__all__ = ["Insight", "Rising", "UnmetGroup", "observe"]

_LATELY = timedelta(days=7)
_BEFORE = timedelta(days=28)
_ENOUGH = 5
"""messages within the last week, below which nothing rises"""
_WITHIN = timedelta(minutes=30)
_MOST_UNMET = 300
_MOST_GROUPS = 20
_MOST_EXAMPLES = 4
_NOT_MET = ("di_luar_topik", "nlu_fallback")


@dataclass(frozen=True)
class Rising:
    intent: str
    lately: int
    before: int
    """in the four weeks before the last week"""
    factor: float
    """how much larger its part of all messages is than it was"""


@dataclass(frozen=True)
class UnmetGroup:
    count: int
    examples: Sequence[str]


@dataclass(frozen=True)
class Insight:
    rising: Sequence[Rising]
    unmet: Sequence[UnmetGroup]
    """what was outside the catalogue or not understood in the last week, alike ones together; largest first"""
    contained: Sequence[tuple[str, Share]]
    """intent → messages after which no officer was needed for half an hour, of the last four weeks"""


async def observe(room: ReviewRoom) -> Insight:
    return Insight(await _rising(room), await _unmet(room), await _contained(room))


async def _rising(room: ReviewRoom) -> Sequence[Rising]:
    now = room.clock()
    lately = func.count().filter(inbox.c.received_at >= now - _LATELY)
    query = (
        select(frames.c.intent, lately, func.count() - lately)
        .join(inbox, inbox.c.id == frames.c.inbox)
        .where(*_talks(), inbox.c.received_at >= now - _LATELY - _BEFORE)
        .group_by(frames.c.intent)
    )
    async with room.engine.connect() as connection:
        rows = (await connection.execute(query)).all()
    all_lately, all_before = sum(row[1] for row in rows), sum(row[2] for row in rows)
    if not all_lately or not all_before:
        return ()
    found = [
        # One more on both sides, so that what is new rises by much and not by infinitely much.
        Rising(intent, new, old, ((new + 1) / (all_lately + 1)) / ((old + 1) / (all_before + 1)))
        for intent, new, old in rows
        if new >= _ENOUGH
    ]
    return sorted((one for one in found if one.factor > 1.2), key=lambda one: -one.factor)


async def _unmet(room: ReviewRoom) -> Sequence[UnmetGroup]:
    query = (
        select(frames.c.text, frames.c.entities)
        .join(inbox, inbox.c.id == frames.c.inbox)
        .where(
            *_talks(),
            frames.c.text.is_not(None),
            or_(frames.c.intent.in_(_NOT_MET), frames.c.understood.is_(False)),
            inbox.c.received_at >= room.clock() - _LATELY,
        )
        .order_by(inbox.c.id.desc())
        .limit(_MOST_UNMET)
    )
    async with room.engine.connect() as connection:
        rows = (await connection.execute(query)).all()
    return await asyncio.to_thread(_grouped, [_masked(room, row) for row in rows])


def _masked(room: ReviewRoom, row: Any) -> str:
    entities = room.store.frame.open_json(row.entities) if row.entities is not None else ()
    return mask(room.store.frame.open(row.text).decode(), entities)


def _grouped(texts: Sequence[str]) -> Sequence[UnmetGroup]:
    groups = Similarity(texts).groups()[:_MOST_GROUPS]
    return [
        UnmetGroup(len(group), list(Counter(texts[at] for at in group))[:_MOST_EXAMPLES])
        for group in groups
        if any(texts[at] for at in group)
    ]


async def _contained(room: ReviewRoom) -> Sequence[tuple[str, Share]]:
    needed = exists().where(
        handoffs.c.conversation == inbox.c.conversation,
        and_(handoffs.c.requested_at >= inbox.c.received_at, handoffs.c.requested_at <= inbox.c.received_at + _WITHIN),
    )
    query = (
        select(frames.c.intent, func.count().filter(~needed), func.count())
        .join(inbox, inbox.c.id == frames.c.inbox)
        .where(*_talks(), inbox.c.received_at >= room.clock() - _BEFORE)
        .group_by(frames.c.intent)
        .order_by(func.count().desc(), frames.c.intent)
    )
    async with room.engine.connect() as connection:
        return [(intent, share(alone, every)) for intent, alone, every in await connection.execute(query)]


def _talks() -> Sequence[Any]:
    return frames.c.intent.is_not(None), frames.c.in_form.is_not(True)
