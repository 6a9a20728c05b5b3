"""Halts: a channel whose provider takes messages and refuses them afterwards, for a reason that an operator must mend.

While one lasts, a message a minute is sent to try; the first that arrives ends it. The others wait in the outbox.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import DateTime, Text, bindparam, delete, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store import Store
from bot.tables import halts

__all__ = ["end_halt", "halt", "halted_until", "put_off"]

_PAUSE = timedelta(minutes=1)
_OF_CHANNEL = select(halts.c.until, halts.c.code).where(halts.c.channel == bindparam("of_channel", type_=Text))
_PUT_OFF = (
    update(halts)
    .where(halts.c.channel == bindparam("of_channel", type_=Text))
    .values(until=bindparam("again", type_=DateTime(timezone=True)))
)


async def halt(connection: AsyncConnection, store: Store, channel: str, code: int | None) -> None:
    now = store.clock()
    statement = upsert(halts).values(channel=channel, code=code, since=now, until=now + _PAUSE)
    await connection.execute(
        statement.on_conflict_do_update(
            index_elements=["channel"], set_={"code": statement.excluded.code, "until": statement.excluded.until}
        )
    )


async def end_halt(connection: AsyncConnection, channel: str, sent_at: datetime) -> None:
    """A message that was sent since has arrived."""
    await connection.execute(delete(halts).where(halts.c.channel == channel, halts.c.since < sent_at))


async def halted_until(store: Store, channel: str) -> tuple[datetime, int | None] | None:
    """When the next message may try, and the provider's code; None when nothing is the matter."""
    async with store.single.connect() as connection:
        row = (await connection.execute(_OF_CHANNEL, {"of_channel": channel})).first()
    if row is None:
        return None
    # One that is further off than any is set was set before the clock went back.
    now = store.clock()
    return (row.until if row.until <= now + _PAUSE else now, row.code)


async def put_off(store: Store, channel: str) -> None:
    """One is trying now."""
    async with store.single.connect() as connection:
        await connection.execute(_PUT_OFF, {"of_channel": channel, "again": store.clock() + _PAUSE})
