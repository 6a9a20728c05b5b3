"""A claim: the right to work on one conversation, for as long as its lease runs.

The statements are built once: building them anew costs as much as running them.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

from sqlalchemy import (
    ARRAY,
    DateTime,
    Interval,
    Row,
    Text,
    and_,
    any_,
    bindparam,
    case,
    func,
    literal,
    select,
    true,
    update,
)

from bot.lease import is_as_seen, is_over, seen
from bot.phones import linked_to
from bot.store import ON_DISK_WITH_THE_NEXT, Store
from bot.tables import conversations, inbox
from bot.turn import Stored

__all__ = ["LEASE", "LONGEST_PAUSE", "Claim", "claim", "release", "renew"]

LEASE = timedelta(seconds=60)
"""longer than fetching a file and Rasa's time-out together"""
LONGEST_PAUSE = timedelta(minutes=2)
"""for which a conversation is left alone"""
_BURST = 10
"""messages answered together; more of them are the next claim's"""
_FEW = 3
_MINUTE = timedelta(minutes=1)
_HANDICAP = timedelta(seconds=2)
_MOST_HELD_AGAINST = 30
"""Who writes more than a few messages at once lets others go first, by so much for each of them, a minute at most: many who
write much can't push aside one who writes little, and nobody waits for ever.
"""


@dataclass(frozen=True)
class Claim:
    conversation: uuid.UUID
    channel: str
    owner: str
    handler: str
    attempts: int
    troubled: bool
    flood_step: int
    flood_until: datetime | None
    linked: Sequence[uuid.UUID]
    """the other conversations of the same number, the latest proved first"""
    hasty: int
    """messages of the last minute written without waiting for the answer to the one before, of the last few"""
    waiting: int
    """messages that aren't answered, of the last few"""
    messages: Sequence[Stored]
    """those that aren't answered, in the order they were written, a burst of them"""


_now = bindparam("now", type_=DateTime(timezone=True))
_waiting = (
    select(
        inbox.c.conversation,
        func.min(inbox.c.id).label("oldest"),
        func.min(inbox.c.received_at).label("since"),
        func.count().label("messages"),
    )
    .where(inbox.c.answered_at.is_(None), inbox.c.conversation.is_not(None))
    .group_by(inbox.c.conversation)
    .subquery()
)
_served = case((conversations.c.served_at > _now, _now), else_=conversations.c.served_at)
_since = func.greatest(_waiting.c.since, _served)
"""Whoever was just answered stands behind those who wait: a backlog of one person's is no earlier than anybody else's."""
_handicap = func.least(func.greatest(_waiting.c.messages - _FEW, 0), _MOST_HELD_AGAINST) * literal(_HANDICAP, Interval)
_free = (
    select(conversations.c.id)
    .join(_waiting, _waiting.c.conversation == conversations.c.id)
    .join(seen, is_as_seen)
    .where(
        conversations.c.channel == any_(bindparam("channels", type_=ARRAY(Text))),
        is_over(conversations.c.lease_until, _now, LEASE),
        is_over(conversations.c.retry_at, _now, LONGEST_PAUSE),
    )
    .order_by(_since + _handicap, _waiting.c.oldest)
    .limit(bindparam("most"))
    .with_for_update(of=conversations, skip_locked=True, key_share=True)
)
_CLAIMED = ("channel", "handler", "attempts", "troubled", "flood_step", "flood_until")
_claimed = (
    update(conversations)
    # An array is made once; the planner may run a mere sub-select, and so lock, more than once.
    .where(conversations.c.id == any_(func.array(_free.scalar_subquery())))
    .values(leased_by=bindparam("owner"), lease_until=bindparam("until"))
    .returning(conversations.c.id, *(conversations.c[name] for name in _CLAIMED))
    .cte("claimed")
)
_written = (
    select(
        func.least(func.coalesce(inbox.c.sent_at, inbox.c.received_at), inbox.c.received_at).label("at"),
        inbox.c.received_at,
        inbox.c.answered_at,
        # In the order of the rows asked for, so that no more of them are read, however many there are.
        func.lead(inbox.c.answered_at).over(order_by=inbox.c.id.desc()).label("before_answered_at"),
    )
    .where(inbox.c.conversation == _claimed.c.id)
    .order_by(inbox.c.id.desc())
    .limit(bindparam("few"))
    .correlate(_claimed)
    .subquery()
)
_hasty = and_(
    _written.c.at > _now - _MINUTE,
    func.coalesce(_written.c.before_answered_at, _now) > _written.c.received_at,
)
_counted = (
    select(
        func.count().filter(_hasty).label("hasty"),
        func.count().filter(_written.c.answered_at.is_(None)).label("waiting"),
    )
    .select_from(_written)
    .lateral("counted")
)
_earlier = inbox.alias("earlier")
_last_answered = (
    select(_earlier.c.answered_at)
    .where(_earlier.c.conversation == _claimed.c.id, _earlier.c.answered_at.is_not(None))
    .order_by(_earlier.c.id.desc())
    .limit(1)
    .correlate(_claimed)
    .scalar_subquery()
)
_STORED = ("id", "channel", "external_id", "conversation", "raw", "sent_at", "received_at")
_message = (
    select(
        *(inbox.c[name].label(f"message_{name}") for name in _STORED),
        func.coalesce(inbox.c.received_at < _last_answered, False).label("message_early"),
    )
    .where(inbox.c.conversation == _claimed.c.id, inbox.c.answered_at.is_(None))
    .order_by(inbox.c.id)
    .limit(_BURST)
    .lateral("message")
)
_CLAIM = (
    select(
        _claimed,
        func.array(linked_to(_claimed.c.id, _now).scalar_subquery()).label("linked"),
        _counted,
        _message,
        # Lost with the machine, it is made anew: until an answer is on disk too, nothing of it has reached anybody.
        ON_DISK_WITH_THE_NEXT,
    )
    .select_from(_claimed.join(_counted, true()).join(_message, true(), isouter=True))
    .order_by(_claimed.c.id, _message.c.message_id)
)


