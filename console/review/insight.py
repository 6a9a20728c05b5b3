"""What citizens come with: what rises, what nobody offers them yet, how sure the model is, and how often the bot was enough."""

from __future__ import annotations

import asyncio
import math
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, func, or_, select

from bot.tables import frames, handoffs, inbox
from console.review.label_changes import changes_now
from console.review.masking import mask
from console.review.measures import Share, rises, share
from console.review.room import ReviewRoom
from console.review.topics import Topics
from learning.label_changes import Subject

__all__ = ["Drift", "Insight", "Rising", "UnmetGroup", "observe"]

_LATELY = timedelta(days=7)
_BEFORE = timedelta(days=28)
_ENOUGH = 5
"""messages within the last week, below which nothing rises"""
_WITHIN = timedelta(minutes=30)
_MOST_UNMET = 300
_MOST_GROUPS = 20
_MOST_EXAMPLES = 4
_NOT_MET = ("di_luar_topik", "nlu_fallback")
_WEEKS = timedelta(weeks=12)
_BINS = 10
_FEWEST = 50
"""messages of a week, below which its confidences say little"""
_Z = 1.959964
_CHI2 = 16.919
"""95 % point of chi-squared with `_BINS` - 1 degrees of freedom"""


@dataclass(frozen=True)
class Rising:
    subject: Subject
    label: str
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
class Drift:
    """Confidence of the intent, of one week and model."""

    week: date
    """its Monday"""
    model: str
    messages: int
    mean: float
    low: float
    high: float
    """95 % interval of the mean"""
    stability: float | None
    """population stability index against the model's first week with enough messages; None for that week or too few"""
    by_chance: float | None
    """what the index stays under 95 times of 100 when nothing has changed (B. Yurdakul, 2018)"""

    @property
    def has_moved(self) -> bool:
        return self.stability is not None and self.by_chance is not None and self.stability > max(0.1, self.by_chance)


@dataclass(frozen=True)
class Insight:
    rising: Sequence[Rising]
    """beyond chance"""
    unmet: Sequence[UnmetGroup]
    """what was outside the catalogue or not understood in the last week, alike ones together; largest first"""
    drift: Sequence[Drift]
    """oldest first"""
    contained: Sequence[tuple[str, Share]]
    """intent → messages after which no officer was needed for half an hour, of the last four weeks"""


async def observe(room: ReviewRoom) -> Insight:
    """Raises TrainingFileUnfit."""
    rising = [*await _rising(room, Subject.INTENT), *await _rising(room, Subject.SERVICE)]
    return Insight(rising, await _unmet(room), await _drift(room), await _contained(room))


async def _rising(room: ReviewRoom, subject: Subject) -> Sequence[Rising]:
    now, changes = room.clock(), await changes_now(room)
    label = frames.c.intent if subject is Subject.INTENT else frames.c.service
    lately = func.count().filter(inbox.c.received_at >= now - _LATELY)
    query = (
        select(label, lately, func.count() - lately)
        .join(inbox, inbox.c.id == frames.c.inbox)
        .where(*_talks(), inbox.c.received_at >= now - _LATELY - _BEFORE)
        .group_by(label)
    )
    counts: dict[str | None, tuple[int, int]] = defaultdict(lambda: (0, 0))
    async with room.engine.connect() as connection:
        for name, new, old in await connection.execute(query):
            current = None if name is None else changes.now(subject, name)
            counts[current] = counts[current][0] + new, counts[current][1] + old
    all_lately, all_before = sum(new for new, _ in counts.values()), sum(old for _, old in counts.values())
    if not all_lately or not all_before:
        return ()
    found = [
        # One more on both sides, so that what is new rises by much and not by infinitely much.
        Rising(subject, name, new, old, ((new + 1) / (all_lately + 1)) / ((old + 1) / (all_before + 1)))
        for name, (new, old) in counts.items()
        if name is not None and new >= _ENOUGH and rises(share(old, all_before), share(new, all_lately))
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
    texts = [text for row in rows if (text := _masked(room, row))]
    return await asyncio.to_thread(_grouped, await room.known.topics(), texts)


def _masked(room: ReviewRoom, row: Any) -> str:
    entities = room.store.frame.open_json(row.entities) if row.entities is not None else ()
    return mask(room.store.frame.open(row.text).decode(), entities)


def _grouped(topics: Topics, texts: Sequence[str]) -> Sequence[UnmetGroup]:
    return [
        UnmetGroup(len(group), list(Counter(texts[at] for at in group))[:_MOST_EXAMPLES])
        for group in topics.groups(texts)[:_MOST_GROUPS]
    ]


async def _drift(room: ReviewRoom) -> Sequence[Drift]:
    week = func.date_trunc("week", func.timezone("Asia/Jakarta", inbox.c.received_at))
    model = func.coalesce(frames.c.model, "–")
    confidence = frames.c.confidence
    # A confidence of 1 falls behind the last bin.
    place = func.least(func.width_bucket(confidence, 0.0, 1.0, _BINS), _BINS)
    query = (
        select(week, model, place, func.count(), func.sum(confidence), func.sum(confidence * confidence))
        .join(inbox, inbox.c.id == frames.c.inbox)
        .where(*_talks(), confidence.is_not(None), inbox.c.received_at >= room.clock() - _WEEKS)
        .group_by(week, model, place)
        .order_by(week, model)
    )
    counted: dict[tuple[date, str], list[tuple[int, int, float, float]]] = defaultdict(list)
    async with room.engine.connect() as connection:
        for begun, name, at, count, total, squares in await connection.execute(query):
            counted[begun.date(), name].append((at, count, total, squares))
    first: dict[str, Counter[int]] = {}
    found = []
    for (monday, name), bins in counted.items():
        spread = Counter({at: count for at, count, _, _ in bins})
        messages, total = spread.total(), sum(each[2] for each in bins)
        mean = total / messages
        variance = max(0.0, sum(each[3] for each in bins) / messages - mean * mean)
        around = _Z * math.sqrt(variance / messages)
        stability = by_chance = None
        if messages >= _FEWEST and name in first:
            stability = _stability(first[name], spread)
            by_chance = _CHI2 * (1 / messages + 1 / first[name].total())
        elif messages >= _FEWEST:
            first[name] = spread
        found.append(
            Drift(monday, name, messages, mean, max(0.0, mean - around), min(1.0, mean + around), stability, by_chance)
        )
    return found


def _stability(before: Counter[int], after: Counter[int]) -> float:
    """Half a message more in each bin, so that an empty one isn't infinitely far away."""
    index = 0.0
    for place in range(1, _BINS + 1):
        was = (before[place] + 0.5) / (before.total() + 0.5 * _BINS)
        now = (after[place] + 0.5) / (after.total() + 0.5 * _BINS)
        index += (now - was) * math.log(now / was)
    return index


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


def _talks() -> Sequence[ColumnElement[bool]]:
    return frames.c.intent.is_not(None), frames.c.in_form.is_not(True)
