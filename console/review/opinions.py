"""What people say a message means: one opinion, two by different people for a sample, a third where those differ."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, and_, case, func, insert, literal, null, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from console.accounts import Account, Role
from console.audit import Act, record_in
from console.review.label_changes import changes_in, changes_now
from console.review.room import ReviewRoom
from console.tables import accounts, opinions, reviews
from console.workspace import Workspace
from learning.label_changes import LabelChanges, Subject

__all__ = [
    "Decision",
    "Disagreement",
    "Judged",
    "Label",
    "Open",
    "decide",
    "disagreements",
    "final_labels",
    "final_labels_in",
    "judged_twice",
    "label_now",
    "open_reviews",
    "recent_decisions",
    "undo",
    "waiting_for",
]

_MOST_OPEN = 300
_MOST_DECISIONS = 30

_first, _second, _third = (opinions.alias(name) for name in ("first", "second", "third"))
_differ = or_(_first.c.intent.is_distinct_from(_second.c.intent), _first.c.service.is_distinct_from(_second.c.service))
_stage: ColumnElement[int | None] = case(
    (_first.c.id.is_(None), 1),
    (and_(reviews.c.twice, _second.c.id.is_(None)), 2),
    (and_(_second.c.id.is_not(None), _differ, _third.c.id.is_(None)), 3),
    else_=null(),
)
"""the opinion that is wanted next; null: it is settled"""


@dataclass(frozen=True)
class Label:
    intent: str | None
    """None: the message is not to be used"""
    service: str | None


@dataclass(frozen=True)
class Open:
    """A message that wants an opinion."""

    message: int
    stage: int
    received_at: datetime
    reasons: Sequence[str]
    text: str
    handed_over: str | None
    following: Sequence[tuple[str, str | None]]
    """what the citizen wrote next, and its intent"""
    intent: str | None
    confidence: float | None
    service: str | None
    service_confidence: float | None
    earlier: Sequence[Label]
    """the two that differ, for who settles it; nothing before that, so that opinions are one's own"""


@dataclass(frozen=True)
class Judged:
    """A message that is settled."""

    message: int
    received_at: datetime
    text: str | None
    """None: forgotten"""
    is_random: bool
    intent: str | None
    service: str | None
    model: str | None
    label: Label
    in_set: str | None


@dataclass(frozen=True)
class Disagreement:
    text: str | None
    """None: forgotten"""
    opinions: Sequence[tuple[str, Label]]
    """who, what"""
    settled: tuple[str, Label] | None
    """None: waits for a third"""


@dataclass(frozen=True)
class Decision:
    act: uuid.UUID
    at: datetime
    who: str
    account: uuid.UUID
    label: Label
    stage: int
    count: int
    text: str | None
    """of one of the messages"""


async def open_reviews(room: ReviewRoom, account: Account) -> Sequence[Open]:
    """What this account may judge, by the labels of now: what was begun by others first, then the newest."""
    query = (
        _with_opinions(
            reviews,
            _stage.label("stage"),
            _first.c.intent.label("first_intent"),
            _first.c.service.label("first_service"),
            _second.c.intent.label("second_intent"),
            _second.c.service.label("second_service"),
        )
        .where(_wants(account), reviews.c.text.is_not(None))
        .order_by(_stage.desc(), reviews.c.message.desc())
        .limit(_MOST_OPEN)
    )
    changes = await changes_now(room)
    async with room.engine.connect() as connection:
        return [_open(room, changes, row) for row in await connection.execute(query)]


async def waiting_for(room: ReviewRoom) -> dict[int, int]:
    """stage → how many messages want that opinion, whoever may give it."""
    query = (
        _with_opinions(_stage.label("stage"), func.count().label("messages"))
        .where(_stage.is_not(None), reviews.c.text.is_not(None))
        .group_by(_stage)
    )
    async with room.engine.connect() as connection:
        return {row.stage: row.messages for row in await connection.execute(query)}


async def decide(workspace: Workspace, account: Account, messages: Sequence[int], label: Label) -> int:
    """One act; how many of them took it. Those that somebody else was quicker with, or may not be this one's, are left."""
    act, now = uuid.uuid4(), workspace.clock()
    try:
        async with workspace.engine.begin() as connection:
            stages = await _lock(connection, account, messages)
            if not stages:
                return 0
            await connection.execute(
                insert(opinions),
                [
                    {
                        "review": message, "stage": stage, "account": account.id, "at": now, "act": act,
                        "intent": label.intent, "service": label.service,
                    }
                    for message, stage in stages
                ],
            )  # fmt: skip
            for message, stage in stages:
                await record_in(
                    connection, workspace, account.id, Act.LABELLED, f"review:{message}",
                    intent=label.intent, service=label.service, stage=stage,
                )  # fmt: skip
    except IntegrityError:
        return 0
    return len(stages)


