"""The outbox: what is to be sent, and how far it got."""

from __future__ import annotations

import enum
import uuid
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Text, and_, case, cast, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.channel import Delivery, DeliveryState, SendFailure
from bot.halts import end_halt, halt
from bot.notices import CHANGED, OUTBOX
from bot.reply import Bubble, Choice
from bot.store import Store
from bot.tables import conversations, is_queued, outbox

__all__ = [
    "MOST_TRIES",
    "WINDOW_CLOSED",
    "Kind",
    "State",
    "add",
    "choice_sent",
    "enqueue",
    "mark_unreachable",
    "note_delivery",
]

MOST_TRIES = 12
WINDOW_CLOSED = SendFailure.WINDOW_CLOSED.value
"""As the `error` of a failed message it is what the desk sees; of a queued one, that only its template may go."""


class Kind(enum.StrEnum):
    BOT = "bot"
    NOTIFICATION = "notification"
    OFFICER = "officer"
    DESK = "desk"
    """of the hand-off itself: the place in the queue, that it has ended"""


class State(enum.StrEnum):
    HELD = "held"
    """outside the window: goes out when the citizen writes again"""
    QUEUED = "queued"
    WITHHELD = "withheld"
    """the bot's, but the conversation was handed over before it was sent"""
    SENT = "sent"
    FAILED = "failed"
    DELIVERED = "delivered"
    READ = "read"


_BEFORE = {
    DeliveryState.SENT: (State.QUEUED,),
    DeliveryState.FAILED: (State.QUEUED, State.SENT),
    # What was withheld while it was being sent may have got through.
    DeliveryState.DELIVERED: (State.QUEUED, State.WITHHELD, State.SENT, State.FAILED),
    DeliveryState.READ: (State.QUEUED, State.WITHHELD, State.SENT, State.FAILED, State.DELIVERED),
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
    officer: str | None = None,
    form: uuid.UUID | None = None,
) -> None:
    """Add to the outbox what answers no message; whoever calls wakes the senders. `officer` is who wrote, by which form."""
    rows: list[dict[str, Any]] = [
        {
            "conversation": conversation,
            "kind": kind.value,
            "officer": officer,
            "form": None if position else form,
            "body": store.outbox.seal_json(bubble.to_json()),
            "created_at": store.clock(),
        }
        for position, bubble in enumerate(bubbles)
    ]
    if rows:
        await connection.execute(_ADD, rows)


async def choice_sent(store: Store, conversation: uuid.UUID, outbox_id: int, index: int) -> Choice | None:
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
    return choices[index] if 0 <= index < len(choices) else None


async def note_delivery(connection: AsyncConnection, store: Store, channel: str, delivery: Delivery) -> bool:
    """Record a provider's word; whether it was about a message of ours. A state never moves backwards.

    A message whose sending timed out has no provider id, and is known by its tag.
    """
    table = outbox.c
    about = table.provider_id == delivery.provider_id
    if delivery.tag and delivery.tag.isascii() and delivery.tag.isdigit() and len(delivery.tag) < 19:
        about = or_(about, table.provider_id.is_(None) & (table.id == int(delivery.tag)))
    about = and_(about, table.conversation.in_(select(conversations.c.id).where(conversations.c.channel == channel)))
    closed = delivery.state is DeliveryState.FAILED and delivery.failure is SendFailure.WINDOW_CLOSED
    if closed and await _keep(connection, store, about, delivery):
        return True
    failure = delivery.failure if delivery.state is DeliveryState.FAILED else None
    if failure is SendFailure.OPERATOR and await _send_anew(connection, about, delivery):
        await halt(connection, store, channel, delivery.error_code)
        return True
    arrived = delivery.state >= DeliveryState.DELIVERED
    moves: ColumnElement[bool] = table.state.in_(_BEFORE.get(delivery.state, ()))
    if not arrived:
        # Queued in spite of a provider id: refused and to be sent anew. What is said of the old try is overtaken.
        moves = and_(moves, or_(table.state != State.QUEUED.value, table.provider_id.is_(None)))
    changed = await connection.execute(
        update(outbox)
        .where(about)
        .values(
            state=case((moves, delivery.state.name.lower()), else_=table.state),
            provider_id=delivery.provider_id,
            sent_at=_first(table.sent_at, delivery.at),
            delivered_at=_first(table.delivered_at, delivery.at) if arrived else table.delivered_at,
            read_at=_first(table.read_at, delivery.at) if delivery.state is DeliveryState.READ else table.read_at,
            error_code=case((moves, delivery.error_code), else_=table.error_code),
            error=case((moves, WINDOW_CLOSED if closed else delivery.error), else_=table.error),
            billable=table.billable if delivery.billable is None else delivery.billable,
        )
        .returning(
            table.conversation, table.sent_at, table.state, func.pg_notify(CHANGED, cast(table.conversation, Text))
        )
    )
    rows = changed.all()
    for row in rows:
        if arrived:
            await end_halt(connection, channel, row.sent_at)
        elif failure is SendFailure.RECIPIENT and row.state == State.FAILED.value:
            await _note_unreachable(connection, row.conversation, row.sent_at)
    return bool(rows)


