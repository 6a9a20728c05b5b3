"""Where conversations are kept: PostgreSQL, schema `rasa`, the events sealed.

`turns` makes a turn unique: a late second run of a message fails to save instead of mixing its events with the first.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Optional, TypeVar

import sqlalchemy as sa
from rasa.core.brokers.broker import EventBroker
from rasa.core.tracker_store import SQLTrackerStore, TrackerStore
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import Event, SessionStarted, UserUttered
from rasa.shared.core.trackers import DialogueStateTracker
from rasa.shared.utils.common import all_subclasses

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
    sa.Index("events_timestamp", "timestamp"),
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

# What every turn asks is planned once for a connection; sent as text it costs more than it does.
_PREPARE = f"""
    SET statement_timeout = '5s';
    SET lock_timeout = '3s';

    PREPARE praja_read (text, text) AS
    SELECT head.last, turn.first_event, events.data
    FROM (
        SELECT
            (SELECT coalesce(max(id), 0) FROM {_SCHEMA}.events WHERE sender_id = $1) AS last,
            (
                SELECT coalesce(max(id), 0) FROM {_SCHEMA}.events
                WHERE sender_id = $1 AND type_name = '{SessionStarted.type_name}'
            ) AS session
    ) AS head
    LEFT JOIN {_SCHEMA}.turns AS turn ON turn.sender_id = $1 AND turn.message_id = $2
    LEFT JOIN {_SCHEMA}.events ON events.sender_id = $1
        AND events.id BETWEEN coalesce(turn.first_event, head.session) AND coalesce(turn.last_event, head.last)
    ORDER BY events.id;

    PREPARE praja_append (text, text, bigint, text[], float[], text[], text[], text[]) AS
    WITH added AS (
        INSERT INTO {_SCHEMA}.events (sender_id, type_name, timestamp, intent_name, action_name, data)
        SELECT $1, type_name, timestamp, intent_name, action_name, data
        FROM unnest($4, $5, $6, $7, $8) WITH ORDINALITY
            AS event (type_name, timestamp, intent_name, action_name, data, place)
        WHERE $3 = (SELECT coalesce(max(id), 0) FROM {_SCHEMA}.events WHERE sender_id = $1)
        ORDER BY place
        RETURNING id
    ), turn AS (
        INSERT INTO {_SCHEMA}.turns (sender_id, message_id, first_event, last_event)
        SELECT $1, $2, min(id), max(id) FROM added HAVING count(*) > 0 AND $2 IS NOT NULL
    )
    SELECT count(*) FROM added;