async def undo(workspace: Workspace, account: Account, act: uuid.UUID | None) -> int:
    """Take back an act, one's own last one unless named; how many messages it was. An admin may take back anybody's.

    What others have built on stays: a first opinion that has a second.
    """
    async with workspace.engine.begin() as connection:
        if act is None:
            act = await connection.scalar(
                select(opinions.c.act)
                .where(opinions.c.account == account.id, opinions.c.withdrawn_at.is_(None))
                .order_by(opinions.c.id.desc())
                .limit(1)
            )
            if act is None:
                return 0
        mine = [opinions.c.act == act, opinions.c.withdrawn_at.is_(None)]
        if account.role is not Role.ADMIN:
            mine.append(opinions.c.account == account.id)
        messages = (
            await connection.scalars(
                select(reviews.c.message)
                .join(opinions, opinions.c.review == reviews.c.message)
                .where(*mine)
                .order_by(reviews.c.message)
                .with_for_update(of=reviews)
            )
        ).all()
        later = opinions.alias("later")
        built_on = (
            select(literal(1))
            .where(
                later.c.review == opinions.c.review, later.c.stage > opinions.c.stage, later.c.withdrawn_at.is_(None)
            )
            .exists()
        )
        taken_back = (
            await connection.scalars(
                update(opinions)
                .where(*mine, opinions.c.review.in_(messages), ~built_on)
                .values(withdrawn_at=workspace.clock())
                .returning(opinions.c.review)
            )
        ).all()
        await connection.execute(update(reviews).where(reviews.c.message.in_(taken_back)).values(in_set=None))
        for message in taken_back:
            await record_in(connection, workspace, account.id, Act.UNDID_LABEL, f"review:{message}", undone=str(act))
    return len(taken_back)


async def recent_decisions(room: ReviewRoom) -> Sequence[Decision]:
    """The last ones that stand, by anybody, newest first."""
    query = (
        select(
            opinions.c.act,
            func.max(opinions.c.at).label("at"),
            accounts.c.name,
            opinions.c.account,
            opinions.c.intent,
            opinions.c.service,
            func.min(opinions.c.stage).label("stage"),
            func.count().label("messages"),
            func.max(opinions.c.review).label("message"),
        )
        .join(accounts, accounts.c.id == opinions.c.account)
        .where(opinions.c.withdrawn_at.is_(None))
        .group_by(opinions.c.act, accounts.c.name, opinions.c.account, opinions.c.intent, opinions.c.service)
        .order_by(func.max(opinions.c.id).desc())
        .limit(_MOST_DECISIONS)
        .subquery()
    )
    shown = (
        select(query, reviews.c.text).join(reviews, reviews.c.message == query.c.message).order_by(query.c.at.desc())
    )
    async with room.engine.connect() as connection:
        return [
            Decision(
                act=row.act,
                at=row.at,
                who=row.name,
                account=row.account,
                label=Label(row.intent, row.service),
                stage=row.stage,
                count=row.messages,
                text=room.text(row.text),
            )
            for row in await connection.execute(shown)
        ]


async def final_labels(room: ReviewRoom, since: datetime | None = None) -> Sequence[Judged]:
    """Every message that is settled, by the labels of now, oldest first; those received since, if a time is given."""
    async with room.engine.connect() as connection:
        return await final_labels_in(connection, room, *(() if since is None else (reviews.c.received_at >= since,)))


async def final_labels_in(
    connection: AsyncConnection, room: ReviewRoom, *only: ColumnElement[bool]
) -> Sequence[Judged]:
    """Those of `reviews` for which this holds."""
    changes = await changes_in(connection, room)
    query = (
        _with_opinions(
            reviews,
            case((_third.c.id.is_not(None), _third.c.intent), else_=_first.c.intent).label("final_intent"),
            case((_third.c.id.is_not(None), _third.c.service), else_=_first.c.service).label("final_service"),
        )
        .where(_stage.is_(None), *only)
        .order_by(reviews.c.message)
    )
    return [_judged(room, changes, row) for row in await connection.execute(query)]


