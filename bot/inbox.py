"""Receive: every raw update of a verified request becomes a row, before anything about it can fail."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, func, insert, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.channel import Address, Update
from bot.notices import INBOX, OUTBOX
from bot.store import Store, clean
from bot.tables import addresses, conversations, inbox, outbox

__all__ = ["receive"]

Fingerprint = tuple[str, str]
"""kind, fingerprint"""


async def receive(store: Store, channel: str, updates: Sequence[Update]) -> None:
    """Store a batch in one transaction; what is known already is left as it is.

    All addresses of an update lead to one conversation. Raises SQLAlchemyError, and then nothing of the batch is stored.
    """
    if not updates:
        return
    now = store.clock()
    named = [[_named(store, channel, address) for address in update.sender] for update in updates]
    async with store.engine.begin() as connection:
        known = await _conversations(connection, store, channel, [group for group in named if group])
        owners = [known[group[0][0]] if group else None for group in named]
        rows = [
            {
                "channel": channel,
                "external_id": clean(update.external_id),
                "conversation": owner,
                "raw": store.seal_raw(update.body),
                "sent_at": update.sent_at,
                "received_at": now,
            }
            for update, owner in zip(updates, owners, strict=True)
        ]
        await connection.execute(upsert(inbox).on_conflict_do_nothing(), rows)
        await _note_contact(connection, updates, owners, now)
        await connection.execute(select(func.pg_notify(INBOX, "")))


def _named(store: Store, channel: str, address: Address) -> tuple[Fingerprint, Address]:
    return (address.kind, store.fingerprint(channel, address)), address


async def _conversations(
    connection: AsyncConnection, store: Store, channel: str, groups: Sequence[Sequence[tuple[Fingerprint, Address]]]
) -> Mapping[Fingerprint, uuid.UUID]:
    """The conversation of each address named; strangers get a new one, new addresses join their group's."""
    wanted = {fingerprint for group in groups for fingerprint, _ in group}
    if not wanted:
        return {}
    known = await _look_up(connection, channel, wanted)
    if not _settled(known, groups):
        # Whoever brings in new addresses waits for the other who does: two batches may hold the same stranger.
        await connection.execute(select(func.pg_advisory_xact_lock(func.hashtext(f"bot.addresses.{channel}"))))
        known = await _look_up(connection, channel, wanted)
        await _settle(connection, store, channel, known, groups)
    return known


async def _look_up(
    connection: AsyncConnection, channel: str, wanted: Iterable[Fingerprint]
) -> dict[Fingerprint, uuid.UUID]:
    table = addresses.c
    found = await connection.execute(
        select(table.kind, table.fingerprint, table.conversation).where(
            table.channel == channel, tuple_(table.kind, table.fingerprint).in_(wanted)
        )
    )
    return {(kind, fingerprint): conversation for kind, fingerprint, conversation in found}


def _settled(
    known: Mapping[Fingerprint, uuid.UUID], groups: Sequence[Sequence[tuple[Fingerprint, Address]]]
) -> bool:
    return all(len({known.get(fingerprint) for fingerprint, _ in group} - {None}) == 1 and
               all(fingerprint in known for fingerprint, _ in group) for group in groups)  # fmt: skip
