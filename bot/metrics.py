"""What operators watch, in Prometheus's format."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from sqlalchemy import func, select

from bot.outbox import State
from bot.store import Store
from bot.tables import conversations, inbox, is_queued, outbox

__all__ = ["Metrics", "billable_messages"]

_ACCOUNT_ZONE: Final = ZoneInfo("Asia/Jakarta")
"""WhatsApp's month is that of the business account's time zone"""


class Metrics:
    """Of one process; a registry of its own, so that two can live in one test run."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.turn_seconds = Histogram(
            "praja_turn_seconds",
            "From the claim of a message to its answer",
            ["outcome"],
            buckets=(0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20),
            registry=self.registry,
        )
        self.troubles = Counter("praja_turn_troubles", "Turns that have to be tried again", registry=self.registry)
        self.unreadable = Counter(
            "praja_inbox_unreadable", "Updates that aren't shaped as their provider promises", ["channel"],
            registry=self.registry,
        )  # fmt: skip
        self.flooded = Counter(
            "praja_inbox_flooded", "Messages passed over: of very many at once only the last is read", ["channel"],
            registry=self.registry,
        )  # fmt: skip
        self.send_failures = Counter(
            "praja_send_failures",
            "Messages that a provider didn't take",
            ["channel", "failure"],
            registry=self.registry,
        )
        self.stopped = Gauge(
            "praja_channel_stopped", "1 while nothing can be sent until an operator acts", ["channel"],
            registry=self.registry,
        )  # fmt: skip
        self.part_up = Gauge(
            "praja_part_up", "1 while a part answers, as seen from here", ["part"], registry=self.registry
        )
        self.disk_free = Gauge(
            "praja_disk_free_bytes", "Free space where a folder lies", ["folder"], registry=self.registry
        )
        self.token_ends = Gauge(
            "praja_token_ends_timestamp_seconds", "When a channel's token ends; infinite: never, or not known", ["channel"],
            registry=self.registry,
        )  # fmt: skip
        self.broken = Gauge(
            "praja_invariant_broken", "How often something is found that may never be", ["invariant", "severity"],
            registry=self.registry,
        )  # fmt: skip
        self._backlog = Gauge("praja_inbox_backlog", "Updates not dealt with yet", registry=self.registry)
        self._oldest = Gauge(
            "praja_inbox_oldest_seconds", "Age of the oldest update not dealt with yet", registry=self.registry
        )
        self._outbox = Gauge("praja_outbox", "Messages by state, of the last day", ["state"], registry=self.registry)
        self._oldest_unsent = Gauge(
            "praja_outbox_oldest_seconds",
            "Age of the oldest message that may be sent and isn't",
            registry=self.registry,
        )
        self._errors = Gauge(
            "praja_outbox_errors", "Messages of the last day that ended in a provider's error", ["channel", "code"],
            registry=self.registry,
        )  # fmt: skip
        self._billable = Gauge(
            "praja_whatsapp_billable_messages", "Billable messages delivered this month", registry=self.registry
        )

    async def exposition(self, store: Store) -> bytes:
        """What is kept in the database is counted when it is asked for."""
        now = store.clock()
        async with store.single.connect() as connection:
            waiting = (
                await connection.execute(
                    select(func.count(), func.min(inbox.c.received_at)).where(inbox.c.answered_at.is_(None))
                )
            ).one()
            states = await connection.execute(
                select(outbox.c.state, func.count())
                .where((outbox.c.created_at > now - timedelta(days=1)) | (outbox.c.state.in_(("queued", "held"))))
                .group_by(outbox.c.state)
            )
            for state in State:
                self._outbox.labels(state.value).set(0)
            for state, count in states:
                self._outbox.labels(state).set(count)
            unsent = await connection.scalar(select(func.min(outbox.c.created_at)).where(is_queued))
            errors = (
                await connection.execute(
                    select(conversations.c.channel, outbox.c.error_code, func.count())
                    .join(conversations, conversations.c.id == outbox.c.conversation)
                    .where(outbox.c.created_at > now - timedelta(days=1), outbox.c.error_code.is_not(None))
                    .group_by(conversations.c.channel, outbox.c.error_code)
                )
            ).all()
        self._oldest_unsent.set((now - unsent).total_seconds() if unsent else 0)
        self._errors.clear()
        for channel, code, count in errors:
            self._errors.labels(channel, str(code)).set(count)
        self._backlog.set(waiting[0])
        self._oldest.set((now - waiting[1]).total_seconds() if waiting[1] else 0)
        self._billable.set(await billable_messages(store, now))
        return generate_latest(self.registry)


async def billable_messages(store: Store, at: datetime) -> int:
    """How many WhatsApp messages of the month of `at` Meta bills; 1,000 a month and number are free."""
    first = at.astimezone(_ACCOUNT_ZONE).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    following = (first + timedelta(days=32)).replace(day=1)
    async with store.single.connect() as connection:
        count = await connection.scalar(
            select(func.count())
            .select_from(outbox.join(conversations, conversations.c.id == outbox.c.conversation))
            .where(
                conversations.c.channel == "whatsapp",
                outbox.c.billable,
                outbox.c.delivered_at >= first,
                outbox.c.delivered_at < following,
            )
        )
    return count or 0
