"""Forgetting a conversation: what was written, sent and understood in it goes, once nothing of it is under way any more.

Left are the rows themselves (a redelivery must still be known, a month's bill be counted) and how the person is reached:
news of a filing that is still open has to arrive.
"""

from __future__ import annotations

import asyncio
import logging
import uuid
from typing import Any

from sqlalchemy import Select, and_, delete, exists, func, or_, select, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.fault import fault
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
    links,
    outbox,
    phones,
)

__all__ = ["Erasure", "wish_erased"]

_PAUSE = 3.0
_UNDER_WAY = ("queued", "held")
_logger = logging.getLogger(__name__)


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
        async with self._store.engine.begin() as connection:
            conversation = await connection.scalar(_due(self._store))
            if conversation is None:
                return False
            # The row stays locked meanwhile, so no turn of this conversation begins.
            await self._rasa.forget(str(conversation))
            await _erase(connection, conversation)
        return True


def _due(store: Store) -> Select[Any]:
    table = conversations.c
    waiting = exists().where(inbox.c.conversation == table.id, inbox.c.answered_at.is_(None))
    return (
        select(table.id)
        .where(
            table.erase_at.is_not(None),
            table.handler == "bot",
            or_(table.lease_until.is_(None), table.lease_until < store.clock()),
            ~waiting,
        )
        .order_by(table.erase_at)
        .limit(1)
        .with_for_update(of=conversations, skip_locked=True)
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
