"""Proved phone numbers: which conversations are the same person's, and which number a citizen may offer by a tap.

Proved is the number that somebody writes from on WhatsApp, and one that a channel vouches for as the sender's own.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Select, Uuid, case, delete, func, literal, or_, select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.fingerprints import renew_fingerprints
from bot.store import Store
from bot.tables import phones

__all__ = [
    "hand_on_phones",
    "knows_phone",
    "linked_conversations",
    "linked_to",
    "phone_fingerprints",
    "prove",
    "proved_phone",
    "unprove",
]

_SHOWN_FOR = timedelta(days=180)
"""A number that was shared once may be somebody else's later; providers give numbers out anew after months."""


async def prove(
    connection: AsyncConnection, store: Store, conversation: uuid.UUID, phone: str, *, shared: bool
) -> None:
    """Note that this number is the citizen's: `shared` by them, or else an address of theirs."""
    now = store.clock()
    await renew_fingerprints(connection, phones, [phone_fingerprints(store, phone)])
    statement = upsert(phones).values(
        conversation=conversation,
        fingerprint=phone_fingerprints(store, phone)[0],
        value=store.address.seal(phone.encode()),
        proved_at=now,
        expires_at=now + _SHOWN_FOR if shared else None,
    )
    await connection.execute(
        statement.on_conflict_do_update(
            index_elements=["conversation", "fingerprint"],
            set_={
                "proved_at": statement.excluded.proved_at,
                # An address stays one when it is shared as well.
                "expires_at": case(
                    (or_(phones.c.expires_at.is_(None), statement.excluded.expires_at.is_(None)), None),
                    else_=statement.excluded.expires_at,
                ),
            },
        )
    )


async def unprove(connection: AsyncConnection, store: Store, phone: str) -> None:
    """The number has gone to somebody else: what it proved is worth nothing any more, on any channel."""
    await connection.execute(delete(phones).where(phones.c.fingerprint.in_(phone_fingerprints(store, phone))))


async def hand_on_phones(connection: AsyncConnection, fresh: uuid.UUID, into: uuid.UUID) -> None:
    """Two conversations turn out to be one person's."""
    moved = select(literal(into, Uuid), *(phones.c[name] for name in _MOVED)).where(phones.c.conversation == fresh)
    await connection.execute(upsert(phones).from_select(["conversation", *_MOVED], moved).on_conflict_do_nothing())
    await connection.execute(delete(phones).where(phones.c.conversation == fresh))


async def linked_conversations(store: Store, conversation: uuid.UUID) -> Sequence[uuid.UUID]:
    """The other conversations of the same number, the latest proved first."""
    async with store.single.connect() as connection:
        return list((await connection.scalars(linked_to(literal(conversation, Uuid), literal(store.clock())))).all())


def linked_to(conversation: ColumnElement[uuid.UUID], now: ColumnElement[datetime]) -> Select[uuid.UUID]:
    """The same, as part of a statement."""
    mine, theirs = phones.alias("mine"), phones.alias("theirs")
    return (
        select(theirs.c.conversation)
        .join(mine, mine.c.fingerprint == theirs.c.fingerprint)
        .where(mine.c.conversation == conversation, theirs.c.conversation != conversation)
        .where(_holds(mine.c.expires_at, now), _holds(theirs.c.expires_at, now))
        .group_by(theirs.c.conversation)
        .order_by(func.max(theirs.c.proved_at).desc())
        .limit(20)
    )


async def proved_phone(store: Store, conversation: uuid.UUID) -> str | None:
    """The citizen's own number, E.164; an address of theirs rather than one they shared."""
    async with store.single.connect() as connection:
        sealed = await connection.scalar(
            select(phones.c.value)
            .where(phones.c.conversation == conversation, _holds(phones.c.expires_at, store.clock()))
            .order_by(phones.c.expires_at.is_not(None), phones.c.proved_at.desc())
            .limit(1)
        )
    return store.address.open(sealed).decode() if sealed else None


async def knows_phone(connection: AsyncConnection, store: Store, conversation: uuid.UUID) -> bool:
    found = await connection.execute(
        select(phones.c.conversation)
        .where(phones.c.conversation == conversation, _holds(phones.c.expires_at, store.clock()))
        .limit(1)
    )
    return found.first() is not None


_MOVED = ("fingerprint", "value", "proved_at", "expires_at")


def _holds(expires_at: ColumnElement[object], now: ColumnElement[datetime] | datetime) -> ColumnElement[bool]:
    return or_(expires_at.is_(None), expires_at > now)


def phone_fingerprints(store: Store, phone: str) -> tuple[str, ...]:
    """The same on every channel; the present one, and those under which it may be kept from before."""
    return store.address.indexes(f"phone:{phone}")
