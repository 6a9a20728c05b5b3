"""The sender's side of the outbox: which conversation is due, and what became of each message."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Integer,
    Interval,
    Row,
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
    true,
    update,
)
from sqlalchemy.dialects.postgresql import aggregate_order_by

from bot.channel import Address
from bot.lease import is_as_seen, is_over, seen
from bot.notices import CHANGED
from bot.outbox import MOST_TRIES, WINDOW_CLOSED, Kind, State, mark_unreachable
from bot.reply import Bubble
from bot.store import Store
from bot.tables import addresses, conversations, halts, is_held, is_queued, outbox

__all__ = [
    "BURST",
    "LONGEST_PAUSE",
    "Due",
    "Verdict",
    "Waiting",
    "claim_waiting",
    "finish",
    "finish_last",
    "give_back",
    "handled_by",
    "queued",
    "reached_at",
    "release_held",
]

BURST = 10
"""messages that may go to one person at once, ahead of the pace; WhatsApp takes 45. What comes after them is the next claim's."""

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
    handler: str
    """as the claim found it"""
    unreachable: bool
    last_message_at: datetime | None
    paced_until: datetime | None
    addresses: Sequence[tuple[str, bytes]]
    """kind and sealed value, the best first"""
    messages: Sequence[Row[Any]]
    """the oldest that are queued, sealed"""


