"""The sender's side of the outbox: which conversation is due, and what became of each message."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import case, func, or_, select, update

from bot.channel import Address
from bot.notices import CHANGED
from bot.outbox import Kind, State
from bot.reply import Bubble
from bot.store import Store
from bot.tables import addresses, conversations, is_queued, outbox

__all__ = ["Due", "Verdict", "Waiting", "claim_waiting", "finish", "give_back", "handled_by", "queued"]

_LEASE = timedelta(seconds=90)
"""longer than one message takes to be sent or to time out; each message begins it anew"""


@dataclass(frozen=True)
class Waiting:
    """A claimed conversation that something is to be sent to."""

    conversation: uuid.UUID
    owner: str
    handler: str
    unreachable: bool
    last_message_at: datetime | None
    paced_until: datetime | None
    addresses: Sequence[Address]


@dataclass(frozen=True)
class Due:
    id: int
    kind: Kind
    bubble: Bubble
    attempts: int


@dataclass(frozen=True)
class Verdict:
    """What became of a try. `pause` ends the claim and keeps this conversation's queue waiting so long."""

    state: State
    code: int | None = None
    error: str | None = None
    provider_id: str | None = None
    pause: timedelta | None = None
    unreachable: bool = False


async def claim_waiting(store: Store, owner: str, channel: str, ahead: timedelta) -> Waiting | None:
    """The conversation with the oldest queued message that nobody is sending to; `ahead` is how far its pace may be
    overdrawn.
    """
    now = store.clock()
    table = conversations.c
    oldest = (
        select(table.id)
        .select_from(outbox.join(conversations, table.id == outbox.c.conversation))
        .where(
            is_queued,
            table.channel == channel,
            or_(table.send_lease_until.is_(None), table.send_lease_until < now),
            or_(table.send_after.is_(None), table.send_after <= now),
            or_(table.paced_until.is_(None), table.paced_until <= now + ahead),
        )
        .order_by(outbox.c.id)
        .limit(1)
        .with_for_update(of=conversations, skip_locked=True)
        .scalar_subquery()
    )
    async with store.single.connect() as connection:
        row = (
            await connection.execute(
                update(conversations)
                .where(table.id == oldest)
                .values(send_leased_by=owner, send_lease_until=now + _LEASE)
                .returning(table.id, table.handler, table.unreachable, table.last_message_at, table.paced_until)
            )
        ).first()
        if row is None:
            return None
        known = await connection.execute(
            select(addresses.c.kind, addresses.c.value)
            .where(addresses.c.conversation == row.id)
            .order_by(addresses.c.id.desc())
        )
        reached = [Address(kind, store.address.open(value).decode()) for kind, value in known]
    return Waiting(row.id, owner, row.handler, row.unreachable, row.last_message_at, row.paced_until, reached)


async def queued(store: Store, waiting: Waiting, *, limit: int) -> Sequence[Due]:
    table = outbox.c
    async with store.single.connect() as connection:
        rows = await connection.execute(
            select(table.id, table.kind, table.body, table.attempts)
            .where(table.conversation == waiting.conversation, is_queued)
            .order_by(table.id)
            .limit(limit)
        )
        return [
            Due(row.id, Kind(row.kind), Bubble.from_json(store.outbox.open_json(row.body)), row.attempts)
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
    """Record a try. A status that came before is not overwritten: it knows more than we do."""
    table = outbox.c
    now = store.clock()
    known: dict[str, object] = {"error_code": verdict.code, "error": verdict.error}
    if verdict.provider_id is not None:
        known = {
            "provider_id": func.coalesce(table.provider_id, verdict.provider_id),
            "sent_at": func.coalesce(table.sent_at, now),
        }
    async with store.single.connect() as connection:
        await connection.execute(
            update(outbox)
            .where(table.id == due.id)
            .values(
                state=case((is_queued, verdict.state.value), else_=table.state),
                attempts=due.attempts + (verdict.pause is None or verdict.pause > timedelta(0)),
                **known,
            )
            .returning(func.pg_notify(CHANGED, str(waiting.conversation)))
        )
        if verdict.unreachable:
            await connection.execute(
                update(conversations).where(conversations.c.id == waiting.conversation).values(unreachable=True)
            )
            await connection.execute(
                update(outbox)
                .where(table.conversation == waiting.conversation, is_queued)
                .values(state=State.FAILED.value, error="recipient")
            )


async def give_back(store: Store, waiting: Waiting, pause: timedelta | None, used: timedelta) -> None:
    """End the claim; `used` is the pace's time taken up by what was sent."""
    now = store.clock()
    table = conversations.c
    async with store.single.connect() as connection:
        await connection.execute(
            update(conversations)
            .where(table.id == waiting.conversation, table.send_leased_by == waiting.owner)
            .values(
                send_leased_by=None,
                send_lease_until=None,
                send_after=None if pause is None else now + pause,
                paced_until=func.greatest(table.paced_until, now) + used,
            )
        )
