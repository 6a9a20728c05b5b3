"""The outbox: what is to be sent, and how far it got."""

from __future__ import annotations

import enum
import uuid
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, case, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.channel import Delivery, DeliveryState
from bot.notices import OUTBOX
from bot.reply import Bubble
from bot.store import Store
from bot.tables import conversations, outbox

__all__ = ["Kind", "State", "add", "choice_sent", "enqueue", "note_delivery"]


class Kind(enum.StrEnum):
    BOT = "bot"
    NOTIFICATION = "notification"
    OFFICER = "officer"


class State(enum.StrEnum):
    HELD = "held"
    """outside the window: goes out when the citizen writes again"""
    QUEUED = "queued"
    WITHHELD = "withheld"
    """the bot's, but an officer had taken over before it was sent"""
    SENT = "sent"
    FAILED = "failed"
    DELIVERED = "delivered"
    READ = "read"


_BEFORE = {
    DeliveryState.SENT: (State.QUEUED,),
    DeliveryState.FAILED: (State.QUEUED, State.SENT),
    DeliveryState.DELIVERED: (State.QUEUED, State.SENT, State.FAILED),
    DeliveryState.READ: (State.QUEUED, State.SENT, State.FAILED, State.DELIVERED),
}
"""the states each may follow"""


_ADD = insert(outbox)


async def enqueue(
    connection: AsyncConnection, store: Store, conversation: uuid.UUID, kind: Kind, bubbles: Iterable[Bubble]
) -> None:
    """Add to the outbox within the caller's transaction, and wake the senders once it is done."""
    await add(connection, store, conversation, kind, bubbles)
    await connection.execute(select(func.pg_notify(OUTBOX, "")))


async def add(
    connection: AsyncConnection,
    store: Store,
    conversation: uuid.UUID,
    kind: Kind,
    bubbles: Iterable[Bubble],
    *,
    message: int | None = None,
) -> None:
    """Add to the outbox; whoever calls wakes the senders. `message` is the inbox row that it answers."""
    rows: list[dict[str, Any]] = [
        {
            "conversation": conversation,
            "inbox": message,
            "kind": kind.value,
            "body": store.outbox.seal_json(bubble.to_json()),
            "created_at": store.clock(),
        }
        for bubble in bubbles
    ]
    if rows:
        await connection.execute(_ADD, rows)


async def choice_sent(store: Store, conversation: uuid.UUID, outbox_id: int, index: int) -> str | None:
    """The choice that a tap on our `OUTBOX_ID:INDEX` means; None when it wasn't offered in this conversation."""
    if not 0 < outbox_id < 2**63:
        return None
    async with store.single.connect() as connection:
        body = await connection.scalar(
            select(outbox.c.body).where(outbox.c.id == outbox_id, outbox.c.conversation == conversation)
        )
    if body is None:
        return None
    choices = Bubble.from_json(store.outbox.open_json(body)).choices
    return choices[index].id if 0 <= index < len(choices) else None


async def note_delivery(connection: AsyncConnection, channel: str, delivery: Delivery) -> bool:
    """Record a provider's word; whether it was about a message of ours. A state never moves backwards.

    A message whose sending timed out has no provider id, and is known by its tag.
    """
    table = outbox.c
    moves = table.state.in_(_BEFORE.get(delivery.state, ()))
    about = table.provider_id == delivery.provider_id
    if delivery.tag and delivery.tag.isascii() and delivery.tag.isdigit() and len(delivery.tag) < 19:
        about = or_(about, table.provider_id.is_(None) & (table.id == int(delivery.tag)))
    arrived = delivery.state >= DeliveryState.DELIVERED
    changed = await connection.execute(
        update(outbox)
        .where(about, table.conversation.in_(select(conversations.c.id).where(conversations.c.channel == channel)))
        .values(
            state=case((moves, delivery.state.name.lower()), else_=table.state),
            provider_id=delivery.provider_id,
            sent_at=_first(table.sent_at, delivery.at),
            delivered_at=_first(table.delivered_at, delivery.at) if arrived else table.delivered_at,
            read_at=_first(table.read_at, delivery.at) if delivery.state is DeliveryState.READ else table.read_at,
            error_code=case((moves, delivery.error_code), else_=table.error_code),
            error=case((moves, delivery.error), else_=table.error),
            billable=table.billable if delivery.billable is None else delivery.billable,
        )
    )
    return changed.rowcount > 0


def _first(column: ColumnElement[datetime], at: datetime) -> ColumnElement[datetime]:
    return func.coalesce(column, at)
