"""The sender's side of the outbox: which conversation is due, and what became of each message."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    ARRAY,
    Column,
    DateTime,
    Integer,
    Interval,
    ScalarSelect,
    Text,
    Uuid,
    all_,
    and_,
    any_,
    bindparam,
    case,
    cast,
    exists,
    func,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import aggregate_order_by

from bot.channel import Address
from bot.lease import is_over
from bot.notices import CHANGED
from bot.outbox import WINDOW_CLOSED, Kind, State
from bot.reply import Bubble
from bot.store import Store
from bot.tables import addresses, conversations, is_queued, outbox

__all__ = [
    "LONGEST_PAUSE",
    "Due",
    "Verdict",
    "Waiting",
    "claim_waiting",
    "finish",
    "give_back",
    "handled_by",
    "queued",
    "reached_at",
]

_LEASE = timedelta(seconds=90)
"""longer than one message takes to be sent or to time out; each message begins it anew"""
LONGEST_PAUSE = timedelta(hours=1)
"""that a conversation's queue is kept waiting; Telegram asks for up to an hour"""
_LONGEST_PACE = timedelta(minutes=15)
"""that the pace is ever overdrawn"""


@dataclass(frozen=True)
class Waiting:
    """A claimed conversation that something is to be sent to."""

    conversation: uuid.UUID
    owner: str
    unreachable: bool
    last_message_at: datetime | None
    paced_until: datetime | None
    addresses: Sequence[tuple[str, bytes]]
    """kind and sealed value, the best first"""


@dataclass(frozen=True)
class Due:
    id: int
    kind: Kind
    bubble: Bubble
    attempts: int
    closed: bool
    """the provider has refused its text, the window being closed"""
    handler: str
    """of the conversation, when this was read"""


@dataclass(frozen=True)
class Verdict:
    """What became of a try. `pause` ends the claim and keeps this conversation's queue waiting so long."""

    state: State
    code: int | None = None
    error: str | None = None
    provider_id: str | None = None
    pause: timedelta | None = None
    unreachable: bool = False


_now = bindparam("now", type_=DateTime(timezone=True))
_oldest = (
    select(outbox.c.conversation, func.min(outbox.c.id).label("oldest"))
    .where(is_queued)
    .group_by(outbox.c.conversation)
    .subquery()
)
_free = (
    select(conversations.c.id)
    .join(_oldest, _oldest.c.conversation == conversations.c.id)
    .where(
        conversations.c.channel == bindparam("of_channel"),
        conversations.c.id != all_(bindparam("leaving", type_=ARRAY(Uuid))),
        is_over(conversations.c.send_lease_until, _now, _LEASE),
        is_over(conversations.c.send_after, _now, LONGEST_PAUSE),
        is_over(conversations.c.paced_until, bindparam("ahead", type_=DateTime(timezone=True)), _LONGEST_PACE),
    )
    .order_by(_oldest.c.oldest)
    .limit(bindparam("most"))
    .with_for_update(of=conversations, skip_locked=True, key_share=True)
)


def _of_addresses(column: Column[Any]) -> ScalarSelect[Any]:
    """The newest is the best."""
    return (
        select(func.array_agg(aggregate_order_by(column, addresses.c.id.desc())))
        .where(addresses.c.conversation == conversations.c.id)
        .scalar_subquery()
    )


_CLAIM = (
    update(conversations)
    .where(conversations.c.id == any_(func.array(_free.scalar_subquery())))
    .values(send_leased_by=bindparam("owner"), send_lease_until=bindparam("until"))
    .returning(
        *(conversations.c[name] for name in ("id", "unreachable", "last_message_at", "paced_until")),
        _of_addresses(addresses.c.kind).label("kinds"),
        _of_addresses(addresses.c.value).label("sealed"),
    )
)
_QUEUED = (
    select(outbox.c.id, outbox.c.kind, outbox.c.body, outbox.c.attempts, outbox.c.error, conversations.c.handler)
    .join(conversations, conversations.c.id == outbox.c.conversation)
    .where(outbox.c.conversation == bindparam("of_conversation"), is_queued)
    .order_by(outbox.c.id)
    .limit(bindparam("most"))
)
_given_id = bindparam("given_id", type_=Text)
_at = bindparam("at", type_=DateTime(timezone=True))
# A status that came before our own record is not overwritten: it knows more than we do. One that refused this very try has
# queued the message anew under its id.
_is_ours = and_(is_queued, or_(_given_id.is_(None), outbox.c.provider_id.is_distinct_from(_given_id)))
_FINISH = (
    update(outbox)
    .where(outbox.c.id == bindparam("due"))
    .values(
        state=case((_is_ours, bindparam("new_state")), else_=outbox.c.state),
        error_code=case((_is_ours, bindparam("new_code", type_=Integer)), else_=outbox.c.error_code),
        error=case((_is_ours, bindparam("new_error", type_=Text)), else_=outbox.c.error),
        attempts=bindparam("tries"),
        # What is queued may bear the id of an earlier try that was refused.
        provider_id=case(
            (_is_ours, func.coalesce(_given_id, outbox.c.provider_id)),
            else_=func.coalesce(outbox.c.provider_id, _given_id),
        ),
        sent_at=case((_is_ours, func.coalesce(_at, outbox.c.sent_at)), else_=func.coalesce(outbox.c.sent_at, _at)),
    )
    .returning(func.pg_notify(CHANGED, cast(outbox.c.conversation, Text)))
)
_GIVE_BACK = (
    update(conversations)
    .where(conversations.c.id == bindparam("of_conversation"), conversations.c.send_leased_by == bindparam("owner"))
    .values(
        send_leased_by=None,
        send_lease_until=None,
        send_after=bindparam("again", type_=DateTime(timezone=True)),
        paced_until=case(
            (is_over(conversations.c.paced_until, _now, _LONGEST_PACE), _now), else_=conversations.c.paced_until
        )
        + bindparam("used", type_=Interval),
    )
    .returning(exists().where(outbox.c.conversation == bindparam("of_conversation"), is_queued))
)