async def _send_anew(connection: AsyncConnection, about: ColumnElement[bool], delivery: Delivery) -> bool:
    """What was taken and then refused for the whole channel's trouble waits for its end, and the try isn't counted."""
    table = outbox.c
    again = await connection.execute(
        update(outbox)
        .where(about, table.body.is_not(None))
        .where(
            or_(
                table.state == State.SENT.value,
                and_(table.state == State.QUEUED.value, table.provider_id.is_(None)),
            )
        )
        .values(
            state=State.QUEUED.value,
            provider_id=delivery.provider_id,
            sent_at=None,
            attempts=func.greatest(table.attempts - 1, 0),
            error_code=delivery.error_code,
            error=delivery.error,
        )
    )
    return again.rowcount > 0


async def mark_unreachable(connection: AsyncConnection, conversation: uuid.UUID, silent: ColumnElement[bool]) -> None:
    """Where the citizen is `silent` since, nothing more is tried until they write."""
    marked = await connection.execute(
        update(conversations).where(conversations.c.id == conversation, silent).values(unreachable=True)
    )
    if marked.rowcount:
        await connection.execute(
            update(outbox)
            .where(outbox.c.conversation == conversation, is_queued)
            .values(state=State.FAILED.value, error=SendFailure.RECIPIENT.value)
        )


async def _note_unreachable(connection: AsyncConnection, conversation: uuid.UUID, sent_at: datetime) -> None:
    """Unless the citizen has written since: then they can be reached, whatever became of that message.

    Others hold a conversation while they wait for its messages, of which we hold some: it isn't waited for, and the next
    refusal marks it.
    """
    table = conversations.c
    silent = or_(table.last_message_at.is_(None), table.last_message_at <= sent_at)
    free = select(table.id).where(table.id == conversation, silent).with_for_update(skip_locked=True, key_share=True)
    await mark_unreachable(connection, conversation, table.id.in_(free))


async def _keep(connection: AsyncConnection, store: Store, about: ColumnElement[bool], delivery: Delivery) -> bool:
    """A notification that was refused late, the window being closed, isn't lost: whether it was one.

    It goes as its template; without one it is held until the citizen writes, or goes again if they have since.
    """
    table = outbox.c
    row = (
        await connection.execute(
            select(table.id, table.body, table.sent_at, conversations.c.last_message_at)
            .join(conversations, conversations.c.id == table.conversation)
            .where(about, table.kind == Kind.NOTIFICATION.value, table.attempts < MOST_TRIES, table.body.is_not(None))
            .where(
                or_(
                    table.state == State.SENT.value,
                    and_(table.state == State.QUEUED.value, table.provider_id.is_(None)),
                )
            )
            .with_for_update(of=outbox)
        )
    ).first()
    if row is None:
        return False
    heard_since = bool(row.last_message_at and row.last_message_at > (row.sent_at or delivery.at))
    as_template = not heard_since and Bubble.from_json(store.outbox.open_json(row.body)).template is not None
    await connection.execute(
        update(outbox)
        .where(table.id == row.id)
        .values(
            state=(State.QUEUED if heard_since or as_template else State.HELD).value,
            provider_id=delivery.provider_id,
            sent_at=None,
            error_code=delivery.error_code,
            error=WINDOW_CLOSED if as_template else None,
        )
    )
    await connection.execute(select(func.pg_notify(OUTBOX, "")))
    return True


def _first(column: ColumnElement[datetime], at: datetime) -> ColumnElement[datetime]:
    return func.coalesce(column, at)
