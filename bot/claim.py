"""A claim: the right to work on one conversation, for as long as its lease runs."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import or_, select, update

from bot.store import Store
from bot.tables import conversations, inbox
from bot.turn import Stored

__all__ = ["LEASE", "Claim", "claim", "release", "renew", "unanswered"]

LEASE = timedelta(seconds=60)
"""longer than fetching a file and Rasa's time-out together"""
_BURST = 10
"""messages answered together; more of them are the next claim's"""


@dataclass(frozen=True)
class Claim:
    conversation: uuid.UUID
    channel: str
    owner: str
    handler: str
    attempts: int
    troubled: bool


async def claim(store: Store, owner: str, channels: Iterable[str]) -> Claim | None:
    """The conversation whose oldest unanswered message is the oldest, among those nobody works on."""
    now = store.clock()
    table = conversations.c
    oldest = (
        select(table.id)
        .select_from(inbox.join(conversations, table.id == inbox.c.conversation))
        .where(
            inbox.c.answered_at.is_(None),
            table.channel.in_(channels),
            or_(table.lease_until.is_(None), table.lease_until < now),
            or_(table.retry_at.is_(None), table.retry_at <= now),
        )
        .order_by(inbox.c.id)
        .limit(1)
        .with_for_update(of=conversations, skip_locked=True)
        .scalar_subquery()
    )
    async with store.single.connect() as connection:
        row = (
            await connection.execute(
                update(conversations)
                .where(table.id == oldest)
                .values(leased_by=owner, lease_until=now + LEASE)
                .returning(table.id, table.channel, table.handler, table.attempts, table.troubled)
            )
        ).first()
    return None if row is None else Claim(row.id, row.channel, owner, row.handler, row.attempts, row.troubled)


async def unanswered(store: Store, claim: Claim) -> Sequence[Stored]:
    """The conversation's messages in the order they were written, a burst of them."""
    table = inbox.c
    async with store.single.connect() as connection:
        rows = await connection.execute(
            select(
                table.id,
                table.channel,
                table.external_id,
                table.conversation,
                table.raw,
                table.sent_at,
                table.received_at,
            )
            .where(table.conversation == claim.conversation, table.answered_at.is_(None))
            .order_by(table.id)
            .limit(_BURST)
        )
        stored = [Stored(*row) for row in rows]
    # Providers don't promise to deliver in order; what arrived together can still be put right.
    return sorted(stored, key=lambda message: (message.sent_at or message.received_at, message.id))


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


async def release(store: Store, claim: Claim) -> None:
    """Give the conversation back as it was."""
    async with store.single.connect() as connection:
        await connection.execute(
            update(conversations)
            .where(conversations.c.id == claim.conversation, conversations.c.leased_by == claim.owner)
            .values(leased_by=None, lease_until=None)
        )
