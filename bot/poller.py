"""Following filings at a backend that doesn't tell of changes: it is asked, and what is new becomes the same news.

Asked about are the people who have a filing under way, or who have written since they were asked about last.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from pydantic import AwareDatetime, BaseModel, ValidationError
from sqlalchemy import exists, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.exc import SQLAlchemyError

from bot.backend import Backend, BackendDown, BackendRefused
from bot.backend_events import FilingChanged, Fix
from bot.fault import fault
from bot.notifications import Announcer
from bot.states import FIRST, OPEN_STATES, States
from bot.store import Cleaned, Store
from bot.tables import conversations, followed_filings

__all__ = ["Poller"]

_BATCH = 50
_AT_ONCE = 4
_logger = logging.getLogger(__name__)


class Step(BaseModel):
    state: Cleaned
    note: Cleaned | None = None


class Seen(BaseModel):
    """What we read of a filing."""

    number: Cleaned
    service: Cleaned
    state: Cleaned
    submitted_at: AwareDatetime
    chronology: list[Step] = []
    fix: list[Fix] | None = None


@dataclass(frozen=True)
class _Person:
    conversation: uuid.UUID
    polled_at: datetime | None


class Poller:
    def __init__(self, store: Store, backend: Backend, announcer: Announcer, states: States, every: timedelta) -> None:
        self._store = store
        self._backend = backend
        self._announcer = announcer
        self._states = states
        self._every = every
        self._failed: dict[uuid.UUID, datetime] = {}
        """who couldn't be asked about, and when: until the next time the others come first"""

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            try:
                more = await self.look()
            except BackendDown as down:
                _logger.warning("the backend can't be asked: %s", down)
                more = False
            except (SQLAlchemyError, OSError) as error:
                _logger.warning("asking for news failed: %s", fault(error))
                more = False
            if not more:
                await asyncio.sleep(min(self._every.total_seconds(), 60.0))

    async def look(self) -> bool:
        """A batch of people; whether more are due. One process at a time. Raises BackendDown where none could be asked about."""
        async with self._store.engine.begin() as connection:
            if not await connection.scalar(select(func.pg_try_advisory_xact_lock(func.hashtext("bot.poller")))):
                return False
            people = await self._due()
            # One who fails doesn't keep the others from being told.
            failures: list[BaseException] = []
            for start in range(0, len(people), _AT_ONCE):
                few = people[start : start + _AT_ONCE]
                results = await asyncio.gather(*map(self._follow, few), return_exceptions=True)
                for person, result in zip(few, results, strict=True):
                    if result is not None:
                        self._failed[person.conversation] = self._store.clock()
                        failures.append(result)
        if failures and len(failures) == len(people):
            raise failures[0]
        if failures:
            _logger.warning("%d of %d couldn't be asked about: %s", len(failures), len(people), fault(failures[0]))
        return len(people) == _BATCH

    async def _due(self) -> Sequence[_Person]:
        now = self._store.clock()
        table = conversations.c
        under_way = exists().where(followed_filings.c.conversation == table.id, followed_filings.c.open)
        due = (
            select(table.id, table.polled_at)
            .where(
                table.id.not_in([one for one, at in self._failed.items() if now - self._every < at <= now]),
                or_(table.polled_at.is_(None), table.polled_at <= now - self._every),
                or_(table.polled_at.is_(None), under_way, table.last_message_at > table.polled_at),
            )
            .order_by(table.polled_at.asc().nulls_first())
            .limit(_BATCH)
        )
        async with self._store.single.connect() as connection:
            return [_Person(*row) for row in await connection.execute(due)]

    async def _follow(self, person: _Person) -> None:
        """Asked about from now on only once all was told: what isn't, through whatever trouble, is due still."""
        asked_at = self._store.clock()
        with contextlib.suppress(BackendRefused):
            await self._tell(person, await self._backend.filings(str(person.conversation)))
        async with self._store.single.connect() as connection:
            await connection.execute(
                update(conversations).where(conversations.c.id == person.conversation).values(polled_at=asked_at)
            )

    async def _tell(self, person: _Person, found: Sequence[Any]) -> None:
        known = await self._known(person.conversation)
        for body in found:
            try:
                filing = Seen.model_validate(body)
            except ValidationError:
                _logger.warning("a filing isn't shaped as agreed")
                continue
            await self._note(person, filing, known)

    async def _known(self, conversation: uuid.UUID) -> Mapping[str, tuple[str, int]]:
        table = followed_filings.c
        async with self._store.single.connect() as connection:
            rows = await connection.execute(
                select(table.number, table.state, table.steps).where(table.conversation == conversation)
            )
            return {row.number: (row.state, row.steps) for row in rows}

    async def _note(self, person: _Person, filing: Seen, known: Mapping[str, tuple[str, int]]) -> None:
        state = self._states.ours(filing.state)
        now = state, len(filing.chronology)
        before = known.get(filing.number)
        if before == now:
            return
        if self._is_news(person, filing, state, before):
            # Told before it is noted: whoever dies in between tells it again under the same id, which is told once.
            await self._announcer.announce(_event(person, filing, state))
        values = {
            "conversation": person.conversation,
            "state": state,
            "steps": len(filing.chronology),
            "open": state in OPEN_STATES,
        }
        statement = upsert(followed_filings).values(number=filing.number, **values)
        async with self._store.single.connect() as connection:
            await connection.execute(statement.on_conflict_do_update(index_elements=["number"], set_=values))

    def _is_news(self, person: _Person, filing: Seen, state: str, before: tuple[str, int] | None) -> bool:
        if before is not None:
            # Sent in and mended are filings in the chat, whose answer told it.
            return state != FIRST
        # Seen for the first time: made since we look, and already further.
        return state != FIRST and person.polled_at is not None and filing.submitted_at > person.polled_at


def _event(person: _Person, filing: Seen, state: str) -> FilingChanged:
    last: Any = filing.chronology[-1] if filing.chronology else None
    return FilingChanged(
        event_id=f"poll:{filing.number}:{state}:{len(filing.chronology)}",
        contact=str(person.conversation),
        service=filing.service,
        number=filing.number,
        state=state,
        note=last.note if last else None,
        fix=filing.fix,
    )
