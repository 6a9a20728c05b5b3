"""How far agents' messages got, told to Chatwoot, which shows it beside them and knows nothing of it by itself."""

from __future__ import annotations

import logging
from datetime import timedelta

from sqlalchemy import select, update

from bot.desk.chatwoot.client import Chatwoot, ChatwootFailed, ChatwootRefused
from bot.desk.room import DeskRoom
from bot.desk.transcript import why_failed
from bot.outbox import State
from bot.tables import chatwoot_deliveries, outbox

__all__ = ["tell_receipts"]

_TOLD = {
    State.SENT: "sent",
    State.DELIVERED: "delivered",
    State.READ: "read",
    State.FAILED: "failed",
}
_AT_ONCE = 20
_STILL_CHANGING = timedelta(days=7)
_logger = logging.getLogger(__name__)
_d, _o = chatwoot_deliveries.c, outbox.c


async def tell_receipts(room: DeskRoom, chatwoot: Chatwoot) -> bool:
    """Whether there was something to tell. What Chatwoot refuses isn't tried again; what it can't take now is, later."""
    statement = (
        select(_d.message, _d.number, _o.state, _o.error, _o.error_code)
        .join(outbox, _o.id == _d.outbox)
        .where(
            _d.received_at > room.store.clock() - _STILL_CHANGING,
            _o.state.in_([state.value for state in _TOLD]),
            _o.state.is_distinct_from(_d.told),
        )
        .order_by(_d.message)
        .limit(_AT_ONCE)
    )
    async with room.store.single.connect() as connection:
        rows = (await connection.execute(statement)).all()
        for row in rows:
            state = State(row.state)
            why = why_failed(room, row.error, row.error_code) if state is State.FAILED else None
            try:
                await chatwoot.mark(row.number, row.message, _TOLD[state], why)
            except ChatwootRefused as refused:
                # Versions before 4.2 don't have it, and an agent may have deleted the message.
                _logger.info("Chatwoot doesn't take the state of a message: %s", refused)
            except ChatwootFailed as failed:
                _logger.warning("Chatwoot didn't take the state of a message: %s", failed)
                return False
            await connection.execute(
                update(chatwoot_deliveries).where(_d.message == row.message).values(told=state.value)
            )
    return bool(rows)