"""  # noqa: S608 - what is put in are constants
_READ = sa.text("EXECUTE praja_read (:sender, :message)")
"""The events of the turn asked for, else those of the latest session; one row at the least."""
# Two servers may hold the same conversation after a lease has run out: one at a time looks and writes. Sent as one, the two
# statements are one transaction, and the second sees what was written before it got the lock. That transaction isn't waited
# for: it is on disk before the bot's record of the answer is, and a turn that was lost before that is asked for anew.
_APPEND = sa.text(
    """
    SELECT pg_advisory_xact_lock(hashtextextended(:sender, 0)), set_config('synchronous_commit', 'off', true);
    EXECUTE praja_append (
        :sender, :message, :after, :type_names, :timestamps, :intent_names, :action_names, :datas
    )
    """
)
_ERASE = sa.text(
    f"DELETE FROM {_SCHEMA}.turns WHERE sender_id = :sender; DELETE FROM {_SCHEMA}.events WHERE sender_id = :sender"  # noqa: S608
)
_PART = 5000
_ERASE_BEFORE = sa.text(
    f"""
    WITH gone AS (
        DELETE FROM {_SCHEMA}.events
        WHERE id = ANY (ARRAY(SELECT id FROM {_SCHEMA}.events WHERE timestamp < :moment LIMIT {_PART}))
        RETURNING sender_id, id
    ), turns_gone AS (
        DELETE FROM {_SCHEMA}.turns USING gone
        WHERE turns.sender_id = gone.sender_id AND turns.last_event = gone.id
    )
    SELECT count(*) FROM gone
    """  # noqa: S608
)
"""Of a district's events a part at a time: all of them take longer than a statement may."""


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
        _create_tables(host)
        # What is executed is a transaction by itself: nothing waits for a BEGIN and a COMMIT.
        self.engine = sa.create_engine(
            host, isolation_level="AUTOCOMMIT", pool_size=_THREADS, max_overflow=0, connect_args={"connect_timeout": 5}
        )
        sa.event.listen(self.engine, "connect", _prepare)

    async def read(self, sender_id: str, message_id: Optional[str] = None) -> Stored:
        try:
            return await self._in_thread(lambda: self._read(sender_id, message_id))
        except sa.exc.DBAPIError as error:
            if not error.connection_invalidated:
                raise
            # The database was started anew since; now all connections are.
            return await self._in_thread(lambda: self._read(sender_id, message_id))

    async def append(
        self, sender_id: str, events: Iterable[Event], *, after: int, message_id: Optional[str] = None
    ) -> None:
        """Add the events of one turn to a conversation read up to event `after`. Raises TurnOutdated."""
        rows = [self._row(event) for event in events]
        if rows:
            await self._in_thread(lambda: self._append(sender_id, rows, after, message_id))

    async def erase(self, sender_id: str) -> None:
        """Forget a conversation."""
        await self._in_thread(lambda: self._execute(_ERASE, {"sender": sender_id}))

    async def erase_before(self, moment: float) -> None:
        """Forget what was said before that Unix time, in whatever conversation."""
        await self._in_thread(lambda: self._erase_before(moment))

    async def save(self, tracker: DialogueStateTracker) -> None:
        stored = await self.read(tracker.sender_id)
        known = 0 if stored.tracker is None else len(stored.tracker.events)
        await self.append(tracker.sender_id, list(tracker.events)[known:], after=stored.last_event)

    async def retrieve(self, sender_id: str) -> Optional[DialogueStateTracker]:
        return (await self.read(sender_id)).tracker

    async def retrieve_full_tracker(self, conversation_id: str) -> Optional[DialogueStateTracker]:
        every = sa.select(_events.c.data).where(_events.c.sender_id == conversation_id).order_by(_events.c.id)
        return self._tracker(conversation_id, self._open(await self._column(every)))

    async def keys(self) -> Iterable[str]:
        return await self._column(sa.select(_events.c.sender_id).distinct())

    async def _column(self, statement: sa.sql.Select) -> Sequence[str]:
        def select() -> Sequence[str]:
            with self.engine.connect() as connection:
                return [str(value) for value in connection.execute(statement).scalars()]

        return await self._in_thread(select)

    async def _in_thread(self, work: Callable[[], _T]) -> _T:
        """Away from the event loop: a commit waits for the disk."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    def _read(self, sender_id: str, message_id: Optional[str]) -> Stored:
        with self.engine.connect() as connection:
            rows = connection.execute(_READ, {"sender": sender_id, "message": message_id}).all()
        events = self._open([row.data for row in rows if row.data is not None])
        if rows[0].first_event is not None:
            return Stored(None, rows[0].last, events)
        return Stored(self._tracker(sender_id, events), rows[0].last, None)

    def _append(self, sender_id: str, rows: Sequence[Mapping[str, Any]], after: int, message_id: Optional[str]) -> None:
        columns = {f"{name}s": [row[name] for row in rows] for name in rows[0]}
        with self.engine.connect() as connection:
            try:
                added = connection.execute(
                    _APPEND, {"sender": sender_id, "message": message_id, "after": after, **columns}
                ).scalar_one()
            except sa.exc.IntegrityError:
                raise TurnOutdated("the message has been answered meanwhile; send it again") from None
        if not added:
            raise TurnOutdated("the conversation has moved on; send the message again")

    def _erase_before(self, moment: float) -> None:
        with self.engine.connect() as connection:
            while connection.execute(_ERASE_BEFORE, {"moment": moment}).scalar_one() == _PART:
                pass

    def _execute(self, statement: sa.sql.elements.TextClause, values: Mapping[str, Any]) -> None:
        with self.engine.connect() as connection:
            connection.execute(statement, values)

    def _open(self, sealed: Iterable[str]) -> list[Event]:
        return [event for data in sealed if (event := _event(json.loads(self._seal.open_text(data)))) is not None]

    def _tracker(self, sender_id: str, events: list[Event]) -> Optional[DialogueStateTracker]:
        return DialogueStateTracker.from_events(sender_id, events, self.domain.slots) if events else None

    def _row(self, event: Event) -> Mapping[str, Any]:
        data = event.as_dict()
        return {
            "type_name": event.type_name,
            "timestamp": event.timestamp,
            "intent_name": event.intent_name if isinstance(event, UserUttered) else None,
            "action_name": data.get("name"),
            "data": self._seal.seal_text(json.dumps(data)),
        }


def _event(data: dict[str, Any]) -> Optional[Event]:
    """As Rasa's `Event.from_parameters`, which goes through all classes of events at each one."""
    return _event_types()[data["event"]]._from_parameters(data)


@lru_cache(maxsize=1)
def _event_types() -> Mapping[str, type[Event]]:
    # Of two classes of one name Rasa takes the first.
    return {kind.type_name: kind for kind in reversed(all_subclasses(Event))}


def _create_tables(host: str) -> None:
    engine = sa.create_engine(host, poolclass=sa.pool.NullPool, connect_args={"connect_timeout": 5})
    with engine.begin() as connection:
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
        connection.execute(sa.text(f"CREATE SCHEMA IF NOT EXISTS {_SCHEMA}"))
        _tables.create_all(connection)
        # Of tables that an earlier version made, nothing is created above.
        for index in _events.indexes:
            index.create(connection, checkfirst=True)


def _prepare(connection: Any, _: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_PREPARE)
    connection.commit()


def _secrets() -> tuple[str, ...]:
    key = os.environ.get("PRAJA_SECRET_KEY")
    if not key:
        raise RuntimeError("PRAJA_SECRET_KEY is missing: events can't be sealed; start Rasa by `praja run rasa`")
    earlier = (old.strip() for old in os.environ.get("PRAJA_SECRET_KEYS_OLD", "").split(","))
    return (key, *filter(None, earlier))