async def claim_waiting(
    store: Store, owner: str, channel: str, ahead: timedelta, most: int, *, leaving: Collection[uuid.UUID] = ()
) -> Sequence[Waiting]:
    """The conversations with the oldest queued messages that nobody is sending to, nor the caller to those it is `leaving`;
    `ahead` is how far the pace may be overdrawn.
    """
    now = store.clock()
    values = {
        "now": now,
        "until": now + _LEASE,
        "ahead": now + ahead,
        "owner": owner,
        "of_channel": channel,
        "most": most,
        "leaving": list(leaving),
    }
    async with store.single.connect() as connection:
        rows = (await connection.execute(_CLAIM, values)).all()
    return [
        Waiting(
            row.id,
            owner,
            row.unreachable,
            row.last_message_at,
            row.paced_until,
            list(zip(row.kinds or (), row.sealed or (), strict=True)),
        )
        for row in rows
    ]


def reached_at(store: Store, waiting: Waiting) -> Sequence[Address]:
    """The best first. Raises SealBroken."""
    return [Address(kind, store.address.open(value).decode()) for kind, value in waiting.addresses]


async def queued(store: Store, waiting: Waiting, *, limit: int) -> Sequence[Due]:
    async with store.single.connect() as connection:
        rows = await connection.execute(_QUEUED, {"of_conversation": waiting.conversation, "most": limit})
        return [
            Due(
                row.id,
                Kind(row.kind),
                Bubble.from_json(store.outbox.open_json(row.body)),
                row.attempts,
                row.error == WINDOW_CLOSED,
                row.handler,
            )
            for row in rows
        ]


async def handled_by(store: Store, waiting: Waiting) -> str | None:
    """Who handles the conversation at this moment, and the lease anew; None when the claim was lost."""
    async with store.single.connect() as connection:
        handler: str | None = await connection.scalar(
            update(conversations)
            .where(conversations.c.id == waiting.conversation, conversations.c.send_leased_by == waiting.owner)
            .values(send_lease_until=store.clock() + _LEASE)
            .returning(conversations.c.handler)
        )
    return handler


async def finish(store: Store, waiting: Waiting, due: Due, verdict: Verdict) -> None:
    """Record a try. A try that the whole channel's trouble cut short isn't counted."""
    counted = verdict.pause is None or verdict.pause > timedelta(0)
    values = {
        "due": due.id,
        "new_state": verdict.state.value,
        "new_code": verdict.code,
        "new_error": verdict.error,
        "tries": due.attempts + counted,
        "given_id": verdict.provider_id,
        "at": store.clock() if verdict.provider_id else None,
    }
    async with store.single.connect() as connection:
        await connection.execute(_FINISH, values)
        if verdict.unreachable:
            await connection.execute(
                update(conversations).where(conversations.c.id == waiting.conversation).values(unreachable=True)
            )
            await connection.execute(
                update(outbox)
                .where(outbox.c.conversation == waiting.conversation, is_queued)
                .values(state=State.FAILED.value, error="recipient")
            )


async def give_back(store: Store, waiting: Waiting, pause: timedelta | None, used: timedelta) -> bool:
    """End the claim; whether more is to be sent now. `used` is the pace's time taken up by what was sent."""
    now = store.clock()
    values = {
        "of_conversation": waiting.conversation,
        "owner": waiting.owner,
        "again": None if pause is None else now + pause,
        "now": now,
        "used": used,
    }
    async with store.single.connect() as connection:
        more = await connection.scalar(_GIVE_BACK, values)
    return bool(more) and pause is None
