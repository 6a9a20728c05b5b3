"""Forgetting a conversation: what was written, sent and understood in it goes, once nothing of it is under way any more.

Left are the rows themselves (a redelivery must still be known, a month's bill be counted) and how the person is reached:
news of a filing that is still open has to arrive.
"""

from __future__ import annotations

import asyncio
import logging
import uuid
from datetime import timedelta
from typing import Any

from sqlalchemy import Select, and_, delete, exists, func, literal, or_, select, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.claim import LEASE
from bot.fault import fault
from bot.lease import is_over, new_owner
from bot.notices import INBOX
from bot.rasa import Rasa, TurnTrouble
from bot.store import Store
from bot.tables import (
    attachments,
    conversations,
    files,
    frames,
    handoff_events,
    handoffs,
    inbox,
    is_queued,
    links,
    outbox,
    phones,
)

__all__ = ["Erasure", "wish_erased"]

_PAUSE = 3.0
_LEAVING = timedelta(hours=1)
_UNDER_WAY = ("queued", "held")
_logger = logging.getLogger(__name__)
_c = conversations.c


async def wish_erased(store: Store, conversation: uuid.UUID) -> bool:
    """Note the wish; false when there is no such conversation. Wishing again changes nothing."""
    async with store.single.connect() as connection:
        noted = await connection.execute(
            update(conversations)
            .where(conversations.c.id == conversation)
            .values(erase_at=func.coalesce(conversations.c.erase_at, store.clock()))
        )
    return noted.rowcount > 0


class Erasure:
    """Fulfils the wishes, one after the other."""

    def __init__(self, store: Store, rasa: Rasa, *, poll: float = _PAUSE) -> None:
        self._store = store
        self._rasa = rasa
        self._poll = poll

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            try:
                while await self.fulfil_one():
                    pass
            except TurnTrouble as trouble:
                _logger.warning("Rasa didn't forget (%s); it is asked again", trouble)
            except (SQLAlchemyError, OSError) as error:
                _logger.warning("erasing failed: %s", fault(error))
            await asyncio.sleep(self._poll)

    async def fulfil_one(self) -> bool:
        """Whether there was one. Raises TurnTrouble, and then nothing was erased here."""
        owner = new_owner()
        conversation = await self._claim(owner)
        if conversation is None:
            return False
        try:
            # No turn of this conversation begins meanwhile, and what is written comes in.
            await self._rasa.forget(str(conversation))
            async with self._store.engine.begin() as connection:
                mine = select(_c.id).where(_c.id == conversation, _c.leased_by == owner)
                if await connection.scalar(mine.with_for_update(key_share=True)) is not None:
                    await _erase(connection, conversation)
        finally:
            await self._release(owner)
        return True

    async def _claim(self, owner: str) -> uuid.UUID | None:
        async with self._store.engine.begin() as connection:
            conversation: uuid.UUID | None = await connection.scalar(_due(self._store))
            if conversation is not None:
                until = self._store.clock() + LEASE
                lease = update(conversations).where(_c.id == conversation).values(leased_by=owner, lease_until=until)
                await connection.execute(lease)
        return conversation

    async def _release(self, owner: str) -> None:
        async with self._store.single.connect() as connection:
            await connection.execute(
                update(conversations).where(_c.leased_by == owner).values(leased_by=None, lease_until=None)
            )
            await connection.execute(select(func.pg_notify(INBOX, "")))


def _due(store: Store) -> Select[Any]:
    """Once all is answered, and what was to be sent has been; but a message that doesn't get out holds nothing up for long."""
    now = store.clock()
    waiting = exists().where(inbox.c.conversation == _c.id, inbox.c.answered_at.is_(None))
    leaving = exists().where(outbox.c.conversation == _c.id, is_queued)
    return (
        select(_c.id)
        .where(
            _c.erase_at.is_not(None),
            _c.handler == "bot",
            is_over(_c.lease_until, literal(now), LEASE),
            ~waiting,
            or_(~leaving, _c.erase_at <= now - _LEAVING),
        )
        .order_by(_c.erase_at)
        .limit(1)
        .with_for_update(of=conversations, skip_locked=True, key_share=True)
    )


async def _erase(connection: AsyncConnection, conversation: uuid.UUID) -> None:
    # What has come since the wish was looked for is still to be answered.
    done = and_(inbox.c.conversation == conversation, inbox.c.answered_at.is_not(None))
    mine = select(inbox.c.id).where(done).scalar_subquery()
    await connection.execute(delete(files).where(files.c.inbox.in_(mine)))
    await connection.execute(update(frames).where(frames.c.inbox.in_(mine)).values(text=None, entities=None))
    await connection.execute(update(inbox).where(done).values(raw=None))
    await connection.execute(
        update(outbox).where(outbox.c.conversation == conversation, outbox.c.state.not_in(_UNDER_WAY)).values(body=None)
    )
    # What officers wrote of the person, and sent to them; that they did so, when and who, stays.
    await connection.execute(delete(attachments).where(attachments.c.conversation == conversation))
    episodes = select(handoffs.c.id).where(handoffs.c.conversation == conversation).scalar_subquery()
    await connection.execute(update(handoff_events).where(handoff_events.c.handoff.in_(episodes)).values(note=None))
    # A number that the person showed us; one they write from is an address.
    await connection.execute(
        delete(phones).where(phones.c.conversation == conversation, phones.c.expires_at.is_not(None))
    )
    await connection.execute(delete(links).where(links.c.conversation == conversation, links.c.used_at.is_not(None)))
    await connection.execute(update(conversations).where(conversations.c.id == conversation).values(erase_at=None))
