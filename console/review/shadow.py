"""A candidate that reads live messages along with the live model and answers nobody: what it would have made of them.

Kept are labels and no words. Whoever looks at a difference reads the words from the frame, masked, as long as it has any.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from bot.tables import frames, inbox
from console.accounts import Account
from console.audit import Act, record_in
from console.review.label_changes import changes_now
from console.review.masking import mask
from console.review.measures import Share, share
from console.review.opinions import Label, final_labels, label_now
from console.review.room import ReviewRoom
from console.tables import accounts, shadow_answers, shadows
from console.workspace import Workspace

__all__ = [
    "Comparison",
    "Difference",
    "Settled",
    "Shadow",
    "ShadowRefused",
    "compare",
    "forget_shadows",
    "newest_shadow",
    "running",
    "start_shadow",
    "stop_shadow",
]

_ARCHIVE = re.compile(r"[\w-][\w.-]{0,120}\.tar\.gz", re.ASCII)
_KEPT = timedelta(days=90)
_MOST_DIFFERENCES = 100


class ShadowRefused(Exception):
    """The message is an Indonesian sentence that says what to do instead."""


@dataclass(frozen=True)
class Shadow:
    id: int
    model: str
    """file name in `models/`"""
    since: int
    """messages after this row of `bot.inbox` are read"""
    started_at: datetime
    who: str
    ended_at: datetime | None
    fault: str | None
    """a sentence, where it ended for a reason of its own"""
    read_at: datetime | None


@dataclass(frozen=True)
class Difference:
    message: int
    received_at: datetime
    text: str | None
    """masked; None: forgotten"""
    live: Label
    candidate: Label
    confidence: float | None


@dataclass(frozen=True)
class Settled:
    """Differences that people have judged since."""

    candidate_right: int
    live_right: int
    neither: int


@dataclass(frozen=True)
class Comparison:
    agreed: Share
    """intent and service"""
    by_intent: Sequence[tuple[str | None, Share]]
    """the live model's; most messages first"""
    changed: Sequence[tuple[Label, Label, int]]
    """live, candidate, how often"""
    settled: Settled
    differences: Sequence[Difference]
    """newest first"""


async def running(room: ReviewRoom) -> Shadow | None:
    return await _find(room, shadows.c.ended_at.is_(None))


async def newest_shadow(room: ReviewRoom) -> Shadow | None:
    """The running one, else the one that ended last."""
    return await _find(room)


async def start_shadow(workspace: Workspace, account: Account, model: str) -> None:
    """In the place of one that runs. Raises ShadowRefused."""
    if not workspace.settings.shadow:
        raise ShadowRefused("Bayangan belum disiapkan di pemasangan ini.")
    if not _ARCHIVE.fullmatch(model) or not (workspace.settings.models / model).is_file():
        raise ShadowRefused("Model itu tidak ada.")
    now = workspace.clock()
    try:
        async with workspace.engine.begin() as connection:
            await connection.execute(
                update(shadows).where(shadows.c.ended_at.is_(None)).values(ended_at=now, ended_by=account.id)
            )
            newest = select(func.coalesce(func.max(inbox.c.id), 0)).scalar_subquery()
            await connection.execute(
                insert(shadows).values(model=model, since=newest, started_at=now, started_by=account.id)
            )
            await record_in(connection, workspace, account.id, Act.SHADOWED, f"model:{model}")
    except IntegrityError:
        raise ShadowRefused("Rekan baru saja memulai bayangan lain; lihat dulu yang itu.") from None


async def stop_shadow(workspace: Workspace, account: Account) -> None:
    """Nothing happens where none runs."""
    async with workspace.engine.begin() as connection:
        ended = await connection.scalar(
            update(shadows)
            .where(shadows.c.ended_at.is_(None))
            .values(ended_at=workspace.clock(), ended_by=account.id)
            .returning(shadows.c.model)
        )
        if ended is not None:
            await record_in(connection, workspace, account.id, Act.ENDED_SHADOW, f"model:{ended}")


async def forget_shadows(room: ReviewRoom) -> None:
    """Those that ended long ago, with what they made of each message."""
    async with room.engine.begin() as connection:
        await connection.execute(delete(shadows).where(shadows.c.ended_at < room.clock() - _KEPT))


async def compare(room: ReviewRoom, shadow: Shadow) -> Comparison:
    mine = shadow_answers.c.shadow == shadow.id
    same = func.count().filter(~shadow_answers.c.differs)
    counting = (
        select(shadow_answers.c.live_intent, same, func.count())
        .where(mine)
        .group_by(shadow_answers.c.live_intent)
        .order_by(func.count().desc(), shadow_answers.c.live_intent)
    )
    differing = (
        select(shadow_answers, frames.c.text, frames.c.entities, inbox.c.received_at)
        .join(inbox, inbox.c.id == shadow_answers.c.message)
        .outerjoin(frames, frames.c.inbox == shadow_answers.c.message)
        .where(mine, shadow_answers.c.differs)
        .order_by(shadow_answers.c.message.desc())
    )
    async with room.engine.connect() as connection:
        counted = (await connection.execute(counting)).all()
        rows = (await connection.execute(differing)).all()
    kinds = Counter((_live(row), _candidate(row)) for row in rows)
    return Comparison(
        share(sum(row[1] for row in counted), sum(row[2] for row in counted)),
        [(intent, share(agreed, every)) for intent, agreed, every in counted],
        [(live, candidate, count) for (live, candidate), count in kinds.most_common(15)],
        await _settled(room, rows),
        [_difference(room, row) for row in rows[:_MOST_DIFFERENCES]],
    )


async def _settled(room: ReviewRoom, rows: Sequence[Row[Any]]) -> Settled:
    changes = await changes_now(room)

    def now(label: Label) -> Label:
        return label_now(changes, None, label.intent, label.service)

    since = min((row.received_at for row in rows), default=room.clock())
    judged = {one.message: one.label for one in await final_labels(room, since) if one.label.intent}
    found = [(judged[row.message], now(_live(row)), now(_candidate(row))) for row in rows if row.message in judged]
    return Settled(
        sum(truth == candidate for truth, _, candidate in found),
        sum(truth == live for truth, live, _ in found),
        sum(truth not in (live, candidate) for truth, live, candidate in found),
    )


def _difference(room: ReviewRoom, row: Row[Any]) -> Difference:
    entities = room.store.frame.open_json(row.entities) if row.entities is not None else ()
    return Difference(
        row.message,
        row.received_at,
        None if row.text is None else mask(room.store.frame.open(row.text).decode(), entities),
        _live(row),
        _candidate(row),
        row.confidence,
    )


def _live(row: Row[Any]) -> Label:
    return Label(row.live_intent, row.live_service)


def _candidate(row: Row[Any]) -> Label:
    return Label(row.intent, row.service)


async def _find(room: ReviewRoom, *which: Any) -> Shadow | None:
    query = (
        select(shadows, accounts.c.name.label("who"))
        .join(accounts, accounts.c.id == shadows.c.started_by)
        .where(*which)
        .order_by(shadows.c.id.desc())
        .limit(1)
    )
    async with room.engine.connect() as connection:
        row = (await connection.execute(query)).one_or_none()
    if row is None:
        return None
    return Shadow(row.id, row.model, row.since, row.started_at, row.who, row.ended_at, row.fault, row.read_at)
