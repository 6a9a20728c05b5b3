"""Receive: every raw update of a verified request becomes a row, before anything about it can fail."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ARRAY, Boolean, DateTime, Text, Uuid, any_, bindparam, func, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.channel import PHONE, Address, Update
from bot.fingerprints import renew_fingerprints
from bot.notices import INBOX, OUTBOX, UNADDRESSED
from bot.phones import prove, unprove
from bot.rows import unnested
from bot.store import Store, clean
from bot.tables import addresses, conversations, inbox, is_held, outbox

__all__ = ["lock_addresses", "receive"]

Fingerprint = tuple[str, str]
"""kind and keyed digest of an address"""
Group = Mapping[Fingerprint, Address]
"""the addresses of one person, best first"""

_LOOK_UP = select(addresses.c.kind, addresses.c.fingerprint, addresses.c.conversation).where(
    addresses.c.channel == bindparam("of_channel"),
    addresses.c.fingerprint == any_(bindparam("digests", type_=ARRAY(Text))),
)
_STORED = ("external_id", "conversation", "raw", "sent_at")
_updates = unnested("stored", *(inbox.c[name] for name in _STORED))
_stored = (
    upsert(inbox)
    .from_select(
        ["channel", "received_at", *_STORED],
        select(
            bindparam("of_channel", type_=Text),
            bindparam("now", type_=DateTime(timezone=True)),
            *(_updates.c[name] for name in _STORED),
        ).order_by(_updates.c.place),
    )
    .on_conflict_do_nothing()
    .returning(inbox.c.id)
    .cte("stored")
)
_contacts = unnested("contact", conversations.c.id, conversations.c.last_message_at)
_contacted = (
    update(conversations)
    .where(conversations.c.id == _contacts.c.id)
    .values(
        last_message_at=func.greatest(conversations.c.last_message_at, _contacts.c.last_message_at), unreachable=False
    )
    .returning(func.pg_notify(INBOX, ""))
    .cte("contacted")
)
_released = (
    update(outbox)
    .where(outbox.c.conversation == any_(bindparam("contact_id", type_=ARRAY(Uuid))), is_held)
    .values(state="queued")
    .returning(func.pg_notify(OUTBOX, ""))
    .cte("released")
)
_RECEIVE = (
    select(func.pg_notify(INBOX, UNADDRESSED))
    .where(bindparam("unaddressed", type_=Boolean))
    .add_cte(_stored, _contacted, _released)
)
"""The updates are kept, and the citizens are there: the windows are open again, and what was held for that moment may go out."""


async def receive(store: Store, channel: str, updates: Sequence[Update]) -> None:
    """Store a batch in one transaction; what is known already is left as it is.

    All addresses of an update lead to one conversation. Raises SQLAlchemyError, and then nothing of the batch is stored.
    """
    if not updates:
        return
    now = store.clock()
    named = {address: store.fingerprints(channel, address) for update in updates for address in update.sender}
    groups = [{(address.kind, named[address][0]): address for address in update.sender} for update in updates]
    people = [group for group in groups if group]
    async with store.single.connect() as connection:
        await renew_fingerprints(connection, addresses, sorted(set(named.values())), addresses.c.channel == channel)
        known = await _look_up(connection, channel, people)
        if _settled(known, people):
            await connection.execute(_RECEIVE, _received(store, channel, updates, groups, known, now))
            return
    async with store.engine.begin() as connection:
        await lock_addresses(connection, channel)
        known = await _look_up(connection, channel, people)
        await _settle(connection, store, channel, known, people)
        await connection.execute(_RECEIVE, _received(store, channel, updates, groups, known, now))


async def lock_addresses(connection: AsyncConnection, channel: str) -> None:
    """Whoever brings in new addresses waits for the other who does: two batches may hold the same stranger. Comes before any
    lock of a conversation.
    """
    await connection.execute(select(func.pg_advisory_xact_lock(func.hashtext(f"bot.addresses.{channel}"))))


def _received(
    store: Store,
    channel: str,
    updates: Sequence[Update],
    groups: Sequence[Group],
    known: Mapping[Fingerprint, uuid.UUID],
    now: datetime,
) -> dict[str, Any]:
    owners = [known[next(iter(group))] if group else None for group in groups]
    latest: dict[uuid.UUID, datetime] = {}
    for update_, owner in zip(updates, owners, strict=True):
        if owner is not None:
            at = min(update_.sent_at or now, now)
            latest[owner] = max(latest.get(owner, at), at)
    # In one order, so that two batches don't wait for each other.
    there = sorted(latest)
    return {
        "of_channel": channel,
        "now": now,
        "stored_external_id": [clean(update_.external_id) for update_ in updates],
        "stored_conversation": owners,
        "stored_raw": [store.seal_raw(update_.body) for update_ in updates],
        "stored_sent_at": [update_.sent_at for update_ in updates],
        "contact_id": there,
        "contact_last_message_at": [latest[owner] for owner in there],
        "unaddressed": None in owners,
    }


async def _look_up(connection: AsyncConnection, channel: str, groups: Iterable[Group]) -> dict[Fingerprint, uuid.UUID]:
    """The conversation of each address that is known."""
    wanted = {digest for group in groups for _, digest in group}
    if not wanted:
        return {}
    found = await connection.execute(_LOOK_UP, {"of_channel": channel, "digests": list(wanted)})
    return {(kind, fingerprint): conversation for kind, fingerprint, conversation in found}


def _settled(known: Mapping[Fingerprint, uuid.UUID], groups: Iterable[Group]) -> bool:
    return all(len({known.get(fingerprint) for fingerprint in group}) == 1 for group in groups) and all(
        fingerprint in known for group in groups for fingerprint in group
    )


async def _settle(
    connection: AsyncConnection,
    store: Store,
    channel: str,
    known: dict[Fingerprint, uuid.UUID],
    groups: Iterable[Group],
) -> None:
    """Give every group one conversation, the one of its best known address, and write down what that changes."""
    strangers: list[uuid.UUID] = []
    written: dict[Fingerprint, tuple[uuid.UUID, Address]] = {}
    taken = await _kinds(connection, known.values())
    before = set(known)
    for group in groups:
        best = next(iter(group))
        owner = next((known[fingerprint] for fingerprint in group if fingerprint in known), None)
        # A known phone under another account of the same provider has a new owner: it's another person.
        if owner is None or (best not in known and best[0] in taken.get(owner, ())):
            owner = uuid.uuid4()
            strangers.append(owner)
        # The best comes last: of two addresses of a person the newer row is tried first.
        for fingerprint, address in reversed(list(group.items())):
            if known.get(fingerprint) != owner:
                known[fingerprint] = owner
                written[fingerprint] = owner, address
                taken.setdefault(owner, set()).add(fingerprint[0])
    if strangers:
        now = store.clock()
        await connection.execute(
            insert(conversations), [{"id": stranger, "channel": channel, "created_at": now} for stranger in strangers]
        )
    for (kind, digest), (owner, address) in written.items():
        if kind == PHONE:
            if (kind, digest) in before:
                await unprove(connection, store, address.value)
            await prove(connection, store, owner, address.value, shared=False)
    if written:
        statement = upsert(addresses)
        await connection.execute(
            statement.on_conflict_do_update(
                index_elements=["channel", "kind", "fingerprint"],
                set_={"conversation": statement.excluded.conversation},
            ),
            [
                {
                    "conversation": owner,
                    "channel": channel,
                    "kind": kind,
                    "fingerprint": digest,
                    "value": store.address.seal(clean(address.value).encode()),
                }
                for (kind, digest), (owner, address) in written.items()
            ],
        )


async def _kinds(connection: AsyncConnection, of: Iterable[uuid.UUID]) -> dict[uuid.UUID, set[str]]:
    found = await connection.execute(
        select(addresses.c.conversation, addresses.c.kind).where(addresses.c.conversation.in_(set(of)))
    )
    kinds: dict[uuid.UUID, set[str]] = {}
    for conversation, kind in found:
        kinds.setdefault(conversation, set()).add(kind)
    return kinds