async def claim(store: Store, owner: str, channels: Iterable[str], most: int, *, few: int) -> Sequence[Claim]:
    """The conversations that have waited longest, among those nobody works on. Of each the last `few` messages are counted."""
    now = store.clock()
    values = {"now": now, "until": now + LEASE, "owner": owner, "channels": list(channels), "most": most, "few": few}
    async with store.single.connect() as connection:
        rows = (await connection.execute(_CLAIM, values)).all()
    return [_read(owner, list(of_one)) for _, of_one in groupby(rows, lambda row: row.id)]


def _read(owner: str, rows: Sequence[Row[Any]]) -> Claim:
    first = rows[0]._mapping
    messages = [
        Stored(**{name: row._mapping[f"message_{name}"] for name in (*_STORED, "early")})
        for row in rows
        if row.message_id is not None
    ]
    # Providers don't promise to deliver in order; what arrived together can still be put right.
    messages.sort(key=lambda message: (message.sent_at or message.received_at, message.id))
    return Claim(
        **{name: first[name] for name in (*_CLAIMED, "linked", "hasty", "waiting")},
        conversation=first["id"],
        owner=owner,
        messages=messages,
    )


async def renew(store: Store, claim: Claim) -> str | None:
    """Extend the lease; who handles the conversation now, or None when the claim was lost."""
    async with store.single.connect() as connection:
        handler: str | None = await connection.scalar(
            update(conversations)
            .where(conversations.c.id == claim.conversation, conversations.c.leased_by == claim.owner)
            .values(lease_until=store.clock() + LEASE)
            .returning(conversations.c.handler)
        )
    return handler


async def release(store: Store, claim: Claim, until: datetime | None = None) -> None:
    """Give the conversation back as it was; nobody takes it before `until`."""
    pause = {} if until is None else {"retry_at": until}
    async with store.single.connect() as connection:
        await connection.execute(
            update(conversations)
            .where(conversations.c.id == claim.conversation, conversations.c.leased_by == claim.owner)
            .values(leased_by=None, lease_until=None, **pause)
        )
