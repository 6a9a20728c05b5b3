"""Where conversations are kept: PostgreSQL, schema `rasa`, the events sealed.

`turns` makes a turn unique: a late second run of a message fails to save instead of mixing its events with the first.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Optional, TypeVar

import sqlalchemy as sa
from rasa.core.brokers.broker import EventBroker
from rasa.core.tracker_store import SQLTrackerStore, TrackerStore
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import Event, SessionStarted, UserUttered, deserialise_events
from rasa.shared.core.trackers import DialogueStateTracker

from identity import Seal

__all__ = ["SealedTrackerStore", "Stored", "TurnOutdated"]

_T = TypeVar("_T")
_THREADS = 8
_SCHEMA = "rasa"
_LOCK = 3_621
"""Of `pg_advisory_xact_lock` while the schema is created; any number will do."""

_tables = sa.MetaData(schema=_SCHEMA)
_events = sa.Table(
    "events",
    _tables,
    sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True),
    sa.Column("sender_id", sa.String(255), nullable=False),
    sa.Column("type_name", sa.String(255), nullable=False),
    sa.Column("timestamp", sa.Float),
    sa.Column("intent_name", sa.String(255), comment="a name from the domain, never words of a citizen"),
    sa.Column("action_name", sa.String(255), comment="of an action or a slot"),
    sa.Column("data", sa.Text, nullable=False, comment="sealed, rasa.events"),
    sa.Index("events_sender_id", "sender_id", "id"),
)
sa.Index(
    "events_session_start",
    _events.c.sender_id,
    _events.c.id,
    postgresql_where=_events.c.type_name == SessionStarted.type_name,
)
_turns = sa.Table(
    "turns",
    _tables,
    sa.Column("sender_id", sa.String(255), primary_key=True),
    sa.Column("message_id", sa.String(255), primary_key=True),
    sa.Column("first_event", sa.BigInteger, nullable=False),
    sa.Column("last_event", sa.BigInteger, nullable=False),
)


class TurnOutdated(Exception):
    """The conversation has moved on since it was read, or the message has been answered meanwhile. Nothing was saved."""


@dataclass(frozen=True)
class Stored:
    """A conversation as it was read."""

    tracker: Optional[DialogueStateTracker]
    """Its latest session; None for a new conversation."""
    last_event: int
    answered: Optional[Sequence[Event]]
    """The events of the turn asked for, if it has been taken before."""


class SealedTrackerStore(SQLTrackerStore):
    """Rasa's SQL store with tables of its own; the channel uses `read` and `append`, the rest is Rasa's interface.

    Raises what SQLAlchemy raises, and SealBroken when `PRAJA_SECRET_KEY` isn't the one the events were sealed with.
    """

    def __init__(
        self,
        host: str,
        domain: Optional[Domain] = None,
        event_broker: Optional[EventBroker] = None,
        **kwargs: Any,
    ) -> None:
        # Not the parent's: it keeps its tables without a schema and waits for a missing database without end.
        TrackerStore.__init__(self, domain, event_broker, **kwargs)
        self._seal = Seal(_secrets(), "rasa.events")
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="tracker-store")
        self.engine = sa.create_engine(
            host, pool_size=_THREADS, max_overflow=0, pool_pre_ping=True, connect_args={"connect_timeout": 5}
        )
        sa.event.listen(self.engine, "connect", _limit_statements)
        _create_tables(self.engine)

    async def read(self, sender_id: str, message_id: Optional[str] = None) -> Stored:
        return await self._in_thread(lambda connection: self._read(connection, sender_id, message_id))

    async def append(
        self, sender_id: str, events: Iterable[Event], *, after: int, message_id: Optional[str] = None
    ) -> None:
        """Add the events of one turn to a conversation read up to event `after`. Raises TurnOutdated."""
        rows = [self._row(sender_id, event) for event in events]
        await self._in_thread(lambda connection: _append(connection, sender_id, rows, after, message_id))

    async def erase(self, sender_id: str) -> None:
        """Forget a conversation."""

        def delete(connection: sa.engine.Connection) -> None:
            for table in (_turns, _events):
                connection.execute(table.delete().where(table.c.sender_id == sender_id))

        await self._in_thread(delete)

    async def erase_before(self, moment: float) -> None:
        """Forget what was said before that Unix time, in whatever conversation."""

        def delete(connection: sa.engine.Connection) -> None:
            connection.execute(_events.delete().where(_events.c.timestamp < moment))
            whole = sa.exists().where(_events.c.id.between(_turns.c.first_event, _turns.c.last_event))
            connection.execute(_turns.delete().where(~whole))

        await self._in_thread(delete)

    async def save(self, tracker: DialogueStateTracker) -> None:
        stored = await self.read(tracker.sender_id)
        known = 0 if stored.tracker is None else len(stored.tracker.events)
        await self.append(tracker.sender_id, list(tracker.events)[known:], after=stored.last_event)

    async def retrieve(self, sender_id: str) -> Optional[DialogueStateTracker]:
        return (await self.read(sender_id)).tracker

    async def retrieve_full_tracker(self, conversation_id: str) -> Optional[DialogueStateTracker]:
        events = await self._in_thread(
            lambda connection: self._open(connection, _events.c.sender_id == conversation_id)
        )
        return self._tracker(conversation_id, events)

    async def keys(self) -> Iterable[str]:
        return await self._in_thread(
            lambda connection: connection.execute(sa.select(_events.c.sender_id).distinct()).scalars().all()
        )

    async def _in_thread(self, work: Callable[[sa.engine.Connection], _T]) -> _T:
        """One transaction, away from the event loop: a commit waits for the disk."""

        def transact() -> _T:
            with self.engine.begin() as connection:
                return work(connection)

        return await asyncio.get_running_loop().run_in_executor(self._threads, transact)

    def _read(self, connection: sa.engine.Connection, sender_id: str, message_id: Optional[str]) -> Stored:
        last_event = _last_event(connection, sender_id)
        turn = connection.execute(
            sa.select(_turns).where(_turns.c.sender_id == sender_id, _turns.c.message_id == message_id)
        ).first()
        if turn is not None:
            of_turn = _events.c.id.between(turn.first_event, turn.last_event)
            return Stored(None, last_event, self._open(connection, _events.c.sender_id == sender_id, of_turn))
        session_start = (
            sa.select(sa.func.coalesce(sa.func.max(_events.c.id), 0))
            .where(_events.c.sender_id == sender_id, _events.c.type_name == SessionStarted.type_name)
            .scalar_subquery()
        )
        events = self._open(connection, _events.c.sender_id == sender_id, _events.c.id >= session_start)
        return Stored(self._tracker(sender_id, events), last_event, None)

    def _open(self, connection: sa.engine.Connection, *where: Any) -> list[Event]:
        sealed = connection.execute(sa.select(_events.c.data).where(*where).order_by(_events.c.id)).scalars()
        return deserialise_events([json.loads(self._seal.open_text(data)) for data in sealed])

    def _tracker(self, sender_id: str, events: list[Event]) -> Optional[DialogueStateTracker]:
        return DialogueStateTracker.from_events(sender_id, events, self.domain.slots) if events else None

    def _row(self, sender_id: str, event: Event) -> dict[str, Any]:
        data = event.as_dict()
        return {
            "sender_id": sender_id,
            "type_name": event.type_name,
            "timestamp": event.timestamp,
            "intent_name": event.intent_name if isinstance(event, UserUttered) else None,
            "action_name": data.get("name"),
            "data": self._seal.seal_text(json.dumps(data)),
        }


def _append(
    connection: sa.engine.Connection,
    sender_id: str,
    rows: Sequence[dict[str, Any]],
    after: int,
    message_id: Optional[str],
) -> None:
    # Two servers may hold the same conversation after a lease has run out: one at a time looks and writes.
    connection.execute(sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtextextended(sender_id, 0))))
    if _last_event(connection, sender_id) != after:
        raise TurnOutdated("the conversation has moved on; send the message again")
    if not rows:
        return
    # One statement, so that the numbers come in the order of the events.
    numbers = connection.execute(_events.insert().values(rows).returning(_events.c.id)).scalars().all()
    if message_id is not None:
        turn = {"message_id": message_id, "first_event": min(numbers), "last_event": max(numbers)}
        try:
            connection.execute(_turns.insert().values(sender_id=sender_id, **turn))
        except sa.exc.IntegrityError:
            raise TurnOutdated("the message has been answered meanwhile; send it again") from None


def _last_event(connection: sa.engine.Connection, sender_id: str) -> int:
    last = sa.select(sa.func.coalesce(sa.func.max(_events.c.id), 0)).where(_events.c.sender_id == sender_id)
    return int(connection.execute(last).scalar_one())


def _create_tables(engine: sa.engine.Engine) -> None:
    with engine.begin() as connection:
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
        connection.execute(sa.text(f"CREATE SCHEMA IF NOT EXISTS {_SCHEMA}"))
        _tables.create_all(connection)


def _limit_statements(connection: Any, _: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = '5s'; SET lock_timeout = '3s'")
    connection.commit()


def _secrets() -> tuple[str, ...]:
    key = os.environ.get("PRAJA_SECRET_KEY")
    if not key:
        raise RuntimeError("PRAJA_SECRET_KEY is missing: events can't be sealed; start Rasa by `praja run rasa`")
    earlier = (old.strip() for old in os.environ.get("PRAJA_SECRET_KEYS_OLD", "").split(","))
    return (key, *filter(None, earlier))