@dataclass(frozen=True)
class Due:
    id: int
    kind: Kind
    bubble: Bubble
    attempts: int
    closed: bool
    """the provider has refused its text, the window being closed"""


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
    .join(seen, is_as_seen)
    .where(
        conversations.c.channel == bindparam("of_channel"),
        conversations.c.id != all_(bindparam("leaving", type_=ARRAY(Uuid))),
        is_over(conversations.c.send_lease_until, _now, _LEASE),
        is_over(conversations.c.send_after, _now, LONGEST_PAUSE),
        is_over(conversations.c.paced_until, bindparam("ahead", type_=DateTime(timezone=True)), _LONGEST_PACE),
        or_(bindparam("trying", type_=Boolean), ~exists().where(halts.c.channel == bindparam("of_channel"))),
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


_claimed = (
    update(conversations)
    .where(conversations.c.id == any_(func.array(_free.scalar_subquery())))
    .values(send_leased_by=bindparam("owner"), send_lease_until=bindparam("until"))
    .returning(
        *(conversations.c[name] for name in ("id", "handler", "unreachable", "last_message_at", "paced_until")),
        _of_addresses(addresses.c.kind).label("kinds"),
        _of_addresses(addresses.c.value).label("sealed"),
    )
    .cte("claimed")
)
_oldest_first = (
    select(*(outbox.c[name].label(f"message_{name}") for name in ("id", "kind", "body", "attempts", "error")))
    .where(outbox.c.conversation == _claimed.c.id, is_queued)
    .order_by(outbox.c.id)
    .limit(BURST)
    .lateral("message")
)
_CLAIM = (
    select(_claimed, _oldest_first)
    .join(_oldest_first, true(), isouter=True)
    .order_by(_claimed.c.id, _oldest_first.c.message_id)
)
_given_id = bindparam("given_id", type_=Text)
_at = bindparam("at", type_=DateTime(timezone=True))
# What waits until the citizen writes again doesn't, if they have since.
_has_written = exists().where(
    conversations.c.id == bindparam("of_conversation"),
    conversations.c.last_message_at.is_distinct_from(bindparam("heard_at", type_=DateTime(timezone=True))),
)
_new_state = case(
    (and_(bindparam("new_state") == State.HELD.value, _has_written), State.QUEUED.value), else_=bindparam("new_state")
)
# A status that came before our own record is not overwritten: it knows more than we do. One that refused this very try has
# queued the message anew under its id.
_is_ours = and_(is_queued, or_(_given_id.is_(None), outbox.c.provider_id.is_distinct_from(_given_id)))
_finished = (
    update(outbox)
    .where(outbox.c.id == bindparam("due"))
    .values(
        state=case((_is_ours, _new_state), else_=outbox.c.state),
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
    .cte("finished")
)
_is_mine = and_(
    conversations.c.id == bindparam("of_conversation"), conversations.c.send_leased_by == bindparam("owner")
)
_HOLD = (
    update(conversations).where(_is_mine).values(send_lease_until=bindparam("until")).returning(conversations.c.handler)
)
_GIVE_BACK = (
    update(conversations)
    .where(_is_mine)
    .values(
        send_leased_by=None,
        send_lease_until=None,
        send_after=bindparam("again", type_=DateTime(timezone=True)),
        paced_until=case(
            (is_over(conversations.c.paced_until, _now, _LONGEST_PACE), _now), else_=conversations.c.paced_until
        )
        + bindparam("used", type_=Interval),
    )
    .returning(
        exists().where(
            outbox.c.conversation == bindparam("of_conversation"),
            is_queued,
            outbox.c.id.is_distinct_from(bindparam("due", type_=BigInteger)),
        )
    )
)
_FINISH = _HOLD.add_cte(_finished)
_FINISH_LAST = _GIVE_BACK.add_cte(_finished)


async def claim_waiting(
    store: Store,
    owner: str,
    channel: str,
    ahead: timedelta,
    most: int,
    *,
    trying: bool = False,
    leaving: Collection[uuid.UUID] = (),
) -> Sequence[Waiting]:
    """The conversations with the oldest queued messages that nobody is sending to, nor the caller to those it is `leaving`;
    `ahead` is how far the pace may be overdrawn. None while the channel is halted, but for whoever is `trying`.
    """
    now = store.clock()
    values = {
        "now": now,
        "until": now + _LEASE,
        "ahead": now + ahead,
        "owner": owner,
        "of_channel": channel,
        "most": most,
        "trying": trying,
        "leaving": list(leaving),
    }
    async with store.single.connect() as connection:
        rows = (await connection.execute(_CLAIM, values)).all()
    return [_waiting(owner, list(of_one)) for _, of_one in groupby(rows, lambda row: row.id)]


def _waiting(owner: str, rows: Sequence[Row[Any]]) -> Waiting:
    first = rows[0]
    return Waiting(
        first.id,
        owner,
        first.handler,
        first.unreachable,
        first.last_message_at,
        first.paced_until,
        list(zip(first.kinds or (), first.sealed or (), strict=True)),
        [row for row in rows if row.message_id is not None],
    )


def reached_at(store: Store, waiting: Waiting) -> Sequence[Address]:
    """The best first. Raises SealBroken."""
    return [Address(kind, store.address.open(value).decode()) for kind, value in waiting.addresses]


def queued(store: Store, waiting: Waiting) -> Sequence[Due]:
    """What is to be sent, in order. Raises SealBroken."""
    return [
        Due(
            row.message_id,
            Kind(row.message_kind),
            Bubble.from_json(store.outbox.open_json(row.message_body)),
            row.message_attempts,
            row.message_error == WINDOW_CLOSED,
        )
        for row in waiting.messages
    ]


async def handled_by(store: Store, waiting: Waiting) -> str | None:
    """Who handles the conversation at this moment, and the lease anew; None when the claim was lost."""
    async with store.single.connect() as connection:
        handler: str | None = await connection.scalar(_HOLD, _holding(store, waiting))
    return handler


async def finish(store: Store, waiting: Waiting, due: Due, verdict: Verdict) -> str | None:
    """Record a try; then as `handled_by`."""
    async with store.single.connect() as connection:
        handler: str | None = await connection.scalar(
            _FINISH, _holding(store, waiting) | _tried(store, waiting, due, verdict)
        )
    return handler


async def finish_last(store: Store, waiting: Waiting, due: Due, verdict: Verdict, used: timedelta) -> bool:
    """Record a try; then as `give_back`."""
    values = _giving_back(store, waiting, verdict.pause, used) | _tried(store, waiting, due, verdict)
    async with store.single.connect() as connection:
        if verdict.unreachable:
            # Before the claim ends, and with it the last moment in which nobody else sends.
            silent = conversations.c.last_message_at.is_not_distinct_from(waiting.last_message_at)
            await mark_unreachable(connection, waiting.conversation, silent)
        more = await connection.scalar(_FINISH_LAST, values)
    return bool(more) and verdict.pause is None


async def give_back(store: Store, waiting: Waiting, pause: timedelta | None, used: timedelta) -> bool:
    """End the claim; whether more is to be sent now. `used` is the pace's time taken up by what was sent."""
    async with store.single.connect() as connection:
        more = await connection.scalar(_GIVE_BACK, _giving_back(store, waiting, pause, used) | {"due": None})
    return bool(more) and pause is None


async def release_held(store: Store, channel: str, since: datetime) -> None:
    """What is held for citizens who have written after `since`: a message that comes the very moment something is held doesn't
    see that it is.
    """
    written = conversations.c.id == outbox.c.conversation, conversations.c.last_message_at > since
    async with store.single.connect() as connection:
        await connection.execute(
            update(outbox)
            .where(is_held, outbox.c.attempts < MOST_TRIES, conversations.c.channel == channel, *written)
            .values(state=State.QUEUED.value)
        )


def _holding(store: Store, waiting: Waiting) -> dict[str, Any]:
    return {"of_conversation": waiting.conversation, "owner": waiting.owner, "until": store.clock() + _LEASE}


def _giving_back(store: Store, waiting: Waiting, pause: timedelta | None, used: timedelta) -> dict[str, Any]:
    now = store.clock()
    return {
        "of_conversation": waiting.conversation,
        "owner": waiting.owner,
        "again": None if pause is None else now + pause,
        "now": now,
        "used": used,
    }


def _tried(store: Store, waiting: Waiting, due: Due, verdict: Verdict) -> dict[str, Any]:
    """A try that the whole channel's trouble cut short isn't counted."""
    counted = verdict.pause is None or verdict.pause > timedelta(0)
    return {
        "due": due.id,
        "heard_at": waiting.last_message_at,
        "new_state": verdict.state.value,
        "new_code": verdict.code,
        "new_error": verdict.error,
        "tries": due.attempts + counted,
        "given_id": verdict.provider_id,
        "at": store.clock() if verdict.provider_id else None,
    }