async def judged_twice(room: ReviewRoom) -> Sequence[tuple[Label, Label]]:
    """The first and the second opinion, each without knowing the other."""
    changes = await changes_now(room)
    query = _with_opinions(_first.c.intent, _first.c.service, _second.c.intent, _second.c.service, reviews.c.text)
    async with room.engine.connect() as connection:
        rows = (await connection.execute(query.where(_second.c.id.is_not(None)))).all()
    return [
        (label_now(changes, room.text(row[4]), row[0], row[1]), label_now(changes, room.text(row[4]), row[2], row[3]))
        for row in rows
    ]


async def disagreements(room: ReviewRoom, most: int) -> Sequence[Disagreement]:
    """What two people called differently, the newest first, and what a third made of it."""
    names = {alias.name: accounts.alias(f"{alias.name}_account") for alias in (_first, _second, _third)}
    query = _with_opinions(
        reviews.c.text,
        *(
            column
            for alias in (_first, _second, _third)
            for column in (
                alias.c.id.label(f"{alias.name}_id"),
                alias.c.intent.label(f"{alias.name}_intent"),
                alias.c.service.label(f"{alias.name}_service"),
                names[alias.name].c.name.label(f"{alias.name}_name"),
            )
        ),
    )
    for alias in (_first, _second, _third):
        account = names[alias.name]
        query = query.outerjoin(account, account.c.id == alias.c.account)
    query = query.where(_second.c.id.is_not(None), _differ).order_by(reviews.c.message.desc()).limit(most)
    async with room.engine.connect() as connection:
        rows = (await connection.execute(query)).all()
    return [
        Disagreement(
            room.text(row.text),
            [(row.first_name, Label(row.first_intent, row.first_service)),
             (row.second_name, Label(row.second_intent, row.second_service))],
            (row.third_name, Label(row.third_intent, row.third_service)) if row.third_id is not None else None,
        )
        for row in rows
    ]  # fmt: skip


def _with_opinions(*columns: Any) -> Select[Any]:
    joined: Any = reviews
    for stage, alias in enumerate((_first, _second, _third), start=1):
        joined = joined.outerjoin(
            alias,
            and_(alias.c.review == reviews.c.message, alias.c.stage == stage, alias.c.withdrawn_at.is_(None)),
        )
    return select(*columns).select_from(joined)


def _wants(account: Account) -> ColumnElement[bool]:
    """An opinion, and of somebody who has given none on it."""
    return and_(
        _stage.is_not(None),
        *(func.coalesce(alias.c.account != account.id, True) for alias in (_first, _second)),
    )


async def _lock(connection: AsyncConnection, account: Account, messages: Sequence[int]) -> Sequence[tuple[int, int]]:
    """The messages with the opinion that each wants of this account; nobody else judges them until the transaction ends."""
    await connection.execute(
        select(reviews.c.message)
        .where(reviews.c.message.in_(messages))
        .order_by(reviews.c.message)
        .with_for_update(of=reviews)
    )
    rows = await connection.execute(
        _with_opinions(reviews.c.message, _stage.label("stage")).where(reviews.c.message.in_(messages), _wants(account))
    )
    return [(row.message, row.stage) for row in rows]


def _open(room: ReviewRoom, changes: LabelChanges, row: Row[Any]) -> Open:
    after = room.json(row.after) or {"handed_over": None, "next": []}
    text = room.text(row.text)
    seen = label_now(changes, text, row.intent, row.service)
    differing = [
        label_now(changes, text, row.first_intent, row.first_service),
        label_now(changes, text, row.second_intent, row.second_service),
    ]
    return Open(
        message=row.message,
        stage=row.stage,
        received_at=row.received_at,
        reasons=row.reasons,
        text=text or "",
        handed_over=after["handed_over"],
        following=[(later["text"], later["intent"]) for later in after["next"]],
        intent=seen.intent,
        confidence=row.confidence,
        service=seen.service,
        service_confidence=row.service_confidence,
        earlier=differing if row.stage == 3 else (),
    )


def _judged(room: ReviewRoom, changes: LabelChanges, row: Row[Any]) -> Judged:
    text = room.text(row.text)
    seen = label_now(changes, text, row.intent, row.service)
    return Judged(
        message=row.message,
        received_at=row.received_at,
        text=text,
        is_random="acak" in row.reasons,
        intent=seen.intent,
        service=seen.service,
        model=row.model,
        label=label_now(changes, text, row.final_intent, row.final_service),
        in_set=row.in_set,
    )


def label_now(changes: LabelChanges, text: str | None, intent: str | None, service: str | None) -> Label:
    """By single examples while the words are there, else by whole labels."""
    if intent is not None:
        intent = changes.now(Subject.INTENT, intent, text)
    if service is not None:
        service = changes.now(Subject.SERVICE, service, text)
    return Label(intent, service)
