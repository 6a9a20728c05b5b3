"""Updates that name no sender, so belong to no conversation: statuses, address changes, and what can't be read."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Mapping
from datetime import timedelta

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.channel import AddressChange, Channel, Delivery, Event, Ignored, Message
from bot.fault import fault
from bot.metrics import Metrics
from bot.store import Store
from bot.tables import inbox
from bot.turn import Outcome
from bot.updates import note

__all__ = ["note_unaddressed"]

_BATCH = 500
_EARLY = timedelta(minutes=1)
"""how long a status may be ahead of our own record of the message"""
_logger = logging.getLogger(__name__)


async def note_unaddressed(store: Store, channels: Mapping[str, Channel], metrics: Metrics) -> bool:
    """Deal with a batch in one transaction; whether anything was done. Each update is looked at by one process only."""
    table = inbox.c
    results: dict[tuple[Outcome, str | None], list[int]] = defaultdict(list)
    async with store.engine.begin() as connection:
        waiting = await connection.execute(
            select(table.id, table.channel, table.raw, table.received_at)
            .where(table.answered_at.is_(None), table.conversation.is_(None), table.channel.in_(channels))
            .order_by(table.id)
            .limit(_BATCH)
            .with_for_update(skip_locked=True)
        )
        read = [(row, _read(store, channels[row.channel], row.raw)) for row in waiting.all()]
        # First those that wait for whoever else brings in addresses: nothing is locked yet that these may wait for.
        read.sort(key=lambda pair: not isinstance(pair[1], AddressChange))
        for (row, channel, _, received_at), event in read:
            early = received_at > store.clock() - _EARLY
            result = await _note(connection, store, channel, event, early=early)
            if result is None:
                continue
            if result[0] is Outcome.UNREADABLE:
                metrics.unreadable.labels(channel).inc()
                _logger.warning("inbox %d of %s can't be read: %s", row, channel, result[1])
            results[result].append(row)
        for (outcome, error), ids in results.items():
            await connection.execute(
                update(inbox)
                .where(table.id.in_(ids))
                .values(answered_at=store.clock(), outcome=outcome.value, error=error)
            )
    return bool(results)


def _read(store: Store, channel: Channel, raw: bytes) -> Event | Exception:
    try:
        return channel.parse(store.open_raw(raw))
    except Exception as error:
        return error


async def _note(
    connection: AsyncConnection, store: Store, channel: str, event: Event | Exception, *, early: bool
) -> tuple[Outcome, str | None] | None:
    """None for an update that is looked at again, since what it is about may not be recorded yet."""
    match event:
        case Exception():
            return Outcome.UNREADABLE, fault(event)
        case Delivery() | AddressChange():
            if await note(connection, store, channel, event):
                return Outcome.NOTED, None
            return None if early else (Outcome.IGNORED, "about nothing we know")
        case Ignored(reason):
            return Outcome.IGNORED, reason
        case Message():
            return Outcome.UNREADABLE, "a message without a sender"
