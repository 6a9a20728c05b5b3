"""What the provider says of our messages and of a citizen's addresses: updates that nobody waits an answer to."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta

from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.channel import PHONE, Address, AddressChange, Delivery
from bot.desk.joining import hand_on
from bot.fingerprints import renew_fingerprints
from bot.inbox import lock_addresses
from bot.outbox import note_delivery
from bot.phones import hand_on_phones, prove, unprove
from bot.store import Store, clean
from bot.tables import (
    addresses,
    attachments,
    conversations,
    followed_filings,
    handoffs,
    inbox,
    links,
    outbox,
)

__all__ = ["note"]

_FRESH = timedelta(hours=1)


async def note(connection: AsyncConnection, store: Store, channel: str, event: Delivery | AddressChange) -> bool:
    """Record it within the caller's transaction; false when it is about something we don't know (yet)."""
    if isinstance(event, Delivery):
        return await note_delivery(connection, store, channel, event)
    return await _note_address(connection, store, channel, event)


async def _note_address(connection: AsyncConnection, store: Store, channel: str, change: AddressChange) -> bool:
    """The new address is one more of the same person.

    A message from the new address may have come before this, and has opened a conversation: that one is joined in. But
    a conversation that is older belongs to whoever had the address before, and only loses it.
    """
    await lock_addresses(connection, channel)
    both = [store.fingerprints(channel, change.old), store.fingerprints(channel, change.new)]
    await renew_fingerprints(connection, addresses, both, addresses.c.channel == channel)
    owner = await _owner(connection, store, channel, change.old)
    if owner is None:
        return False
    other = await _owner(connection, store, channel, change.new)
    if other is not None and other != owner:
        created = await connection.scalar(
            select(conversations.c.created_at).where(conversations.c.id == other).with_for_update()
        )
        if created and created > store.clock() - _FRESH:
            await _join(connection, other, owner, store.clock())
    if change.new.kind == PHONE:
        await unprove(connection, store, change.new.value)
        await prove(connection, store, owner, change.new.value, shared=False)
    statement = upsert(addresses).values(
        conversation=owner,
        channel=channel,
        kind=change.new.kind,
        fingerprint=store.fingerprint(channel, change.new),
        value=store.address.seal(clean(change.new.value).encode()),
    )
    await connection.execute(
        statement.on_conflict_do_update(
            index_elements=["channel", "kind", "fingerprint"], set_={"conversation": statement.excluded.conversation}
        )
    )
    return True


async def _owner(connection: AsyncConnection, store: Store, channel: str, address: Address) -> uuid.UUID | None:
    table = addresses.c
    owner: uuid.UUID | None = await connection.scalar(
        select(table.conversation).where(
            table.channel == channel,
            table.kind == address.kind,
            table.fingerprint == store.fingerprint(channel, address),
        )
    )
    return owner


async def _join(connection: AsyncConnection, fresh: uuid.UUID, into: uuid.UUID, at: datetime) -> None:
    """A worker that is just busy with `fresh` loses its lease by this, and its messages are answered in `into`."""
    await hand_on_phones(connection, fresh, into)
    for table in (addresses, inbox, outbox, attachments, handoffs, links, followed_filings):
        await connection.execute(update(table).where(table.c.conversation == fresh).values(conversation=into))
    await hand_on(connection, fresh, into, at)
    gone = delete(conversations).where(conversations.c.id == fresh)
    left = (await connection.execute(gone.returning(conversations.c.last_message_at, conversations.c.erase_at))).one()
    await connection.execute(
        update(conversations)
        .where(conversations.c.id == into)
        .values(
            last_message_at=func.greatest(conversations.c.last_message_at, left.last_message_at),
            erase_at=func.coalesce(conversations.c.erase_at, left.erase_at),
        )
    )
