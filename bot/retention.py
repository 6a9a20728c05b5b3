"""What citizens wrote is forgotten after a while; the rows stay, so that a redelivery is still known and months can be counted."""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta
from typing import Any

from sqlalchemy import Table, and_, delete, or_, select, update
from sqlalchemy.exc import SQLAlchemyError

from bot.fault import fault
from bot.rasa import Rasa, TurnTrouble
from bot.store import Store
from bot.tables import attachments, files, frames, handoff_events, inbox, links, outbox, phones

__all__ = ["Retention"]

_PAUSE = 3600.0
_BATCH = 1000
_UNDER_WAY = ("queued", "held")
_logger = logging.getLogger(__name__)


class Retention:
    """`messages` and `kept_files` are how long what was written, and what was sent along, is kept."""

    def __init__(
        self, store: Store, rasa: Rasa, *, messages: timedelta, kept_files: timedelta, poll: float = _PAUSE
    ) -> None:
        self._store = store
        self._rasa = rasa
        self._messages = messages
        self._files = kept_files
        self._poll = poll

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            try:
                await self.forget()
            except TurnTrouble as trouble:
                _logger.warning("Rasa didn't forget (%s); it is asked again in an hour", trouble)
            except (SQLAlchemyError, OSError) as error:
                _logger.warning("forgetting failed: %s", fault(error))
            await asyncio.sleep(self._poll)

    async def forget(self) -> None:
        """Everything that is due. Raises TurnTrouble, and SQLAlchemyError."""
        now = self._store.clock()
        written = now - self._messages
        await self._drop(files, files.c.created_at < now - self._files)
        await self._drop(attachments, attachments.c.created_at < now - self._files)
        await self._drop(links, links.c.expires_at < now)
        await self._drop(phones, phones.c.expires_at < now)
        await self._empty(
            frames,
            and_(
                or_(frames.c.text.is_not(None), frames.c.entities.is_not(None)),
                frames.c.inbox.in_(select(inbox.c.id).where(inbox.c.received_at < written)),
            ),
            text=None,
            entities=None,
        )
        await self._empty(
            inbox,
            and_(inbox.c.raw.is_not(None), inbox.c.received_at < written, inbox.c.answered_at.is_not(None)),
            raw=None,
        )
        await self._empty(
            outbox,
            and_(outbox.c.body.is_not(None), outbox.c.created_at < written, outbox.c.state.not_in(_UNDER_WAY)),
            body=None,
        )
        await self._empty(
            handoff_events, and_(handoff_events.c.note.is_not(None), handoff_events.c.at < written), note=None
        )
        await self._rasa.forget_before(written)

    async def _drop(self, table: Table, due: Any) -> None:
        await self._in_batches(table, due, delete(table))

    async def _empty(self, table: Table, due: Any, **nothing: None) -> None:
        await self._in_batches(table, due, update(table).values(**nothing))

    async def _in_batches(self, table: Table, due: Any, change: Any) -> None:
        """A few rows at a time, so that nobody waits for their locks."""
        key = next(iter(table.primary_key.columns))
        while True:
            async with self._store.engine.begin() as connection:
                batch = (await connection.execute(select(key).where(due).limit(_BATCH))).scalars().all()
                if batch:
                    await connection.execute(change.where(key.in_(batch), due))
            if len(batch) < _BATCH:
                return
